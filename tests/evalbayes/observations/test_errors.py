# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are
"""Every mistake observations can hold is refused in one sentence: row, rule, what came, cure."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.evalbayes.observations.conftest import CELL, COUNT, KINDS, RUN, SCORE

from evalbayes.catalogue import parse_catalogue
from evalbayes.errors import InputError
from evalbayes.observations import read_observations, write_observations

AT = "results.csv row 2 (cybench by Model A): "
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("runs", {"cap": -5}, AT + "cap must be a number above 0, got -5; write what the run was"),
    ("runs", {"cap": 0}, "cap must be a number above 0, got 0"),
    ("runs", {"cap": "NaN"}, "cap must be a number above 0, got NaN; fill it in"),
    ("runs", {"cap": None}, "cap must be a number above 0, got nothing; fill it in"),
    ("runs", {"cap": "inf"}, "cap must be a number above 0, got inf"),
    ("runs", {"cap": "many"}, "cap must be a number above 0, got many"),
    ("runs", {"spend": 200}, AT + "spend must not pass the run's cap by more than 10 %, got 200; check that spend and cap are in the same unit"),
    ("runs", {"spend": 110.5}, "spend must not pass the run's cap by more than 10 %"),
    ("runs", {"spend": -1}, "spend must be 0 or more, got -1; leave it empty where it was not recorded"),
    ("runs", {"outcome": "stopped_by_cap", "spend": 10}, "spend of a run stopped by its cap must be near the cap, got 10; if something else stopped it, write stopped_otherwise"),
    ("runs", {"outcome": "sucess"}, "outcome must be one of success, gave_up, stopped_by_cap, stopped_otherwise, spurious, excluded, got 'sucess'; did you mean 'success'?"),
    ("runs", {"outcome": None}, "outcome must be given in every row, got nothing"),
    ("runs", {"eval": None}, "results.csv row 2 (Model A): eval must be given in every row, got nothing; fill it in or drop the row"),
    ("runs", {"human_minutes": 0}, "human_minutes must be above 0, got 0; leave it empty where it is not known"),
    ("runs", {"human_minutes": -3}, "human_minutes must be above 0, got -3"),
    ("runs", {"effort": 1.5}, "effort must be from 0 to 1, got 1.5; write 0 for the scaffold as it comes"),
    ("runs", {"effort": -0.5}, "effort must be from 0 to 1, got -0.5"),
    ("runs", {"reviewed": 2}, "reviewed must be 0 or 1, yes or no, got 2"),
    ("runs", {"score": "good"}, "score must be a number, got good"),
    ("cells", {"n_success": -1}, AT + "n_success must be a whole number, 0 or more, got -1; count the runs again"),
    ("cells", {"n_success": 1.5}, "n_success must be a whole number, 0 or more, got 1.5"),
    ("cells", {"n_stopped_by_cap": None}, "n_stopped_by_cap must be a whole number, 0 or more, got nothing"),
    ("cells", {"n_runs": 7}, "n_runs must be the sum of n_success, n_gave_up and n_stopped_by_cap, got 7; count the runs again"),
    ("cells", {"n_success": 0, "n_gave_up": 0, "n_stopped_by_cap": 0}, "n_success and the other counts must not all be 0, got 0; drop the row"),
    ("cells", {"mean_ln_spend_success": None}, "mean_ln_spend_success must be given where there are such runs, got nothing"),
    ("cells", {"mean_ln_spend_success": 50}, "mean_ln_spend_success must not be above ln cap, got 50; it is the mean of the natural logarithm"),
    ("cells", {"n_gave_up": 0}, "mean_ln_spend_gave_up must be empty where there are no such runs, got 2.0"),
    ("cells", {"sd_ln_spend_success": None}, "sd_ln_spend_success must be given where there are two such runs or more, got nothing"),
    ("cells", {"sd_ln_spend_success": -1}, "sd_ln_spend_success must be 0 or more, got -1"),
    ("cells", {"sd_ln_spend_gave_up": 0.4}, "sd_ln_spend_gave_up must be empty where there are fewer than two such runs, got 0.4"),
    ("cells", {"cap": 0}, "cap must be a number above 0, got 0"),
    ("cells", {"cap": "NaN"}, "cap must be a number above 0, got NaN"),
    ("counts", {"n_success": 11}, AT + "n_success must not be above n_runs: a success share is at most 1, got 11"),
    ("counts", {"n_runs": 0, "n_success": 0}, "n_runs must be at least 1, got 0; drop the row"),
    ("counts", {"n_runs": -1}, "n_runs must be a whole number, 0 or more, got -1"),
    ("counts", {"cap": -1}, "cap must be a number above 0, got -1"),
    ("scores", {"standard_error": 0}, AT + "standard_error must be above 0, got 0"),
    ("scores", {"score": None}, "score must be a number, got nothing; fill it in"),
    ("scores", {"cap": "x"}, "cap must be a number above 0, got x"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "message"), MISTAKES)
def test_a_row_that_breaks_a_rule_is_refused(
    kind: str, change: dict[str, Any], message: str, csv: Callable[..., Path]
) -> None:
    good = {**KINDS[kind], "eval": "other"}
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_observations(csv({**KINDS[kind], **change}, good))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("runs", "spend", "spends", "columns of runs must be spelt as they are known, got 'spends'; did you mean 'spend'? Rename it"),
        ("runs", "ai_model", "AI Model", "got 'AI Model'; did you mean 'ai_model'?"),
        ("runs", "outcome", "outcomes", "got 'outcomes'; did you mean 'outcome'?"),
        ("cells", "n_gave_up", "n_gaveup", "columns of cells must be spelt as they are known, got 'n_gaveup'; did you mean 'n_gave_up'?"),
        ("scores", "standard_error", "std_error", "scores must have a column 'standard_error', got eval, ai_model, cap, score, std_error; if 'std_error' is it, use `evalfolio import table --map standard_error=std_error`"),
        ("runs", "spend", "spend_tokens", "runs must have a column 'spend', got eval, task, ai_model, outcome, spend_tokens, cap; if 'spend_tokens' is it, use"),
        ("runs", "outcome", "success", "`evalfolio import table` works it out from success and stopped_by_cap"),
        ("counts", "cap", "x", "counts must have a column 'cap', got eval, ai_model, x, n_runs, n_success; counts need eval, ai_model, cap, n_runs, n_success"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_known_is_refused(
    kind: str, old: str, new: str, message: str, csv: Callable[..., Path]
) -> None:
    row = {new if key == old else key: value for key, value in KINDS[kind].items()}
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations(csv(row))


def test_columns_of_no_shape_are_refused(csv: Callable[..., Path]) -> None:
    message = (
        "results.csv: columns must be those of runs, cells, counts, scores or studies, got a, b; "
        "rename"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations(csv({"a": 1, "b": 2}))


def test_a_near_miss_of_an_optional_column_is_refused(csv: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="got 'human_minute'; did you mean 'human_minutes'"):
        read_observations(csv({**RUN, "human_minute": 4}))


def test_one_run_told_at_several_caps_is_refused(csv: Callable[..., Path]) -> None:
    once, again = {**RUN, "attempt": 1}, {**RUN, "attempt": 1, "cap": 60, "spend": 50}
    message = (
        "each run must be told once, at the cap it really had, got attempt 1 of task 'crackme' of "
        "cybench by Model A at 2 caps (results.csv row 2 and results.csv row 3); points made by capping "
        "one run after the fact share that run"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations(csv(once, again))
    with pytest.raises(InputError, match="got it without an attempt of task 'crackme'"):
        read_observations(csv(RUN, {**RUN, "cap": 60}))


def test_separate_runs_at_several_caps_are_told_apart_by_their_attempts(
    csv: Callable[..., Path],
) -> None:
    both = read_observations(csv({**RUN, "attempt": 1}, {**RUN, "attempt": 2, "cap": 60}))
    assert len(both.runs) == 2


def test_one_run_told_twice_is_refused(csv: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match=r"row 3 .* got a row alike in every column to an earlier"):
        read_observations(csv(RUN, RUN))
    with pytest.raises(InputError, match="got attempt 1 of task 'crackme' of cybench by Model A t"):
        read_observations(csv({**RUN, "attempt": 1}, {**RUN, "attempt": 1, "spend": 3}))
    twice = csv({**RUN, "attempt": 1}), csv({**RUN, "attempt": 1}, name="again.csv")
    with pytest.raises(
        InputError, match=r"got attempt 1 .*\(results\.csv row 2 and again\.csv row 2\)"
    ):
        read_observations(twice)


@pytest.mark.parametrize(("kind", "row"), [("cells", CELL), ("counts", COUNT), ("scores", SCORE)])
def test_one_cell_told_twice_is_refused(
    kind: str, row: dict[str, Any], csv: Callable[..., Path]
) -> None:
    message = f"{kind}: each eval, AI model, effort and cap must have one row, got cybench by Model A at cap 100 twice (results.csv row 2 and again.csv row 2); put the rows together"
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations([csv(row), csv(row, name="again.csv")])


def test_runs_and_the_cell_that_sums_them_up_are_refused(csv: Callable[..., Path]) -> None:
    with pytest.raises(
        InputError, match="got both cells and runs of cybench by Model A at cap 100"
    ):
        read_observations([csv(RUN), csv(CELL, name="cells.csv")])


def test_an_eval_that_is_not_in_the_catalogue_is_refused(csv: Callable[..., Path]) -> None:
    catalogue = parse_catalogue(
        {
            "domain": [{"name": "cyber", "threshold": 9}],
            "eval": [{"name": "cybench2", "domain": "cyber", "tasks": 3}],
        }
    )
    message = AT + "eval must be one of the catalogue's, got 'cybench'; did you mean 'cybench2'?"
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations(csv(RUN), catalogue)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", None, "must be a file that exists, but there is none; check its name"),
        ("a.csv", b"", "must have the names of its columns in the first row, got an empty file; write them there"),
        ("a.csv", b"\xef\xbb\xbf", "got an empty file"),
        ("a.csv", b",,\nctf,t,A\n", "must have the names of its columns in the first row, got an empty first row"),
        ("a.csv", b"eval,task\n\xff\xfe,x", "must be text in UTF-8, got other bytes in line 2; save it as CSV in UTF-8, or as .xlsx"),
        ("a.csv", "eval,task\n".encode("utf-16"), "it is text in UTF-16; save it in UTF-8"),
        ("a.csv", b"PK\x03\x04\xff\xff", "must be text in UTF-8, got a workbook or an archive"),
        ("a.csv", b"eval,task\na,b,c\n", "a.csv row 2: must have no more cells than the first row, 2, got 3; mend it"),
        ("a.csv", b"eval,task\na,b\n\na,b\na,b,c\n", "a.csv row 5: must have no more cells than the first row"),
        ("a.csv", b"Results of May\n\neval,task,cap\n", "a.csv: the first filled row must hold the names of the columns, got 'Results of May' alone in row 1; delete what stands above row 3"),
        ("a.csv", b'eval,task\na,b\n"a,b\n', "every quotation mark must be closed, got one that is not; close it"),
        ("a.csv", b"eval;task;spend\nctf;t;0,5\n", "cells must be parted by commas, got semicolons; save it as CSV with commas between cells and points in numbers, or as .xlsx"),
        ("a.csv", b"eval\ttask\n", "cells must be parted by commas, got tabs"),
        ("a.csv", b"eval,task,eval\nctf,t,A\n", "every column must have a name of its own, got 'eval' 2 times; rename or drop one"),
        ("a.csv.gz", b"plain", "must be a file that can be read, got an error (Not a gzipped file"),
        ("a.csv.gz", gzip.compress(b"eval,task\n" * 99, mtime=0)[:-9], "must be a file that can be read, got an error (Compressed file ended"),
        ("a.parquet", b"plain", "must be Parquet that can be read, got an error"),
        ("a.xlsx", b"plain", "must be a workbook that can be read, got an error (File is not a zip file); open it in a spreadsheet program and save it again as .xlsx"),
        ("a.json", b"{}", "observations must be a file ending in .csv, .csv.gz, .parquet, .xlsx, got '.json'"),
        ("a.csv", b"eval,ai_model,cap,n_runs,n_success\n", "must hold at least one row, got an empty table; give rows or leave the file out"),
        ("a.csv", b"eval,ai_model,cap,n_runs,n_success\n,,,,\n", "must hold at least one row, got an empty table"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_observations(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(InputError, match="must be a file, got a folder; name a file in it"):
        read_observations(tmp_path / "a.csv")


def test_rows_are_numbered_as_the_file_has_them(tmp_path: Path) -> None:
    head, good = "eval,ai_model,cap,n_runs,n_success\r\n", "ctf,A,2e6,5,2\r\n"
    (tmp_path / "a.csv").write_bytes(f"{head}\r\n{good},,,,\r\nctf,B,-1,5,2\r\n".encode())
    with pytest.raises(InputError, match=r"a\.csv row 5 \(ctf by B\): cap must be"):
        read_observations(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes(f"{head}\r\n{good},,,,\r\n".encode())
    assert len(read_observations(tmp_path / "a.csv").counts) == 1


def test_a_sheet_may_begin_lower_down_and_have_empty_rows(tmp_path: Path) -> None:
    table = pd.DataFrame([COUNT, {}, {**COUNT, "ai_model": "Model B"}, {**COUNT, "cap": 7}])
    table.to_excel(tmp_path / "a.xlsx", index=False, startrow=3, startcol=1)
    found = read_observations(tmp_path / "a.xlsx").counts
    assert found["ai_model"].tolist() == ["Model A", "Model B", "Model A"]
    table.loc[3, "cap"] = -1
    table.to_excel(tmp_path / "a.xlsx", index=False, startrow=3, startcol=1)
    with pytest.raises(InputError, match=r"sheet 'Sheet1' row 8 \(cybench by Model A\): cap must"):
        read_observations(tmp_path / "a.xlsx")
    table.columns = pd.Index([*table.columns[:-1], "cap"])
    table.to_excel(tmp_path / "a.xlsx", index=False)
    with pytest.raises(InputError, match="every column must have a name of its own, got 'cap' 2"):
        read_observations(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("cap", "cure"),
    [
        ("2M", "write it in digits, with a point before decimals and neither words nor units"),
        ("#N/A", "mend the formula, or empty the cell"),
        ("50%", "no share in per cent can stand here"),
        ("1,5", "a comma may only part groups of three digits: write 1.5"),
        ("100.000", "it may mean 100 or 100000: write 100 or 100000"),
    ],
)
def test_what_is_no_numeral_is_told_how_numerals_are_written(
    cap: str, cure: str, csv: Callable[..., Path]
) -> None:
    message = f"cap must be a number above 0, got {cap}; {cure}"
    with pytest.raises(InputError, match=re.escape(message)):
        read_observations(csv({**COUNT, "cap": cap}))


@pytest.mark.parametrize(
    "cap", ["2,000,000", "2 000 000", "2\u202f000\u202f000", "2'000'000", "2e6"]
)
def test_numerals_are_read_as_people_group_them(cap: str, csv: Callable[..., Path]) -> None:
    assert read_observations(csv({**COUNT, "cap": cap})).counts["cap"].tolist() == [2e6]


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame([RUN])
    with pytest.raises(InputError, match="must be written to a file ending in"):
        write_observations(frame, tmp_path / "a.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be a file that can be written"):
        write_observations(frame, tmp_path / "file" / "a.csv")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(InputError, match="must be a file that can be written"):
        write_observations(frame, tmp_path / "a.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "file"]
