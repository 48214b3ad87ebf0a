"""Is the whole model calibrated? Ranks of the truth over simulated data sets.

python -m benchmarks.calibration [DATA_SETS]

Truth from the prior, runs from the truth, posterior from the runs, for a small design with elicited
runs; the model is compiled once. The family-wise false-alarm rate of the six tests is 1 %.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas as pd
from benchmarks.tables import circumstances, table, write_section

from evalbayes.calibration import RANKED, Calibration, Simulator, calibrate
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


def design() -> tuple[Catalogue, Observations]:
    """Three evals of one domain, two of them of a family, and eleven cells, three elicited."""
    minutes = {name: value for name, value, _, _ in DESIGN}
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
            for name, _, effort, ai_models in DESIGN
            for ai_model in ai_models
        ]
    )
    return catalogue, observations_of([Rows(cells, "the design")])


def body(found: Calibration, cpu: float) -> str:
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
            f"{len(found.ranks)} data sets of {RUNS} runs in each of 11 cells (3 elicited, effort "
            f"0.8), truth drawn from the prior, its rank among {RANKED} draws; one cell, AI model "
            "or eval per data set in turn, so ranks are independent. Uniform ranks have a mean of "
            f"0.5 and a fifth of them in the outer fifth. A quantity is called uniform at p ≥ "
            f"{least:.4f}: a false alarm in any of the {len(rows)} has a probability of at most "
            f"{FALSE_ALARM:.0%}. {found.divergences} of {found.transitions} transitions diverged "
            "(truths from the prior's far tails are kept). "
            f"{cpu / len(found.ranks):.2g} CPU-seconds per data set, compiling included.",
            table(head, lines),
        ]
    )


def part(numbers: Sequence[int], data_sets: int) -> tuple[Calibration, float]:
    """Fit some of the data sets; the ranks and the CPU-seconds it took."""
    start = time.process_time()
    catalogue, observations = design()
    simulator = Simulator(catalogue, observations, data_sets=data_sets, runs=RUNS, seed=SEED)
    return calibrate(simulator, numbers), time.process_time() - start


def main() -> None:
    """Simulate, fit, rank, and write the table."""
    data_sets = int(sys.argv[1]) if len(sys.argv) > 1 else DATA_SETS
    shares = [range(worker, data_sets, WORKERS) for worker in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        parts = list(pool.map(part, shares, [data_sets] * WORKERS))
    found = Calibration(
        pd.concat([each.ranks for each, _ in parts], ignore_index=True),
        sum(each.divergences for each, _ in parts),
        sum(each.transitions for each, _ in parts),
    )
    text = body(found, sum(cpu for _, cpu in parts))
    print(text)
    if data_sets >= DATA_SETS:
        write_section("calibration", "Calibration of the joint model", text)


if __name__ == "__main__":
    main()
