"""The back-test on paper: Markdown tables, one picture, and the section of a page."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from evalfolio.backtests.findings import at, by_model, interval, ratios, saved, verdict
from evalfolio.backtests.replay import Backtest
from evalfolio.errors import InputError
from evalfolio.record.record import Account, AccountTable

OURS = "evalfolio"
HOW = """\
Every AI model in turn is taken for the one under test: its runs are hidden, all the others are the
history. A strategy sees the history only and buys runs, tasks drawn at random, expected to cost no
more than the budget (a share of what all runs of that AI model spent). evalfolio buys in stages:
part of the money, a look at what came out, a new plan for what is really left; *evalfolio, at once*
plans but once, as all others do. These plan by task, with a planner of the back-test's own; only
where *evalfolio, by task* is a strategy of its own is *evalfolio* the programme as users run it:
fit, plan and the steps of `evalfolio replan`, whole evals and random tasks of them. Bought runs are
seen as they were, and one and the same inference turns them into a predictive distribution of the
horizon that *all* its runs show: human time at 50 % success, by logistic regression on log2 human
minutes. Errors are in doublings. Intervals in brackets are 95 % bootstrap intervals over AI models,
which are the independent units (none with fewer than five of them, and no verdict then);
repetitions only draw other tasks."""
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
MEANING = """\
RMSE and MAE: of the median against the full-data horizon, doublings. 50 %, 90 %: share of trials
whose predictive interval holds it. Score: interval score of the 90 % interval (lower is better).
Loss: of the calls *mitigate or not*, mean over thresholds, {missed:g} per doubling missed and
{false:g} per doubling of false alarm. Wrong: how many calls are wrong. Spent: really spent over
budget. Over: mean overspend. Shares: mean error of the share solved per eval. Saved: money saved by
evalfolio at this strategy's accuracy (≥: it is as accurate at its smallest budget already; –: it is
not as accurate at any). Promised: the value (EVSI) that a plan promises. EVPI: what calls without
any run expect to lose under the belief about a new AI model; lost: what they do lose; realised:
what the runs bought save of it."""


def text_of(found: Mapping[str, Backtest]) -> str:
    """Return the whole note in Markdown."""
    parts = ["# Back-test\n", HOW, ""]
    for name, each in found.items():
        parts += [f"## {name}\n", _circumstances(each), ""]
        parts += [
            f"- {verdict(f.holds, '**fails**')}: {f.claim}: {f.figures}" for f in each.findings
        ]
        parts.append("")
        parts += [_markdown(_rows(each)), "", _ratios(each), "", _value(each), ""]
        parts += [_by_model(each), ""]
    first = next(iter(found.values()))
    losses = first.setting.losses
    parts.append(MEANING.format(missed=losses.missed, false=losses.false_alarm))
    return "\n".join(parts).rstrip() + "\n"


def page_of(found: Mapping[str, Backtest]) -> str:
    """Return one self-contained page with the picture, the findings and the tables."""
    body = [f"<h1>Back-test</h1><p>{html.escape(HOW)}</p>", svg_of(found)]
    for name, each in found.items():
        body.append(f"<h2>{html.escape(name)}</h2><p>{html.escape(_circumstances(each))}</p><ul>")
        body += [f"<li>{html.escape(str(finding))}</li>" for finding in each.findings]
        body.append("</ul>" + _html(_rows(each)) + "<h3>What became of the value promised</h3>")
        body.append(_html(_values(each)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Back-test</title><style>'
        "body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
        "td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:right}"
        "td:nth-child(2),th:nth-child(2){text-align:left}</style></head><body>"
        + "\n".join(body)
        + "</body></html>\n"
    )


def _html(table: pd.DataFrame) -> str:
    return str(table.to_html(index=False, border=0, escape=True))


def svg_of(found: Mapping[str, Backtest]) -> str:
    """Return the picture: error against budget by strategy, one panel per back-test."""
    names = list(found)
    width, height, margin = 420, 300, 48
    parts = []
    for k, name in enumerate(names):
        table = found[name].summary
        low = 0.9 * max(float(table["rmse"].min()), LEAST)
        high = 1.1 * max(float(table["rmse"].max()), LEAST)
        budgets = sorted(table["budget"].unique().tolist())
        x0 = k * width + margin

        def at_x(b: float, x0: int = x0, budgets: Sequence[float] = budgets) -> float:
            span = np.log(budgets[-1] / budgets[0]) or 1.0
            return x0 + (width - margin - 130) * float(np.log(b / budgets[0]) / span)

        def at_y(v: float, low: float = low, high: float = high) -> float:
            share = float(np.log(max(v, low) / low) / np.log(high / low))
            return height - margin - (height - 2 * margin) * share

        parts.append(f'<text x="{x0}" y="20" font-weight="bold">{html.escape(name)}</text>')
        for b in budgets:
            parts.append(
                f'<text x="{at_x(b):.0f}" y="{height - margin + 18}" text-anchor="middle" '
                f'fill="#555">{100 * b:.3g} %</text>'
            )
        for tick in (0.1, 0.2, 0.5, 1.0, 2.0, 4.0):
            if low <= tick <= high:
                parts.append(
                    f'<line x1="{x0}" x2="{at_x(budgets[-1]):.0f}" y1="{at_y(tick):.1f}" '
                    f'y2="{at_y(tick):.1f}" stroke="#e5e5e5"/><text x="{x0 - 6}" '
                    f'y="{at_y(tick) + 4:.1f}" text-anchor="end" fill="#555">{tick:g}</text>'
                )
        ends = []
        for strategy in table["strategy"].unique().tolist():
            line = table[table["strategy"] == strategy].sort_values("budget")
            ours = strategy == OURS
            points = " ".join(
                f"{at_x(b):.1f},{at_y(v):.1f}" for b, v in line[["budget", "rmse"]].to_numpy()
            )
            colour, stroke = ("#1b3a5c", 3) if ours else ("#9ab", 1.2)
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" '
                f'stroke-width="{stroke}"/>'
            )
            ends.append((at_y(float(line["rmse"].iloc[-1])), strategy, ours))
        bottom = height - margin - LABEL * np.arange(len(ends))[::-1]  # room for those below
        last = -np.inf
        for (y, strategy, ours), most in zip(sorted(ends), bottom.tolist(), strict=True):
            y = last = max(min(y, most), last + LABEL)
            weight = ' font-weight="bold"' if ours else ""
            text = "#1b3a5c" if ours else "#567"
            parts.append(
                f'<text x="{at_x(budgets[-1]) + 6:.0f}" y="{y + 4:.1f}" fill="{text}"'
                f"{weight}>{html.escape(strategy)}</text>"
            )
        parts.append(
            f'<text x="{x0}" y="{height - 8}" fill="#555">share of the full bill; error of the '
            "horizon, doublings (RMSE)</text>"
        )
    total = width * len(names) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" width="{total}" '
        f'height="{height}" font-family="system-ui,sans-serif" font-size="11">'
        f'<rect width="{total}" height="{height}" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


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


def _value(each: Backtest) -> str:
    """Return what became of the value promised, of the strategies that promise one."""
    found = _values(each)
    return f"What became of the value promised:\n\n{_markdown(found)}" if len(found) else ""


def _values(each: Backtest) -> pd.DataFrame:
    rows = each.summary[each.summary["came_true"].notna()].sort_values(["budget", "strategy"])
    return pd.DataFrame(
        {"budget": f"{100 * row['budget']:.3g} %", "strategy": row["strategy"]}
        | {words: interval(row, name) for name, words in VALUE_COLUMNS.items()}
        for row in rows.to_dict("records")
    )


def _by_model(each: Backtest) -> str:
    own = each.trials[each.trials["strategy"] == OURS]
    truth = own.groupby("ai_model")["truth"].first().sort_index()
    held = own.groupby("ai_model")["held_90"].mean().sort_index()
    errors = by_model(own, "squared")
    frame = pd.DataFrame(
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
    return "evalfolio by AI model:\n\n" + _markdown(frame)


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
