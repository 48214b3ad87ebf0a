"""A-Fusion: integer designs of least trace, by evalfolio and by SCIP.

python -m benchmarks.fusion --seconds 60 --kept FILE [--only-kept]

The problem is that of OptimalDesignWithBoscia (ZIB, arXiv 2312.11200): min tr((C + Aᵀ diag(x) A)⁻¹)
over whole x, 0 ≤ x ≤ u, Σ x = N. With Σ = C⁻¹ and K = k·aaᵀ for k units of an experiment it is v
summed over unit contrasts, worth 1 each, and repeats are exclusive options of 1…u units. Instances
are of its published form (`instance`) from our own generator, as Julia's random numbers are not to
be had here, nor is Boscia: no registry at hand has Julia. SCIP adds gradient cuts by a constraint
handler, as the peer's own line of SCIP does. A case is solved when value and bound of the trace are
within 1 %. Seconds are of the processor, one thread, as other work runs beside; cases already in
the kept file are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from pyscipopt import SCIP_RESULT, Conshdlr, Model, quicksum

from evalbayes import Decision, Menu
from evalfolio.objectives import Objective
from evalfolio.objectives.terms import Believed, Term
from evalfolio.search.box import Box
from evalfolio.search.branching import Search
from evalfolio.search.greedy import greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.worth import Proportional, Worth

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

SIZES, PARTS, SEEDS = (50, 60, 80, 100, 120), (10, 4), (1, 2, 3, 4, 5)
GAP = 0.01
WHOLE = 1e-6


@dataclass(frozen=True, eq=False)
class Instance:
    """Experiments A, (m, n), prior C, (n, n), units to spend and the most of each experiment."""

    a: Array
    c: Array
    total: int
    most: Counts

    def trace(self, x: Array | Counts) -> tuple[float, Array]:
        """Return the trace and by how much one unit more of each experiment lowers it."""
        inverse = np.linalg.inv(self.c + (self.a.T * x) @ self.a)
        return float(np.trace(inverse)), np.square(self.a @ inverse).sum(axis=1)

    def swapped(self, x: Counts) -> Counts:
        """Return x after the best moves of one unit between experiments, until none gains."""
        x, best = x.copy(), self.trace(x)[0]
        while True:
            found = (best * (1 - 1e-9), -1, -1)
            for out in np.flatnonzero(x > 0):
                less = x - np.eye(len(x), dtype=np.int64)[out]
                inverse = np.linalg.inv(self.c + (self.a.T * less) @ self.a)
                seen = self.a @ inverse
                falls = np.square(seen).sum(axis=1) / (1 + (seen * self.a).sum(axis=1))
                falls = np.where(less < self.most, falls, -np.inf)
                after = float(np.trace(inverse) - falls.max())
                found = min(found, (after, int(out), int(falls.argmax())))
            if found[1] < 0:
                return x
            best = found[0]
            x[found[1]] -= 1
            x[found[2]] += 1


def instance(m: int, part: int, seed: int, correlated: bool) -> Instance:
    """Draw an instance of the published form: n = ⌊m/part⌋ parameters of m experiments.

    A is uniform on [0, 1], or its rows are normal with mean N(0, I) and covariance BᵀB, B uniform
    (m, n); C = ĈᵀĈ, Ĉ uniform (2n, n); N is uniform on ⌊m/20⌋…⌊m/3⌋, u on 1…⌊m/10⌋.
    """
    n = m // part
    rng = np.random.default_rng([seed, m, n, int(correlated)])
    a = rng.random((m, n))
    if correlated:
        a = rng.multivariate_normal(rng.standard_normal(n), a.T @ a, size=m, method="cholesky")
    half = rng.random((2 * n, n))
    total = int(rng.integers(m // 20, m // 3 + 1))
    return Instance(a, half.T @ half, total, rng.integers(1, m // 10 + 1, size=m))


class Contrasts(ExplainedVariance):
    """v of every unit contrast."""

    def __init__(self, menu: Menu) -> None:
        super().__init__(menu, contrasts=np.eye(len(menu.states)))


class Summed(Contrasts):
    """v summed over all unit contrasts: one quantity, of which v/(W − v) is concave too."""

    def _of(self, v: Array) -> Array:
        return np.asarray(v.sum(axis=-1, keepdims=True))

    def _slopes(self, v: Array, gradient: Array) -> Array:
        return np.asarray(gradient.sum(axis=-2, keepdims=True))


@dataclass(frozen=True)
class Explained(Term):
    """v of the unit contrasts, summed or each by itself, worth 1."""

    name = "explained"
    summed: bool = False

    def quantities(self, menu: Menu) -> ExplainedVariance:
        return Summed(menu) if self.summed else Contrasts(menu)

    def worths(self, weights: Sequence[float], decisions: Sequence[Believed]) -> list[Worth]:
        n = 1 if self.summed else len(decisions)
        return [Proportional(self.weight) for _ in range(n)]


def menu_of(case: Instance) -> Menu:
    """Return the repeats of every experiment as exclusive options of one eval."""
    units = [(i, k) for i, u in enumerate(case.most) for k in range(1, min(u, case.total) + 1)]
    options = pd.DataFrame(
        [(f"e{i}.{k}", f"e{i}", "trace", "repeats", float(k)) for i, k in units],
        columns=["option", "eval", "domain", "tier", "units"],
    ).set_index("option")
    information: Array = np.array([k * np.outer(case.a[i], case.a[i]) for i, k in units])
    states = tuple(f"s{j}" for j in range(len(case.c)))
    decisions = tuple(
        Decision(name, contrast, 0.0, 1.0, 1.0, 0.0, 0.0)
        for name, contrast in zip(states, np.eye(len(states)), strict=True)
    )
    mean, prior = np.zeros(len(case.c)), np.asarray(np.linalg.inv(case.c), dtype=np.float64)
    return Menu(options, ("units",), information, states, mean, prior, decisions)


class TraceSearch(Search):
    """evalfolio's search, ended by the gap of the trace W − v instead of that of v.

    With `swaps` the best choice is improved by moves of a unit between experiments.
    """

    def __init__(self, case: Instance, seconds: float, *, summed: bool, swaps: bool) -> None:
        end = time.process_time() + seconds
        self.case, self.swaps = case, swaps
        objective = Objective((Explained(1.0, summed),))
        problem = Problem(Question(menu_of(case), {"units": case.total}, (), objective))
        names = problem.menu.options.index.str.slice(1).str.split(".")
        self.unit = np.array([[int(i), int(k)] for i, k in names])
        first = greedy(problem)
        self.whole = float(problem.ceilings.sum()) / problem.scale
        value = problem.value(first) / problem.scale
        super().__init__(problem, gap=GAP * (self.whole - value) / value, deadline=None, seed=0)
        self.relaxation.time_left = lambda: end - time.process_time()  # type: ignore[method-assign]
        self.relaxation.deadline = end
        self.learn(first)

    def near_enough(self, bound: float) -> bool:
        return bound < np.inf and bound - self.incumbent.value <= GAP * (self.whole - bound)

    @property
    def _target(self) -> float:
        share = 0.999 * GAP
        return (max(self.incumbent.value, 0.0) + share * self.whole) / (1 + share)

    def process(self, box: Box) -> list[Box]:
        before = self.incumbent.value
        parts = super().process(box)
        if self.incumbent.value > before:
            self.learn(self.incumbent.x)
        return parts

    def learn(self, x: Array) -> None:
        """Take a choice, and what swaps make of it."""
        self.incumbent.learn(x)
        if self.swaps:
            better = self.case.swapped(self.repeats(x))
            codes = dict(zip(map(tuple, self.unit.tolist()), range(len(self.unit)), strict=True))
            y = np.zeros(len(x))
            y[[codes[i, int(better[i])] for i in np.flatnonzero(better).tolist()]] = 1.0
            self.incumbent.learn(y)

    def repeats(self, x: Array) -> Counts:
        """Return units of every experiment."""
        found = np.zeros(len(self.case.most), dtype=np.int64)
        chosen = self.unit[x > 0.5]
        found[chosen[:, 0]] = chosen[:, 1]
        return found


def searched(case: Instance, seconds: float, *, summed: bool = False, swaps: bool = False) -> Any:
    """Return units and the bound on the trace, by evalfolio's search."""
    search = TraceSearch(case, seconds, summed=summed, swaps=swaps)
    search.run()
    low = (search.whole - search.bound) * search.problem.scale
    return search.repeats(search.incumbent.x), low, search.n_boxes


class GradientCuts(Conshdlr):  # type: ignore[misc]  # no stubs
    """z ≥ the trace, by its tangents at the points of SCIP's programmes."""

    def __init__(self, case: Instance, x: list[Any], z: Any) -> None:
        self.case, self.x, self.z = case, x, z
        self.best = np.inf

    def cut(self, within: float) -> Any:
        """Add the tangent at the programme's point where z is below it; offer whole points."""
        x = np.array([self.model.getSolVal(None, each) for each in self.x])
        trace, falls = self.case.trace(x)
        if self.model.getSolVal(None, self.z) >= trace * (1 - within):
            return None
        left = quicksum(float(fall) * each for fall, each in zip(falls, self.x, strict=True))
        self.model.addCons(self.z + left >= trace + float(falls @ x))
        if np.abs(x - np.round(x)).max() < WHOLE and trace < self.best:
            self.best = trace
            offered = self.model.createSol()
            for each, units in zip(self.x, np.round(x), strict=True):
                self.model.setSolVal(offered, each, units)
            self.model.setSolVal(offered, self.z, trace * (1 + 1e-7))
            self.model.addSol(offered)
        return {"result": SCIP_RESULT.CONSADDED}

    def conssepalp(self, constraints: Any, nusefulconss: int) -> Any:
        return self.cut(1e-4) or {"result": SCIP_RESULT.DIDNOTFIND}

    def consenfolp(self, constraints: Any, nusefulconss: int, solinfeasible: bool) -> Any:
        return self.cut(WHOLE) or {"result": SCIP_RESULT.FEASIBLE}

    def consenfops(self, constraints: Any, nusefulconss: int, *flags: bool) -> Any:
        return self.cut(WHOLE) or {"result": SCIP_RESULT.FEASIBLE}

    def conscheck(self, constraints: Any, solution: Any, *flags: bool) -> Any:
        x = np.array([self.model.getSolVal(solution, each) for each in self.x])
        met = self.model.getSolVal(solution, self.z) >= self.case.trace(x)[0] * (1 - WHOLE)
        return {"result": SCIP_RESULT.FEASIBLE if met else SCIP_RESULT.INFEASIBLE}

    def conslock(self, constraint: Any, locktype: Any, down: int, up: int) -> None:
        for each in self.x:
            self.model.addVarLocks(each, down + up, down + up)
        self.model.addVarLocks(self.z, down, up)


def outer(case: Instance, seconds: float) -> Any:
    """Return units and the bound on the trace, by SCIP.

    Symmetries and dual reductions are off: SCIP takes experiments for alike that only the cuts
    tell apart, and its optima are then false.
    """
    model = Model()
    model.hideOutput()
    x = [model.addVar(vtype="I", lb=0, ub=float(most)) for most in case.most]
    z = model.addVar(lb=0)
    model.addCons(quicksum(x) == case.total)
    model.setObjective(z)
    handler = GradientCuts(case, x, z)
    model.includeConshdlr(
        handler,
        "trace",
        "gradient cuts",
        sepapriority=1,
        enfopriority=-10,
        chckpriority=-10,
        sepafreq=1,
        maxprerounds=0,
        needscons=False,
    )
    settings = {
        "misc/usesymmetry": 0,
        "misc/allowstrongdualreds": False,
        "misc/allowweakdualreds": False,
        "limits/gap": GAP,
        "timing/clocktype": 1,  # of the processor
        "limits/time": seconds,
    }
    for name, value in settings.items():
        model.setParam(name, value)
    model.optimize()
    units = np.zeros(len(x), dtype=np.int64)
    if model.getNSols():
        best = model.getBestSol()
        units = np.array([round(model.getSolVal(best, each)) for each in x])
    return units, float(model.getDualbound()), int(model.getNTotalNodes())


METHODS: dict[str, Any] = {
    "evalfolio": lambda case, seconds: searched(case, seconds, swaps=True),
    "SCIP": outer,
    "without swaps": searched,
    "summed trace": lambda case, seconds: searched(case, seconds, summed=True, swaps=True),
}


@dataclass
class Kept:
    """What was measured, by case, in a file of JSON lines."""

    path: Path

    @cached_property
    def known(self) -> dict[str, dict[str, Any]]:
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return {json.dumps(each.pop("case")): each for each in map(json.loads, lines)}

    def measure(self, case: list[Any]) -> None:
        """Measure a case that is not known."""
        key = json.dumps(case)
        if key in self.known:
            return
        m, part, seed, correlated, method, seconds = case
        drawn = instance(m, part, seed, correlated)
        start = time.process_time()
        units, low, boxes = METHODS[method](drawn, seconds)
        took = time.process_time() - start
        within = bool(units.sum() <= drawn.total and (units <= drawn.most).all())
        trace = drawn.trace(units)[0]
        gap = (trace - low) / low if low > 0 else np.inf
        told = {"cpu": took, "trace": trace, "low": low, "gap": gap, "boxes": boxes}
        self.known[key] = told | {"within": within}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"case": case} | self.known[key]) + "\n")
        print(case, {name: round(float(value), 4) for name, value in told.items()}, flush=True)


def cases(sizes: Sequence[int], seeds: Sequence[int]) -> list[tuple[int, int, int, bool]]:
    """Return size, part, seed and kind of data of the instances asked for."""
    found = product(seeds, sizes, PARTS, (False, True))
    return [(m, part, seed, correlated) for seed, m, part, correlated in found]


def solved(told: Sequence[dict[str, Any]]) -> str:
    return f"{sum(each['gap'] <= GAP for each in told)} of {len(told)}"


def left(told: Sequence[dict[str, Any]]) -> str:
    """Return the median gap of what was not solved."""
    gaps = [each["gap"] for each in told if each["gap"] > GAP]
    if not gaps:
        return "-"
    middle = float(np.median(gaps))
    return f"{100 * middle:.3g} %" if np.isfinite(middle) else "no bound above 0"


def compared(kept: Kept, seconds: float, methods: Sequence[str]) -> str:
    """Return the table of methods, paired, by kind of instance; empty where nothing was measured.

    CPU is how many times the first method's the last one takes, the median where both solve.
    """
    groups: dict[str, list[list[dict[str, Any]]]] = {}
    for case in cases(SIZES, SEEDS):
        told = [kept.known.get(json.dumps([*case, method, seconds])) for method in methods]
        if any(each is None for each in told):
            continue
        data = "correlated" if case[3] else "independent"
        for name in (f"n = m/{case[1]}, {data}", f"m = {case[0]}", "all"):
            groups.setdefault(name, []).append([each for each in told if each is not None])
    order = sorted(groups, key=lambda name: ("nma".index(name[0]), len(name), name))
    lines = []
    for name in order:
        by_method = list(zip(*groups[name], strict=True))
        both = [
            told[-1]["cpu"] / told[0]["cpu"]
            for told in groups[name]
            if told[0]["gap"] <= GAP and told[-1]["gap"] <= GAP
        ]
        ratio = f"{np.median(both):.1f} ({len(both)})" if both else "-"
        lines.append([name, *map(solved, by_method), *map(left, by_method), ratio])
    head = ["instances", *(f"{name}: solved" for name in methods)]
    head += [*(f"{name}: gap left" for name in methods), f"CPU, {methods[-1]} / {methods[0]}"]
    return table(head, lines) if lines else ""


def body(kept: Kept) -> str:
    limits = sorted({json.loads(case)[-1] for case in kept.known})
    assert all(each["within"] for each in kept.known.values()), "a choice breaks its limits"
    parts = []
    for seconds in limits:
        for methods in (["evalfolio", "SCIP"], ["evalfolio", *list(METHODS)[2:]]):
            made = compared(kept, seconds, methods)
            parts += [f"At most {seconds:g} CPU-s each:\n\n{made}"] if made else []
    return (
        "min tr((C + Aᵀ diag(x) A)⁻¹) over whole x in [0, u] with Σ x = N: the published form of "
        "OptimalDesignWithBoscia (arXiv 2312.11200; m experiments, n parameters, five seeds, 100 "
        "instances), drawn by our own generator. Solved: value and bound of the trace within "
        f"{GAP:.0%}. evalfolio's search takes v over the n unit contrasts, worth 1 each, with "
        "repeats as exclusive options, is ended by the trace's gap, and improves choices by moves "
        "of a unit between experiments, which the benchmark adds (*without swaps*: as it stands). "
        "*Summed trace*: one quantity in place of n, v/(W − v) of the sum. SCIP: gradient cuts by "
        "a constraint handler in Python, which costs it a part of its time. Boscia itself is not "
        "beside: no registry at hand has Julia (Debian 12 has no package of it, what PyPI has "
        "fetches it from elsewhere). Sixty seconds and an hour each were asked for; what the clock "
        "allowed is below, and `--seconds 60 --kept FILE` goes on from there. **This tries v and "
        "wholeness, never the S-shaped G**: every worth is linear.\n\n"
        + "\n\n".join(parts)
        + "\n\nGap left: the median of what was not "
        "solved. CPU: median ratio where both solve (how many). Instances that not all methods of "
        "a table were tried on are left out of it.\n\n`python -m benchmarks.fusion`. "
        + circumstances(SEEDS[0], ("numpy", "scipy", "highspy", "pyscipopt"))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kept", type=Path, default=Path("fusion.jsonl"))
    parser.add_argument("--only-kept", action="store_true", help="the table of what is kept")
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--seeds", nargs="*", type=int, default=SEEDS)
    asked = parser.parse_args()
    kept = Kept(asked.kept)
    for case in cases(asked.sizes, asked.seeds) if not asked.only_kept else ():
        for method in asked.methods:
            kept.measure([*case, method, asked.seconds])
    text = body(kept)
    write_section("fusion", "A-Fusion: integer designs of least trace", text)
    print(text)


if __name__ == "__main__":
    main()
