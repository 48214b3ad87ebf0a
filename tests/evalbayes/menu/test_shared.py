"""Shared purchases check themselves, are paid once, and survive a round trip to disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes import Decision, InputError, Menu, SharedPurchase

DRAWS = np.array([[80.0, 9.0], [120.0, 11.0]])
TOOL = SharedPurchase("tool", {"usd": 100.0, "staff_hours": 10.0}, ("a max", "b max"), 3.0, DRAWS)
FREE = SharedPurchase("free", {}, ())


def sharing(*shared: SharedPurchase) -> Menu:
    options = pd.DataFrame(
        {
            "eval": ["a", "a", "b"],
            "domain": "cyber",
            "tier": ["plateau", "max-elicitation", "max-elicitation"],
            "usd": [1.0, 20.0, 300.0],
            "staff_hours": [4.0, 5.0, 6.0],
        },
        index=pd.Index(["a plateau", "a max", "b max"], name="option"),
    )
    return Menu(
        options,
        ("usd", "staff_hours"),
        np.ones((3, 1, 1)),
        ("cyber",),
        np.zeros(1),
        np.eye(1),
        (Decision("cyber", np.ones(1), 1.0, 1.0, 1.0),),
        resource_draws=np.arange(12.0).reshape(2, 3, 2),
        shared=shared,
    )


def test_a_purchase_is_paid_once_and_only_where_needed() -> None:
    menu = sharing(TOOL, FREE)
    for x, bought, use in (
        ([0, 0, 0], [0, 0], [0, 0]),
        ([1, 0, 0], [0, 0], [1, 4]),
        ([0, 1, 0], [1, 0], [120, 15]),
        ([0, 1, 1], [1, 0], [420, 21]),
    ):
        assert menu.bought(np.array(x, float)).tolist() == bought
        assert menu.use_of(np.array(x, float)).tolist() == use
    assert menu.bought(np.array([0.5, 0.3, 0.4])).tolist() == [0.4, 0]  # the most of one eval
    drawn = menu.draws_with_shared
    assert drawn is not None
    np.testing.assert_array_equal(drawn[:, 3], DRAWS)
    np.testing.assert_array_equal(drawn[:, 4], np.zeros((2, 2)))
    sure = sharing(replace(TOOL, draws=None)).draws_with_shared
    assert sure is not None
    np.testing.assert_array_equal(sure[:, 3], [[100.0, 10.0]] * 2)


def test_a_round_trip_keeps_purchases_and_menus_without_load_as_before(tmp_path: Path) -> None:
    menu = sharing(FREE, TOOL)
    loaded = Menu.load(menu.save(tmp_path / "menu"))
    free, tool = loaded.shared
    assert (free.name, free.needed_by, free.draws) == ("free", (), None)
    assert (tool.name, dict(tool.use), tool.needed_by, tool.days) == (
        *("tool", dict(TOOL.use), TOOL.needed_by, 3.0),
    )
    np.testing.assert_array_equal(tool.draws, DRAWS)
    assert "shared: free: free, needed by 0 options; tool: usd 100, staff_hours 10" in str(loaded)
    plain = sharing().save(tmp_path / "plain")
    head = json.loads((plain / "menu.json").read_text())
    assert head["format"] == 1  # an older version reads it
    del head["shared"]
    (plain / "menu.json").write_text(json.dumps(head))
    assert Menu.load(plain).shared == ()


def test_part_of_a_menu_keeps_who_needs_what() -> None:
    part = sharing(TOOL).subset(np.array([True, False, True]))
    assert part.shared[0].needed_by == ("b max",)
    assert part.use_of(np.array([0.0, 1.0])).tolist() == [400, 16]
    assert replace(sharing(TOOL), resource_draws=None).draws_with_shared is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a max"}, "'a max': its name must not be an option's; rename it"),
        ({"name": "other"}, "'other': its name must be text that no other has"),
        ({"name": ""}, "'': its name must be text that no other has"),
        ({"needed_by": ("a mx",)}, "'tool': it must be needed by options of the menu, got 'a mx'"),
        ({"needed_by": ("a max", "a max")}, "must be named once each"),
        ({"use": {"dollars": 3.0}}, "must be one of usd, staff_hours, got 'dollars'"),
        ({"use": {"usd": -3.0}}, "'tool': usd must be a finite number, 0 or more, got -3.0"),
        ({"use": {"usd": float("nan")}}, "usd must be a finite number"),
        ({"days": float("inf")}, "'tool': days must be a finite number"),
        ({"draws": DRAWS[:1]}, r"draws must be of the shape .* \(2, 2\), got \(1, 2\)"),
        ({"draws": -DRAWS}, "draws must be finite numbers, 0 or more"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    other = replace(FREE, name="other")
    with pytest.raises(InputError, match=message):
        sharing(other, replace(TOOL, **change))
