"""Spreadsheet rows become the constraint objects they name, or an error naming the row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evalfolio.errors import InputError
from evalfolio.limits import (
    Ceiling,
    ChanceLimit,
    EveryDomain,
    Excludes,
    Floor,
    Forbidden,
    Mandatory,
    MaxEvals,
    MinEvals,
    PosteriorSd,
    Requires,
    TailLimit,
    Where,
    WrongCall,
    ZeroOrAtLeast,
    constraints_from_table,
)

COLUMNS = ["type", "of", "with", "amount", "resource", "note"]
ROWS = [
    (["mandatory", "cybench", "", "", "", "asked for by the board"], Mandatory("cybench")),
    (["Mandatory", "a; b", "", "", "", ""], Mandatory(("a", "b"))),
    (["forbidden", "max-elicitation", "", "", "", ""], Forbidden("max-elicitation")),
    (["requires", "uplift", "bio questions", "", "", ""], Requires("uplift", "bio questions")),
    (["excludes", "v1", "v2", "", "", ""], Excludes("v1", "v2")),
    (["min evals", "cyber", "", "2", "", ""], MinEvals("cyber", 2)),
    (["max_evals", "cyber", "", "4", "", ""], MaxEvals("cyber", 4)),
    (["every domain", "", "", "1", "", ""], EveryDomain(1)),
    (["floor", "cyber", "", "$ 50,000", "", ""], Floor("cyber", 50_000)),
    (["floor", "bio", "", "80", "staff_hours.bio", ""], Floor("bio", 80, "staff_hours.bio")),
    (
        ["ceiling", "tier = plateau | sweet-spot, domain = cyber", "", "1e4", "", ""],
        Ceiling(Where(tier=("plateau", "sweet-spot"), domain="cyber"), 10_000),
    ),
    (["floor share", "bio", "", "20 %", "", ""], Floor("bio", 0.2, share=True)),
    (["ceiling share", "bio", "", "0.4", "usd", ""], Ceiling("bio", 0.4, share=True)),
    (["floor count", "bio", "", "1", "", ""], MinEvals("bio", 1)),
    (["ceiling count", "bio", "", "3", "", ""], MaxEvals("bio", 3)),
    (["posterior sd", "cyber", "", "0.8", "", ""], PosteriorSd("cyber", 0.8)),
    (["wrong call", "cyber", "", "5 %", "", ""], WrongCall("cyber", 0.05)),
    (["chance", "", "5 %", "250,000", "", ""], ChanceLimit(250_000, 0.05)),
    (["tail mean", "", "10 %", "300", "staff_hours", ""], TailLimit(300, 0.1, 0, "staff_hours")),
    (["zero or at least", "bio", "", "40000", "", ""], ZeroOrAtLeast("bio", 40_000)),
]
REFUSED = [
    (["mandatroy", "a", "", "", "", ""], "row 2: type must be one of .* did you mean 'mandatory'"),
    (["mandatory", "", "", "", "", ""], "row 2: a row of type 'mandatory' must have 'of' filled"),
    (["requires", "a", "", "", "", ""], "row 2: .* must have 'with' filled in"),
    (["mandatory", "a", "", "3", "", ""], "row 2: .* must have 'amount' empty, got '3'"),
    (["floor", "a", "", "7,5", "", ""], "row 2: amount must be .* got '7,5'; .* write 7.5"),
    (["floor", "a", "", "50.000", "", ""], "row 2: .* it may mean 50 or 50000: write 50 or 50000"),
    (["ceiling share", "a", "", "7,5 %", "", ""], "row 2: amount must be .* got '7,5 %'; .* 7.5"),
    (["min evals", "a", "", "1,5", "", ""], "row 2: amount must be a number, got '1,5'"),
    (["floor", "a", "", "lots", "", ""], "row 2: amount must be a number, got 'lots'"),
    (["floor", "a", "", "20 %", "", ""], "row 2: amount must be a number here, .* 'floor share'"),
    (["min evals", "a", "", "1.5", "", ""], "row 2: amount must be a whole number of evals"),
    (["floor share", "a", "", "40", "", ""], "row 2: Floor: at_least must be a share between"),
    (["forbidden", "tier =", "", "", "", ""], "row 2: a condition must read 'column = value'"),
    (["floor", "a", "", "-3", "", ""], "row 2: Floor: at_least must be a finite number"),
]


def table(*rows: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(("row", "wanted"), ROWS, ids=[str(w) for _, w in ROWS])
def test_each_row_type_builds_its_constraint(row: list[str], wanted: object) -> None:
    assert constraints_from_table(table(row)) == (wanted,)


@pytest.mark.parametrize(("row", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_a_wrong_row_is_named(row: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        constraints_from_table(table(row))


def test_files_and_frames_say_the_same(tmp_path: Path) -> None:
    frame = table(*(row for row, _ in ROWS))
    wanted = tuple(constraint for _, constraint in ROWS)
    frame.to_csv(tmp_path / "limits.csv", index=False)
    frame.to_excel(tmp_path / "limits.xlsx", index=False, sheet_name="constraints")
    assert constraints_from_table(tmp_path / "limits.csv") == wanted
    assert constraints_from_table(str(tmp_path / "limits.xlsx")) == wanted


def test_numbers_typed_as_numbers_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Type": ["floor", "min evals"], "of": "bio", "amount": [5e4, 2]})
    assert constraints_from_table(frame) == (Floor("bio", 5e4), MinEvals("bio", 2))
    frame.to_excel(tmp_path / "limits.xlsx", index=False, sheet_name="mine")
    assert len(constraints_from_table(tmp_path / "limits.xlsx", sheet="mine")) == 2


def test_a_share_typed_as_a_number_is_not_taken_for_thousands(tmp_path: Path) -> None:
    frame = pd.DataFrame({"type": ["ceiling"], "of": ["bio"], "amount": [1.234]})
    assert constraints_from_table(frame) == (Ceiling("bio", 1.234),)
    frame.to_excel(tmp_path / "limits.xlsx", index=False, sheet_name="constraints")
    assert constraints_from_table(tmp_path / "limits.xlsx") == (Ceiling("bio", 1.234),)


def test_rows_of_a_sheet_are_named_as_it_numbers_them(tmp_path: Path) -> None:
    frame = table(["mandatory", "a", "", "", "", ""], ["floor", "a", "", "much", "", ""])
    frame.to_excel(tmp_path / "limits.xlsx", index=False, sheet_name="constraints", startrow=4)
    with pytest.raises(InputError, match=r"limits\.xlsx, sheet 'constraints', row 7: amount must"):
        constraints_from_table(tmp_path / "limits.xlsx")


def test_names_are_read_without_what_cannot_be_seen() -> None:
    read = constraints_from_table(table(["mandatory", "cyb\u200bench\xa0", "", "", "", ""]))
    assert read == (Mandatory("cybench"),)


def test_blank_and_commented_rows_are_passed_over_and_rows_counted_as_seen(
    tmp_path: Path,
) -> None:
    (tmp_path / "limits.csv").write_text(
        "type,of,amount\nmandatory,a,\n,,\n# not yet,b,\nfloor,bio,much\n"
    )
    with pytest.raises(InputError, match=r"limits\.csv, row 5: amount must be a number"):
        constraints_from_table(tmp_path / "limits.csv")


def test_unreadable_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv: must be a file that exists, but there is"):
        constraints_from_table(tmp_path / "absent.csv")
    (tmp_path / "limits.csv").write_text("type;of\nmandatory;a\n")
    with pytest.raises(InputError, match="cells must be parted by commas, got semicolons"):
        constraints_from_table(tmp_path / "limits.csv")
    (tmp_path / "limits.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match="must be a workbook that can be read"):
        constraints_from_table(tmp_path / "limits.xlsx")
    table().to_excel(tmp_path / "limits.xlsx", sheet_name="other")
    with pytest.raises(InputError, match="must have a sheet 'constraints', got 'other'"):
        constraints_from_table(tmp_path / "limits.xlsx")
    with pytest.raises(InputError, match=r"must be a \.csv or \.xlsx file, got '\.ods'"):
        constraints_from_table(tmp_path / "limits.ods")
    with pytest.raises(InputError, match=r"columns must be among .* did you mean 'amount'"):
        constraints_from_table(pd.DataFrame({"type": ["floor"], "amuont": [1]}))
    with pytest.raises(InputError, match="must be a column 'type'"):
        constraints_from_table(pd.DataFrame({"of": ["a"]}))
