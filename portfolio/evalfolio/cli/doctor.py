"""`evalfolio doctor`: what is installed, and whether the parts that matter work."""

import json
from collections.abc import Callable

import typer

from evalfolio.cli.console import print_table, say
from evalfolio.cli.options import JsonOption, QuietOption

_BROKEN = "cannot be loaded"
SOLVED = 1e-6  # relative; how exact a solver's word is taken to be


def doctor(quiet: QuietOption = False, as_json: JsonOption = False) -> None:
    """Show versions, solvers and samplers, after solving a small plan to see that it works."""
    import pandas as pd

    from evalfolio.record.provenance import versions

    found = {
        "versions": versions() | optional_versions(),
        "cvxpy_solvers": _tried(solvers),
        "sampler": _tried(sampler),
        "small_plan": _tried(small_plan),
        "second_opinion": _tried(second_opinion),
    }
    if as_json:
        print(json.dumps(found, indent=2))
    elif not quiet:
        rows = list(found["versions"].items())  # type: ignore[attr-defined]  # a dict, see above
        print_table(pd.DataFrame(rows, columns=["package", "version"]), "Versions")
        told = found["cvxpy_solvers"]
        words = told if isinstance(told, str) else ", ".join(told)  # type: ignore[arg-type]  # texts
        say(f"solvers of cvxpy: {words}")
        say(f"sampler: {found['sampler']}")
        say(f"second opinion: {found['second_opinion']}")
    if not as_json:
        say(f"a small plan was solved: {found['small_plan']}")
    if any(str(each).startswith(_BROKEN) for each in found.values()):
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
