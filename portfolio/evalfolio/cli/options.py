"""The arguments several commands share, written once."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from evalbayes.errors import InputError
from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.cli.console import ASKED

Texts = list[str] | None  # an option that may be given several times
Paths = list[Path] | None

CatalogueArgument = Annotated[
    Path, Argument(help="Catalogue of domains, evals and budgets: TOML or .xlsx.")
]
ObservationsArgument = Annotated[
    Paths, Argument(help="Tables of results of earlier AI models: CSV, Parquet or .xlsx.")
]
PosteriorOption = Annotated[Path | None, Option(help="A posterior.nc that `evalfolio fit` wrote.")]

OutOption = Annotated[Path, Option(help="Where to write.")]
TimeLimitOption = Annotated[
    float, Option(help="Seconds for the optimiser; its best so far counts.")
]
MethodOption = Annotated[
    str,
    Option(
        help="certified: the best mix, with proof. convex: the best split with options bought in "
        "part, by cvxpy, and a mix near it, for menus too large to certify. greedy: at once."
    ),
]
SeedOption = Annotated[int, Option(min=0, help="Same inputs and seed, same result.")]
DrawsOption = Annotated[
    int | None, Option(min=100, help="Draws of each of the fit's four chains, else 2,000.")
]
AllowFailedFitOption = Annotated[
    bool, Option("--allow-failed-fit", help="Go on (exit 0) although the fit fails its gate.")
]
ContingencyOption = Annotated[
    Texts,
    Option(
        help="Share of the money kept back, e.g. 0.1, or of a resource, e.g. staff_hours=0.05; "
        "repeatable. By default as the catalogue says."
    ),
]
SetOption = Annotated[
    Texts,
    Option(
        "--set",
        help="A figure of the catalogue at another level, e.g. cyber.elicitation_gap*2, "
        "budget.usd=30000 or evals.staff_hours*1.5; repeatable.",
    ),
]
PlanCatalogueOption = Annotated[Path | None, Option(help="With --set: the catalogue of the plan.")]
PlanPosteriorOption = Annotated[
    Path | None, Option(help="With --set: the plan's, where it is not PLAN/posterior.nc.")
]
ProgrammeArgument = Annotated[
    Path, Argument(help="Folder of a plan, or of the last step of its programme.")
]
ResultsArgument = Annotated[
    Paths, Argument(help="Tables of results that have come in since: CSV, Parquet or .xlsx.")
]
HistoryOption = Annotated[
    Paths,
    Option(
        help="The observations the programme began with: fit anew on them and all results, in "
        "place of the fast update; repeatable."
    ),
]
PointUsdOption = Annotated[
    float | None, Option(min=0.0, help="What a point of value is worth, to say when to stop.")
]
ConstraintsOption = Annotated[
    Path | None, Option(help="Table of limits, one per row: CSV, or .xlsx with a sheet.")
]


OF_ALL = {  # what every command takes
    "quiet": Annotated[bool, Option("--quiet", "-q", help="Print the result only.")],
    "as_json": Annotated[bool, Option("--json", help="Print the result as JSON.")],
}


def answering(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with --quiet and --json, which decide in `console` what it prints."""
    own = signature(command, eval_str=True).parameters.values()
    kind = Parameter.KEYWORD_ONLY
    more = [Parameter(name, kind, default=False, annotation=OF_ALL[name]) for name in OF_ALL]

    @wraps(command)
    def answer(*, quiet: bool, as_json: bool, **given: Any) -> None:
        vars(ASKED).update(quiet=quiet, json=as_json)
        try:
            command(**given)
        finally:
            vars(ASKED).update(quiet=False, json=False)

    answer.__annotations__ = {each.name: each.annotation for each in (*own, *more)}
    vars(answer)["__signature__"] = Signature([*own, *more])
    return answer


def figure(option: str, words: str) -> float:
    """Return the number an option is given, as every number is read that people write.

    >>> figure("--cap", "2,000,000"), figure("--cap", "2e6")
    (2000000.0, 2000000.0)
    """
    try:
        return numeral(words)
    except NotANumber as error:
        raise InputError(f"{option} {error}") from None
