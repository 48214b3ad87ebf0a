"""What a year's evaluations cost in the years to come: Monte Carlo over drivers that drift."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.catalogue.interval import Interval
from evalfolio.errors import InputError
from evalfolio.narrative import STUDY
from evalfolio.outlook.presets import EXPONENT, Presets
from evalfolio.record.record import Record

# Costs, each of which grows as [cost] of the presets says.
LONG, FIXED, STUDIES, STAFF = "long tasks", "fixed tasks", "studies", "staff"
HOURS, LONG_RUNS, FIXED_RUNS = "staff hours", "runs of long tasks", "runs of fixed tasks"
THERE_IS = {"usd": "money", "agent_hours": "agents"}  # the stock of all others is staff's
MONTHS, MOST_YEARS = 12.0, 20


def banded(name: str, draws: Array) -> dict[str, Any]:
    """Return the median of draws and the ends of their 90 % interval, over the first axis."""
    # nearest: infinities stay what they are
    ends = np.quantile(draws, (0.5, 0.05, 0.95), axis=0, method="nearest")
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))


def composition(presets: Presets) -> pd.DataFrame:
    """Return how length, tokens and price compose to the growth of a frontier task's cost a year.

    length^exponent · price at fixed capability, at either end of exponent and price, beside what
    was published of the whole; `inside` is the share of its logarithm within that.

    >>> from evalfolio.outlook.presets import read_presets
    >>> composition(read_presets())[["low", "high"]].round(1).to_numpy().tolist()
    [[2.7, 9.5], [12.6, 59.1]]
    """
    least, most = presets.tables["composition"]["published"]
    price, power = presets.driver("price_at_capability"), presets.driver(EXPONENT)
    days = np.array(presets.tables["composition"]["doubling_days"], dtype=float)
    length = 2.0 ** (365.25 / days)
    low, high = length**power.low * price.low, length**power.high * price.high
    within = np.log(np.minimum(high, most) / np.maximum(low, least)) / np.log(high / low)
    told = {"doubling_days": days, "length": length, "low": low, "high": high}
    told |= {"published_low": least, "published_high": most}
    return pd.DataFrame(told | {"inside": np.maximum(within, 0.0)})


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Forecast:
    """What a year of a plan's evaluations takes and costs, year by year."""

    presets: Presets
    ledger: pd.DataFrame  # what a year takes now: eval, resource, cost and amount
    there_is: Mapping[str, float]  # of every limited resource, what may be used in a year now
    hour_usd: Mapping[str, float]  # price of an hour by resource of staff, USD
    years: int = 3
    n_draws: int = 4000
    seed: int = 0
    fitted: Array | None = None  # draws of the exponent of length in tokens, else the presets'

    @cached_property
    def logs(self) -> dict[str, Array]:
        """Draws of the logarithm of what every driver has grown by, of shape (draws, years + 1)."""
        rng, ends = np.random.default_rng(self.seed), np.arange(self.years + 1.0)
        rates = {name: self.presets.driver(name).log_rate for name in self.presets.tables["driver"]}
        logs = {name: rate.paths(ends, self.n_draws, rng) for name, rate in rates.items()}
        power = self.presets.driver(EXPONENT)
        drawn = rng.normal(*Interval(power.low, power.high).normal(), self.n_draws)
        drawn = drawn if self.fitted is None else rng.choice(self.fitted, self.n_draws)
        logs["tokens"] = drawn[:, None] * logs["task_length"]
        logs["answer_price"] = logs["frontier_price"] - logs["output_length"]
        return logs

    def factor(self, cost: str) -> Array:
        """Return draws of what a cost has grown by, of shape (draws, years + 1)."""
        parts = [self.logs[name] for name in self.presets.tables["cost"][cost]]
        return np.asarray(np.exp(np.sum(parts, axis=0)))

    def used(self, resource: str, *costs: str) -> Array:
        """Return draws of a year's use of a resource, of all or some costs: (draws, years + 1)."""
        rows = self.ledger[self.ledger["resource"] == resource].groupby("cost")["amount"].sum()
        asked = {str(name): n for name, n in rows.items() if not costs or name in costs}
        parts = [n * self.factor(name) for name, n in asked.items()]
        return np.asarray(sum(parts, np.zeros_like(self.logs["wages"])))

    @cached_property
    def usd(self) -> dict[str, Array]:
        """Draws of USD a year by agents, studies, staff and in all: (draws, years + 1)."""
        rows = self.ledger[self.ledger["cost"] == HOURS]
        staff = float((rows["amount"] * rows["resource"].map(dict(self.hour_usd))).sum())
        found = {"agents": self.used("usd", LONG, FIXED), "studies": self.used("usd", STUDIES)}
        found["staff"] = staff * self.factor(STAFF)
        return found | {"total": np.sum([*found.values()], axis=0)}

    def totals(self) -> pd.DataFrame:
        """Return by year what agents, studies and staff cost, in all, and their shares.

        Medians with 90 % intervals; shares are means, which sum to one.
        """
        table: dict[str, Any] = {"year": np.arange(self.years + 1)}
        for name, draws in self.usd.items():
            share = draws / self.usd["total"]
            table |= banded(name, draws) | banded(f"share_{name}", share)
            table[f"share_{name}"] = share.mean(axis=0)
        return pd.DataFrame(table).drop(columns=[name for name in table if "share_total" in name])

    def costs(self) -> pd.DataFrame:
        """Return the USD of every cost now, in a year, and the drivers that it grows with."""
        now = {cost: self.used("usd", cost)[0, 0] for cost in (LONG, FIXED, STUDIES)}
        now[STAFF] = self.usd["staff"][0, 0]
        feeds = [" × ".join(self.presets.tables["cost"][cost]) for cost in now]
        return pd.DataFrame({"cost": [*now], "usd": [*now.values()], "drivers": feeds})

    def by_eval(self) -> pd.DataFrame:
        """Return by eval, study and shared purchase the USD of each year, with 90 % intervals."""
        rows = self.ledger[self.ledger["resource"] == "usd"].to_dict("records")
        years = {"year": np.arange(self.years + 1)}
        return pd.concat(
            pd.DataFrame(years | banded("usd", row["amount"] * self.factor(row["cost"]))).assign(
                eval=row["eval"], cost=row["cost"]
            )
            for row in rows
        )

    def drivers(self) -> pd.DataFrame:
        """Return what each driver does to each cost: factor a year, and share of its variance.

        Of the logarithm of the cost in the last year; the shares of one cost sum to one.
        """
        words = {name: each["words"] for name, each in self.presets.tables["driver"].items()}
        tables = []
        for cost in (LONG, FIXED, STUDIES, STAFF):
            names = self.presets.tables["cost"][cost]
            parts = np.stack([self.logs[name][:, -1] for name in names], axis=1)
            moved = np.cov(parts.T, parts.sum(axis=1))[-1]
            table = {"what": [(words | self.presets.tables["words"])[name] for name in names]}
            table |= banded("factor", np.exp(parts / self.years))
            tables.append(pd.DataFrame({"cost": cost, "driver": names, **table}))
            tables[-1]["of_variance"] = moved[:-1] / moved[-1]
        return pd.concat(tables)

    def binding(self) -> pd.DataFrame:
        """Return when each resource runs short, and how likely it is the first to.

        Years from now, log-linear between whole ones, infinite where not within those looked at;
        and what is asked in the last year as a multiple of what there is.
        """
        asked = {
            name: self.used(name) / (now * np.exp(self.logs[THERE_IS.get(name, "staff")]))
            for name, now in self.there_is.items()
        }
        when = np.stack([first_above(np.log(ratio)) for ratio in asked.values()], axis=1)
        least = np.minimum(when.min(axis=1, keepdims=True), np.finfo(float).max)
        table = {"resource": [*asked], "first_to_bind": (when == least).mean(axis=0)}
        table |= banded("years", when)
        table |= banded("of_stock", np.stack([ratio[:, -1] for ratio in asked.values()], axis=1))
        return pd.DataFrame(table).sort_values("first_to_bind", ascending=False, kind="stable")

    def scenarios(self) -> pd.DataFrame:
        """Return the last year under every scenario: USD in all, agents' share, factor a year."""
        rows = []
        for name, table in self.presets.tables["scenario"].items():
            usd = replace(self, presets=self.presets.under(name)).usd
            row = {"scenario": name, "words": table["words"]}
            row |= banded("total", usd["total"][:, -1])
            row |= banded("share_agents", usd["agents"][:, -1] / usd["total"][:, -1])
            yearly = (usd["total"][:, -1] / usd["total"][:, 0]) ** (1 / self.years)
            rows.append(row | banded("factor", yearly))
        return pd.DataFrame(rows)


def first_above(logs: Array, step: float = 1.0) -> Array:
    """Return the first time at which each row reaches 0, linear between even steps; else infinity.

    >>> first_above(np.array([[-1.0, 1.0], [-1.0, -0.5], [0.0, 1.0]])).tolist()
    [0.5, inf, 0.0]
    """
    k, rows = (logs >= 0).argmax(axis=1), np.arange(len(logs))
    here, before = logs[rows, k], logs[rows, np.maximum(k - 1, 0)]
    back = np.divide(here, here - before, out=np.zeros_like(here), where=k > 0)
    return np.where(here >= 0, (k - back) * step, np.inf)


def forecast_of(record: Record, catalogue: Catalogue, presets: Presets, **how: Any) -> Forecast:
    """Forecast what a year of a plan's evaluations costs; `how` are further fields of `Forecast`.

    The plan stands for every `horizon_months` of its catalogue, so a year holds 12 over that of it.
    InputError if years are not from 1 to 20, or the plan runs nothing.
    """
    if not 1 <= how.get("years", 1) <= MOST_YEARS:
        raise InputError(f"--years must be from 1 to {MOST_YEARS}, got {how['years']}; take 3")
    if not record.to_run:
        raise InputError("forecast: the plan must run something, got an empty mix; plan again")
    rounds = MONTHS / catalogue.portfolio.horizon_months
    minutes = {spec.name for spec in catalogue.domains if spec.minutes}
    ledger: list[tuple[str, str, str, float]] = []
    for row in record.choices:
        long, hours = row.domain in minutes, float(dict(row).get("agent_hours") or 0.0)
        cost = STUDIES if row.tier == STUDY else LONG if long else FIXED
        ledger.append((row.eval, "usd", cost, row.usd * rounds))
        ledger.append((row.eval, "agent_hours", LONG_RUNS if long else FIXED_RUNS, hours * rounds))
    ledger += [(each.name, "usd", STUDIES, each.usd * rounds) for each in record.shared if each.usd]
    staff = {name: used for name, used in record.spend.items() if name.startswith("staff_hours")}
    ledger += [("", name, HOURS, used * rounds) for name, used in staff.items()]
    stated, kept = catalogue.budget.usd_per_staff_hour, record.kept_back
    by_skill = stated if isinstance(stated, Mapping) else {}
    usual = stated if isinstance(stated, float) else float(presets.tables["staff_hour"]["usd"])
    return Forecast(
        presets,
        pd.DataFrame(ledger, columns=["eval", "resource", "cost", "amount"]),
        {name: n * (1 - kept.get(name, 0.0)) * rounds for name, n in record.budget.items()},
        {name: by_skill.get(name.partition(".")[2], usual) for name in staff},
        **how,
    )
