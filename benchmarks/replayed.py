"""The programme as users run it on recorded runs: `evalfolio backtest --programme`.

    python -m benchmarks.replayed FOLDER [REPETITIONS [AI_MODELS]] [finished]

Each AI model is hidden in turn, the latest first. The others' runs are fitted by the model of
`evalfolio fit`; `evalfolio.backtests.programme` plans a quarter of the money by `Standing`, the
step that `evalfolio replan` takes, its runs are bought as they were recorded, the belief is moved
by the fast update, and what is left is planned again, at a half and to the end. The back-test
judges it as it judges every strategy, by one inference for all. It writes its section of
benchmarks/README.md and keeps finished AI models in FOLDER, so that it can be stopped; with
"finished" it writes what there is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from benchmarks.backtest import cyber_record, kept_trials, metr_record
from benchmarks.tables import circumstances, table, write_section

from evalbayes.posterior.posterior import Posterior
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.findings import interval, summary
from evalfolio.backtests.replay import BY_TASK, OURS, as_run
from evalfolio.backtests.strategies import all_maximum, uniform
from evalfolio.backtests.trial import Setting

SEED, REPETITIONS, AI_MODELS = 0, 1, 5
BUDGETS = (0.1, 0.3)
SHOWN = {OURS: "evalfolio as users run it", BY_TASK: "by task, the back-test's own planner"}
HEAD = ["runs", "strategy", "budget", "RMSE, doublings", "90 % holds", "mean loss", "spent"]
SAID = """\
The programme as users run it (`evalfolio backtest --programme`: the fit of the other AI models'
runs, and `Standing`, the step of `evalfolio replan`, at a quarter, a half and all of the money) is
a strategy of the back-test, judged as all are. Draws of tasks for each AI model: {repetitions}.
Budgets are shares of the full bill, *spent* is what really went of them. Tested: {tested};
of METR's runs only first attempts count. {fits}
{verdict} One draw of tasks and few AI models tell little: an AI model takes minutes, its draws and
budgets minutes more. The first figures (2026-11-29 18:42 UTC) are withdrawn: their catalogue gave
one staff hour, less than any eval takes, so that every plan was empty and all that was bought was
bought by the fill.
"""


def main(folder: Path, repetitions: int, ai_models: int, finished: bool) -> None:
    """Replay and write the section."""
    folder.mkdir(parents=True, exist_ok=True)
    compared = {**as_run(folder / "fits"), "all maximum": all_maximum, "uniform random": uniform}
    rows, told, tested = [], [], []
    for name, record in (("cyber", cyber_record()), ("METR", metr_record(1))):
        latest = sorted(record.released, key=lambda each: record.released[each])[-ai_models:]
        losses = Losses.over(record.tasks["human_minutes"].to_numpy(np.float64))
        setting = Setting(BUDGETS, repetitions, losses=losses, seed=SEED)
        found = kept_trials(record, compared, setting, latest[::-1], folder / name, finished)
        if not len(found):
            continue
        names = found["ai_model"].unique().tolist()
        tested.append(f"{len(names)} of {name}, the latest first ({', '.join(names)})")
        figures = summary(found, SEED).set_index(["strategy", "budget"])
        for budget in sorted(found["budget"].unique()):  # JSON keeps a digit less of them
            for strategy, own in found[found["budget"] == budget].groupby("strategy", sort=False):
                of = figures.loc[(strategy, budget)]
                rows.append([
                    name, SHOWN.get(str(strategy), str(strategy)), f"{budget:.0%}",
                    *(interval(of, m, ".2g") for m in ("rmse", "coverage_90", "loss")),
                    f"{own['spent'].mean():.2f}",
                ])  # fmt: skip
        by = found.pivot_table(index=["ai_model", "budget"], columns="strategy", values="mean_loss")
        ratio = by[OURS].groupby("budget").mean() / by["all maximum"].groupby("budget").mean()
        told.append(
            f"On {name}'s runs it loses "
            + ", ".join(f"{v:.2f} ({b:.0%})" for b, v in ratio.items())
            + " of what *all maximum* loses."
        )
    fits = [Posterior.load(path) for path in sorted((folder / "fits").glob("*.nc"))]
    failed = sum(bool(fit.diagnostics.reasons) for fit in fits)
    said = SAID.format(
        repetitions=repetitions,
        tested=" and ".join(tested),
        fits=f"{failed} of {len(fits)} fits fail their gate and are used all the same.",
        verdict=" ".join(told),
    )
    made = circumstances(SEED, ["numpy", "pymc"])
    write_section(
        "replayed", "The programme as users run it, on recorded runs",
        f"{said}\n{table(HEAD, rows)}\n\n{made}",
    )  # fmt: skip


if __name__ == "__main__":
    finished = sys.argv[-1] == "finished"
    given = [int(text) for text in sys.argv[2 : len(sys.argv) - finished]]
    repetitions, ai_models = (*given, *(REPETITIONS, AI_MODELS)[len(given) :])
    main(Path(sys.argv[1]), repetitions, ai_models, finished)
