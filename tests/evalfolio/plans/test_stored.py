"""A plan read back is the plan that was written; what is no plan is told in one sentence."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import evalfolio as ef
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.limits import Mandatory


def stored(plan: ef.Plan, folder: Path) -> Path:
    plan.record.write(folder / "plan.json")
    plan.menu.save(folder / "menu")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plan = ef.optimise(small_menu(), budget={"usd": 10_000.0, "staff_hours": 90.0})
    return stored(plan, tmp_path / "plan")


@pytest.mark.parametrize(
    ("budget", "asked"),
    [
        ({"usd": 10_000.0, "staff_hours": 90.0}, {}),
        ({"usd": 1.0}, {}),  # nothing is chosen
        ({}, {"method": "greedy"}),
        ({"usd": 10_000.0}, {"objective": "variance"}),
        ({"usd": 10_000.0}, {"objective": "log-determinant"}),
        ({"usd": 10_000.0}, {"objective": ef.evsi() + ef.variance()}),
        ({"usd": 3_000.0}, {"constraints": (Mandatory("b"),)}),
    ],
)
def test_a_plan_read_back_is_the_plan_that_was_written(
    budget: dict[str, float], asked: dict[str, Any], tmp_path: Path
) -> None:
    plan = ef.optimise(small_menu(), budget=budget, **asked)
    for where in (stored(plan, tmp_path), tmp_path / "plan.json"):
        back = ef.Plan.load(where)
        assert str(back) == str(plan)
        assert back.to_json() == plan.to_json()
        assert back.limits == plan.limits
        for name in ("chosen", "value", "bound", "gap", "status", "evpi", "objective", "note"):
            assert getattr(back, name) == pytest.approx(getattr(plan, name)), name
        for name in ("budget", "spend", "shadow_prices"):
            assert getattr(back, name) == pytest.approx(getattr(plan, name)), name
        pd.testing.assert_frame_equal(back.domains, plan.domains)
        pd.testing.assert_frame_equal(
            back.choices.drop(columns="value_if_dropped"),
            plan.choices.drop(columns="value_if_dropped"),
        )
        assert back.to_excel(tmp_path / "plan.xlsx").stat().st_size > 0
        assert plan.record.words.mix in unescape(
            back.to_html(tmp_path / "p.html").read_text("utf-8")
        )


def test_a_plan_read_back_scores_a_mix(folder: Path, tmp_path: Path) -> None:
    back = ef.Plan.load(folder)
    (tmp_path / "mix.csv").write_text("option\na plateau\n")
    score = back.score(tmp_path / "mix.csv")
    assert score.plan_value == back.value
    assert score.evaluation.value == ef.evaluate(small_menu(), ["a plateau"]).value


def changed(part: Callable[[Any], object]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        record = json.loads((folder / "plan.json").read_text())
        part(record)
        (folder / "plan.json").write_text(json.dumps(record))

    return change


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, "must be a plan's record, but it cannot be read"),
        (lambda f: (f / "plan.json").unlink(), "must be a plan's record, but it cannot be read"),
        (lambda f: (f / "plan.json").write_text("[1]"), "it is no JSON object"),
        (lambda f: (f / "plan.json").write_text("[" * 100_000), "must be a plan's record"),
        (lambda f: (f / "plan.json").write_bytes(b"\xff\xfe\x00"), "must be a plan's record"),
        (lambda f: (f / "plan.json").write_text('{"format": 1}'), "'words' must be there"),
        (changed(lambda r: r.update(format=7)), "format must be 1, got 7, which a later"),
        (changed(lambda r: r["value"].pop("evsi")), "'value.evsi' must be there"),
        (changed(lambda r: r["choices"][0].update(option="z")), "an option must be on the menu"),
        (changed(lambda r: r["choices"].pop()), "the mix is worth"),
        (changed(lambda r: r["budget"].update(tokens=1.0)), "budget: a resource must be one of"),
        (changed(lambda r: r["budget"].update(usd=-1.0)), "budget: usd must be 0 or more"),
        (lambda f: shutil.rmtree(f / "menu"), "must be a folder written by Menu.save"),
        (lambda f: (f / "menu" / "menu.json").write_text("{}"), "menu format must be 1 or 2 or 3"),
        (lambda f: (f / "menu" / "menu.json").write_text('{"format": 1}'), "Menu.save"),
        (lambda f: (f / "menu" / "arrays.npz").write_bytes(b"PK"), "Menu.save"),
        (lambda f: (f / "menu" / "options.parquet").write_bytes(b"PAR1"), "Menu.save"),
    ],
)
def test_what_is_no_plan_is_told_in_one_sentence(
    folder: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(folder)
    with pytest.raises(InputError, match=re.escape(said)) as error:
        ef.Plan.load(folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
