"""Charts of the sheet Summary; both follow the budget cell."""

from __future__ import annotations

from typing import Any

from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import HEAD, TIER_COLOURS, Book
from evalfolio.export.workbook.contents import Contents
from evalfolio.export.workbook.layout import BUDGET_COLUMN, BUDGET_ROW, value_row

AXIS_USD = '[>=10000]$#,##0,"k";$#,##0'


def write_charts(book: Book, sheet: Any, contents: Contents, first: int, row: int) -> None:
    """Draw the money, in the rows from `first` to before `row`, and the frontier with the plan."""
    chart = book.file.add_chart({"type": "bar", "subtype": "stacked"})
    for t, tier in enumerate(contents.tiers):
        chart.add_series(
            {
                "name": ["Summary", first - 1, 1 + t],
                "categories": ["Summary", first, 0, row - 1, 0],
                "values": ["Summary", first, 1 + t, row - 1, 1 + t],
                "fill": {"color": TIER_COLOURS.get(tier, HEAD)},
                "gap": 60,
            }
        )
    chart.set_title({"name": "Where the money goes", "name_font": {"size": 13, "bold": True}})
    chart.set_x_axis(
        {"num_format": AXIS_USD, "major_gridlines": {"visible": True, "line": {"color": "#e3e7eb"}}}
    )
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 520, "height": 150 + 50 * min(row - first, 8)})
    sheet.insert_chart(
        row + 1, 0, chart, {"description": "Expected USD by domain, stacked by tier"}
    )
    if len(contents.plans) > 1:
        _write_frontier_chart(book, sheet, contents, row)


def _write_frontier_chart(book: Book, sheet: Any, contents: Contents, row: int) -> None:
    first, last = at.PLANS_FIRST, at.PLANS_FIRST + len(contents.plans) - 1
    chart = book.file.add_chart({"type": "scatter", "subtype": "straight"})
    chart.add_series(
        {
            "name": "Best mix at each budget",
            "categories": ["Plans", first, at.PLAN_BUDGET, last, at.PLAN_BUDGET],
            "values": ["Plans", first, at.PLAN_VALUE, last, at.PLAN_VALUE],
            "line": {"color": HEAD, "width": 2},
        }
    )
    chart.add_series(
        {
            "name": "At the budget above",
            "categories": f"={book.cell('Summary', BUDGET_ROW, BUDGET_COLUMN)}",
            "values": f"={book.cell('Summary', value_row(contents), 1)}",
            "marker": {"type": "circle", "size": 10, "fill": {"color": "#d69a2d"}},
            "line": {"none": True},
        }
    )
    chart.set_title({"name": "What more money would buy", "name_font": {"size": 13, "bold": True}})
    chart.set_x_axis(
        {"num_format": AXIS_USD, "name": "Budget", "min": 0, "major_gridlines": {"visible": False}}
    )
    chart.set_y_axis(
        {
            "name": "Value",
            "min": 0,
            "major_gridlines": {"visible": True, "line": {"color": "#e3e7eb"}},
        }
    )
    chart.set_legend({"position": "bottom"})
    chart.show_hidden_data()
    chart.set_size({"width": 450, "height": 270})
    sheet.insert_chart(
        row + 1, 3, chart, {"description": "Value of the best mix by budget, and the one shown"}
    )
