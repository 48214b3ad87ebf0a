"""The workbook as readers that never calculate see it: text, values, names, structure."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import pytest
from tests.evalfolio.export.made import json_of, made, telling

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.export import write_workbook
from evalfolio.recommendations.recommendation import Recommendation

SHEETS = [
    *("Summary", "Mix", "Domains", "Frontier", "Sensitivity", "Assumptions", "Menu", "Provenance"),
    "Names",
]
HIDDEN = ["Plans", "Options", "Readings", "Calculation"]


@pytest.fixture(scope="module")
def path(recommendation: Recommendation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workbook(recommendation, tmp_path_factory.mktemp("book") / "plan.xlsx")


def named(book: Any, name: str) -> Any:
    ((sheet, address),) = book.defined_names[name].destinations
    return book[sheet][address].value


def test_sheets_stand_in_reading_order_and_helpers_are_hidden(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    assert [s.title for s in book if s.sheet_state == "visible"] == SHEETS
    assert [s.title for s in book if s.sheet_state == "hidden"] == HIDDEN
    tables = set(SHEETS) - {"Summary", "Sensitivity"}  # the latter is not worked out here
    assert all(book[name].freeze_panes for name in tables)
    assert str(book["Sensitivity"]["A2"].value).startswith("Not worked out for this plan")


def test_names_hold_the_values_of_the_plan_without_calculating(
    path: Path, recommendation: Recommendation
) -> None:
    book, record = openpyxl.load_workbook(path, data_only=True), json_of(recommendation)
    value = record["value"]
    assert named(book, "plan_value") == pytest.approx(value["evsi"])
    assert named(book, "plan_bound") == pytest.approx(value["bound"])
    assert named(book, "plan_share") == pytest.approx(value["evsi"] / value["evpi"])
    assert named(book, "budget_usd") == record["budget"]["usd"]
    for resource, used in record["spend"].items():
        assert named(book, f"mix_{resource}") == pytest.approx(used)
        assert named(book, f"your_{resource}") == pytest.approx(used)
    # The value of the typed mix is interpolated in a table, from the menu alone.
    assert named(book, "your_value") == pytest.approx(value["evsi"], rel=1e-4)
    assert named(book, "your_check") == "Within every budget."


def test_totals_and_shares_are_formulas_with_their_values(path: Path) -> None:
    formulas = openpyxl.load_workbook(path)
    values = openpyxl.load_workbook(path, data_only=True)
    cells = [
        (sheet.title, cell.coordinate)
        for sheet in formulas
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert len(cells) > 200
    for sheet, address in cells:
        assert values[sheet][address].value is not None or sheet == "Mix", (sheet, address)


def test_tables_have_names_and_cover_their_rows(path: Path, recommendation: Recommendation) -> None:
    book = openpyxl.load_workbook(path)
    tables = {table.name: table for sheet in book for table in sheet.tables.values()}
    assert set(tables) == {
        *("mix", "domains", "frontier", "assumptions", "menu", "provenance", "names")
    }
    first, last = tables["menu"].ref.split(":")
    height = book["Menu"][last].row - book["Menu"][first].row
    assert height == len(recommendation.menu)


def test_text_of_any_kind_stays_text(nasty: Recommendation, tmp_path: Path) -> None:
    path = write_workbook(nasty, tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(path)
    texts = {
        cell.value: cell.data_type for row in book["Menu"].iter_rows(min_row=11) for cell in row
    }
    for name in nasty.menu.options["eval"]:
        assert texts[name] == "s"
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.hyperlink is None
                if cell.data_type == "f" and isinstance(cell.value, str):
                    assert "cmd" not in cell.value


def test_structure_is_sound_and_points_nowhere_else(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert not [name for name in names if "externalLink" in name or "vbaProject" in name]
        kinds = ElementTree.fromstring(archive.read("[Content_Types].xml"))
        declared = {part.attrib.get("PartName", "").lstrip("/") for part in kinds}
        defaults = {part.attrib.get("Extension") for part in kinds} - {None}
        for name in names:
            ElementTree.fromstring(archive.read(name))  # well-formed
            assert name in declared or name.rpartition(".")[2] in defaults
            if name.endswith(".rels"):
                folder = Path(name).parent.parent
                for relation in ElementTree.fromstring(archive.read(name)):
                    assert relation.attrib.get("TargetMode") != "External"
                    target = relation.attrib["Target"]
                    spot = Path(target[1:]) if target.startswith("/") else folder / target
                    parts: list[str] = []
                    for part in spot.parts:
                        parts = parts[:-1] if part == ".." else [*parts, part]
                    assert "/".join(parts) in names


@pytest.mark.parametrize("which", ["recommendation", "swept", "nasty", "pointed"])
def test_office_opens_it_without_repairing_anything(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    audit = pytest.importorskip("openxml_audit", reason="needs the extra `test`")
    path = write_workbook(request.getfixturevalue(which), tmp_path / "plan.xlsx")
    found = audit.OpenXmlValidator(file_format=audit.FileFormat.OFFICE_2019).validate(str(path))
    assert [str(error) for error in found.errors] == []
    # The same audit sees what Office would repair: an element no sheet may have.
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as torn:
        for name in whole.namelist():
            part = whole.read(name)
            if name == "xl/worksheets/sheet1.xml":
                part = part.replace(b"<sheetData>", b"<sheetDate/><sheetData>")
            torn.writestr(name, part)
    assert audit.OpenXmlValidator().validate(str(broken)).errors


def test_the_sensitivity_is_a_table_with_its_swings(swept: Recommendation, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_workbook(swept, tmp_path / "plan.xlsx"), data_only=True)
    sheet = book["Sensitivity"]
    first, last = sheet.tables["sensitivity"].ref.split(":")
    rows = list(sheet.iter_rows(sheet[first].row + 1, sheet[last].row, values_only=True))
    told = {row["name"]: row for row in json_of(swept)["sensitivity"]}
    base = named(book, "sensitivity_base")
    assert base == pytest.approx(json_of(swept)["value"]["evsi"])
    assert {row[0] for row in rows} == set(told)
    for name, low, high, at_low, at_high, change_low, change_high, swing, *_ in rows:
        row = told[name]
        assert (low, high) == (row["low"], row["high"])
        assert (at_low, at_high) == pytest.approx((row["value_low"], row["value_high"]))
        assert (change_low, change_high) == pytest.approx((at_low - base, at_high - base))
        assert swing == pytest.approx(max(at_low, at_high, base) - min(at_low, at_high, base))
    assert [row[7] for row in rows] == sorted((row[7] for row in rows), reverse=True)


def test_no_number_below_0_loses_its_sign_to_a_format(tmp_path: Path) -> None:
    # Some programs write a number without its sign where its section has a condition, or is what
    # conditions leave.
    record = json_of(made(swept=True))
    record["sensitivity"][0]["low"] = -1.0
    recommendation = telling(made(swept=True), record)
    book = openpyxl.load_workbook(write_workbook(recommendation, tmp_path / "plan.xlsx"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    below = [c for c in cells if isinstance(c.value, int | float) and c.value < 0]
    assert below
    (left,) = [row[4] for row in book["Summary"].iter_rows(min_row=10) if row[0].value == "USD"]
    assert not [c.coordinate for c in (*below, left) if "[" in c.number_format]


def test_what_is_long_is_shown_whole(path: Path, recommendation: Recommendation) -> None:
    book = openpyxl.load_workbook(path)
    width = book["Menu"].column_dimensions["B"].width
    assert width >= max(map(len, recommendation.menu.options.index))
    sheet = book["Provenance"]
    for cells in sheet.iter_rows(min_row=5):
        lines = len(str(cells[1].value)) / sheet.column_dimensions["B"].width
        assert (sheet.row_dimensions[cells[0].row].height or 15) >= 15 * lines


def test_the_input_cells_are_validated(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    (budget,) = book["Summary"].data_validations.dataValidation
    assert (budget.type, budget.operator, budget.formula1) == ("decimal", "greaterThanOrEqual", "0")
    (typed,) = book["Menu"].data_validations.dataValidation
    assert (typed.type, typed.formula1, typed.formula2) == ("whole", "0", "1")


def test_values_in_points_are_no_money(pointed: Recommendation, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_workbook(pointed, tmp_path / "plan.xlsx"))
    ((_, address),) = book.defined_names["plan_value"].destinations
    assert "$" not in book["Summary"][address.replace("$", "")].number_format


def test_a_place_that_cannot_be_written_to_is_refused(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be a file that can be written"):
        write_workbook(recommendation, tmp_path / "file" / "plan.xlsx")


def with_states(menu: Menu, n_states: int) -> Menu:
    """Return the menu with further states that nothing reads and no decision is about."""
    extra = n_states - len(menu.states)
    wide = ((0, extra),)
    prior = np.eye(n_states)
    prior[:-extra, :-extra] = menu.prior_covariance
    return dataclasses.replace(
        menu,
        states=(*menu.states, *(f"extra{i}" for i in range(extra))),
        information=np.pad(menu.information, ((0, 0), *wide, *wide)),
        prior_mean=np.pad(menu.prior_mean, wide),
        prior_covariance=prior,
        decisions=tuple(
            dataclasses.replace(d, contrast=np.pad(d.contrast, wide)) for d in menu.decisions
        ),
    )


def test_sixty_states_and_four_hundred_options_are_live_in_a_small_file(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    menu = with_states(recommendation.menu, 60)
    rng, n = np.random.default_rng(0), 400 - len(menu)
    reads = rng.normal(size=(n, 2, 60))
    more = menu.options.iloc[rng.integers(len(menu), size=n)].copy()
    more.index = pd.Index([f"more {i}" for i in range(n)], name="option")
    larger = dataclasses.replace(
        menu,
        options=pd.concat([menu.options, more]),
        information=np.concatenate([menu.information, np.einsum("ori,orj->oij", reads, reads)]),
    )
    path = write_workbook(dataclasses.replace(recommendation, menu=larger), tmp_path / "p.xlsx")
    assert path.stat().st_size < 5e6
    book = openpyxl.load_workbook(path, data_only=True)
    assert "Readings" in book.sheetnames
    assert named(book, "your_value") == pytest.approx(recommendation.record.value.evsi, rel=1e-3)


def test_every_name_is_told_with_its_meaning_and_place(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    told = {row[0]: row[1:3] for row in book["Names"].iter_rows(min_row=5, values_only=True)}
    names = {name for name in book.defined_names if not name.startswith("_")}
    assert set(told) == names
    for name, (meaning, place) in told.items():
        ((sheet, address),) = book.defined_names[name].destinations
        assert f"{sheet}!{address}".replace("$", "") == place
        assert len(meaning.split()) >= 3
    assert told["mix_staff_hours"][0] == "use by the mix shown of Staff hours"
    assert told["shown_missed_1"][0].startswith("chance of danger missed in ")


def test_printed_sheets_repeat_their_heads_and_fit_their_width(path: Path) -> None:
    for sheet in openpyxl.load_workbook(path):
        if sheet.sheet_state != "visible":
            continue
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        if sheet.tables:
            assert sheet.print_title_rows, sheet.title
            assert sheet.print_area, sheet.title


def test_a_model_of_very_many_states_is_sent_to_the_score(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    larger = with_states(recommendation.menu, 121)
    path = write_workbook(dataclasses.replace(recommendation, menu=larger), tmp_path / "p.xlsx")
    book = openpyxl.load_workbook(path, data_only=True)
    assert named(book, "your_value") == "run `evalfolio score` (too large for a sheet)"
    assert "Calculation" not in book.sheetnames
    assert named(book, "your_usd") == pytest.approx(recommendation.record.spend["usd"])


def test_a_chance_beside_its_rule_is_seen_on_its_side(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    record = json_of(recommendation)
    for domain, chance in zip(record["domains"], (0.0995, 0.1047), strict=False):
        domain.update(p_exceeds=chance, mitigate_above=0.1)
    beside = telling(recommendation, record)
    book = openpyxl.load_workbook(write_workbook(beside, tmp_path / "plan.xlsx"))
    sheet = book["Domains"]
    assert [sheet.cell(row, 3).number_format for row in (5, 6)] == ["0.00%", "0.0%"]
    summary = [[cell.value for cell in row] for row in book["Summary"].iter_rows()]
    heads = next(r for r, row in enumerate(summary) if row[0] == "Decision")
    below = [book["Summary"].cell(heads + 2 + d, 3).number_format for d in range(2)]
    assert below == ["0.00%", "0.0%"]
