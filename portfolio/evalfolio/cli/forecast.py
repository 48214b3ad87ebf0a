"""`evalfolio forecast`: what evaluations will cost in years, and what drives it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import cell, detailed, print_json, print_table, say, step

if TYPE_CHECKING:
    import pandas as pd

    from evalfolio.record.record import Account

PlanArgument = Annotated[Path, Argument(help="Folder that `evalfolio recommend` wrote.")]
PresetsOption = Annotated[
    Path | None, Option(help="Drivers with their sources, TOML; what it leaves out is as it comes.")
]
ScenarioOption = Annotated[
    str | None, Option(help="Which scenario of the presets is the main one.")
]
OutOption = Annotated[
    Path | None, Option(help="Folder for tables, and the plan's report and workbook.")
]


def forecast(
    plan: PlanArgument,
    scenario: ScenarioOption = None,
    presets: PresetsOption = None,
    years: Annotated[int, Option(help="How far ahead.")] = 3,
    fitted: Annotated[
        bool, Option("--fitted", help="Tokens by task length as on the plan's posterior.")
    ] = False,
    draws: Annotated[int, Option(min=100, help="Of the Monte Carlo.")] = 4000,
    out: OutOption = None,
    seed: shared.SeedOption = 0,
) -> None:
    """Forecast by year what evaluations cost, what drives it, and the best mix of each year."""
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.outlook.presets import read_presets
    from evalfolio.outlook.told import forecast as make

    read = read_presets(presets, scenario)
    with step("forecasting costs and the mix of every year"):
        found = make(plan_folder(plan), read, years=years, draws=draws, seed=seed, fitted=fitted)
    show(found, plan, "outlook", out, presets)


PARTS = ("outlook", "schedule")  # fields of a plan's record


def show(found: Account, plan: Path, part: str, out: Path | None, given: Path | None) -> None:
    """Print an account; into a folder write it, its tables, and report and workbook with it."""
    from types import SimpleNamespace

    from evalbayes import Menu
    from evalbayes.whole import write_whole
    from evalfolio.export import write_report, write_workbook
    from evalfolio.outlook.presets import OWN
    from evalfolio.record.record import Account, Record

    print_json(found.model_dump())
    for sentence in found.sentences:
        say(sentence)
    for table in found.tables if detailed() else ():
        print_table(in_a_terminal(found[table.name]), table.title)
    if out is None:
        return
    write_whole(out / f"{part}.json", found.model_dump_json(indent=2).encode())
    for table in found.tables:
        text = found[table.name].to_csv(index=False)
        write_whole(out / f"{table.name}.csv", text.encode())
    write_whole(out / "presets.toml", (given or OWN).read_bytes())  # to be changed, for --presets
    kept = {name: out / f"{name}.json" for name in PARTS}  # of the other command too
    held = {n: path.read_text(encoding="utf-8") for n, path in kept.items() if path.is_file()}
    parts = {name: Account.model_validate_json(text) for name, text in held.items()}
    shown: Any = SimpleNamespace(
        record=Record.load(plan).replace(**parts), menu=Menu.load(plan / "menu")
    )
    write_report(shown, out / "report.html")
    write_workbook(shown, out / "plan.xlsx")


def in_a_terminal(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the ends of an interval beside its middle, in one column.

    >>> import pandas as pd
    >>> in_a_terminal(pd.DataFrame({"x": [2.0], "x_low": [1.0], "x_high": [None]})).iloc[0, 0]
    '2 [1, –]'
    """
    shown = table.copy()
    for name in [name for name in table if f"{name}_low" in table]:
        ends = [name, f"{name}_low", f"{name}_high"]
        told = [[cell(each) or "–" for each in row] for row in table[ends].itertuples(index=False)]
        shown[name] = [f"{middle} [{low}, {high}]" for middle, low, high in told]
        shown = shown.drop(columns=ends[1:])
    return shown
