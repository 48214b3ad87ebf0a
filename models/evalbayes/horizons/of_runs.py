"""Horizons of runs: by cap in USD, with cost per hour, sweet spot and saturation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, DomainSpec
from evalbayes.errors import InputError
from evalbayes.horizons.horizon import HIGH, LENGTHS, LOW, MIDDLE, Horizon, fit_horizon, human_time
from evalbayes.horizons.hourly_cost import HourlyCost
from evalbayes.observations import Observations

NEEDED = ("task", "human_minutes", "success", "spend")


def horizon_by_cap(
    runs: pd.DataFrame,
    caps: Sequence[float],
    *,
    share: float = 0.5,
    seed: int = 0,
    n_draws: int = 1000,
) -> pd.DataFrame:
    """Horizon at every cap: a run counts as solved if it was solved within the cap.

    InputError if a column is missing or a cap is not positive.

    Parameters
    ----------
    runs
        Of one AI model, one row each: task, human_minutes, success (0/1), spend; and, as in
        `fit_horizon`, eval and weight where they are known.
    caps
        None above the cap that the runs had: beyond it nothing was seen.
    share
        Share of tasks completed at the horizon, 0.5 or 0.8.
    seed, n_draws
        Of the posterior draws at every cap, as in `fit_horizon`: at a cap that cut no run short
        the row is what that finds.

    Returns
    -------
    pandas.DataFrame
        One row per cap: cap, minutes (median), minutes_low, minutes_high (90 %), solved and
        mean_spend (of min(spend, cap)), means over tasks of the means of their runs.

    Notes
    -----
    As METR's cost curves, it *understates* what an AI model told of a smaller cap would do. All
    points come from the same runs: they must not be fitted as if they were independent.
    """
    missing = [column for column in NEEDED if column not in runs]
    if missing or not len(runs):
        raise InputError(
            f"runs must have the columns {', '.join(NEEDED)} and at least one row; missing: "
            f"{', '.join(missing) or 'no column, but all rows'}: add them"
        )
    if min(caps) <= 0:
        raise InputError(f"caps must be above 0; the smallest is {min(caps):g}: leave it out")
    spend, tasks, rows = runs["spend"].to_numpy(float), runs["task"].to_numpy(), []
    for cap in sorted(caps):
        solved = runs["success"].to_numpy(float) * (spend <= cap)
        found = _fitted(runs, solved, seed, n_draws)
        median, low, high = np.quantile(found.minutes(share), (MIDDLE, LOW, HIGH))
        used = np.minimum(spend, cap)
        by_task = pd.DataFrame({"solved": solved, "spend": used}).groupby(tasks).mean().mean()
        rows.append(
            {
                "cap": cap,
                "minutes": median,
                "minutes_low": low,
                "minutes_high": high,
                "solved": by_task["solved"],
                "mean_spend": by_task["spend"],
            }
        )
    return pd.DataFrame(rows)


def _fitted(runs: pd.DataFrame, success: Array, seed: int, n_draws: int) -> Horizon:
    """Fit the horizon to runs and their success, with evals and weights where they have any."""
    minutes, tasks = runs["human_minutes"].to_numpy(float), runs["task"].to_numpy()
    weights = runs["weight"].to_numpy(float) if "weight" in runs else None
    told = {"tasks": tasks, "evals": runs["eval"].to_numpy() if "eval" in runs else None}
    return fit_horizon(minutes, success, weights, **told, seed=seed, n_draws=n_draws)


POINTS = 12  # caps
N_DRAWS = 1000
FIRST = 0.05  # the first cap is this quantile of what successes spent
FEWEST = 20  # runs


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class RunHorizon:
    """What runs of one AI model in one domain say of its horizon and what an hour of it costs."""

    domain: str  # domain, ai_model, runs, tasks: whose runs, how many, and of how many tasks
    ai_model: str
    runs: int
    tasks: int
    # shortest, longest: human minutes of the shortest and the longest task: beyond them a horizon
    # is a guess
    shortest: float
    longest: float
    caps: tuple[float, float]  # the least and the largest cap that runs had, in USD
    horizon: Horizon  # at the caps that the runs really had
    # one row per cap after the fact: cap and mean_spend in USD, minutes with an interval, solved,
    # usd_per_hour (cap over horizon-hours), elasticity and beyond, which task the median lies
    # beyond ("the longest task", "the shortest task" or "")
    by_cap: pd.DataFrame
    # sweet_spot, saturation, saturation_95: caps in USD: least cost per horizon-hour; elasticity
    # fallen to a tenth; 95 % of the largest horizon. NaN where not within the caps
    sweet_spot: float
    saturation: float
    saturation_95: float

    def summary(self, *threshold_minutes: float) -> pd.DataFrame:
        """Return horizons, completion shares, doublings and hourly costs, one row each.

        The column `note` says what rests on more than was seen.
        """
        table = self.horizon.table(*threshold_minutes)
        notes = {f"{share:.0%} horizon (min)": self._note(share) for share in (0.5, 0.8)}
        notes |= {
            f"completion at {human_time(m)}": self._outside(m) for m in LENGTHS if self._outside(m)
        }
        notes |= {f"doublings to {human_time(m)}": self._note(0.5) for m in threshold_minutes}
        hourly = self.hourly_cost()
        rows = {}
        for words, usd in (
            ("sweet spot", self.sweet_spot),
            ("saturation", self.saturation),
            ("95 % of the horizon", self.saturation_95),
        ):
            known = np.isfinite(usd)
            rows[f"cap at the {words} (USD)"] = usd
            rows[f"USD per horizon-hour at the {words}"] = (
                float(hourly.per_hour(usd)) if known else np.nan
            )
            if known and (beyond := self._outside(float(60.0 * hourly.horizon(usd)))):
                notes[f"USD per horizon-hour at the {words}"] = beyond
        extra = pd.DataFrame({"median": rows}).reindex(columns=table.columns)
        whole = pd.concat([table, extra])
        return whole.assign(note=[notes.get(str(figure), "") for figure in whole.index])

    def _note(self, share: float) -> str:
        """Say how far a horizon lies beyond the tasks."""
        low, median, high = np.quantile(self.horizon.minutes(share), (LOW, MIDDLE, HIGH))
        if said := self._outside(float(median)):
            return said
        ends = [f"the longest task, {human_time(self.longest)}"] if high > self.longest else []
        if low < self.shortest:
            ends.append(f"the shortest, {human_time(self.shortest)}")
        return f"its interval reaches beyond {' and '.join(ends)}" if ends else ""

    def _outside(self, minutes: float) -> str:
        which = outside(minutes, self.shortest, self.longest)
        if not which:
            return ""
        end = self.longest if minutes > self.longest else self.shortest
        return f"beyond {which}, {human_time(end)}: a guess"

    def hourly_cost(self) -> HourlyCost:
        """Return the horizon curve over caps in USD; the running maximum, as it must not fall."""
        return HourlyCost(
            self.by_cap["cap"].to_numpy(),
            np.maximum.accumulate(self.by_cap["minutes"].to_numpy()) / 60.0,
        )


def outside(minutes: float, shortest: float, longest: float) -> str:
    """Name the task that a length lies beyond, "" where it lies among them."""
    if minutes > longest:
        return "the longest task"
    return "the shortest task" if minutes < shortest else ""


def task_weights(runs: pd.DataFrame) -> Array:
    """Weight of every run's task, 1/√(tasks of its eval), as METR weighs families.

    An eval of many like tasks then counts for more than one of few, but not in proportion.
    """
    tasks = runs.groupby("eval")["task"].transform("nunique")
    return np.asarray(1.0 / np.sqrt(tasks.to_numpy(dtype=float)))


def run_horizons(
    observations: Observations,
    catalogue: Catalogue,
    ai_model: str | None = None,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> tuple[RunHorizon, ...]:
    """Read horizons off the runs of an AI model, one for every domain in human minutes.

    A task counts once however often it was run, and by 1/√(tasks of its eval), as METR weighs
    families; intervals are for more tasks of these evals. Spend becomes USD by each eval's
    usd_per_unit (the mean of its interval). Caps are set after the fact, none above what every run
    was allowed in USD: so the curve understates what an AI model told of a smaller cap would do,
    and its points share their runs.

    InputError if no domain has 20 or more of its runs as they come, with spend and human minutes.

    Parameters
    ----------
    observations, catalogue
        Runs, and the domains, thresholds and prices of their evals.
    ai_model
        By default the one under test.
    seed, n_draws
        Of the posterior draws that intervals are read off.
    """
    name = ai_model or catalogue.portfolio.ai_model
    found = tuple(
        _of_domain(own, spec, name, seed, n_draws)
        for spec in catalogue.domains
        if spec.minutes and len(own := _priced(observations, catalogue, spec, name)) >= FEWEST
    )
    if not found:
        models = ", ".join(sorted({str(m) for m in observations.runs["ai_model"]})) or "none"
        raise InputError(
            f"horizons need {FEWEST} or more runs of one domain by {name!r} with spend and human "
            f"minutes, got fewer (AI models with runs: {models}); give runs rather than cells, or "
            "name another AI model (--ai-model)"
        )
    return found


def _priced(
    observations: Observations, catalogue: Catalogue, spec: DomainSpec, ai_model: str
) -> pd.DataFrame:
    """Return runs of a domain as they come, spend and cap in USD."""
    runs = observations.runs
    own = runs[(runs["ai_model"] == ai_model) & (runs["effort"].astype(float).fillna(0.0) == 0)]
    evals = {e.name: e for e in catalogue.evals if e.domain == spec.name}
    own = own[own["eval"].isin(list(evals)) & (own["outcome"] != "spurious")]
    minutes = own["human_minutes"].astype(float)
    stated = own["eval"].map({key: e.human_minutes or np.nan for key, e in evals.items()})
    price = own["eval"].map({key: e.usd_per_unit.lognormal_mean for key, e in evals.items()})
    priced = pd.DataFrame(
        {
            "eval": own["eval"].astype(str),
            "task": own["eval"].astype(str) + "/" + own["task"].astype(str),
            "human_minutes": minutes.fillna(stated.astype(float)),
            "success": (own["outcome"] == "success").astype(float),
            "spend": own["spend"].astype(float) * price.astype(float),
            "cap": own["cap"].astype(float) * price.astype(float),
        }
    )
    return priced.dropna().reset_index(drop=True)


def _of_domain(
    runs: pd.DataFrame, spec: DomainSpec, ai_model: str, seed: int, n_draws: int
) -> RunHorizon:
    runs = runs.assign(weight=task_weights(runs))
    most = float(runs["cap"].min())
    solved = runs.loc[runs["success"] > 0, "spend"]
    first = float(solved.quantile(FIRST)) if len(solved) else most / 100.0
    caps = np.geomspace(min(first, most / 2.0), most, POINTS)
    # A success a little past its cap (the check is between calls) was within it.
    within = runs.assign(spend=np.minimum(runs["spend"], runs["cap"]))
    table = horizon_by_cap(within, list(caps), seed=seed, n_draws=n_draws)
    hourly = HourlyCost(caps, np.maximum.accumulate(table["minutes"].to_numpy()) / 60.0)
    shortest, longest = float(runs["human_minutes"].min()), float(runs["human_minutes"].max())
    table = table.assign(
        usd_per_hour=hourly.per_hour(caps),
        elasticity=hourly.elasticity(caps),
        beyond=[outside(minutes, shortest, longest) for minutes in table["minutes"]],
    )
    horizon = _fitted(runs, runs["success"].to_numpy(float), seed, n_draws)
    none = not len(solved)  # a curve of nothing has no sweet spot
    return RunHorizon(
        domain=spec.name,
        ai_model=ai_model,
        runs=len(runs),
        tasks=int(runs["task"].nunique()),
        shortest=shortest,
        longest=longest,
        caps=(most, float(runs["cap"].max())),
        horizon=horizon,
        by_cap=table,
        sweet_spot=np.nan if none else hourly.sweet_spot(),
        saturation=np.nan if none else hourly.saturation(),
        saturation_95=np.nan if none else hourly.saturation_share(),
    )
