"""Sheet Growth: what a year costs, live on the growth rates, which are cells to type in."""

from math import prod

from evalfolio.export.workbook.book import INPUT, Book

FIRST = 4  # row of the first driver
KINDS = ("text", "unit", "unit", "unit", "wrap")


def write_growth(book: Book) -> None:
    """Write a row per driver with its factor a year, and what each cost comes to by year.

    No sheet where `evalfolio forecast` has not been run.
    """
    if (found := book.contents.record.outlook) is None:
        return
    sources, costs, years = found["sources"], found["costs"], found["totals"]["year"].tolist()
    sheet = book.sheet(
        "Growth",
        "What a year costs, on growth rates of your own",
        "Type over a factor a year: a cost grows by the product of its own. Medians, no bands.",
        [30, *[18] * max(len(years), 3), 60],
    )
    sheet.heads(FIRST - 1, 0, ("Driver", "Factor a year", "From (90 %)", "To", "Source"))
    rate, cell = {}, {}
    for r, row in enumerate(sources.to_dict("records"), start=FIRST):
        name, middle = row["driver"], (row["low"] * row["high"]) ** 0.5
        sheet.row(r, (name, middle, row["low"], row["high"], row["source"]), KINDS)
        sheet.put(r, 1, middle, book.line("unit", bg_color=INPUT))
        rate[name], cell[name] = middle, sheet.here(r, 1)
    rate["tokens"] = rate["task_length"] ** rate["exponent"]
    cell["tokens"] = f"{cell['task_length']}^{cell['exponent']}"
    rate["answer_price"] = rate["frontier_price"] / rate["output_length"]
    cell["answer_price"] = f"{cell['frontier_price']}/{cell['output_length']}"
    head = FIRST + len(sources) + 2
    sheet.heads(head - 1, 0, ("USD a year, in year", *map(str, years)))
    last = head + len(costs) - 1
    sums = [0.0] * len(years)
    for r, row in enumerate(costs.to_dict("records"), start=head):
        names = row["drivers"].split(" × ")
        product = "*".join(cell[name] for name in names)
        sheet.row(r, (row["cost"], row["usd"]), ("text", "usd"))
        for k, year in enumerate(years):
            usd = row["usd"] * prod(rate[name] for name in names) ** year
            sums[k] += usd
            if k:
                sheet.formula(r, 1 + k, f"={sheet.here(r, 1)}*({product})^{year}", usd, "usd")
    sheet.put(last + 1, 0, "In all", "text")
    for k, total in enumerate(sums):
        ends = f"{sheet.here(head, 1 + k)}:{sheet.here(last, 1 + k)}"
        sheet.formula(last + 1, 1 + k, f"=SUM({ends})", total, "usd")
