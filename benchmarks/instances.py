"""The library of frozen menus (`tests/instances`): all certified, proved and held to what is known.

Run with ``python -m benchmarks.instances``; ends with an error where anything is false. The table
by pattern goes into ``benchmarks/README.md``.
"""

from __future__ import annotations

import collections
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from tables import circumstances, percent, seconds, table, write_section  # path first
from tests.instances.library import FROZEN, GAP, MADE, PATTERNS, check  # path first


def main() -> None:
    known = json.loads(FROZEN.read_text(encoding="utf-8"))
    found: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    start, fails = time.monotonic(), []
    for name in MADE:
        try:
            found[name.split()[0]].append(check(name, known[name]) | known[name])
        except Exception as error:  # a table of what fails beside what holds
            fails.append(f"{name}: {type(error).__name__}: {error}")
            print(fails[-1], flush=True)
    took = time.monotonic() - start
    rows = []
    for pattern, each in found.items():
        make, figures = PATTERNS.get(pattern, (None, ()))
        story = "menus that once broke the search" if make is None else str(make.__doc__)
        ends = f": {figures[0]} to {figures[-1]}" if figures else ""
        rows.append(
            [
                f"{story.strip().rstrip('.')}{ends}",
                f"{len(each)} of {sum(name.split()[0] == pattern for name in MADE)}",
                f"{sum(one['by'] == 'listing' for one in each)}",
                f"{max(one['boxes'] for one in each)}",
                f"{max(one['nodes'] for one in each)}",
                percent(max(one["gap"] for one in each)),
                seconds(max(one["search"] for one in each)),
                seconds(max(one["proof"] for one in each)),
            ]
        )
    head = ["pattern", "hold", "optimum listed", "boxes, most", "nodes, most", "widest gap proved"]
    head += ["search and certificate, CPU, longest", "proof, CPU, longest"]
    total = sum(map(len, found.values()))
    body = (
        f"{circumstances(0, ['numpy', 'scipy', 'highspy'])}\n\n"
        f"{len(MADE)} frozen menus, each certified to {percent(GAP)}, its certificate proved by "
        "the verifier and held to its question, value and bound to the optimum that is known: "
        f"{total} hold, {len(fails)} do not. All of it took {took:.0f} s of wall clock; "
        "aim: 300 s.\n\n" + table(head, rows)
    )
    if fails:
        body += "\n\nDo not hold: " + "; ".join(fails)
    write_section("instances", "The library of instances", body)
    print(body)
    sys.exit(bool(fails))


if __name__ == "__main__":
    main()
