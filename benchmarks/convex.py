"""The best split in parts beside the certified mix: how far bound and mix lie, and CPU time.

Run with ``python -m benchmarks.convex [PLAN ...]``: random menus, and the menus of plans that
`evalfolio recommend` wrote. The table goes into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from menus import budget_share, random_menu  # path first
from tables import circumstances, percent, table, write_section  # path first

SEED = 0
SIZES = ((120, 3, 6), (300, 10, 6), (1000, 10, 10))
SHARE = 0.1
GAP = 1e-3


def main() -> None:
    """Compare the two on every menu and write the table."""
    from evalfolio import Plan
    from evalfolio.search.certified import Certified
    from evalfolio.search.convex.fractional import Convex
    from evalfolio.search.question import Question

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plans", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="replace the section of README.md")
    given = parser.parse_args()
    questions = {}
    for path in given.plans:
        plan = Plan.load(path)
        questions[f"{len(plan.menu)} options of a plan"] = plan.question.lean
    for size in SIZES:
        menu = random_menu(*size, seed=SEED)
        name = f"{size[0]} evals × {size[1]} options, {size[2]} domains"
        questions[name] = Question(menu, budget_share(menu, SHARE))
    rows = []
    for name, question in questions.items():
        took, found = [], []
        for method in (Certified(GAP, 300.0), Convex()):
            start = time.process_time()
            found.append(method.find(question))
            took.append(time.process_time() - start)
        best, near = found
        prices = [
            abs(near.prices[r] - p) * question.spendable[r] / best.bound
            for r, p in best.prices.items()
            if np.isfinite(question.spendable[r])
        ]
        rows.append(
            [
                name,
                percent(near.bound / best.value - 1.0),
                f"{100 * (1.0 - near.value / best.value):.2g} %",
                percent(near.gap or 0.0),
                percent(max(prices, default=0.0)),
                f"{took[1] / took[0]:.1f}",
            ]
        )
    heads = ["menu", "bound above the certified mix", "mix below it", "gap of its own"]
    heads += ["largest difference of a budget's price, of the value", "CPU time, certified = 1"]
    text = "\n\n".join(
        [
            circumstances(SEED, ("numpy", "scipy", "cvxpy", "clarabel", "highspy")),
            "The relaxation with options bought in part, by cvxpy, and the mix near it, beside the "
            f"certified search at a gap of {percent(GAP)}. A negative figure: the mix near the "
            "split is worth more than one that is certified to its gap.",
            table(heads, rows),
        ]
    )
    if given.write:
        write_section("convex", "The best split in parts", text)
    print(text)


if __name__ == "__main__":
    main()
