"""Every constraint means what it says: its rows against a plain rule, over all choices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from evalbayes import Menu
from evalfolio.limits import (
    Affine,
    Ceiling,
    EveryDomain,
    Excludes,
    Floor,
    Forbidden,
    Mandatory,
    MaxEvals,
    MinEvals,
    Requires,
    Where,
    ZeroOrAtLeast,
    as_limit,
)

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]
MAX = "max-elicitation"
CASES: list[tuple[Any, Callable[[pd.DataFrame, pd.DataFrame], bool]]] = [
    (Mandatory("a"), lambda c, m: "a" in set(c["eval"])),
    (Mandatory(("a", "b")), lambda c, m: {"a", "b"} <= set(c["eval"])),
    (Mandatory(Where(eval="b", tier="plateau")), lambda c, m: "b plateau" in c.index),
    (Mandatory("bio"), lambda c, m: {"b", "d"} <= set(c["eval"])),
    (Forbidden("a"), lambda c, m: "a" not in set(c["eval"])),
    (Forbidden("a plateau"), lambda c, m: "a plateau" not in c.index),
    (Forbidden("plateau"), lambda c, m: "plateau" not in set(c["tier"])),
    (MinEvals("cyber", 2), lambda c, m: (c["domain"] == "cyber").sum() >= 2),
    (MinEvals("everything", 3), lambda c, m: len(c) >= 3),
    (MaxEvals("sweet-spot", 1), lambda c, m: (c["tier"] == "sweet-spot").sum() <= 1),
    (EveryDomain(), lambda c, m: set(c["domain"]) == set(m["domain"])),
    (EveryDomain(3), lambda c, m: (c["domain"] == "cyber").sum() == 3 and len(c) == 5),
    (Requires("a", "b"), lambda c, m: "a" not in set(c["eval"]) or "b" in set(c["eval"])),
    (
        Requires(("a", "c"), ("b", "d")),
        lambda c, m: not {"a", "c"} & set(c["eval"]) or {"b", "d"} <= set(c["eval"]),
    ),
    (Excludes("a", "b"), lambda c, m: not {"a", "b"} <= set(c["eval"])),
    (Excludes("cyber", "bio"), lambda c, m: len(set(c["domain"])) <= 1),
    (Floor("cyber", 30.0), lambda c, m: c.loc[c["domain"] == "cyber", "usd"].sum() >= 30 - 1e-9),
    (
        Floor("bio", 0.4, share=True),
        lambda c, m: c.loc[c["domain"] == "bio", "usd"].sum() >= 0.4 * c["usd"].sum() - 1e-9,
    ),
    (Floor("bio", 1, "evals"), lambda c, m: (c["domain"] == "bio").sum() >= 1),
    (
        Ceiling("plateau", 12, "staff_hours"),
        lambda c, m: c.loc[c["tier"] == "plateau", "staff_hours"].sum() <= 12 + 1e-9,
    ),
    (
        Ceiling(Where(tier="plateau", domain="cyber"), 0.5, share=True),
        lambda c, m: (
            c.loc[(c["tier"] == "plateau") & (c["domain"] == "cyber"), "usd"].sum()
            <= 0.5 * c["usd"].sum() + 1e-9
        ),
    ),
    (
        ZeroOrAtLeast("bio", 40),
        lambda c, m: (
            not (c["domain"] == "bio").any() or c.loc[c["domain"] == "bio", "usd"].sum() >= 40
        ),
    ),
    (
        ZeroOrAtLeast(("a", "b", "c"), 2, "evals"),
        lambda c, m: c["eval"].isin(["a", "b", "c"]).sum() != 1,
    ),
]


def met(limits: Any, x: NDArray[np.float64]) -> bool:
    """Whether some values of the extra binaries meet every row."""
    for extra in product((0.0, 1.0), repeat=limits.n_extra):
        use = limits.matrix @ np.concatenate([x, extra])
        if (use >= limits.lower - 1e-9).all() and (use <= limits.upper + 1e-9).all():
            return True
    return False


@pytest.mark.parametrize(("constraint", "rule"), CASES, ids=[repr(c) for c, _ in CASES])
def test_rows_agree_with_the_rule_on_every_choice(
    constraint: Any, rule: Any, make_menu: MakeMenu, every_choice: Choices
) -> None:
    seen = set()
    for seed in range(3):
        menu = make_menu(seed)
        limits = constraint.rows(menu)
        assert len(limits.names) == limits.matrix.shape[0]
        for x in every_choice(menu):
            wanted = bool(rule(menu.options[x > 0], menu.options))
            seen.add(wanted)
            assert met(limits, x) == wanted, (seed, menu.options.index[x > 0])
    assert seen == {True, False}  # a rule that is always met tests nothing


@pytest.mark.parametrize("constraint", [c for c, _ in CASES], ids=repr)
def test_the_printed_form_rebuilds_the_constraint(constraint: Any) -> None:
    names = {c.__name__: c for c in {type(c) for c, _ in CASES}} | {"Where": Where}
    rebuilt = eval(repr(constraint), names)
    assert rebuilt == constraint
    assert hash(rebuilt) == hash(constraint)


def test_constraints_do_not_depend_on_the_order_of_the_menu(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    menu = make_menu(1, n_evals=4)
    order = np.random.default_rng(3).permutation(len(menu))
    permuted = Menu(
        menu.options.iloc[order],
        menu.resources,
        menu.information[order],
        menu.states,
        menu.prior_mean,
        menu.prior_covariance,
        menu.decisions,
    )
    for constraint in (Floor("cyber", 30.0), Excludes("cyber", "bio"), EveryDomain()):
        before, after = constraint.rows(menu), constraint.rows(permuted)
        for x in every_choice(menu):
            assert met(before, x) == met(after, x[order])


def test_affine_reads_any_affine_cvxpy_constraint(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    menu = make_menu(2, n_evals=4)
    rng = np.random.default_rng(0)
    x = cp.Variable(len(menu))
    weights = cp.Parameter(len(menu))
    weights.value = rng.normal(size=len(menu))
    matrix = rng.normal(size=(3, len(menu)))
    constraints = [
        weights @ x <= 0.5,
        matrix @ x - 1 >= -2 * cp.sum(x),
        cp.sum(x[:3]) + 1 == 2 * x[4] + 1,
        x[0] <= x[3],
    ]
    for constraint in constraints:
        limits = as_limit(constraint).rows(menu)
        for choice in every_choice(menu):
            x.value = choice
            assert met(limits, choice) == bool(np.all(constraint.violation() <= 1e-9))
    x.value = np.full(len(menu), 0.25)
    as_limit(constraints[0]).rows(menu)
    assert (x.value == 0.25).all()  # the user's variable is left as it was


def test_affine_has_a_name_for_messages() -> None:
    x = cp.Variable(2, name="x")
    assert str(Affine(x[0] <= x[1], name="lab seats")) == "lab seats"
    assert "x[0]" in str(Affine(x[0] <= x[1]))
