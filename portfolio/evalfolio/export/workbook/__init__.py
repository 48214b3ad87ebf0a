"""The plan as a workbook that recalculates: `plan.xlsx`, written sheet by sheet."""

from pathlib import Path

from evalbayes.whole import whole_file
from evalfolio.export.exportable import Exportable
from evalfolio.export.workbook.layout import Contents, Layout


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
    from evalfolio.export.workbook.mix import write_menu, write_mix, write_shared
    from evalfolio.export.workbook.reference import (
        write_accounts,
        write_assumptions,
        write_names,
        write_provenance,
    )
    from evalfolio.export.workbook.sensitivity import write_frontier, write_sensitivity
    from evalfolio.export.workbook.summary import write_summary

    record = recommendation.record
    contents = Contents.of(record, recommendation.menu)
    where = Layout(contents)
    book = Book(record.value.unit)
    write_summary(book, contents, where).activate()
    write_mix(book, contents, where)
    write_domains(book, contents, where)
    write_frontier(book, contents)
    write_sensitivity(book, contents)
    write_accounts(book, contents)
    write_assumptions(book, contents)
    write_menu(book, contents, where)
    if contents.menu.shared:
        write_shared(book, contents, where)
    write_provenance(book, contents)
    write_plans(book, book.hidden("Plans"), contents)
    write_options(book, book.hidden("Options"), contents, where)
    if contents.live:
        write_readings(book, book.hidden("Readings"), contents, where)
        write_calculation(book, book.hidden("Calculation"), contents, where)
        if any(contents.emulators):
            write_emulators(book, book.hidden("Emulators"), contents)
    write_names(book, contents)
    with whole_file(path) as partial:
        partial.write_bytes(book.finished())
    return Path(path)
