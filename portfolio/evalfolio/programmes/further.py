"""What can be bought once something has been bought, and which decisions go together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import connected_components

from evalbayes import Menu
from evalbayes.arrays import Array, Flags, Positions
from evalfolio.errors import InputError
from evalfolio.plans.evaluation import choice_vector
from evalfolio.value.explained import ExplainedVariance

Part = tuple[Positions, Flags, bool]

SLACK = 0.02  # of an option's information that a deeper one may fall short of: matching is to 3 %
LEAST = 1e-6  # whitened information below which an option tells nothing more
TOGETHER = 0.5  # of what is told of a decision: with more told by another's evals they go together


def further(menu: Menu, options: Sequence[str]) -> Menu:
    r"""Return the menu once options are bought: the rest, and what goes further than they do.

    The covariance is what their results leave. An option of the same eval tells (K' − K)₊ more,
    the positive part in whitened states. Where it contains what was bought, K' ⪰ K, it costs the
    difference; otherwise all of its price, as it is run anew. Shared purchases made are free.

    >>> from evalfolio.examples import small_menu
    >>> left = further(small_menu(), ["a plateau"])
    >>> left.options["usd"].to_dict()
    {'a max': 8500.0, 'b plateau': 600.0, 'b max': 7000.0, 'c plateau': 900.0}
    """
    x = choice_vector(menu, options)
    root = np.linalg.cholesky(menu.prior_covariance)
    back, whitened = np.linalg.inv(root), root.T @ menu.information @ root
    information, costs = menu.information.copy(), menu.costs.copy()
    keep, evals = np.ones(len(menu), dtype=bool), menu.options["eval"].to_numpy()
    for bought in np.flatnonzero(x):
        same = np.flatnonzero(evals == evals[bought])
        values, vectors = np.linalg.eigh(whitened[same] - whitened[bought])
        contains = values[:, :1] >= -SLACK * np.trace(whitened[bought])
        factor = back.T @ vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        information[same] = factor @ factor.transpose(0, 2, 1)
        keep[same] = np.maximum(values, 0.0).sum(axis=1) > LEAST
        costs[same] -= np.where(contains, np.minimum(costs[bought], costs[same]), 0.0)
    made = menu.bought(x) > 0.5
    return replace(
        menu,
        options=menu.options.assign(**dict(zip(menu.resources, costs.T, strict=True))),
        information=information,
        prior_covariance=left_by(menu.prior_covariance, np.tensordot(x, menu.information, 1)),
        information_draws=None,
        resource_draws=None,
        replicates=None,
        shared=tuple(each for each, done in zip(menu.shared, made, strict=True) if not done),
    ).subset(keep)


def left_by(covariance: Array, information: Array) -> Array:
    """Return the covariance of the states that readings of so much information leave."""
    root = np.linalg.cholesky(covariance)
    left = root @ np.linalg.inv(np.eye(len(root)) + root.T @ information @ root) @ root.T
    return np.asarray((left + left.T) / 2)


def parts_of(menu: Menu) -> list[Part]:
    """Return the parts of a menu: decisions, options, and whether nothing at all ties it to others.

    Decisions go together where one's evals, those that tell most of it, tell more than half of what
    all evals tell of the other (levels of a domain, say), or need one shared purchase.

    >>> from evalfolio.examples import small_menu
    >>> [(int(options.sum()), apart) for _, options, apart in parts_of(small_menu())]
    [(4, True), (1, True)]
    """
    if menu.tariffs:
        raise InputError(
            "stages cannot follow a [[tariff]] over their parts yet; plan at once and replan"
        )
    explained, n = ExplainedVariance(menu), len(menu)
    alone = explained.exchanged(np.zeros(n), np.full(n, -1), np.arange(n)) / explained.prior
    home = np.where(alone.max(axis=1, initial=0.0) > LEAST**2, alone.argmax(axis=1), -1)
    of = home == np.arange(len(menu.decisions))[:, None]
    told, most = np.array([explained.at(own * 1.0) for own in of]), explained.at(np.ones(n))
    share = np.divide(told, most, out=np.zeros_like(told), where=most > 0)
    believed = np.abs(explained.contrasts @ explained.contrasts.T) / explained.prior
    once = of @ menu.needs @ (of @ menu.needs).T > 0
    tied = np.maximum(share, believed) > LEAST**2
    _, label = connected_components((share > TOGETHER) | once, directed=False)
    inside = [label == k for k in dict.fromkeys(label.tolist())]
    return [
        (np.flatnonzero(m), of[m].any(axis=0), not ((tied | tied.T | once)[m][:, ~m]).any())
        for m in inside
    ]
