"""The first page: every figure on it is the record's, amounts agree, and it is one sheet of A4."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.evalfolio.export.made import json_of, telling
from tests.evalfolio.export.test_report import Reader

from evalfolio.export.report import report
from evalfolio.export.report.first import knee, not_covered, promised
from evalfolio.limits import Mandatory
from evalfolio.limits.table import kept
from evalfolio.recommendations.recommendation import Recommendation

NUMBER = re.compile(r"(?<![\w.])\d[\d,]*\.?\d*")


def page_of(made: Recommendation) -> str:
    found = re.search(r"<header.*?</header>", report(made), flags=re.S)
    assert found is not None
    return found[0]


def figures(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def near(shown: float, digits: int, *of: float | None) -> bool:
    """Whether a figure is one of these, rounded to so many significant digits."""
    return any(
        one is not None and abs(shown - float(f"{one:.{digits}g}")) <= 1e-9 * max(1, abs(shown))
        for one in of
    )


def check_every_figure(header: str, record: Any) -> int:
    """Check every figure of the first page against plan.json; return how many there were."""
    names = {record["portfolio"]["ai_model"], *(row["name"] for row in record["domains"])}
    names |= {row[key] for row in record["choices"] for key in ("eval", "domain")}
    names |= {row["name"] for row in record.get("shared", [])}
    names |= {row["name"] for row in record["not_covered"]}
    names |= {row.get("held_against", "") for row in record["domains"]} - {""}
    names |= {row["text"].removeprefix("mandatory: ") for row in record.get("limits", [])}

    def plain(html: str) -> str:
        text = Reader(re.sub(r"</(td|th|dd|dt|p|li)>", r" </\1>", html)).text
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, "·")
        return text

    count = 0
    # What runs, by domain: the rows add up to the total, to the dollar.
    tables = re.findall(r"<table.*?</table>", header, flags=re.S)
    runs, calls = tables if len(tables) == 2 else ("", tables[0])
    money = [figures(plain(row))[-1] for row in re.findall(r"<tr>.*?</tr>", runs, flags=re.S)[1:]]
    if money:
        assert sum(money[:-1]) == pytest.approx(money[-1], abs=len(money))
        assert money[-1] == round(record["money"]["expected"])
        count += len(money)
    rows = re.findall(r"<tr>.*?</tr>", calls, flags=re.S)[1:]
    keys = ("p_exceeds", "p_missed_now", "p_missed_expected", "p_needless_now")
    for row, domain in zip(rows, record["domains"], strict=True):
        cells = [Reader(cell).text for cell in re.findall(r"<td.*?</td>", row, flags=re.S)]
        assert cells[0] == domain["call_now"]
        for cell, key in zip(cells[1:], (*keys, "p_needless_expected"), strict=True):
            (shown,), exact = figures(cell), 100 * domain[key]
            ends = (cell.startswith("< ") and exact < shown) or (
                cell.startswith("> ") and exact > shown
            )
            assert ends or abs(shown - exact) <= max(0.051 * exact, 1e-9), (cell, domain["name"])
            count += 1
    # Sentences: each kind of figure is matched by what it says and taken out; none may be left.
    left = plain(re.sub(r"<table.*?</table>|<nav.*?</nav>", "", header, flags=re.S))
    value, budget = record["value"], record["budget"]
    tiers = [row["tier"] for row in record["choices"]]
    worth = value["evsi"]
    points = record.get("frontier", []) if worth else []
    knees = [round(point["usd"]) for point in points]
    buys = [float(f"{100 * point['value'] / worth:.2g}") for point in points]
    prices = record["shadow_prices"]
    spendable = record.get("spendable") or {
        name: amount * (1 - record["money"]["contingency"]) for name, amount in budget.items()
    }
    halves = [r["value"] for r in record["comparisons"] if r["plan"] == "half of every budget"]
    rules = [100 * row["mitigate_above"] for row in record["domains"] if row.get("mitigate_above")]
    # The pattern, the significant digits shown, and what each of its figures may be.
    patterns: list[tuple[str, int, list[list[float]]]] = [
        (r"stands for (\S+) months", 3, [[record["portfolio"]["horizon_months"]]]),
        (r"Run (\d+) evals?", 3, [[len(tiers)]]),
        (r"(\d+) (?:with maximum|near their|at their)", 3, [[tiers.count(t) for t in set(tiers)]]),
        (r"over ([\d.]+) % (?=for|\.|;)", 3, [rules]),
        (r"chance above the threshold is over ([\d.]+) %", 3, [rules]),
        (r"it buys ([\d.]+) %", 2, [[100 * worth / value["evpi"]]]),
        (r"worth (?:[<>] )?([\d.]+) %", 2, [[100 * worth / value["evpi"]]]),
        (r"± ([\d.]+) %", 2, [[100 * (value.get("noise") or 0.0) / value["evpi"]]]),
        (r"over ([\d.]+) % more", 2, [[100 * max(value["gap"] or 0.0, 1e-5)]]),
        (
            r"(\d+) of (\d+) rows are firm",
            3,
            [[sum(row.get("firm") is True for row in record["choices"])], [len(tiers)]],
        ),
        (
            r"(\d+) could go for others",
            3,
            [[sum(not c.get("firm") and bool(c.get("instead")) for c in record["choices"])]],
        ),
        (r"\$([\d,]+) would buy (?:[<>] )?([\d.]+) %", 9, [knees, [*buys, 99.0, 100.0]]),
        (r"keep (?:[<>] )?([\d.]+) %", 2, [[100 * v / worth for v in halves] + [99.0, 100.0]]),
        (r"buys (95) %", 2, [[95.0]]),
        (
            r"10 % more would add at most (?:[<>] )?([\d.]+) %",
            2,
            [[10 * price * budget.get(name, 0) / worth for name, price in prices.items()] + [0.1]],
        ),
        (r"\(([\d.]+) % kept back", 2, [[100 * (1 - spendable[n] / budget[n]) for n in budget]]),
    ]
    for pattern, digits, allowed in patterns:
        for match in re.finditer(pattern, left):
            for one, of in zip(match.groups(), allowed, strict=True):
                assert near(float(one.replace(",", "")), digits, *of), (match[0], of)
                count += 1
        left = re.sub(pattern, " ", left)
    for spent, given in re.findall(r"\$?([\d,.]+) of \$?([\d,.]+)", left):
        limit = [n for n, a in budget.items() if abs(float(given.replace(",", "")) - a) < 0.51]
        shown = float(spent.replace(",", ""))
        assert any(abs(shown - record["spend"].get(name, 0.0)) <= 0.51 for name in limit)
        count += 2
    left = re.sub(r"\$?[\d,.]+ of \$?[\d,.]+", " ", left)
    assert figures(left) == [], left
    return count


@pytest.mark.parametrize("which", ["recommendation", "swept", "pointed"])
def test_every_figure_of_the_first_page_is_the_record_s(
    which: str, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(which)
    record = json_of(made)
    assert check_every_figure(page_of(made), record) > 30
    record["choices"][0]["usd"] += 1_000.0  # a record that contradicts itself is told apart
    with pytest.raises(AssertionError):
        check_every_figure(page_of(telling(made, record)), json_of(made))


def test_a_group_reads_all_it_decides_on(swept: Recommendation) -> None:
    record: Any = json_of(swept)
    record["limits"] = kept(
        [Mandatory("nyuctf"), Mandatory("hcast", to="the board", note="the minutes")],
        "catalogue",
    )
    worth = record["value"]["evsi"]
    half = {"plan": "half of every budget", "usd": 1.0, "value": 0.8 * worth, "share_of_evpi": 0.5}
    record["comparisons"].append(half)
    record["not_covered"] += [
        {"name": "cyber", "reason": "no eval on the menu has tasks near its threshold"},
        {"name": "hcast / sweet-spot", "reason": "the cap is not told"},
    ]
    text = Reader(page_of(telling(swept, record))).text
    for row in record["choices"]:
        assert row["eval"] in text
    assert "Mandatory: nyuctf; and hcast, promised to the board (the minutes)." in text
    assert "Half of every budget would keep 80 % of the value." in text
    assert "cyber: no eval on the menu has tasks near its threshold." in text
    assert "hcast / sweet-spot" not in text
    for word in ("sandbagging", "propensity", "safeguards", "uplift", "external assessments"):
        assert word in text
    assert "rows are firm" in text
    assert record["words"]["hangs_on"] in text


def test_the_knee_is_the_least_budget_that_buys_most(swept: Recommendation) -> None:
    record = json_of(swept)
    points = [p for p in record["frontier"] if p["usd"] < record["budget"]["usd"]]
    enough = [p for p in points if p["value"] >= 0.95 * record["value"]["evsi"]]
    told = knee(swept.record)
    assert told.startswith(f"${min(p['usd'] for p in enough):,.0f} would buy ")
    record["frontier"] = [p for p in record["frontier"] if p not in enough]
    none = telling(swept, record)
    assert knee(none.record) == "No smaller budget of money that was tried buys 95 % of the value."


def test_nothing_mandatory_and_nothing_missing_are_said_too(pointed: Recommendation) -> None:
    record = json_of(pointed)
    record["not_covered"] = []
    made = telling(pointed, record)
    assert promised(made.record) == ["No eval is mandatory."]
    assert len(not_covered(made.record)) == 2  # what lies outside stays


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_the_first_page_is_one_sheet_of_a4(swept: Recommendation, tmp_path: Path) -> None:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'p'}"]

    def sheets(html: str) -> int:
        (tmp_path / "r.html").write_text(html)
        out = tmp_path / "r.pdf"
        command = ["chromium", *flags, f"--print-to-pdf={out}", (tmp_path / "r.html").as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return len(re.findall(rb"/Type\s*/Page\b", out.read_bytes()))

    whole = report(swept)
    alone = re.sub(r"<section.*?</section>", "", whole, flags=re.S)
    assert sheets(alone) == 1
    assert sheets(alone.replace("</header>", "</header><section>The mix</section>")) == 2
