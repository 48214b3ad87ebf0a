"""Certified plans: CPU time, memory and growth with the menu; sweeps of budgets; tails of draws.

Run with ``python -m benchmarks.certified``; every case runs in a process of its own, so that its
memory is its own, and the table goes into ``benchmarks/README.md``. CPU seconds of one thread are
measured, as they depend little on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from menus import budget_share, random_menu  # path first
from tables import circumstances, percent, seconds, table, write_section  # path first

SEED = 0
GAP = 1e-3
SIZES = ((120, 3, 6), (300, 10, 6), (1000, 10, 10), (5000, 10, 10))
AIMS = {(120, 3, 6): "1 s", (300, 10, 6): "5 s", (1000, 10, 10): "15 s"}
SHARES = (0.02, 0.1, 0.3)
MOST = 300.0  # seconds for one plan
SWEEP, POINTS = (300, 10, 6), 100
TAILS = ((60, 3, 6), (300, 3, 6))
N_DRAWS, TAIL = 50, 0.1


def plan(size: tuple[int, int, int], share: float, seed: int) -> dict[str, Any]:
    """Certify one menu; return CPU seconds, boxes and gap."""
    from evalfolio.search.certified import Certified, certify
    from evalfolio.search.problem import Problem
    from evalfolio.search.question import Question

    menu = random_menu(*size, seed=seed)
    budget = budget_share(menu, share)
    start = time.process_time()
    found = certify(Problem(Question(menu, budget)), Certified(GAP, MOST))
    return _told(found, time.process_time() - start)


def tail(size: tuple[int, int, int], share: float, seed: int) -> dict[str, Any]:
    """Certify the mean value of the worst tenth of 50 draws of the information."""
    from evalfolio.objectives import tail_value
    from evalfolio.search.certified import Certified, certify
    from evalfolio.search.problem import Problem
    from evalfolio.search.question import Question

    menu = random_menu(*size, seed=seed)
    rng = np.random.default_rng([seed, 50])
    each = rng.lognormal(-0.08, 0.4, (N_DRAWS, len(menu), 1, 1))
    menu = replace(menu, information_draws=menu.information * each)
    start = time.process_time()
    problem = Problem(Question(menu, budget_share(menu, share), (), tail_value(TAIL)))
    found = certify(problem, Certified(GAP, MOST))
    return _told(found, time.process_time() - start)


def sweep(size: tuple[int, int, int], share: float, seed: int) -> dict[str, Any]:
    """Relax one menu at 100 budgets up to a share; compare with one certified plan there."""
    from evalfolio.search.question import Question
    from evalfolio.sensitivities.relaxed_line import relaxed_line

    one = plan(size, share, seed)
    menu = random_menu(*size, seed=seed)
    budget = budget_share(menu, share)
    amounts = np.linspace(budget["usd"] / POINTS, budget["usd"], POINTS)
    start = time.process_time()
    values, _ = relaxed_line(Question(menu, budget), "usd", amounts)
    took = time.process_time() - start
    assert np.isfinite(values).all()
    return one | {"sweep": took, "bend": float(np.diff(values, 2).max() / values[-1])}


def _told(found: Any, took: float) -> dict[str, Any]:
    return {
        "seconds": took,
        "boxes": found.rounds,
        "gap": (found.bound - found.value) / found.bound,
        "status": found.status,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


KINDS = {"plan": plan, "tail": tail, "sweep": sweep}


def apart(
    kind: str, size: tuple[int, int, int], share: float, seed: int, kept: Path | None, only: bool
) -> list[dict[str, Any]]:
    """Run one case in a process of its own; one that is kept in the file is not run again."""
    case = json.dumps([kind, size, share, seed])
    if kept is not None and kept.exists():
        for line in kept.read_text(encoding="utf-8").splitlines():
            known: dict[str, Any] = json.loads(line)
            if known.pop("case") == json.loads(case):
                return [known]
    if only:
        return []
    command = [sys.executable, __file__, "--case", case]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(kind, size, share, seed, told, flush=True)
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"case": json.loads(case)} | told) + "\n")
    return [told]


def named(size: tuple[int, int, int]) -> str:
    return " × ".join(map(str, size))


def row(size: tuple[int, int, int], share: float, told: list[dict[str, Any]]) -> list[str]:
    took = sorted(each["seconds"] for each in told)
    done = sum(each["status"] == "certified" for each in told)
    return [
        named(size), f"{share:.0%}", f"{done} of {len(told)}", seconds(float(np.median(took))),
        seconds(took[-1]), percent(max(each["gap"] for each in told)),
        f"{np.median([each['boxes'] for each in told]):.0f}",
        f"{max(each['memory'] for each in told):.1f} GiB",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", help="one case, as JSON; for the benchmark itself")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path, help="file of measured cases, to go on from")
    parser.add_argument("--only-kept", action="store_true", help="the table of what is kept")
    arguments = parser.parse_args()
    if arguments.case:
        kind, size, share, seed = json.loads(arguments.case)
        print(json.dumps(KINDS[kind](tuple(size), share, seed)))
        return
    seeds = range(arguments.seeds)
    kept = arguments.kept, arguments.only_kept
    head = ["evals × options × domains", "budget", "certified", "CPU, median", "CPU, worst"]
    head += ["widest gap", "boxes, median", "memory, most"]
    plans, tails, sweeps = [], [], []
    for size in SIZES:
        for share in (0.1,) if size[0] >= 1000 else SHARES:
            own = [0] if size[0] > 1000 else seeds
            cases = [told for seed in own for told in apart("plan", size, share, seed, *kept)]
            if cases:
                plans.append([*row(size, share, cases), AIMS.get(size, "-")])
    for size in TAILS:
        cases = apart("tail", size, 0.1, SEED, *kept)
        tails += [row(size, 0.1, cases)] if cases else []
    for told in apart("sweep", SWEEP, 0.1, SEED, *kept):
        ratio = told["sweep"] / told["seconds"]
        took = [seconds(told["seconds"]), seconds(told["sweep"]), f"{ratio:.1f}"]
        sweeps.append([named(SWEEP), *took])
    body = (
        f"{circumstances(SEED, ['numpy', 'scipy', 'highspy'])}\n\n"
        f"Random menus of `menus.py`, two budgets (usd and staff hours) as a share of what the "
        f"deepest option of every eval uses, gap {percent(GAP)}, {len(seeds)} seeds (one at 5000 "
        f"evals; rows not measured are left out), at most {MOST:.0f} s of wall clock each. "
        "CPU seconds of one thread, the search alone; every "
        "case in a process of its own, whose largest memory (imports and menu included) is given. "
        "Aims are for idle cores.\n\n"
        + table([*head, "aim"], plans)
        + f"\n\nThe mean value of the worst {TAIL:.0%} of {N_DRAWS} posterior draws "
        "(`tail_value`), one seed:\n\n"
        + table(head, tails)
        + f"\n\nThe relaxation at {POINTS} budgets (values and prices, `relaxed_line`), beside one "
        "certified plan at the largest of them, in the same process; aim: less than 15 times.\n\n"
        + table(["evals × options × domains", "one plan", "the sweep", "ratio"], sweeps)
    )
    write_section("certified", "Certified plans and how their time grows", body)
    print(body)


if __name__ == "__main__":
    main()
