"""An eval like one there is, of tasks as hard as a threshold: what its options would tell."""

from dataclasses import replace

import numpy as np

from evalbayes.catalogue import Catalogue, Interval
from evalbayes.menu import Menu
from evalbayes.menus.build import build_menu
from evalbayes.posterior.placing import SAME, placed
from evalbayes.posterior.posterior import DIMENSIONS, SEEN, Posterior


def menu_elsewhere(posterior: Posterior, catalogue: Catalogue, name: str, threshold: float) -> Menu:
    """Return the menu of an eval like `name` but for its difficulty, which is a threshold's.

    It is of the same price, hours, spends and family; its own errors are its own, and nothing has
    been run of it. States are those of the menu of `posterior` and `catalogue`.
    """
    posterior = placed(posterior, catalogue)
    i, n = posterior.index_of("eval", name), len(posterior.evals)
    rows = [*range(n), i]
    draws = {
        key: array.take(rows, axis=1) if DIMENSIONS[key][0] == "eval" else array.copy()
        for key, array in posterior.draws.items()
    }
    rng = np.random.default_rng([i, 19])
    for key, sd in (("private_error", "validity_sd"), ("gap_departure", "gap_departure_sd")):
        luck = rng.standard_normal(draws[key][:, n].shape)
        draws[key][:, n] = posterior.in_unit_of(i, sd)[:, None] * luck
    draws["difficulty"][:, n] += threshold - draws["difficulty"][:, n].mean()
    at = np.abs(posterior.knot_place - threshold) <= SAME
    reach = posterior.reach[rows]
    for d in np.flatnonzero(posterior.loadings[i]):
        own = np.flatnonzero(posterior.knot_domain == d)
        there = own[
            np.argmin(np.where(at[own], -1.0, np.abs(posterior.knot_place[own] - threshold)))
        ]
        reach[n, own] = 0.0
        reach[n, there] = posterior.loadings[i, d]
    pairs = {key: getattr(posterior, key)[rows] for key in ("n_runs", *SEEN)}
    for values in pairs.values():
        values[n] = 0
    spec = catalogue.eval(name).model_copy(
        update={"name": f"{name} at the threshold", "difficulty": Interval(threshold, threshold)}
    )
    wider = replace(
        posterior,
        evals=(*posterior.evals, spec.name),
        draws=draws,
        loadings=posterior.loadings[rows],
        family_of=posterior.family_of[rows],
        spend_weights=np.asarray(posterior.spend_weights)[rows],
        reach=reach,
        **pairs,
    )
    beside = dict.fromkeys(("elicitations", "tariffs", "studies"), ())
    alone = catalogue.model_copy(update={"evals": (spec,), **beside})
    return build_menu(wider, alone, with_draws=False)[0]
