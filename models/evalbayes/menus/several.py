"""Several AI models in one menu: which gets what, and what one tells of the other.

Each AI model has its own options, states and decisions; a budget is shared, and so is what is
built once for elicitation. What one tells of another is the covariance of their states under the
posterior (lineage, population, what evals of both read too high).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from evalbayes.arrays import Array, Positions
from evalbayes.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.menu import Menu, SharedPurchase
from evalbayes.menus.build import build_menu
from evalbayes.menus.states import States, states_of, with_lognormal
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior

NEARLY = 1.0 - 1e-6  # the strongest tie of two AI models that leaves a belief about both


def menu_of_several(
    posterior: Posterior, catalogue: Catalogue, ai_models: Sequence[str], *, seed: int = 0
) -> Menu:
    """Return the menus of several AI models as one: names begin with the AI model's.

    InputError if a name comes twice or is not known, or there are fewer than two.

    Parameters
    ----------
    posterior
        Belief about all of them.
    catalogue
        Evals, prices and stakes, which are the same for each.
    ai_models
        Two or more names that the posterior knows.
    seed
        As `menu_of` has it.
    """
    names = list(dict.fromkeys(ai_models))
    if len(names) < 2 or len(names) < len(ai_models):
        raise InputError(
            "several AI models must be two or more, each once, got "
            f"{', '.join(map(repr, ai_models)) or 'none'}; for one leave them out"
        )
    menus, states = [], []
    for name in names:
        of = catalogue.portfolio.model_copy(update={"ai_model": name})
        own = catalogue.model_copy(update={"portfolio": of})
        states.append(states_of(placed(posterior, own), own))
        menus.append(_named(build_menu(posterior, own, seed=seed)[0], name))
    mean, covariance = _together(states)
    sizes = [len(menu.states) for menu in menus]
    ends = np.cumsum([0, *sizes])

    def wide(array: Array, k: int, axes: int) -> Array:
        """Put zeros for the other AI models' states around the last axes."""
        around = (ends[k], ends[-1] - ends[k + 1])
        return np.pad(array, [(0, 0)] * (array.ndim - axes) + [around] * axes)

    decisions = [
        replace(decision, contrast=wide(decision.contrast, k, 1))
        for k, menu in enumerate(menus)
        for decision in menu.decisions
    ]
    resources = menus[0].resources
    draws = [menu.resource_draws for menu in menus]
    return Menu(
        options=pd.concat([menu.options for menu in menus]),
        resources=resources,
        information=np.concatenate([wide(m.information, k, 2) for k, m in enumerate(menus)]),
        states=tuple(name for menu in menus for name in menu.states),
        prior_mean=mean,
        prior_covariance=covariance,
        decisions=tuple(decisions),
        resource_draws=np.concatenate([each for each in draws if each is not None], axis=1),
        skewed=tuple(name for menu in menus for name in menu.skewed),
        no_anchor={key: why for menu in menus for key, why in menu.no_anchor.items()},
        shared=_built_once(menus),
        tariffs=menus[0].tariffs,
    )


def _named(menu: Menu, ai_model: str) -> Menu:
    """Return a menu whose options, evals, domains, states and decisions begin with the AI model."""

    def own(name: object) -> str:
        return f"{ai_model}: {name}"

    named = {column: menu.options[column].map(own) for column in ("eval", "domain")}
    options = menu.options.assign(ai_model=ai_model, **named)
    return replace(
        menu,
        options=options.set_index(options.index.map(own).rename("option")),
        states=tuple(map(own, menu.states)),
        decisions=tuple(replace(each, name=own(each.name)) for each in menu.decisions),
        skewed=tuple(map(own, menu.skewed)),
        no_anchor={own(name): why for name, why in menu.no_anchor.items()},
        shared=tuple(replace(s, needed_by=tuple(map(own, s.needed_by))) for s in menu.shared),
        information_draws=None,
        replicates=None,
    )


def _built_once(menus: Sequence[Menu]) -> tuple[SharedPurchase, ...]:
    """Return shared purchases, each once for all AI models."""
    found: dict[str, SharedPurchase] = {}
    for each in (purchase for menu in menus for purchase in menu.shared):
        before = found.get(each.name, replace(each, needed_by=()))
        found[each.name] = replace(before, needed_by=(*before.needed_by, *each.needed_by))
    return tuple(found.values())


def _together(states: Sequence[States]) -> tuple[Array, Array]:
    """Mean and covariance of all states: each AI model's own, and what the draws tie together.

    Ties are correlations of draws whitened by their own covariance, gaps by their logarithms;
    singular values that chance alone gives (Marchenko & Pastur) are left out. So the whole stays
    positive definite, whatever each AI model's own moments are.
    """
    means, roots, whitened, skewed = [], [], [], []
    for each in states:
        gaps = np.isin(each.names, each.skewed) & (each.draws > 0).all(axis=0)
        mean, covariance = _logs(each.mean, each.covariance, np.flatnonzero(gaps))
        draws = np.where(gaps, np.log(np.where(gaps, each.draws, 1.0)), each.draws)
        draws = draws - draws.mean(axis=0)
        own = draws.T @ draws / len(draws)
        own[np.diag_indices_from(own)] *= 1.0 + 1e-9
        own[np.diag_indices_from(own)] += 1e-12
        means.append(mean)
        roots.append(np.linalg.cholesky(covariance))
        whitened.append(np.linalg.solve(np.linalg.cholesky(own), draws.T))
        skewed.append(gaps)
    whole = block_diag(*(root @ root.T for root in roots))
    ends = np.cumsum([0, *(len(mean) for mean in means)])
    for a in range(len(states)):
        for b in range(a):
            n = whitened[a].shape[1]
            left, ties, right = np.linalg.svd(whitened[a] @ whitened[b].T / n, full_matrices=False)
            chance = (np.sqrt(len(whitened[a])) + np.sqrt(len(whitened[b]))) / np.sqrt(n)
            ties = np.where(ties > chance, np.minimum(ties, NEARLY / (len(states) - 1)), 0.0)
            cross = roots[a] @ (left * ties) @ right @ roots[b].T
            rows, columns = slice(ends[a], ends[a + 1]), slice(ends[b], ends[b + 1])
            whole[rows, columns], whole[columns, rows] = cross, cross.T
    places = tuple(np.flatnonzero(np.concatenate(skewed)).tolist())
    return with_lognormal(np.concatenate(means), whole, places)


def _logs(mean: Array, covariance: Array, at: Positions) -> tuple[Array, Array]:
    """Return moments of the logarithms of some states, which are lognormal (`with_lognormal`)."""
    scale = np.ones(len(mean))
    scale[at] = mean[at]
    out = covariance / np.outer(scale, scale)
    both = np.ix_(at, at)
    out[both] = np.log1p(out[both])
    new = mean.copy()
    new[at] = np.log(mean[at]) - np.diag(out)[at] / 2.0
    return new, out
