"""Spends that are all alike: a limit nobody flagged, or figures that were filled in."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

FEWEST = 5  # runs of one outcome in a cell whose spends may not all be alike
SAME = 1e-6  # e-folds


def equal_spends(cells: pd.DataFrame, runs: pd.DataFrame) -> Iterable[str]:
    """Say which cells have five runs or more of one outcome, all at one spend.

    A lognormal cannot hold such a cell: the sampler is drawn to a width of 0 and does not converge.

    >>> runs = pd.DataFrame({"eval": "a", "ai_model": "A", "outcome": ["gave_up"] * 5})
    >>> print(*equal_spends(pd.DataFrame(), runs.assign(spend=3e4, effort=0.0)))
    all 5 runs of a by A that gave up spent exactly 30,000: if a limit stopped them, write \
stopped_otherwise in their outcome; if the spend was filled in, leave it out by giving counts
    """
    for name, ai_model, outcome, n, spend in (*_of_runs(runs), *_of_cells(cells)):
        how = "that gave up" if outcome == "gave_up" else "that succeeded"
        cure = (
            "if a limit stopped them, write stopped_otherwise in their outcome; if the spend was "
            "filled in, leave it out by giving counts"
            if outcome == "gave_up"
            else "if the spend was filled in or is a price per run, leave it out by giving counts"
        )
        yield f"all {n} runs of {name} by {ai_model} {how} spent exactly {spend:,.6g}: {cure}"


def _of_runs(runs: pd.DataFrame) -> Iterable[tuple[str, str, str, int, float]]:
    if not len(runs):
        return
    ended = runs[runs["outcome"].isin(("success", "gave_up"))]
    ended = ended.astype({"spend": float})
    by = ended.groupby(["eval", "ai_model", "effort", "outcome"], dropna=False)["spend"]
    for (name, ai_model, _, outcome), own in by:
        if len(own) >= FEWEST and np.ptp(np.log(own)) < SAME:
            yield str(name), str(ai_model), str(outcome), len(own), float(own.iloc[0])


def _of_cells(cells: pd.DataFrame) -> Iterable[tuple[str, str, str, int, float]]:
    for row in cells.to_dict("records"):
        for outcome in ("success", "gave_up"):
            n, sd = row[f"n_{outcome}"], row[f"sd_ln_spend_{outcome}"]
            if n >= FEWEST and sd is not None and float(sd) < SAME:
                spend = float(np.exp(float(row[f"mean_ln_spend_{outcome}"])))
                yield str(row["eval"]), str(row["ai_model"]), outcome, int(n), spend
