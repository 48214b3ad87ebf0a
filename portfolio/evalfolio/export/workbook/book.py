"""A workbook with the few ways of writing a cell that all sheets share."""

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from evalfolio.narrative import resource_words

HEADS = {
    "option": ("Option", "text"),
    "eval": ("Eval", "text"),
    "domain": ("Domain", "text"),
    "tier": ("Tier", "text"),
    "cap": ("Cap per attempt", "cap"),
    "cap_unit": ("Cap unit", "text"),
    "attempts": ("Attempts per task", "count"),
    "tasks": ("Tasks", "count"),
    "effort": ("Effort", "unit"),
    "runs": ("Runs", "count"),
    "usd": ("USD expected", "usd"),
    "usd_p90": ("USD, 90 % sure", "usd"),
    "usd_ceiling": ("USD if all hit the cap", "usd"),
}
WIDTHS = {"option": 34, "eval": 22, "domain": 14, "tier": 16, "cap": 13, "cap_unit": 9, "usd": 14}


def head(name: str) -> tuple[str, str]:
    """Return the heading and the number kind of a column; other resources read as words.

    >>> head("tasks"), head("staff_hours.bio")
    (('Tasks', 'count'), ('Staff hours (bio)', 'hours'))
    """
    return HEADS.get(name) or (resource_words(name), "hours")


def width(name: str) -> float:
    """Return the width of a column in characters."""
    return WIDTHS.get(name, 12)


def names_width(names: Iterable[str], least: float, most: float = 60) -> float:
    """Return the width that shows every name whole, or `most` where one is longer.

    >>> names_width(["cybench / plateau / 38 tasks x 3 / full cap"], least=34)
    46
    """
    return max(least, min(most, max(map(len, names), default=0) + 3))


def safe_name(name: str) -> str:
    """Return a resource's name as Excel allows it in a defined name.

    >>> safe_name("staff_hours.bio"), safe_name("GPU hours (spot)")
    ('staff_hours.bio', 'GPU_hours__spot_')
    """
    return "".join(c if c.isalnum() or c in "._" else "_" for c in name)


INK, MUTED, RULE = "#1f2933", "#5b6773", "#d5dbe1"
HEAD, BAND, INPUT = "#22405f", "#f4f6f8", "#fff8e1"
DEPTH, PLATEAU, SWEET = "#22405f", "#2a8c82", "#d69a2d"
TIER_COLOURS = {"max-elicitation": DEPTH, "plateau": PLATEAU, "sweet-spot": SWEET}

# A dash where nothing is spent, cents where little is. Not for amounts that may be below 0: some
# programs drop the sign where a section has a condition; `end` likewise.
USD = '[=0]"–";[<10]$0.00;$#,##0'
NUMBER_FORMATS = {
    "usd": USD,
    "usd_left": "$#,##0;-$#,##0;$0",
    "hours": "#,##0.0",
    "count": "#,##0",
    "cap": "[>=100]#,##0;[>=1]0.0;0.000",  # tokens by the million, hours by the minute
    "share": "0%",
    "share1": "0.0%",
    "change_usd": '+$#,##0;-$#,##0;"equal"',
    "change_points": '+0.0000;-0.0000;"equal"',
    "gap": "0.00%",
    "end": "[>=100]#,##0;[>=0.01]0.00;General",
    "unit": "0.00",
    "digits": "0.0000",
    "price": "0.00E+00",
    "points": "[>=100]#,##0;[>=1]0.00;0.0000",
    "general": "General",
    "text": "@",  # text stays text, also when somebody edits the cell
    "words": "General",  # text that a formula gives: a cell of text format would not calculate
}
MOST_TEXT = 32_000  # Excel holds 32,767 characters in a cell


class Book:
    """An XlsxWriter workbook; text never becomes a formula, a link or a number.

    `value_kind` is the number format of values: "usd" or "points".
    """

    def __init__(self, value_kind: str) -> None:
        self._stream = io.BytesIO()
        self.file = xlsxwriter.Workbook(
            self._stream,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": False,
            },
        )
        self.file.set_calc_mode("auto")
        self.value_kind = value_kind
        self.names: dict[str, str] = {}
        """Cells that have a name, by it."""
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, kind: str = "general", **properties: Any) -> Any:
        """Return a cell format of a number kind, with further XlsxWriter properties."""
        kind = {"value": self.value_kind, "change": f"change_{self.value_kind}"}.get(kind, kind)
        base: dict[str, Any] = {"num_format": NUMBER_FORMATS[kind]}
        look = {"font_name": "Calibri", "font_size": 11, "font_color": INK, "valign": "top"}
        merged = {**look, **base, **properties}
        key = tuple(sorted(merged.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format(merged)
        return self._formats[key]

    def sheet(self, name: str, title: str, lead: str, widths: Sequence[float]) -> Any:
        """Add a visible sheet with a title, one sentence below it, and column widths."""
        sheet = self.file.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(0.5, 0.5, 0.6, 0.6)
        sheet.set_footer("&L&8evalfolio&R&8&A · &P of &N")
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width, self.style())
        sheet.set_row(0, 30)
        sheet.write_string(0, 0, title, self.style(font_size=20, bold=True, valign="vcenter"))
        sheet.write_string(1, 0, lead, self.style(font_color=MUTED))
        return sheet

    def hidden(self, name: str) -> Any:
        """Add a sheet that formulas use and readers need not see."""
        sheet = self.file.add_worksheet(name)
        sheet.hide()
        return sheet

    def put(self, sheet: Any, row: int, column: int, value: object, style: Any) -> None:
        """Write a value as what it is: text, number, truth value, or nothing for None and NaN."""
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            sheet.write_string(row, column, "yes" if value else "no", style)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, style)
        else:
            sheet.write_string(row, column, str(value)[:MOST_TEXT], style)

    def row(self, sheet: Any, row: int, values: Iterable[object], kinds: Iterable[str]) -> None:
        """Write a row of a table from its first column on, each value as its kind."""
        for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            self.put(sheet, row, column, value, self.line(kind))

    def formula(
        self, sheet: Any, row: int, column: int, formula: str, value: object, style: Any
    ) -> None:
        """Write a formula with the value it has now, for readers which never calculate."""
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        sheet.write_formula(row, column, formula, style, "" if missing else value)

    def heads(self, sheet: Any, row: int, column: int, names: Sequence[str]) -> None:
        """Write a row of column headings outside an Excel table."""
        for offset, name in enumerate(names):
            sheet.write_string(row, column + offset, name, self.head(right=offset > 0))

    def head(self, *, right: bool = False) -> Any:
        """Return the style of a column heading."""
        return self.style(
            bold=True,
            font_color="#ffffff",
            bg_color=HEAD,
            text_wrap=True,
            valign="vcenter",
            align="right" if right else "left",
            indent=0 if right else 1,
        )

    def table(
        self, sheet: Any, name: str, first: int, rows: int, heads: Sequence[tuple[str, str]]
    ) -> None:
        """Lay an Excel table over rows whose cells are written apart; heads are (name, kind)."""
        columns = [
            {"header": head, "header_format": self.head(right=kind not in ("text", "wrap"))}
            for head, kind in heads
        ]
        sheet.set_row(first, 32)
        sheet.repeat_rows(first)  # on every page
        sheet.print_area(0, 0, first + max(rows, 1), len(heads) - 1)
        sheet.add_table(
            first,
            0,
            first + max(rows, 1),
            len(heads) - 1,
            {
                "name": name,
                "columns": columns,
                "style": "Table Style Light 1",
                "autofilter": rows > 1,
                "banded_rows": False,
            },
        )

    def line(self, kind: str, **properties: Any) -> Any:
        """Return the style of a table's cell: a hairline below, wrapped when it is a sentence."""
        look: dict[str, Any] = {"bottom": 1, "bottom_color": RULE}
        if kind in ("text", "words", "wrap", "sentence") and "align" not in properties:
            look |= {"align": "left", "indent": 1}  # keeps it off the number to its left
        look |= properties
        if kind == "wrap":
            return self.style("text", text_wrap=True, **look)
        if kind == "sentence":
            return self.style("words", text_wrap=True, **look)
        return self.style(kind, **look)

    @staticmethod
    def tall(sheet: Any, row: int, texts: Sequence[tuple[object, float]]) -> None:
        """Make a row as high as its wrapped texts need; each comes with its column's width.

        Programs fit a row to what is typed into it, not to what a file or a formula brings.
        """
        lines = [-(-len(str(text or "")) // max(int(width) - 3, 1)) for text, width in texts]
        sheet.set_row(row, 15.5 * min(max(1, *lines), 25))

    def name(self, name: str, sheet: str, row: int, column: int) -> None:
        """Give one cell a name in the whole workbook."""
        self.names[name] = self.cell(sheet, row, column)
        self.file.define_name(name, f"={self.names[name]}")

    @staticmethod
    def cell(sheet: str, row: int, column: int) -> str:
        """Return the absolute address of a cell on a sheet."""
        return f"{sheet}!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"

    @staticmethod
    def span(sheet: str, row: int, column: int, last_row: int, last_column: int) -> str:
        """Return the absolute address of a block on a sheet."""
        return f"{sheet}!{xl_range_abs(row, column, last_row, last_column)}"

    def finished(self) -> bytes:
        """Close the workbook and return the file."""
        self.file.close()
        return self._stream.getvalue()
