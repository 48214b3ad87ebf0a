"""Certified search with the certificate written: CPU seconds, beside an earlier checkout's.

Run with ``python -m benchmarks.written [--before CHECKOUT]``; every case runs in a process of its
own, the two versions in turn, and the table goes into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
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
from tables import circumstances, seconds, table, write_section  # path first

ROOT = Path(__file__).parents[1]
CASES: tuple[tuple[str, tuple[int, int, int], float, int, str], ...] = (
    ("value", (120, 3, 6), 0.02, 3, "0.3 s"),
    ("value", (1000, 10, 10), 0.1, 3, "0.5 s"),
    ("value", (5000, 10, 10), 0.1, 1, "3 s, 0.3 GiB"),
    ("worst tenth of 50 draws", (300, 3, 6), 0.1, 1, "2 s"),
)


def case(kind: str, size: tuple[int, int, int], share: float, seed: int) -> dict[str, Any]:
    """Return CPU seconds of search and of certificate, and GiB above the menu."""
    from evalfolio.certificates.recording import certificate
    from evalfolio.objectives import evsi, tail_value
    from evalfolio.search.certified import Certified
    from evalfolio.search.question import Question

    def written(found: Any) -> dict[str, Any]:
        proved = found.tree if hasattr(found, "tree") else found.trail  # an earlier checkout's
        return dict(certificate(found.problem, found.x, found.bound, proved))

    small = random_menu(12, 3, 2)
    first = Certified().find(Question(small, budget_share(small, 0.1)))
    written(first)  # imports are not timed
    menu = random_menu(*size, seed=seed)
    if kind != "value":
        each = np.random.default_rng([seed, 50]).lognormal(-0.08, 0.4, (50, len(menu), 1, 1))
        menu = replace(menu, information_draws=menu.information * each)
    question = Question(
        menu, budget_share(menu, share), (), evsi() if kind == "value" else tail_value(0.1)
    )
    gc.collect()  # of what was made before
    before, start = _held(), time.process_time()
    found = Certified().find(question)
    searched = time.process_time()
    data = written(found)
    return {
        "search": searched - start,
        "certificate": time.process_time() - searched,
        "memory": _held() - before,
        "none": data.get("not_verifiable", ""),
    }


def _held() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def measured(root: Path, *words: Any) -> dict[str, Any]:
    """Run a case on a checkout, in a process of its own."""
    paths = os.pathsep.join(str(root / part) for part in ("portfolio", "models"))
    command = [sys.executable, __file__, "--case", json.dumps(words)]
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(root.name, words, told, flush=True)
    return told


def rows(found: list[tuple[tuple[Any, ...], list[dict[str, Any]], list[dict[str, Any]]]]) -> str:
    """Return the table: worst seed of each version, and the ratio of the sums."""
    lines = []
    for (kind, size, share, _, aim), now, before in found:
        worst = [max(e["search"] + e["certificate"] for e in each or now) for each in (now, before)]
        lines.append(
            [
                f"{kind}, {' × '.join(map(str, size))} at {share:.0%}",
                *(
                    "-"
                    if not each
                    else f"{seconds(max(e['search'] for e in each))} + "
                    f"{seconds(max(e['certificate'] for e in each))}"
                    for each in (now, before)
                ),
                f"{worst[0] / worst[1]:.2f}" if before else "-",
                f"{max(e['memory'] for e in now):.2f} GiB",
                aim,
                "; ".join(sorted({e["none"] for e in now if e["none"]})) or "all proved",
            ]
        )
    head = ["objective, evals × options × domains, budget", "search + certificate, worst seed"]
    head += ["before", "ratio", "memory above the menu", "aim, both", "certificate"]
    return table(head, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", help="one case, as JSON; for the benchmark itself")
    parser.add_argument("--before", type=Path, help="an earlier checkout, run in turn")
    arguments = parser.parse_args()
    if arguments.case:
        kind, size, share, seed = json.loads(arguments.case)
        print(json.dumps(case(kind, tuple(size), share, seed)))
        return
    found: list[tuple[tuple[Any, ...], list[dict[str, Any]], list[dict[str, Any]]]] = []
    for each in CASES:
        now, before = [], []
        for seed in range(each[3]):
            now.append(measured(ROOT, *each[:3], seed))
            if arguments.before:
                before.append(measured(arguments.before.resolve(), *each[:3], seed))
        found.append((each, now, before))
    body = f"{circumstances(0, ['numpy', 'scipy', 'highspy'])}\n\n" + (
        "CPU seconds of one thread of `Certified().find` (gap 0.1 %) and of `certificate`, which "
        "writes down the search's tree; imports are not "
        "counted. What else a machine does moves the seconds by half and more: the ratio tells.\n\n"
        + rows(found)
    )
    write_section("written", "Certified search with its certificate written", body)
    print(body)


if __name__ == "__main__":
    main()
