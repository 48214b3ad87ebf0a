"""The report as text: it stands alone, escapes everything, and says what the record says."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.evalfolio.export.made import json_of, telling

from evalfolio.errors import InputError
from evalfolio.export import write_report, write_workbook
from evalfolio.export.report import report
from evalfolio.recommendations.recommendation import Recommendation

VOID = {"meta", "link", "input", "br"}


class Reader(HTMLParser):
    """Collects text, tags and attributes, and checks that tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.mark.parametrize("which", ["recommendation", "swept", "pointed", "nasty"])
def test_nothing_is_asked_of_a_network(which: str, request: pytest.FixtureRequest) -> None:
    reader = Reader(report(request.getfixturevalue(which)))
    for tag, attributes in reader.tags:
        for key in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
            target = attributes.get(key)
            assert target is None or target.startswith("#") or target == "data:,", (tag, target)
        assert not [key for key in attributes if key.startswith("on")]
    (policy,) = [
        attributes["content"]
        for tag, attributes in reader.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_ids_are_unique_and_every_reference_resolves(swept: Recommendation) -> None:
    reader = Reader(report(swept))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in reader.tags:
        for key in ("aria-labelledby", "for"):
            assert set((attributes.get(key) or "").split()) <= set(ids)
        link = attributes.get("href") or ""
        assert not link.startswith("#") or link[1:] in ids


def test_names_of_any_kind_are_only_text(nasty: Recommendation) -> None:
    plain = Reader(report(dataclasses.replace(nasty)))
    assert [tag for tag, _ in plain.tags].count("script") == 2  # ours: the data and the script
    for name in {row["eval"] for row in json_of(nasty)["choices"]}:
        assert re.sub(r"\s+", " ", name) in plain.text


def test_hostile_names_change_nothing_but_text(
    nasty: Recommendation, renamed: Recommendation
) -> None:
    def skeleton(made: Recommendation) -> Counter[tuple[str, str | None]]:
        return Counter((tag, a.get("class")) for tag, a in Reader(report(made)).tags)

    assert skeleton(nasty) == skeleton(renamed)


def test_every_section_says_what_the_record_says(swept: Recommendation) -> None:
    record = json_of(swept)
    parts = re.findall(r'<section id="([a-z-]+)".*?</section>', report(swept), flags=re.S)
    assert parts == [
        *("mix", "domains", "money", "frontier", "sensitivity", "curves", "left-out", "basis")
    ]
    whole = re.findall(r"<section .*?</section>", report(swept), flags=re.S)
    text = dict(zip(parts, (Reader(part).text for part in whole), strict=True))
    for row in record["choices"]:
        assert f"{row['eval']}{row['domain']} · {row['reason']}" in text["mix"]
    for domain in record["domains"]:
        for key in ("prior_sd", "posterior_sd", "elicitation_floor_sd", "validity_floor_sd"):
            assert f"{domain[key]:.2f}" in text["domains"]
        assert (
            f"Buffer: alert this far below (95 % of a normal){domain['buffer']:.1f}"
            in text["domains"]
        )
    for rival in ("greedy", "even split", "all plateau", "all maximum"):
        assert rival in text["money"]
    of_plan = record["comparisons"][1]["value"] / record["value"]["evsi"]
    assert f"{100 * of_plan:.1f} %" in text["money"]
    assert record["shadow_prices"].keys() == {"usd", "staff_hours"}
    per_thousand = 1000 * record["shadow_prices"]["usd"]
    assert f"${per_thousand:,.0f} per $1,000" in text["money"]
    assert f"${record['shadow_prices']['staff_hours']:.2f} an hour" in text["money"]
    planned = 1 - record["money"]["contingency"]
    left = planned * record["budget"]["staff_hours"] - record["spend"]["staff_hours"]
    assert 0 < left < 10  # told to a tenth of an hour
    assert f"Staff hours{left:.1f}${record['shadow_prices']['staff_hours']:.2f}" in text["money"]
    assert (
        f"{record['spend']['staff_hours']:,.0f} of {record['budget']['staff_hours']:,.0f}"
        in (text["mix"])
    )
    for tipped in record["sensitivity"]:
        assert tipped["name"] in text["sensitivity"]
    for words in ("Cap chosen", "Sweet spot", "Saturation", "Plateau", "Success at the largest"):
        assert words in text["curves"]
    for warning in record["warnings"]:
        assert warning in text["left-out"]
    for assumed in record["assumptions"]:
        assert assumed["where"] in text["basis"]
    assert "ab" * 32 in text["basis"]


def test_the_tornado_runs_from_the_plan_to_either_end(swept: Recommendation) -> None:
    text = report(swept)
    (body,) = re.findall(r'<table class="tornado">.*?</table>', text, flags=re.S)
    rows = re.findall(r"<tr><th.*?</tr>", body, flags=re.S)[1:]
    by_name = {row["name"]: row for row in json_of(swept)["sensitivity"]}
    base = json_of(swept)["value"]["evsi"]
    ends = [e for row in by_name.values() for e in (row["value_low"], row["value_high"])]
    low, span = min(ends), max(ends) - min(ends)
    swings = []
    for html in rows:
        row = (
            by_name[re.sub(r"\s+", " ", Reader(html[4:-5]).text).split("0", 1)[0].strip()]
            if 0
            else None
        )
        name = unescape(re.findall(r'<th scope="row">(.*?)</th>', html)[0])
        row = by_name[name]
        bars = re.findall(r'class="bar (\w+)" style="left:([\d.]+)%;width:([\d.]+)%', html)
        assert [bar[0] for bar in bars] == ["low", "high"]
        for (_, left, width), end in zip(bars, (row["value_low"], row["value_high"]), strict=True):
            assert float(left) == pytest.approx(100 * (min(end, base) - low) / span, abs=0.006)
            assert float(width) == pytest.approx(100 * abs(end - base) / span, abs=0.006)
        reached = (row["value_low"], row["value_high"], base)
        swings.append(max(reached) - min(reached))
    assert len(rows) == len(by_name)
    assert swings == sorted(swings, reverse=True)


def test_the_first_screen_says_the_mix_what_it_hangs_on_and_the_certificate(
    recommendation: Recommendation,
) -> None:
    text = Reader(report(recommendation)).text
    words = json_of(recommendation)["words"]
    start = text.index("Which evals to run on GPT-5.5 ", 60)
    first, behind = text[start:].split(f"The mix {words['mix']}")
    assert words["hangs_on"] in first
    assert "worth over 0.04 % more (certified)" in first
    assert "worth over 0.04 % more (certified), over 0.34 % with the luck" in behind
    for domain in json_of(recommendation)["domains"]:
        assert domain["name"] in first


def test_a_failed_fit_is_said_before_anything_else(recommendation: Recommendation) -> None:
    record = json_of(recommendation)
    record["diagnostics"]["passed"] = False
    text = Reader(report(telling(recommendation, record))).text
    assert text.index("The fit failed its gate.") < text.index("Evaluation plan")


def test_an_uncertified_plan_claims_no_certificate(recommendation: Recommendation) -> None:
    record = json_of(recommendation)
    record["value"] |= {"gap": None, "status": "uncertified"}
    text = Reader(report(telling(recommendation, record))).text
    assert "(certified)" not in text
    assert "how far it is from the optimum is not certified" in text


def test_the_noise_of_the_draws_is_told_where_it_is_known(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    record = json_of(recommendation)
    first, second = (row["eval"] for row in record["choices"][:2])

    def told(of: Recommendation) -> tuple[str, list[object]]:
        book = openpyxl.load_workbook(write_workbook(of, tmp_path / "p.xlsx"), data_only=True)
        cells = [c.value for sheet in ("Summary", "Mix") for row in book[sheet] for c in row]
        return Reader(report(of)).text, cells

    text, cells = told(recommendation)
    assert record["words"]["firm"] in text
    swap = f"may be left out; or exchangeable with {second} (other tier)"
    for words in ("firm", swap):
        assert words in cells
        assert f"plateau{words}" in text
    figures = [cell for cell in cells if isinstance(cell, float)]
    for key in ("noise", "gap_with_noise"):
        assert any(figure == pytest.approx(record["value"][key]) for figure in figures)
    del record["words"]["firm"], record["value"]["noise"], record["value"]["gap_with_noise"]
    for row in record["choices"]:
        del row["firm"], row["instead"]
    text, cells = told(telling(recommendation, record))
    for word in ("firm", "exchangeable", "luck of the draws", "±"):
        assert word not in text.split("Basis")[0]
        assert not any(word in str(cell) for cell in cells if cell not in (first, second))


def test_an_eval_that_no_price_brings_in_says_so(recommendation: Recommendation) -> None:
    record = json_of(recommendation)
    assert len(record["not_chosen"]) > 1
    record["not_chosen"][0]["cost_to_enter"] = None
    text = Reader(report(telling(recommendation, record))).text
    for row in record["not_chosen"]:
        price = "at no price" if row["cost_to_enter"] is None else f"${row['cost_to_enter']:,.0f}"
        assert f"{row['eval']}{row['reason']}{price}" in text


def test_an_empty_plan_is_a_report_too(recommendation: Recommendation, tmp_path: Path) -> None:
    record: Any = json_of(recommendation)
    record |= {"choices": [], "comparisons": [], "not_covered": [], "warnings": []}
    record["spend"] = dict.fromkeys(record["spend"], 0.0)
    record["value"] |= {"evsi": 0.0, "evsi_usd": 0.0, "bound": 0.0, "gap": 0.0, "draws": None}
    empty = dataclasses.replace(
        telling(recommendation, record),
        curves=recommendation.curves.iloc[:0],
        curve_grid=recommendation.curve_grid.iloc[:0],
    )
    path = write_report(empty, tmp_path / "report.html")
    assert "Nothing on this menu is worth its price" in Reader(path.read_text("utf-8")).text


def test_values_in_points_are_shares_of_perfect_information(pointed: Recommendation) -> None:
    reader = Reader(report(pointed))
    worth = json_of(pointed)["comparisons"][0]
    assert worth["share_of_evpi"] is not None
    bought = reader.text[reader.text.index("What the money buys The same") :]
    assert f"this plan${worth['usd']:,.0f}{100 * worth['share_of_evpi']:.0f} %" in bought


def test_prose_has_no_figure_of_more_than_two_significant_digits(
    recommendation: Recommendation,
) -> None:
    text = report(recommendation)
    prose = re.findall(r"<p[ >].*?</p>", text, flags=re.S)
    for paragraph in prose:
        words = Reader(paragraph).text.replace("GPT-5.5", "")
        for number in re.findall(r"\d[\d,]*\.?\d*", words):
            digits = number.replace(",", "").replace(".", "").lstrip("0")
            assert len(digits.rstrip("0")) <= 2, (number, words)


def test_the_frontier_data_is_the_frontier(swept: Recommendation) -> None:
    text = report(swept)
    (data,) = re.findall(r'id="frontier-data">(.*?)</script>', text, flags=re.S)
    rows = json.loads(data)
    points = sorted([*json_of(swept)["frontier"]], key=lambda point: point["usd"])
    assert len(rows) == len(points) + 1  # the plan's own budget beside them
    counts = [row["count"] for row in rows]
    assert counts == sorted(counts)
    assert all(len(row["mix"]) == row["count"] for row in rows)


def test_a_page_without_a_frontier_has_no_slider(recommendation: Recommendation) -> None:
    assert not [a for tag, a in Reader(report(recommendation)).tags if a.get("type") == "range"]


def test_a_place_that_cannot_be_written_to_is_refused(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be a file that can be written"):
        write_report(recommendation, tmp_path / "file" / "report.html")


def test_a_figure_that_moves_nothing_is_said_to_be_equal(
    swept: Recommendation, tmp_path: Path
) -> None:
    record = json_of(swept)
    still = record["sensitivity"][-1] | {"name": "what moves nothing", "low": 1.0, "high": 2.0}
    own = record["value"]["evsi"]
    record["sensitivity"].append(still | {"value_low": own, "value_high": own})
    swept = telling(swept, record)
    (row,) = re.findall(r"what moves nothing</th>(.*?)</tr>", report(swept), flags=re.S)
    assert re.findall(r'class="n (?:low|high)">([^<]*)<', row) == ["equal", "equal"]
    sheet = openpyxl.load_workbook(write_workbook(swept, tmp_path / "plan.xlsx"))["Sensitivity"]
    (cells,) = [row for row in sheet.iter_rows() if row[0].value == "what moves nothing"]
    assert all(cell.number_format.endswith(';"equal"') for cell in cells[5:7])


def test_limits_are_told_in_report_and_workbook(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    limits = [
        {"text": "forbidden: max-elicitation", "by": "constraints", "kind": "Forbidden"},
        {"text": "at least 1 eval of <cyber>", "by": "catalogue", "kind": "MinEvals"},
    ]
    limited = telling(recommendation, {**json_of(recommendation), "limits": limits})
    kept = "Limits kept beside the budgets: forbidden: max-elicitation; at least 1 eval of <cyber>."
    assert kept in Reader(report(limited)).text
    assert "Limits kept" not in report(recommendation)
    book = openpyxl.load_workbook(write_workbook(limited, tmp_path / "plan.xlsx"))
    cells = [tuple(cell.value for cell in row[:2]) for row in book["Assumptions"].iter_rows()]
    at = cells.index(("Limits kept", None))
    assert cells[at + 1 : at + 3] == [(row["by"], row["text"]) for row in limits]


def test_families_of_spend_and_capability_are_told_with_every_row(swept: Recommendation) -> None:
    text = report(swept)
    tables = re.findall(r"<summary>(Which family|Horizons)(.*?)</table>", text, flags=re.S)
    families, capability = (
        Reader(f"<p>{dict(tables)[name].partition('<table')[2].partition('>')[2]}</p>").words
        for name in ("Which family", "Horizons")
    )
    for row in json_of(swept)["spend_families"]:
        at = families.index(row["eval"])
        own = families[at : at + 14]
        assert {row["family"], row["reason"]} <= set(families)
        assert any(word in own for word in ("70 %", "100 %"))
    assert "1.3 ± 0.9" in families
    for told in json_of(swept)["capability"]:
        assert told["figure"] in capability
    assert {"68 to 890", "0.61", "2.6"} <= set(capability)


def test_the_record_of_a_real_plan_holds_capability_and_families(real: Recommendation) -> None:
    from evalbayes.summaries.capability import capability_table

    table = capability_table(real.posterior, real.catalogue, seed=0)
    rows = json_of(real)["capability"]
    assert [(row["domain"], row["figure"]) for row in rows] == list(
        table[["domain", "figure"]].itertuples(index=False, name=None)
    )
    assert any(row["figure"] == "80% horizon, full" for row in rows)
    assert [row["median"] for row in rows] == pytest.approx(table["median"].tolist())
    assert json_of(real)["spend_families"] == []  # nothing was observed, so nothing compared
