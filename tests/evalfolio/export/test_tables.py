"""Tables and data: mix.csv, tasks.csv, plan.json and its published schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evalfolio.export.made import json_of

from evalfolio.errors import InputError
from evalfolio.export import mix_table, write_all, write_mix_csv, write_mix_parquet
from evalfolio.export.folder import task_names
from evalfolio.export.mix import drawn, frontier_table, task_table
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.record.record import Record

SCHEMA_FILE = Path(__file__).parents[3] / "portfolio/evalfolio/record/plan.schema.json"
SCHEMA_URL = "https://json-schema.org/draft/2020-12/schema"
DESIGN_COLUMNS = [
    "option",
    "eval",
    "domain",
    "tier",
    "cap",
    "cap_unit",
    "attempts",
    "tasks",
    "effort",
    "runs",
    "usd",
    "usd_p90",
    "usd_ceiling",
    "staff_hours",
    "agent_hours",
    "share_of_usd",
    "value_if_dropped",
    "reason",
    "firm",
    "instead",
    "mandatory",
]


def test_menu_and_frontier_are_tables_for_other_programs(
    swept: Recommendation, tmp_path: Path
) -> None:
    folder = write_all(swept, tmp_path / "plan")
    menu = pd.read_csv(folder / "menu.csv")
    assert list(menu["option"]) == list(swept.menu.options.index)
    assert menu["usd"].to_numpy() == pytest.approx(swept.menu.options["usd"].to_numpy())
    line = pd.read_csv(folder / "frontier.csv")
    assert line.columns.tolist() == frontier_table(swept.record).columns.tolist()
    points = json_of(swept)["frontier"]
    assert len(line) == len(points) + 1  # the plan's own budget beside them
    assert line["usd"].is_monotonic_increasing
    evpi = json_of(swept)["value"]["evpi"]
    for point in points:
        (row,) = line[line["usd"] == point["usd"]].to_dict("records")
        assert row["evals"] == len(point["options"])
        assert row["share_of_evpi"] == pytest.approx(point["value"] / evpi)


def test_mix_csv_has_the_columns_of_the_contract_and_reads_back(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    path = write_mix_csv(recommendation.record, tmp_path / "mix.csv")
    back = pd.read_csv(path)
    assert list(back.columns) == DESIGN_COLUMNS
    assert list(back["option"]) == [row["option"] for row in json_of(recommendation)["choices"]]
    assert back["share_of_usd"].sum() == pytest.approx(1.0)
    assert list(back["firm"]) == [True] + [False] * (len(back) - 1)
    assert back["instead"][1] == f"nothing; {back['eval'][1]} (other tier)"
    assert (back["runs"] == back["tasks"] * back["attempts"]).all()


def test_mix_parquet_is_the_same_table_with_its_types(
    nasty: Recommendation, tmp_path: Path
) -> None:
    back = pd.read_parquet(write_mix_parquet(nasty.record, tmp_path / "mix.parquet"))
    pd.testing.assert_frame_equal(back, mix_table(nasty.record))


def test_an_empty_mix_is_written_as_parquet_too(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    record = json_of(recommendation)
    record["choices"] = []
    back = pd.read_parquet(write_mix_parquet(Record.of(record), tmp_path / "mix.parquet"))
    assert list(back.columns) == DESIGN_COLUMNS


def test_mix_csv_keeps_any_name(nasty: Recommendation, tmp_path: Path) -> None:
    path = write_mix_csv(nasty.record, tmp_path / "mix.csv")
    assert list(pd.read_csv(path)["eval"]) == [row["eval"] for row in json_of(nasty)["choices"]]


def test_empty_mix_is_a_table_with_headings_only(recommendation: Recommendation) -> None:
    record = json_of(recommendation)
    record["choices"] = []
    assert list(mix_table(Record.of(record)).columns) == DESIGN_COLUMNS
    assert mix_table(Record.of(record)).empty


def test_tasks_are_drawn_without_repeats_for_evals_whose_tasks_have_names(
    recommendation: Recommendation,
) -> None:
    table = task_table(recommendation.record, task_names(recommendation))
    named = {row["eval"] for row in json_of(recommendation)["choices"]} & {"cvebench", "cybergym"}
    assert set(table["eval"]) == named
    for row in json_of(recommendation)["choices"]:
        mine = table[table["option"] == row["option"]]
        assert mine["task"].is_unique
        assert len(mine) == (row["tasks"] if row["eval"] in named else 0)


def test_draws_are_uniform_and_differ_between_seeds_and_evals() -> None:
    names = [f"t{i}" for i in range(10)]
    counts = pd.Series(
        [task for seed in range(2000) for task in drawn(names, 3, seed=seed, key="cybench")]
    ).value_counts()
    assert counts.between(600 - 5 * 21, 600 + 5 * 21).all()  # 5 sd of a binomial(2000, 0.3)
    assert drawn(names, 10, seed=0, key="a") != drawn(names, 10, seed=0, key="b")
    assert sorted(drawn(names, 10, seed=1, key="a")) == sorted(names)


def test_plan_json_validates_against_the_published_schema(
    recommendation: Recommendation, nasty: Recommendation, pointed: Recommendation, tmp_path: Path
) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="validates with the jsonschema package")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for which in (recommendation, nasty, pointed):
        path = which.record.write(tmp_path / "plan.json")
        jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text("utf-8")))


def test_published_schema_is_the_one_of_the_code() -> None:
    published = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    ours = {"$schema": SCHEMA_URL, **Record.model_json_schema(), "title": "evalfolio plan"}
    assert published == ours, "write it again, with indent=2"


def test_numpy_numbers_and_nan_become_plain_json(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    record: Any = json_of(recommendation)
    record["choices"][0] |= {"cap": np.float64("nan"), "tasks": np.int64(7)}
    back = json.loads(Record.of(record).write(tmp_path / "plan.json").read_text("utf-8"))
    assert back["choices"][0]["cap"] is None
    assert back["choices"][0]["tasks"] == 7


@pytest.mark.parametrize(
    ("break_it", "named"),
    [
        (lambda r: r.pop("words"), "'words'"),
        (lambda r: r["domains"][1].pop("buffer"), "'domains.1.buffer'"),
        (lambda r: r.update(surprise=1), "'surprise'"),
        (lambda r: r["value"].update(evsi="much"), "'value.evsi'"),
        (lambda r: r["value"].update(evsi=float("nan")), "'value.evsi'"),
        (lambda r: r.update(format=2), "format"),
        (lambda r: r.update(choices="none"), "'choices'"),
    ],
)
def test_a_record_that_breaks_the_schema_is_refused_by_the_name_of_its_key(
    recommendation: Recommendation, break_it: Any, named: str, tmp_path: Path
) -> None:
    record: Any = json_of(recommendation)
    break_it(record)
    with pytest.raises(InputError, match=re.escape(f"plan record: {named} must be")):
        Record.of(record)
    (tmp_path / "plan.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'plan.json'}: {named} must be")):
        Record.load(tmp_path)


def test_a_record_cannot_be_changed_only_made_anew(recommendation: Recommendation) -> None:
    record = recommendation.record
    for part, key, value in ((record, "choices", ()), (record.value, "evsi", 0.0)):
        with pytest.raises(ValueError, match="frozen"):
            setattr(part, key, value)
    other = record.replace(warnings=["mind the gap"], firmness={"sentences": ["so"], "tables": []})
    assert (other.warnings, record.firmness) == (("mind the gap",), None)
    assert {**json_of(recommendation), "warnings": ["mind the gap"]} == {
        key: value for key, value in json.loads(other.to_json()).items() if key != "firmness"
    }
    with pytest.raises(InputError, match="plan record: 'warnings' must be there and valid"):
        record.replace(warnings=None)


def test_a_record_read_back_is_written_as_it_was(
    recommendation: Recommendation, nasty: Recommendation, pointed: Recommendation, tmp_path: Path
) -> None:
    for which in (recommendation, nasty, pointed):
        text = which.record.write(tmp_path / "plan.json").read_text("utf-8")
        assert Record.load(tmp_path).to_json() + "\n" == text
        assert Record.load(tmp_path) == which.record
