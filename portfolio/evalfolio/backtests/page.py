"""The back-test on paper: Markdown tables, one picture, and the section of a page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalfolio.backtests.findings import at, by_model, interval, ratios, saved, verdict
from evalfolio.backtests.replay import Backtest
from evalfolio.errors import InputError
from evalfolio.export.report.drawing import Scale
from evalfolio.record.record import Account, AccountTable

OURS = "evalfolio"
SLOPE = {
    "common": "The regression's slope is common to all AI models, the likeliest for the history's: "
    "the horizon is their shown capability on one scale.",
    "own": "The regression's slope is each AI model's own (METR's horizon): where few tasks are "
    "failed, or few solved, the slope alone moves the horizon by doublings.",
}
VALUE_COLUMNS = {
    "promised_of_evpi": "promised / EVPI",
    "evpi_of_lost": "EVPI / lost without runs",
    "realised_of_lost": "realised / lost without runs",
    "came_true": "realised / promised",
}
LEAST = 0.02  # doublings: no error is drawn smaller
LABEL = 13  # height of a line's name in the picture
WIDTH, HEIGHT, MARGIN = 420, 300, 48  # of a panel
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)


def text_of(found: Mapping[str, Backtest]) -> str:
    """Return the whole note in Markdown."""
    losses = next(iter(found.values())).setting.losses
    return _rendered("backtest.md.j2", found=_parts(found), losses=losses)


def page_of(found: Mapping[str, Backtest]) -> str:
    """Return one self-contained page with the picture, the findings and the tables."""
    return _rendered("backtest.html.j2", found=_parts(found), picture=svg_of(found))


def _rendered(template: str, **parts: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("evalfolio.backtests"),
        autoescape=lambda name: name is not None and not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "markdown": _markdown,
        "table": lambda frame: Markup(frame.to_html(index=False, border=0, escape=True)),
        "verdict": verdict,
    }
    return environment.get_template(template).render(**parts) + "\n"


def _parts(found: Mapping[str, Backtest]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "findings": each.findings,
            "circumstances": _circumstances(each),
            "rows": _rows(each),
            "ratios": _ratios(each),
            "promises": _promises(each),
            "by_model": _by_model(each),
        }
        for name, each in found.items()
    }


def svg_of(found: Mapping[str, Backtest]) -> str:
    """Return the picture: error against budget by strategy, one panel per back-test."""
    panels, bottom = [], HEIGHT - MARGIN
    for k, (name, each) in enumerate(found.items()):
        table = each.summary
        low, high = (max(float(end), LEAST) for end in (table["rmse"].min(), table["rmse"].max()))
        budgets = sorted(table["budget"].unique().tolist())
        left, right = k * WIDTH + MARGIN, (k + 1) * WIDTH - 130
        x = Scale(budgets[0], budgets[-1], left, right, log=True)
        y = Scale(0.9 * low, 1.1 * high, bottom, MARGIN, log=True)
        lines: list[dict[str, Any]] = []
        for strategy, rows in table.sort_values("budget").groupby("strategy", sort=False):
            points = [(x(b), y(max(v, LEAST))) for b, v in rows[["budget", "rmse"]].to_numpy()]
            joined = " ".join(f"{at:g},{level:g}" for at, level in points)
            lines.append(
                {"name": strategy, "ours": strategy == OURS, "points": joined, "y": points[-1][1]}
            )
        lines.sort(key=lambda line: (line["y"], line["name"]))
        last = -np.inf
        for place, line in enumerate(lines, start=1):  # with room for the names below
            most = bottom - LABEL * (len(lines) - place)
            line["y"] = last = max(min(line["y"], most), last + LABEL)
        panels.append(
            {
                "name": name,
                "left": left,
                "right": right,
                "budgets": [(x(budget), f"{100 * budget:.3g} %") for budget in budgets],
                "ticks": [(y(at), f"{at:g}") for at in TICKS if y.low <= at <= y.high],
                "lines": lines,
            }
        )
    size = {"width": WIDTH * len(panels) + 20, "height": HEIGHT}
    return _rendered("backtest.svg.j2", panels=panels, bottom=bottom, **size)


def _circumstances(each: Backtest) -> str:
    setting, record = each.setting, each.record
    tested = each.trials["ai_model"].nunique()
    history = "all other AI models" if setting.history == "others" else "earlier AI models only"
    words = (
        f"{len(record.runs):,} runs of {len(record.ai_models)} AI models on {len(record.tasks)} "
        f"tasks of {record.tasks['eval'].nunique()} evals; {tested} AI models tested, history: "
        f"{history}; {setting.repetitions} repetitions, seed {setting.seed}, inference "
        f"{type(setting.inference).__name__}. {SLOPE[setting.slope]}"
    )
    at = setting.losses.thresholds
    words += f" Calls at {len(at)} thresholds from {_time(min(at))} to {_time(max(at))}."
    if record.attempts > 1:
        words += f" A task counts as solved by the best of up to {record.attempts} attempts."
    if each.skipped:
        words += f" Not tested, for want of a history: {', '.join(each.skipped)}."
    return words


def _rows(each: Backtest) -> pd.DataFrame:
    table = each.summary
    spared = saved(table, OURS)
    rows = []
    for budget in sorted(table["budget"].unique().tolist()):
        part = table[table["budget"] == budget].sort_values("rmse")
        for strategy in part["strategy"].tolist():
            row = at(part, strategy, budget)
            rows.append(
                {
                    "budget": f"{100 * budget:.3g} %",
                    "strategy": strategy,
                    "RMSE": interval(row, "rmse"),
                    "MAE": f"{row['mae']:.2f}",
                    "50 %": f"{row['coverage_50']:.0%}",
                    "90 %": interval(row, "coverage_90", ".0%"),
                    "score": f"{row['interval_score']:.2f}",
                    "loss": interval(row, "loss", ".3f"),
                    "wrong": f"{row['wrong_calls']:.2f}",
                    "spent": f"{row['spent']:.2f}",
                    "over": f"{row['overspend']:.2f}",
                    "runs": f"{row['runs']:.0f}",
                    "shares": f"{row['share_error']:.3f}",
                    "saved": _saved(spared, strategy, budget),
                }
            )
    return pd.DataFrame(rows)


def _saved(spared: pd.DataFrame, strategy: str, budget: float) -> str:
    if strategy == OURS:
        return ""
    row = at(spared, strategy, budget)
    if np.isfinite(row["saved"]):
        return f"{row['saved']:.0%}"
    return f"≥ {row['at_least']:.0%}" if np.isfinite(row["at_least"]) else "–"


def _ratios(each: Backtest) -> str:
    """Return where another strategy does better, in words."""
    pairs = ratios(each.trials, OURS, each.setting.seed)
    better = pairs[pairs["rmse_ratio"] > 1.0]
    if not len(better):
        return "No strategy has a smaller error than evalfolio at any budget."
    words = "; ".join(
        f"{row['strategy']} at {100 * row['budget']:.3g} % (ratio {interval(row, 'rmse_ratio')})"
        for row in better.to_dict("records")
    )
    return f"Where evalfolio has the larger error: {words}."


def _promises(each: Backtest) -> pd.DataFrame:
    rows = each.summary[each.summary["came_true"].notna()].sort_values(["budget", "strategy"])
    return pd.DataFrame(
        {"budget": f"{100 * row['budget']:.3g} %", "strategy": row["strategy"]}
        | {words: interval(row, name) for name, words in VALUE_COLUMNS.items()}
        for row in rows.to_dict("records")
    )


def _by_model(each: Backtest) -> pd.DataFrame:
    own = each.trials[each.trials["strategy"] == OURS]
    truth = own.groupby("ai_model")["truth"].first().sort_index()
    held = own.groupby("ai_model")["held_90"].mean().sort_index()
    errors = by_model(own, "squared")
    return pd.DataFrame(
        {
            "AI model": truth.index,
            "horizon": [_time(float(2.0**level)) for level in truth],
            **{
                f"RMSE at {100 * budget:.3g} %": [f"{v:.2f}" for v in np.sqrt(values)]
                for (_, budget), values in errors.items()
            },
            "held by 90 %": [f"{v:.0%}" for v in held],
        }
    )


def _markdown(frame: pd.DataFrame) -> str:
    lines = [list(frame.columns), ["---"] * len(frame.columns), *frame.to_numpy(str).tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _time(minutes: float) -> str:
    if minutes < 1:
        return f"{60 * minutes:.2g} s"
    return f"{minutes:.2g} min" if minutes < 60 else f"{minutes / 60:.3g} h"


HISTORIES = {"others": "all other AI models known", "earlier": "only earlier AI models known"}
TABLES = {
    "rmse": "Root mean square error of the horizon, doublings, by share of the bill",
    "coverage_90": "Share of 90 % intervals that hold the horizon, by share of the bill",
}


IN_WORDS = {
    "promised_of_evpi": "Promised over perfect information",
    "evpi_of_lost": "Perfect information over the loss without runs",
    "realised_of_lost": "Realised over the loss without runs",
    "came_true": "Realised over promised",
}


def told(folder: str | Path) -> Account:
    """Return the findings and the main tables of a back-test's folder."""
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
            _measure_table(table, measure, name)
            for name, table in tables.items()
            for measure in TABLES
        ]
        shown += [
            _value_table(table, name) for name, table in tables.items() if len(_promising(table))
        ]
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


def _value_table(summary: pd.DataFrame, name: str) -> AccountTable:
    rows = _promising(summary).to_dict("records")
    return AccountTable(
        name=f"value_{name}",
        title=f"What became of the value promised, {HISTORIES.get(name, name)}: ratios of means "
        "with 95 % intervals over AI models, by share of the bill",
        columns=("Ratio", *(f"{100 * row['budget']:.3g} %" for row in rows)),
        rows=tuple(
            (words, *(interval(row, key) for row in rows)) for key, words in IN_WORDS.items()
        ),
    )


def _measure_table(summary: pd.DataFrame, measure: str, name: str) -> AccountTable:
    """Return a measure by strategy and budget, the order of strategies as they did on average."""
    wide = summary.pivot_table(values=measure, index="strategy", columns="budget")
    order = summary.groupby("strategy")["rmse"].mean().sort_values(kind="stable").index
    return AccountTable(
        name=f"{measure}_{name}",
        title=f"{TABLES[measure]}, {HISTORIES.get(name, name)}",
        columns=("Strategy", *(f"{100 * budget:.3g} %" for budget in wide.columns)),
        rows=tuple((str(strategy), *wide.loc[strategy].tolist()) for strategy in order),
    )
