"""Every refusal says what must hold, what came and how to mend it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from scipy import sparse

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits import (
    Affine,
    Ceiling,
    Excludes,
    Floor,
    Mandatory,
    MaxEvals,
    MinEvals,
    Rows,
    Where,
    as_limit,
)

LIMITS = [
    (Mandatory("e_"), "'e_' must name a domain, tier, eval, family or option .* did you mean 'e'"),
    (Mandatory("qqqq"), "known are 'a', 'autonomy'|known are 'a', 'b', 'bio'"),
    (MinEvals("cybre"), "did you mean 'cyber'"),
    (Mandatory(Where(tier="platau")), "tier 'platau' is not on the menu; did you mean 'plateau'"),
    (Mandatory(Where(teir="plateau")), "column of the menu, got 'teir'; did you mean 'tier'"),
    (Floor("cyber", 1, "staff_hour"), "resource must be one .* did you mean 'staff_hours'"),
    (Excludes("cyber", "a"), "no option in common, but 'a sweet-spot' is in both"),
]
BUILDS: list[tuple[Callable[[], Any], str]] = [
    (lambda: MinEvals("cyber", 1.5), "MinEvals: at_least must be a whole number, .* got 1.5"),  # type: ignore[arg-type]  # the wrong type is the test
    (lambda: MaxEvals("cyber", -1), "MaxEvals: at_most must be a whole number, .* got -1"),
    (lambda: Floor("cyber", -5), "Floor: at_least must be a finite number, 0 or more, got -5"),
    (lambda: Floor("cyber", float("nan")), "Floor: at_least must be a finite number"),
    (lambda: Ceiling("cyber", "9"), "Ceiling: at_most must be a finite number, .* got '9'"),  # type: ignore[arg-type]  # the wrong type is the test
    (lambda: Ceiling("cyber", 20, share=True), "at_most must be a share between 0 and 1, got 20"),
    (lambda: Mandatory(3), r"a group must be a name, several names or Where\(column=value\)"),  # type: ignore[arg-type]  # the wrong type is the test
    (lambda: Mandatory(()), "a group must be a name"),
    (lambda: Where(), "there must be at least one condition"),
    (lambda: as_limit(3), "must be one of evalfolio.limits or a convex cvxpy"),
    (lambda: Affine(cp.norm(cp.Variable(3)) <= 1), "must be affine in the choice, got a convex"),
    (lambda: Affine(cp.SOC(cp.Variable(), cp.Variable(2))), "must be a cvxpy <=, >= or =="),
    (lambda: Affine(cp.sum(cp.Variable(3)) <= cp.Variable()), "must have one variable, .* got 2"),
]


@pytest.mark.parametrize(("constraint", "message"), LIMITS, ids=[m for _, m in LIMITS])
def test_a_limit_that_does_not_fit_the_menu_is_refused(
    constraint: Any, message: str, make_menu: Callable[..., Menu]
) -> None:
    with pytest.raises(InputError, match=message):
        constraint.rows(make_menu(0))


@pytest.mark.parametrize(("build", "message"), BUILDS, ids=[m for _, m in BUILDS])
def test_a_malformed_constraint_is_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()


def test_an_ambiguous_name_asks_which(make_menu: Callable[..., Menu]) -> None:
    menu = make_menu(0)
    menu.options["family"] = ["plateau", *["ctf"] * (len(menu) - 1)]
    with pytest.raises(InputError, match=r"columns tier, family at once; say which, such as Where"):
        Mandatory("plateau").rows(menu)
    assert Where(family="plateau")  # which is possible


def test_affine_needs_the_length_of_the_menu_and_values(make_menu: Callable[..., Menu]) -> None:
    menu = make_menu(0)
    with pytest.raises(InputError, match=r"one element for each of the 10 options .* \(3,\)"):
        Affine(cp.sum(cp.Variable(3)) <= 1).rows(menu)
    with pytest.raises(InputError, match="every parameter must have a value"):
        Affine(cp.Parameter(10) @ cp.Variable(10) <= 1).rows(menu)
    endless = np.zeros(10)
    endless[2] = np.inf
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(InputError, match="could not be read as linear rows"),
    ):
        Affine(cp.Constant(endless) @ cp.Variable(10) <= 1).rows(menu)


def test_limits_check_their_shapes_and_numbers() -> None:
    matrix = sparse.csr_matrix(np.array([[1.0, np.nan]]))
    with pytest.raises(InputError, match="weights of 'seats' must be finite"):
        Rows(matrix, np.zeros(1), np.ones(1), ("seats",))
    with pytest.raises(InputError, match="one entry for each of 1 rows"):
        Rows(sparse.csr_matrix(np.ones((1, 2))), np.zeros(2), np.ones(2), ("seats",))
    limits = Rows(sparse.csr_matrix(np.ones((1, 4))), np.zeros(1), np.ones(1), ("s",), 1, 1)
    assert (len(limits), limits.n_choice) == (1, 2)


def test_conditions_are_values() -> None:
    where = Where(tier="plateau", domain=("cyber", "bio"))
    assert copy.deepcopy(where) == where == pickle.loads(pickle.dumps(where))
    assert str(where) == "tier plateau, domain cyber or bio"
    with pytest.raises(AttributeError, match="frozen"):
        where.conditions = ()
