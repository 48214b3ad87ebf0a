"""`evalfolio rule`: the square-root law, for a first answer without data."""

import math
from typing import Annotated

from typer import Option

from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.cli import options as shared
from evalfolio.cli.console import print_json, say
from evalfolio.errors import InputError


def rule(
    cost_ratio: Annotated[float, Option(help="Price of a deep run in plateau-level runs.")],
    validity_sd: Annotated[float, Option(help="How far one eval departs from its capability.")],
    gap_sd: Annotated[float, Option(help="How uncertain the domain's elicitation gap is.")],
    gap_spread: Annotated[float, Option(help="How far an eval's own gap departs from it.")],
    shown_sd: Annotated[float, Option(help="How uncertain the shown capability is.")] = math.inf,
    noise_sd: Annotated[float, Option(help="Sampling noise of one reading.")] = 0.0,
    effort: Annotated[float, Option(help="Effort of a deep run, up to 1.")] = 1.0,
    budget: Annotated[str | None, Option(help="Budget in plateau-level runs.")] = None,
    evals: Annotated[int | None, Option(help="How many evals there are.")] = None,
    prices: Annotated[
        str | None,
        Option(
            help="Price of a plateau-level run of every eval, e.g. 400,900,1500; --budget is then "
            "in the same unit. Right far more often where prices differ."
        ),
    ] = None,
) -> None:
    """Say how many evals are worth running deep, by the square-root law; all sds in one unit."""
    from evalfolio.rule.square_root import depth_rule

    limit = None if budget is None else shared.figure("--budget", budget)
    figures = {"cost_ratio": cost_ratio, "validity_sd": validity_sd, "gap_sd": gap_sd}
    figures |= {"gap_spread": gap_spread, "shown_sd": shown_sd, "noise_sd": noise_sd}
    figures["effort"] = effort
    if prices is not None:
        if evals is not None:
            raise InputError(f"--evals is the number of --prices; leave it out, got {evals}")
        _print_mix(_listed(prices), limit, figures)
        return
    answer = depth_rule(**figures, budget=limit, evals=evals)
    numbers = {
        name: None if value is not None and math.isinf(value) else value
        for name, value in vars(answer).items()
    }
    print_json(**numbers, words=str(answer))
    say(answer)


def _listed(prices: str) -> list[float]:
    """Read prices separated by commas."""
    try:
        found = [numeral(word) for word in prices.split(",")]
    except NotANumber:
        found = []
    if not found or not all(0 < price < math.inf for price in found):
        raise InputError(
            f"--prices must be amounts above 0 separated by commas, got {prices!r}; "
            "write 400,900,1500"
        )
    return found


def _print_mix(prices: list[float], budget: float | None, figures: dict[str, float]) -> None:
    """Say which evals of a price list to run deep and which at plateau level."""
    from evalfolio.rule.square_root import priced_mix

    if budget is None:
        raise InputError("--prices asks for --budget, in the unit of the prices; give it")
    plateau, deep = priced_mix(prices, budget, **figures)
    spent = sum(prices[i] for i in plateau) + figures["cost_ratio"] * sum(prices[i] for i in deep)

    def named(places: tuple[int, ...]) -> str:
        return ", ".join(f"{i + 1} ({prices[i]:g})" for i in sorted(places)) or "none"

    text = (
        f"Run deep: {named(deep)}. At plateau level: {named(plateau)}. "
        f"That is {spent:g} of {budget:g}. Evals are numbered as listed, prices in brackets."
    )
    numbered = {"deep": deep, "plateau": plateau}
    numbers = {name: [i + 1 for i in sorted(each)] for name, each in numbered.items()}
    print_json(**numbers, spent=spent, words=text)
    say(text)
