"""One AI model's trials: every strategy, budget and repetition, judged against its full data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalfolio.backtests.conclusion import QUANTILES, Judge, Losses, regression_of
from evalfolio.backtests.design import Design
from evalfolio.backtests.market import Market
from evalfolio.backtests.outlook import Outlook
from evalfolio.backtests.record import Hidden, Record
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.teaching import Belief, ResponseModel, Teaching
from evalfolio.errors import InputError

Array = NDArray[np.float64]


class Inference(Protocol):
    """What learns from the history; the same for every strategy."""

    def fit(self, runs: pd.DataFrame, tasks: pd.DataFrame, seed: int) -> Teaching:
        """Learn from the runs of the history, about these tasks too."""
        ...


@dataclass(frozen=True)
class Setting:
    """How the trials are run.

    Parameters
    ----------
    shares
        Budgets as shares of the full bill.
    repetitions
        Draws of the tasks bought, per strategy and budget.
    history
        "others": all other AI models; "earlier": those released before.
    slope
        Of the horizon: "common", that of the history's AI models, or each AI model's "own".
    losses
        Of wrong calls.
    inference
        Of every strategy.
    seed
        Same record, setting and seed: the same rows.
    """

    shares: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3)
    repetitions: int = 50
    history: str = "others"
    slope: str = "common"
    losses: Losses = field(default_factory=Losses)
    inference: Inference = field(default_factory=ResponseModel)
    seed: int = 0


def trials_of(
    ai_model: str, record: Record, strategies: Mapping[str, Strategy], setting: Setting
) -> list[dict[str, Any]]:
    """Return one row per strategy, budget and repetition for one AI model; none without a history.

    Strategies see the market only; whatever they choose, the runs bought are read by the same
    inference.

    Raises
    ------
    InputError
        If a strategy's design is expected to overspend or names a task that is not on offer.
    """
    trials = prepared(ai_model, record, setting)
    return [] if trials is None else trials.rows(strategies)


def prepared(ai_model: str, record: Record, setting: Setting) -> Trials | None:
    """Learn from an AI model's history; None where there is none of the evals it was run on.

    Tasks of evals that the history does not hold are left out, of the market and of the truth:
    nothing is known of them.
    """
    history = record.history(ai_model, setting.history)
    if not len(history):
        return None
    hidden = record.of(ai_model)
    kept = np.isin(
        hidden.tasks["eval"].to_numpy(str)[hidden.run_on], history["eval"].unique().astype(str)
    )
    at = hidden.run_on[kept]
    if not len(at):
        return None
    tasks = record.tasks.iloc[at].assign(at=at).reset_index(drop=True)
    teaching = setting.inference.fit(history, tasks, setting.seed)
    return Trials(hidden, at, tasks, history, teaching, record.attempts, setting)


class Trials:
    """The trials of one AI model after its history is learnt from."""

    def __init__(
        self,
        hidden: Hidden,
        at: NDArray[np.int64],
        tasks: pd.DataFrame,
        history: pd.DataFrame,
        teaching: Teaching,
        attempts: int,
        setting: Setting,
    ) -> None:
        self.hidden, self.at, self.tasks, self.setting = hidden, at, tasks, setting
        self.teaching, self.attempts = teaching, attempts
        minutes = tasks["human_minutes"].to_numpy(np.float64)
        codes, names = pd.factorize(tasks["eval"], sort=True)
        self.evals = [str(name) for name in names]
        regression = regression_of(setting.slope, minutes, history, attempts)
        self.judge = Judge(minutes, codes.astype(np.int64), regression)
        self.outcome = hidden.truth[np.isin(hidden.run_on, at)]
        self.truth = float(self.judge.horizons(self.outcome)[0])
        self.true_shares = self.judge.shares(self.outcome)[0]
        self.bill = float(
            hidden.runs.loc[
                hidden.runs["at"].isin(at) & (hidden.runs["attempt"] < attempts), "spend"
            ].sum()
        )
        caps = tasks["cap"].to_numpy(np.float64)
        outlook = Outlook(teaching.chances(tasks), self.judge, caps, attempts)
        self.market = Market(at, tasks, history, outlook, caps, attempts, setting.losses)
        self._concluded: dict[tuple[Any, ...], dict[str, Any]] = {}

    def rows(self, strategies: Mapping[str, Strategy]) -> list[dict[str, Any]]:
        """Return the rows of all strategies, budgets and repetitions."""
        nothing = self._conclude(self.teaching.belief(None, self.setting.seed), 0)
        found = []
        for share in self.setting.shares:
            for name, strategy in strategies.items():
                for repetition in range(self.setting.repetitions):
                    # The same draw for every strategy: differences between them are not luck.
                    rng = np.random.default_rng([self.setting.seed, repetition, 1])
                    design = strategy(self.market, share * self.bill, rng)
                    self._check(name, design, share * self.bill)
                    row = self._judged(design, repetition)
                    value = np.asarray(nothing["loss"]) - np.asarray(row["loss"])
                    found.append(
                        {
                            "ai_model": self.hidden.ai_model,
                            "strategy": name,
                            "budget": share,
                            "repetition": repetition,
                            "truth": self.truth,
                            **row,
                            "spent": row["spent"] / (share * self.bill),
                            "value": value.tolist(),
                            "promised": None
                            if design.promised is None
                            else design.promised.tolist(),
                        }
                    )
        return found

    def _judged(self, design: Design, repetition: int) -> dict[str, Any]:
        """Buy, infer and compare; equal designs in equal order are worked out once."""
        order = np.argsort(design.tasks, kind="stable")
        parts = (design.tasks[order], design.caps[order], design.attempts[order])
        key = (repetition, *(part.tobytes() for part in parts))
        if key not in self._concluded:
            bought = self.hidden.buy(design)
            belief = self.teaching.belief(bought, self.setting.seed + repetition)
            row = self._conclude(belief, repetition)
            row |= {"spent": float(bought["spend"].sum()), "runs": len(bought)}
            self._concluded[key] = row
        return self._concluded[key]

    def _conclude(self, belief: Belief, repetition: int) -> dict[str, Any]:
        rng = np.random.default_rng([self.setting.seed, repetition, 2])
        drawn = belief.completions(self.tasks, self.market.caps, self.attempts, rng)
        horizons = self.judge.horizons(drawn)
        low, quarter, median, three, high = np.quantile(horizons, QUANTILES)
        losses = self.setting.losses
        calls = losses.calls(horizons)
        shares = self.judge.shares(drawn)
        inside = (np.quantile(shares, 0.05, axis=0) <= self.true_shares + 1e-9) & (
            self.true_shares - 1e-9 <= np.quantile(shares, 0.95, axis=0)
        )
        return {
            "low": float(low),
            "quarter": float(quarter),
            "median": float(median),
            "three_quarters": float(three),
            "high": float(high),
            "wrong": int((calls != (losses.levels < self.truth)).sum()),
            "loss": losses.of(calls, self.truth).tolist(),
            "share_error": float(np.abs(np.median(shares, axis=0) - self.true_shares).mean()),
            "share_inside": float(inside.mean()),
        }

    def _check(self, name: str, design: Design, budget: float) -> None:
        outside = np.setdiff1d(design.tasks, self.at)
        if len(outside):
            raise InputError(
                f"strategy {name}: every task must be on offer in the market, got task "
                f"{int(outside[0])}; use positions from market.at"
            )
        rows = np.searchsorted(self.at, design.tasks)
        expected = 0.0
        shares = np.round(design.caps / self.market.caps[rows], 9)
        for share, tries in {*zip(shares.tolist(), design.attempts.tolist(), strict=True)}:
            part = rows[(shares == share) & (design.attempts == tries)]
            expected += float(self.market.price(float(share), int(tries))[part].sum())
        if expected > budget * (1.0 + 1e-6):
            raise InputError(
                f"strategy {name}: the expected spend must keep within the budget of {budget:.4g}, "
                f"got {expected:.4g}; buy fewer tasks or lower caps"
            )
