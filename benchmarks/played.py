"""Simulated results of what a plan says to run next: the example's programme, played.

    python -m benchmarks.played PLAN OUT.csv

The truth is one draw of the belief that the programme began with, the same at every step; runs
are drawn from its curves, one for every task of the plan (of the first stage, where the plan has
stages), and written as cells. `examples/cyber/results` keeps two such files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.programmes import results_of

from evalbayes import Menu
from evalfolio.programmes.programme import Programme

SEED = 0


def cells_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return runs as cells: counts of outcomes and moments of ln spend."""
    rows = []
    for (name, ai_model, cap, effort), own in runs.groupby(["eval", "ai_model", "cap", "effort"]):
        row = {"eval": name, "ai_model": ai_model}
        for outcome in ("success", "gave_up", "stopped_by_cap"):
            spend = np.log(own.loc[own["outcome"] == outcome, "spend"])
            row[f"n_{outcome}"] = len(spend)
            if outcome != "stopped_by_cap":
                row[f"mean_ln_spend_{outcome}"] = round(spend.mean(), 4) if len(spend) else None
                row[f"sd_ln_spend_{outcome}"] = round(spend.std(), 4) if len(spend) > 1 else None
        rows.append(row | {"cap": cap, "effort": effort})
    return pd.DataFrame(rows)


def main(plan: Path, out: Path) -> None:
    """Draw the results and write them."""
    programme, menu = Programme.load(plan), Menu.load(plan / "menu")
    record = programme.last
    names = [row.option for row in record.choices]
    if record.stages is not None:
        table = next(table for table in record.stages.tables if table.name == "now")
        names = [str(row[0]) for row in table.rows]
    truth = programme.start.kept(
        np.random.default_rng(SEED).integers(0, programme.start.n_draws, 1)
    )
    mix = menu.options.loc[[name for name in names if name in menu.options.index]]
    runs = results_of(truth, programme.catalogue, mix[mix["tasks"] > 0], SEED)
    cells_of(runs).to_csv(out, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
