"""One AI model's trials: every strategy, budget and repetition, judged against its full data."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Index
from evalfolio.backtests.conclusion import QUANTILES, Judge, Losses, regression_of
from evalfolio.backtests.market import Market, Outlook, Sight, Staged
from evalfolio.backtests.record import Design, Hidden, Record
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.teaching import ResponseModel, ResponseTeaching
from evalfolio.errors import InputError

Price = Callable[[float, int], Array]


@runtime_checkable
class Reads(Protocol):
    """A strategy that reads what it bought by its own model."""

    def completions(self, market: Market, seen: pd.DataFrame, rng: np.random.Generator) -> Flags:
        """Draw whether each task on offer is solved, what was bought as seen, (n, n_tasks)."""
        ...


CLOSE = 1e-6  # relative: an expected spend this little above a budget keeps within it


def chosen_by(
    name: str,
    strategy: Strategy | Staged,
    market: Market,
    budget: float,
    rng: np.random.Generator,
    sell: Callable[[Design], Sight],
) -> list[Design]:
    """Return what a strategy has bought by the end of every stage, one unless it wants to look.

    The budget is what it is expected to spend at most, of a later stage what is really left of
    that; `sell` returns what a design's runs have shown. Prices of a later stage are those it
    looked up: what runs bought foretell, or the market's.
    """
    if not isinstance(strategy, Staged):
        design = strategy(market, budget, rng)
        _check(name, design, market, budget, market.price)
        return [design]
    stages = strategy.stages(market, budget, rng)
    design, sight, all_designs = Design([], caps=1.0), None, []
    while True:
        try:
            later = next(stages) if sight is None else stages.send(sight)
            ended = False
        except StopIteration as stop:
            later, ended = stop.value, True
        was = {task: (cap, tries) for task, cap, tries in design.rows()}
        held = {task: (cap, tries) for task, cap, tries in later.rows()}
        for task, (cap, tries) in was.items():
            now = held.get(task, (0.0, 0))
            if now[0] < cap or now[1] < tries:
                raise InputError(
                    f"strategy {name}: a stage must keep what earlier ones bought, got less of "
                    f"task {task}; add to the design yielded before"
                )
        new = [(task, *bought) for task, bought in held.items() if was.get(task) != bought]
        tasks, caps, attempts = zip(*new, strict=True) if new else ((), (), ())
        added = Design(tasks, np.asarray(caps), np.asarray(attempts, dtype=np.int64))
        if sight is None:
            _check(name, added, market, budget, market.price)
        elif len(added):
            left = max(budget - sight.spent, 0.0)
            _check(name, added, market, left, sight.price or market.price)
        all_designs.append(later)
        if ended:
            return all_designs
        design, sight = later, sell(later)


def _check(name: str, design: Design, market: Market, budget: float, price: Price) -> None:
    outside = np.setdiff1d(design.tasks, market.at)
    if len(outside):
        raise InputError(
            f"strategy {name}: every task must be on offer in the market, got task "
            f"{int(outside[0])}; use positions from market.at"
        )
    rows = np.searchsorted(market.at, design.tasks)
    expected = 0.0
    shares = np.round(design.caps / market.caps[rows], 9)
    for share, tries in {*zip(shares.tolist(), design.attempts.tolist(), strict=True)}:
        part = rows[(shares == share) & (design.attempts == tries)]
        expected += float(price(float(share), int(tries))[part].sum())
    if expected > budget * (1.0 + CLOSE):
        raise InputError(
            f"strategy {name}: the expected spend must keep within the budget of {budget:.4g}, "
            f"got {expected:.4g}; buy fewer tasks or lower caps"
        )


@dataclass(frozen=True)
class Setting:
    """How the trials are run."""

    shares: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3)  # budgets as shares of the full bill
    repetitions: int = 50  # draws of the tasks bought, per strategy and budget
    history: str = "others"  # AI models: all others, or only those released "earlier"
    slope: str = "common"  # of the horizon: that of the history's AI models, or each one's "own"
    losses: Losses = field(default_factory=Losses)  # of wrong calls
    inference: ResponseModel = field(default_factory=ResponseModel)  # of every strategy
    seed: int = 0  # same record, setting and seed: the same rows


def trials_of(
    record: Record, strategies: Mapping[str, Strategy | Staged], setting: Setting, ai_model: str
) -> list[dict[str, Any]]:
    """Return one row per strategy, budget and repetition for one AI model; none without a history.

    Strategies see the market only; whatever they choose, the runs bought are read by the same
    inference.
    """
    trials = prepared(ai_model, record, setting)
    return [] if trials is None else trials.rows(strategies)


def prepared(ai_model: str, record: Record, setting: Setting) -> "Trials | None":
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
    teaching = setting.inference.fit(history, tasks, setting.seed, record.released, ai_model)
    return Trials(hidden, at, tasks, history, teaching, record.attempts, setting)


class Trials:
    """The trials of one AI model after its history is learnt from."""

    def __init__(
        self,
        hidden: Hidden,
        at: Index,
        tasks: pd.DataFrame,
        history: pd.DataFrame,
        teaching: ResponseTeaching,
        attempts: int,
        setting: Setting,
    ) -> None:
        self.at, self.tasks, self.setting = at, tasks, setting
        self.teaching, self.attempts = teaching, attempts
        minutes = tasks["human_minutes"].to_numpy(np.float64)
        codes, _ = pd.factorize(tasks["eval"], sort=True)
        regression = regression_of(setting.slope, minutes, history, attempts)
        self.judge = Judge(minutes, codes.astype(np.int64), regression)
        caps = tasks["cap"].to_numpy(np.float64)
        outlook = Outlook(teaching.chances(tasks), self.judge, caps, attempts)
        unseen = Sight(history.iloc[:0], lambda runs: teaching.foresight(runs, attempts, 0))
        self.market = Market(at, tasks, history, outlook, caps, attempts, setting.losses, unseen)
        self._hide(hidden)

    def on(self, hidden: Hidden) -> "Trials":
        """Return the trials of another AI model on the same tasks, with the same history.

        The market, and so what is planned on it, is shared: it rests on the history alone.
        """
        found = copy(self)
        found._hide(hidden)
        return found

    def _hide(self, hidden: Hidden) -> None:
        self.hidden = hidden
        counted = hidden.runs["at"].isin(self.at) & (hidden.runs["attempt"] < self.attempts)
        self.bill = float(hidden.runs.loc[counted, "spend"].sum())
        self.outcome = hidden.truth[np.isin(hidden.run_on, self.at)]
        self.truth = float(self.judge.horizons(self.outcome)[0])
        self.true_shares = self.judge.shares(self.outcome)[0]
        self._concluded: dict[tuple[Any, ...], dict[str, Any]] = {}

    def rows(self, strategies: Mapping[str, Strategy | Staged]) -> list[dict[str, Any]]:
        """Return the rows of all strategies, budgets and repetitions."""
        nothing = self._conclude(None, 0)
        evpi = self.setting.losses.perfect(self.market.horizons).tolist()
        found = []
        for share in self.setting.shares:
            for name, strategy in strategies.items():
                for repetition in range(self.setting.repetitions):
                    designs = self.designs(name, strategy, share * self.bill, repetition)
                    row = {
                        "ai_model": self.hidden.ai_model, "budget": share,
                        "repetition": repetition, "truth": self.truth,
                        "without": nothing["loss"], "evpi": evpi,
                        "promised": None if designs[-1].promised is None
                        else designs[-1].promised.tolist(),
                        **self._by_stage(designs, repetition, nothing),
                    }  # fmt: skip
                    readers: dict[str, Reads | None] = {name: None}
                    if isinstance(strategy, Reads):
                        readers[f"{name}, own reading"] = strategy
                    for reader, own in readers.items():
                        read = self.judged(designs[-1], repetition, own)
                        value = np.asarray(nothing["loss"]) - np.asarray(read["loss"])
                        spent = read["spent"] / (share * self.bill)
                        told = {"strategy": reader, "spent": spent, "value": value.tolist()}
                        found.append(row | read | told)
        return found

    def _by_stage(
        self, designs: list[Design], repetition: int, nothing: dict[str, Any]
    ) -> dict[str, list[float]]:
        """Return what every stage promised to add, mean over thresholds, and what it saved."""
        promised, lost = [], [float(np.mean(nothing["loss"]))]
        for design in designs:
            if design.added is not None:
                promised.append(float(design.added.mean()))
                lost.append(float(np.mean(self.judged(design, repetition)["loss"])))
        return {"stages_promised": promised, "stages_saved": (-np.diff(lost)).tolist()}

    def design(
        self, name: str, strategy: Strategy | Staged, budget: float, repetition: int
    ) -> Design:
        """Return all that a strategy buys with a budget."""
        return self.designs(name, strategy, budget, repetition)[-1]

    def designs(
        self, name: str, strategy: Strategy | Staged, budget: float, repetition: int
    ) -> list[Design]:
        """Return what it has bought by each stage; see `evalfolio.backtests.trial.chosen_by`."""
        # The same draw for every strategy: differences between them are not luck.
        rng = np.random.default_rng([self.setting.seed, repetition, 1])
        seed = self.setting.seed + repetition

        def sell(design: Design) -> Sight:
            return Sight(
                self.hidden.buy(design),
                lambda runs: self.teaching.foresight(runs, self.attempts, seed),
            )

        return chosen_by(name, strategy, self.market, budget, rng, sell)

    def judged(self, design: Design, repetition: int, own: "Reads | None" = None) -> dict[str, Any]:
        """Buy, infer and compare; equal designs are worked out once, by each inference."""
        order = np.argsort(design.tasks, kind="stable")
        parts = (design.tasks[order], design.caps[order], design.attempts[order])
        key = (repetition, own, *(part.tobytes() for part in parts))
        if key not in self._concluded:
            bought = self.hidden.buy(design)
            row = self._conclude(bought, repetition, own)
            row |= {"spent": float(bought["spend"].sum()), "runs": len(bought)}
            self._concluded[key] = row
        return self._concluded[key]

    def _conclude(
        self, bought: pd.DataFrame | None, repetition: int, own: "Reads | None" = None
    ) -> dict[str, Any]:
        rng = np.random.default_rng([self.setting.seed, repetition, 2])
        if own is not None and bought is not None:
            drawn = own.completions(self.market, bought, rng)
        else:
            newcomer = self.teaching.newcomer(bought, self.setting.seed + repetition)
            drawn = newcomer.completions(self.teaching.positions, rng, attempts=self.attempts)
        horizons = self.judge.horizons(drawn)
        # Of n draws and the truth each is as likely to be the k-th: levels k/(n + 1) hold it.
        low, quarter, median, three, high = np.quantile(horizons, QUANTILES, method="weibull")
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
