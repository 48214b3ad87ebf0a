"""The programme as users run it, as a planner of the back-test: what `evalfolio replan` buys.

The history is fitted by the model of `evalfolio fit`; at every stage `Standing`, the step that
`replan` takes, says what runs have taught and used and what is asked of the menu of what is left.
Single runs as they come, no elicitation: records hold no other.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.menus import build_menu
from evalbayes.observations import Observations, observations_of
from evalbayes.posterior.posterior import Posterior
from evalfolio.backtests.market import Bought, Market, Sight
from evalfolio.plans.optimiser import explained
from evalfolio.plans.plan import Plan
from evalfolio.programmes.standing import Standing
from evalfolio.search import Certified, Method
from evalfolio.sensitivities.sweep import inputs_hash

COLUMNS = ["eval", "task", "ai_model", "outcome", "spend", "cap"]
EVERY = 4  # thresholds of the losses for one level of the domain
DRAWS = 1000  # of each chain of a fit, and of the belief: menus are made by the hundred


def catalogue_of(market: Market) -> Catalogue:
    """Return what is on offer as a catalogue whose usd are units of spend.

    Its levels lose what the back-test's thresholds do. Nothing is elicited or reset, and what
    elicitation may add later is left out.
    """
    minutes = np.log(market.tasks["human_minutes"].to_numpy(np.float64))
    low, high = np.quantile(market.horizons, [0.05, 0.95]).tolist()
    domain: dict[str, object] = {"name": "horizon", "unit": "doublings of human task time"}
    domain |= {"shown_capability": [low, max(high, low + 0.5)], "elicitation_gap": [0.01, 0.02]}
    losses = market.losses
    above = {"mitigate_above": losses.false_alarm / (losses.false_alarm + losses.missed)}
    every: dict[str, object] = {"domain": "horizon", "spend_unit": "spend", "usd_per_unit": 1.0}
    every |= dict.fromkeys(("resettable", "staff_hours", "review_minutes_per_run"), 0.0)
    tables = {
        "portfolio": {"ai_model": "tested", "horizon_months": 1e-3},
        "budget": {"usd": float(market.price(1.0, 1).sum()), "staff_hours": 0.0},
        "domain": [domain],
        "level": [
            {"domain": "horizon", "name": f"{at:.2f}", "threshold": at} | above
            for at in losses.levels[::EVERY].tolist()
        ],
        "eval": [
            {"name": name, "tasks": len(rows), "max_cap": float(market.caps[rows[0]])}
            | {"human_minutes": float(np.exp(minutes[rows].mean()))} | every
            for name in market.evals for rows in [market.of_eval(name)]
        ],
    }  # fmt: skip
    return parse_catalogue(tables, "back-test")


@dataclass(frozen=True)
class AsRun:
    """Plans every stage as `evalfolio replan` does; `folder` keeps the fits of histories."""

    folder: Path
    method: Method = Certified(gap=5e-3, time_limit=10.0)

    def bought(
        self, market: Market, sight: Sight | None, money: float, rng: np.random.Generator
    ) -> tuple[list[Bought], Array]:
        """Return what a stage adds, tasks of the plan at random as far as they fit, its EVSI."""
        plan = self.plan(market, sight, money)
        held = () if sight is None else sight.runs["at"]
        price = market.price if sight is None else sight.foresight.price
        planned = []
        for row in plan.choices[plan.choices["tasks"] > 0].to_dict("records"):
            rows = market.of_eval(row["eval"])
            share = min(row["cap"] / float(market.caps[rows[0]]), 1.0)
            drawn = rng.permutation(rows[~np.isin(np.take(market.at, rows), held)])
            mean = float(price(share, 1)[drawn].sum()) / max(len(drawn), 1)
            planned += [(mean, Bought(j, share, 1)) for j in drawn[: int(row["tasks"])].tolist()]
        bought = []
        # A plan counts with mean prices, the tasks drawn have their own: cheap evals come first.
        for _, one in sorted(planned, key=lambda each: each[0]):
            cost = float(price(one.share, 1)[one.row])
            if cost <= money:
                bought.append(one)
                money -= cost
        return bought, _evsi(plan, market)

    def plan(self, market: Market, sight: Sight | None, money: float) -> Plan:
        """Return the plan of what is left, as `replan` makes it from the same results."""
        catalogue, start = market.remembered(("start", self), lambda: self.start(market))
        results, used = Observations(), {}
        if sight is not None:  # what runs have really spent is known, as with --paid
            results = observations_of(sight.runs.assign(ai_model="tested")[COLUMNS], catalogue)
            used = {"usd": sight.spent}
        budget = {"usd": money + used.get("usd", 0.0), "staff_hours": 0.0}
        now = Standing.after(results, catalogue, start, budget=budget, kept_back={}, used=used)

        def made() -> Menu:
            return build_menu(now.belief, catalogue, with_draws=False, done=now.done)[0]

        menu = market.remembered(("menu", self), made) if sight is None else made()
        return explained(self.method.find(now.question(menu)))

    def start(self, market: Market) -> tuple[Catalogue, Posterior]:
        """Return the catalogue of a market and the belief that its history leaves."""
        from evalbayes.model.fit import fit

        catalogue, history = catalogue_of(market), market.history
        known = history["eval"].isin(market.evals) & (history["attempt"] < market.attempts)
        rows = history.loc[known, COLUMNS]
        digest = int(pd.util.hash_pandas_object(rows, index=False).to_numpy().sum())
        keep = self.folder / f"{inputs_hash(digest, catalogue.model_dump_json())[:16]}.nc"
        self.folder.mkdir(parents=True, exist_ok=True)
        found = fit(catalogue, observations_of(rows, catalogue), draws=DRAWS, keep=keep)
        found.save(keep)
        return catalogue, found.thinned(DRAWS)

    def promised(self, market: Market, budget: float) -> Array:
        """Return the EVSI of the plan made at once, by threshold: between levels, interpolated."""
        return _evsi(self.plan(market, None, budget), market)


def _evsi(plan: Plan, market: Market) -> Array:
    levels = market.losses.levels
    worth = plan.domains["evsi"].to_numpy(np.float64)
    return np.asarray(np.interp(levels, levels[::EVERY], worth))
