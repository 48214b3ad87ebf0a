"""The best split of a total spend per task into k attempts of length t, with the whole map."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.curves import Curve
from evalbayes.curves.families import FamilyCurve
from evalbayes.errors import InputError
from evalbayes.posterior.posterior import thinned
from evalbayes.repeats.best_of_k import BestOfK
from evalbayes.repeats.clustering import counted

LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
DRAWS = 200  # thinned to, as every draw needs quadrature at every length


def split_map(
    solvable: BestOfK,
    curve: FamilyCurve | Curve,
    attempts: Sequence[int],
    lengths: Sequence[float],
    *,
    resettable: float = 1.0,
    verifier: bool = True,
    reset_price: float = 0.0,
    seen: float | None = None,
) -> pd.DataFrame:
    """Solved share and spend per task of every k × t.

    Parameters
    ----------
    solvable
        How solvable the tasks are with attempts of unlimited length.
    curve
        How far an attempt of length t gets (its family's F; its own plateau is not used for
        success, as `solvable` has it) and what it spends. Draws of a `Curve` are paired with those
        of `solvable` in their order.
    attempts, lengths
        The k and the t (in the spend unit) to try.
    resettable, verifier
        As in `counted`: where best-of-k is not fair, one attempt is made and counted.
    reset_price
        Of a fresh start after the first attempt, in the spend unit.
    seen
        Cap of the attempts that `solvable` was learned from, where they were not unlimited; an
        attempt of length t gets F(t)/F(seen) as far, and none longer than `seen` is told of.

    Returns
    -------
    pandas.DataFrame
        One row per k × t: attempts, length, solved (median), solved_low, solved_high (90 %
        interval), spend (expected, all k attempts made) and spend_ceiling (k·t and the resets).
    """
    if min(attempts) < 1 or min(lengths) <= 0:
        raise InputError(
            f"a split needs attempts of 1 or more and lengths above 0; the smallest are "
            f"{min(attempts)} and {min(lengths)}: leave those out"
        )
    thin = solvable.thinned(DRAWS)
    fair = resettable if verifier else 0.0
    rows = []
    whole = 1.0 if seen is None else _reach(curve, seen, len(thin.never))[0]
    for length in lengths:
        if seen is not None and length > seen * (1.0 + 1e-12):
            continue
        reach, each = _reach(curve, length, len(thin.never))
        share = np.minimum(reach / whole, 1.0)
        single = thin.pass_within(1, share)
        for k in attempts:
            best = single if k == 1 else thin.pass_within(k, share)
            solved = counted(single, best, resettable=resettable, verifier=verifier)
            low, middle, high = np.quantile(solved, (LOW, MIDDLE, HIGH))
            rows.append(
                {
                    "attempts": k,
                    "length": length,
                    "solved": middle,
                    "solved_low": low,
                    "solved_high": high,
                    "spend": each + fair * (k - 1) * (each + reset_price),
                    "spend_ceiling": length + fair * (k - 1) * (length + reset_price),
                }
            )
    return pd.DataFrame(rows)


def _reach(curve: FamilyCurve | Curve, length: float, n_draws: int) -> tuple[Array, float]:
    """F(length), one number or one per draw, and the expected spend of an attempt."""
    ln_length = np.array([np.log(length)])
    share = np.asarray(curve.success_within(ln_length) / curve.plateau)
    spend = np.asarray(curve.expected_spend(ln_length))
    return share[thinned(len(share), n_draws)], float(spend.mean())


def best_split(table: pd.DataFrame, total: float, *, by: str = "spend_ceiling") -> pd.Series:
    """Return the row of a `split_map` with the largest solved share within a total per task.

    InputError if no split of the map fits.

    Parameters
    ----------
    table
        As `split_map` gives it.
    total
        Spend per task, in the unit of the table.
    by
        "spend_ceiling" holds the total in the worst case, "spend" in expectation.
    """
    fits = table[table[by] <= total * (1.0 + 1e-12)]
    if fits.empty:
        raise InputError(
            f"some split must fit into a total of {total:g} per task; the cheapest of the map "
            f"takes {table[by].min():g}: raise the total or add shorter lengths"
        )
    best: pd.Series = fits.loc[fits.sort_values(["solved", by], ascending=[False, True]).index[0]]
    return best
