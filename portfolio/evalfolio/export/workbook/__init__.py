"""The plan as a workbook that recalculates: `plan.xlsx`, written sheet by sheet."""

from pathlib import Path

from evalbayes.whole import write_whole
from evalfolio.export.exportable import Exportable
from evalfolio.export.workbook import calculation as live
from evalfolio.export.workbook import growth, mix, reference, sensitivity
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.domains import write_domains
from evalfolio.export.workbook.layout import Contents
from evalfolio.export.workbook.summary import write_summary


def write_workbook(recommendation: Exportable, path: str | Path) -> Path:
    """Write the workbook of a recommendation, whole or not at all; return its path.

    Every total and share is a formula that also carries its value, so readers that never calculate
    show the same figures. Figures for other workbooks have names, told on the sheet Names, and the
    tables mix, domains, menu, frontier, assumptions, names, provenance and, where there are such,
    shared and sensitivity. Typing another budget on Summary looks up the certified mix of the
    nearest budget not above it. InputError if the place cannot be written to.
    """
    contents = Contents(recommendation.record, recommendation.menu)
    book = Book(contents)
    writers = [write_summary, mix.write_mix, write_domains, sensitivity.write_frontier]
    writers += [sensitivity.write_sensitivity, growth.write_growth, reference.write_accounts]
    writers += [reference.write_assumptions, mix.write_menu]
    writers += [mix.write_shared] if contents.menu.following else []
    writers += [reference.write_provenance, live.write_plans, live.write_options]
    writers += [live.write_readings, live.write_calculation] if contents.live else []
    writers += [live.write_emulators] if contents.live and any(contents.emulators) else []
    for write in (*writers, reference.write_names):
        write(book)
    return write_whole(Path(path), book.finished())
