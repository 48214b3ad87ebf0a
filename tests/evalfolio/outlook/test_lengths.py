"""Long tasks: the power of length is found again, and pieces tell and cost what they must."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evalfolio.outlook.lengths import LENGTHS, PIECE, Power, by_length, unfair

MINUTES = np.array([5.0, 60.0, 240.0, 1000.0, 3000.0])
DRAWS = 4000


def world(exponent: float, noise: float = 0.05) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    evals = [
        SimpleNamespace(
            name=f"e{k}",
            domain="cyber",
            human_minutes=minutes,
            usd_per_unit=SimpleNamespace(mid=2.0),
            resettable=0.5 if k == 0 else 1.0,
            verifier=k != 1,
        )
        for k, minutes in enumerate(MINUTES)
    ]
    domain = SimpleNamespace(name="cyber", minutes=True)
    portfolio = SimpleNamespace(ai_model="Next")
    location = np.log(0.5) + exponent * np.log(MINUTES) + noise * rng.standard_normal((DRAWS, 5))
    level = 8.0 + rng.standard_normal((DRAWS, 2)) @ np.array([[1.0, 1.0], [0.0, 0.7]])
    posterior = SimpleNamespace(
        draws={
            "success_location": location[:, :, None],
            "shown": level[:, :, None],
            "gap": np.zeros((DRAWS, 2, 1)),
            "slope": np.full((DRAWS, 1, 1), 0.6),
        },
        knot_domain=np.array([0, 0]),
        knot_place=np.log2([PIECE, 9600.0]),
        index_of=lambda axis, name: int(name[1:]) if axis == "eval" else 0,
    )
    catalogue = SimpleNamespace(evals=evals, domains=[domain], portfolio=portfolio)
    return posterior, catalogue


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.9])
def test_the_power_of_length_is_found_again(exponent: float) -> None:
    power = Power.of(*world(exponent))
    assert power is not None
    low, middle, high = np.quantile(power.exponent, (0.05, 0.5, 0.95))
    assert low < exponent < high
    assert middle == pytest.approx(exponent, abs=0.03)
    assert power.table["human_minutes"].is_monotonic_increasing
    usd = np.median(power.usd(np.array([60.0])))
    assert usd == pytest.approx(2.0 * 0.5 * 60.0**exponent, rel=0.05)


def test_two_evals_tell_no_power() -> None:
    posterior, catalogue = world(1.0)
    catalogue.evals = catalogue.evals[:2]
    assert Power.of(posterior, catalogue) is None


def test_pieces_cost_less_where_tokens_go_faster_than_length() -> None:
    posterior, catalogue = world(1.9)
    power = Power.of(posterior, catalogue)
    assert power is not None
    table = by_length(posterior, catalogue, power).set_index("length")
    assert table.index.tolist()[:3] == ["10 min", "30 min", "2 h"]
    assert len(table) == len(LENGTHS)
    whole, pieces = table["usd"]["8 h"], table["usd_pieces"]["8 h"]
    assert pieces / whole == pytest.approx(16**-0.9, rel=0.1)
    assert table["success"].is_monotonic_decreasing
    chain = table["success"]["30 min"] ** 16
    assert table["chain"]["8 h"] == pytest.approx(chain, rel=1e-6)
    assert table["tells"]["30 min"] == pytest.approx(1.0)
    assert table["tells"]["160 h"] == pytest.approx(1 / 1.49, abs=0.03)  # of variances 1 and 0.49


def test_it_says_where_splitting_is_not_fair() -> None:
    table = unfair(world(1.0)[1])
    assert table["eval"].tolist() == ["e0", "e1"]
    assert table["why"].tolist() == ["50% of tasks cannot be reset", "nothing tells a success"]
