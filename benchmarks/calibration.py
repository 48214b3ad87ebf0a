"""Is the whole model calibrated? Ranks of the truth over simulated data sets.

python -m benchmarks.calibration [whole|pairs] [DATA_SETS]

Truth from the prior, runs from the truth, posterior from the runs; the model is compiled once. The
design is small: with elicited runs (whole), or with best-of-k counts and elicited runs, each beside
single runs of the same eval and AI model (pairs). The family-wise false-alarm rate of the six tests
is 1 %.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas as pd
from benchmarks.ranks import RANKED, Calibration, Simulator, calibrate
from benchmarks.tables import circumstances, table, write_section

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.observations import Observations, Rows, observations_of

SEED = 20261126
DATA_SETS, RUNS = 200, 20
WORKERS = 2
FALSE_ALARM = 0.01  # of any of the quantities, if all are calibrated
DESIGN = (  # eval, human minutes, effort, AI models
    ("easy", 4.0, 0.0, "ABC"),
    ("middle", 30.0, 0.0, "ABC"),
    ("hard", 240.0, 0.0, "BC"),
    ("middle", 30.0, 0.8, "BC"),
    ("hard", 240.0, 0.8, "C"),
)
PAIRS = (
    ("easy", 4.0, 0.0, "AB"),
    ("middle", 30.0, 0.0, "ABC"),
    ("hard", 240.0, 0.0, "BC"),
    ("hard", 240.0, 0.8, "C"),
)
BEST_OF_K = (("easy", "AB"), ("middle", "AC"), ("hard", "B"))  # counts beside the single runs
TASKS, EFFORT = 40, 0.5  # of a count of best-of-k


def design(
    cells_of: Sequence[tuple[str, float, float, str]] = DESIGN,
    counts_of: Sequence[tuple[str, str]] = (),
) -> tuple[Catalogue, Observations]:
    """Three evals of one domain, two of them of a family; cells, and counts of best-of-k."""
    minutes = {name: value for name, value, _, _ in cells_of}
    catalogue = parse_catalogue(
        {
            "portfolio": {"ai_model": "C"},
            "domain": [{"name": "cyber", "threshold_human_time": "16 h"}],
            "eval": [
                {
                    "name": name,
                    "domain": "cyber",
                    "tasks": 40,
                    "spend_unit": "tokens",
                    "human_minutes": value,
                    **({"family": "ctf"} if name != "easy" else {}),
                    "usd_per_unit": [4e-6, 9e-6],
                }
                for name, value in minutes.items()
            ],
        }
    )
    cells = pd.DataFrame(
        [
            {
                "eval": name,
                "ai_model": ai_model,
                "effort": effort,
                "n_success": 2,
                "n_gave_up": 2,
                "n_stopped_by_cap": 1,
                "mean_ln_spend_success": 11.0,
                "sd_ln_spend_success": 1.0,
                "mean_ln_spend_gave_up": 12.0,
                "sd_ln_spend_gave_up": 1.0,
                "cap": 1e6,
            }
            for name, _, effort, ai_models in cells_of
            for ai_model in ai_models
        ]
    )
    counts = pd.DataFrame(
        [
            {
                "eval": name,
                "ai_model": ai_model,
                "effort": EFFORT,
                "cap": 1e6,
                "n_runs": TASKS,
                "n_success": TASKS // 2,
            }
            for name, ai_models in counts_of
            for ai_model in ai_models
        ]
    )
    frames = [Rows(frame, "the design") for frame in (cells, counts) if len(frame)]
    return catalogue, observations_of(frames)


STUDIES = {  # section, title, what there are results of
    "whole": (
        "calibration",
        "Calibration of the joint model",
        f"{RUNS} runs in each of 11 cells (3 elicited, effort 0.8)",
        (DESIGN, ()),
    ),
    "pairs": (
        "calibration-pairs",
        "Calibration of the gap learned from pairs",
        f"{RUNS} single runs in each of 7 cells, and beside them 5 counts of best-of-k over "
        f"{TASKS} tasks (effort {EFFORT}) and one cell of {RUNS} elicited runs (effort 0.8)",
        (PAIRS, BEST_OF_K),
    ),
}


def body(found: Calibration, cpu: float, results: str) -> str:
    """Return the section: circumstances, what was done, and a row per quantity."""
    rows = found.table(SEED)
    least = FALSE_ALARM / len(rows)
    lines = [
        [
            str(name),
            f"{row.mean_rank:.3f}",
            f"{row.outer_share:.3f}",
            f"{row.p:.3f}",
            "yes" if row.p >= least else "NO",
        ]
        for name, row in rows.iterrows()
    ]
    head = ["quantity", "mean rank", "share in the outer fifth", "p of uniformity", "uniform"]
    return "\n\n".join(
        [
            circumstances(SEED, ("pymc", "nutpie", "numpy", "scipy")),
            f"{len(found.ranks)} data sets of {results}, truth drawn from the prior, its rank "
            f"among {RANKED} draws; one cell, AI model or eval per data set in turn, so ranks are "
            "independent. Uniform ranks have a mean of 0.5 and a fifth of them in the outer "
            f"fifth. A quantity is called uniform at p ≥ {least:.4f}: a false alarm in any of the "
            f"{len(rows)} has a probability of at most {FALSE_ALARM:.0%}. {found.divergences} of "
            f"{found.transitions} transitions diverged (truths from the prior's far tails are "
            f"kept). {cpu / len(found.ranks):.2g} CPU-seconds per data set, compiling included.",
            table(head, lines),
        ]
    )


def part(numbers: Sequence[int], data_sets: int, study: str) -> tuple[Calibration, float]:
    """Fit some of the data sets; the ranks and the CPU-seconds it took."""
    start = time.process_time()
    catalogue, observations = design(*STUDIES[study][3])
    simulator = Simulator(catalogue, observations, data_sets=data_sets, runs=RUNS, seed=SEED)
    return calibrate(simulator, numbers), time.process_time() - start


def main() -> None:
    """Simulate, fit, rank, and write the table."""
    study = sys.argv[1] if len(sys.argv) > 1 else "whole"
    data_sets = int(sys.argv[2]) if len(sys.argv) > 2 else DATA_SETS
    section, title, results, _ = STUDIES[study]
    shares = [range(worker, data_sets, WORKERS) for worker in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        parts = list(pool.map(part, shares, [data_sets] * WORKERS, [study] * WORKERS))
    found = Calibration(
        pd.concat([each.ranks for each, _ in parts], ignore_index=True),
        sum(each.divergences for each, _ in parts),
        sum(each.transitions for each, _ in parts),
    )
    text = body(found, sum(cpu for _, cpu in parts), results)
    print(text)
    if data_sets >= DATA_SETS:
        write_section(section, title, text)


if __name__ == "__main__":
    main()
