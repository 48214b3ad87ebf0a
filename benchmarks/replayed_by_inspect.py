"""Recorded runs bought again by Inspect itself: error per share of the bill, beside the back-test.

    python -m benchmarks.replayed_by_inspect FOLDER [AI_MODELS] [finished]

FOLDER is that of `benchmarks.replayed`, whose fits and finished trials of the cyber runs are read.
Each AI model is hidden in turn, the latest first. A plan is made on the fit of the others' runs,
for a share of the hidden one's bill; Inspect runs it (`evalfolio.inspect`) with a solver that
returns the recorded outcome and spends what was recorded, on mockllm, and asks evalfolio what to
run next after some samples of every eval, until it ends. What it bought is judged as the back-test
judges every strategy: the same inference, the same horizon. A recorded run that went past its cap,
by a tenth at most, spends its cap here, so that Inspect tells it as it was. Finished AI models are
kept in FOLDER, so that it can be stopped; with "finished" the section of benchmarks/README.md is
written of what there is.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.backtest import cyber_record
from benchmarks.replayed import BUDGETS, SEED, SHOWN
from benchmarks.simulated import Outcome, simulated
from benchmarks.tables import circumstances, table, write_section

from evalbayes.catalogue import Catalogue
from evalbayes.observations import observations_of
from evalbayes.posterior.posterior import Posterior
from evalbayes.posterior.provenance import provenance_of
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.findings import interval, scored, summary
from evalfolio.backtests.market import Market
from evalfolio.backtests.programme import COLUMNS, AsRun, catalogue_of
from evalfolio.backtests.record import Design, Hidden, Record
from evalfolio.backtests.replay import OURS
from evalfolio.backtests.trial import Setting, Trials, prepared
from evalfolio.export import write_all
from evalfolio.inspect import Running
from evalfolio.recommendations.recommender import recommend
from evalfolio.search.certified import Certified

AI_MODELS = 10
BY_INSPECT = "by Inspect itself"
METHOD = Certified(gap=0.05, time_limit=10.0)
FEW = 300  # draws of the belief, and ...
AT_ONCE = 24  # ... samples of an eval between two looks: a look takes seconds
HEAD = ["strategy", "budget", "RMSE, doublings", "90 % holds", "mean loss", "spent", "runs"]


def recorded(hidden: Hidden) -> Outcome:
    """Return what the first recorded run of a task shows: success, and tokens within its cap.

    One that its cap stopped wants more than any cap.
    """
    first = hidden.runs[hidden.runs["attempt"] == 0].set_index(["eval", "task"])

    def shown(name: str, sample: str, effort: float, attempt: int) -> tuple[bool, float]:
        row = first.loc[(name, sample)]
        stopped = row["outcome"] == "stopped_by_cap"
        return row["outcome"] == "success", np.inf if stopped else min(row["spend"], row["cap"])

    return shown


def start(market: Market, fits: Path) -> tuple[Catalogue, Posterior]:
    """Return the catalogue of a market, in tokens, and the fit of its history that is kept.

    A kept fit is of the same runs and settings; the catalogue's words may have changed since. Where
    none is kept it is fitted, some minutes.
    """
    catalogue, known = catalogue_of(market), market.history
    known = known[known["eval"].isin(market.evals) & (known["attempt"] < market.attempts)]
    wanted = provenance_of(catalogue, observations_of(known[COLUMNS], catalogue))["observations"]
    kept = (Posterior.load(path) for path in sorted(fits.glob("*.nc")))
    same = [each for each in kept if each.provenance["observations"] == wanted]
    belief = same[0] if same else AsRun(fits).start(market)[1]
    evals = tuple(e.model_copy(update={"spend_unit": "tokens"}) for e in catalogue.evals)
    return catalogue.model_copy(update={"evals": evals}), belief.thinned(FEW)


def run(trials: Trials, share: float, folder: Path, fits: Path) -> dict[str, Any]:
    """Let Inspect run the plan of one budget, and judge what it bought."""
    catalogue, belief = start(trials.market, fits)
    money, hidden = share * trials.bill, trials.hidden
    made = recommend(
        catalogue, None, belief, budget={"usd": money, "staff_hours": 0.0}, contingency={},
        method=METHOD, frontier_points=0, seed=SEED,
    )  # fmt: skip
    plan = write_all(made, folder / "plan")
    samples = {name: own["task"].tolist() for name, own in trials.tasks.groupby("eval")}
    tasks = simulated(recorded(hidden), samples)
    running = Running(plan, tasks, method=METHOD, at_once=AT_ONCE, tell=print)
    running.run("mockllm/model", max_samples=20)
    rows = running.read()
    at = trials.tasks.set_index(["eval", "task"])["at"]
    position = at.loc[pd.MultiIndex.from_frame(rows[["eval", "task"]])].to_numpy(np.int64)
    assert len(np.unique(position)) == len(rows), "no recorded run is bought twice"
    design = Design(position, rows["cap"].to_numpy(np.float64), 1)
    seen, row = hidden.buy(design), trials.judged(design, 0)
    told = rows.assign(at=position).set_index("at")["outcome"].loc[seen["at"]]
    nothing = trials._conclude(None, 0)
    return {
        "ai_model": hidden.ai_model, "strategy": BY_INSPECT, "budget": share, "repetition": 0,
        "truth": trials.truth, **row, "spent": float(rows["usd"].sum()) / money,
        "alike": float((told.to_numpy(str) == seen["outcome"].to_numpy(str)).mean()),
        "steps": running.step, "reason": running.reason,
        "value": (np.asarray(nothing["loss"]) - np.asarray(row["loss"])).tolist(),
        "without": nothing["loss"], "promised": None,
        "evpi": trials.setting.losses.perfect(trials.market.horizons).tolist(),
    }  # fmt: skip


def found_of(record: Record, ai_model: str, folder: Path, finished: bool) -> list[dict[str, Any]]:
    """Return the rows of an AI model, made now or kept."""
    out = folder / f"inspect-{ai_model.replace('/', '_').replace(' ', '_')}.json"
    if not out.exists() and not finished:
        losses = Losses.over(record.tasks["human_minutes"].to_numpy(np.float64))
        trials = prepared(ai_model, record, Setting(BUDGETS, 1, losses=losses, seed=SEED))
        assert trials is not None
        rows = []
        for share in BUDGETS:
            shutil.rmtree(own := folder / "now", ignore_errors=True)
            own.mkdir()
            rows.append(run(trials, share, own, folder / "fits"))
            print(*(rows[-1][k] for k in ("ai_model", "budget", "runs", "spent")), flush=True)
        pd.DataFrame(rows).to_json(out.with_suffix(".partial"), orient="records")
        out.with_suffix(".partial").replace(out)
    if not out.exists():
        return []
    beside = pd.read_json(folder / out.name.replace("inspect-", "cyber-"), orient="records")
    both = pd.concat([pd.read_json(out, orient="records"), beside], ignore_index=True)
    return [{str(key): value for key, value in row.items()} for row in both.to_dict("records")]


SAID = """\
{n} AI models of the cyber runs, each hidden in turn ({names}); for each budget one plan, made on
{few} draws of the fit of the others' runs, and run by Inspect on mockllm with a solver that returns
the recorded outcome and spend; evalfolio looks after {at_once} samples of every eval (`--at-once`)
until it buys no more. Judged as the back-test judges
every strategy; beside it, of the same AI models, the same step without Inspect
(`evalfolio backtest --programme`, which looks at a quarter and a half of the money and fills what
is left over) and three other strategies, one draw of tasks each. RMSE is {inspect} doublings by
Inspect itself, {ours} without it: {differs}. Inspect's logs told {alike:.1%} of the runs as the
record has them; it spent {most:.2f} of the budget at most; programmes ended after {steps:.1f} steps
on average. {n} AI models and one draw tell little of differences as small as these.
"""


def main(folder: Path, ai_models: int, finished: bool) -> None:
    """Replay and write the section."""
    record = cyber_record()
    latest = sorted(record.released, key=lambda each: record.released[each])[-ai_models:]
    rows = [r for each in latest[::-1] for r in found_of(record, each, folder, finished)]
    found = scored(pd.DataFrame(rows))
    found["budget"] = found["budget"].round(6)  # JSON keeps a digit less of them
    names = found["ai_model"].unique().tolist()
    figures = summary(found, SEED).set_index(["strategy", "budget"])
    shown = []
    for budget in sorted(found["budget"].unique()):
        for strategy, own in found[found["budget"] == budget].groupby("strategy", sort=False):
            of = figures.loc[(strategy, budget)]
            shown.append([
                SHOWN.get(str(strategy), str(strategy)), f"{budget:.0%}",
                *(interval(of, m, ".2g") for m in ("rmse", "coverage_90", "loss")),
                f"{own['spent'].mean():.2f}", f"{own['runs'].mean():.0f}",
            ])  # fmt: skip
    mine = found[found["strategy"] == BY_INSPECT]
    theirs = found[found["strategy"] == OURS].set_index(["ai_model", "budget"])["absolute"]
    apart = mine.set_index(["ai_model", "budget"])["absolute"] - theirs
    by_model = apart.groupby("ai_model").mean()
    error = by_model.std(ddof=1) / np.sqrt(len(by_model))
    differs = f"absolute errors differ by {by_model.mean():+.2f} ± {error:.2f} on average"
    rmse = figures["rmse"]
    body = SAID.format(
        n=len(names), few=FEW, at_once=AT_ONCE, names=", ".join(names), differs=differs,
        inspect=" and ".join(f"{rmse[BY_INSPECT][b]:.2f} ({b:.0%})" for b in BUDGETS),
        ours=" and ".join(f"{rmse[OURS][b]:.2f} ({b:.0%})" for b in BUDGETS),
        alike=float(np.average(mine["alike"], weights=mine["runs"])),
        most=mine["spent"].max(), steps=mine["steps"].mean(),
    )  # fmt: skip
    fits = [Posterior.load(path) for path in sorted((folder / "fits").glob("*.nc"))]
    failed = sum(bool(fit.diagnostics.reasons) for fit in fits)
    body += f"{failed} of {len(fits)} fits in the folder fail their gate and are used all the same."
    made = circumstances(SEED, ["inspect_ai", "numpy", "pymc"])
    write_section(
        "replayed-by-inspect", "Recorded runs bought again by Inspect itself",
        f"{body}\n\n{table(HEAD, shown)}\n\n{made}",
    )  # fmt: skip


if __name__ == "__main__":
    finished = sys.argv[-1] == "finished"
    given = [int(text) for text in sys.argv[2 : len(sys.argv) - finished]]
    main(Path(sys.argv[1]), *(given or [AI_MODELS]), finished)
