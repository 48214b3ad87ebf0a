"""Workbooks as people keep them: what was never calculated, went wrong or is no table is told."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.chart import BarChart

from evalbayes.errors import InputError
from evalbayes.tables import workbook
from evalbayes.tables.workbook import read_sheets

HEAD = ["eval", "task", "cap"]
ROW = ["ctf", "t1", 5]


def book(path: Path, change: Callable[[Any], None] = lambda _: None) -> Path:
    """Write a sheet of two rows to a workbook, changed."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "runs"
    sheet.append(HEAD)
    sheet.append(ROW)
    change(sheet)
    made.save(path)
    return path


def test_rows_are_numbered_and_cells_plain(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet["A5"], sheet["B5"], sheet["C5"] = "  web ", datetime(2026, 3, 1), 2.0
        sheet["A6"] = "   "

    (sheet,) = read_sheets(book(tmp_path / "a.xlsx", change))
    assert sheet.title == "runs"
    assert sheet.rows == (
        (1, tuple(HEAD)),
        (2, tuple(ROW)),
        (5, ("web", datetime(2026, 3, 1), 2)),
    )


def put(cell: str, value: Any) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet[cell] = value

    return change


def merge(cells: str) -> Callable[[Any], None]:
    return lambda sheet: sheet.merge_cells(cells)


def fill(value: str) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        for _ in range(4):
            sheet.append([value] * 3)

    return change


def title(*cells: Any, merged: str | None = None) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet.insert_rows(1)
        if merged:
            sheet.merge_cells(merged)
        for j, value in enumerate(cells, start=1):
            sheet.cell(1, j, value)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("C2", "=2*10^5"), "cell C2: a formula must have a computed value, got none; open the"),
        (put("F9", "=SUM(C2:C3)"), "cell F9: a formula must have a computed value, got none"),
        (put("C2", "#N/A"), "cell C2 #N/A: must hold a value, got an error; mend the formula"),
        (put("A2", "#REF!"), "cell A2 #REF!: must hold a value, got an error"),
        (fill("#DIV/0!"), "cell A3 #DIV/0! (and 11 more: B3 #DIV/0!, C3 #DIV/0!, A4 #DIV/0!, "),
        (fill("=1+1"), "cell A3 (and 11 more: B3, C3, A4, B4, C4, A5, B5, C5, A6): a formula must"),
        (title("Results, Q3", merged="A1:C1"), "got 'Results, Q3' alone in row 1; delete what"),
        (put("B2", "t\x7f1"), r"cell B2: text must hold no control characters, got '\x7f' in"),
        (merge("A2:A4"), "cells must not be merged, got 'ctf' in A2 to A4; unmerge them"),
        (title("Results, Q3"), "got 'Results, Q3' alone in row 1; delete what stands above row 2"),
        (put("A1", "Row Labels"), "row 1: must be a plain table, got a pivot table ('Row Labels')"),
        (put("A1", "Zeilenbeschriftungen"), "row 1: must be a plain table, got a pivot table"),
        (put("C1", "Somme de spend"), "got a pivot table ('Somme de spend'); give the rows"),
        (put("C2", "#BEZUG!"), "cell C2 #BEZUG!: must hold a value, got an error; mend"),
        (put("C1", "Sum of spend"), "got a pivot table ('Sum of spend'); give the rows it was"),
    ],
)
def test_what_is_no_table_of_values_is_refused_by_its_cell(
    change: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    path = book(tmp_path / "a.xlsx", change)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_sheets(path)
    assert str(caught.value).startswith("a.xlsx: sheet 'runs'")


def test_sheets_of_notes_may_hold_anything(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        notes = sheet.parent.create_sheet("Notes on sources")
        notes["A1"] = "=1+1"
        notes["A2"] = "#REF!"
        sheet.parent.create_chartsheet("chart").add_chart(BarChart())

    assert [sheet.title for sheet in read_sheets(book(tmp_path / "a.xlsx", change))] == ["runs"]


def test_values_that_a_program_only_stood_in_are_refused(tmp_path: Path) -> None:
    """xlsxwriter writes 0 beside a formula and asks for a calculation at the next opening."""
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as made:
        sheet = made.add_worksheet("runs")
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["ctf", "t1"])
        sheet.write_formula(1, 2, "=2*10^5")
    with pytest.raises(InputError, match="cell C2: a formula must have a computed value, got a 0"):
        read_sheets(tmp_path / "a.xlsx")


def test_calculated_formulas_are_read_also_where_they_show_nothing(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as made:
        sheet = made.add_worksheet("runs")
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["ctf", "t1"])
        sheet.write_formula(1, 2, "=2*10^5", None, 200_000)
        sheet.write_formula(1, 3, '=IF(C2>0,"","x")', None, "x")
    broken(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", lambda b: b.replace(b"<v>x<", b"<v><"))
    (sheet,) = read_sheets(tmp_path / "a.xlsx")
    assert sheet.rows[1] == (2, ("ctf", "t1", 200_000))


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD1"])
def test_a_stray_cell_at_the_end_of_a_sheet_costs_nothing(cell: str, tmp_path: Path) -> None:
    (sheet,) = read_sheets(book(tmp_path / "a.xlsx", put(cell, " ")))
    assert len(sheet.rows) == 2
    (sheet,) = read_sheets(book(tmp_path / "a.xlsx", put(cell, "x")))
    assert sum(len(cells) for _, cells in sheet.rows) < 20_000


def test_a_workbook_without_a_sheet_of_cells_is_told(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.create_chartsheet("chart").add_chart(BarChart())
    made.remove(made.worksheets[0])
    made.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="must have a sheet of cells, got charts alone"):
        read_sheets(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="must have a sheet 'mine', got 'runs'; add or rename one"):
        read_sheets(book(tmp_path / "a.xlsx"), "mine")
    with pytest.raises(InputError, match="No such file or directory"):
        read_sheets(tmp_path / "absent.xlsx")


def broken(path: Path, part: str, content: Callable[[bytes], bytes]) -> None:
    """Rewrite one part of a workbook."""
    parts = {}
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    parts[part] = content(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, written in parts.items():
            archive.writestr(name, written)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
@pytest.mark.parametrize(
    "content", [lambda b: b[: len(b) // 2], lambda _: b"", lambda _: b"\x00\xff<", lambda b: b * 2]
)
def test_a_damaged_workbook_is_told_in_a_sentence(
    part: str, content: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = book(tmp_path / "a.xlsx")
    broken(path, part, content)
    with pytest.raises(InputError, match="must be a workbook that can be read, got an error"):
        read_sheets(path)


def test_every_cut_of_a_workbook_is_told(tmp_path: Path) -> None:
    whole = book(tmp_path / "a.xlsx").read_bytes()
    for share in range(1, 20):
        (tmp_path / "b.xlsx").write_bytes(whole[: len(whole) * share // 20])
        with pytest.raises(InputError, match="must be a workbook that can be read"):
            read_sheets(tmp_path / "b.xlsx")
    for place in range(0, len(whole), max(1, len(whole) // 200)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        (tmp_path / "b.xlsx").write_bytes(bytes(spoilt))
        try:
            read_sheets(tmp_path / "b.xlsx")
        except InputError:
            continue


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "a.xlsx")
    broken(path, "xl/worksheets/sheet1.xml", lambda b: b + b" " * 200_000)
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 100_000)
    with pytest.raises(InputError, match="a workbook must unpack to at most 0 MB, got 0 MB; delet"):
        read_sheets(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert len(path.read_bytes()) < sum(each.file_size for each in archive.infolist()) / 10
