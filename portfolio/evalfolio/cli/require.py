"""`evalfolio require`: the least programme for a target, a table over targets, what to waive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evalfolio.cli import options as shared
from evalfolio.cli.console import console, print_table, say_unanchored

if TYPE_CHECKING:
    import pandas as pd

    from evalbayes import Menu

PlanArgument = Annotated[
    Path, typer.Argument(help="Folder that `evalfolio recommend` wrote, or a menu/ folder.")
]
WrongCallOption = Annotated[
    list[str] | None,
    typer.Option(
        "--wrong-call",
        help="Most probability of a wrong call, danger missed and needless mitigation together: "
        "cyber=0.05, or 0.05 for every domain; "
        "several for all make a table.",
    ),
]
SdOption = Annotated[
    list[str] | None,
    typer.Option(
        "--posterior-sd",
        help="Most sd that may be left: cyber=0.8, or 0.8 for every domain; "
        "several for all make a table.",
    ),
]
ValueOption = Annotated[
    float | None, typer.Option("--value", help="Least expected value of the decisions.")
]
ResourceOption = Annotated[str, typer.Option("--resource", help="What to keep least.")]
BudgetOption = Annotated[
    list[str] | None,
    typer.Option("--budget", help="A limit, e.g. staff_hours=400; repeatable."),
]
WaiveOption = Annotated[
    bool, typer.Option("--waive", help="Name the fewest targets to waive within the budget.")
]


def require(
    plan: PlanArgument,
    wrong_call: WrongCallOption = None,
    posterior_sd: SdOption = None,
    value: ValueOption = None,
    resource: ResourceOption = "usd",
    budget: BudgetOption = None,
    constraints: shared.ConstraintsOption = None,
    waive: WaiveOption = False,
    quiet: shared.QuietOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Find the least programme of evals that meets a target of assurance."""
    from evalbayes import Menu
    from evalfolio.cli.inputs import asked_limits, plan_folder
    from evalfolio.limits import constraints_from_table
    from evalfolio.limits.budget import parse_budgets
    from evalfolio.targets.requirement import require as least
    from evalfolio.targets.requirement import requirements
    from evalfolio.targets.waiver import waive as give_up

    rules = constraints_from_table(constraints) if constraints else ()
    if (plan / "menu.json").is_file():
        menu = Menu.load(plan)
    else:
        menu = Menu.load(plan_folder(plan, "menu") / "menu")
        if (plan / "plan.json").exists():  # a folder with a menu alone was asked nothing
            rules += tuple(asked_limits(plan))
    say_unanchored(menu.no_anchor, as_json=as_json)
    unanchored = {"no_anchor": dict(menu.no_anchor)}
    limits = parse_budgets(budget or [])
    calls, sds = _targets(wrong_call, "--wrong-call"), _targets(posterior_sd, "--posterior-sd")
    if waive:
        waiver = give_up(
            menu,
            budget=limits,
            wrong_call=_only(calls, "--wrong-call"),
            posterior_sd=_only(sds, "--posterior-sd"),
            constraints=rules,
        )
        _print(str(waiver), vars(waiver) | unanchored, as_json)
        return
    common: dict[str, Any] = {
        "resource": resource,
        "budget": limits,
        "constraints": rules,
        "value": value,
    }
    if len(calls) <= 1 and len(sds) <= 1:
        found = least(menu, wrong_call=_one(calls), posterior_sd=_one(sds), **common)
        fields = {key: item for key, item in vars(found).items() if key != "domains"}
        kinds = [str(name) for name in found.domains if str(name).startswith("p_")]
        fields["decisions"] = found.domains[kinds].to_dict("index")
        _print(str(found), fields | {"gap": found.gap} | unanchored, as_json)
        if not (as_json or quiet):
            print_table(_shown(menu, found.chosen), "Programme")
        return
    each_call: list[Target | None] = [*calls] or [None]
    each_sd: list[Target | None] = [*sds] or [None]
    standards = {
        ", ".join(part for part in (_word("wrong call", call), _word("sd", sd)) if part): {
            "wrong_call": call,
            "posterior_sd": sd,
        }
        for call in each_call
        for sd in each_sd
    }
    table = requirements(menu, standards, **common).reset_index()
    if as_json:
        print(table.to_json(orient="records", indent=2))
    else:
        print_table(table, f"Least {resource} for each standard")


Target = dict[str, float] | float


def _targets(words: list[str] | None, option: str) -> list[Target]:
    """Return the standards typed: one of named targets, or one for each plain number."""
    from evalbayes.tables.numerals import NotANumber, numeral
    from evalfolio.errors import InputError

    named: dict[str, float] = {}
    plain: list[Target] = []
    for word in words or []:
        name, _, number = word.rpartition("=")
        try:
            amount = numeral(number)
        except NotANumber as error:
            raise InputError(
                f"{option} must be a number or decision=number, got {word!r}; {error.cure}, for "
                "example cyber=0.05"
            ) from None
        if name:
            named[name] = amount
        else:
            plain.append(amount)
    if named and plain:
        raise InputError(
            f"{option} must name a decision every time or never, got {', '.join(words or [])}"
        )
    return [named] if named else plain


def _one(targets: list[Target]) -> Target | None:
    return targets[0] if targets else None


def _only(targets: list[Target], option: str) -> Target | None:
    """Return the one standard there is; several cannot be waived together."""
    from evalfolio.errors import InputError

    if len(targets) > 1:
        raise InputError(f"{option} must be one standard with --waive, got {len(targets)}")
    return _one(targets)


def _word(kind: str, target: Target | None) -> str:
    if target is None:
        return ""
    if isinstance(target, dict):
        return ", ".join(f"{kind} {name} {amount:g}" for name, amount in target.items())
    return f"{kind} {target:g}"


def _shown(menu: Menu, chosen: tuple[str, ...]) -> pd.DataFrame:
    columns = ["eval", "domain", "tier", *menu.resources]
    return menu.options.loc[list(chosen), columns].reset_index()


def _print(text: str, fields: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(fields, indent=2, default=list))
    else:
        console().print(text, soft_wrap=True, markup=False)
