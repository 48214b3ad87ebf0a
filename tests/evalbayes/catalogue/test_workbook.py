import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from evalbayes.catalogue import (
    Catalogue,
    catalogue_to_toml,
    catalogue_to_workbook,
    parse_catalogue,
    read_catalogue,
    toml_template,
    write_template,
)
from evalbayes.catalogue.writing import commented, explanations
from evalbayes.errors import InputError
from evalbayes.inputs import check_covered

Sheets = dict[str, list[list[Any]]]

GOOD: Sheets = {
    "portfolio": [["key", "value", "meaning"], ["ai_model", "Model A", "under test"], [None] * 3],
    "budget": [
        [
            "usd",
            "staff_hours.bio",
            "staff_hours.cyber",
            "contingency.usd",
            "contingency.staff_hours",
        ],
        [5000, 10, 20, 0.2, 0.05],
    ],
    "Domain": [
        ["name", "threshold_low", "threshold_high", "weight"],
        ["cyber", 8, 9.5, 2],
        [None, None, None, None],
        ["bio", None, None, None],
    ],
    "eval": [
        ["name", "loadings.cyber", "loadings.bio", "tasks", "usd_per_run", "mandatory"],
        ["ctf", 0.8, 0.2, 2, 30, True],
        ["lab", None, 1, 5, 30, 0],
    ],
    "task_names": [["eval", "task"], ["ctf", "one"], ["ctf", "two"]],
    "Notes on sources": [["anything", "at all"]],
}
GOOD["Domain"][3] = ["bio", 9, 9, None]


def book(path: Path, sheets: Sheets) -> Path:
    """Write sheets of cells to a workbook."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_a_workbook_is_read_like_toml(tmp_path: Path) -> None:
    read = read_catalogue(book(tmp_path / "c.xlsx", GOOD))
    same = parse_catalogue(
        tomllib.loads(
            """
            [portfolio]
            ai_model = "Model A"
            [budget]
            usd = 5000
            staff_hours = {bio = 10, cyber = 20}
            contingency = {usd = 0.2, staff_hours = 0.05}
            [[domain]]
            name = "cyber"
            threshold = [8, 9.5]
            weight = 2
            [[domain]]
            name = "bio"
            threshold = 9
            [[eval]]
            name = "ctf"
            loadings = {cyber = 0.8, bio = 0.2}
            tasks = 2
            task_names = ["one", "two"]
            usd_per_run = 30
            mandatory = true
            [[eval]]
            name = "lab"
            domain = "bio"
            tasks = 5
            usd_per_run = 30
            """
        )
    )
    assert read == same
    assert read.hash == same.hash


MISTAKES: list[tuple[str, list[list[Any]], str]] = [
    ("evals", [["name"]], "every sheet must be a known one, got 'evals'; did you mean 'eval'"),
    ("eval", [["name", "taks"], ["a", 3]], r"c.xlsx: sheet 'eval' row 2 \(eval 'a'\): every key"),
    ("eval", [["tasks"], [3]], "c.xlsx: sheet 'eval' row 2: domain must be given, got nothing"),
    ("eval", [["name", "name"], ["a", "b"]], "must have different names, got 'name' twice"),
    ("eval", [["name", None], ["a", 4]], "row 2: every filled cell must have a column name above"),
    (
        "eval",
        [["name", "plateau_low"], ["a", 0.2]],
        r"\(eval 'a'\): an interval must have both ends, got plateau_low without plateau_high",
    ),
    (
        "eval",
        [["name", "plateau_low", "plateau_high", "plateau"], ["a", 0.2, 0.3, 0.3]],
        "plateau must be given in one way, got plateau and plateau_low; empty one of them",
    ),
    (
        "eval",
        [["name", "staff_hours", "staff_hours.bio"], ["a", 3, 3]],
        "staff_hours must be given in one way, got staff_hours and staff_hours.bio",
    ),
    (
        "eval",
        [["name", "staff_hours.bio", "staff_hours"], ["a", 3, 3]],
        "staff_hours must be given in one way, got staff_hours and staff_hours. ...",
    ),
    ("eval", [["name", "tasks"], ["a", "=1+"]], "cell B2: a formula must have a computed value"),
    ("budget", [["usd"], [1], [2]], "must have one row under its header, or columns key and value"),
    ("budget", [["key", "value"], ["usd", 1], ["usd", 2]], "row 3: usd must be given once"),
    ("budget", [["key", "value"], [None, 1]], "row 2: key must be a name, got None; fill it in"),
    ("budget", [["key", "value"], ["usdd", 1]], "sheet 'budget': every key must be a known one"),
    ("task_names", [["eval", "task"], ["cft", "x"]], "every eval must be a known one, got 'cft'"),
    ("task_names", [["eval", "task"], ["ctf", None]], "columns eval and task must be filled in"),
    ("domain", [["name", "threshold"], ["x", "9"]], "threshold must be a number, got the text '9'"),
]


@pytest.mark.parametrize(("name", "rows", "message"), MISTAKES)
def test_a_mistake_in_a_sheet_is_refused_with_its_row(
    name: str, rows: list[list[Any]], message: str, tmp_path: Path
) -> None:
    dropped = (name, "task_names" if name == "eval" else name)
    sheets = {key: value for key, value in GOOD.items() if key.lower() not in dropped}
    with pytest.raises(InputError, match=message):
        read_catalogue(book(tmp_path / "c.xlsx", {**sheets, name: rows}))


def test_the_template_passes_the_check_in_both_forms(tmp_path: Path) -> None:
    text, sheets = (
        read_catalogue(write_template(tmp_path / f"catalogue.{ending}"))
        for ending in ("toml", "xlsx")
    )
    check_covered(text, None)
    check_covered(sheets, None)
    assert (
        text.hash == sheets.hash == parse_catalogue(tomllib.loads(toml_template()), "template").hash
    )  # assumptions too


def test_the_template_explains_every_key_it_has() -> None:
    said = explanations(toml_template())
    data = tomllib.loads(toml_template())
    keys = {key for table in ("domain", "eval") for row in data[table] for key in row}
    keys |= set(data["portfolio"]) | set(data["budget"]) | set(data["eval_defaults"])
    assert keys - set(said) <= {"threshold", "difficulty"}


def test_the_workbook_template_carries_the_explanations(tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(write_template(tmp_path / "catalogue.xlsx"))
    header = next(workbook["eval"].iter_rows(max_row=1))
    said = {cell.value: cell.comment.text for cell in header if cell.comment}
    assert said["tasks"] == explanations(toml_template())["tasks"]
    assert len(said) >= 20


def test_tables_that_may_be_left_out_stand_in_the_template_and_are_right(tmp_path: Path) -> None:
    data, more = tomllib.loads(toml_template()), commented(toml_template())
    for key in ("threshold_human_time", "mitigate_above", "weight"):
        del data["domain"][0][key]  # cyber has levels then
    catalogue = parse_catalogue(data | more)
    names = [each.name for each in catalogue.decisions]
    assert names == ["cyber, High", "cyber, Critical", "persuasion", "secure the weights"]
    workbook = openpyxl.load_workbook(write_template(tmp_path / "catalogue.xlsx"))
    heads = [cell.value for cell in workbook["decision"][1]]
    assert heads[:3] == ["name", "weights.cyber", "weights.persuasion"]
    assert workbook["level"].max_row == 1


def figures(catalogue: Catalogue) -> tuple[object, ...]:
    """Return what a catalogue says, without where a figure comes from."""
    return catalogue.portfolio, catalogue.budget, catalogue.domains, catalogue.evals


def test_toml_and_workbook_say_the_same_after_a_round_trip(tmp_path: Path) -> None:
    usd = parse_catalogue(
        {
            "domain": [
                {"name": "x", "threshold": [1, 2], "loss_missed": 4e6, "loss_false_alarm": 1e6}
            ],
            "budget": {"staff_hours": {"x": 3.5}},
            "eval": [
                {"name": 'a "b"', "domain": "x", "task_names": ["1", "ü"], "notes": "from\nhome"}
            ],
        }
    )
    template = parse_catalogue(tomllib.loads(toml_template()), "template")
    for catalogue in (usd, template, read_catalogue(book(tmp_path / "c.xlsx", GOOD))):
        again = parse_catalogue(tomllib.loads(catalogue_to_toml(catalogue)))
        assert figures(again) == figures(catalogue)
        (tmp_path / "again.xlsx").write_bytes(catalogue_to_workbook(catalogue))
        assert figures(read_catalogue(tmp_path / "again.xlsx")) == figures(catalogue)


def test_the_example_is_the_same_as_a_workbook(tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "examples" / "cyber" / "catalogue.toml"
    catalogue = read_catalogue(example)
    (tmp_path / "c.xlsx").write_bytes(catalogue_to_workbook(catalogue))
    again = read_catalogue(tmp_path / "c.xlsx")
    assert again.evals == catalogue.evals
    for ours, theirs in zip(catalogue.domains, again.domains, strict=True):
        assert ours.threshold is not None
        assert theirs.threshold is not None
        # A workbook keeps 16 digits, one fewer than a logarithm may need.
        assert theirs.threshold.mid == pytest.approx(ours.threshold.mid, rel=1e-14)
        assert theirs.model_copy(update={"threshold": ours.threshold}) == ours


def test_own_columns_and_sheets_are_passed_over_and_said_and_yes_and_no_are_read(
    tmp_path: Path,
) -> None:
    sheets = dict(GOOD)
    sheets["eval"] = [
        [*GOOD["eval"][0], "owner", "Jira"],
        [*GOOD["eval"][1][:-1], "yes", "Ann", "X-1"],
        [*GOOD["eval"][2][:-1], "No", None, "X-2"],
    ]
    sheets["Contacts"] = [["who", "where"], ["Ann", "room 3"]]
    sheets["Limits 2026"] = [["draft"]]
    found = read_catalogue(book(tmp_path / "c.xlsx", sheets))
    assert [each.mandatory for each in found.evals] == [True, False]
    assert found.evals == read_catalogue(book(tmp_path / "plain.xlsx", GOOD)).evals
    assert "c.xlsx: passed over: sheets of your own: Contacts, Limits 2026" in found.notes
    assert "c.xlsx: sheet 'eval': owner, Jira passed over: columns of your own" in found.notes


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    sheets = {name: rows for name, rows in GOOD.items() if name != "task_names"}
    sheets["budget"] = [["usd"], [-5]]
    sheets["Domain"] = [["name", "threshold", "weight"], ["cyber", 8, -2], ["bio", "far", 1]]
    sheets["eval"] = [["name", "domain", "tasks", "taks"], ["a", "cyber", 3, 4]]
    with pytest.raises(InputError) as caught:
        read_catalogue(book(tmp_path / "c.xlsx", sheets))
    said = str(caught.value)
    assert said.startswith("4 mistakes: (1) ")
    for words in ("usd must", "weight must", "threshold must", "every key must be a known one"):
        assert words in said
    rows: list[list[Any]] = [["name", "domain", "tasks"], ["a", "cyber", -3], ["b", "cybr", 3]]
    with pytest.raises(InputError, match=r"^2 mistakes: .*tasks must.*cybr"):
        read_catalogue(book(tmp_path / "d.xlsx", {"domain": GOOD["Domain"], "eval": rows}))


def test_the_template_has_lists_to_choose_from_and_comments_in_words_of_a_sheet(
    tmp_path: Path,
) -> None:
    path = write_template(tmp_path / "template.xlsx")
    workbook = openpyxl.load_workbook(path)
    assert {"ai_model", "limit", "decision", "level", "elicitation"} <= set(workbook.sheetnames)
    for name in workbook.sheetnames:
        for cell in workbook[name][1]:
            said = "" if cell.comment is None else cell.comment.text
            assert not set("{}[]=") & set(said), (name, cell.value, said)
            assert "true" not in said.split()
    evals = workbook["eval"]
    heads = {cell.value: cell.column_letter for cell in evals[1]}
    lists = {
        str(each.sqref).split(":")[0]: each.formula1
        for each in evals.data_validations.dataValidation
    }
    assert lists[f"{heads['domain']}2"] == "domain!$A$2:$A$200"
    assert lists[f"{heads['verifier']}2"] == '"yes,no"'
    own = parse_catalogue(tomllib.loads(toml_template()))
    assert [each.name for each in read_catalogue(path).evals] == [each.name for each in own.evals]
