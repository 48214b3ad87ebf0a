"""The split of a spend into attempts, against its extremes and the curve."""

import numpy as np
import pytest

from evalbayes.curves.families import FAMILIES, FamilyCurve
from evalbayes.errors import InputError
from evalbayes.repeats import BestOfK, best_split, split_map

CURVE = FamilyCurve(FAMILIES["weibull"], 0.5, (0.0, 1.0))


def tasks(concentration: float) -> BestOfK:
    zero = np.zeros(1)
    return BestOfK(zero, zero, zero + concentration, zero)


def test_without_luck_between_attempts_one_long_one_is_best() -> None:
    # Tasks are either always or never solvable: only F(t) differs, and a constant hazard makes k
    # short attempts as good as a long one of the same total; a reset price breaks the tie.
    table = split_map(tasks(1e-3), CURVE, [1, 2, 4, 8], [0.5, 1.0, 2.0, 4.0], reset_price=0.01)
    best = best_split(table, 4.0)
    assert (best["attempts"], best["length"]) == (1, 4.0)
    row = table.query("attempts == 4 and length == 1.0").iloc[0]
    assert row["solved"] == pytest.approx(0.5 * (1.0 - 0.5**4), abs=2e-3)


def test_with_a_delay_before_anything_succeeds_short_attempts_are_worst() -> None:
    slow = FamilyCurve(FAMILIES["weibull"], 0.5, (0.0, 0.2))
    best = best_split(split_map(tasks(50.0), slow, [1, 2, 8], [0.25, 1.0, 2.0]), 2.0)
    assert best["length"] > 0.25


def test_with_much_luck_and_an_early_plateau_many_short_attempts_are_best() -> None:
    early = FamilyCurve(FAMILIES["lognormal"], 0.5, (-2.0, 0.7))
    best = best_split(split_map(tasks(50.0), early, [1, 4, 16], [0.5, 2.0, 8.0]), 8.0)
    assert (best["attempts"], best["length"]) == (16, 0.5)


def test_where_no_reset_is_fair_one_attempt_is_made_and_counted() -> None:
    whole = split_map(tasks(1.0), CURVE, [1, 8], [1.0], resettable=0.0)
    assert whole["solved"].nunique() == 1
    assert whole["spend"].nunique() == 1
    blind = split_map(tasks(1.0), CURVE, [1, 8], [1.0], verifier=False)
    assert blind["solved"].nunique() == 1


def test_spend_counts_every_attempt_and_reset() -> None:
    row = split_map(tasks(1.0), CURVE, [3], [1.0], reset_price=0.1).iloc[0]
    each = float(CURVE.expected_spend(np.array([0.0]))[0])
    assert row["spend"] == pytest.approx(3 * each + 0.2)
    assert row["spend_ceiling"] == pytest.approx(3.2)


def test_what_fits_nothing_is_told() -> None:
    table = split_map(tasks(1.0), CURVE, [1], [1.0])
    with pytest.raises(InputError, match=r"total of 0\.5 per task; the cheapest of the map"):
        best_split(table, 0.5)
    with pytest.raises(InputError, match="attempts of 1 or more and lengths above 0"):
        split_map(tasks(1.0), CURVE, [0], [1.0])
