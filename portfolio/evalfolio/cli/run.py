"""`evalfolio run`: Inspect runs a plan and asks what to run next, until it ends."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, say
from evalfolio.cli.imports import PricesOption

TasksOption = Annotated[
    Path, Option(help="Python file with TASKS: by eval, a function of `effort` to an Inspect task.")
]


def run(
    plan: shared.ProgrammeArgument,
    tasks: TasksOption,
    model: Annotated[str, Option(help="Inspect's name of the AI model.")],
    limit: Annotated[
        shared.Texts,
        Option(help="Never to be passed: usd (else the budget), tokens or hours; repeatable."),
    ] = None,
    at_once: Annotated[
        int | None, Option(min=1, help="Samples of an eval at most between two looks.")
    ] = None,
    point_usd: shared.PointUsdOption = None,
    max_samples: Annotated[int | None, Option(min=1, help="Samples at a time.")] = None,
    prices: PricesOption = None,
) -> None:
    """Run a plan through Inspect, look at what came in and plan on, or carry on a killed run."""
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.inspect import Running
    from evalfolio.limits.budget import parse_budgets
    from evalfolio.readers.prices import read_prices

    running = Running(
        plan_folder(plan),
        tasks_of(tasks),
        limits=parse_budgets(limit or [], "--limit"),
        at_once=at_once,
        point_usd=point_usd,
        model=model,
        prices=None if prices is None else read_prices(prices),
        tell=say if detailed() else lambda _: None,
    )
    running.run(model, max_samples)
    end = running.folder / "conclusion" / "conclusion.json"
    if end.exists():
        print_json(end.read_text(encoding="utf-8"))
    reason = running.reason or "Stopped before its end: the same command carries it on."
    say(f"{reason} {running.meter}; all of it is in {running.folder}/.")


def tasks_of(path: Path) -> dict[str, Callable[..., Any]]:
    """Return the mapping TASKS of a Python file; InputError if it has none."""
    from evalfolio.errors import InputError

    try:
        found = runpy.run_path(str(path)).get("TASKS") if path.is_file() else None
    except Exception as error:  # whatever a file of the user's own ends in
        raise InputError(
            f"--tasks {path}: must be a Python file that runs, got {type(error).__name__} "
            f"({error}); mend it"
        ) from error
    if not isinstance(found, dict):
        raise InputError(
            f"--tasks {path}: must be a Python file with TASKS = {{'eval': function of effort that "
            "makes its Inspect task}, got none; write it"
        )
    return found
