"""Scenarios: the same options under several beliefs at once, as one menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.objectives.valuation import valuation
from evalfolio.plans.evaluation import choice_vector
from evalfolio.sensitivities.assumed import ON_COSTS, ON_INPUTS, Assumed
from evalfolio.sensitivities.basis import Basis

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Scenarios:
    """Named menus of the same options at the same prices.

    InputError if options or prices differ, or the probabilities do not sum to 1.

    Parameters
    ----------
    menus
        By name; the first is the one in use. Beliefs, decisions and information may differ.
    probabilities
        One for each; equal by default.
    """

    menus: Mapping[str, Menu]
    probabilities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.menus:
            raise InputError("scenarios: there must be at least one, got none; give one")
        first = next(iter(self.menus.values()))
        for name, menu in self.menus.items():
            same = menu.options.index.equals(first.options.index)
            if not same or not all(
                np.array_equal(getattr(menu, key), getattr(first, key))
                for key in ("costs_with_shared", "needs")
            ):
                raise InputError(
                    f"scenario {name!r}: all scenarios must have the same options at the same "
                    "prices; leave out figures that change the menu's options or costs"
                )
        if not self.probabilities:
            object.__setattr__(self, "probabilities", (1 / len(self.menus),) * len(self.menus))
        if len(self.probabilities) != len(self.menus) or not np.isclose(
            sum(self.probabilities), 1.0
        ):
            raise InputError(
                "scenarios: there must be one probability for each and they must sum to 1, got "
                f"{list(self.probabilities)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(self.menus)

    def values(self, options: Sequence[str]) -> Floats:
        """Return what a mix is worth under every scenario, of shape (n_scenarios,)."""
        out = []
        for menu in self.menus.values():
            out.append(float(valuation(menu).gains(choice_vector(menu, options)).sum()))
        return np.array(out)

    def weighted(self, weights: Sequence[float]) -> Menu:
        """Return one menu whose value of any mix is the weighted sum over the scenarios.

        Every scenario's states stand beside the others', with its decisions' losses times its
        weight: Σ_s w_s Σ_d G_sd(v_sd(x)) is of the form every menu has, so the weighted problem is
        solved, and certified, like any other. Scenarios of the same belief share their states.
        """
        used = [(menu, w) for menu, w in zip(self.menus.values(), weights, strict=True) if w > 0]
        blocks: list[Menu] = []
        place = []
        for menu, _ in used:
            k = next((k for k, block in enumerate(blocks) if same_belief(block, menu)), None)
            if k is None:
                k = len(blocks)
                blocks.append(menu)
            place.append(k)
        n = len(blocks[0].states)
        size = n * len(blocks)
        information = np.zeros((len(blocks[0]), size, size))
        covariance = np.zeros((size, size))
        mean = np.zeros(size)
        for k, block in enumerate(blocks):
            own = slice(k * n, (k + 1) * n)
            information[:, own, own] = block.information
            covariance[own, own] = block.prior_covariance
            mean[own] = block.prior_mean
        decisions = []
        for s, ((menu, w), k) in enumerate(zip(used, place, strict=True)):
            for decision in menu.decisions:
                contrast = np.zeros(size)
                contrast[k * n : (k + 1) * n] = decision.contrast
                decisions.append(
                    replace(
                        decision,
                        name=f"{s} {decision.name}",
                        contrast=contrast,
                        loss_missed=decision.loss_missed * w,
                        loss_false_alarm=decision.loss_false_alarm * w,
                    )
                )
        first = blocks[0]
        states = tuple(f"{k} {name}" for k in range(len(blocks)) for name in first.states)
        return Menu(
            first.options,
            first.resources,
            information,
            states,
            mean,
            covariance,
            tuple(decisions),
            shared=first.shared,
            skewed=tuple(f"{k} {name}" for k, block in enumerate(blocks) for name in block.skewed),
        )


def same_belief(one: Menu, other: Menu) -> bool:
    """Whether two menus differ in their decisions only.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> same_belief(small_menu(), small_menu())
    True
    """
    return one.skewed == other.skewed and all(
        np.array_equal(getattr(one, key), getattr(other, key))
        for key in ("prior_mean", "prior_covariance", "information")
    )


def scenarios_of(basis: Basis, assumptions: Sequence[Assumed]) -> Scenarios:
    """Return the menu in use and, for every figure, the menus at either end of its range.

    Figures that change costs or the options themselves are left out, and so are, without a
    catalogue and posterior, those that ask for a new menu. See `at_costs_of` for the others.
    """
    menus = {"as assumed": basis.lean}
    for assumed in held_costs(basis, assumptions):
        for word, level in (("low", assumed.low), ("high", assumed.high)):
            menus[f"{assumed.name}: {word}"] = basis.menu_under({assumed: level})
    return Scenarios(at_costs_of(menus))


def held_costs(basis: Basis, assumptions: Sequence[Assumed]) -> list[Assumed]:
    """Return the figures under which a mix can be held against others at the same costs."""
    whole = basis.catalogue is not None and basis.posterior is not None
    return [a for a in assumptions if a.kind not in ON_COSTS and (whole or a.kind not in ON_INPUTS)]


def at_costs_of(menus: Mapping[str, Menu]) -> dict[str, Menu]:
    """Return menus with the options that all have, at the costs of the first.

    A larger gap or validity error moves what runs are expected to spend a little; which mix to
    choose before that is known is a question at the costs as assumed.
    """
    first = next(iter(menus.values()))
    common = first.options.index
    for menu in menus.values():
        common = common[common.isin(menu.options.index)]
    if len(common) == len(first) and all(menu.options is first.options for menu in menus.values()):
        return dict(menus)
    options = first.options.loc[common]
    return {
        name: replace(
            menu,
            options=options,
            information=menu.information[menu.options.index.get_indexer(common)],
        )
        for name, menu in menus.items()
    }
