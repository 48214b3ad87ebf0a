"""Buying in stages: a part of the money, a look at what came out, a new plan for the rest.

Run with ``python -m benchmarks.staged_buying FOLDER [REPETITIONS [WORLDS]]``; it writes its section
of ``benchmarks/README.md`` and keeps finished AI models in FOLDER, so that it can be stopped.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.backtest import DATA, SEED, Study, studies
from benchmarks.second_look import Look, menu_after
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from evalbayes.responses.spending import FAILURE, SUCCESS
from evalfolio.backtests.design import Design
from evalfolio.backtests.recommended import Recommended
from evalfolio.backtests.record import Hidden
from evalfolio.backtests.strategies import uniform
from evalfolio.backtests.teaching import ResponseTeaching
from evalfolio.backtests.trial import Setting, Trials, prepared
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

Array = NDArray[np.float64]

SHARE = 0.1  # of the bill
LOOKS = (0.25, 0.5, 1.0)  # money spent by the end of every stage, as shares of the budget
REPETITIONS, WORLDS = 50, 16
INTERVAL = (0.025, 0.975)
CHANCE = "uniform random"
STRATEGIES = (CHANCE, "at once", "in stages")
HEAD = [
    "AI models", "strategy", "RMSE", "less than at once", f"of {CHANCE}'s RMSE", "held by 90 %",
    "width", "spent", "sd of spent",
]  # fmt: skip
SAID = """\
Ten per cent of the bill, cyber runs, all other AI models as history (as in
`benchmarks/backtest.md`). *At once*: evalfolio's plan, made from the history alone. *In stages*:
the same for a quarter of the money; then, twice, the response model reads the runs seen, and a new
menu is made of what is not settled: fresh tasks, and those that a lower cap stopped, which cost
what they spend from there (`benchmarks/second_look.py`). It splits first half and then all of the
money, less what was really spent. Tasks are drawn by the same generator for both, and both plans
are the greedy ones. *Real*: {repetitions} repetitions of each AI model. *Drawn*: {worlds} AI models
drawn from the prior that each history teaches, where the response model is true; their bill is the
expected one. Brackets: 95 % intervals over AI models or, where drawn, over those drawn; differences
are paired, of squared error in doublings squared, above 0 where the strategy does better.
"""


def staged(trials: Trials, budget: float, rng: np.random.Generator, seed: int) -> Design:
    """Buy in stages; the last design holds all runs at the caps they came to."""
    market = trials.market
    first = Recommended(method="greedy")(market, LOOKS[0] * budget, rng)
    share = np.zeros(len(market.at))
    rows = np.searchsorted(market.at, first.tasks)
    share[rows] = first.caps / market.caps[rows]
    for part in LOOKS[1:]:
        seen = trials.hidden.buy(_design(trials, share))
        left = part * budget - float(seen["spend"].sum())
        found = menu_after(trials, Look(trials, seen, seed)) if left > 0 else None
        for row, reached in [] if found is None else found.bought(left, rng):
            share[row] = max(share[row], reached)
    return _design(trials, share)


def _design(trials: Trials, share: Array) -> Design:
    rows = np.flatnonzero(share)
    market = trials.market
    tasks: NDArray[np.int64] = np.take(market.at, rows)
    return Design(tasks, share[rows] * market.caps[rows], 1)


def world(trials: Trials, seed: int) -> Hidden:
    """Draw an AI model from the history's prior: its outcomes and spends on every task."""
    rng = np.random.default_rng([seed, 7])
    teaching = trials.teaching
    if not isinstance(teaching, ResponseTeaching):
        raise SystemExit("worlds are drawn from the response model")
    population, at = teaching.history.population, teaching.positions
    spending, eval_of = population.spending, population.tasks.eval_of[at]
    newcomer = teaching.belief(None, seed).newcomer
    won = rng.random(len(at)) < expit(newcomer.logits(at)[rng.integers(newcomer.n_draws)])
    ln_top, spends = spending.ln_cap[at], []
    for kind in (SUCCESS, FAILURE):
        own = spending.departure_sd[kind] * rng.standard_normal(int(eval_of.max()) + 1)
        mean = spending.mean[kind, at] + spending.model_sd[kind] * rng.standard_normal()
        mean, sd = mean + own[eval_of], spending.sd[kind, at]
        most = ndtr((ln_top - mean) / sd) if kind == SUCCESS else 1.0
        u = np.clip(rng.random(len(at)) * most, 1e-12, 1.0 - 1e-12)
        spends.append(np.minimum(mean + sd * ndtri(u), ln_top))
    ln_spend = np.where(won, spends[SUCCESS], spends[FAILURE])
    outcome = np.where(won, "success", np.where(ln_spend >= ln_top, "stopped_by_cap", "gave_up"))
    kinds = trials.hidden.runs["outcome"].cat.categories
    runs = trials.tasks[["eval", "task", "human_minutes", "cap"]].assign(
        ai_model="drawn",
        outcome=pd.Categorical(outcome, kinds),
        spend=np.exp(ln_spend),
        at=trials.at,
        attempt=0,
    )
    return Hidden("drawn", runs, trials.hidden.tasks, 1)


def compared(study: Study, repetitions: int, worlds: int, ai_model: str) -> list[dict[str, object]]:
    """Return one row per strategy and repetition, real and drawn."""
    setting = Setting((SHARE,), repetitions, study.history, study.slope, seed=SEED)
    trials = prepared(ai_model, study.record, setting)
    if trials is None:
        raise SystemExit(f"{ai_model}: no history")
    number = study.record.ai_models.index(ai_model)
    real = [_pair(trials, "real", repetition, repetition) for repetition in range(repetitions)]
    trials.bill = float(trials.market.price().sum())
    drawn = []
    for k in range(worlds):
        seed = 1 + number * worlds + k
        trials.hidden = world(trials, seed)
        trials.outcome = trials.hidden.truth
        trials.truth = float(trials.judge.horizons(trials.outcome)[0])
        trials.true_shares = trials.judge.shares(trials.outcome)[0]
        trials._concluded.clear()
        drawn.append(_pair(trials, "drawn", k, seed))
    return [{"ai_model": ai_model, **row} for rows in (*real, *drawn) for row in rows]


def _pair(trials: Trials, kind: str, repetition: int, seed: int) -> list[dict[str, object]]:
    budget, rows = SHARE * trials.bill, []
    for name in STRATEGIES:
        rng = np.random.default_rng([SEED, seed, 1])
        if name == "in stages":
            design = staged(trials, budget, rng, SEED + seed)
        elif name == "at once":
            design = Recommended(method="greedy")(trials.market, budget, rng)
        else:
            design = uniform(trials.market, budget, rng)
        row = trials._judged(design, seed)
        rows.append(
            {
                "kind": kind,
                "repetition": repetition,
                "strategy": name,
                "squared": (row["median"] - trials.truth) ** 2,
                "held": row["low"] <= trials.truth <= row["high"],
                "width": row["high"] - row["low"],
                "spent": row["spent"] / budget,
            }
        )
    return rows


def section(rows: pd.DataFrame) -> str:
    """Return the tables of the study."""
    lines = []
    for kind in ("real", "drawn"):
        own = rows[rows["kind"] == kind]
        unit = ["ai_model"] if kind == "real" else ["ai_model", "repetition"]
        means = own.pivot_table(values="squared", index=unit, columns="strategy")
        rng = np.random.default_rng([SEED, 5])
        boot = means.to_numpy()[rng.integers(0, len(means), (2000, len(means)))].mean(axis=1)
        again = pd.DataFrame(boot, columns=means.columns)
        for name in STRATEGIES:
            part = own[own["strategy"] == name]
            less = means["at once"] - means[name]
            low, high = np.quantile(again["at once"] - again[name], INTERVAL)
            ratio = np.sqrt(means[name].mean() / means[CHANCE].mean())
            near, far = np.quantile(np.sqrt(again[name] / again[CHANCE]), INTERVAL)
            lines.append(
                [
                    kind,
                    name,
                    f"{np.sqrt(part['squared'].mean()):.3f}",
                    "" if name == "at once" else f"{less.mean():.3f} [{low:.3f}, {high:.3f}]",
                    "" if name == CHANCE else f"{ratio:.2f} [{near:.2f}, {far:.2f}]",
                    f"{part['held'].mean():.0%}",
                    f"{part['width'].mean():.2f}",
                    f"{part['spent'].mean():.2f}",
                    f"{part['spent'].std():.2f}",
                ]
            )
    return f"{table(HEAD, lines)}\n\n{_by_model(rows[rows['kind'] == 'real'])}"


def verdict(rows: pd.DataFrame) -> str:
    """Say of both kinds whether stages did better, from the paired intervals over AI models."""
    said = []
    for kind, words in (("real", "On real runs"), ("drawn", "where the model is true")):
        own = rows[rows["kind"] == kind]
        wide = own.pivot_table(values="squared", index="ai_model", columns="strategy")
        less = (wide["at once"] - wide["in stages"]).to_numpy()
        rng = np.random.default_rng([SEED, 6])
        again = less[rng.integers(0, len(less), (2000, len(less)))].mean(axis=1)
        low, high = np.quantile(again, INTERVAL)
        found = "better" if low > 0 else "worse" if high < 0 else "neither better nor worse"
        said.append(f"{words} stages are {found} ({less.mean():.3f} [{low:.3f}, {high:.3f}])")
    return (
        "; ".join(said) + f", by histories as units ({rows['ai_model'].nunique()}). evalfolio buys "
        "at once in `benchmarks/backtest.md`: stages would have to be better on real runs."
    )


def _by_model(rows: pd.DataFrame) -> str:
    each = rows.pivot_table(values=["squared", "held"], index="ai_model", columns="strategy")
    ours = STRATEGIES[1:]
    lines = [
        [
            str(name),
            *(f"{np.sqrt(row['squared', strategy]):.2f}" for strategy in ours),
            *(f"{row['held', strategy]:.0%}" for strategy in ours),
        ]
        for name, row in each.iterrows()
    ]
    head = ["AI model (real)", *(f"RMSE {name}" for name in ours), *(f"held {n}" for n in ours)]
    return table(head, lines)


def main() -> None:
    """Compare, and write the section."""
    if len(sys.argv) < 2:
        raise SystemExit("usage: python -m benchmarks.staged_buying FOLDER [REPETITIONS [WORLDS]]")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    given = [int(text) for text in sys.argv[2:4]]
    repetitions, worlds = (*given, *(REPETITIONS, WORLDS)[len(given) :])
    made = circumstances(SEED, ["numpy", "scipy"])
    study = next(iter(studies(repetitions, repetitions).values()))
    found = Sweep(2, checkpoint=folder / "staged.checkpoint").run(
        partial(compared, study, repetitions, worlds),
        list(study.record.ai_models),
        inputs=inputs_hash(str(DATA), repetitions, worlds, LOOKS, SHARE, SEED),
    )
    rows = pd.DataFrame([row for part in found for row in part])
    said = SAID.format(repetitions=repetitions, worlds=worlds)
    write_section(
        "staged buying",
        "Buying in stages",
        f"{said}\n{verdict(rows)}\n\n{section(rows)}\n\n{made} "
        "By `python -m benchmarks.staged_buying`.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
