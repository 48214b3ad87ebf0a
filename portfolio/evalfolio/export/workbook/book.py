"""A workbook with the few ways of writing a cell that all sheets share."""

import io
import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from evalfolio.export.workbook.layout import Contents, Layout, cell
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


INK, MUTED, RULE = "#1f2933", "#5b6773", "#d5dbe1"
HEAD, BAND, INPUT = "#22405f", "#f4f6f8", "#fff8e1"
DEPTH, PLATEAU, SWEET, STUDY = "#22405f", "#2a8c82", "#d69a2d", "#8a8f99"
GRID = {"visible": True, "line": {"color": "#e3e7eb"}}
TIER_COLOURS = {"max-elicitation": DEPTH, "plateau": PLATEAU, "sweet-spot": SWEET, "study": STUDY}

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
NEVER = ("strings_to_formulas", "strings_to_urls", "strings_to_numbers", "nan_inf_to_errors")
MOST_TEXT = 32_000  # Excel holds 32,767 characters in a cell


class Book:
    """An XlsxWriter workbook of these contents; text never becomes a formula, link or number."""

    def __init__(self, contents: Contents) -> None:
        self.contents, self.where = contents, Layout(contents)
        self._stream = io.BytesIO()
        options = {"in_memory": True, **dict.fromkeys(NEVER, False)}
        self.file = xlsxwriter.Workbook(self._stream, options)
        self.file.set_calc_mode("auto")
        self.names: dict[str, str] = {}
        """Cells that have a name, by it."""
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, kind: str = "general", **properties: Any) -> Any:
        """Return a cell format of a number kind, with further XlsxWriter properties."""
        unit = self.contents.record.value.unit
        kind = {"value": unit, "change": f"change_{unit}"}.get(kind, kind)
        look = {"font_name": "Calibri", "font_size": 11, "font_color": INK, "valign": "top"}
        merged = {**look, "num_format": NUMBER_FORMATS[kind], **properties}
        key = tuple(sorted(merged.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format(merged)
        return self._formats[key]

    def line(self, kind: str, **properties: Any) -> Any:
        """Return the style of a table's cell: a hairline below, wrapped when it is a sentence."""
        look: dict[str, Any] = {"bottom": 1, "bottom_color": RULE}
        if kind in ("text", "words", "wrap", "sentence") and "align" not in properties:
            look |= {"align": "left", "indent": 1}  # keeps it off the number to its left
        look |= properties
        if kind in ("wrap", "sentence"):
            kind, look = {"wrap": "text", "sentence": "words"}[kind], {"text_wrap": True, **look}
        return self.style(kind, **look)

    def head(self, *, right: bool = False) -> Any:
        """Return the style of a column heading."""
        look: dict[str, Any] = {"bold": True, "text_wrap": True, "valign": "vcenter"}
        look |= {"align": "right", "indent": 0} if right else {"align": "left", "indent": 1}
        return self.style(font_color="#ffffff", bg_color=HEAD, **look)

    def sheet(self, name: str, title: str, lead: str, widths: Sequence[float]) -> "Sheet":
        """Add a visible sheet with a title, one sentence below it, and column widths."""
        made = Sheet(self, name)
        made.file.hide_gridlines(2)
        made.file.set_landscape()
        made.file.set_paper(9)
        made.file.fit_to_pages(1, 0)
        made.file.set_margins(0.5, 0.5, 0.6, 0.6)
        made.file.set_footer("&L&8evalfolio&R&8&A · &P of &N")
        for column, width in enumerate(widths):
            made.file.set_column(column, column, width, self.style())
        made.file.set_row(0, 30)
        made.put(0, 0, title, self.style(font_size=20, bold=True, valign="vcenter"))
        made.file.write_string(1, 0, lead, self.style(font_color=MUTED))
        return made

    def hidden(self, name: str) -> "Sheet":
        """Add a sheet that formulas use and readers need not see."""
        made = Sheet(self, name)
        made.file.hide()
        return made

    def finished(self) -> bytes:
        """Close the workbook and return the file."""
        self.file.close()
        return self._stream.getvalue()


class Sheet:
    """A sheet of a book, with the few ways of writing a cell that all sheets share.

    A style is a format, or the number kind of a table's cell.
    """

    def __init__(self, book: Book, name: str) -> None:
        self.book, self.name = book, name
        self.contents, self.where = book.contents, book.where
        self.file = book.file.add_worksheet(name)

    def _style(self, style: Any) -> Any:
        return self.book.line(style) if isinstance(style, str) else style

    def put(self, row: int, column: int, value: object, style: Any = None) -> None:
        """Write a value as what it is: text, number, truth value, or nothing for None and NaN."""
        style = self._style(style)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            self.file.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            self.file.write_string(row, column, "yes" if value else "no", style)
        elif isinstance(value, Real):
            self.file.write_number(row, column, value, style)
        else:
            self.file.write_string(row, column, str(value)[:MOST_TEXT], style)

    def row(self, row: int, values: Iterable[object], kinds: Iterable[str]) -> None:
        """Write a row of a table from its first column on, each value as its kind."""
        for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            self.put(row, column, value, kind)

    def numbers(self, row: int, column: int, values: Iterable[Iterable[float]]) -> None:
        """Write a matrix without a style."""
        for i, line in enumerate(values):
            for j, value in enumerate(line):
                self.file.write_number(row + i, column + j, float(value))

    def formula(
        self, row: int, column: int, formula: str, value: object, style: Any, name: str = ""
    ) -> None:
        """Write a formula with the value it has now, for readers which never calculate."""
        value = value.item() if hasattr(value, "item") else value
        shown = "" if value is None or value is pd.NA or value != value else value
        self.file.write_formula(row, column, formula, self._style(style), shown)
        if name:
            self.named(name, row, column)

    def heads(self, row: int, column: int, names: Sequence[str]) -> None:
        """Write a row of column headings outside an Excel table."""
        for offset, name in enumerate(names):
            self.file.write_string(row, column + offset, name, self.book.head(right=offset > 0))

    def table(
        self, name: str, first: int, rows: int, heads: Sequence[tuple[str, str]],
        *, frozen: int | None = None, height: int = 32,
    ) -> None:  # fmt: skip
        """Lay an Excel table over rows whose cells are written apart; heads are (name, kind).

        Its head, and so many columns of it, stay in sight where `frozen` tells how many.
        """
        columns = [
            {"header": head, "header_format": self.book.head(right=kind not in ("text", "wrap"))}
            for head, kind in heads
        ]
        last, right = first + max(rows, 1), len(heads) - 1
        self.file.set_row(first, height)
        if frozen is not None:
            self.file.freeze_panes(first + 1, frozen)
        self.file.repeat_rows(first)  # on every page
        self.file.print_area(0, 0, last, right)
        look = {"style": "Table Style Light 1", "autofilter": rows > 1, "banded_rows": False}
        self.file.add_table(first, 0, last, right, {"name": name, "columns": columns, **look})

    def tall(self, row: int, texts: Sequence[tuple[object, float]]) -> None:
        """Make a row as high as its wrapped texts need; each comes with its column's width.

        Programs fit a row to what is typed into it, not to what a file or a formula brings.
        """
        lines = [-(-len(str(text or "")) // max(int(width) - 3, 1)) for text, width in texts]
        self.file.set_row(row, 15.5 * min(max(1, *lines), 25))

    def named(self, name: str, row: int, column: int) -> None:
        """Give one cell a name in the whole workbook."""
        self.book.names[name] = cell(self.name, row, column)
        self.book.file.define_name(name, f"={self.book.names[name]}")

    @staticmethod
    def here(row: int, column: int) -> str:
        """Return the absolute address of a cell on the sheet itself."""
        return str(xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True))

    @staticmethod
    def series(name: object, block: tuple[str, int, int], x: int, y: int, **look: Any) -> Any:
        """Return a series for a chart: column y over x of a block (sheet, first row, last row)."""
        sheet, first, last = block
        ends = [[sheet, first, column, last, column] for column in (x, y)]
        return {"name": name, "categories": ends[0], "values": ends[1], **look}

    def chart(
        self, kind: dict[str, str], title: str, series: Iterable[dict[str, Any]], **font: bool
    ) -> Any:
        """Return a chart of these series, its title above and its legend below it."""
        made = self.book.file.add_chart(kind)
        for each in series:
            made.add_series(each)
        made.set_title({"name": title, "name_font": {"size": 13, **font}})
        made.set_legend({"position": "bottom"})
        return made

    def place(
        self, chart: Any, row: int, column: int, size: tuple[int, int], description: str
    ) -> None:
        """Lay a chart of this width and height, in pixels, over the sheet."""
        chart.set_size({"width": size[0], "height": size[1]})
        self.file.insert_chart(row, column, chart, {"description": description})
