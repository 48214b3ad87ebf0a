"""The seam refuses what is wrong, naming it, and survives a round trip to disk."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalbayes import Decision, InputError, Menu


def small_menu(**changes: Any) -> Menu:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(3, 2, 2))
    options = pd.DataFrame(
        {
            "eval": ["a", "a", "b"],
            "domain": "cyber",
            "tier": ["plateau", "max-elicitation", "plateau"],
            "usd": [100.0, 900.0, 50.0],
            "staff_hours": [4.0, 60.0, 4.0],
            "cap": [1e6, 1e7, np.nan],
        },
        index=pd.Index(["a plateau", "a max", "b plateau"], name="option"),
    )
    parts: dict[str, Any] = {
        "options": options,
        "resources": ("usd", "staff_hours"),
        "information": root @ root.transpose(0, 2, 1),
        "states": ("cyber.shown", "cyber.gap"),
        "prior_mean": np.array([6.0, 1.0]),
        "prior_covariance": np.array([[4.0, 0.3], [0.3, 0.5]]),
        "decisions": (
            Decision("cyber", np.array([1.0, 1.0]), 8.9, 9.0, 1.0, 0.5, 0.2, mitigate_above=0.2),
        ),
        "information_draws": np.stack([root @ root.transpose(0, 2, 1)] * 2),
        "resource_draws": rng.uniform(1, 2, size=(5, 3, 2)),
    }
    return Menu(**(parts | changes))


def test_round_trip_keeps_everything_and_uses_no_pickle(tmp_path: Path) -> None:
    menu = replace(small_menu(), skewed=small_menu().states[1:])
    loaded = Menu.load(menu.save(tmp_path / "menu"))
    pd.testing.assert_frame_equal(loaded.options, menu.options)
    assert loaded.resources == menu.resources
    assert loaded.states == menu.states
    assert loaded.skewed == menu.skewed
    for key in ("information", "prior_mean", "prior_covariance"):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(menu, key))
    np.testing.assert_array_equal(loaded.information_draws, menu.information_draws)
    np.testing.assert_array_equal(loaded.resource_draws, menu.resource_draws)
    ours, theirs = loaded.decisions[0], menu.decisions[0]
    np.testing.assert_array_equal(ours.contrast, theirs.contrast)
    for key in (
        "name",
        "threshold",
        "loss_missed",
        "loss_false_alarm",
        "later_gain_sd",
        "mitigate_above",
    ):
        assert getattr(ours, key) == getattr(theirs, key)


def test_saving_again_replaces_the_old_menu_whole(tmp_path: Path) -> None:
    small_menu().save(tmp_path / "menu")
    small_menu(information_draws=None).save(tmp_path / "menu")
    assert Menu.load(tmp_path / "menu").information_draws is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["menu"]


def test_subset_keeps_rows_of_every_part() -> None:
    menu = small_menu()
    kept = menu.subset(np.array([True, False, True]))
    assert list(kept.options.index) == ["a plateau", "b plateau"]
    np.testing.assert_array_equal(kept.information, menu.information[[0, 2]])
    assert kept.resource_draws is not None
    assert kept.resource_draws.shape == (5, 2, 2)


def test_at_other_costs_draws_move_in_proportion() -> None:
    menu = small_menu()
    moved = menu.at_costs(menu.options.assign(usd=menu.options["usd"] * [1.0, 2.0, 3.0]))
    before, after = menu.resource_draws, moved.resource_draws
    assert before is not None
    assert after is not None
    usd = menu.resources.index("usd")
    np.testing.assert_allclose(after[:, :, usd], before[:, :, usd] * [1.0, 2.0, 3.0])
    others = [r for r in range(len(menu.resources)) if r != usd]
    np.testing.assert_array_equal(after[:, :, others], before[:, :, others])


def bad_options(**changes: Any) -> pd.DataFrame:
    return small_menu().options.assign(**changes)


SKEWED = small_menu().information + np.array([[0.0, 1.0], [0.0, 0.0]])

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no tier", {"options": small_menu().options.drop(columns="tier")}, "column 'tier'"),
    ("negative cost", {"options": bad_options(usd=[1.0, -2.0, 3.0])}, "option 'a max': usd"),
    ("NaN cost", {"options": bad_options(usd=[1.0, np.nan, 3.0])}, "option 'a max': usd"),
    (
        "same name twice",
        {"options": small_menu().options.set_axis(["x", "x", "y"])},
        "'x' occurs twice",
    ),
    ("shape", {"information": np.zeros((2, 2, 2))}, r"information must have shape \(3, 2, 2\)"),
    ("NaN", {"prior_mean": np.array([np.nan, 0.0])}, "prior_mean must be finite"),
    ("skewed", {"information": SKEWED}, "option 'a plateau': information must be symmetric"),
    (
        "indefinite",
        {"information": -small_menu().information},
        "option 'a plateau': information must be symmetric positive",
    ),
    ("flat prior", {"prior_covariance": np.ones((2, 2))}, "prior_covariance of the states"),
    ("twin states", {"states": ("x", "x")}, "names of states must be unique"),
    ("stranger", {"skewed": ("depth",)}, "skewed must name states of the menu, got 'depth'"),
    ("no decision", {"decisions": ()}, "at least one of decisions"),
    (
        "contrast",
        {"decisions": (Decision("cyber", np.ones(3), 1.0, 1.0, 1.0),)},
        "decision 'cyber': contrast must have one weight",
    ),
]


REFUSED += [
    ("huge", {"information": small_menu().information * 1e20}, "information must lie within ±1e"),
    (
        "sharp",
        {
            "information": small_menu().information * 1e9,
            "prior_covariance": np.eye(2) * 1e10,
        },
        "information times the prior variance of .* must be at most 1e[+]16, got",
    ),
    ("numbers for names", {"states": (1, 2)}, "names of states must be text, got 1"),
    (
        "gap alone",
        {
            "skewed": ("gap",),
            "states": ("shown", "gap"),
            "prior_mean": np.ones(2),
            "decisions": (Decision("cyber", np.array([0.0, 1.0]), 1.0, 1.0, 1.0),),
        },
        "contrast must give weight to a state that is not skewed",
    ),
    (
        "gap of 0",
        {"skewed": ("gap",), "states": ("shown", "gap"), "prior_mean": np.zeros(2)},
        "prior_mean of 'gap', which is lognormal, must be above 0, got 0",
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_a_wrong_menu_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        small_menu(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss_missed": 0.0}, "loss_missed must be above 0"),
        ({"loss_false_alarm": -1.0}, "loss_false_alarm must be above 0"),
        ({"later_gain_sd": -0.1}, "later_gain_sd must be 0 or more"),
        ({"threshold": np.inf}, "threshold must be finite"),
        ({"later_gain_sd": 1e300}, "later_gain_sd must be finite, within ±1e"),
        ({"threshold": 10**400}, "threshold must be finite"),
        ({"loss_missed": "4"}, "loss_missed must be finite"),
        ({"mitigate_above": 10**400}, "mitigate_above must be a probability"),
        ({"contrast": np.array([1e300])}, "contrast must be finite, within ±1e"),
        ({"contrast": np.array([np.nan])}, "contrast must be finite"),
        ({"contrast": np.ones((2, 2))}, "one weight per state"),
        (
            {"mitigate_above": 1.0},
            "mitigate_above must be a probability above 0 and below 1",
        ),
    ],
)
def test_a_wrong_decision_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    decision = Decision("bio", np.ones(1), 5.0, 3.0, 1.0)
    with pytest.raises(InputError, match=f"decision 'bio': .*{message}"):
        replace(decision, **changes)


def test_loading_what_is_no_menu_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be a folder written by Menu\.save"):
        Menu.load(tmp_path)
    folder = small_menu().save(tmp_path / "menu")
    head = (folder / "menu.json").read_text().replace('"format": 1', '"format": 99')
    (folder / "menu.json").write_text(head)
    with pytest.raises(InputError, match="menu format must be 1 or 2 or 3, got 99, which a later"):
        Menu.load(folder)


def test_a_menu_prints_as_a_few_lines_whatever_its_size() -> None:
    menu = small_menu()
    many = pd.concat([menu.options] * 300)
    many.index = pd.Index([f"option {k}" for k in range(len(many))], name="option")
    menu = replace(menu, information_draws=None, resource_draws=None)
    large = replace(menu, options=many, information=np.concatenate([menu.information] * 300))
    for which in (menu, large, menu.subset(np.zeros(len(menu), dtype=bool))):
        text = str(which)
        assert text.startswith(f"Menu of {len(which)} options of {which.options['eval'].nunique()}")
        assert repr(which) == f"<{text}>"
        assert len(text.splitlines()) <= 3
        assert len(text) < 400
        assert all(d.name in text for d in which.decisions)
    assert "usd 50 to 900; staff_hours 4 to 60" in str(large)


FILES = ("menu.json", "arrays.npz", "options.parquet")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_menu_is_one_sentence(tmp_path: Path, name: str) -> None:
    """Cut, flipped, emptied, gone: no byte of a menu's files ends in an error of another kind."""
    luck = random.Random(name)
    file = small_menu().save(tmp_path / "menu") / name
    whole = file.read_bytes()
    damages = [b"", b"{}", whole[: len(whole) // 2], b"[" * 99_999, b"PK" + whole[2:40]]
    damages += [whole[: luck.randrange(len(whole) - 2)] for _ in range(15)]
    for damage in damages:
        file.write_bytes(damage)
        with pytest.raises(InputError) as caught:
            Menu.load(tmp_path / "menu")
        assert str(caught.value).startswith(f"{tmp_path / 'menu'}: ")
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[luck.randrange(len(whole))] ^= luck.randrange(1, 256)
        file.write_bytes(damaged)
        with suppress(InputError):  # some flips change nothing that matters
            Menu.load(tmp_path / "menu")
