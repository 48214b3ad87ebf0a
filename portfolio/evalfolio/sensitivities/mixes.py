"""Best mixes under many figures at once: menus that must be built again are built once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.narrative import DEPTH, listing
from evalfolio.search.answer import Method
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import ON_INPUTS, ON_MENU, Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.sweep import Sweep, solve, swept
from evalfolio.sensitivities.tornado import summary

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations


BATCH = 16  # plans worked out together, on menus they share
EDGE = 1 / 6  # with these odds at either end, three levels have an even spread's first moments


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
    shared = [k for k, a in enumerate(figures) if a.kind in ON_INPUTS]
    for point in points:
        for k in shared:
            a = figures[k]
            if point[k] not in (a.low, a.mid, a.high):
                raise InputError(
                    f"{a.name} must be at {a.low:g}, {a.mid:g} or {a.high:g}, got {point[k]:g}; "
                    "menus are built for these only"
                )
    groups: dict[tuple[float, ...], list[int]] = {}
    for place, point in enumerate(points):
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


SHARED = 8  # mixes that share the figures that ask for a new menu
CORE = 0.9  # evals in at least this share of the mixes are the core, the others the fringe


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
    evals = pd.DataFrame(
        {
            "included": {name: count / n for name, count in included.items()},
            "deep": {name: deepened[name] / n for name in included},
        },
        dtype=np.float64,
    )
    evals = evals.sort_values(["included", "deep"], ascending=False, kind="stable")
    evals.index.name = "eval"
    shares = np.array([mix["deep"] for mix in mixes]) if n else np.zeros(1)
    low, high = np.quantile(shares, [0.05, 0.95])
    frequency = pd.Series({name: count / n for name, count in options.items()}, dtype=np.float64)
    return Stability(
        evals.assign(core=evals["included"] >= CORE),
        frequency.sort_values(ascending=False, kind="stable"),
        (float(shares.mean()), float(low), float(high)),
        n,
    )


OUTCOMES = ("n_success", "n_gave_up", "n_stopped")


def resampled(observations: Observations, seed: int) -> Observations:
    """Return results as they might have come out instead.

    Runs are drawn again with replacement, whole tasks at a time within each eval and AI model.
    Where only summaries are known they are drawn again from what they say: outcomes of a cell
    multinomially, its means and sds of ln spend as those of normal samples, counts binomially, and
    scores normally around themselves.
    """
    rng = np.random.default_rng(seed)
    return replace(
        observations,
        cells=_cells(observations.cells, rng),
        runs=_runs(observations.runs, rng),
        counts=_counts(observations.counts, rng),
        scores=_scores(observations.scores, rng),
    )


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
    from evalbayes.menus import build_menu
    from evalbayes.model.fit import fit

    posterior = fit(catalogue, resampled(observations, seed), seed=seed, **settings)
    menu, _ = build_menu(posterior, catalogue, with_draws=False)
    return summary(menu, solve(question.on(menu), method))


def _cells(cells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if cells.empty:
        return cells
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
        out[f"mean_ln_spend_{kind}"] = np.where(
            n > 0, mean + error * rng.standard_normal(len(n)), np.nan
        )
        freedom = np.maximum(n - 1, 1)
        spread = sd * np.sqrt(rng.chisquare(freedom) / freedom)
        out[f"sd_ln_spend_{kind}"] = np.where(n > 1, spread, np.nan)
    return out


def _runs(runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if runs.empty:
        return runs
    parts = []
    for _, group in runs.groupby(["eval", "ai_model"], sort=True):
        tasks = [own for _, own in group.groupby("task", sort=True, dropna=False)]
        parts += [tasks[k] for k in rng.integers(len(tasks), size=len(tasks))]
    return pd.DataFrame(pd.concat(parts, ignore_index=True))


def _counts(counts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if counts.empty:
        return counts
    n = counts["n_runs"].to_numpy(dtype=np.int64)
    share = counts["n_success"].to_numpy(dtype=np.float64) / np.maximum(n, 1)
    return counts.assign(n_success=rng.binomial(n, share))


def _scores(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if scores.empty:
        return scores
    error = scores["standard_error"].to_numpy(dtype=np.float64)
    return scores.assign(score=scores["score"] + error * rng.standard_normal(len(error)))
