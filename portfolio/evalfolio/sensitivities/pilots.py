r"""Pilot first: run one max-elicitation option, look at its result, then split what is left.

A pilot o takes z from N(μ, Σ) to N(μ + Δ, Σ'), Σ' = (Σ⁻¹ + K_o)⁻¹, where Δ ~ N(0, Σ − Σ') is known
once it has been run. Waiting for it is worth

    V(o) + E_Δ[max_x V(x | Δ)] − max_x V(x),   V(x) = Σ_d G_d(v_d(x)).

For a fixed rest r, V(o) + E_Δ[V(r | Δ)] = V(o ∪ r) exactly: what is expected to be learned does not
depend on when it is looked at. So with r the rest that is best at the expected result it is worked
out as V(o ∪ r) − max_x V(x) + E_Δ[max_x V(x | Δ) − V(r | Δ)]: what it costs that o must be bought,
plus what choosing after Δ adds. V(r | Δ) has a corner where Δ turns the present call, the
difference has none; but it is large only where Δ leaves the call open. So E_Δ is a trapezoidal sum
a quarter of an sd apart along the direction in which the decisions' means move most, and a
Gauss–Hermite sum along the next (K_o has rank two or less). At every node the rest of the budget is
split by a certified solve.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError
from evalfolio.limits import Mandatory
from evalfolio.narrative import DEPTH
from evalfolio.plans.evaluation import searched_value
from evalfolio.search import Certified, Method, Question
from evalfolio.sensitivities.sweep import Sweep, best_at, solve

NODES = (33, 5)  # along the first and the second direction of what a pilot moves
SPAN = 4.0  # sds to either side along the first
LEAST = 0.01  # a second direction with less of the first's variance than this is left out
COLUMNS = ("option", "worth", "worth_low", "worth_high", "share", "changes", "options")


def pilot_first(
    question: Question,
    *,
    options: Sequence[str] | None = None,
    most: int = 4,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> pd.DataFrame:
    """Return what it is worth to run one option first and to split the rest when it is known.

    Time is not charged: where the pilot and the rest cannot both be done in the calendar days there
    are, it is no choice. InputError if an option is not on the menu. Pilots are, unless `options`
    names some, the cheapest max-elicitation option of each eval, the `most` that are worth most by
    themselves.

    One row per pilot, the best first: option, worth (in the unit of the losses; below 0 where the
    pilot had better not be bought), worth_low and worth_high (what the gaps of the solves leave
    open), share (of the value of splitting at once), changes (probability that the mix afterwards
    is not the one that would be chosen at the expected result), options (the mix at the expected
    result).
    """
    asked = question.lean
    lean = asked.menu
    if options is None:
        options = _candidates(asked, most)
    unknown = [name for name in options if name not in lean.options.index]
    if unknown:
        raise InputError(
            f"pilot must be an option of the menu, got {unknown[0]!r}; see menu.options.index"
        )
    now = solve(asked, method)
    points = [[name, k] for name in options for k in range(len(moved(lean, name)[1]))]
    after_all = iter(best_at(_after, points, asked, method=method, sweep=sweep))
    rows = []
    for name in options:
        menus, weights = moved(lean, name)
        after = [next(after_all) for _ in weights]
        if not all(s.feasible for s in after):
            continue
        rest = after[int(np.argmax(weights))].options
        fixed = np.array([searched_value(then, rest) for then in menus])
        adds = weights @ np.maximum([s.value for s in after] - fixed, 0.0)
        possible = weights @ (np.array([s.bound for s in after]) - fixed)
        value, bound = (searched_value(lean, rest) + float(part) for part in (adds, possible))
        differs = np.array([set(s.options) != set(rest) for s in after])
        more, low, high = value - now.value, value - now.bound, bound - now.value
        share, changes = more / now.value if now.value > 0 else 0.0, float(weights[differs].sum())
        rows.append((name, more, low, high, share, changes, rest))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values("worth", ascending=False, kind="stable").reset_index(drop=True)


def moved(menu: Menu, option: str, nodes: tuple[int, ...] = NODES) -> tuple[list[Menu], Array]:
    """Return the menus after each result of a pilot that is reckoned with, and their weights.

    The pilot stays on the menu but tells nothing more. `nodes` are how many results there are in
    each direction.
    """
    row = menu.options.index.get_loc(option)
    before = menu.prior_covariance
    after = np.linalg.inv(np.linalg.inv(before) + menu.information[row])
    after = (after + after.T) / 2
    learned = before - after
    contrasts = np.array([d.contrast for d in menu.decisions])
    means = contrasts @ learned @ contrasts.T
    values, vectors = np.linalg.eigh(means)
    order = np.argsort(values)[::-1][: len(nodes)]
    order = order[values[order] > LEAST * max(float(values.max()), 1e-300)]
    information = menu.information.copy()
    information[row] = 0.0
    base = replace(menu, information=information, prior_covariance=after)
    shifts: Array = np.zeros((1, len(menu.states)))
    weights: Array = np.ones(1)
    for k, direction in enumerate(order):
        x, w = np.polynomial.hermite_e.hermegauss(nodes[k])
        if k == 0:
            x = np.linspace(-SPAN, SPAN, nodes[k])
            w = np.exp(-0.5 * x**2)
        # E[Δ | the decisions' means], a unit of this direction's sd further
        shift = learned @ contrasts.T @ vectors[:, direction] / np.sqrt(values[direction])
        shifts = (shifts[:, None] + x[:, None] * shift).reshape(-1, len(menu.states))
        weights = np.outer(weights, w / w.sum()).ravel()
    return [replace(base, prior_mean=menu.prior_mean + shift) for shift in shifts], weights


def _after(question: Question, point: Sequence[Any]) -> Question:
    name, node = str(point[0]), int(point[1])
    then = moved(question.menu, name)[0][node]
    return question.on(then).under(Mandatory(name))


def _candidates(question: Question, most: int) -> list[str]:
    """Return the cheapest deep option of each eval that fits, those worth most first."""
    menu, spendable = question.menu, question.spendable
    sizes = np.array([spendable.get(name, np.inf) for name in menu.resources])
    deep = np.flatnonzero((menu.options["tier"] == DEPTH).to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(menu.costs_alone / sizes, nan=0.0).max(axis=1)
    cheapest: dict[str, int] = {}
    for row in deep[np.argsort(share[deep], kind="stable")]:
        if share[row] <= 1:
            cheapest.setdefault(str(menu.options["eval"].iloc[row]), int(row))
    names = menu.options.index
    worth = {row: searched_value(menu, [str(names[row])]) for row in cheapest.values()}
    rows = sorted(worth, key=lambda row: (-worth[row], row))[:most]
    return [str(names[row]) for row in rows]
