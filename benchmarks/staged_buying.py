"""Buying in stages: what looks in between give where the response model is true.

Run with ``python -m benchmarks.staged_buying FOLDER [WORLDS]``; it writes its section of
``benchmarks/README.md`` and keeps finished AI models in FOLDER, so that it can be stopped.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.backtest import DATA, SEED, Study, studies
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from evalbayes.responses.spending import FAILURE, SUCCESS
from evalfolio.backtests import strategies
from evalfolio.backtests.in_stages import ENDS, InStages
from evalfolio.backtests.market import Staged
from evalfolio.backtests.record import Hidden
from evalfolio.backtests.replay import AT_ONCE, BUDGETS, OURS
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.trial import Setting, Trials, prepared
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

Array = NDArray[np.float64]

WORLDS = 24
INTERVAL = (0.025, 0.975)
CHANCE = "uniform random"
COMPARED: dict[str, Strategy | Staged] = {
    CHANCE: strategies.uniform,
    AT_ONCE: InStages(ends=(1.0,)),
    OURS: InStages(),
}
HEAD = [
    "budget", "strategy", "RMSE", "less than at once", f"of {CHANCE}'s RMSE", "held by 90 %",
    "width", "spent", "sd of spent",
]  # fmt: skip
SAID = """\
`benchmarks/backtest.md` says how evalfolio's strategy does on real runs: it buys in stages, which
end at {ends} of the budget, and looks at what came out before it plans the next. Whether that beats
buying at once was decided here, where the response model is true: {worlds} AI models drawn from the
prior that each history of the cyber runs teaches, outcomes and spends. Budgets are shares of the
expected bill; both plans are the greedy ones and tasks are drawn by the same generator. Brackets:
95 % intervals over the AI models drawn, by histories; differences are paired, of squared error in
doublings squared, above 0 where the strategy does better. It was decided on twelve AI models per
history, which had 0.108 [0.027, 0.221] at 10% of the bill; the table is of a later run of twice as
many.
"""


def world(trials: Trials, seed: int) -> Hidden:
    """Draw an AI model from the history's prior: its outcomes and spends on every task."""
    rng = np.random.default_rng([seed, 7])
    teaching = trials.teaching
    population, at = teaching.population, teaching.positions
    spending, eval_of = population.spends(), population.tasks.eval_of[at]
    newcomer = teaching.newcomer(None, seed)
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


def compared(study: Study, worlds: int, ai_model: str) -> list[dict[str, object]]:
    """Return one row per budget, strategy and AI model drawn."""
    setting = Setting(BUDGETS, worlds, study.history, study.slope, seed=SEED)
    trials = prepared(ai_model, study.record, setting)
    if trials is None:
        raise SystemExit(f"{ai_model}: no history")
    bill = float(trials.market.price().sum())
    first = 1 + study.record.ai_models.index(ai_model) * worlds
    rows: list[dict[str, object]] = []
    for seed in range(first, first + worlds):
        drawn = trials.on(world(trials, seed))
        for share in BUDGETS:
            for name, strategy in COMPARED.items():
                design = drawn.design(name, strategy, share * bill, seed)
                row = drawn.judged(design, seed)
                rows.append(
                    {
                        "ai_model": ai_model, "world": seed, "budget": share, "strategy": name,
                        "squared": (row["median"] - drawn.truth) ** 2,
                        "held": row["low"] <= drawn.truth <= row["high"],
                        "width": row["high"] - row["low"], "spent": row["spent"] / (share * bill),
                    }
                )  # fmt: skip
    return rows


def lines_of(rows: pd.DataFrame) -> list[list[str]]:
    """Return the table's lines."""
    lines = []
    for budget, part in rows.groupby("budget"):
        means = part.pivot_table(values="squared", index="world", columns="strategy")
        again = _resampled(part, means)
        for name in COMPARED:
            own = part[part["strategy"] == name]
            less = means[AT_ONCE].mean() - means[name].mean()
            low, high = np.quantile(again[AT_ONCE] - again[name], INTERVAL)
            ratio = np.sqrt(means[name].mean() / means[CHANCE].mean())
            near, far = np.quantile(np.sqrt(again[name] / again[CHANCE]), INTERVAL)
            lines.append(
                [
                    f"{float(str(budget)):.1%}", name, f"{np.sqrt(own['squared'].mean()):.3f}",
                    "" if name == AT_ONCE else f"{less:.3f} [{low:.3f}, {high:.3f}]",
                    "" if name == CHANCE else f"{ratio:.2f} [{near:.2f}, {far:.2f}]",
                    f"{own['held'].mean():.0%}", f"{own['width'].mean():.2f}",
                    f"{own['spent'].mean():.2f}", f"{own['spent'].std():.2f}",
                ]
            )  # fmt: skip
    return lines


def _resampled(part: pd.DataFrame, means: pd.DataFrame) -> pd.DataFrame:
    """Means of resampled histories: worlds of one history share what it does not know."""
    history = part.groupby("world")["ai_model"].first().loc[means.index]
    by_history = means.groupby(history.to_numpy()).mean()
    rng = np.random.default_rng([SEED, 5])
    pick = rng.integers(0, len(by_history), (2000, len(by_history)))
    return pd.DataFrame(by_history.to_numpy()[pick].mean(axis=1), columns=by_history.columns)


def main() -> None:
    """Compare, and write the section."""
    if len(sys.argv) < 2:
        raise SystemExit("usage: python -m benchmarks.staged_buying FOLDER [WORLDS]")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    worlds = int(sys.argv[2]) if len(sys.argv) > 2 else WORLDS
    made = circumstances(SEED, ["numpy", "scipy"])
    study = next(iter(studies(1, 1).values()))
    found = Sweep(2, checkpoint=folder / "staged.checkpoint").run(
        partial(compared, study, worlds),
        list(study.record.ai_models),
        inputs=inputs_hash(str(DATA), worlds, ENDS, BUDGETS, SEED),
    )
    rows = pd.DataFrame([row for part in found for row in part])
    ends = ", ".join(f"{end:.0%}" for end in ENDS)
    write_section(
        "staged buying",
        "Buying in stages",
        f"{SAID.format(ends=ends, worlds=worlds)}\n{table(HEAD, lines_of(rows))}\n\n{made} "
        "By `python -m benchmarks.staged_buying`.",
    )


if __name__ == "__main__":
    main()
