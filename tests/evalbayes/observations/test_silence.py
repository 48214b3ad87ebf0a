"""No number, outcome or name changes on the way in without a line that says so."""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.evalbayes.observations.conftest import CELL, COUNT, RUN, SCORE

from evalbayes.catalogue import parse_catalogue
from evalbayes.errors import InputError
from evalbayes.inputs import draft
from evalbayes.observations import (
    Rows,
    imported,
    observations_of,
    read_observations,
)

Csv = Callable[..., Path]


def sheet(path: Path, *rows: dict[str, Any]) -> Path:
    """Write rows to a workbook as they are."""
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.save(path)
    return path


# Units of spend


@pytest.mark.parametrize(
    ("unit", "lines"),
    [
        ("usd", ['spend_unit = "usd"', "usd_per_unit = 1"]),
        ("hours", ['spend_unit = "hours"', "usd_per_unit = [5, 30]  # assumption, FILL IN: pri"]),
        ("tokens", ['spend_unit = "tokens"', "usd_per_unit = [4e-6, 9e-6]  # assumption"]),
    ],
)
def test_the_unit_of_spend_goes_from_the_rows_to_the_draft(
    unit: str, lines: list[str], csv: Csv
) -> None:
    found = read_observations(csv({**RUN, "spend_unit": unit}))
    assert found.spend_units == {"cybench": unit}
    assert not [note for note in found.notes if "spend_unit" in note]
    written = draft(found)
    for line in lines:
        assert re.search(rf"^{re.escape(line)}", written, re.MULTILINE)
    assert "guessed" not in written
    assert found.hash == read_observations(csv(RUN)).hash


def test_the_unit_may_be_said_for_all_and_must_not_contradict_the_rows(csv: Csv) -> None:
    assert 'spend_unit = "usd"\nusd_per_unit = 1\n' in draft(
        read_observations(csv(RUN)), spend_unit="usd"
    )
    assert "guessed from the size of the caps" in draft(read_observations(csv(RUN)))
    with pytest.raises(InputError, match="must be what the observations say, usd for cybench, got"):
        draft(read_observations(csv({**RUN, "spend_unit": "usd"})), spend_unit="tokens")


def test_one_eval_has_one_unit_of_spend(csv: Csv) -> None:
    first = {**RUN, "spend_unit": "usd"}
    other = {**RUN, "task": "b", "spend_unit": "tokens"}
    with pytest.raises(InputError, match=r"row 3 .* spend_unit must be the same in all rows of an"):
        read_observations(csv(first, other))
    with pytest.raises(
        InputError, match="cybench must be in one unit, got tokens after usd in res"
    ):
        read_observations([csv(first), csv(other, name="b.csv")])
    eval_of = {"name": "cybench", "domain": "cyber", "tasks": 3, "human_minutes": 4}
    catalogue = parse_catalogue({"domain": [{"name": "cyber", "threshold": 9}], "eval": [eval_of]})
    with pytest.raises(InputError, match="in the catalogue's unit, tokens, got usd; import them"):
        read_observations(csv(first), catalogue)
    assert read_observations(csv(other), catalogue).spend_units == {"cybench": "tokens"}


# Spends that nobody measured


def test_a_spend_that_equals_the_cap_in_every_row_is_said(csv: Csv) -> None:
    theirs = [
        {"eval": "hal", "task": str(i), "ai_model": "A", "success": i % 2, "seed": i}
        for i in range(8)
    ]
    found = imported(csv(*theirs), {}, {"spend": "1", "cap": "1"})
    assert list(found.frame["outcome"]).count("stopped_by_cap") == 4
    (note,) = (each for each in found.notes if "equals the cap" in each)
    assert "hal: the spend equals the cap in all 8 rows" in note
    assert "so 4 failures count as stopped by the cap and none as given up" in note
    assert "--set spend=none" in note
    said = [{**RUN, "task": str(i), "outcome": "gave_up", "spend": RUN["cap"]} for i in range(8)]
    (note,) = read_observations(csv(*said)).notes
    assert "0 failures count as stopped by the cap and 8 as given up" in note
    unknown = imported(csv(*theirs), {}, {"spend": "none", "cap": "1"}).observations
    assert unknown.counts[["n_runs", "n_success"]].to_numpy().tolist() == [[8, 4]]


def test_runs_without_a_spend_are_told_by_outcome_with_both_rates(csv: Csv) -> None:
    ends = ["success"] * 5 + ["gave_up"] * 5 + ["stopped_otherwise"] * 10
    rows = [{**RUN, "task": str(i), "outcome": end, "spend": None} for i, end in enumerate(ends)]
    found = read_observations(csv(*rows))
    (note,) = found.notes
    assert "20 runs have no spend" in note
    assert "5 success, 5 gave_up, 10 stopped_otherwise" in note
    assert "5 of 10 succeeded (50%) where with them it is 5 of 20 (25%)" in note
    known = [{**RUN, "task": f"k{i}", "spend": 1} for i in range(10)]
    told = read_observations(csv(*rows, *known)).notes[0]
    assert "of all runs of cybench 15 of 20 succeeded (75%) where with them it is 15 of 30" in told
    lost = read_observations(csv(*rows[10:]))
    assert "none is counted where with them it is 0 of 10 (0%)" in lost.notes[0]


# Names


@pytest.mark.parametrize(
    "odd", ["cyb\u200bench", "cybench\u00a0", "\ufeffcybench", "cy\u00adbench", " cybench "]
)
def test_names_that_look_alike_are_one_and_it_is_said(odd: str, csv: Csv) -> None:
    found = read_observations(csv(RUN, {**RUN, "task": "b", "eval": odd}))
    assert found.evals == ("cybench",)
    said = [note for note in found.notes if "invisible or odd spaces" in note]
    assert bool(said) == (odd.strip(" ") != "cybench")
    if said:
        assert "1 cells of eval" in said[0]
        assert "first results.csv row 3" in said[0]
    frame = imported(csv({**RUN, "ai_model": "Model\u202fA"})).frame
    assert frame["ai_model"].tolist() == ["Model A"]


def test_headings_with_odd_spaces_are_known(csv: Csv) -> None:
    row = {f"\u200b{key}\u00a0": value for key, value in RUN.items()}
    assert len(read_observations(csv(row)).runs) == 1


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x9b"])
def test_control_characters_are_refused_when_read(character: str, tmp_path: Path, csv: Csv) -> None:
    named = f"cyb{character}ench"
    message = re.escape(f"text must hold no control characters, got {character!r}")
    with pytest.raises(InputError, match=rf"results\.csv line 3: {message}"):
        read_observations(csv(RUN, {**RUN, "eval": named}))
    pd.DataFrame([RUN, {**RUN, "eval": named}]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=rf"a\.parquet row 3: eval: {message}"):
        read_observations(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            datetime(2026, 3, 1),
            "must be a name, got the date or time 2026-03-01 00:00:00; a spread",
        ),
        (12345678901234567890.0, "got 1.23457E+19, which a spreadsheet made of a longer one"),
        (True, "must be a name, got the true or false True; a spreadsheet made it of a name"),
        ("1.23E+07", "must be a name, got 1.23E+07, which a spreadsheet made of a longer one"),
    ],
)
def test_what_a_spreadsheet_made_of_a_name_is_told(name: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations(sheet(tmp_path / "a.xlsx", RUN, {**RUN, "task": name}))


def test_numbers_as_names_are_the_same_in_every_kind_of_file(tmp_path: Path, csv: Csv) -> None:
    for path in (csv({**RUN, "task": 1}), sheet(tmp_path / "a.xlsx", {**RUN, "task": 1.0})):
        assert read_observations(path).runs["task"].tolist() == ["1"]
    pd.DataFrame([{**RUN, "task": 1.0}]).to_parquet(tmp_path / "a.parquet")
    assert read_observations(tmp_path / "a.parquet").runs["task"].tolist() == ["1"]
    assert imported(tmp_path / "a.parquet").frame["task"].tolist() == ["1"]


@pytest.mark.parametrize(
    "row",
    [
        {**dict.fromkeys(RUN), "eval": "Total", "spend": 100},
        {**dict.fromkeys(RUN), "eval": "Average", "spend": 50},
        {**RUN, "eval": "Grand Total"},
        {**RUN, "ai_model": "total:"},
    ],
)
def test_rows_of_totals_are_told(row: dict[str, Any], csv: Csv) -> None:
    with pytest.raises(InputError, match=r"row 3 .* must be a name, got .* delete rows of totals"):
        read_observations(csv(RUN, row))


@pytest.mark.parametrize("name", ["cybench Total", "Total cybench", "cybench Ergebnis", "Mean"])
def test_rows_of_subtotals_are_told(name: str, csv: Csv) -> None:
    with pytest.raises(InputError, match=r"row 3 .* must be a name, got .* delete rows of totals"):
        read_observations(csv(COUNT, {**COUNT, "eval": name, "ai_model": None}))
    if " " in name:
        with pytest.raises(InputError, match=r"row 3 .* delete rows of totals, they count runs tw"):
            read_observations(csv(COUNT, {**COUNT, "eval": name}))


def test_a_column_twice_but_for_its_case_is_refused(csv: Csv) -> None:
    with pytest.raises(InputError, match="name of its own, got 'Spend' beside 'spend'; rename or"):
        read_observations(csv({**RUN, "Spend": 7}))


def test_commas_at_the_end_of_rows_are_no_columns(tmp_path: Path) -> None:
    text = ",".join(RUN) + ",,\n" + ",".join(map(str, RUN.values())) + ",,\n"
    (tmp_path / "a.csv").write_text(text)
    found = imported(tmp_path / "a.csv")
    assert list(found.frame) == list(RUN)
    assert not found.notes


def test_tasks_called_sum_are_tasks(csv: Csv) -> None:
    found = read_observations(csv({**RUN, "task": "sum"}, {**RUN, "task": "total"}))
    assert len(found.runs) == 2


# Cells that are no numbers


@pytest.mark.parametrize("value", [datetime(2026, 3, 1), True, "12 tokens"])
def test_a_cell_that_is_no_number_is_never_made_one(value: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2 .* spend must be 0 or more, got .*digits"):
        read_observations(sheet(tmp_path / "a.xlsx", {**RUN, "spend": value}))


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, b"bytes"])
def test_lists_and_bytes_in_parquet_are_told(value: Any, tmp_path: Path) -> None:
    pd.DataFrame([{**RUN, "extra": value}]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet row 2: extra must hold"):
        read_observations(tmp_path / "a.parquet")


def test_points_of_thousands_are_told_from_decimals_by_their_column(csv: Csv) -> None:
    either = {**RUN, "spend": "50.500", "cap": "100.000"}
    with pytest.raises(InputError) as caught:
        read_observations(csv(either))
    assert "cap must be a number above 0, got 100.000; it may mean 100 or 100000" in str(
        caught.value
    )
    assert "spend must be 0 or more, got 50.500; it may mean 50.5 or 50500" in str(caught.value)
    shown = read_observations(csv(either, {**RUN, "task": "b", "spend": "0.5", "cap": "20.25"}))
    assert shown.runs["spend"].tolist() == [50.5, 0.5]
    assert shown.runs["cap"].tolist() == [100, 20.25]
    assert read_observations(csv({**RUN, "effort": "1.000"})).runs["effort"].tolist() == [1]
    assert read_observations(csv({**RUN, "score": "1.000"})).runs["score"].tolist() == [1]


def test_a_score_without_spread_is_shown_its_way_out(csv: Csv) -> None:
    with pytest.raises(InputError, match=r"got 0 at a score of 0: .* give such rows as counts"):
        read_observations(csv({**SCORE, "score": "0.0", "standard_error": "0.0"}))
    with pytest.raises(InputError, match=r"got 0 at a score of 1: .* give such rows as counts"):
        read_observations(csv({**SCORE, "score": 1, "standard_error": 0}))


# What is incomplete or wrong


def test_all_faults_of_a_file_are_told_at_once_up_to_ten(csv: Csv) -> None:
    rows = [{**COUNT, "ai_model": f"M{i}", "cap": -i} for i in range(12)]
    rows[3] |= {"eval": None, "n_runs": "x"}
    with pytest.raises(InputError) as caught:
        read_observations(csv(*rows))
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert [int(row) for line in lines[:10] for row in re.findall(r"csv row (\d+)", line)] == [
        *(2, 3, 4, 5, 5, 5, 6, 7, 8, 9)
    ]
    assert lines[10] == "... and 4 more in results.csv"


def test_a_file_that_is_wrong_throughout_is_looked_at_no_further(csv: Csv) -> None:
    rows = [{**COUNT, "ai_model": f"M{i}", "cap": -1, "n_runs": "x"} for i in range(2_000)]
    with pytest.raises(InputError, match=r"\.\.\. and more at least in results\.csv") as caught:
        read_observations(csv(*rows))
    first, _ = str(caught.value).splitlines()  # the same fault is told once
    assert first.startswith("results.csv row 2 (cybench by M0) and 999 more: cap must be")


def test_a_table_of_too_many_cells_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"eval": ["a"] * 4_000_000, "task": "t", "cap": 1}).astype("category")
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="must have at most 10,000,000 cells, got 12,000,000; le"):
        read_observations(tmp_path / "a.parquet")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"eval,task,cap\n" + b",,\n" * 4_000_000))
    with pytest.raises(InputError, match="must have at most 10,000,000 cells, got 12,000,003; le"):
        read_observations(tmp_path / "a.csv.gz")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"eval\n" + b"x" * 128_000_000))
    with pytest.raises(InputError, match="must hold at most 128 MB of text unpacked, got more"):
        read_observations(tmp_path / "a.csv.gz")


def test_an_outcome_of_yes_and_no_is_told_where_it_belongs(csv: Csv) -> None:
    with pytest.raises(InputError, match="got 'yes'; it says yes or no: name its column `success`"):
        read_observations(csv({**RUN, "outcome": "yes"}))


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        *(("yes", "No"), ("TRUE", "False"), (1, 0), ("1.0", "0.0"), ("pass", "Failed"), ("C", "I")),
        *(("WAHR", "FALSCH"), ("oui", "non"), ("✓", "✗"), ("t", "f"), ("１", "０"), ("Ja", "Nein")),
        *(("resolved", "unresolved"), ("yes\u00a0", "no\u200b")),
    ],
)
def test_flags_are_read_as_people_write_them(yes: Any, no: Any, csv: Csv) -> None:
    rows = [
        {"eval": "b", "task": str(i), "ai_model": "A", "success": word, "spend": "19,682"}
        | {"cap": "200,000", "reviewed": word}
        for i, word in enumerate([yes, no])
    ]
    frame = imported(csv(*rows)).frame
    assert frame["outcome"].tolist() == ["success", "gave_up"]
    assert frame["spend"].tolist() == [19682, 19682]
    assert frame["cap"].tolist() == [200_000, 200_000]
    assert frame["reviewed"].tolist() == [1, 0]


def test_incomplete_rows_are_dropped_on_request_and_said(csv: Csv) -> None:
    rows = [
        {**RUN, "task": str(i), "outcome": "success" if i % 4 == 0 else "gave_up"}
        for i in range(20)
    ]
    rows[4] |= {"cap": None}
    rows[7] |= {"cap": "n/a"}
    rows[8] |= {"ai_model": None}
    with pytest.raises(InputError, match=r"row 6 .* got nothing; fill it in .*--drop-incomplete"):
        imported(csv(*rows))
    found = imported(csv(*rows), drop_incomplete=True)
    assert (len(found.frame), found.n_dropped) == (17, 3)
    (note,) = found.notes
    assert "results.csv: 3 of 20 rows lack what every row must have and are dropped" in note
    assert "ai_model (1), cap (2); first results.csv row 6" in note
    assert "1 of 15 gave_up, 2 of 5 success; successes before and after: 25.0% and 17.6%" in note
    with pytest.raises(InputError, match="at least one row must be complete, got none"):
        imported(csv({**RUN, "cap": None}), drop_incomplete=True)


def test_rows_below_a_dropped_one_keep_their_numbers(csv: Csv) -> None:
    rows = [{**RUN, "cap": None}, {**RUN, "cap": -1}]
    with pytest.raises(InputError, match=r"results\.csv row 3 .* cap must be a number above 0"):
        imported(csv(*rows), drop_incomplete=True)


def test_a_hidden_sheet_is_read_and_said(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", RUN)
    book = openpyxl.load_workbook(path)
    other = book.create_sheet("old")
    other.append(list(RUN))
    other.append(list({**RUN, "task": "b"}.values()))
    other.sheet_state = "hidden"
    book.save(path)
    found = read_observations(path)
    assert len(found.runs) == 2
    assert any("sheet 'old' is hidden in the workbook" in note for note in found.notes)


def test_rows_that_a_filter_hides_are_read_and_said(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", RUN, {**RUN, "task": "b"}, {**RUN, "task": "c"})
    book = openpyxl.load_workbook(path)
    book.active.row_dimensions[3].hidden = True
    book.save(path)
    found = read_observations(path)
    assert len(found.runs) == 3
    assert any("1 rows are hidden in the workbook (first: row 3)" in note for note in found.notes)


def test_a_lone_remark_beside_a_sheet_is_told_by_its_cell(tmp_path: Path) -> None:
    rows = [{**RUN, "task": str(i), "": "see log" * (i == 3)} for i in range(6)]
    with pytest.raises(InputError, match=r"cell G5: every filled cell must have a column name"):
        read_observations(sheet(tmp_path / "a.xlsx", *rows))


def test_headings_below_a_title_of_several_cells_are_found(tmp_path: Path, csv: Csv) -> None:
    path = sheet(tmp_path / "a.xlsx", {"Results": "eval", "Q3": "task"}, RUN)
    book = openpyxl.load_workbook(path)
    book.active.insert_rows(2)
    for column, name in enumerate(RUN, start=1):
        book.active.cell(2, column, name)
    book.save(path)
    with pytest.raises(InputError, match=r"they seem to stand in a\.xlsx sheet 'Sheet' row 2; del"):
        read_observations(path)
    other = sheet(tmp_path / "b.xlsx", {"to do": "more runs", "who": "nobody"})
    with pytest.raises(InputError, match="passed over if its name begins with notes"):
        read_observations(other)


def test_long_texts_and_old_line_ends_are_read(tmp_path: Path) -> None:
    lines = [",".join([*RUN, "log"]), "ctf,t,A,success,1,2," + "x" * 200_000]
    (tmp_path / "a.csv").write_text("\r".join(lines), newline="")
    assert len(read_observations(tmp_path / "a.csv").runs) == 1
    (tmp_path / "a.csv").write_text("\n".join([lines[0], lines[1] + ",more"]))
    with pytest.raises(InputError, match=r"row 2: must have no more cells than the first row, 7"):
        read_observations(tmp_path / "a.csv")


def test_errors_of_a_spreadsheet_are_told_in_text_too(csv: Csv) -> None:
    with pytest.raises(InputError, match="eval must be a name, got the error #REF!; mend the form"):
        read_observations(csv({**RUN, "eval": "#REF!"}))
    with pytest.raises(InputError, match="got #N/A; mend the formula, or empty the cell"):
        read_observations(csv({**RUN, "human_minutes": "#N/A"}))
    assert imported(csv({**RUN, "outcome": "success\u00a0"})).frame["outcome"][0] == "success"
    with pytest.raises(InputError, match="eval must be a name, got the error #NV; mend the form"):
        read_observations(csv({**RUN, "eval": "#NV"}))
    with pytest.raises(InputError, match="got #BEZUG!; mend the formula, or empty the cell"):
        read_observations(csv({**RUN, "spend": "#BEZUG!"}))
    with pytest.raises(InputError, match=r"got =B2.2; a formula must be calculated first: put its"):
        read_observations(csv({**RUN, "spend": "=B2*2"}))
    with pytest.raises(InputError, match=r"got –; write it in digits.*, or empty the cell"):
        read_observations(csv({**RUN, "spend": "–"}))


# Every row is read, excluded, left out and said, or refused


CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            *("", " ", "NaN", "1,5", "1,000", "100.000", "7", "0", "-1", "1e400", "yes", "0.5"),
            *("success", "gave_up", "stopped_by_cap", "stopped_otherwise", "spurious", "excluded"),
            *("\u200b", "cyb\u200bench", "2026-03-01", "#REF!", "20 %", "inf", "1 000", "Total"),
        ]
    ),
    st.integers(-5, 10**9),
    st.floats(allow_nan=True),
    st.booleans(),
    st.text(max_size=6),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([(0, "spend", "²")], [], False)
@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.sampled_from([*RUN, "human_minutes", "attempt"]), CELLS),
        max_size=8,
    ),
    st.lists(st.integers(0, 11), max_size=3),
    st.booleans(),
)
def test_every_row_given_is_read_excluded_dropped_or_refused(
    changes: list[tuple[int, str, Any]], repeats: list[int], drop_incomplete: bool
) -> None:
    ends = ("success", "gave_up", "stopped_by_cap", "stopped_otherwise", "excluded", "spurious")
    rows: list[dict[str, Any]] = [
        {**RUN, "task": f"t{i}", "outcome": ends[i % 6], "spend": 90, "human_minutes": 5}
        | {"attempt": 1}
        for i in range(12)
    ]
    for place, column, value in changes:
        rows[place][column] = value
    rows += [dict(rows[place]) for place in repeats]
    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.where(frame.notna(), other=None)
    made = Rows(frame, "rows.csv")
    lost = 0
    try:
        if drop_incomplete:
            from evalbayes.observations.importing import _complete

            lost, made = len(made), _complete(made)
            lost -= len(made)
        found = observations_of([made] if len(made) else [])
    except InputError as error:
        assert "rows.csv" in str(error) or "twice" in str(error)  # noqa: PT017 -- either is right
        return
    unknown = int(found.counts["n_runs"].sum()) if len(found.counts) else 0
    told = sum(
        int(said[1].replace(",", ""))
        for note in found.notes
        if (said := re.search(r"; ([\d,]+) of them, stopped otherwise than by the cap", note))
    )
    read = len(found.runs) + unknown + told + sum(found.excluded.values())
    assert read + lost == len(rows)
    if not changes and not repeats:
        assert found.runs["spend"].sum() == 90 * 10


FLAGGED = {key: RUN[key] for key in ("eval", "task", "ai_model", "spend", "cap")} | {"success": 1}


@settings(
    max_examples=80, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    st.sampled_from([COUNT, SCORE, RUN, CELL, FLAGGED]),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9), CELLS), max_size=6),
    st.booleans(),
)
def test_files_of_every_shape_lose_no_row_and_move_no_cell(
    shape: dict[str, Any], changes: list[tuple[int, int, Any]], drop_incomplete: bool
) -> None:
    rows = [{**shape, "ai_model": f"M{i}"} for i in range(8)]
    for place, column, value in changes:
        rows[place][list(shape)[column % len(shape)]] = value
    filled = [row for row in rows if any(str(v or "").strip() or v == 0 for v in row.values())]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        pd.DataFrame(rows, dtype=object).to_csv(path, index=False)
        try:
            found = imported(path, drop_incomplete=drop_incomplete)
        except InputError as error:
            assert "rows.csv" in str(error) or "twice" in str(error)  # noqa: PT017 -- either is right
            return
    frame = found.frame
    assert len(frame) + found.n_dropped == len(filled)
    touched = {place for place, _, _ in changes}
    for i in set(range(8)) - touched:
        (row,) = frame[frame["ai_model"] == f"M{i}"].to_dict("records")
        numbers = {key: value for key, value in shape.items() if isinstance(value, int | float)}
        assert {key: row[key] for key in numbers if key in row} == {
            key: value for key, value in numbers.items() if key in row
        }
