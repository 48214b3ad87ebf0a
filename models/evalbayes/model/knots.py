r"""Knots: the difficulties at which shown capability and gap are told, a few in every domain.

What an AI model shows on tasks of difficulty h is s(h), Brownian motion along difficulty:
increments between knots are N(0, σ_W²·distance). Its gap is δ(h), ln δ a stationary process with
correlation exp(−distance/ρ). Every threshold of a domain is a knot; evals that lie close together
share one, and one at a threshold reads the threshold's. What evals of a knot differ by is part of
their private errors. An eval of unknown difficulty lies at its mean difficulty.

The processes are told outward from a domain's reference knot, where most results are: the sampler
sees no knot beyond what evidence bears on, and the others follow by independent increments.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.catalogue import Catalogue
from evalbayes.posterior.placing import threshold_places

NEAR = 1.0  # units of difficulty that evals of one knot may span ...
MOST = 8.0  # ... or the domain's whole span over this, where that is more


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Knots:
    """Places on the difficulty axes; the first are the domains' (first) thresholds, in order."""

    # domain, place: of every knot, (n_knots,)
    domain: Index
    place: Array
    # reach: weight of every knot in every eval, (n_evals, n_knots): its loadings, at its difficulty
    reach: Array
    reference: Index  # knot of every domain from which the processes are told, (n_domains,)

    def __len__(self) -> int:
        return len(self.place)

    @property
    def parent(self) -> Index:
        """Next knot towards the reference, (n_knots,); −1 of a reference."""
        parent = np.full(len(self), -1)
        for d, reference in enumerate(self.reference):
            own = np.flatnonzero(self.domain == d)
            own = own[np.argsort(self.place[own], kind="stable")]
            at = int(np.flatnonzero(own == reference)[0])
            parent[own[:at]], parent[own[at + 1 :]] = own[1 : at + 1], own[at:-1]
        return parent

    @property
    def step(self) -> Array:
        """Distance to the parent, (n_knots,); 0 of a reference."""
        return np.where(self.parent < 0, 0.0, np.abs(self.place - self.place[self.parent]))

    def path(self, knot: int) -> list[int]:
        """Knots from this one to the reference, which is the last."""
        found = [int(knot)]
        while self.parent[found[-1]] >= 0:
            found.append(int(self.parent[found[-1]]))
        return found

    @cached_property
    def paths(self) -> "Paths":
        """Ways of all knots at once."""
        ways = [self.path(k) for k in range(len(self))]
        longest = max(map(len, ways))
        knot = np.array([way + [way[-1]] * (longest - len(way)) for way in ways])
        place = np.arange(longest)
        last = np.array([[len(way) - 1] for way in ways])
        inner = place < last
        return Paths(
            knot,
            np.abs(self.place[knot] - self.place[:, None]),
            np.where(inner, self.step[knot], 1.0),
            (place == last).astype(float),
            inner.astype(float),
        )


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Paths:
    """The way of every knot to its reference, padded with that: arrays of (n_knots, longest).

    `knot` on the way, its `distance` from the first, its `step` (1 where it has none), and whether
    it is the reference (`first`, once) or comes before it (`inner`).
    """

    knot: Index
    distance: Array
    step: Array
    first: Array
    inner: Array


def knots_of(
    catalogue: Catalogue, loadings: Array, difficulty: Array, centre: Array, pair_eval: Index
) -> Knots:
    """Place the knots of every domain.

    Loadings are of shape (n_evals, n_domains), difficulties of (n_evals,); `centre` is where a
    domain lies that no threshold of its own places. The reference is where most pairs with evidence
    are.
    """
    n_evals, n_domains = loadings.shape
    domain, place = list(range(n_domains)), [0.0] * n_domains
    columns = [np.zeros(n_evals) for _ in range(n_domains)]
    pairs = np.bincount(pair_eval, minlength=n_evals)
    reference = np.zeros(n_domains, dtype=np.int64)
    for d, spec in enumerate(catalogue.domains):
        thresholds = threshold_places(catalogue, spec.name) or [float(centre[d])]
        place[d] = thresholds[0]
        at = [d]
        for threshold in thresholds[1:]:
            at.append(len(place))
            domain.append(d)
            place.append(threshold)
            columns.append(np.zeros(n_evals))
        own = np.flatnonzero(loadings[:, d])
        span = np.ptp([*difficulty[own], *thresholds])
        width = max(NEAR, float(span) / MOST)
        for group in _groups(difficulty[own], width):
            members = own[group]
            middle = float(difficulty[members].mean())
            nearest = at[int(np.argmin(np.abs(np.array(thresholds) - middle)))]
            if abs(place[nearest] - middle) > width / 2:
                nearest = len(place)
                domain.append(d)
                place.append(middle)
                columns.append(np.zeros(n_evals))
            columns[nearest][members] = loadings[members, d]
        results = [
            float(pairs @ (column != 0)) if domain[k] == d else -1.0
            for k, column in enumerate(columns)
        ]
        reference[d] = int(np.argmax(results)) if max(results) > 0 else d
    return Knots(np.array(domain), np.array(place), np.stack(columns, axis=1), reference)


def _groups(values: Array, width: float) -> list[list[int]]:
    """Positions of values that lie within `width` of each other, from the least value up.

    >>> _groups(np.array([3.0, 0.0, 0.5, 1.2]), 1.0)
    [[1, 2], [3], [0]]
    """
    groups: list[list[int]] = []
    for k in np.argsort(values, kind="stable"):
        if groups and values[k] - values[groups[-1][0]] <= width:
            groups[-1].append(int(k))
        else:
            groups.append([int(k)])
    return groups


def faded(knots: Knots, rows: Index, of: Index, range_: Any, innovations: Any, xp: Any) -> Any:
    r"""Return a stationary process of mean 0 and variance 1 at some knots, for arrays and graphs.

    At the reference it is its innovation; outward z_k = r_k·z_parent + √(1 − r_k²)·ε_k with r =
    exp(−step/ρ), so that z_k = Σ over the path of exp(−distance/ρ)·√(1 − r²)·ε. `rows` are the
    knots told of, (n,); `of` the entry of `innovations`, standard normal, (..., n_innovations), of
    every knot on the path of every row, (n, longest path), as `Paths` orders them; `range_` is ρ by
    knot; `xp` numpy or pytensor.tensor.
    """
    paths = knots.paths
    rho = range_[..., rows][..., None]
    own = (1.0 - xp.exp(-2.0 * paths.step[rows] / rho)) ** 0.5
    weight = xp.exp(-paths.distance[rows] / rho) * (paths.first[rows] + paths.inner[rows] * own)
    return (weight * innovations[..., of]).sum(axis=-1)
