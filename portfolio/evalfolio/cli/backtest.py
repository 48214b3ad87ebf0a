"""`evalfolio backtest`: buy runs again that were made anyway, and see who concludes best."""

import shutil
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import print_json, say, step
from evalfolio.cli.imports import MapOption, SetOption, pairs
from evalfolio.cli.sensitivity import SchedulerOption, WorkersOption

RunsArgument = Annotated[
    list[Path],
    Argument(
        help="Tables of runs: eval, task, ai_model, outcome (or success), spend, cap, "
        "human_minutes; optional attempt and release_date."
    ),
]


def backtest(
    runs: RunsArgument,
    out: shared.OutOption = Path("backtest"),
    mapped: MapOption = None,
    constant: SetOption = None,
    budgets: Annotated[
        list[float] | None, Option("--budget", help="Share of the full bill; repeatable.")
    ] = None,
    repetitions: Annotated[int, Option(help="Draws of tasks per strategy and budget.")] = 50,
    attempts: Annotated[int, Option(help="Best of how many attempts counts as solved.")] = 1,
    history: Annotated[str, Option(help="others, earlier (by release_date), or both.")] = "others",
    slope: Annotated[
        str, Option(help="Of the horizon: common to AI models, or each one's own.")
    ] = "common",
    released: Annotated[
        shared.Texts, Option(help="AI model=date, where no column release_date is.")
    ] = None,
    ai_models: Annotated[
        shared.Texts, Option("--ai-model", help="Test this one only; repeatable.")
    ] = None,
    quick: Annotated[
        bool,
        Option(
            "--quick",
            help="Two budgets, 2 repetitions, six AI models: minutes, of 12,000 runs too.",
        ),
    ] = False,
    programme: Annotated[
        bool,
        Option(
            "--programme",
            help="evalfolio as users run it, `fit` and `replan`: minutes for each AI model and "
            "trial, so few --repetitions; its planner by task stands beside it.",
        ),
    ] = False,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    seed: shared.SeedOption = 0,
) -> None:
    """Replay runs: each AI model is hidden in turn, strategies buy its runs on the others' history.

    Writes backtest.md, backtest.html, backtest.svg and the tables of all trials into OUT.
    Finished AI models are kept beside OUT until all is written: started again after a kill, with
    the same inputs, it goes on where it was. The fits of --programme stay beside it, in OUT.fits.
    """
    from evalbayes.names import refuse_unknown
    from evalbayes.observations import imported
    from evalfolio.backtests.record import record_of
    from evalfolio.backtests.replay import BUDGETS, QUICK_MODELS, as_run, some_of, write
    from evalfolio.backtests.replay import backtest as replay
    from evalfolio.errors import InputError
    from evalfolio.sensitivities.sweep import Sweep, connected

    modes = ("others", "earlier") if history == "both" else (history,)
    if history not in ("others", "earlier", "both"):
        raise InputError(f"--history must be others, earlier or both, got {history!r}")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: must be a folder or not there yet; give another --out")
    frame = imported(runs, pairs(mapped, "--map"), pairs(constant, "--set")).frame
    dates = pairs(released, "--released")
    refuse_unknown("--released", dates, map(str, frame["ai_model"].unique()), what="AI model")
    record = record_of(
        frame,
        released=dates or None,
        attempts=attempts,
        source=", ".join(str(path) for path in runs),
    )
    shares = tuple(budgets) if budgets else ((0.01, 0.1) if quick else BUDGETS)
    strategies = as_run(out.with_name(f"{out.name}.fits")) if programme else {}
    if quick and not ai_models:
        ai_models = some_of(record, QUICK_MODELS)
    found = {}
    kept = {mode: out.with_name(f"{out.name}.{mode}.checkpoint") for mode in modes}
    with connected(scheduler):
        for mode, checkpoint in kept.items():
            with step(f"replaying, history: {mode}"):
                found[mode] = replay(
                    record,
                    budgets=shares,
                    repetitions=2 if quick else repetitions,
                    ai_models=ai_models,
                    history=mode,
                    slope=slope,
                    extra=strategies,
                    seed=seed,
                    sweep=Sweep(workers, "loky" if scheduler is None else "dask", checkpoint),
                )
    with step(f"writing {out}/"):
        write(found, out)
    for checkpoint in kept.values():
        if checkpoint.is_dir():
            shutil.rmtree(checkpoint)
        else:
            checkpoint.unlink(missing_ok=True)
    print_json({mode: [vars(finding) for finding in each.findings] for mode, each in found.items()})
    for mode, each in found.items():
        say(f"history: {mode}\n{each}")
