"""`evalfolio doctor`: what is installed, and whether the parts that matter work."""

from __future__ import annotations

import json

from evalfolio.cli.console import console, print_table
from evalfolio.cli.options import JsonOption, QuietOption


def doctor(quiet: QuietOption = False, as_json: JsonOption = False) -> None:
    """Show versions, solvers and samplers, after solving a small plan to see that it works."""
    import cvxpy as cp
    import pandas as pd

    from evalfolio.examples import small_menu
    from evalfolio.plans.optimiser import optimise
    from evalfolio.record.provenance import versions

    plan = optimise(small_menu(), budget={"usd": 10_000, "staff_hours": 90})
    found = {
        "versions": versions() | optional_versions(),
        "cvxpy_solvers": sorted(cp.installed_solvers()),
        "sampler": sampler(),
        "small_plan": plan.status,
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return
    if not quiet:
        rows = list(found["versions"].items())  # type: ignore[attr-defined]  # a dict, see above
        print_table(pd.DataFrame(rows, columns=["package", "version"]), "Versions")
        console().print(f"solvers of cvxpy: {', '.join(found['cvxpy_solvers'])}", markup=False)
        console().print(f"sampler: {found['sampler']}", soft_wrap=True, markup=False)
    console().print(f"a small plan was solved: {plan.status}", markup=False)


def sampler() -> str:
    """Return what samples the posterior here, found by loading it, or why it cannot."""
    from importlib.metadata import version

    try:
        import numba
        import nutpie
    except Exception as error:  # whatever keeps it from loading is what a reader must know
        return f"cannot be loaded: {type(error).__name__}: {error}; install evalfolio again"
    threads = numba.config.NUMBA_NUM_THREADS
    return (
        f"{nutpie.__name__} {version('nutpie')} with numba {numba.__version__}, {threads} threads; "
        "no C compiler needed"
    )


def optional_versions() -> dict[str, str]:
    """Return the versions of packages that only some commands need."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("inspect_ai", "distributed"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed (optional)"
    return found
