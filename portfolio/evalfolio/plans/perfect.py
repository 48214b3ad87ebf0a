"""Perfect information: EVPI and EVPPI of every decision, by the menu and by posterior draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalbayes.decision import parts_of
from evalfolio.errors import InputError
from evalfolio.narrative import percent
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of

TOLERATED = 0.15  # error of the menu that needs no mention
BINS = 40  # of the draws of one state: enough to follow the losses, each with many draws
COLUMNS = ["decision", "known", "menu", "normal", "draws", "standard_error", "error"]


def evppi(menu: Menu, known: Sequence[str]) -> dict[str, float]:
    """Return by decision the value of knowing some states exactly, as the menu values mixes.

    G(v) with v = Cov(y, z_S)·Var(z_S)⁻¹·Cov(z_S, y) for the states S, or by integrals where the gap
    is skewed: never below 0, never falling as states are added, never above the EVPI, which knows
    the later gain too. InputError if a name is no state of the menu.

    >>> from evalfolio.examples import small_menu
    >>> menu = small_menu()
    >>> some, more = evppi(menu, menu.states[:1]), evppi(menu, menu.states)
    >>> all(0 <= some[name] <= more[name] for name in some)
    True
    """
    left, found = _left(menu, known), {}
    for decision in menu.decisions:
        calls = calls_of(menu, decision)
        if calls is None:
            v = _explained(menu, left, decision)
            found[decision.name] = float(DecisionValue.of(menu, decision).gain(v))
        elif len(known):
            found[decision.name] = calls.value(calls.contrasts @ left @ calls.contrasts.T)
        else:
            found[decision.name] = 0.0
    return found


def _left(menu: Menu, known: Sequence[str]) -> Array:
    """Return the covariance of the states where some are known exactly."""
    for name in known:
        if name not in menu.states:
            raise InputError(
                f"a state must be one of the menu's, got {name!r}; use one of "
                f"{', '.join(sorted(menu.states))}"
            )
    at = np.array([menu.states.index(name) for name in known], dtype=int)
    covariance = menu.prior_covariance
    towards = covariance[:, at]
    told = towards @ np.linalg.solve(covariance[np.ix_(at, at)], towards.T)
    return np.asarray(covariance - told)


def _explained(menu: Menu, left: Array, decision: Decision) -> float:
    """Return the variance of a decision's y that is explained where so much is left."""
    return float(decision.contrast @ (menu.prior_covariance - left) @ decision.contrast)


def perfect_information(menu: Menu, draws: Array) -> pd.DataFrame:
    """Compare perfect information by the menu with the same by draws, skew and all.

    Draws are of the menu's states, of shape (n_draws, n_states), as
    `evalbayes.menus.states.state_draws` gives them.

    One row per decision and what is known: "capability" (y but for the later gain), its shown part,
    its gap. menu: as the menu values mixes. normal: were the gap normal. draws: the mean over the
    draws of the least expected loss after knowing, from 40 groups of like draws for single states
    (Strong & Oakley 2013, doi:10.1177/0272989X12465490, with steps for splines). standard_error of
    the latter; error: menu over draws, less 1, which is what taking all but the gap as normal, and
    the gap as lognormal, costs.
    """
    rows = []
    for decision in menu.decisions:
        y = draws @ decision.contrast
        losses = decision.expected_losses(y)
        cases: dict[str, tuple[tuple[str, ...], Array]] = {"capability": (tuple(menu.states), y)}
        for part in ("shown", "gap"):
            at = np.flatnonzero(parts_of(menu.states, part) & (decision.contrast != 0))
            if len(at):
                known = tuple(menu.states[i] for i in at)
                cases[part] = (known, draws[:, at] @ decision.contrast[at])
        for words, (known, values) in cases.items():
            by_menu = evppi(menu, known)[decision.name]
            v = _explained(menu, _left(menu, known), decision)
            value, se = _by_draws(losses, values, exact=words == "capability")
            normal = float(DecisionValue.of(menu, decision).gain(v))
            error = by_menu / value - 1.0 if value > 2.0 * se else np.nan
            rows.append((decision.name, words, by_menu, normal, value, se, error))
    return pd.DataFrame(rows, columns=COLUMNS)


def matching_warnings(table: pd.DataFrame) -> list[str]:
    """Say where the menu misjudges by a lot what results are worth, against posterior draws.

    The table is what `perfect_information` returns.
    """
    sentences = []
    for _, row in table[table["known"] == "shown"].iterrows():
        if abs(row["error"]) > TOLERATED:
            way = "less" if row["error"] > 0 else "more"
            sentences.append(
                f"What results tell of {row['decision']} may be worth {percent(abs(row['error']))} "
                f"{way} than stated: belief about its shown capability is not normal, as the plan "
                "takes it to be."
            )
    return sentences


def _by_draws(losses: Array, values: Array, *, exact: bool) -> tuple[float, float]:
    """Return what knowing `values` is worth, and its standard error; exact: they give the loss."""
    now = int(np.argmin(losses.mean(axis=1)))
    known = losses
    if not exact:
        order = np.argsort(values, kind="stable")
        groups = np.empty(len(values), dtype=int)
        groups[order] = np.arange(len(values)) * BINS // len(values)
        size = np.bincount(groups, minlength=BINS)
        known = np.stack([(np.bincount(groups, loss, BINS) / size)[groups] for loss in losses])
    # Against the call that is right now: the same mean as against its loss now, less noise.
    gain = known[now] - known.min(axis=0)
    return float(gain.mean()), float(gain.std() / np.sqrt(len(gain)))
