"""Certificates of menus small enough to be listed: true ones proved, false ones refused.

Run with ``python -m benchmarks.verified``. The best of all choices is found by listing them; the
certificate's bound must be at or above it, its choice worth what it claims, and nothing that was
changed to be false may be proved. The table goes into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import collections
import resource
import subprocess
import sys
import time
from decimal import localcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from tables import circumstances, seconds, table, write_section  # path first
from tests.evalfolio.certificates.tampering import (  # path first
    KINDS,
    made,
    proves,
    question_of,
    tampered,
)
from tests.evalfolio.search.test_certified import brute_force  # path first

from evalfolio.certificates.verifier import DIGITS, Problem

ROOT = Path(__file__).parents[1]
FIRST = 10_000  # no test's seeds
GAPS = (1e-3, 1e-6)


def exactly(data: dict[str, Any], x: NDArray[np.float64]) -> float:
    """Return what a choice is worth in the verifier's digits."""
    names = [data["menu"]["options"][option] for option in np.flatnonzero(x > 0.5)]
    with localcontext(prec=DIGITS):
        return float(Problem(data).value(names, []))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--menus", type=int, default=1000)
    parser.add_argument("--ways", type=int, default=1, help="ways of each kind tried per menu")
    parser.add_argument("--example", type=Path, default=Path("out/cyber"), help="of `make demo`")
    arguments = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    false: collections.Counter[tuple[str, bool]] = collections.Counter()
    ways: dict[str, set[str]] = collections.defaultdict(set)
    above, took = [], []
    for seed in range(FIRST, FIRST + arguments.menus):
        if seed % 100 == 0:
            print(seed, dict(counts), sum(false.values()), flush=True)
        question, gap = question_of(seed), GAPS[seed % 2]
        data, found = made(question, gap)
        start = time.process_time()
        counts["proved"] += proves(data, question)
        took.append(time.process_time() - start)
        x, best = brute_force(found.problem)
        value, bound = data["claim"]["value"], data["claim"]["bound"]
        near = 1e-11 * best + 1e-13 * found.problem.evpi
        above_it = bound >= best * (1 - 1e-12)
        if not above_it:  # where a value is of 1e-35, floats are less exact than a proof
            above_it = bound >= exactly(data, x) * (1 - 1e-15)
            counts["exactly"] += above_it
        counts["above"] += above_it
        counts["right"] += abs(value - found.problem.value(found.x)) <= near
        counts["best"] += best - value <= gap * bound + near
        above.append(bound / best - 1 if best > 0 else 0.0)
        rng = np.random.default_rng(seed)
        tried: dict[str, list[tuple[str, Any]]] = collections.defaultdict(list)
        for kind, way, each in tampered(data, rng):
            tried[kind].append((way, each))
        for kind, all_ways in tried.items():
            for k in rng.permutation(len(all_ways))[: arguments.ways]:
                way, each = all_ways[k]
                refused = not proves(each, question)
                false[kind, refused] += 1
                ways[kind].add(way.replace("_", " "))
                if not refused:  # told at once, as it must not be
                    print("PROVED, and false:", seed, kind, way, flush=True)
    n = arguments.menus
    rows = [
        ["certificates that `verify` proves, each of its menu and question", f"{counts['proved']}"],
        [
            f"bound at or above the best of all choices ({counts['exactly']} of them once that is "
            "reckoned in the verifier's 80 digits)",
            f"{counts['above']}",
        ],
        ["value claimed is the choice's", f"{counts['right']}"],
        ["choice within the gap asked for of the best", f"{counts['best']}"],
    ]
    head = ["changed", "tried", "refused", "ways"]
    lies = [
        [kind, f"{sum(false[kind, k] for k in (False, True))}", f"{false[kind, True]}"]
        for kind in KINDS
    ]
    lies = [[*row, ", ".join(sorted(ways[row[0]]))] for row in lies]
    words = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, check=False, capture_output=True, text=True).stdout.strip()
    example = ""
    if (arguments.example / "certificate.json").exists():
        command = [sys.executable, "-m", "evalfolio", "verify", str(arguments.example)]
        alone = [sys.executable, "-I", "-S"]
        alone += [str(ROOT / "portfolio/evalfolio/certificates/verifier.py")]
        alone += [str(arguments.example / "certificate.json")]
        each_took = []
        for words in (command, alone):
            start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(words, check=True, capture_output=True)
            wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            each_took.append(f"{seconds(cpu)} of CPU ({seconds(wall)} by the clock)")
        example = (
            f"\n\nThe example's certificate (`make demo`), whole command: "
            f"`evalfolio verify` of its folder {each_took[0]}, `python verifier.py` alone "
            f"{each_took[1]}; aim: 10 s."
        )
    body = (
        f"{circumstances(FIRST, ['numpy', 'scipy', 'highspy'])} Code of commit {commit}.\n\n"
        f"{n} menus of up to five evals on up to three domains, some with shared purchases, some "
        f"under limits (`question_of`, seeds {FIRST} to {FIRST + n - 1}), gaps 0.1 % and 0.0001 % "
        "in turn; all choices listed. A proof takes "
        f"{seconds(float(np.median(took)))} (median; largest {seconds(max(took))}) of CPU. Bounds "
        f"are {np.median(above):.2g} (median; largest {max(above):.2g}) of the best above it.\n\n"
        + table([f"of {n}", ""], rows)
        + "\n\nMade false, in a way drawn from each kind where the certificate has a place for it "
        "(one of no choice is left alone):\n\n" + table(head, lies) + example
    )
    write_section("verified", "Certificates proved and refused", body)
    print(body)


if __name__ == "__main__":
    main()
