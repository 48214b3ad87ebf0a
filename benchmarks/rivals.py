"""Splitting one budget over many curves: evalfolio against the allocators people use.

Run with ``python benchmarks/rivals.py`` in an environment with evalfolio and, for its rows,
pymc-marketing; it writes the section "rivals" of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

sys.path[:0] = [str(Path(__file__).parents[1] / source) for source in ("portfolio", "models")]

from tables import circumstances, percent, seconds, table, write_section  # noqa: E402 # path first

from evalfolio.spends.curves import Hill, MichaelisMenten  # noqa: E402 # path first
from evalfolio.spends.separable import Moment, allocate  # noqa: E402 # path first

Array = NDArray[np.float64]

SEED = 20261121
SIZES = (4, 20, 100, 300)
N_DRAWS = 200
GAP = 1e-6
ROUNDING = 1e-9  # relative; of two splits within it neither is better
MAX_SECONDS = 60.0  # for SciPy's methods
PACKAGES = ("numpy", "scipy", "pymc", "pytensor", "pymc-marketing")


@dataclass(frozen=True, eq=False)
class Case:
    shape: str
    regime: str
    n_items: int
    curves: Any
    budget: float


@dataclass(frozen=True)
class Run:
    spend: Array
    seconds: float
    said: str
    trace: tuple[Moment, ...] = ()  # answers on the way, where there is more than one


def case(shape: str, regime: str, n_items: int) -> Case:
    """Half-saturation spends within a factor 3 (mild) or over 4 decades (spread).

    "dollars" is "spread" in other units: a budget of a million, a total value about 1.
    """
    rng = np.random.default_rng([SEED, n_items, len(shape)])
    spread = 3.0 if regime == "mild" else 1e4
    half = np.exp(rng.uniform(0, np.log(spread), n_items))
    half = half / half.mean() * rng.lognormal(0, 0.3, (N_DRAWS, n_items))
    scale = rng.lognormal(0, 0.5, n_items) * rng.lognormal(0, 0.2, (N_DRAWS, n_items))
    exponent = rng.uniform(1.5, 4.0, n_items) * np.ones((N_DRAWS, 1))
    budget = 0.5 * n_items
    if regime == "dollars":
        half, scale, budget = half * 1e6 / budget, scale / scale.mean() / n_items, 1e6
    curves: Any = MichaelisMenten(scale, half)
    if shape == "S-shaped":
        curves = Hill(scale, half, exponent)
    return Case(shape, regime, n_items, curves, budget)


def ours(problem: Case) -> Run:
    start = time.perf_counter()
    found = allocate(problem.curves, problem.budget, gap=GAP)
    took = time.perf_counter() - start
    said = "success" if found.gap <= GAP else "gap not reached"
    return Run(found.spend, took, said, found.trace)


def first_not_below(run: Run, value: float) -> float:
    """Return the seconds to the first answer worth no less than so much, to rounding."""
    enough = (m.seconds for m in run.trace if m.value >= value * (1 - ROUNDING))
    return next(enough, run.seconds)


def nested_newton(problem: Case) -> Run:
    """The plain separable method: bisection on the multiplier, Newton inside, no bound."""
    curves, budget = problem.curves, problem.budget
    start = time.perf_counter()
    floor, ceiling = 0.0, float(curves.slope(np.zeros(problem.n_items)).max())
    for _ in range(200):
        multiplier = 0.5 * (floor + ceiling)
        low, high = np.zeros(problem.n_items), np.full(problem.n_items, budget)
        spend = 0.5 * (low + high)
        for _ in range(100):
            error = curves.slope(spend) - multiplier
            low, high = np.where(error > 0, spend, low), np.where(error > 0, high, spend)
            step = spend - error / curves.jet(spend)[2]
            inside = (step > low) & (step < high)
            fresh = np.where(inside, step, 0.5 * (low + high))
            if np.abs(fresh - spend).max() <= 1e-13 * budget:
                break
            spend = fresh
        if abs(spend.sum() - budget) <= 1e-10 * budget:
            break
        if spend.sum() > budget:
            floor = multiplier
        else:
            ceiling = multiplier
    return Run(spend * budget / spend.sum(), time.perf_counter() - start, "-")


def slsqp(problem: Case) -> Run:
    """With pymc-marketing's settings: even start, ftol 1e-9."""
    return _scipy(problem, "SLSQP", {"ftol": 1e-9, "maxiter": 1000})


def trust_constr(problem: Case) -> Run:
    """With its default settings and the exact (diagonal) Hessian."""

    def hessian(spend: Array) -> Any:
        spend = np.maximum(spend, 1e-9 * problem.budget)
        return sparse.diags(-problem.curves.jet(spend)[2])

    return _scipy(problem, "trust-constr", {"maxiter": 1000}, hess=hessian)


class _OutOfTimeError(Exception):
    pass


def _scipy(problem: Case, method: str, options: dict[str, Any], **more: Any) -> Run:
    n, budget, curves = problem.n_items, problem.budget, problem.curves
    start = time.perf_counter()
    latest = np.full(n, budget / n)

    def loss(x: Array) -> float:
        nonlocal latest
        latest = np.array(x)
        if time.perf_counter() - start > MAX_SECONDS:
            raise _OutOfTimeError
        return -float(curves.value(np.maximum(x, 0.0)).sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rivals warn about their own numerics
        try:
            found = optimize.minimize(
                loss,
                latest,
                jac=lambda x: -curves.slope(np.maximum(x, 0.0)),
                bounds=[(0.0, budget)] * n,
                constraints=optimize.LinearConstraint(np.ones((1, n)), budget, budget),
                method=method,
                options=options,
                **more,
            )
            latest, said = found.x, "success" if found.success else "not converged"
        except _OutOfTimeError:
            said = f"stopped after {MAX_SECONDS:g} s"
    return Run(np.asarray(latest), time.perf_counter() - start, said)


def pymc_marketing(problem: Case) -> Run:
    """BudgetOptimizer on a pymc.dims model, the draws given as posterior; imports excluded."""
    import pymc as pm
    import pymc.dims as pmd
    import xarray as xr
    from pymc_marketing.mmm.budget_optimizer import BudgetOptimizer

    curves, n = problem.curves, problem.n_items
    names = [f"item {k}" for k in range(n)]
    draws = {"half_spend": curves.half_spend, "scale": curves.scale}
    if isinstance(curves, Hill):
        draws["exponent"] = np.broadcast_to(curves.exponent, curves.scale.shape)
    posterior: dict[str, Any] = {
        key: (("chain", "draw", "channel"), value[None]) for key, value in draws.items()
    }
    posterior["channel_contribution"] = (
        ("chain", "draw", "date", "channel"),
        np.ones((1, N_DRAWS, 1, n)),
    )
    coords = {"chain": [0], "draw": np.arange(N_DRAWS), "date": [0], "channel": names}
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rivals warn about their own numerics
        with pm.Model(coords={"date": [0], "channel": names}) as model:
            spend = pmd.Data("channel_data", np.ones((1, n)), dims=("date", "channel"))
            half = pmd.HalfNormal("half_spend", 1.0, dims="channel")
            scale = pmd.HalfNormal("scale", 1.0, dims="channel")
            if isinstance(curves, Hill):
                power = pmd.HalfNormal("exponent", 1.0, dims="channel")
                each = scale * spend**power / (half**power + spend**power)
            else:
                each = scale * spend / (half + spend)
            pmd.Deterministic("channel_contribution", each)
            pmd.Deterministic("total_media_contribution_original_scale", each.sum())
        data = xr.DataTree.from_dict({"posterior": xr.Dataset(posterior, coords=coords)})
        optimiser = BudgetOptimizer(model=model, idata=data, num_periods=1)
        found = optimiser.allocate_budget(total_budget=problem.budget)
    took = time.perf_counter() - start
    split = np.asarray(found.budgets, dtype=np.float64).ravel()
    said = "success" if found.scipy_result.success else "not converged"
    return Run(split, took, said)


Solver = Callable[[Case], Run]


def run_or_known(problem: Case, name: str, solver: Solver, kept: Path | None) -> Run:
    """Run a solver, unless the file of runs holds this one already."""
    key = [problem.shape, problem.regime, problem.n_items, name]
    if kept is not None and kept.exists():
        for line in kept.read_text(encoding="utf-8").splitlines():
            known = json.loads(line)
            if known["case"] == key:
                trace = tuple(Moment(*moment) for moment in known["trace"])
                return Run(np.array(known["spend"]), known["seconds"], known["said"], trace)
    run = solver(problem)
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            told = {"spend": run.spend.tolist(), "seconds": run.seconds, "said": run.said}
            file.write(json.dumps({"case": key, "trace": run.trace, **told}) + "\n")
    return run


def compare(sizes: tuple[int, ...], solvers: dict[str, Solver], kept: Path | None) -> str:
    parts, firsts = [], []
    for shape in ("concave", "S-shaped"):
        for regime in ("mild", "spread", "dollars"):
            rows: dict[str, list[str]] = {name: [] for name in solvers}
            first: list[str] = []
            for n_items in sizes:
                problem = case(shape, regime, n_items)
                bound = allocate(problem.curves, problem.budget, gap=1e-8).bound
                for name, solver in solvers.items():
                    if name == PLAIN and shape != "concave":
                        continue
                    run = run_or_known(problem, name, solver, kept)
                    spend = np.maximum(run.spend, 0.0)
                    spend = spend * min(1.0, problem.budget / spend.sum())
                    value = float(problem.curves.value(spend).sum())
                    short = percent(max(bound - value, 0.0) / bound)
                    said = "" if run.said in ("success", "-") else f" ({run.said})"
                    if name == OURS:
                        own = run
                    if name == PYMC:
                        least = first_not_below(own, value)
                        ratio = run.seconds / least
                        first.append(f"{seconds(least)}, {ratio:.0f} times")
                    rows[name].append(f"{seconds(run.seconds)}, {short}{said}")
                    print(shape, regime, n_items, name, rows[name][-1], flush=True)
            if first:
                firsts.append([f"{shape}, {regime}", *first])
            head = [f"{shape}, {regime}", *(f"{n} items" for n in sizes)]
            parts.append(table(head, ([name, *cells] for name, cells in rows.items() if cells)))
    if firsts:
        parts.append(
            "Time to the first answer of evalfolio worth no less than what pymc-marketing ends "
            "with, and how many times longer that takes:"
        )
        parts.append(table(["curves", *(f"{n} items" for n in sizes)], firsts))
    return "\n\n".join(parts)


PYMC = "pymc-marketing BudgetOptimizer"
OURS, PLAIN = "evalfolio `allocate`", "nested Newton, plain (no bound)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--kept", type=Path, help="file of measured runs, to go on from")
    arguments = parser.parse_args()
    solvers: dict[str, Solver] = {
        OURS: ours,
        PLAIN: nested_newton,
        "SciPy SLSQP (ftol 1e-9)": slsqp,
        "SciPy trust-constr": trust_constr,
    }
    try:
        import pymc_marketing as _  # noqa: F401 # only to see whether it is there

        solvers[PYMC] = pymc_marketing
    except ImportError:
        print("pymc-marketing is not installed: its rows are left out")
    allocate(case("concave", "mild", 4).curves, 1.0)  # first-call costs are no one's
    body = compare(tuple(arguments.sizes), solvers, arguments.kept)
    text = (
        f"{circumstances(SEED, PACKAGES)}\n\n"
        f"Mean of {N_DRAWS} draws of saturating curves, one budget, each spend in [0, budget]. "
        "A cell holds the time to the solver's answer (model building and compiling included, "
        "imports excluded; evalfolio's to its certificate) and how far the value reached lies "
        "below a proved bound on any split; in brackets what the solver said where that was not "
        "success. evalfolio stops at a gap of "
        f"{percent(GAP)}. Concave curves are Michaelis–Menten, S-shaped ones Hill with exponents "
        "1.5 to 4. *mild*: half-saturation spends within a factor 3; *spread*: over 4 decades; "
        "*dollars*: *spread* in other units, a budget of a million and a value about 1.\n\n"
        f"{body}"
    )
    write_section("rivals", "Rivals on continuous spends", text)


if __name__ == "__main__":
    main()
