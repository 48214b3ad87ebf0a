"""What a folder that `evalfolio backtest` wrote tells in a plan's report and workbook."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from evalfolio.backtests.findings import interval, verdict
from evalfolio.errors import InputError
from evalfolio.record.record import Account, AccountTable

OURS = "evalfolio"
HISTORIES = {"others": "all other AI models known", "earlier": "only earlier AI models known"}
TABLES = {
    "rmse": "Root mean square error of the horizon, doublings, by share of the bill",
    "coverage_90": "Share of 90 % intervals that hold the horizon, by share of the bill",
}


VALUE = {
    "promised_of_evpi": "Promised over perfect information",
    "evpi_of_lost": "Perfect information over the loss without runs",
    "realised_of_lost": "Realised over the loss without runs",
    "came_true": "Realised over promised",
}


def told(folder: str | Path) -> Account:
    """Return the findings and the main tables of a back-test's folder.

    InputError if the folder is not one that `evalfolio backtest` wrote.
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
        sentences += [
            f"Of the value promised{which(name)}, {_came_true(table)} came true in replay."
            for name, table in tables.items()
            if len(_promising(table))
        ]
        shown = [
            _table(table, measure, name) for name, table in tables.items() for measure in TABLES
        ]
        shown += [_value(table, name) for name, table in tables.items() if len(_promising(table))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not what it writes there"
        raise InputError(
            f"{folder}: must be a folder that evalfolio backtest wrote, but its findings.json or a "
            f"summary cannot be read ({why}); run evalfolio backtest RUNS.csv --out {folder}"
        ) from error
    return Account(sentences=tuple(sentences), tables=tuple(shown))


def _promising(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of evalfolio's plan, where its value was held against what came true."""
    if "came_true" not in summary:
        return summary.iloc[:0]
    own = summary[(summary["strategy"] == OURS) & summary["came_true"].notna()]
    return own.sort_values("budget")


def _came_true(summary: pd.DataFrame) -> str:
    rows = [
        f"{interval(row, 'came_true')} at {100 * row['budget']:.3g} % of the bill"
        for row in _promising(summary).to_dict("records")
    ]
    return rows[0] if len(rows) == 1 else f"{', '.join(rows[:-1])} and {rows[-1]}"


def _value(summary: pd.DataFrame, name: str) -> AccountTable:
    rows = _promising(summary).to_dict("records")
    return AccountTable(
        name=f"value_{name}",
        title=f"What became of the value promised, {HISTORIES.get(name, name)}: ratios of means "
        "with 95 % intervals over AI models, by share of the bill",
        columns=("Ratio", *(f"{100 * row['budget']:.3g} %" for row in rows)),
        rows=tuple((words, *(interval(row, key) for row in rows)) for key, words in VALUE.items()),
    )


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
