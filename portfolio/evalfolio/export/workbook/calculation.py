r"""Hidden sheets: what the typed mix is worth, by the workbook's own formulas.

States are counted in their prior sd. For a mix x the information is
M = Σ⁻¹ + Fᵀ diag(x) F, where the rows of the hidden sheet Readings, K_o = F_oᵀF_o, are each counted
if their option is in the mix (one MMULT); the variance a decision sees explained is
v = cᵀΣc − cᵀM⁻¹c (MINVERSE), and its value G(v) is read from a table at even steps of
asin √(v / cᵀΣc), between which it is interpolated. Where its gap is skewed, value and chances are
those of its emulator, whose points are on the hidden sheet Emulators.

The hidden sheets Plans and Options hold the certified mixes by budget and numbers that formulas
read instead of names: a name such as `>5`, `*` or one of 300 characters would be read as a
condition. Evals, domains and tiers are numbered instead.
"""

from dataclasses import dataclass

import numpy as np
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from evalbayes import Decision
from evalbayes.arrays import Array
from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book, Sheet
from evalfolio.export.workbook.layout import Contents, Rows, cell, span
from evalfolio.limits.amount import evals, tier_share
from evalfolio.narrative import DEPTH, percent, two_digits
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.emulator import Emulator

PLAN_HEADS = ("budget in usd", "value", "bound", "gap", "evals", "mix", "hangs on", "menu rows ...")


def write_plans(book: Book) -> None:
    """Write one row per plan, by rising budget; unused places hold 0."""
    sheet, contents, plain = book.hidden("Plans"), book.contents, book.style()
    kind = contents.record.value.kind
    sheet.put(0, 0, f"{kind} plans by budget; the workbook looks the mix up here.")
    sheet.heads(at.PLANS_FIRST - 1, 0, PLAN_HEADS)
    last = at.PLANS_FIRST + len(contents.plans) - 1
    first = at.PLAN_ROWS + contents.most_rows
    for i, rows in enumerate([(), *contents.rows], start=-1):
        for column, figure in enumerate(np.ravel(contents.outcomes(rows)).tolist(), start=first):
            # a row before the first: with nothing run
            sheet.put(at.PLANS_FIRST + i, column, figure, plain)
            if i == contents.own:
                block = span("Plans", at.PLANS_FIRST - 1, column, last, column)
                here = f"=INDEX({block},plan_row+1)"
                decision, k = divmod(column - first, 4)
                name = f"shown_{('value', 'missed', 'needless', 'sd')[k]}_{decision + 1}"
                sheet.formula(last + 1, column, here, figure, plain, name)
    for i, (plan, rows) in enumerate(zip(contents.plans, contents.rows, strict=True)):
        figures = (plan.usd or 0.0, plan.value, plan.bound, plan.gap, len(rows))
        unused = [0] * (contents.most_rows - len(rows))
        for column, value in enumerate((*figures, *headline(contents, i), *rows, *unused)):
            sheet.put(at.PLANS_FIRST + i, column, value, plain)


def headline(contents: Contents, position: int) -> tuple[str, str]:
    """Return the two sentences at the head of Summary for one of the plans."""
    record, rows = contents.record, contents.rows[position]
    if position == contents.own:
        return record.words.mix, record.words.hangs_on
    names = [str(contents.options.index[i - 1]) for i in rows]
    deep = tier_share(contents.menu, names, DEPTH)
    mix = (
        f"Run {evals(len(names))} on {record.portfolio.ai_model} for an expected "
        f"${two_digits(contents.spend(rows, 'usd'))}, {percent(deep)} of it on maximum "
        "elicitation; which, the sheet Mix says."
    )
    if (share := record.value.share(contents.plans[position].value)) is None:
        return mix, ""
    return mix, f"It buys {percent(share)} of what perfect information is worth."


HEADS = ["in the mix", "in your mix", "eval", "domain", "tier", "value if dropped", "reason"]
HEADS += ["under other draws", "evals chosen twice", "who needs what is shared ..."]


def write_options(book: Book) -> None:
    """Write codes and membership of every option, and what shared purchases it needs."""
    sheet, contents, plain = book.hidden("Options"), book.contents, book.style()
    options, column = contents.options, book.where.options
    sheet.put(0, 0, "Numbers the formulas read.")
    sheet.heads(at.OPTIONS_FIRST - 1, 0, HEADS)
    codes = [(at.EVAL_CODE, "eval", list(options["eval"].unique()))]
    codes += [(at.DOMAIN_CODE, "domain", contents.domains), (at.TIER_CODE, "tier", contents.tiers)]
    told = {row.option: row for row in contents.record.choices}
    for i, (name, option) in enumerate(options.iterrows()):
        row, member = at.OPTIONS_FIRST + i, int(i + 1 in contents.chosen)
        # The mix sheet holds numbers of options, so membership follows the budget cell.
        sheet.formula(row, at.IN_MIX, f"=COUNTIF({book.where.mix('row')},{i + 1})", member, plain)
        typed = f"=N(Menu!{xl_rowcol_to_cell(at.MENU_FIRST + i, at.MENU_YOURS)})"
        sheet.formula(row, at.YOURS, typed, member, plain)
        for code, key, known in codes:
            sheet.put(row, code, 1 + known.index(option[key]))
        if (own := told.get(str(name))) is not None:
            for k, value in enumerate((own.value_if_dropped, own.reason, own.stands)):
                sheet.put(row, at.IF_DROPPED + k, value, plain)
        twice = (
            f"=IF(SUMIFS({column(at.YOURS)},{column(at.EVAL_CODE)},"
            f"{xl_rowcol_to_cell(row, at.EVAL_CODE)})>1,1,0)"
        )
        sheet.formula(row, at.TWICE, twice, 0, plain)
        for k, needs in enumerate(contents.menu.needs[i].tolist()):
            sheet.put(row, at.FIRST_NEED + k, needs)


STEPS = 400
EMULATORS_FIRST = 2  # first row of the hidden sheet Emulators; its plane's is the last


@dataclass(frozen=True)
class Belief:
    """One decision after a mix: what its formulas on the sheet Calculation give."""

    most: float
    """cᵀΣc, the most variance that results could explain."""
    explained: float
    angles: Array
    """Where the tables are read, in right angles: that whose sine squared is the share explained,
    or those z of an emulator. Even steps of it are fine near nothing and near all, where gains are
    steep."""
    value: float
    missed: float
    """Chance of danger missed."""
    needless: float
    """Chance of needless mitigation."""
    sd: float
    """Sd of y after the results, later gain included."""


def gain_tables(contents: Contents) -> Array:
    """Return G, P(danger missed) and P(needless mitigation) at even steps of the angle.

    Of shape (3, STEPS + 1, n_decisions); 0 for decisions with an emulator.
    """
    menu, share = contents.menu, np.sin(np.linspace(0.0, np.pi / 2, STEPS + 1)) ** 2
    tables = np.zeros((3, STEPS + 1, len(menu.decisions)))
    for d, (decision, own) in enumerate(zip(menu.decisions, contents.emulators, strict=True)):
        if own is None:
            value, explained = DecisionValue.of(menu, decision), share * _most(contents, decision)
            tables[0, :, d] = value.gain(explained)
            tables[1:, :, d] = value.wrong_calls(explained)
    return tables


def mix_belief(contents: Contents, rows: Rows) -> list[Belief]:
    """Return the belief about every decision after the options in these menu rows, from 1."""
    menu, posterior, beliefs = contents.menu, contents.left(rows), []
    tables, steps = gain_tables(contents), np.linspace(0.0, 1.0, STEPS + 1)
    for d, (decision, own) in enumerate(zip(menu.decisions, contents.emulators, strict=True)):
        most = _most(contents, decision)
        left = float(decision.contrast @ posterior @ decision.contrast)
        explained = min(max(most - left, 0.0), most)
        if own is None:
            known = explained / most if most > 0 else 0.0
            angles = np.array([np.arcsin(min(known, 1.0) ** 0.5) / (np.pi / 2)])
            value, missed, needless = (float(np.interp(angles[0], steps, t[:, d])) for t in tables)
        else:
            angles = own.places(posterior)
            value, missed, needless = own.at(angles).tolist()
        sd = float((most - explained + decision.later_gain_sd**2) ** 0.5)
        beliefs.append(Belief(most, explained, angles, value, missed, needless, sd))
    return beliefs


def _most(contents: Contents, decision: Decision) -> float:
    return float(decision.contrast @ contents.menu.prior_covariance @ decision.contrast)


def write_calculation(book: Book) -> None:
    """Write the belief, then for the mix typed on Menu the inverse of M and the values."""
    sheet, contents, menu = book.hidden("Calculation"), book.contents, book.contents.menu
    n, scale = len(menu.states), contents.scale
    precision = np.asarray(np.linalg.inv(menu.prior_covariance / np.outer(scale, scale)), float)
    lines = [decision.contrast for decision in menu.decisions]
    lines += [line for own in contents.emulators if own is not None for line in own.lines]
    contrasts = np.array(lines) * scale
    sheet.put(0, 0, "Value of the mix typed on Menu.")
    sheet.put(1, 0, "Inverse of the prior covariance, states in units of their prior sd")
    prior_row = 2
    for j, state in enumerate(menu.states):
        sheet.put(prior_row, 1 + j, state)
        sheet.put(prior_row + 1 + j, 0, state)
    sheet.numbers(prior_row + 1, 1, precision)
    contrast_row = prior_row + n + 2
    sheet.put(contrast_row, 0, "Contrasts of the decisions, then of their emulators")
    sheet.numbers(contrast_row + 1, 1, contrasts)
    table_row = contrast_row + len(contrasts) + 2
    sheet.put(table_row, 0, "Angle of what is known; value; danger missed; needless mitigation")
    names = [decision.name for decision in menu.decisions]
    sheet.heads(table_row + 1, 0, ["angle", *names, *names, *names])
    angles = np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    sheet.numbers(table_row + 2, 0, np.hstack([angles, *gain_tables(contents)]))
    row = table_row + STEPS + 4
    told = menu.information[[i - 1 for i in contents.chosen]].sum(axis=0)
    sheet.put(row, 0, "The mix typed on Menu")
    cells = _Block(row + 1, n, prior_row + 1, contrast_row + 1, table_row + 2)
    _write_inverse(sheet, cells, np.linalg.inv(precision + told * np.outer(scale, scale)))
    _write_values(sheet, cells)


@dataclass(frozen=True)
class _Block:
    """Rows of one mix's calculation, from 0, and how many states there are."""

    inverse: int
    n: int
    prior: int
    contrasts: int
    table: int

    @property
    def values(self) -> int:
        return self.inverse + self.n + 2


def write_readings(book: Book) -> None:
    """Write the option of every row, whether it is in the mix typed on Menu, and F."""
    sheet, contents, first = book.hidden("Readings"), book.contents, at.READINGS_FIRST
    sheet.put(0, 0, "What options read, row by row: states in units of their prior sd.")
    sheet.heads(first - 1, 0, ["option", "in your mix"])
    yours = book.where.options(at.YOURS)
    for row, (option, told) in enumerate(zip(*contents.readings, strict=True), start=first):
        number = int(option) + 1
        sheet.put(row, 0, number)
        formula = f"=INDEX({yours},{xl_rowcol_to_cell(row, 0)})"
        sheet.formula(row, 1, formula, int(number in contents.chosen), book.style())
        for j in np.flatnonzero(told):
            sheet.put(row, 2 + int(j), float(f"{told[j]:.9g}"))


def _write_inverse(sheet: Sheet, cells: _Block, inverse: Array) -> None:
    """Write the inverse of M as one array formula, with the values it has now."""
    plain, n, where = sheet.book.style(), cells.n, sheet.where
    prior, f = xl_range_abs(cells.prior, 1, cells.prior + n - 1, n), where.readings(2, n)
    # Times 1, as an empty cell, which stands for 0, is no number to MMULT.
    formula = f"{{=MINVERSE({prior}+MMULT(TRANSPOSE({f}*{where.readings(1)}),{f}*1))}}"
    last = cells.inverse + n - 1
    sheet.file.write_array_formula(cells.inverse, 1, last, n, formula, plain, float(inverse[0, 0]))
    for i, j in np.ndindex(n, n):
        if (i, j) != (0, 0):  # XlsxWriter takes the value of the first cell only
            sheet.put(cells.inverse + i, 1 + j, float(inverse[i, j]), plain)


def _write_values(sheet: Sheet, cells: _Block) -> None:
    """Write variance explained, value and wrong calls of every decision, and the total value."""
    contents, plain = sheet.contents, sheet.book.style()
    beliefs = mix_belief(contents, contents.chosen)
    n_decisions = len(beliefs)
    heads = ["decision", "variance", "explained", "angle", "value", "danger missed"]
    heads += ["needless mitigation", "sd after"]
    widest = max((len(own.whole) for own in contents.emulators if own is not None), default=0)
    heads += [f"z {k + 1}" for k in range(widest)]
    sheet.heads(cells.values - 1, 0, heads)
    block = xl_range_abs(cells.inverse, 1, cells.inverse + cells.n - 1, cells.n)

    def left(contrast: int) -> str:
        line = xl_range_abs(cells.contrasts + contrast, 1, cells.contrasts + contrast, cells.n)
        return f"SUMPRODUCT(MMULT({line},{block}),{line})"

    emulated, column = n_decisions, 0  # next line among the contrasts, next column of Emulators
    for d, (decision, belief) in enumerate(zip(contents.menu.decisions, beliefs, strict=True)):
        row, own, later = cells.values + d, contents.emulators[d], decision.later_gain_sd**2
        most, explained, angle = (xl_rowcol_to_cell(row, k) for k in (1, 2, 3))
        sheet.put(row, 0, decision.name)
        sheet.put(row, 1, belief.most)
        formula = f"=MIN(MAX({most}-{left(d)},0),{most})"
        sheet.formula(row, 2, formula, belief.explained, plain)
        if own is None:
            known = f"IF({most}>0,{explained}/{most},0)"
            formula = f"=ASIN(SQRT(MIN({known},1)))*2/PI()"
            sheet.formula(row, 3, formula, float(belief.angles[0]), plain)
            told = [_interpolation(cells, 1 + k * n_decisions + d, angle) for k in range(3)]
        else:
            for k, (whole, size) in enumerate(zip(own.whole, own.sizes, strict=True)):
                share = f"MIN(MAX({left(emulated + k)}/{whole:.17g},0),1)"
                formula = f"={size:.17g}*ACOS(SQRT({share}))*2/PI()"
                sheet.formula(row, 8 + k, formula, float(belief.angles[k]), plain)
            z = [xl_rowcol_to_cell(row, 8 + k) for k in range(len(own.whole))]
            told = _emulated(own, z, column)
            emulated, column = emulated + len(z), column + len(z) + 3
        for k, figure in enumerate((belief.value, belief.missed, belief.needless)):
            sheet.formula(row, 4 + k, told[k], figure, plain)
        sheet.formula(row, 7, f"=SQRT({most}-{explained}+{later:.17g})", belief.sd, plain)
        for k, stem in enumerate(("value", "missed", "needless", "sd")):
            sheet.named(f"typed_{stem}_{d + 1}", row, 4 + k)
    total, worth = cells.values + n_decisions, sum(belief.value for belief in beliefs)
    sheet.put(total, 0, "total value")
    formula = f"=SUM({xl_range_abs(cells.values, 4, total - 1, 4)})"
    sheet.formula(total, 4, formula, worth, plain, "typed_value")


def _interpolation(cells: _Block, column: int, angle: str) -> str:
    """Return the formula that reads a table of even steps between its rows."""
    span = xl_range_abs(cells.table, column, cells.table + STEPS, column)
    step = f"MIN(INT({angle}*{STEPS}),{STEPS - 1})"
    low, high = f"INDEX({span},{step}+1)", f"INDEX({span},{step}+2)"
    return f"={low}+({angle}*{STEPS}-{step})*({high}-{low})"


def write_emulators(book: Book) -> None:
    """Write z, then what each counts in value and both wrong calls, and the plane in rows below."""
    sheet, contents = book.hidden("Emulators"), book.contents
    sheet.put(0, 0, "Points between which the decisions with a skewed gap are told.")
    column = 0
    for decision, own in zip(contents.menu.decisions, contents.emulators, strict=True):
        if own is None:
            continue
        k, n = len(own.whole), len(own.centres)
        heads = [*(f"z {j + 1}" for j in range(k)), "value", "danger missed", "needless mitigation"]
        sheet.heads(EMULATORS_FIRST - 1, column, [f"{decision.name}, {h}" for h in heads])
        sheet.numbers(EMULATORS_FIRST, column, np.hstack([own.centres, own.weights]))
        sheet.numbers(EMULATORS_FIRST + n, column + k, own.plane)
        column += k + 3


def _emulated(own: Emulator, z: list[str], column: int) -> list[str]:
    """Return the formulas of value and both wrong calls at these cells of z."""
    n, k, first = len(own.centres), len(z), EMULATORS_FIRST

    def block(at: int) -> str:
        return span("Emulators", first, column + at, first + n - 1, column + at)

    far = "+".join(f"({z[j]}-{block(j)})^2" for j in range(k))
    told = []
    for kind in range(k, k + 3):
        plane = [cell("Emulators", first + n + j, column + kind) for j in range(1 + k)]
        flat = "+".join([plane[0], *(f"{b}*{each}" for b, each in zip(plane[1:], z, strict=True))])
        told.append(f"=MAX({flat}+SUMPRODUCT({block(kind)},({far})^1.5),0)^2")
    return told
