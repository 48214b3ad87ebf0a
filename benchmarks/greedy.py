"""How far greedy falls short on the menu problem, where only the certified method can say so.

Run with ``python benchmarks/greedy.py``; it writes the section "greedy" of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / source) for source in ("portfolio", "models")]

from menus import budget_share, random_menu  # noqa: E402 # path first
from tables import circumstances, percent, seconds, table, write_section  # noqa: E402 # path first

import evalfolio as ef  # noqa: E402 # path first

SEEDS = range(5)
SIZES = ((12, 3, 3), (30, 3, 3), (120, 3, 6))
SHARES = (0.02, 0.1, 0.3)
TIME_LIMIT = 60.0


def cheapest_first(menu: ef.Menu, budget: dict[str, float]) -> tuple[str, ...]:
    """Run the cheapest option of one eval after another while it fits: breadth without thought."""
    left, chosen, done = dict(budget), [], set()
    for name, row in menu.options.sort_values("usd").iterrows():
        if row["eval"] not in done and all(row[r] <= left[r] for r in left):
            chosen.append(str(name))
            done.add(row["eval"])
            left = {r: left[r] - row[r] for r in left}
    return tuple(chosen)


def measure(size: tuple[int, int, int], share: float) -> list[str]:
    short: dict[str, list[float]] = {"greedy": [], "cheapest": [], "gap": []}
    took: dict[str, list[float]] = {"greedy": [], "certified": []}
    for seed in SEEDS:
        menu = random_menu(*size, seed=seed)
        budget = budget_share(menu, share)
        start = time.perf_counter()
        greedy = ef.optimise(menu, budget=budget, method="greedy")
        middle = time.perf_counter()
        best = ef.optimise(menu, budget=budget, time_limit=TIME_LIMIT)
        took["greedy"].append(middle - start)
        took["certified"].append(time.perf_counter() - middle)
        simple = ef.evaluate(menu, cheapest_first(menu, budget)).value
        for name, value in (("greedy", greedy.value), ("cheapest", simple)):
            lost = 1 - value / best.value if best.value > 0 else 0.0
            short[name].append(max(lost, 0.0))
        short["gap"].append(best.gap if best.gap is not None else np.nan)
        print(
            size, share, seed, took["certified"][-1], best.status, short["greedy"][-1], flush=True
        )
    return [
        " × ".join(map(str, size)),
        f"{100 * share:g} %",
        seconds(float(np.median(took["greedy"]))),
        f"{percent(float(np.median(short['greedy'])))} / {percent(max(short['greedy']))}",
        f"{percent(float(np.median(short['cheapest'])))} / {percent(max(short['cheapest']))}",
        seconds(float(np.median(took["certified"]))),
        percent(max(short["gap"])),
    ]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = [measure(size, share) for size in SIZES for share in SHARES]
    head = (
        "evals × options × domains", "budget", "greedy, time",
        "greedy short of certified (median / worst)", "cheapest first, short (median / worst)",
        "certified, time (median)", "certified, worst gap",
    )  # fmt: skip
    text = (
        f"{circumstances(SEEDS.start, ('numpy', 'scipy', 'highspy', 'cvxpy'))}\n\n"
        f"Random menus, {len(SEEDS)} seeds, two budgets (usd and staff hours) as a share of what "
        "the deepest option of every eval uses. Greedy buys by value per cost; *cheapest first* "
        "runs the cheapest option of one eval after another. Times include the plan's "
        "explanation.\n\n"
        f"{table(head, rows)}"
    )
    write_section("greedy", "Greedy on the menu problem", text)


if __name__ == "__main__":
    main()
