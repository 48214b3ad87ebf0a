"""What a plan's record keeps of a sensitivity analysis: its sentences and its main tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from evalfolio.narrative import words
from evalfolio.record.plain import plain
from evalfolio.record.record import Account, AccountTable

if TYPE_CHECKING:
    from evalfolio.sensitivities.findings import Sensitivity

Cell = str | float | bool | None
MOST = 12  # rows of a table


def firmness(found: Sensitivity) -> Account:
    """Return the sentences and tables that report and workbook show."""
    value = max(found.tornado.value, 1e-300)
    tables = [_evals(found)]
    for resource, table in found.entries.items():
        tables.append(
            _table(
                f"entries_{resource}",
                f"From how many {words(resource)} it pays",
                ("What", "Not yet at", "Pays at", "Lost without it", "Why"),
                table[["what", "below", "at", "adds", "why"]].itertuples(index=False),
            )
        )
    regret = found.regret[~found.regret.index.astype(str).str.startswith("best for ")]
    worst = regret.drop(columns="largest").idxmax(axis=1)
    tables.append(
        _table(
            "regret",
            "Regret of mixes, as shares of the plan's value",
            ("Mix", "As assumed", "Largest", "Where"),
            zip(
                regret.index.astype(str),
                regret.iloc[:, 0] / value,
                regret["largest"] / value,
                worst,
                strict=True,
            ),
        )
    )
    tables.append(
        _table(
            "robust",
            "Robust mixes and their certificates, as shares of the plan's value",
            ("Mix", "Score", "No mix better than", "Given up as assumed"),
            (
                (name, mix.score / value, mix.bound / value, max(mix.price, 0.0))
                for name, mix in (
                    ("least largest regret", found.least_regret),
                    ("best mean over the worst fifth", found.cautious),
                )
            ),
        )
    )
    tables.append(
        _table(
            "knowing",
            "What it is worth to know a figure before spending, as a share of the plan's value",
            ("Figure", "Worth", "At most"),
            zip(
                found.knowing["name"],
                found.knowing["share"],
                found.knowing["worth_high"] / value,
                strict=True,
            ),
        )
    )
    if len(found.pilots):
        tables.append(
            _table(
                "pilots",
                "A pilot first, the rest split on its result, as a share of the plan's value",
                ("Pilot", "Worth", "At least", "At most", "Changes the mix with probability"),
                zip(
                    found.pilots["option"],
                    found.pilots["share"],
                    found.pilots["worth_low"] / value,
                    found.pilots["worth_high"] / value,
                    found.pilots["changes"],
                    strict=True,
                ),
            )
        )
    if found.sobol is not None:
        tables.append(_sobol(found.sobol))
    return Account(sentences=tuple(found.sentences()), tables=tuple(tables))


def _evals(found: Sensitivity) -> AccountTable:
    """How often each eval stays in the mix, under draws and under assumptions."""
    over = found.over_assumptions.evals
    draws = found.over_draws.evals["included"] if found.over_draws is not None else None
    rows: list[tuple[Cell, ...]] = []
    names = [str(name) for name in over.index]
    if draws is not None:
        names += [str(name) for name in draws.index if name not in over.index]
    for name in names:
        inside = name in over.index
        rows.append(
            (
                name,
                float(over["included"].get(name, 0.0)),
                None if draws is None else float(draws.get(name, 0.0)),
                float(over["deep"].get(name, 0.0)),
                "core" if inside and bool(over["core"].get(name)) else "fringe",
            )
        )
    columns = ("Eval", "Kept over assumptions", "Kept over draws", "Run deep", "Core or fringe")
    return _table("evals", "How often each eval stays in the mix", columns, rows, most=40)


def _sobol(table: pd.DataFrame) -> AccountTable:
    value = table[table["answer"] == "value"].set_index("name")
    deep = table[table["answer"] == "share on max elicitation"].set_index("name")
    order = value["total"].sort_values(ascending=False, kind="stable").index
    return _table(
        "sobol",
        "Total Sobol indices over all assumptions together, with 95 % half-widths",
        ("Figure", "Of the value", "±", "Of the share on depth", "± there"),
        (
            (
                str(name),
                float(value["total"].get(name, 0.0)),
                float(value["total_ci"].get(name, 0.0)),
                float(deep["total"].get(name, 0.0)),
                float(deep["total_ci"].get(name, 0.0)),
            )
            for name in order
        ),
    )


def _table(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    most: int = MOST,
) -> AccountTable:
    cells = [tuple(None if cell == "" else plain(cell) for cell in row) for row in rows]
    return AccountTable(name=name, title=title, columns=tuple(columns), rows=tuple(cells[:most]))
