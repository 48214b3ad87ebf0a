"""Families of spend carried into the posterior: every draw of a curve has one, by stacking weight.

Capability is learned under the lognormal, whose likelihood needs sums only. A draw of an eval that
falls to another family takes from the cell's own posterior under that family what differs from
its posterior under the lognormal: median, width and tail of the spend, and the plateau. The
plateau's shift, at the same quantile, goes to the eval's private error, so that curves keep
passing through the success that was seen; the capability of the AI model stays.
"""

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from evalbayes.arrays import Array, Index, Positions
from evalbayes.curves.families.selection import Selection
from evalbayes.curves.law import STACKED, WIDTHS
from evalbayes.posterior.posterior import Posterior

STEEPEST_TAIL = 30.0  # a Burr member beyond is a power law with an edge: kept at its tail index


def carried(posterior: Posterior, selection: Selection, seed: int) -> dict[str, Array]:
    """Return the draws with families of spend by stacking weight.

    Those of the posterior have lognormal spends; `seed` is of which draw has which family.
    """
    draws = posterior.draws
    new = {**draws}
    if not selection.cells:
        return new
    for key in ("success_location", "private_error", "spend_width", "spend_tail", "spend_family"):
        new[key] = draws[key].copy()
    rng = np.random.default_rng([seed, 3])
    weights = selection.weights_of(posterior.evals)
    every = list(selection.cells)
    for i, name in enumerate(posterior.evals):
        family = _families(weights[i], posterior.n_draws, rng)
        if not family.any():
            continue
        donors = [key for key in every if key[0] == name] or every
        for m, ai_model in enumerate(posterior.ai_models):
            own = (name, ai_model) in selection.cells
            ranks = rankdata(posterior.logits(m, evals=[i])[:, 0], method="ordinal") if own else 0.0
            quantile = (np.asarray(ranks) - 0.5) / posterior.n_draws  # strictly between 0 and 1
            for k in np.unique(family[family > 0]):
                rows = np.flatnonzero(family == k)
                if own:
                    cell = selection.cells[name, ai_model]
                    slope = posterior.in_unit_of(i, "slope")[rows, m]
                    _from_own(new, cell, STACKED[k], rows, quantile[rows], slope, i, m)
                else:
                    usable = [key for key in donors if STACKED[k] in selection.cells[key]]
                    _from_others(new, selection, usable, STACKED[k], rows, i, m, rng)
    return new


def _families(weights: Array, n_draws: int, rng: np.random.Generator) -> Index:
    """Family of every draw, in random order, as often as its weight says to within one draw."""
    ends = np.cumsum(weights)
    place = rng.permutation((np.arange(n_draws) + rng.random()) / n_draws) * ends[-1]
    family: Index = np.searchsorted(ends, place, side="right")
    return np.minimum(family, len(weights) - 1)


def _from_own(
    new: dict[str, Array],
    cell: Mapping[str, Array],
    family: str,
    rows: Positions,
    quantile: Array,
    slope: Array,
    i: int,
    m: int,
) -> None:
    """Take shape and plateau from the cell's own posterior, at the quantile of each draw's plateau.

    Slow spend and high plateau go together; pairing by quantile of the plateau keeps that.
    """
    own, plain = cell[family], cell["lognormal"]
    at = np.minimum((quantile * len(own)).astype(int), len(own) - 1)
    at_plain = np.minimum((quantile * len(plain)).astype(int), len(plain) - 1)
    new["private_error"][rows, i, m] += (own[at, 0] - plain[at_plain, 0]) / slope
    new["success_location"][rows, i, m] += own[at, 1] - plain[at_plain, 1]
    _set_shape(new, own[at], family, rows, i, m)


def _from_others(
    new: dict[str, Array],
    selection: Selection,
    donors: list[tuple[str, str]],
    family: str,
    rows: Positions,
    i: int,
    m: int,
    rng: np.random.Generator,
) -> None:
    """Take the shape from cells of other AI models, each draw from one; the plateau stays."""
    if not donors:
        return
    which = rng.integers(len(donors), size=len(rows))
    for j, key in enumerate(donors):
        at = rows[which == j]
        own = selection.cells[key][family]
        _set_shape(new, own[rng.integers(len(own), size=len(at))], family, at, i, m)


def _set_shape(
    new: dict[str, Array], drawn: Array, family: str, rows: Positions, i: int, m: int
) -> None:
    width = np.exp(drawn[:, 2]) / WIDTHS[family]
    tail = np.exp(drawn[:, 3]) if family == "burr" else np.ones(len(rows))
    kept = np.minimum(tail, STEEPEST_TAIL)
    new["spend_width"][rows, i, m] = width * tail / kept  # the same power of spend in the far tail
    new["spend_tail"][rows, i, m] = kept
    new["spend_family"][rows, i, m] = STACKED.index(family)
