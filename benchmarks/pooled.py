"""Does the belief about a new AI model come true? Cyber, METR and WeirdML, pooled by AI model.

``python -m benchmarks.pooled FOLDER [HISTORIES]``; finished AI models and histories stay in FOLDER.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.backtest import ATTEMPTS, DATA, cyber_record, metr_record
from benchmarks.like_prices import weirdml_runs
from benchmarks.tables import circumstances, table, write_section
from scipy.stats import t as student

from evalbayes.responses import fit_history
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.findings import RATIOS, Bootstrap, between, ratio_of_means, scored, verdict
from evalfolio.backtests.in_stages import InStages
from evalfolio.backtests.record import Record, record_of
from evalfolio.backtests.regression import CommonSlopeHorizon
from evalfolio.backtests.replay import OURS
from evalfolio.backtests.teaching import ResponseTeaching
from evalfolio.backtests.trial import Setting, Trials
from evalfolio.sensitivities.sweep import Sweep

SEED, HISTORIES, FEW, OFTEN, DRAWS, BUDGETS = 0, 200, 50, 2, 128, (0.01, 0.1)
LEVELS = (np.arange(DRAWS) + 0.5) / DRAWS
OTHERS, DRAWN, ONCE = "all others", "drawn anew", "each once"
ALL = "WeirdML, all"  # beside the pool, four fifths of which it would be
LOSSES = ["evpi_mean", "lost", "foretold", "realised", "base_evpi", "base_lost", "undated_lost"]
FIGURES = {  # each a ratio of means over AI models
    "EVPI/loss": RATIOS["evpi_of_lost"], "promise/EVPI": RATIOS["promised_of_evpi"],
    "realised/loss": RATIOS["realised_of_lost"], "realised/promise": RATIOS["came_true"],
    "90 % holds": ("held", "one"), "score/plain": ("score", "base_score"),
    "loss/plain": ("lost", "base_lost"), "plain EVPI/loss": ("base_evpi", "base_lost"),
    "score/undated": ("score", "undated_score"), "loss/undated": ("lost", "undated_lost"),
}  # fmt: skip
HEAD = ["runs", "history", "budget", *FIGURES, "of histories", "has 1", "calibrated"]
NOTE = """\
Losses are of wrong calls in doublings, mean over thresholds, as in `backtest.md`; *loss* is that of
calls without any run. *All others*: each AI model is left out in turn (two draws of tasks). *Drawn
anew*: {histories} histories of each data set, as many AI models as there are drawn with replacement
from the real ones, one drawn twice taken for two (renamed), the rest foretold (one draw of tasks);
*each once*: the first {few}, no repeats; *of histories*: where 95 % of single ones have EVPI/loss.
**Units are AI models**, {units} in the pool (Claude 3 Opus and GPT-4o stand in two data sets), each
with the mean of its trials; brackets: 95 % bootstrap intervals over them, histories held. *Like
scale*: losses over their data set's EVPI. *Plain*, the baseline, takes a new AI model to be of the
history's own horizons, m ± s·√(1 + 1/n)·t(n − 1); *undated* is evalfolio's belief without release
dates. Coverage and interval score are of the belief
before any run; *calibrated*: coverage's interval has 0.9 and the score beats the plain. WeirdML's
AI models are every fifth by date, as under *Evals of like price*: no human times (lengths are told
by mean scores, its own among them), a unit a run, no cap met; *WeirdML, all*: both halves of its
82, settings of one AI model one unit."""


def records() -> dict[str, Record]:
    """Return what is replayed, by name."""
    path, found = DATA / "weirdml_runs.csv.gz", {"cyber": cyber_record()}
    found |= {"METR": metr_record(ATTEMPTS), "WeirdML": record_of(weirdml_runs(path))}
    return found | {f"{ALL}, {k}": record_of(weirdml_runs(path, k, 2)) for k in range(2)}


def points_of(record: Record, histories: int) -> list[Any]:
    """Return histories and whom they foretell: kind, number, AI models of each."""
    names, rng = record.ai_models, np.random.default_rng([SEED, 7])
    found: list[Any] = [[OTHERS, 0, [o for o in names if o != name], [name]] for name in names]
    for b in range(histories):
        drawn, out = list(names), list[str]()
        while not out or len({*drawn}) < 2:
            drawn = sorted(rng.choice(names, len(names)).tolist())
            out = [name for name in names if name not in drawn]
        found += [[DRAWN, b, drawn, out], *[[ONCE, b, sorted({*drawn}), out]] * (b < FEW)]
    return found


def judged(record: Record, point: Any) -> list[dict[str, Any]]:
    """Fit a history once, and judge its belief, plan and the plain belief by whom it foretells."""
    kind, number, drawn, left_out = point
    minutes = record.tasks["human_minutes"].to_numpy(np.float64)
    budgets, often = (BUDGETS, OFTEN) if kind == OTHERS else (BUDGETS[-1:], 1)
    setting = Setting(budgets, often, losses=Losses.over(minutes), seed=SEED)
    parts = [record.of(name).runs.assign(ai_model=f"{name}, {k}") for k, name in enumerate(drawn)]
    runs = pd.concat(parts, ignore_index=True)
    dates = record.released
    released = {f"{name}, {k}": dates[name] for k, name in enumerate(drawn) if name in dates}
    fitted = fit_history(runs, seed=SEED, draws=DRAWS, tasks=record.tasks, released=released)
    found: list[dict[str, Any]] = []
    for hidden in map(record.of, left_out):
        at = hidden.run_on
        tasks = record.tasks.iloc[at].assign(at=at).reset_index(drop=True)
        place = fitted.tasks.positions(tasks)
        believed = [fitted, fitted.at(dates.get(hidden.ai_model))]
        undated, trials = (
            Trials(hidden, at, tasks, runs, teaching, record.attempts, setting)
            for teaching in (ResponseTeaching(each, runs, place, at) for each in believed)
        )
        judge, losses, truth = trials.judge, setting.losses, trials.truth
        assert isinstance(judge.regression, CommonSlopeHorizon)
        seen = [
            CommonSlopeHorizon(minutes[each.run_on], judge.regression.slope).fit(each.truth).level
            for each in map(record.of, drawn)
        ]
        m, s, n = np.mean(seen), np.std(seen, ddof=1), len(seen)
        plain = student.ppf(LEVELS, n - 1, m, s * np.sqrt(1 + 1 / n)).clip(judge.low, judge.high)
        told: dict[str, Any] = {
            "kind": kind, "number": number, "ai_model": hidden.ai_model, "one": 1.0,
            "base_evpi": float(losses.perfect(plain).mean()),
            "base_lost": float(losses.of(losses.calls(plain), truth).mean()),
            "undated_lost": float(losses.of(losses.calls(undated.market.horizons), truth).mean()),
        }  # fmt: skip
        beliefs = {"": trials.market.horizons, "base_": plain, "undated_": undated.market.horizons}
        for prefix, draws in beliefs.items():
            low, high = np.quantile(draws, (0.05, 0.95), method="weibull")
            miss = max(low - truth, truth - high, 0.0)
            told[f"{prefix}score"] = float(high - low + 20.0 * miss)
            told[f"{prefix}held"] = float(miss == 0.0)
        means = scored(pd.DataFrame(trials.rows({OURS: InStages()}))).groupby("budget")[LOSSES[:4]]
        found += [told | {"budget": b, **row} for b, row in means.mean().to_dict("index").items()]
    return found


def main(folder: Path, histories: int) -> None:
    """Replay, pool and write the section."""
    frames, lines = [], []
    for name, record in records().items():
        points = points_of(record, 0 if name.startswith(ALL) else histories)
        sweep = Sweep(1, checkpoint=folder / f"{name}.checkpoint")
        parts = sweep.run(partial(judged, record), points, inputs=f"{name} {OFTEN}")
        frame = pd.DataFrame([row for part in parts for row in part])
        frames.append(frame.assign(runs=ALL if name.startswith(ALL) else name))
    rows = pd.concat(frames, ignore_index=True)
    pool = rows[rows["runs"] != ALL].assign(of="pooled")
    scale = pool.groupby(["runs", "kind", "budget"])["evpi_mean"].transform("mean")
    like = pool.assign(**pool[LOSSES].div(scale, axis=0), of="pooled, like scale")
    every = pd.concat([rows.assign(of=rows["runs"]), pool, like])
    for (name, kind, budget), own in every.groupby(["of", "kind", "budget"], sort=False):
        # An AI model counts in a data set once, however many histories foretell it.
        means = own.groupby(["runs", "ai_model"]).mean(numeric_only=True)
        unit = means.groupby(means.index.get_level_values(1).str.split(":").str[0]).sum()
        pairs = [unit[list(pair)].to_numpy(np.float64) for pair in FIGURES.values()]
        ends = [Bootstrap(len(unit), SEED).interval(pair, ratio_of_means) for pair in pairs]
        middle = [float(ratio_of_means(pair.mean(axis=0)[None])[0]) for pair in pairs]
        said = [f"{x:.2f}{between(*both)}" for x, both in zip(middle, ends, strict=True)]
        single = ratio_of_means(own.groupby("number")[["evpi_mean", "lost"]].sum().to_numpy())
        spread = between(*np.quantile(single, (0.025, 0.975))).strip() if kind != OTHERS else ""
        holds = [verdict(ends[0][0] <= 1.0 <= ends[0][1])]
        holds.append(verdict(ends[4][0] <= 0.9 <= ends[4][1] and middle[5] < 1.0))
        lines.append([str(name), str(kind), f"{budget:.0%}", *said, spread, *holds])
    units, made = pool["ai_model"].nunique(), circumstances(SEED, ["numpy", "scipy"])
    note = NOTE.format(histories=histories, few=FEW, units=units)
    body = f"{note}\n\n{table(HEAD, lines)}\n\n{made} By `python -m benchmarks.pooled FOLDER`."
    write_section("pooled", "The belief about a new AI model, pooled", body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int((*sys.argv[2:], HISTORIES)[0]))
