r"""Hidden sheets: what the typed mix is worth, by the workbook's own formulas.

States are counted in their prior sd. For a mix x the information is
M = Σ⁻¹ + Fᵀ diag(x) F, where the rows of the hidden sheet Readings, K_o = F_oᵀF_o, are each counted
if their option is in the mix (one MMULT); the variance a decision sees explained is
v = cᵀΣc − cᵀM⁻¹c (MINVERSE), and its value G(v) is read from a table at even steps of
asin √(v / cᵀΣc), between which it is interpolated. Where its gap is skewed, the table is of the
index u of three such shares instead.

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
from evalfolio.objectives.knowledge import Indices
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import SeveralGaps, calls_of
from evalfolio.value.skew.stand_in import StandIn

PLAN_HEADS = ("budget in usd", "value", "bound", "gap", "evals", "mix", "hangs on", "menu rows ...")


def write_plans(book: Book, sheet: Any, contents: Contents) -> None:
    """Write one row per plan, by rising budget; unused places hold 0."""
    sheet.write_string(0, 0, "Certified plans by budget; the workbook looks the mix up here.")
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
PATH = np.geomspace(1e-4, 1e4, 49)  # times the information of the mix shown; 1 is among them


@dataclass(frozen=True)
class Belief:
    """One decision after a mix: what its formulas on the sheet Calculation give."""

    most: float
    """cᵀΣc, the most variance that results could explain."""
    explained: float
    angle: float
    """Where the tables are read: the angle, in right angles, whose sine squared is what is known,
    the share explained or u of an index. Even steps of it are fine near nothing and near all, where
    gains are steep."""
    shares: Array
    """Shares explained that the index is of; none where the share explained serves."""
    value: float
    missed: float
    """Chance of danger missed."""
    needless: float
    """Chance of needless mitigation."""
    sd: float
    """Sd of y after the results, later gain included."""


def gain_tables(contents: Contents) -> tuple[Array, Array, Array]:
    """Return G, P(danger missed) and P(needless mitigation) at even steps of the angle known.

    With a skewed gap neither value nor chances of wrong calls are functions of the index alone;
    they are taken along the way from nothing to the mix shown and on, so that they are exact for
    that mix: the value as what it is to the stand-in's. Three arrays of shape (STEPS + 1,
    n_decisions).
    """
    known = np.sin(np.linspace(0.0, np.pi / 2, STEPS + 1)) ** 2
    gains, wrong = [], []
    indices = Indices(contents.menu)
    for d, (decision, stand_in) in enumerate(
        zip(contents.menu.decisions, indices.stand_ins, strict=True)
    ):
        if stand_in is not None:
            ratio, *calls = _along_the_way(contents, d, indices, stand_in, known)
            gains.append(stand_in.worth.gain(known) * ratio)
            wrong.append(np.array(calls))
            continue
        value = DecisionValue.of(contents.menu, decision)
        explained = known * _most(contents, decision.contrast)
        gains.append(value.gain(explained))
        wrong.append(value.wrong_calls(explained))
    missed, needless = np.moveaxis(np.array(wrong), 1, 0)
    return np.array(gains).T, missed.T, needless.T


def _along_the_way(
    contents: Contents, d: int, indices: Indices, stand_in: StandIn, known: Array
) -> Array:
    """Return value over the stand-in's, P(danger missed) and P(needless mitigation), (3, n)."""
    menu = contents.menu
    decision = menu.decisions[d]
    calls, place = calls_of(menu, decision), indices.places[d]
    if calls is None or place is None:
        raise ValueError(f"{decision.name} has a stand-in, so it has a skewed gap")
    rows = [i - 1 for i in contents.plans[contents.own].rows] or slice(None)
    lines, prior = indices.contrasts[place], menu.prior_covariance
    precision, information = np.linalg.inv(prior), menu.information[rows].sum(axis=0)
    path = PATH[::4] if isinstance(calls, SeveralGaps) else PATH  # 1 is among both
    left = [np.linalg.inv(precision + t * information) for t in path]
    whole = np.einsum("ki,ij,kj->k", lines, prior, lines)
    shares = 1.0 - np.einsum("ki,nij,kj->nk", lines, np.array(left), lines) / whole
    u = stand_in.index.of(np.clip(shares, 0.0, 1.0))
    p = calls.p_exceeds
    after = [calls.after(each) for each in left]
    told = np.array([(outcome.value, outcome.p_missed, outcome.p_needless) for outcome in after])
    gains = np.asarray(stand_in.worth.gain(u))
    told[:, 0] = np.divide(told[:, 0], gains, out=np.ones_like(gains), where=gains * told[:, 0] > 0)
    now = (told[0, 0], 0.0, 1.0 - p) if calls.mitigates else (told[0, 0], p, 0.0)
    at = np.concatenate([[0.0], u])
    return np.stack([np.interp(known, at, kind) for kind in np.vstack([now, told]).T])


def mix_belief(contents: Contents, rows: Iterable[int]) -> list[Belief]:
    """Return the belief about every decision after the options in these menu rows, from 1."""
    menu = contents.menu
    chosen = [i - 1 for i in rows]
    precision = np.linalg.inv(menu.prior_covariance) + menu.information[chosen].sum(axis=0)
    posterior = np.linalg.inv(precision)
    tables = contents.tables
    indices = Indices(menu)
    steps = np.linspace(0.0, 1.0, STEPS + 1)
    beliefs = []
    for d, decision in enumerate(menu.decisions):
        most = _most(contents, decision.contrast)
        left = float(decision.contrast @ posterior @ decision.contrast)
        explained = min(max(most - left, 0.0), most)
        known, shares = explained / most if most > 0 else 0.0, np.zeros(0)
        stand_in, place = indices.stand_ins[d], indices.places[d]
        if stand_in is not None and place is not None:
            lines = indices.contrasts[place]
            before, after = (
                np.einsum("ki,ij,kj->k", lines, c, lines)
                for c in (menu.prior_covariance, posterior)
            )
            shares = np.clip(1.0 - after / before, 0.0, 1.0)
            known = float(stand_in.index.of(shares))
        angle = float(np.arcsin(min(known, 1.0) ** 0.5) / (np.pi / 2))
        value, missed, needless = (float(np.interp(angle, steps, t[:, d])) for t in tables)
        sd = float((most - explained + decision.later_gain_sd**2) ** 0.5)
        beliefs.append(Belief(most, explained, angle, shares, value, missed, needless, sd))
    return beliefs


def _most(contents: Contents, contrast: Array) -> float:
    return float(contrast @ contents.menu.prior_covariance @ contrast)


def write_calculation(book: Book, sheet: Any, contents: Contents, where: Layout) -> None:
    """Write the belief, then for the mix typed on Menu the inverse of M and the values."""
    menu = contents.menu
    n = len(menu.states)
    scale = state_scale(contents)
    precision = np.asarray(np.linalg.inv(menu.prior_covariance / np.outer(scale, scale)), float)
    contrasts = Indices(menu).contrasts * scale
    sheet.write_string(0, 0, "Value of the mix typed on Menu.")
    sheet.write_string(1, 0, "Inverse of the prior covariance, states in units of their prior sd")
    prior_row = 2
    for j, state in enumerate(menu.states):
        sheet.write_string(prior_row, 1 + j, state)
        sheet.write_string(prior_row + 1 + j, 0, state)
    _numbers(sheet, prior_row + 1, 1, precision)
    contrast_row = prior_row + n + 2
    sheet.write_string(contrast_row, 0, "Contrasts of the decisions, then of their indices")
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
    tables = contents.tables
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
    indices = Indices(contents.menu)
    most = max((place.stop - place.start for place in indices.places if place), default=0)
    heads += [f"share {j + 1}" for j in range(most)]
    book.heads(sheet, cells.values - 1, 0, heads)
    block = xl_range_abs(cells.inverse, 1, cells.inverse + cells.n - 1, cells.n)
    for d, (decision, belief) in enumerate(zip(contents.menu.decisions, beliefs, strict=True)):
        row = cells.values + d
        most, explained, angle = (xl_rowcol_to_cell(row, column) for column in (1, 2, 3))
        line = xl_range_abs(cells.contrasts + d, 1, cells.contrasts + d, cells.n)
        left = f"SUMPRODUCT(MMULT({line},{block}),{line})"
        sheet.write_string(row, 0, decision.name)
        sheet.write_number(row, 1, belief.most)
        later = f"{decision.later_gain_sd**2:.17g}"
        known = f"IF({most}>0,{explained}/{most},0)"
        stand_in, place = indices.stand_ins[d], indices.places[d]
        if stand_in is not None and place is not None:
            prior = contents.menu.prior_covariance
            parts = []
            for j, k in enumerate(range(place.start, place.stop)):
                contrast = indices.contrasts[k]
                own = xl_range_abs(cells.contrasts + k, 1, cells.contrasts + k, cells.n)
                share, bend = xl_rowcol_to_cell(row, 8 + j), stand_in.index.bends[j]
                rest = f"SUMPRODUCT(MMULT({own},{block}),{own})/{contrast @ prior @ contrast:.17g}"
                formula = f"=MIN(MAX(1-{rest},0),1)"
                book.formula(sheet, row, 8 + j, formula, float(belief.shares[j]), plain)
                weight = stand_in.index.shares[j] * (1.0 + bend)
                parts.append(f"{weight:.17g}*{share}/({share}+{bend:.17g})")
            known = "+".join(parts)
        for column, formula, figure in (
            (2, f"=MIN(MAX({most}-{left},0),{most})", belief.explained),
            (3, f"=ASIN(SQRT(MIN({known},1)))*2/PI()", belief.angle),
            (4, _interpolation(cells, 1 + d, angle), belief.value),
            (5, _interpolation(cells, 1 + n_decisions + d, angle), belief.missed),
            (6, _interpolation(cells, 1 + 2 * n_decisions + d, angle), belief.needless),
            (7, f"=SQRT({most}-{explained}+{later})", belief.sd),
        ):
            book.formula(sheet, row, column, formula, figure, plain)
        for column, stem in ((4, "value"), (5, "missed"), (6, "needless"), (7, "sd")):
            book.name(f"{name}_{stem}_{d + 1}", "Calculation", row, column)
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
