"""Where evals cost alike: does evalfolio beat an even split at the full cap on the same money?

    python -m benchmarks.like_prices FOLDER [REPETITIONS [AI_MODELS]] [finished]

Price is what usually parts evals; here every eval of METR's runs is priced at the mean of all,
WeirdML's runs (every fifth of its AI models; an eval a task of 17, a task one of its first five
runs, solved at half the score, its length told by the mean score of all AI models) cost one unit
each, and so do, but for noise, those of a simulated table. Baselines are held to the money: they
buy what they decided on, turn by turn over the evals, and stop when it has really gone. It writes
its section of benchmarks/README.md and keeps finished AI models in FOLDER; with "finished" it
writes what there is.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from benchmarks.backtest import DATA, kept_trials, metr_runs
from benchmarks.tables import circumstances, table, write_section
from scipy.special import expit, logit

from evalfolio.backtests import by_task, strategies
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.findings import between, ratios, summary
from evalfolio.backtests.in_stages import InStages
from evalfolio.backtests.market import Market, Sight, Staged
from evalfolio.backtests.record import Design, record_of
from evalfolio.backtests.replay import OURS, some_of
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.trial import Setting

SEED, REPETITIONS, AI_MODELS, LOOKS = 0, 2, 8, 25
EVERY = 5  # of WeirdML's 82 AI models, by date
BUDGETS = (0.01, 0.03, 0.1)
EVEN, FULL = "even split, full cap", "evalfolio, full caps only"
HEAD = ["runs", "budget", "strategy", "RMSE, doublings", "ours over it", "90 % holds", "spent"]


@dataclass(frozen=True)
class Held:
    """A strategy that stops when the money has really gone."""

    strategy: Strategy
    even: bool = False  # over evals, turn by turn; else in random order

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Buy what it decided on, a few at a time; see `Staged`."""
        whole = self.strategy(market, 2.0 * budget, rng)  # where runs cost less than was expected
        cost = market.price()[np.searchsorted(market.at, whole.tasks)]
        luck = pd.Series(rng.random(len(whole)))
        evals = market.tasks["eval"].to_numpy()[np.searchsorted(market.at, whole.tasks)]
        order = np.lexsort((luck, luck.groupby(evals).rank())) if self.even else luck.argsort()
        step = max(1, len(whole) // LOOKS)
        left, n = budget, 0
        while True:
            start = n
            while n < min(start + step, len(order)) and cost[order[n]] <= left:
                left, n = left - cost[order[n]], n + 1
            own = np.sort(order[:n])
            design = Design(whole.tasks[own], whole.caps[own], whole.attempts[own])
            if n in (start, len(order)):
                return design
            sight = yield design
            left = budget - sight.spent


@dataclass(frozen=True)
class FullCaps(InStages):
    """evalfolio with no lower caps on offer."""

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Plan as `InStages` does."""
        stages, sight = super().stages(market, budget, rng), None
        while True:
            with mock.patch.object(by_task, "FRACTIONS", (1.0,)):
                try:
                    design = next(stages) if sight is None else stages.send(sight)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
            sight = yield design


COMPARED: dict[str, Strategy | Staged] = {
    OURS: InStages(),
    FULL: FullCaps(),
    EVEN: Held(strategies.all_maximum, even=True),
    f"{EVEN}, not held": strategies.all_maximum,
    "random tasks": Held(strategies.uniform),
}


def alike(runs: pd.DataFrame) -> pd.DataFrame:
    """Return runs whose evals cost the mean of all a run, caps with them."""
    factor = runs["spend"].mean() / runs.groupby("eval")["spend"].transform("mean")
    return runs.assign(spend=runs["spend"] * factor, cap=runs["cap"] * factor)


def weirdml_runs(path: Path, first: int = 0, every: int = EVERY) -> pd.DataFrame:
    """Return WeirdML's runs: solved at half the score, lengths by the mean score, a unit each."""
    runs = pd.read_csv(path).sort_values(["ai_model", "task", "run"], kind="stable")
    order = runs.drop_duplicates("ai_model").sort_values("release_date", kind="stable")
    runs = runs[runs["ai_model"].isin(order["ai_model"].iloc[first::every])]
    runs["at"] = runs.groupby(["ai_model", "task"]).cumcount()
    runs = runs[runs["at"] < 5].reset_index(drop=True)
    easy = logit(runs.groupby("task")["score"].transform("mean"))
    return pd.DataFrame(
        {
            "eval": runs["task"], "task": runs["at"].map("run {}".format),
            "ai_model": runs["ai_model"], "spend": 1.0, "cap": 2.0,
            "outcome": np.where(runs["score"] >= 0.5, "success", "gave_up"),
            "human_minutes": 2.0 ** (5.0 - 2.0 * easy), "release_date": runs["release_date"],
        }
    )  # fmt: skip


def simulated() -> pd.DataFrame:
    """Return runs of ten AI models on six evals of 60 tasks, long and short, that cost alike."""
    rng = np.random.default_rng(SEED)
    x = np.repeat(np.linspace(0.0, 9.0, 6), 60) + rng.normal(0.0, 1.0, 360)
    hard, frames = rng.normal(0.0, 1.2, 360), []
    for m, ability in enumerate(np.linspace(1.0, 9.0, 10)):
        own = np.repeat(rng.normal(0.0, 0.7, 6), 60)
        won = rng.random(360) < expit(0.6 * (ability - x) + own - hard)
        spend = np.minimum(np.exp(rng.normal(0.0, 0.7, 360)), 8.0)
        failed = np.where(spend >= 8.0, "stopped_by_cap", "gave_up")
        frames.append(
            pd.DataFrame(
                {
                    "eval": np.repeat([f"eval {k}" for k in range(6)], 60),
                    "task": [f"task {k}" for k in range(360)], "ai_model": f"model {m}",
                    "outcome": np.where(won & (spend < 8.0), "success", failed),
                    "spend": spend, "cap": 8.0, "human_minutes": 2.0**x,
                }
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def main(folder: Path, repetitions: int, some: int) -> None:
    """Replay and write the section."""
    folder.mkdir(parents=True, exist_ok=True)
    records = {
        "simulated": record_of(simulated(), source="simulated runs"),
        "METR": record_of(alike(metr_runs(DATA / "metr_runs.csv.gz")), source="METR runs"),
        "WeirdML": record_of(weirdml_runs(DATA / "weirdml_runs.csv.gz"), source="WeirdML runs"),
    }
    lines = []
    for name, record in records.items():
        minutes = record.tasks["human_minutes"].to_numpy(np.float64)
        setting = Setting(BUDGETS, repetitions, losses=Losses.over(minutes), seed=SEED)
        tested, stem = some_of(record, some), folder / name
        found = kept_trials(record, COMPARED, setting, tested, stem, repetitions == 0)
        if not len(found):
            continue
        figures, pairs = summary(found, SEED), ratios(found, OURS, SEED)
        for row in figures.sort_values(["budget", "rmse"]).to_dict("records"):
            own = pairs[(pairs["strategy"] == row["strategy"]) & (pairs["budget"] == row["budget"])]
            over = "".join(
                f"{r['rmse_ratio']:.2f}{between(r['rmse_ratio_low'], r['rmse_ratio_high'])}"
                for r in own.to_dict("records")
            )
            ends = between(row["coverage_90_low"], row["coverage_90_high"], ".0%")
            lines.append([
                name, f"{row['budget']:.0%}", str(row["strategy"]), f"{row['rmse']:.2f}", over,
                f"{row['coverage_90']:.0%}{ends}", f"{row['spent']:.2f}",
            ])  # fmt: skip
        print(name, found["ai_model"].nunique(), "AI models", flush=True)
    assert __doc__ is not None
    said = __doc__.split("\n\n")[2].split(" It writes")[0]
    made = circumstances(SEED, ["numpy", "scipy"])
    write_section("like prices", "Evals of like price", f"{said}\n\n{table(HEAD, lines)}\n\n{made}")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[2:] if text != "finished"]
    repetitions, some = (*given, *(REPETITIONS, AI_MODELS)[len(given) :])
    main(Path(sys.argv[1]), 0 if "finished" in sys.argv else repetitions, some)
