"""Which solvers are used, which others could be, and what becomes of the way each ends.

Whole choices are searched for with HiGHS, which comes with the package, and with no other: the
search solves linear programmes only, each warm from the last one's basis, which cvxpy's
interfaces to SCIP, CBC and GLPK do not offer. Whole-number solvers are thus not asked for a
choice at all, and what HiGHS answers is not taken on trust: every bound is proved from row prices
in our own arithmetic, so that no solver and no tolerance can make one false. Where worths are
concave the programme is one that SCIP solves with whole choices; the tests hold plans to it where
it is installed (``pip install 'evalfolio[solvers]'``). Convex programmes go to the first of
`PREFERRED` that is installed, and to the next where one ends without an answer.
"""

import warnings
from typing import Any, Literal

import cvxpy as cp

from evalfolio.errors import InputError, SolverError

PREFERRED = ("CLARABEL", "MOSEK", "ECOS", "SCS")
"""Solvers of second-order cone programmes, the most trusted first."""

SETTINGS: dict[str, tuple[dict[str, float], ...]] = {
    # Shorter steps end well where degenerate lines of an envelope leave the default just short.
    "CLARABEL": ({}, {"max_step_fraction": 0.9}, {"static_regularization_constant": 1e-10}),
    "SCS": ({"eps_abs": 1e-8, "eps_rel": 1e-8, "max_iters": 50_000},),  # its own are 1e-4
}
"""Settings each solver is tried with, until one ends with an accurate answer."""

ACCURATE = ("optimal", "infeasible", "unbounded")
ANSWERED = ("optimal", "optimal_inaccurate")
NOTHING_FITS = ("infeasible", "infeasible_inaccurate")

CURES = {
    "unbounded": "a limit is missing: give every resource a budget",
    "unbounded_inaccurate": "a limit is missing: give every resource a budget",
    "infeasible_or_unbounded": "loosen a limit, or give every resource a budget",
    "user_limit": "give it more time or iterations",
    "solver_error": "its numbers differ too much in size: state costs and losses in larger units",
}


def convex_solvers() -> tuple[str, ...]:
    """Return the installed solvers that can solve the relaxation, in the order they are tried.

    >>> "CLARABEL" in convex_solvers()
    True
    """
    installed = cp.installed_solvers()
    return tuple(name for name in PREFERRED if name in installed)


def solve_convex(programme: Any, solver: str | None = None) -> Literal["optimal", "infeasible"]:
    """Solve a cvxpy problem with the given solver, or with each usable one until one answers.

    InputError if the solver is not installed; SolverError if none ends with an answer; the text
    gives how each ended and the cure. An inaccurate answer is taken only when no solver gives an
    accurate one.
    """
    usable = convex_solvers()
    if solver is not None and solver not in usable:
        raise InputError(
            f"solver must be one of those installed ({', '.join(usable)}), got {solver!r}"
        )
    ended: dict[str, str] = {}
    inaccurate: str | None = None
    for name in (solver,) if solver is not None else usable:
        status = _run(programme, name)
        if status == "optimal":
            return "optimal"
        if status == "infeasible":
            return "infeasible"
        if status in ("optimal_inaccurate", "infeasible_inaccurate") and inaccurate is None:
            inaccurate = name
        ended[name] = status
    if inaccurate is not None:
        status = _run(programme, inaccurate, (*ANSWERED, *NOTHING_FITS))
        if status in ANSWERED:
            return "optimal"
        if status in NOTHING_FITS:
            return "infeasible"
    how = ", ".join(f"{name} ended with {status}" for name, status in ended.items())
    cure = next((CURES[s] for s in ended.values() if s in CURES), "try another solver")
    others = [name for name in usable if name not in ended]
    more = f"; also usable here: {', '.join(others)}" if others else ""
    raise SolverError(f"the relaxation could not be solved ({how}): {cure}{more}")


def _run(programme: Any, solver: str, enough: tuple[str, ...] = ACCURATE) -> str:
    """Return how the solver ended at the first of its settings that is enough, else at the last."""
    status = "solver_error"
    for settings in SETTINGS.get(solver, ({},)):
        with warnings.catch_warnings():
            # cvxpy warns about inaccurate solutions; the status says so by name.
            warnings.simplefilter("ignore")
            try:
                programme.solve(solver=solver, **settings)
            except cp.error.SolverError:
                continue
        status = str(programme.status)
        if status in enough:
            break
    return status
