"""LibreOffice recalculates the workbook: no error cell, the same figures, and it follows edits."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.evalfolio.export.made import json_of
from tests.evalfolio.value.skew.menus import skewed_menu
from tests.evalfolio.value.skew.test_calls import joint

import evalfolio as ef
from evalbayes import Menu, SharedPurchase
from evalbayes.arrays import Array
from evalbayes.menu import Tariff
from evalfolio.examples import sharing_menu
from evalfolio.export import write_workbook
from evalfolio.plans.evaluation import evaluate
from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.search.certified import Certified
from evalfolio.value.known import known
from evalfolio.value.skew.stand_in import mixes

Edits = Mapping[tuple[str, str], float | str | None]
Recalculate = Callable[[Path, Edits], Any]

slow = pytest.mark.slow  # a few seconds of LibreOffice each
pytestmark = pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed"
)


@pytest.fixture(scope="module")
def recalculate(tmp_path_factory: pytest.TempPathFactory) -> Recalculate:
    """Return a function that edits cells, drops all computed values and calculates anew."""
    profile = tmp_path_factory.mktemp("profile")

    def run(path: Path, edits: Edits) -> Any:
        folder = tmp_path_factory.mktemp("recalculated")
        book = openpyxl.load_workbook(path)
        for (sheet, address), value in edits.items():
            book[sheet][address] = value
        book.save(folder / "edited.xlsx")  # openpyxl writes formulas without their values
        command = ["soffice", "--headless", f"-env:UserInstallation={profile.as_uri()}"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir"]
        command += [str(folder / "out"), str(folder / "edited.xlsx")]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        return openpyxl.load_workbook(folder / "out" / "edited.xlsx", data_only=True)

    return run


def named(book: Any, name: str) -> Any:
    ((sheet, address),) = book.defined_names[name].destinations
    return book[sheet.strip("'")][address].value


def address_of(path: Path, name: str) -> tuple[str, str]:
    ((sheet, address),) = openpyxl.load_workbook(path).defined_names[name].destinations
    return sheet, address.replace("$", "")


def told_as_scored(book: Any, menu: Menu, x: Array) -> None:
    for d, decision in enumerate(menu.decisions, start=1):
        told = known(menu, decision).outcome(x)
        exact = {"value": told.value, "missed": told.p_missed, "needless": told.p_needless}
        cells = {stem: named(book, f"typed_{stem}_{d}") for stem in exact}
        assert cells == pytest.approx(exact, rel=1e-2, abs=1e-4)


def differences(path: Path, calculated: Any) -> list[str]:
    found = []
    for sheet in openpyxl.load_workbook(path, data_only=True):
        for row in sheet.iter_rows():
            for cell in row:
                new = calculated[sheet.title][cell.coordinate].value
                if isinstance(new, str) and new.startswith(("#", "Err:")):
                    found.append(f"{sheet.title}!{cell.coordinate}: {new}")
                elif isinstance(new, int | float) and isinstance(cell.value, int | float):
                    if not math.isclose(new, cell.value, rel_tol=1e-7, abs_tol=1e-9):
                        found.append(f"{sheet.title}!{cell.coordinate}: {cell.value} -> {new}")
                elif (new or None) != (cell.value or None):
                    found.append(f"{sheet.title}!{cell.coordinate}: {cell.value!r} -> {new!r}")
    return found


@pytest.mark.parametrize(
    "which",
    ["swept", *(pytest.param(w, marks=slow) for w in ("recommendation", "nasty", "pointed"))],
)
def test_no_error_cell_and_every_value_is_the_one_written(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, recalculate: Recalculate
) -> None:
    path = write_workbook(request.getfixturevalue(which), tmp_path / "plan.xlsx")
    assert differences(path, recalculate(path, {})) == []


def test_a_typed_mix_is_costed_and_valued(
    recommendation: Recommendation, tmp_path: Path, recalculate: Recalculate, worth: Any
) -> None:
    path = write_workbook(recommendation, tmp_path / "plan.xlsx")
    options = recommendation.menu.options
    mine = ["cybench max-elicitation", "hcast plateau", "swaa sweet-spot"]
    edits = {("Menu", f"A{11 + i}"): int(name in mine) for i, name in enumerate(options.index)}
    book = recalculate(path, edits)
    value = named(book, "your_value")
    assert value == pytest.approx(worth(recommendation).value(mine), rel=1e-3)
    assert value == pytest.approx(evaluate(recommendation.menu, mine).value, rel=1e-3)
    for resource in recommendation.menu.resources:
        expected = options.loc[mine, resource].sum()
        assert named(book, f"your_{resource}") == pytest.approx(expected)
    # What is typed changes nothing of the plan.
    assert named(book, "plan_value") == pytest.approx(json_of(recommendation)["value"]["evsi"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["hcast plateau", "hcast sweet-spot"], "Two options of one eval: keep one."),
        pytest.param(["mle_bench max-elicitation"], "Over a budget: see Summary.", marks=slow),
    ],
)
def test_a_typed_mix_that_cannot_be_run_is_told(
    recommendation: Recommendation,
    tmp_path: Path,
    recalculate: Recalculate,
    typed: list[str],
    said: str,
) -> None:
    path = write_workbook(recommendation, tmp_path / "plan.xlsx")
    index = recommendation.menu.options.index
    edits = {("Menu", f"A{11 + i}"): 1 if name in typed else None for i, name in enumerate(index)}
    book = recalculate(path, edits)
    assert named(book, "your_check") == said
    assert named(book, "your_value") > 0


@pytest.mark.parametrize(
    ("position", "above"),
    [(4, 0.0), pytest.param(0, 2.0, marks=slow), pytest.param(-1, 1e6, marks=slow)],
)
def test_another_budget_looks_up_the_certified_plan_not_above_it(
    swept: Recommendation,
    tmp_path: Path,
    recalculate: Recalculate,
    worth: Any,
    position: int,
    above: float,
) -> None:
    path = write_workbook(swept, tmp_path / "plan.xlsx")
    point = sorted(json_of(swept)["frontier"], key=lambda p: p["usd"])[position]
    book = recalculate(path, {address_of(path, "budget_usd"): point["usd"] + above})
    options = swept.menu.options.loc[point["options"]]
    assert named(book, "plan_value") == pytest.approx(point["value"])
    assert named(book, "plan_bound") == pytest.approx(point["bound"])
    parts = [named(book, f"shown_value_{d + 1}") for d in range(len(swept.menu.decisions))]
    assert sum(parts) == pytest.approx(worth(swept).value(point["options"]), rel=1e-6)
    for resource in swept.menu.resources:
        assert named(book, f"mix_{resource}") == pytest.approx(options[resource].sum())
    shown = {row[1].value for row in book["Mix"].iter_rows(min_row=7) if row[1].value}
    assert shown == set(options["eval"])
    # Headline, and both wrong calls beside the decisions, are those of the mix shown.
    if len(options):
        assert book["Summary"]["A3"].value.startswith(f"Run {len(options)} eval")
    summary = [[cell.value for cell in row] for row in book["Summary"].iter_rows(max_col=7)]
    head = next(i for i, row in enumerate(summary) if row[0] == "Decision")
    for d, decision in enumerate(swept.menu.decisions):
        row = summary[head + 1 + d]
        assert row[0] == decision.name
        outcome = known(swept.menu, decision).outcome(
            swept.menu.options.index.isin(point["options"]).astype(float)
        )
        assert row[4] == pytest.approx(outcome.p_missed, abs=1e-9)
        assert row[6] == pytest.approx(outcome.p_needless, abs=1e-9)
    said = [cell.value for cell in book["Summary"][6] if isinstance(cell.value, str)]
    assert any(text.startswith("Beyond the budgets computed") for text in said) == (above > 1e5)
    by_domain = {
        row[0].value: row[4].value
        for row in book["Summary"].iter_rows()
        if row[0].value in ("cyber", "autonomy")  # the last block of that name is the money
    }
    for domain, total in by_domain.items():
        assert total == pytest.approx(options.loc[options["domain"] == domain, "usd"].sum())
    usd = options["usd"].sum()
    shares = [row[15].value for row in book["Mix"].iter_rows(min_row=7) if row[1].value]
    assert sum(shares) == pytest.approx(1.0 if usd else 0.0)


@pytest.mark.parametrize("changed", ["price", pytest.param("share kept back", marks=slow)])
def test_a_plan_that_no_longer_fits_its_budgets_says_so(
    swept: Recommendation, tmp_path: Path, recalculate: Recalculate, changed: str
) -> None:
    path = write_workbook(swept, tmp_path / "plan.xlsx")
    usd: dict[str, float] = swept.menu.options["usd"].to_dict()  # type: ignore[assignment]
    chosen = [row["option"] for row in json_of(swept)["choices"]]
    before, budget = sum(usd[name] for name in chosen), json_of(swept)["budget"]["usd"]
    kept, added = json_of(swept)["money"]["contingency"], budget
    if changed == "price":
        sheet = openpyxl.load_workbook(path)["Menu"]
        (column,) = [cell.column_letter for cell in sheet[10] if cell.value == "USD expected"]
        place = ("Menu", f"{column}{11 + list(usd).index(chosen[0])}")
        edits: Edits = {place: usd[chosen[0]] + added}
    else:
        kept, added = 1 - 0.9 * before / budget, 0.0
        edits = {address_of(path, "contingency"): kept}
    book = recalculate(path, edits)
    said = [cell.value for cell in book["Summary"][6] if isinstance(cell.value, str)]
    assert any(text.startswith("This mix exceeds its budgets since prices") for text in said)
    assert named(book, "your_check") == "Over a budget: see Summary."
    spent = before + added
    assert named(book, "mix_usd") == pytest.approx(spent)
    rows = book["Summary"].iter_rows(min_row=10, values_only=True)
    (left,) = [row[4] for row in rows if row[0] == "USD"]
    assert left == pytest.approx(budget * (1 - kept) - spent)
    assert left < 0


def test_a_budget_below_the_frontier_shows_no_mix_and_says_so(
    swept: Recommendation, tmp_path: Path, recalculate: Recalculate
) -> None:
    path = write_workbook(swept, tmp_path / "plan.xlsx")
    book = recalculate(path, {address_of(path, "budget_usd"): 0.25})
    assert named(book, "plan_row") == 0
    assert named(book, "plan_value") == 0
    assert named(book, "mix_usd") == 0
    said = [cell.value for cell in book["Summary"][6] if isinstance(cell.value, str)]
    assert any(text.startswith("No certified plan for so little") for text in said)
    assert not [
        text
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for text in row
        if isinstance(text, str) and text.startswith(("#", "Err:"))
    ]


@pytest.mark.parametrize("place", [0.35, pytest.param(0.8, marks=slow)])
def test_the_budget_cell_gives_the_certified_plan_for_that_budget(
    real: Recommendation, tmp_path: Path, recalculate: Recalculate, place: float
) -> None:
    from evalfolio.plans.optimiser import answer
    from evalfolio.recommendations.recommender import question_of

    path = write_workbook(real, tmp_path / "plan.xlsx")
    points = sorted(json_of(real)["frontier"], key=lambda point: point["usd"])
    position = round(place * (len(points) - 2))
    point, after = points[position], points[position + 1]
    typed = 0.6 * point["usd"] + 0.4 * after["usd"]
    book = recalculate(path, {address_of(path, "budget_usd"): typed})
    asked = question_of(real.catalogue, real.menu, budget={"usd": point["usd"]})
    mix = evaluate(real.menu, point["options"])
    # Mixes within the gap of one another are as good: which of them is found is the search's.
    assert mix.value == pytest.approx(answer(asked, Certified(gap=1e-4)).value, rel=2e-3)
    shown = {row[1].value for row in book["Mix"].iter_rows(min_row=7) if row[1].value}
    assert shown == set(real.menu.options.loc[list(point["options"]), "eval"]) != set()
    for resource, used in mix.spend.items():
        assert named(book, f"mix_{resource}") == pytest.approx(used)
    assert named(book, "plan_value") == pytest.approx(mix.value, rel=1e-6)
    parts = [named(book, f"shown_value_{d + 1}") for d in range(len(real.menu.decisions))]
    assert sum(parts) == pytest.approx(mix.value, rel=1e-6)


@slow
def test_a_typed_mix_is_worth_what_score_says(
    real: Recommendation, tmp_path: Path, recalculate: Recalculate
) -> None:
    from evalfolio.export import write_all
    from evalfolio.plans.judge import score_mix

    folder = write_all(real, tmp_path / "plan")
    index = real.menu.options.index
    mine = real.menu.options.groupby("eval").head(1).index.tolist()[:2]
    (tmp_path / "mine.csv").write_text("option\n" + "\n".join(mine) + "\n")
    edits = {("Menu", f"A{11 + i}"): int(name in mine) for i, name in enumerate(index)}
    book = recalculate(folder / "plan.xlsx", edits)
    scored = score_mix(tmp_path / "mine.csv", folder).evaluation
    assert named(book, "your_value") == pytest.approx(scored.value, rel=1e-2)
    told_as_scored(book, real.menu, index.isin(mine).astype(float))
    for resource, used in scored.spend.items():
        assert named(book, f"your_{resource}") == pytest.approx(used)


@slow
def test_several_domains_are_worth_what_score_says(
    tmp_path: Path, recalculate: Recalculate
) -> None:
    menu = joint(skewed_menu(4, 7), mitigate_above=0.05)
    path = ef.optimise(menu, budget={"usd": 100.0}).to_excel(tmp_path / "plan.xlsx")
    for x in mixes(menu, 60, seed=9)[20:60:8]:
        book = recalculate(path, {("Menu", f"A{11 + i}"): int(on) for i, on in enumerate(x)})
        told_as_scored(book, menu, x)


def test_a_real_plan_has_no_error_cell(
    real: Recommendation, tmp_path: Path, recalculate: Recalculate
) -> None:
    path = write_workbook(real, tmp_path / "plan.xlsx")
    assert differences(path, recalculate(path, {})) == []


def test_shared_purchases_are_live_counted_once_and_priced_where_they_stand(
    tmp_path: Path, recalculate: Recalculate
) -> None:
    menu = sharing_menu()
    plan = ef.optimise(menu, budget={"usd": 18_000.0, "staff_hours": 98.0}, gap=1e-4)
    assert set(plan.chosen) == {"a max", "b max", "c plateau"}
    path = plan.to_excel(tmp_path / "plan.xlsx")
    book = recalculate(path, {})
    assert differences(path, book) == []
    assert named(book, "mix_usd") == plan.spend["usd"]
    assert named(book, "mix_staff_hours") == plan.spend["staff_hours"]
    money = [book["Domains"].cell(5, column).value for column in range(1, 40)]
    assert 17_000.0 in money  # of cyber: both options and what only they could need
    for mine in (["a max"], ["a plateau"], ["a max", "b max"]):
        edits: dict[tuple[str, str], float | str | None] = {
            ("Menu", f"A{11 + i}"): int(name in mine) for i, name in enumerate(menu.options.index)
        }
        edits["Shared", "F5"] = 1_500.0  # typed over: 1,000 before
        book = recalculate(path, edits)
        dearer = 500.0 * any("max" in name for name in mine)
        assert named(book, "your_usd") == evaluate(menu, mine).spend["usd"] + dearer
        assert named(book, "your_staff_hours") == evaluate(menu, mine).spend["staff_hours"]
        assert named(book, "mix_usd") == plan.spend["usd"] + 500.0
        assert named(book, "your_value") == pytest.approx(evaluate(menu, mine).value, rel=1e-3)


def test_money_by_domain_adds_up_where_domains_share(
    tmp_path: Path, recalculate: Recalculate
) -> None:
    menu = sharing_menu()
    proxy = SharedPurchase("proxy", {"usd": 100.0}, ("a max", "c plateau"))
    plan = ef.optimise(
        replace(menu, shared=(*menu.shared, proxy)), budget={"usd": 18_100.0}, gap=1e-4
    )
    assert set(plan.chosen) == {"a max", "b max", "c plateau"}
    path = plan.to_excel(tmp_path / "plan.xlsx")
    book = recalculate(path, {})
    assert differences(path, book) == []
    rows = [[cell.value for cell in row] for row in book["Summary"].iter_rows(max_col=5)]
    head = next(i for i, row in enumerate(rows) if row[0] == "USD by domain")
    last = next(i for i, row in enumerate(rows) if row[0] == "shared more widely")
    total = rows[head].index("Total")
    assert rows[last][total] == 100.0
    assert sum(row[total] for row in rows[head + 1 : last + 1]) == plan.spend["usd"]


def test_prices_by_steps_are_live_and_those_of_score(
    tmp_path: Path, recalculate: Recalculate
) -> None:
    menu = sharing_menu()
    options = menu.options.assign(**{"units.lab": menu.options["usd"] / 2.0})
    resources = (*menu.resources, "units.lab")
    for steps, all_units in (
        (((3_000.0, 0.5), (6_000.0, 1.5)), False),
        (((3_000.0, 0.5), (6_000.0, 1.5)), True),
    ):
        lab = Tariff("units.lab", 2.0, steps, all_units, used=100.0)
        priced = replace(menu, options=options, resources=resources, tariffs=(lab,))
        plan = ef.optimise(priced, budget={"usd": 16_000.0, "staff_hours": 98.0}, gap=1e-4)
        path = plan.to_excel(tmp_path / "plan.xlsx")
        book = recalculate(path, {})
        assert differences(path, book) == []
        assert named(book, "mix_usd") == pytest.approx(plan.spend["usd"])
        for mine in (["a max"], ["a plateau"], ["a max", "b max", "c plateau"]):
            edits: dict[tuple[str, str], float | str | None] = {
                ("Menu", f"A{11 + i}"): int(name in mine) for i, name in enumerate(options.index)
            }
            spent = evaluate(priced, mine).spend
            assert named(recalculate(path, edits), "your_usd") == pytest.approx(spent["usd"])
            assert spent["usd"] != evaluate(menu, mine).spend["usd"] or mine == ["a plateau"]
