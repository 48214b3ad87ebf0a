"""Is the whole model calibrated? Ranks of the truth over simulated data sets.

python -m benchmarks.calibration [whole|pairs|complete] [DATA_SETS] [FOLDER]

Truth from the prior, runs from the truth, posterior from the runs; the model is compiled once. The
design is small: with elicited runs (whole), with best-of-k counts and elicited runs, each beside
single runs of the same eval and AI model (pairs), or with every part of the model at once: two
domains, families, distance, release dates and relatives, two spend units, cells, counts, counts
that share their runs, and scores of both kinds of noise (complete). The family-wise false-alarm
rate of all tests of a table is 1 %. FOLDER keeps one file per data set: a run that was broken off
goes on from there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.ranks import RANKED, Calibration, Simulator, calibrate
from benchmarks.tables import circumstances, table, write_section

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.observations import Observations, Rows, observations_of

SEED = 20261126
DATA_SETS, RUNS = 200, 20
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
Design = Callable[[], tuple[Catalogue, Observations]]
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


def complete() -> tuple[Catalogue, Observations]:
    """Every part of the model at once, as small as that can be."""
    spans: dict[
        str, tuple[str, str, dict[str, tuple[int, str | None]]]
    ] = {  # domain: threshold, spend unit, its evals with minutes and families
        "cyber": (
            "16 h",
            "tokens",
            {"easy": (4, None), "middle": (30, "ctf"), "hard": (240, "ctf")},
        ),
        "ai_rd": ("40 h", "usd", {"short": (15, None), "long": (480, None)}),
    }
    evals = [
        {
            "name": name,
            "domain": domain,
            "tasks": 40,
            "spend_unit": unit,
            "human_minutes": minutes,
            **({"usd_per_unit": [4e-6, 9e-6]} if unit == "tokens" else {"max_cap": 100.0}),
            **({"family": family} if family else {}),
            **({"score_low": 0, "score_high": 1, "score_noise": "beta"} if name == "long" else {}),
        }
        for domain, (_, unit, own) in spans.items()
        for name, (minutes, family) in own.items()
    ]
    catalogue = parse_catalogue(
        {
            "portfolio": {"ai_model": "C"},
            "domain": [
                {"name": name, "threshold_human_time": at} for name, (at, *_) in spans.items()
            ],
            "eval": evals,
            "ai_model": [
                {"name": name, "released": day, "lineage": line}
                for name, day, line in (
                    ("A", "2025-01-01", "one"),
                    ("B", "2025-09-01", "two"),
                    ("C", "2026-06-01", "one"),
                )
            ],
        }
    )
    ln_spend = {
        str(spec["name"]): 11.0 if spec["spend_unit"] == "tokens" else 0.0 for spec in evals
    }
    cells = (
        ("easy", 0.0, "AB"), ("middle", 0.0, "ABC"), ("hard", 0.0, "BC"), ("short", 0.0, "ABC"),
        ("middle", 0.8, "BC"), ("hard", 0.8, "C"), ("short", 0.8, "C"),
    )  # fmt: skip
    counts = (
        ("hard", "A", 0.0, (2.8,)),
        ("easy", "C", 0.5, (2.8,)),
        ("easy", "C", 0.0, (0.5, 2.8)),
    )
    scores = (("short", "B", 0.8), ("long", "B", 0.0), ("long", "C", 0.0), ("long", "C", 0.8))

    def cell(name: str, ai_model: str, effort: float, above: float) -> dict[str, object]:
        cap = float(np.exp(ln_spend[name] + above))
        return {"eval": name, "ai_model": ai_model, "effort": effort, "cap": cap}

    frames = [
        [
            {
                **cell(name, ai_model, effort, 2.8),
                "n_success": 2,
                "n_gave_up": 2,
                "n_stopped_by_cap": 1,
                "mean_ln_spend_success": ln_spend[name],
                "sd_ln_spend_success": 1.0,
                "mean_ln_spend_gave_up": ln_spend[name] + 1.0,
                "sd_ln_spend_gave_up": 1.0,
            }
            for name, effort, ai_models in cells
            for ai_model in ai_models
        ],
        [
            {
                **cell(name, ai_model, effort, above),
                "n_runs": TASKS,
                "n_success": 10 + 5 * k,
                "run_set": f"{name} {effort}",
            }
            for name, ai_model, effort, caps in counts
            for k, above in enumerate(caps)
        ],
        [
            {**cell(name, ai_model, effort, 2.8), "score": 0.5, "standard_error": 0.1}
            for name, ai_model, effort in scores
        ],
    ]
    return catalogue, observations_of([Rows(pd.DataFrame(rows), "the design") for rows in frames])


STUDIES: dict[
    str, tuple[str, str, Design, dict[str, int]]
] = {  # title, what there are results of, the design, how each data set is fitted
    "whole": (
        "Calibration of the joint model",
        f"{RUNS} runs in each of 11 cells (3 elicited, effort 0.8)",
        design,
        {},
    ),
    "pairs": (
        "Calibration of the gap learned from pairs",
        f"{RUNS} single runs in each of 7 cells, and beside them 5 counts of best-of-k over "
        f"{TASKS} tasks (effort {EFFORT}) and one cell of {RUNS} elicited runs (effort 0.8)",
        partial(design, PAIRS, BEST_OF_K),
        {},
    ),
    "complete": (
        "Calibration of every part of the model",
        f"{RUNS} runs in each of 14 cells (4 elicited), 3 counts (one of best-of-k, one told at "
        "two caps) and 4 scores (3 with beta noise; 2 elicited) of 3 AI models (dated, two of them "
        "relatives) on 5 evals (2 of a family) of 2 domains with spends in 2 units",
        complete,
        {"chains": 2, "draws": 1000, "tune": 600},
    ),
}


def body(found: Calibration, results: str) -> str:
    """Return the section: circumstances, what was done, and a row per quantity."""
    rows = found.table(SEED)
    least = FALSE_ALARM / len(rows)
    lines = [
        [
            str(name),
            f"{row.mean_rank:.3f}",
            f"{row.outer_share:.3f}",
            f"{row.short:.3f}",
            f"{row.p:.3f}" if row.p >= 0.001 else f"{row.p:.1g}",
            "yes" if row.p >= least else "NO",
        ]
        for name, row in rows.iterrows()
    ]
    head = ["quantity", "mean rank", "in the outer fifth", "short of draws", "p", "uniform"]
    failed = list(rows.index[rows["p"] < least])
    below = int((rows["p"] < 0.05).sum())
    return "\n\n".join(
        [
            circumstances(SEED, ("evalfolio", "pymc", "nutpie", "numpy", "scipy")),
            f"{len(found.ranks)} data sets of {results}, truth drawn from the prior, its rank "
            f"among {RANKED} draws; one cell, AI model or eval per data set in turn, so ranks are "
            "independent. Uniform ranks have a mean of 0.5 and a fifth of them in the outer "
            f"fifth. A quantity is called uniform at p ≥ {least:.2g}: a false alarm in any of the "
            f"{len(rows)} has a probability of at most {FALSE_ALARM:.0%}. "
            f"{len(rows) - len(failed)} are uniform"
            f"{', all but ' + ', '.join(failed) if failed else ''}; {below} have p < 0.05, where "
            f"{0.05 * len(rows):.1f} are expected. In the fourth column: data sets with "
            f"an effective sample below {RANKED}, whose ranks lie too often at the ends. "
            f"{found.divergences} of {found.transitions} transitions diverged (truths from the "
            "prior's far tails are kept). "
            f"{found.seconds / len(found.ranks):.2g} CPU-seconds per data set, compiling left out.",
            table(head, lines),
        ]
    )


def main() -> None:
    """Simulate, fit, rank, and write the table."""
    study = sys.argv[1] if len(sys.argv) > 1 else "whole"
    data_sets = int(sys.argv[2]) if len(sys.argv) > 2 else DATA_SETS
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    title, results, observed, how = STUDIES[study]
    catalogue, observations = observed()
    simulator = Simulator(catalogue, observations, data_sets=data_sets, runs=RUNS, seed=SEED, **how)
    found = calibrate(simulator, range(data_sets), folder)
    text = body(found, results)
    print(text)
    if data_sets >= DATA_SETS:
        write_section("calibration" if study == "whole" else f"calibration-{study}", title, text)


if __name__ == "__main__":
    main()
