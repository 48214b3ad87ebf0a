"""`evalfolio require`: the least programme for a target, a table over targets, what to waive."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from evalbayes.tables.numerals import NotANumber, numeral
from evalfolio.cli import options as shared
from evalfolio.cli.console import ASKED, detailed, print_json, print_table, records, say, step
from evalfolio.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from evalbayes import Menu
    from evalfolio.search import Question

PlanArgument = Annotated[
    Path, Argument(help="Folder that `evalfolio recommend` wrote, or a menu/ folder.")
]
EACH = "cyber=0.05 or cyber=5%, or 0.05 for every domain; several for all make a table."
WrongCallOption = Annotated[
    shared.Texts,
    Option(help=f"Most probability of a wrong call, danger missed or needless mitigation: {EACH}"),
]
MissedOption = Annotated[shared.Texts, Option(help=f"Most probability of danger missed: {EACH}")]
NeedlessOption = Annotated[
    shared.Texts, Option(help=f"Most probability of needless mitigation: {EACH}")
]
SdOption = Annotated[
    shared.Texts,
    Option(
        help="Most sd that may be left: cyber=0.8, or 0.8 for every domain; "
        "several for all make a table."
    ),
]
ValueOption = Annotated[
    str | None,
    Option(
        help="Least expected value of the decisions, in the unit of their losses, or as a share of "
        "what perfect information is worth: 50%."
    ),
]
ResourceOption = Annotated[str, Option(help="What to keep least.")]
BudgetOption = Annotated[
    shared.Texts, Option(help="In place of the plan's budget, e.g. staff_hours=400; repeatable.")
]
FreeOption = Annotated[
    bool, Option("--free", help="Leave out the plan's budgets and its catalogue's limits.")
]
WaiveOption = Annotated[
    bool, Option("--waive", help="Name the fewest targets to waive within the budget.")
]
StandardOption = Annotated[
    shared.Texts,
    Option(help="A standard, clause by clause: a TOML file, or eu-cop; several make more levels."),
]
MixOption = Annotated[
    Path | None, Option(help="With --standard: the mix to judge, CSV or .xlsx as for score.")
]
TablesOption = Annotated[
    Path | None, Option(help="With --standard: folder for clauses.csv and levels.csv.")
]


def require(
    plan: PlanArgument,
    danger_missed: MissedOption = None,
    needless: NeedlessOption = None,
    wrong_call: WrongCallOption = None,
    posterior_sd: SdOption = None,
    value: ValueOption = None,
    resource: ResourceOption = "usd",
    budget: BudgetOption = None,
    constraints: shared.ConstraintsOption = None,
    free: FreeOption = False,
    waive: WaiveOption = False,
    standard: StandardOption = None,
    mix: MixOption = None,
    out: TablesOption = None,
    settings: shared.SetOption = None,
    catalogue: shared.PlanCatalogueOption = None,
    posterior: shared.PlanPosteriorOption = None,
    time_limit: shared.TimeLimitOption = 60.0,
) -> None:
    """Find the least programme of evals that meets a target of assurance, or a standard."""
    from evalfolio.cli.inputs import asked, say_unanchored
    from evalfolio.limits import constraints_from_table
    from evalfolio.limits.budget import parse_budgets
    from evalfolio.search import Certified, Question
    from evalfolio.targets.reach import reachable
    from evalfolio.targets.requirement import require as least
    from evalfolio.targets.requirement import requirements
    from evalfolio.targets.waiver import waive as give_up

    question = asked(plan, settings, catalogue, posterior)
    menu = question.menu
    question = Question(menu) if free else question
    rules = constraints_from_table(constraints) if constraints else ()
    question = question.within(**parse_budgets(budget or [])).under(*rules)
    say_unanchored(menu.no_anchor)
    typed = {"wrong_call": wrong_call, "danger_missed": danger_missed, "needless": needless}
    typed["posterior_sd"] = posterior_sd
    stated = {name: _targets(words, name) for name, words in typed.items() if words}
    if standard:
        if stated or waive or value is not None:
            raise InputError(
                "--standard must stand without other targets and --waive, got both; write the "
                "targets as clauses of a standard"
            )
        _hold(question, standard, plan, mix, resource, out)
        return
    if mix is not None or out is not None:
        raise InputError(
            f"{'--mix' if out is None else '--out'} must stand with --standard, got none; add "
            "--standard eu-cop or a file"
        )
    common: dict[str, Any] = {"budget": question.budget, "constraints": question.limits}
    common["contingency"] = question.contingency
    if waive:
        for name, levels in stated.items():
            if len(levels) > 1:  # several cannot be waived together
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option} must be one standard with --waive, got {len(levels)}")
        one: dict[str, Any] = {name: levels[0] for name, levels in stated.items()}
        waiver = give_up(menu, **common, **one)
        _print(str(waiver), vars(waiver) | {"no_anchor": dict(menu.no_anchor)})
        return
    common["method"] = Certified(time_limit=time_limit)
    common |= {"resource": resource, "value": None if value is None else _worth(value, menu)}
    reach = reachable(question) if stated and not ASKED.quiet else None
    if reach is not None:
        _print_reach(reach, stated)
    if all(len(levels) == 1 for levels in stated.values()):
        one = {name: each for name, (each,) in stated.items()}
        found = least(menu, **common, **one)
        fields = {key: item for key, item in vars(found).items() if key != "domains"}
        kinds = [str(name) for name in found.domains if str(name).startswith("p_")]
        fields["decisions"] = found.domains[kinds].to_dict("index")
        fields |= {"gap": found.gap, "no_anchor": dict(menu.no_anchor)}
        if reach is not None:
            fields["reachable"] = reach.to_dict("index")
        _print(str(found), fields)
        if detailed():
            columns = ["eval", "domain", "tier", *menu.resources]
            shown = menu.options.loc[list(found.chosen), columns]
            print_table(shown.reset_index(), "Programme")
        return
    standards = {
        ", ".join(_word(name, each) for name, each in zip(stated, levels, strict=True)): dict(
            zip(stated, levels, strict=True)
        )
        for levels in product(*stated.values())
    }
    table = requirements(menu, standards, **common).reset_index()
    print_json(records(table))
    print_table(table, f"Least {resource} for each standard")


def _hold(
    question: Question,
    standards: list[str],
    folder: Path,
    mix: Path | None,
    resource: str,
    out: Path | None,
) -> None:
    """Hold a mix to standards: print or write a table of clauses and one of levels."""
    import numpy as np

    from evalbayes.whole import write_whole
    from evalfolio.plans.evaluation import choice_vector
    from evalfolio.plans.judge import read_options
    from evalfolio.record.record import Record
    from evalfolio.targets.clauses import held_to
    from evalfolio.targets.standard import read_standards

    menu, judged, days = question.menu, None, None
    if (folder / "plan.json").exists():
        record = Record.load(folder)
        judged = menu.options.index.isin([row.option for row in record.choices]).astype(np.float64)
        days = record.portfolio.calendar_days
    given = None if mix is None else choice_vector(menu, read_options(mix, menu)[0])
    read = read_standards(standards)
    with step("holding the plan to every clause"):
        found = held_to(
            question, read, mix=given, plan=judged, calendar_days=days, resource=resource
        )
    if out is not None:
        for name, table in (("clauses", found.clauses), ("levels", found.levels)):
            write_whole(out / f"{name}.csv", table.to_csv(index=False).encode())
    print_json(found.told())
    for level, rows in found.clauses.groupby("level", sort=False):
        title = f"{read.name}: {level}, held against {found.judged[str(level)]}"
        print_table(rows.drop(columns="level"), title)
    print_table(found.levels.drop(columns="chosen"), f"What each level needs, least {resource}")


Target = dict[str, float] | float


def _worth(word: str, menu: Menu) -> float:
    """Read what decisions are to be worth, in the unit of losses or as a share of EVPI."""
    from evalfolio.objectives.valuation import perfect_value

    try:
        amount = numeral(word, percent=True)
    except NotANumber:
        raise InputError(
            "--value must be a number in the unit of the losses, or a share of what perfect "
            f"information is worth, got {word!r}; write for example 1.5 or 50%"
        ) from None
    return amount * perfect_value(menu) if word.strip().endswith("%") else amount


def _targets(words: list[str], kind: str) -> list[Target]:
    """Return the standards typed: one of named targets, or one for each plain number."""
    named: dict[str, float] = {}
    plain: list[Target] = []
    option = f"--{kind.replace('_', '-')}"
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            amount = numeral(number, percent=kind != "posterior_sd")
        except NotANumber as error:
            raise InputError(
                f"{option} must be a number or decision=number, got {word!r}; {error.cure}, for "
                "example cyber=0.05"
            ) from None
        if name in named:
            raise InputError(
                f"{option} {name} must be given once, got {named[name]:g} and {amount:g}; keep one"
            )
        if name:
            named[name] = amount
        else:
            plain.append(amount)
    if named and plain:
        raise InputError(
            f"{option} must name a decision every time or never, got {', '.join(words)}"
        )
    return [named] if named else plain


def _word(kind: str, target: Target) -> str:
    kind = kind.replace("_", " ").replace("posterior sd", "sd")
    if isinstance(target, dict):
        return ", ".join(f"{kind} {name} {amount:g}" for name, amount in target.items())
    return f"{kind} {target:g}"


def _print_reach(reach: pd.DataFrame, stated: dict[str, list[Target]]) -> None:
    """Print how far each decision could be brought by itself, as far as the targets ask."""
    from evalfolio.narrative import percent

    shown = reach[[]].copy()
    chances = {"danger_missed": "danger missed", "needless": "needless mitigation"}
    for name, words in chances.items():
        if {name, "wrong_call"} & set(stated):
            shown[f"{words} now"] = reach[f"{name}_now"].map(percent)
            shown[f"{words}, knowing most"] = reach[name].map(percent)
    if "posterior_sd" in stated:
        shown["sd now"], shown["sd, knowing most"] = reach["sd_now"].round(2), reach["sd"].round(2)
    shown["bound by"] = reach["bound_by"]
    print_table(shown.reset_index(), "What each decision could be brought to by itself")


def _print(text: str, fields: dict[str, Any]) -> None:
    print_json(json.dumps(fields, indent=2, default=list))
    say(text)
