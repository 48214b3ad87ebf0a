"""What a folder that `evalfolio backtest` wrote tells in a plan's report and workbook."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from evalfolio.backtests.findings import verdict
from evalfolio.errors import InputError
from evalfolio.record.record import Account, AccountTable

HISTORIES = {"others": "all other AI models known", "earlier": "only earlier AI models known"}
TABLES = {
    "rmse": "Root mean square error of the horizon, doublings, by share of the bill",
    "coverage_90": "Share of 90 % intervals that hold the horizon, by share of the bill",
}


def told(folder: str | Path) -> Account:
    """Return the findings and the main tables of a back-test's folder.

    Raises
    ------
    InputError
        If the folder is not one that `evalfolio backtest` wrote.
    """
    folder = Path(folder)
    try:
        findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
        tables = {name: pd.read_csv(folder / f"summary-{name}.csv") for name in findings}

        def which(name: str) -> str:
            return f" ({HISTORIES.get(name, name)})" if len(findings) > 1 else ""

        sentences = [
            f"{verdict(row['holds']).capitalize()}{which(name)}: {row['claim']}; {row['figures']}."
            for name, rows in findings.items()
            for row in rows
        ]
        shown = [
            _table(table, measure, name) for name, table in tables.items() for measure in TABLES
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not what it writes there"
        raise InputError(
            f"{folder}: must be a folder that evalfolio backtest wrote, but its findings.json or a "
            f"summary cannot be read ({why}); run evalfolio backtest RUNS.csv --out {folder}"
        ) from error
    return Account(sentences=tuple(sentences), tables=tuple(shown))


def _table(summary: pd.DataFrame, measure: str, name: str) -> AccountTable:
    """Return a measure by strategy and budget, the order of strategies as they did on average."""
    wide = summary.pivot_table(values=measure, index="strategy", columns="budget")
    order = summary.groupby("strategy")["rmse"].mean().sort_values(kind="stable").index
    return AccountTable(
        name=f"{measure}_{name}",
        title=f"{TABLES[measure]}, {HISTORIES.get(name, name)}",
        columns=("Strategy", *(f"{100 * budget:.3g} %" for budget in wide.columns)),
        rows=tuple((str(strategy), *wide.loc[strategy].tolist()) for strategy in order),
    )
