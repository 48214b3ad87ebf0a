"""The clash named is a smallest one and the mend a least one: against enumeration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.limits import (
    Affine,
    Ceiling,
    EveryDomain,
    Excludes,
    Floor,
    Forbidden,
    Limit,
    Mandatory,
    MaxEvals,
    MinEvals,
    Requires,
    ZeroOrAtLeast,
)
from evalfolio.limits.infeasible import Change, check_feasible, explain_infeasible
from evalfolio.search.question import Question

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]


def meets(constraint: Any, menu: Menu, choices: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which choices meet a constraint for some value of its one extra binary, if any."""
    limits = constraint.rows(menu)
    size = np.abs(limits.matrix).max(axis=1).toarray().ravel() + 1e-300
    found = np.zeros(len(choices), dtype=bool)
    for extra in (0.0, 1.0) if limits.n_extra else (0.0,):
        points = np.column_stack([choices, np.full((len(choices), limits.n_extra), extra)])
        use = (limits.matrix @ points.T).T
        slack = 1e-9 * size
        found |= ((use >= limits.lower - slack) & (use <= limits.upper + slack)).all(axis=1)
    return found


def random_limits(seed: int, menu: Menu) -> tuple[dict[str, float], list[Any]]:
    rng = np.random.default_rng(seed)
    usd = menu.options["usd"]
    pool: list[Any] = [
        Mandatory("a"),
        Mandatory("b plateau"),
        Mandatory("c"),
        Forbidden("plateau"),
        Forbidden("d"),
        MinEvals("bio", int(rng.integers(1, 3))),
        MinEvals("everything", int(rng.integers(2, 6))),
        MaxEvals("cyber", int(rng.integers(0, 3))),
        Requires("a", "d"),
        Excludes("cyber", "bio"),
        Excludes("a", "b"),
        Floor("cyber", float(usd.sum() * rng.uniform(0.1, 0.8))),
        Floor("bio", float(rng.uniform(0.2, 0.95)), share=True),
        Ceiling("plateau", float(rng.uniform(0, 20)), "staff_hours"),
        Ceiling("cyber", float(rng.uniform(0.05, 0.6)), share=True),
        ZeroOrAtLeast("bio", float(usd.max() * rng.uniform(0.5, 3))),
    ]
    picked = rng.choice(len(pool), size=rng.integers(3, 7), replace=False)
    budget = {
        "usd": float(usd.sum() * rng.uniform(0.05, 0.6)),
        "staff_hours": float(rng.uniform(3, 40)),
    }
    return budget, [pool[k] for k in picked]


def brute_masks(
    menu: Menu, budget: dict[str, float], constraints: list[Any], choices: NDArray[np.float64]
) -> list[NDArray[np.bool_]]:
    masks = [
        choices @ menu.options[r].to_numpy() <= amount * (1 + 1e-9) for r, amount in budget.items()
    ]
    masks += [meets(constraint, menu, choices) for constraint in constraints]
    return masks


def apply(change: Change, budget: dict[str, float], constraints: list[Any]) -> Any:
    """Return the budget and constraints after a change, widened by a hair for rounding."""
    if change.limit.startswith("budget of"):
        assert change.unit is not None
        return {**budget, change.unit: change.after * (1 + 1e-9)}, constraints
    changed = []
    for constraint in constraints:
        if str(constraint) != change.limit:
            changed.append(constraint)
        elif change.unit is None:
            changed.append(None)
        elif hasattr(constraint, "at_least"):
            number = type(constraint.at_least)(change.after)
            changed.append(replace(constraint, at_least=number))
        else:
            number = type(constraint.at_most)(change.after)
            changed.append(replace(constraint, at_most=number))
    return budget, [constraint for constraint in changed if constraint is not None]


def test_clash_is_smallest_and_mends_are_feasible_and_least(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    clashes = 0
    for seed in range(60):
        menu = make_menu(seed)
        choices = every_choice(menu)
        budget, constraints = random_limits(seed, menu)
        masks = brute_masks(menu, budget, constraints, choices)
        if np.all(masks, axis=0).any():
            x = check_feasible(Question(menu, budget, constraints).stack)
            assert np.all(masks, axis=0)[(choices == x).all(axis=1)].all()
            continue
        clashes += 1
        clash = explain_infeasible(Question(menu, budget, constraints).stack)
        sizes = (
            size
            for size in range(1, len(masks) + 1)
            for some in combinations(masks, size)
            if not np.all(some, axis=0).any()
        )
        assert clash.smallest
        assert len(clash.limits) == next(sizes), (seed, clash.text)
        system = Question(menu, budget, constraints).stack
        named = {limit.name: mask for limit, mask in zip(system.terms, masks, strict=True)}
        core = [named[name] for name in clash.limits]
        assert not np.all(core, axis=0).any()
        for mend in clash.mends:
            after: Any = (budget, constraints)
            for change in mend:
                after = apply(change, *after)
            new = brute_masks(menu, after[0], after[1], choices)
            assert np.all(new, axis=0).any(), (seed, str(mend), clash.text)
        least = clash.mends[0]
        if len(least) == 1 and least[0].unit is not None:
            change = least[0]
            short = change.before + 0.99 * (change.after - change.before)
            if change.unit != "evals":
                nearly = apply(replace(change, after=short), budget, constraints)
                assert not np.all(brute_masks(menu, nearly[0], nearly[1], choices), axis=0).any()
    assert clashes > 20


def test_mandatory_evals_above_the_budget_name_the_resource_and_the_shortfall(
    make_menu: MakeMenu,
) -> None:
    menu = make_menu(0)
    cheapest = menu.options.groupby("eval")["usd"].min()
    need = cheapest["a"] + cheapest["b"]
    budget = {"usd": round(need - 2.5, 2), "staff_hours": 1e3}
    with pytest.raises(InfeasibleError) as caught:
        check_feasible(Question(menu, budget, [Mandatory(("a", "b")), EveryDomain()]).stack)
    text = str(caught.value)
    assert "mandatory: a" in text
    assert "mandatory: b" in text
    assert f"raise 'budget of {budget['usd']:,} usd' by 2.5" in text
    assert "staff_hours" not in text
    assert caught.value.exit_code == 3


def test_a_limit_that_clashes_with_the_menu_alone_is_named(make_menu: MakeMenu) -> None:
    clash = explain_infeasible(Question(make_menu(0), {"usd": 1e9}, [MinEvals("bio", 5)]).stack)
    assert clash.limits == ("at least 5 evals of bio",)
    assert "No choice meets this limit" in clash.text
    assert "lower 'at least 5 evals of bio' by 3 to 2 evals" in clash.text


def test_two_separate_clashes_are_mended_together(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    constraints: list[Limit] = [
        Mandatory("a"),
        Forbidden("a"),
        MinEvals("bio", 2),
        MaxEvals("bio", 1),
    ]
    clash = explain_infeasible(Question(menu, {}, constraints).stack)
    assert len(clash.limits) == 2
    assert len(clash.mends[0]) == 2
    assert " and " in clash.text


def test_a_share_is_moved_to_the_nearest_that_can_be_met(make_menu: MakeMenu) -> None:
    menu = make_menu(3)
    constraints: list[Limit] = [
        Mandatory(("a", "b")),
        Forbidden("plateau"),
        Floor("bio", 0.999, share=True),
    ]
    constraints.append(MaxEvals("everything", 2))
    clash = explain_infeasible(Question(menu, {}, constraints).stack)
    usd = menu.options["usd"]
    share = usd["b sweet-spot"] / (usd["a sweet-spot"] + usd["b sweet-spot"])
    (change,) = next(mend for mend in clash.mends if mend[0].share)
    assert change.after == pytest.approx(share)
    assert "99.9 %" in str(change)


def test_affine_limits_are_named_in_the_clash(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    x = cp.Variable(len(menu))
    seats = Affine(cp.sum(x) >= 4, name="at least four seats filled")
    clash = explain_infeasible(Question(menu, {}, [seats, MaxEvals("everything", 3)]).stack)
    assert set(clash.limits) == {"at least four seats filled", "at most 3 evals of everything"}


def test_limits_that_can_be_met_are_not_explained(make_menu: MakeMenu) -> None:
    with pytest.raises(InputError, match="no clash to explain"):
        explain_infeasible(Question(make_menu(0), {"usd": 1e6}, [Mandatory("a")]).stack)


def test_unknown_and_impossible_budgets_are_refused(make_menu: MakeMenu) -> None:
    with pytest.raises(InputError, match="budget"):
        check_feasible(Question(make_menu(0), {"usdd": 5.0}).stack)
    with pytest.raises(InputError, match="budget"):
        check_feasible(Question(make_menu(0), {"usd": -5.0}).stack)


def test_the_clash_does_not_depend_on_the_currency(make_menu: MakeMenu) -> None:
    menu = make_menu(5)
    named = []
    for unit in (1e-6, 1.0, 1e6):
        options = menu.options.assign(usd=menu.options["usd"] * unit)
        scaled = replace(menu, options=options)
        need = options.groupby("eval")["usd"].min().sum()
        clash = explain_infeasible(
            Question(
                scaled, {"usd": need * 0.9}, [MinEvals("everything", 5), Ceiling("a", need * 2)]
            ).stack
        )
        named.append([name.split(" of ")[0] for name in clash.limits])
        change = next(m[0] for m in clash.mends if m[0].limit.startswith("budget"))
        assert change.after == pytest.approx(need, rel=1e-6)
    assert named[0] == named[1] == named[2]
