"""`evalfolio doctor`: what is installed, and whether the parts that matter work."""

import math
from collections.abc import Callable
from typing import Any

import typer

from evalfolio.cli.console import ASKED, detailed, print_json, print_table, say, warn

_BROKEN = "cannot be loaded"
SOLVED = 1e-6  # relative; how exact a solver's word is taken to be


def doctor() -> None:
    """Show versions, solvers and samplers, after solving a small plan to see that it works."""
    import pandas as pd

    from evalfolio.record.provenance import versions

    found = {
        "versions": versions() | optional_versions(),
        "cvxpy_solvers": _tried(solvers),
        "sampler": _tried(sampler),
        "small_plan": _tried(small_plan),
        "second_opinion": _tried(second_opinion),
        "whole_numbers": _tried(whole_numbers),
    }
    print_json(found)
    if detailed():
        rows = list(found["versions"].items())  # type: ignore[attr-defined]  # a dict, see above
        print_table(pd.DataFrame(rows, columns=["package", "version"]), "Versions")
        told = found["cvxpy_solvers"]
        words = told if isinstance(told, str) else ", ".join(told)  # type: ignore[arg-type]  # texts
        say(f"solvers of cvxpy: {words}")
        say(f"sampler: {found['sampler']}")
        say(f"second opinion: {found['second_opinion']}")
        say(f"whole numbers: {found['whole_numbers']}")
    say(f"a small plan was solved: {found['small_plan']}")
    broken = [each for each in map(str, found.values()) if each.startswith(_BROKEN)]
    if ASKED.quiet:  # otherwise said above
        for each in broken:
            warn(each)
    if broken:
        raise typer.Exit(2)


def _tried(part: Callable[[], object]) -> object:
    """Return what a part says of itself, or why it cannot be used."""
    try:
        return part()
    except Exception as error:  # whatever keeps it from loading is what a reader must know
        return f"{_BROKEN}: {type(error).__name__}: {error}; install evalfolio again"


def solvers() -> list[str]:
    """Return the solvers that cvxpy finds here."""
    import cvxpy as cp

    return sorted(cp.installed_solvers())


def small_plan() -> str:
    """Return how solving a small plan ended."""
    from evalfolio.examples import small_menu
    from evalfolio.plans.optimiser import optimise

    return str(optimise(small_menu(), budget={"usd": 10_000, "staff_hours": 90}).status)


def second_opinion() -> str:
    """Return what every convex solver makes of the small plan: no mix may be worth more.

    The programme has the options in part, as cones and without the search's tangents: another
    road. SolverError if a bound lies below the certified value.
    """
    from evalfolio.errors import SolverError
    from evalfolio.examples import small_menu
    from evalfolio.plans.optimiser import optimise
    from evalfolio.search.convex.fractional import Convex
    from evalfolio.search.convex.relaxation import Relaxation
    from evalfolio.search.convex.solvers import convex_solvers

    plan = optimise(small_menu(), budget={"usd": 10_000, "staff_hours": 90})
    relaxation, told = Relaxation(plan.question), []
    for name in convex_solvers():
        split = Convex(solver=name).find(plan.question).bound
        for bound, form in ((relaxation.solve(plan.budget, name).bound, "cones"), (split, "lines")):
            if bound < plan.value * (1 - SOLVED):
                raise SolverError(
                    f"{name} bounds every mix at {bound:.6g} by {form}, below the {plan.value:.6g} "
                    "of a certified one"
                )
            told.append(f"{bound:.4g} ({name}, {form})")
    return f"no mix passes {', '.join(told)}; the certified one is worth {plan.value:.4g}"


# Cost, rows with their lower and upper ends, upper ends of columns, which are whole, and the least
# cost. HiGHS 1.14 gave 15 for the first and 10,000 for the second as optimal (its #3043 and #3094).
_SLOTS = [[0, 0, 1, 0, -1e3, 0], [0, 0, 0, 1, 0, -1e3], [1, 0, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0]]
CANARIES: tuple[tuple[Any, ...], ...] = (
    ([2, 3], [[1, 1]], [4.5], [math.inf], [10, 10], [0, 1], 9.0),
    (
        [10, 8, 0, 0, 0, 0],
        [*_SLOTS, [0, 0, 0, 0, 1, 1]],
        [-math.inf, -math.inf, 1e3, 1e3, -math.inf],
        [0, 0, 1e3, 1e3, 1],
        [1e3, 1e3, 1e3, 1e3, 1, 1],
        [0, 0, 0, 0, 1, 1],
        8000.0,
    ),
)


def whole_numbers() -> str:
    """Return that SciPy's solver of whole numbers and HiGHS by itself are right on the canaries.

    SolverError names the one that is not, and what it called optimal.
    """
    import highspy
    import numpy as np
    from scipy import optimize

    from evalfolio.errors import SolverError
    from evalfolio.search.programme import quiet_highs

    for cost, rows, low, high, most, whole, least in CANARIES:
        solver = quiet_highs()
        each = [solver.addVariable(lb=0.0, ub=float(x)) for x in most]
        for k in np.flatnonzero(whole).tolist():
            solver.changeColIntegrality(k, highspy.HighsVarType.kInteger)
        for row, bottom, top in zip(rows, low, high, strict=True):
            terms = [(k, float(x)) for k, x in enumerate(row) if x]
            places, weights = zip(*terms, strict=True)
            solver.addRow(bottom, top, len(terms), np.array(places, np.int32), np.array(weights))
        solver.minimize(sum(float(c) * x for c, x in zip(cost, each, strict=True)))
        by_scipy = optimize.milp(
            np.array(cost),
            constraints=optimize.LinearConstraint(np.array(rows), np.array(low), np.array(high)),
            integrality=np.array(whole),
            bounds=optimize.Bounds(0.0, np.array(most, dtype=float)),
        )
        by_highs = solver.getInfo().objective_function_value
        for name, found in (("SciPy", float(by_scipy.fun or 0.0)), ("HiGHS", by_highs)):
            if abs(found - least) > SOLVED * least:
                raise SolverError(f"{name} calls {found:g} optimal where {least:g} is")
    return f"SciPy and HiGHS find both optima that HiGHS 1.14 missed (HiGHS {solver.version()})"


def sampler() -> str:
    """Return what samples the posterior here, found by loading it."""
    from importlib.metadata import version

    import numba
    import nutpie

    threads = numba.config.NUMBA_NUM_THREADS
    return (
        f"{nutpie.__name__} {version('nutpie')} with numba {numba.__version__}, {threads} threads; "
        "no C compiler needed"
    )


def optional_versions() -> dict[str, str]:
    """Return the versions of packages that only some commands need."""
    from evalfolio.record.provenance import installed

    return installed(("inspect_ai", "distributed"), "not installed (optional)")
