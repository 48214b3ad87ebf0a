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

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from evalbayes.arrays import Array, Positions
from evalfolio.export.workbook import layout as at
from evalfolio.export.workbook.book import Book
from evalfolio.export.workbook.layout import OPTIONS_FIRST, PLAN_ROWS, PLANS_FIRST, Contents, Layout
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH, percent, two_digits
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.emulator import Emulator, emulator
from evalfolio.value.skew.stand_in import lefts

PLAN_HEADS = ("budget in usd", "value", "bound", "gap", "evals", "mix", "hangs on", "menu rows ...")


def write_plans(book: Book, sheet: Any, contents: Contents) -> None:
    """Write one row per plan, by rising budget; unused places hold 0."""
    kind = contents.record.value.kind
    sheet.write_string(0, 0, f"{kind} plans by budget; the workbook looks the mix up here.")
    book.heads(sheet, PLANS_FIRST - 1, 0, PLAN_HEADS)
    plain = book.style()
    last = PLANS_FIRST + len(contents.plans) - 1
    first = PLAN_ROWS + contents.most_rows
    for i in range(-1, len(contents.plans)):
        outcomes = np.ravel(contents.outcomes(i)).tolist()
        for column, figure in enumerate(outcomes):  # a row before the first: with nothing run
            sheet.write_number(PLANS_FIRST + i, first + column, figure, plain)
        if i == contents.own:
            for column, figure in enumerate(outcomes):
                span = book.span("Plans", PLANS_FIRST - 1, first + column, last, first + column)
                here = f"=INDEX({span},plan_row+1)"
                book.formula(sheet, last + 1, first + column, here, figure, plain)
                stem = ("value", "missed", "needless", "sd")[column % 4]
                book.name(f"shown_{stem}_{column // 4 + 1}", "Plans", last + 1, first + column)
    for i, plan in enumerate(contents.plans):
        row = PLANS_FIRST + i
        figures = (plan.budget or 0.0, plan.value, plan.bound, plan.gap, len(plan.rows))
        head = (*figures, *headline(contents, i))
        for column, value in enumerate(head):
            book.put(sheet, row, column, value, plain)
        for k in range(contents.most_rows):
            option = plan.rows[k] if k < len(plan.rows) else 0
            sheet.write_number(row, PLAN_ROWS + k, option, plain)


def headline(contents: Contents, position: int) -> tuple[str, str]:
    """Return the two sentences at the head of Summary for one of the plans."""
    record, plan = contents.record, contents.plans[position]
    if position == contents.own:
        return record.words.mix, record.words.hangs_on
    names = [str(contents.options.index[i - 1]) for i in plan.rows]
    deep = tier_share(contents.menu, names, DEPTH)
    evals = "eval" if len(names) == 1 else "evals"
    mix = (
        f"Run {len(names)} {evals} on {record.portfolio.ai_model} for an expected "
        f"${two_digits(contents.spend(plan, 'usd'))}, {percent(deep)} of it on maximum "
        "elicitation; which, the sheet Mix says."
    )
    share = record.value.share(plan.value)
    told = (
        "" if share is None else f"It buys {percent(share)} of what perfect information is worth."
    )
    return mix, told


HEADS = (
    "in the mix",
    "in your mix",
    "eval",
    "domain",
    "tier",
    "value if dropped",
    "reason",
    "under other draws",
    "evals chosen twice",
    "who needs what is shared ...",
)


def state_scale(contents: Contents) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the prior sd of every state, the unit in which the hidden sheets count it."""
    return np.asarray(np.sqrt(np.diag(contents.menu.prior_covariance)))


def write_options(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write codes and membership of every option, and what shared purchases it needs."""
    options, record = contents.options, contents.record
    sheet.write_string(0, 0, "Numbers the formulas read.")
    book.heads(sheet, OPTIONS_FIRST - 1, 0, HEADS)
    evals = {name: i + 1 for i, name in enumerate(options["eval"].unique())}
    domains = {name: i + 1 for i, name in enumerate(contents.domains)}
    tiers = {name: i + 1 for i, name in enumerate(contents.tiers)}
    rows = {row.option: row for row in record.choices}
    chosen = set(contents.plans[contents.own].rows)
    plain = book.style()
    for i, (name, option) in enumerate(options.iterrows()):
        row = OPTIONS_FIRST + i
        member = int(i + 1 in chosen)
        # The mix sheet holds numbers of options, so membership follows the budget cell.
        formula = f"=COUNTIF({where.mix('row')},{i + 1})"
        book.formula(sheet, row, at.IN_MIX, formula, member, plain)
        typed = f"=N(Menu!{xl_rowcol_to_cell(at.MENU_FIRST + i, at.MENU_YOURS)})"
        book.formula(sheet, row, at.YOURS, typed, member, plain)
        sheet.write_number(row, at.EVAL_CODE, evals[option["eval"]])
        sheet.write_number(row, at.DOMAIN_CODE, domains[option["domain"]])
        sheet.write_number(row, at.TIER_CODE, tiers[option["tier"]])
        told = rows.get(str(name))
        if told is not None:
            book.put(sheet, row, at.IF_DROPPED, told.value_if_dropped, plain)
            book.put(sheet, row, at.REASON, told.reason, plain)
            book.put(sheet, row, at.STANDS, told.stands or None, plain)
        twice = (
            f"=IF(SUMIFS({where.options(at.YOURS)},{where.options(at.EVAL_CODE)},"
            f"{xl_rowcol_to_cell(row, at.EVAL_CODE)})>1,1,0)"
        )
        book.formula(sheet, row, at.TWICE, twice, 0, plain)
        for k, needs in enumerate(contents.menu.needs[i].tolist()):
            sheet.write_number(row, at.FIRST_NEED + k, needs)


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


def emulators(contents: Contents) -> list[Emulator | None]:
    """Return every decision's emulator, exact for the plan's own mix; None without a skewed gap."""
    menu = contents.menu
    calls = [calls_of(menu, decision) for decision in menu.decisions]
    if not any(calls):
        return [None] * len(calls)
    precision = np.linalg.inv(menu.prior_covariance)
    alone = np.asarray(np.linalg.inv(precision + menu.information), dtype=np.float64)
    own = _left(contents, contents.plans[contents.own].rows)
    mixes = np.concatenate([own[None], lefts(menu)])
    return [None if each is None else emulator(each, mixes, alone) for each in calls]


def gain_tables(contents: Contents) -> Array:
    """Return G, P(danger missed) and P(needless mitigation) at even steps of the angle.

    Of shape (3, STEPS + 1, n_decisions); 0 for decisions with an emulator.
    """
    share = np.sin(np.linspace(0.0, np.pi / 2, STEPS + 1)) ** 2
    tables = np.zeros((3, STEPS + 1, len(contents.menu.decisions)))
    for d, (decision, own) in enumerate(
        zip(contents.menu.decisions, contents.emulators, strict=True)
    ):
        if own is None:
            value, explained = (
                DecisionValue.of(contents.menu, decision),
                share * _most(contents, decision.contrast),
            )
            tables[0, :, d] = value.gain(explained)
            tables[1:, :, d] = value.wrong_calls(explained)
    return tables


def mix_belief(contents: Contents, rows: Iterable[int]) -> list[Belief]:
    """Return the belief about every decision after the options in these menu rows, from 1."""
    menu, posterior = contents.menu, _left(contents, rows)
    tables = gain_tables(contents)
    steps = np.linspace(0.0, 1.0, STEPS + 1)
    beliefs = []
    for d, (decision, own) in enumerate(zip(menu.decisions, contents.emulators, strict=True)):
        most = _most(contents, decision.contrast)
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


def _left(contents: Contents, rows: Iterable[int]) -> Array:
    """Return the covariance of the states after the options in these menu rows, from 1."""
    precision = np.linalg.inv(contents.menu.prior_covariance)
    return np.asarray(
        np.linalg.inv(precision + contents.menu.information[[i - 1 for i in rows]].sum(axis=0))
    )


def _most(contents: Contents, contrast: Array) -> float:
    return float(contrast @ contents.menu.prior_covariance @ contrast)


def write_calculation(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write the belief, then for the mix typed on Menu the inverse of M and the values."""
    menu = contents.menu
    n = len(menu.states)
    scale = state_scale(contents)
    precision = np.asarray(np.linalg.inv(menu.prior_covariance / np.outer(scale, scale)), float)
    lines = [decision.contrast for decision in menu.decisions]
    lines += [line for own in contents.emulators if own is not None for line in own.lines]
    contrasts = np.array(lines) * scale
    sheet.write_string(0, 0, "Value of the mix typed on Menu.")
    sheet.write_string(1, 0, "Inverse of the prior covariance, states in units of their prior sd")
    prior_row = 2
    for j, state in enumerate(menu.states):
        sheet.write_string(prior_row, 1 + j, state)
        sheet.write_string(prior_row + 1 + j, 0, state)
    _numbers(sheet, prior_row + 1, 1, precision)
    contrast_row = prior_row + n + 2
    sheet.write_string(contrast_row, 0, "Contrasts of the decisions, then of their emulators")
    _numbers(sheet, contrast_row + 1, 1, contrasts)
    table_row = contrast_row + len(contrasts) + 2
    row = _write_gain_table(book, sheet, contents, table_row)
    chosen = contents.plans[contents.own].rows
    beliefs = mix_belief(contents, chosen)
    own = [i - 1 for i in chosen]
    information = menu.information[own].sum(axis=0) * np.outer(scale, scale)
    inverse = np.linalg.inv(precision + information)
    sheet.write_string(row, 0, "The mix typed on Menu")
    cells = _Block(row + 1, n, prior_row + 1, contrast_row + 1, table_row + 2)
    _write_inverse(book, sheet, cells, where.readings(1), where, inverse)
    _write_values(book, sheet, cells, contents, beliefs, "typed")


class _Block:
    """Rows of one mix's calculation, from 0."""

    def __init__(self, first: int, n: int, prior: int, contrasts: int, table: int) -> None:
        self.n, self.prior, self.contrasts, self.table = n, prior, contrasts, table
        self.inverse = first
        self.values = self.inverse + n + 2


def _numbers(sheet: Any, row: int, column: int, values: Array) -> None:
    for i, line in enumerate(values):
        for j, value in enumerate(line):
            sheet.write_number(row + i, column + j, float(value))


def _write_gain_table(book: Book, sheet: Any, contents: Contents, row: int) -> int:
    """Write G and the chances of both wrong calls at even steps of √v; return the row after."""
    tables = gain_tables(contents)
    sheet.write_string(row, 0, "Angle of what is known; value; danger missed; needless mitigation")
    names = [decision.name for decision in contents.menu.decisions]
    book.heads(sheet, row + 1, 0, ["angle", *names, *names, *names])
    angles = np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    _numbers(sheet, row + 2, 0, np.hstack([angles, *tables]))
    return row + STEPS + 4


def readings(contents: Contents) -> tuple[Positions, Array]:
    """Return the rows F_o of all options, K_o = F_oᵀF_o, and the position of each row's option.

    An option has as many rows as it reads independent things, few: states in prior sd.
    """
    scale = state_scale(contents)
    sizes, axes = np.linalg.eigh(contents.menu.information * np.outer(scale, scale))
    least = 1e-10 * sizes.max(axis=1, initial=0.0, keepdims=True)
    option, place = np.nonzero((sizes > least) & (sizes > 1e-12))
    rows = np.sqrt(sizes[option, place])[:, None] * axes[option, :, place]
    return option, np.where(np.abs(rows) > 1e-9 * np.abs(rows).max(initial=0.0), rows, 0.0)


def write_readings(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write the option of every row, whether it is in the mix typed on Menu, and F."""
    sheet.write_string(0, 0, "What options read, row by row: states in units of their prior sd.")
    book.heads(sheet, at.READINGS_FIRST - 1, 0, ["option", "in your mix"])
    chosen, plain = set(contents.plans[contents.own].rows), book.style()
    for i, (option, row) in enumerate(zip(*contents.readings, strict=True)):
        sheet.write_number(at.READINGS_FIRST + i, 0, option + 1)
        here = xl_rowcol_to_cell(at.READINGS_FIRST + i, 0)
        formula, member = f"=INDEX({where.options(at.YOURS)},{here})", int(option + 1 in chosen)
        book.formula(sheet, at.READINGS_FIRST + i, 1, formula, member, plain)
        for j in np.flatnonzero(row):
            sheet.write_number(at.READINGS_FIRST + i, 2 + j, float(f"{row[j]:.9g}"))


def _write_inverse(
    book: Book, sheet: Any, cells: _Block, counted: str, where: Layout, inverse: Array
) -> None:
    """Write the inverse of M as one array formula, with the values it has now."""
    plain, n = book.style(), cells.n
    prior, f = xl_range_abs(cells.prior, 1, cells.prior + n - 1, n), where.readings(2, n)
    # Times 1, as an empty cell, which stands for 0, is no number to MMULT.
    formula = f"{{=MINVERSE({prior}+MMULT(TRANSPOSE({f}*{counted}),{f}*1))}}"
    last = cells.inverse + n - 1
    sheet.write_array_formula(cells.inverse, 1, last, n, formula, plain, float(inverse[0, 0]))
    for i in range(n):
        for j in range(n):
            if (i, j) != (0, 0):  # XlsxWriter takes the value of the first cell only
                sheet.write_number(cells.inverse + i, 1 + j, float(inverse[i, j]), plain)


def _write_values(
    book: Book, sheet: Any, cells: _Block, contents: Contents, beliefs: list[Belief], name: str
) -> None:
    """Write variance explained, value and wrong calls of every decision, and the total value."""
    plain = book.style()
    n_decisions = len(beliefs)
    heads = ["decision", "variance", "explained", "angle", "value", "danger missed"]
    heads += ["needless mitigation", "sd after"]
    widest = max((len(own.whole) for own in contents.emulators if own is not None), default=0)
    heads += [f"z {k + 1}" for k in range(widest)]
    book.heads(sheet, cells.values - 1, 0, heads)
    block = xl_range_abs(cells.inverse, 1, cells.inverse + cells.n - 1, cells.n)

    def left(contrast: int) -> str:
        line = xl_range_abs(cells.contrasts + contrast, 1, cells.contrasts + contrast, cells.n)
        return f"SUMPRODUCT(MMULT({line},{block}),{line})"

    emulated, column = n_decisions, 0  # next line among the contrasts, next column of Emulators
    for d, (decision, belief) in enumerate(zip(contents.menu.decisions, beliefs, strict=True)):
        row, own = cells.values + d, contents.emulators[d]
        most, explained, angle = (xl_rowcol_to_cell(row, k) for k in (1, 2, 3))
        sheet.write_string(row, 0, decision.name)
        sheet.write_number(row, 1, belief.most)
        later = f"{decision.later_gain_sd**2:.17g}"
        formula = f"=MIN(MAX({most}-{left(d)},0),{most})"
        book.formula(sheet, row, 2, formula, belief.explained, plain)
        if own is None:
            known = f"IF({most}>0,{explained}/{most},0)"
            formula = f"=ASIN(SQRT(MIN({known},1)))*2/PI()"
            book.formula(sheet, row, 3, formula, float(belief.angles[0]), plain)
            told = [_interpolation(cells, 1 + k * n_decisions + d, angle) for k in range(3)]
        else:
            for k, whole in enumerate(own.whole):
                formula = f"=ACOS(SQRT(MIN(MAX({left(emulated + k)}/{whole:.17g},0),1)))*2/PI()"
                book.formula(sheet, row, 8 + k, formula, float(belief.angles[k]), plain)
            z = [xl_rowcol_to_cell(row, 8 + k) for k in range(len(own.whole))]
            told = _emulated(own, z, column)
            emulated, column = emulated + len(z), column + len(z) + 3
        for k, figure in enumerate((belief.value, belief.missed, belief.needless)):
            book.formula(sheet, row, 4 + k, told[k], figure, plain)
        book.formula(sheet, row, 7, f"=SQRT({most}-{explained}+{later})", belief.sd, plain)
        for k, stem in enumerate(("value", "missed", "needless", "sd")):
            book.name(f"{name}_{stem}_{d + 1}", "Calculation", row, 4 + k)
    total = cells.values + n_decisions
    sheet.write_string(total, 0, "total value")
    formula = f"=SUM({xl_range_abs(cells.values, 4, total - 1, 4)})"
    book.formula(sheet, total, 4, formula, sum(belief.value for belief in beliefs), plain)
    book.name(f"{name}_value", "Calculation", total, 4)


def _interpolation(cells: _Block, column: int, angle: str) -> str:
    """Return the formula that reads a table of even steps between its rows."""
    span = xl_range_abs(cells.table, column, cells.table + STEPS, column)
    step = f"MIN(INT({angle}*{STEPS}),{STEPS - 1})"
    low, high = f"INDEX({span},{step}+1)", f"INDEX({span},{step}+2)"
    return f"={low}+({angle}*{STEPS}-{step})*({high}-{low})"


def write_emulators(book: Book, sheet: Any, contents: Contents) -> None:
    """Write z, then what each counts in value and both wrong calls, and the plane in rows below."""
    sheet.write_string(0, 0, "Points between which the decisions with a skewed gap are told.")
    column = 0
    for decision, own in zip(contents.menu.decisions, contents.emulators, strict=True):
        if own is None:
            continue
        k, n = len(own.whole), len(own.centres)
        heads = [*(f"z {j + 1}" for j in range(k)), "value", "danger missed", "needless mitigation"]
        book.heads(sheet, EMULATORS_FIRST - 1, column, [f"{decision.name}, {h}" for h in heads])
        _numbers(sheet, EMULATORS_FIRST, column, np.hstack([own.centres, own.weights]))
        _numbers(sheet, EMULATORS_FIRST + n, column + k, own.plane)
        column += k + 3


def _emulated(own: Emulator, z: list[str], column: int) -> list[str]:
    """Return the formulas of value and both wrong calls at these cells of z."""
    n, k, first = len(own.centres), len(z), EMULATORS_FIRST

    def span(at: int) -> str:
        return Book.span("Emulators", first, column + at, first + n - 1, column + at)

    far = "+".join(f"({z[j]}-{span(j)})^2" for j in range(k))
    told = []
    for kind in range(k, k + 3):
        plane = [Book.cell("Emulators", first + n + j, column + kind) for j in range(1 + k)]
        flat = "+".join([plane[0], *(f"{b}*{each}" for b, each in zip(plane[1:], z, strict=True))])
        told.append(f"=MAX({flat}+SUMPRODUCT({span(kind)},({far})^1.5),0)^2")
    return told
