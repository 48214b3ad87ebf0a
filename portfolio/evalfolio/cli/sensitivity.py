"""`evalfolio sensitivity`: how much the mix depends on budget and assumptions."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import cell, counted, detailed, print_json, print_table, say, step, warn
from evalfolio.cli.options import TimeLimitOption
from evalfolio.cli.recommend import BudgetOption, GapOption

if TYPE_CHECKING:
    import pandas as pd

WorkersOption = Annotated[
    int, Option(help="Processes; -1 for one per core. The results do not vary.")
]
SchedulerOption = Annotated[
    str | None, Option(help="Address of a Dask cluster to work on instead, tcp://...")
]
SobolOption = Annotated[
    int, Option(help="Base samples of Sobol indices, e.g. 128, some 15 plans each; 0 for none.")
]
SamplesOption = Annotated[int, Option(help="Mixes for stability, over draws and assumptions each.")]
VaryOption = Annotated[
    shared.Texts,
    Option(
        help="Budget to draw a frontier of, or binding, or all for all together; repeatable. By "
        "default each that binds."
    ),
]
MixOption = Annotated[
    shared.Paths, Option(help="A mix to judge too, e.g. last year's mix.csv; repeatable.")
]
PlanOption = Annotated[
    Path | None,
    Option(
        help="Folder of a plan to vary: its posterior, budgets and limits, where none are given."
    ),
]
PilotsOption = Annotated[int, Option(help="Pilots to try; 0 for none.")]
BootstrapOption = Annotated[int, Option(help="Times to draw the observations again; a fit each.")]


def sensitivity(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    posterior: shared.PosteriorOption = None,
    plan: PlanOption = None,
    budget: BudgetOption = None,
    contingency: shared.ContingencyOption = None,
    constraints: shared.ConstraintsOption = None,
    settings: shared.SetOption = None,
    out: shared.OutOption = Path("sensitivity"),
    gap: GapOption = 2e-3,
    time_limit: TimeLimitOption = 20.0,
    samples: SamplesOption = 64,
    sobol: SobolOption = 0,
    pilots: PilotsOption = 3,
    bootstrap: BootstrapOption = 0,
    vary: VaryOption = None,
    mix: MixOption = None,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    seed: shared.SeedOption = 0,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Vary the budget and every assumption; write the plan with what that changes.

    OUT is a folder of its own: one that `evalfolio recommend` wrote is not written over.

    Finished points are kept beside OUT until everything is written: started again after a kill,
    with the same inputs and --posterior, the sweeps go on where they were.
    """
    from evalfolio.cli.inputs import (
        asked_catalogue,
        asked_limits,
        enforce_gate,
        plan_folder,
        posterior_of,
        tell_anchors,
    )
    from evalfolio.errors import InputError
    from evalfolio.export import check_folder, write_all
    from evalfolio.limits import constraints_from_table
    from evalfolio.limits.budget import parse_budgets, parse_contingency
    from evalfolio.plans.mix_file import earlier_mix, read_mix
    from evalfolio.recommendations.alternatives import budgets_set
    from evalfolio.recommendations.recommender import recommend
    from evalfolio.record.record import Record
    from evalfolio.search import Certified
    from evalfolio.sensitivities.analysis import firmness
    from evalfolio.sensitivities.analysis import sensitivity as analyse
    from evalfolio.sensitivities.sweep import Sweep, connected

    if sobol < 0 or sobol & (sobol - 1):
        raise InputError(f"--sobol must be a power of 2, got {sobol}; take 128 or 256")
    counts = {"samples": (samples, 1), "pilots": (pilots, 0), "bootstrap": (bootstrap, 0)}
    for name, (number, least) in counts.items():
        if number < least:
            raise InputError(f"--{name} must be {least} or more, got {number}; raise it")
    method = Certified(gap, time_limit, seed)
    for path in mix or []:
        read_mix(path)  # one that cannot be read is refused before the long work
    budgets = parse_budgets(budget or [])
    kept_back = parse_contingency(contingency or [])
    rules = constraints_from_table(constraints) if constraints else ()
    check_folder(out, "sensitivity")
    if plan is not None:
        record = Record.load(plan_folder(plan))
        own = budgets_set(settings or ())  # what is set is not the plan's
        budgets = {n: each for n, each in record.budget.items() if n not in own} | budgets
        kept_back = record.kept_back if kept_back is None else kept_back
        rules += tuple(asked_limits(record))
        if not (observations or posterior):
            posterior = plan_folder(plan, "posterior.nc") / "posterior.nc"
    read = asked_catalogue(catalogue, settings, budgets, kept_back, rules)
    if bootstrap and posterior is not None:
        raise InputError(
            "--bootstrap draws the observations again: give them instead of --posterior"
        )
    kept = out.with_name(f"{out.name}.checkpoint")
    sweep = Sweep(workers, "loky" if scheduler is None else "dask", kept)
    files = [catalogue, *(observations or []), *([posterior] if posterior else [])]
    files += [constraints] if constraints else []
    observed, belief = posterior_of(
        read,
        observations,
        posterior,
        seed=seed,
        anchored=tell_anchors(read, deciding=True),
        unset=catalogue if settings else None,
    )
    with step("finding the plan"):
        result = recommend(
            read,
            observed,
            belief,
            budget=budgets,
            contingency=kept_back,
            constraints=rules,
            method=replace(method, gap=min(gap, 1e-3)),
            seed=seed,
            inputs=files,
        )
    mixes = {}
    for path in mix or []:
        mixes[path.stem], missing = earlier_mix(path, result.menu)
        if missing:
            warn(f"{path}: not on the menu and left out: {', '.join(missing)}")
    with (
        connected(scheduler),
        counted("varying budget and assumptions") as tick,
    ):
        found = analyse(
            result.plan,
            read,
            belief,
            samples=samples,
            sobol=sobol,
            pilots=pilots,
            observations=observed,
            resamples=bootstrap,
            mixes=mixes,
            vary=vary,
            seed=seed,
            method=method,
            sweep=replace(sweep, progress=tick),
        )
    told = result.record.replace(sensitivity=found.tornado.record(), firmness=firmness(found))
    result = replace(result, plan=replace(result.plan, told=told))
    with step(f"writing {out}/"):
        write_all(result, out, found.write)
    shutil.rmtree(kept, ignore_errors=True)
    print_json(told.to_json())
    say(found)
    if detailed():
        table = swings(found.tornado.rows.head(12), found.tornado.value)
        print_table(table, "What moves the value most")
    enforce_gate(belief, allowed=allow_failed_fit)


def swings(rows: "pd.DataFrame", own: float) -> "pd.DataFrame":
    """Return what a terminal shows of a tornado; the plan's own value reads as equal.

    >>> import pandas as pd
    >>> ends = {"value_low": [0.7], "value_high": [0.61], "deep_low": [0.0], "deep_high": [0.2]}
    >>> table = swings(pd.DataFrame({"name": ["cyber"], "low": [0.5], "high": [2.0], **ends}), 0.7)
    >>> table[["value_low", "value_high"]].iloc[0].tolist()
    ['equal', '0.61']
    """
    table = rows[["name", "low", "high", "value_low", "value_high", "deep_low", "deep_high"]]
    for end in ("value_low", "value_high"):
        said = ["equal" if worth == own else cell(worth) for worth in table[end]]
        table = table.assign(**{end: said})
    return table
