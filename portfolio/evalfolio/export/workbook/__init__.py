"""The plan as a workbook that recalculates: `plan.xlsx`, written sheet by sheet."""

from pathlib import Path

from evalbayes.whole import whole_file
from evalfolio.export.exportable import Exportable
from evalfolio.export.workbook.layout import Contents


def write_workbook(recommendation: Exportable, path: str | Path) -> Path:
    """Write the workbook of a recommendation, whole or not at all; return its path.

    Every total and share is a formula that also carries its value, so readers that never calculate
    show the same figures. Figures for other workbooks have names, told on the sheet Names, and the
    tables mix, domains, menu, frontier, assumptions, names, provenance and, where there are such,
    shared and sensitivity. Typing another budget on Summary looks up the certified mix of the
    nearest budget not above it. InputError if the place cannot be written to.
    """
    from evalfolio.export.workbook.book import Book
    from evalfolio.export.workbook.calculation import (
        write_calculation,
        write_emulators,
        write_options,
        write_plans,
        write_readings,
    )
    from evalfolio.export.workbook.domains import write_domains
    from evalfolio.export.workbook.growth import write_growth
    from evalfolio.export.workbook.mix import write_menu, write_mix, write_shared
    from evalfolio.export.workbook.reference import (
        write_accounts,
        write_assumptions,
        write_names,
        write_provenance,
    )
    from evalfolio.export.workbook.sensitivity import write_frontier, write_sensitivity
    from evalfolio.export.workbook.summary import write_summary

    contents = Contents(recommendation.record, recommendation.menu)
    book = Book(contents)
    writers = [write_summary, write_mix, write_domains, write_frontier, write_sensitivity]
    writers += [write_growth, write_accounts, write_assumptions, write_menu]
    writers += [write_shared] if contents.menu.following else []
    writers += [write_provenance, write_plans, write_options]
    writers += [write_readings, write_calculation] if contents.live else []
    writers += [write_emulators] if contents.live and any(contents.emulators) else []
    for write in (*writers, write_names):
        write(book)
    with whole_file(path) as partial:
        partial.write_bytes(book.finished())
    return Path(path)
