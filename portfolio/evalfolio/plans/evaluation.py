"""The value of any set of options, hand-made or chosen."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.objectives.valuation import direct_gains, valuation
from evalfolio.value.explained import ExplainedVariance


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Evaluation:
    """What a set of options is worth and uses.

    Parameters
    ----------
    options
        Names of the options.
    value
        Expected value of their information, in the unit of the losses.
    by_decision
        The same, decision by decision; they sum to `value`.
    spend
        Expected use of each resource, shared purchases that the options need included.
    explained
        Variance explained of each decision's y, in squared units.
    """

    options: tuple[str, ...]
    value: float
    by_decision: dict[str, float]
    spend: dict[str, float]
    explained: dict[str, float]


def evaluate(menu: Menu, options: Sequence[str]) -> Evaluation:
    """Value any set of options: Σ_d G_d(v_d), as a plan is valued.

    v_d = cᵀΣc − cᵀM(x)⁻¹c is the variance of the decision's y that the results explain and G_d
    its expected value of sample information; see `evsi`. Where a gap is skewed the value is
    integrated under that belief.

    InputError if a name is not on the menu or comes twice, or two options are of one eval.

    Parameters
    ----------
    menu
        What could be bought.
    options
        Names of the options, as ``menu.options.index`` has them; at most one per eval, none
        is worth 0. Budgets and limits are not looked at.

    Returns
    -------
    Evaluation
        Value in the unit of the losses, use of every resource in its own unit.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> result = evaluate(small_menu(), ["a plateau", "b plateau"])
    >>> result.spend["usd"]
    1100.0
    >>> 0 < result.value < 1
    True
    """
    x = choice_vector(menu, options)
    v = ExplainedVariance(menu, menu.information[None]).at(x)  # one look: as one draw, no factors
    gains = direct_gains(menu, x).tolist()
    names = [decision.name for decision in menu.decisions]
    return Evaluation(
        options=tuple(options),
        value=float(sum(gains)),
        by_decision=dict(zip(names, gains, strict=True)),
        spend=dict(zip(menu.resources, menu.use_of(x).tolist(), strict=True)),
        explained=dict(zip(names, v.tolist(), strict=True)),
    )


def searched_value(menu: Menu, options: Sequence[str]) -> float:
    """Return what options are worth as a search sees it, to compare with what one finds."""
    return float(valuation(menu).gains(choice_vector(menu, options)).sum())


def choice_vector(menu: Menu, options: Sequence[str]) -> Array:
    """Return the choice of zeros and ones for named options, of shape (n_options,)."""
    known = {str(name): position for position, name in enumerate(menu.options.index)}
    x = np.zeros(len(menu))
    owners: dict[str, str] = {}
    evals = menu.options["eval"].astype(str).tolist()
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = "the sheet Menu of plan.xlsx has the names"
            hint = f"did you mean {near[0]!r}?" if near else hint
            raise InputError(f"an option must be on the menu, got {name!r}; {hint}")
        owner = evals[known[name]]
        if owner in owners:
            raise InputError(
                f"at most one option per eval may run, got {owners[owner]!r} and {name!r} of "
                f"{owner!r}; keep one"
            )
        owners[owner] = name
        x[known[name]] = 1.0
    return x
