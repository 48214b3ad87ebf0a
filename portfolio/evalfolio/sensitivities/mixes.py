"""Best mixes under other figures: one at a time, many at once, and with results drawn again.

Menus that must be built again are built once each.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.menus import build_menu
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalfolio.errors import InputError
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, listing, percent
from evalfolio.plans.evaluation import searched_value
from evalfolio.plans.plan import Plan
from evalfolio.search import Certified, Method, Question
from evalfolio.sensitivities.assumed import ON_INPUTS, ON_MENU, Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.sweep import Solution, Sweep, solve, swept

BATCH = 16  # plans worked out together, on menus they share
EDGE = 1 / 6  # with these odds at either end, three levels have an even spread's first moments
SHARED = 8  # mixes that share the figures that ask for a new menu
CORE = 0.9  # evals in at least this share of the mixes are the core, the others the fringe
OUTCOMES = ("n_success", "n_gave_up", "n_stopped")


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Tornado:
    """What every assumed figure does to the plan.

    One row per figure, the one that moves the value most first: name, low, high (ends of its
    range), value_low, value_high (value of the best mix there), deep_low, deep_high (its share of
    usd on max elicitation), changed_low, changed_high (share of the base mix's evals that are
    dropped or run at another tier), lost_low, lost_high (what the base mix would lose there against
    the best one, as a share; NaN where it is not on that menu), given (whether the range is the
    catalogue's own), ask (how to find it out, where nobody gave it) and moves: the larger of how
    far the value moves, as a share of the base plan's, and what is lost, over both ends. Value and
    deep are the base plan's.
    """

    rows: pd.DataFrame
    value: float
    deep: float

    def to_frame(self) -> pd.DataFrame:
        """Return the rows."""
        return self.rows.copy()

    def find_out_first(self, most: int = 5) -> pd.DataFrame:
        """Return the figures that nobody gave and that move the plan most, those most first."""
        moving = self.rows[(self.rows["ask"] != "") & (self.rows["moves"] > 0)]
        first = moving.sort_values("moves", ascending=False, kind="stable").head(most)
        return first[["name", "low", "high", "moves", "ask"]].reset_index(drop=True)

    def record(self) -> list[dict[str, Any]]:
        """Return the rows as `plan.json` holds them."""
        columns = ["name", "low", "high", "value_low", "value_high", "deep_low", "deep_high"]
        plain = self.rows[columns].to_dict("records")
        return [{str(key): value for key, value in row.items()} for row in plain]

    def __str__(self) -> str:
        by_mix = self.rows.assign(
            change=self.rows[["changed_low", "changed_high"]].max(axis=1)
        ).sort_values("change", ascending=False, kind="stable")
        ends = self.rows[["value_low", "value_high"]]
        moving = self.rows["name"][(ends != self.value).any(axis=1)].head(2).tolist()
        most = f"The value hangs most on {listing(moving)}"
        worth = most if moving else "No assumption moves the value"
        moved = by_mix[by_mix["change"] > 0]
        if moved.empty:
            return f"{worth}; no assumption changes the mix."
        first = moved.iloc[0]
        return (
            f"{worth}; the mix on {first['name']}, which changes {percent(first['change'])} of it."
        )


def tornado(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
    plan: Plan | None = None,
) -> Tornado:
    """Return what every assumption does to value, depth and mix, one at a time.

    Where the base plan is at hand and its mix is worth just what it was, and no other is worth more
    by the gap, it stays, so that a figure that moves nothing gives its own value.
    """
    points = [[k, end] for k, each in enumerate(assumptions) for end in (each.low, each.high)]
    own = solve(basis.question.lean, method) if plan is None else Solution.of(plan)
    base = summary(basis.lean, own)
    answers = swept(_point, points, basis, own, tuple(assumptions), method, sweep=sweep)
    rows = []
    for k, assumed in enumerate(assumptions):
        row: dict[str, Any] = {"name": assumed.name, "low": assumed.low, "high": assumed.high}
        for end, answer in zip(("low", "high"), answers[2 * k : 2 * k + 2], strict=True):
            row[f"value_{end}"] = answer["value"]
            row[f"deep_{end}"] = answer["deep"]
            row[f"changed_{end}"] = changed(base["tiers"], answer["tiers"])
            held, best = answer["base_value"], answer["value"]
            lost = 0.0 if best <= 0 else np.nan if held is None else max(1 - held / best, 0.0)
            row[f"lost_{end}"] = lost
        value = max(base["value"], 1e-300)
        swings = [abs(row[f"value_{end}"] / value - 1) for end in ("low", "high")]
        moves = np.nanmax([*swings, row["lost_low"], row["lost_high"]])
        rows.append({**row, "given": assumed.given, "ask": assumed.ask, "moves": float(moves)})
    frame = pd.DataFrame(rows)
    ends = frame[["value_low", "value_high"]].assign(base=base["value"])
    swing = ends.max(axis=1) - ends.min(axis=1)
    frame = frame.loc[swing.sort_values(ascending=False, kind="stable").index]
    return Tornado(frame.reset_index(drop=True), base["value"], base["deep"])


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> float:
    """Return the share of evals in either mix that are in one only or at another tier.

    >>> changed({"a": "plateau", "b": "plateau"}, {"a": "max-elicitation", "b": "plateau"})
    0.5
    """
    evals = set(before) | set(after)
    moved = sum(before.get(e) != after.get(e) for e in evals)
    return moved / len(evals) if evals else 0.0


def plan_under(
    basis: Basis,
    levels: Mapping[Assumed, float],
    method: Method = Certified(),
    stay: Solution | None = None,
) -> tuple[Menu, Solution]:
    """Return the menu under other figures and the certified choice on it, see `solve`."""
    menu = basis.menu_under(levels)
    return menu, solve(basis.question.on(menu), method, stay)


def summary(menu: Menu, solution: Solution) -> dict[str, Any]:
    """Return what sweeps compare plans by: value, share on depth, tiers by eval, usd by domain."""
    chosen = menu.options.loc[list(solution.options)]
    money = "usd" if "usd" in menu.resources else menu.resources[0]
    use = chosen[money].to_numpy(dtype=np.float64)
    total = float(use.sum())
    of_domain = {str(name): chosen["domain"] == name for name in menu.options["domain"].unique()}
    shares = {name: float(use[own.to_numpy()].sum()) for name, own in of_domain.items()}
    evals, tiers = chosen["eval"].astype(str), chosen["tier"].astype(str)
    return {
        "value": solution.value,
        "bound": solution.bound,
        "status": solution.status,
        "deep": tier_share(menu, solution.options, DEPTH),
        "shares": {name: spent / total if total > 0 else 0.0 for name, spent in shares.items()},
        "tiers": dict(zip(evals.tolist(), tiers.tolist(), strict=True)),
        "options": list(solution.options),
    }


def _point(
    basis: Basis, own: Solution, figures: Sequence[Assumed], method: Method, point: Sequence[float]
) -> dict[str, Any]:
    assumed, level = figures[int(point[0])], float(point[1])
    menu, solution = plan_under(basis, {assumed: level}, method, own)
    there = set(own.options) <= set(map(str, menu.options.index))
    held = searched_value(menu, own.options) if there else None
    return {**summary(menu, solution), "base_value": held}


def levels_at(figures: Sequence[Assumed], unit: Array) -> Array:
    """Return levels for even draws from the unit cube, of shape (n_points, n_figures).

    Figures of the menu range evenly. Those that ask for a new menu take three levels, the low end,
    the one in use and the high end, with odds of 1 : 4 : 1, which have the mean, variance and
    skewness of an even spread where the level in use is the middle.
    """
    low, high = np.array([a.low for a in figures]), np.array([a.high for a in figures])
    middle = np.array([a.mid for a in figures])
    three = np.where(unit < EDGE, low, np.where(unit > 1 - EDGE, high, middle))
    remade = np.array([a.kind in ON_INPUTS for a in figures])
    return np.where(remade, three, low + unit * (high - low))


def mixes_under(
    basis: Basis,
    figures: Sequence[Assumed],
    points: Sequence[Sequence[float]],
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> list[dict[str, Any]]:
    """Return the summary of the best mix with every figure at a level of its own, point by point.

    A point has a level per figure; those that ask for a new menu must be at their low, mid or high
    one, else an InputError. The sweep's points are batches of plans on menus they share.
    """
    shared = {k: a for k, a in enumerate(figures) if a.kind in ON_INPUTS}
    groups: dict[tuple[float, ...], list[int]] = {}
    for place, point in enumerate(points):
        for k, a in shared.items():
            if point[k] not in (a.low, a.mid, a.high):
                raise InputError(
                    f"{a.name} must be at {a.low:g}, {a.mid:g} or {a.high:g}, got {point[k]:g}; "
                    "menus are built for these only"
                )
        groups.setdefault(tuple(float(point[k]) for k in shared), []).append(place)
    batches = [
        places[start : start + BATCH]
        for places in groups.values()
        for start in range(0, len(places), BATCH)
    ]
    tried = [[list(map(float, points[k])) for k in places] for places in batches]
    answers = swept(_batch, tried, basis, tuple(figures), method, sweep=sweep)
    found: list[dict[str, Any]] = [{}] * len(points)
    for places, answer in zip(batches, answers, strict=True):
        for place, mix in zip(places, answer, strict=True):
            found[place] = mix
    return found


def _batch(
    basis: Basis, figures: tuple[Assumed, ...], method: Method, points: Sequence[Sequence[float]]
) -> list[dict[str, Any]]:
    out = []
    for point in points:
        menu = basis.menu_under(dict(zip(figures, point, strict=True)))
        out.append(summary(menu, solve(basis.question.on(menu), method)))
    return out


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Stability:
    """Inclusion probabilities.

    Evals have one row for each that is in any mix, the most frequent first: included (share of the
    mixes it is in), deep (share it is run with max elicitation in), core.
    """

    evals: pd.DataFrame
    options: pd.Series  # share of the mixes each option is in, only those above 0
    deep: tuple[float, float, float]  # mean, 5 % and 95 % over mixes, of the usd's share on depth
    n_mixes: int

    def __str__(self) -> str:
        core = self.evals.index[self.evals["core"]].astype(str).tolist()
        fringe = self.evals.index[~self.evals["core"]].astype(str).tolist()
        return (
            f"Over {self.n_mixes} mixes the core is {listing(core) or 'empty'}; "
            f"the fringe is {listing(fringe) or 'empty'}."
        )


def stability_over_draws(
    question: Question, *, most: int = 64, method: Method = Certified(), sweep: Sweep | None = None
) -> Stability:
    """Return how stable the mix is over posterior draws of what the options tell."""
    draws = question.menu.information_draws
    count = 0 if draws is None else len(draws)
    points = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)).tolist()
    return gathered(swept(_draw, points, question, method, sweep=sweep))


def stability_over_assumptions(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    samples: int = 64,
    seed: int = 0,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Stability:
    """Return how stable the mix is over a Latin hypercube of the assumed figures.

    Figures that ask for a new menu are drawn together, one combination for every `SHARED` mixes,
    each at its low end, its level in use or its high end (see `levels_at`); without a catalogue
    and posterior to build from they are held.
    """
    figures = varied(basis, assumptions)
    rng = np.random.default_rng(seed)
    unit = qmc.LatinHypercube(len(figures), rng=rng).random(samples)
    few = qmc.LatinHypercube(len(figures), rng=rng).random(-(-samples // SHARED))
    remade = np.array([a.kind in ON_INPUTS for a in figures], dtype=bool)
    unit[:, remade] = np.repeat(few, SHARED, axis=0)[:samples, remade]
    points = levels_at(figures, unit).tolist()
    return gathered(mixes_under(basis, figures, points, method=method, sweep=sweep))


def varied(basis: Basis, assumptions: Sequence[Assumed]) -> tuple[Assumed, ...]:
    """Return the figures that can be varied with what the basis holds."""
    whole = basis.catalogue is not None and basis.posterior is not None
    return tuple(a for a in assumptions if whole or a.kind in ON_MENU)


def _draw(question: Question, method: Method, draw: int) -> dict[str, Any]:
    draws = question.menu.information_draws
    assert draws is not None  # points come from them
    own = replace(question.lean.menu, information=draws[draw])
    return summary(own, solve(question.on(own), method))


def gathered(mixes: Sequence[Mapping[str, Any]]) -> Stability:
    """Return how often every eval and option is in summaries of mixes, see `summary`."""
    n = len(mixes)
    tiers = [item for mix in mixes for item in mix["tiers"].items()]
    included, deepened = Counter(e for e, _ in tiers), Counter(e for e, t in tiers if t == DEPTH)
    options = Counter(name for mix in mixes for name in mix["options"])
    counts = {"included": included, "deep": {name: deepened[name] for name in included}}
    evals = pd.DataFrame(counts, dtype=np.float64) / n
    evals = evals.sort_values(["included", "deep"], ascending=False, kind="stable")
    evals.index.name = "eval"
    shares = np.array([mix["deep"] for mix in mixes]) if n else np.zeros(1)
    low, high = np.quantile(shares, [0.05, 0.95])
    frequency = pd.Series({name: count / n for name, count in options.items()}, dtype=np.float64)
    evals = evals.assign(core=evals["included"] >= CORE)
    frequency = frequency.sort_values(ascending=False, kind="stable")
    return Stability(evals, frequency, (float(shares.mean()), float(low), float(high)), n)


def resampled(observations: Observations, seed: int) -> Observations:
    """Return results as they might have come out instead.

    Runs are drawn again with replacement, whole tasks at a time within each eval and AI model.
    Where only summaries are known they are drawn again from what they say: outcomes of a cell
    multinomially, its means and sds of ln spend as those of normal samples, counts binomially, and
    scores normally around themselves.
    """
    rng = np.random.default_rng(seed)
    drawn = {"cells": _cells, "runs": _runs, "counts": _counts, "scores": _scores}
    tables = {name: getattr(observations, name) for name in drawn}
    fresh: dict[str, Any] = {
        name: drawn[name](table, rng) for name, table in tables.items() if len(table)
    }
    return replace(observations, **fresh)


def stability_over_observations(
    question: Question,
    catalogue: Catalogue,
    observations: Observations,
    *,
    resamples: int = 20,
    draws: int = 500,
    tune: int = 1000,
    chains: int = 2,
    seed: int = 0,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> Stability:
    """Return how stable the mix is when the results are drawn again and fitted anew.

    Each resample is a fit: minutes where the other analyses take seconds, so give a checkpoint. Of
    the question the menu is not looked at. Draws, tune and chains are of every fit, fewer than a
    plan of record needs, as only the mix is compared.
    """
    settings = {"draws": draws, "tune": tune, "chains": chains}
    seeds = np.random.SeedSequence(seed).generate_state(resamples).tolist()
    held = (question.lean, catalogue, observations, settings, method)
    return gathered(swept(_refitted, seeds, *held, sweep=sweep))


def _refitted(
    question: Question,
    catalogue: Catalogue,
    observations: Observations,
    settings: dict[str, Any],
    method: Method,
    seed: int,
) -> dict[str, Any]:
    posterior = fit(catalogue, resampled(observations, seed), seed=seed, **settings)
    menu, _ = build_menu(posterior, catalogue, with_draws=False)
    return summary(menu, solve(question.on(menu), method))


def _cells(cells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    out = cells.copy()
    counts = cells[list(OUTCOMES)].to_numpy(dtype=np.int64)
    fresh = np.array(
        [rng.multinomial(row.sum(), row / row.sum()) if row.sum() else row for row in counts]
    )
    out[list(OUTCOMES)] = fresh
    for k, kind in enumerate(("success", "gave_up")):
        n = fresh[:, k]
        mean = cells[f"mean_ln_spend_{kind}"].to_numpy(dtype=np.float64)
        sd = cells[f"sd_ln_spend_{kind}"].to_numpy(dtype=np.float64)
        error = np.where(np.isfinite(sd), sd, 0.0) / np.sqrt(np.maximum(n, 1))
        drawn = mean + error * rng.standard_normal(len(n))
        out[f"mean_ln_spend_{kind}"] = np.where(n > 0, drawn, np.nan)
        freedom = np.maximum(n - 1, 1)
        spread = sd * np.sqrt(rng.chisquare(freedom) / freedom)
        out[f"sd_ln_spend_{kind}"] = np.where(n > 1, spread, np.nan)
    return out


def _runs(runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    parts = []
    for _, group in runs.groupby(["eval", "ai_model"], sort=True):
        tasks = [own for _, own in group.groupby("task", sort=True, dropna=False)]
        parts += [tasks[k] for k in rng.integers(len(tasks), size=len(tasks))]
    return pd.DataFrame(pd.concat(parts, ignore_index=True))


def _counts(counts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = counts["n_runs"].to_numpy(dtype=np.int64)
    share = counts["n_success"].to_numpy(dtype=np.float64) / np.maximum(n, 1)
    return counts.assign(n_success=rng.binomial(n, share))


def _scores(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    error = scores["standard_error"].to_numpy(dtype=np.float64)
    return scores.assign(score=scores["score"] + error * rng.standard_normal(len(error)))
