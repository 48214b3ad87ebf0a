"""A thousand certified plans of the example: how long a sweep takes.

Run with ``python -m benchmarks.sweep POSTERIOR.nc [COUNT]``, a posterior that ``evalfolio fit``
wrote for ``examples/cyber``; it writes its own section of ``benchmarks/README.md``.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.tables import circumstances, percent, table, write_section

from evalbayes.catalogue import read_catalogue
from evalbayes.menus import build_menu
from evalbayes.posterior.posterior import Posterior
from evalfolio.recommendations.recommender import question_of
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import ON_MENU, Assumed, assumptions_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.sweep import Sweep, solve

SEED, COUNT, GAP, WORKERS = 7, 1000, 1e-3, 2


def plan_timed(
    basis: Basis,
    figures: tuple[Assumed, ...],
    question: Question,
    point: list[float],
) -> dict[str, object]:
    """One certified plan, and the processor seconds it took in the process that made it."""
    start = time.process_time()
    menu = basis.put_on(basis.lean, dict(zip(figures, point, strict=True)))
    found = solve(question.on(menu), Certified(gap=GAP, seed=SEED))
    took = time.process_time() - start
    return {"value": found.value, "bound": found.bound, "status": found.status, "seconds": took}


def main(path: str, count: int = COUNT) -> None:
    catalogue = read_catalogue(Path("examples/cyber/catalogue.toml"))
    posterior = Posterior.load(path)
    menu, _ = build_menu(posterior, catalogue, with_draws=False)
    question = question_of(catalogue, menu)
    basis = Basis(question, catalogue)
    figures = tuple(a for a in assumptions_of(catalogue, posterior) if a.kind in ON_MENU)
    task = partial(plan_timed, basis, figures, question)
    rng = np.random.default_rng(SEED)
    low, high = np.array([a.low for a in figures]), np.array([a.high for a in figures])
    points = (low + rng.random((count, len(figures))) * (high - low)).tolist()
    start = time.perf_counter()
    found = Sweep(workers=WORKERS).run(task, points)
    took = time.perf_counter() - start
    seconds = np.array([each["seconds"] for each in found])
    gaps = np.array([1 - each["value"] / each["bound"] for each in found])
    body = (
        f"{circumstances(SEED, ['numpy', 'scipy', 'highspy', 'joblib'])}\n\n"
        f"{count} certified plans of `examples/cyber` ({len(menu)} options of "
        f"{menu.options['eval'].nunique()} evals, {len(menu.states)} states), thresholds, losses, "
        "later gains, uncertainties, prices and hours drawn from their ranges, "
        f"{WORKERS} workers. Processor time is that of the workers while they make plans; on two "
        "idle cores the wall clock is half of it.\n\n"
        + table(
            ["plans", "certified", "largest gap", "wall clock", "processor time", "half of it"],
            [
                [
                    str(count),
                    f"{np.mean([each['status'] == 'certified' for each in found]):.1%}",
                    percent(float(gaps.max())),
                    f"{took:.0f} s",
                    f"{seconds.sum():.0f} s",
                    f"{seconds.sum() / WORKERS:.0f} s",
                ]
            ],
        )
    )
    write_section("sweep", "Certified plans in a sweep", body)
    print(body)


if __name__ == "__main__":
    main(sys.argv[1], *(int(text) for text in sys.argv[2:3]))
