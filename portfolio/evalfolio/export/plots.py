"""Figures for notebooks, drawn on matplotlib axes that are returned for further work.

matplotlib comes with ArviZ; nothing but these functions imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evalfolio.errors import InputError
from evalfolio.narrative import DEPTH, STUDY, TIER_WORDS, percent, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Told apart in grey and by people who see red and green alike; a deep run is the darkest.
TIER_COLOURS = {DEPTH: "#1b3a5c", "plateau": "#3f8fbf", "sweet-spot": "#b3d4e8", STUDY: "#8a8f99"}
CAPPED, FULL = "#1b3a5c", "#3f8fbf"


def plot_mix(choices: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one bar per chosen eval, as long as its expected USD, and its share beside it."""
    ax = _axes(ax, height=1.2 + 0.32 * max(len(choices), 1))
    rows = choices.sort_values("usd")
    total = float(rows["usd"].sum())
    for tier, colour in TIER_COLOURS.items():
        part = (rows["tier"] == tier).to_numpy()
        if part.any():
            ax.barh(np.flatnonzero(part), rows["usd"][part], color=colour, label=TIER_WORDS[tier])
    for place, usd in enumerate(rows["usd"]):
        share = percent(usd / total) if total > 0 else ""
        ax.annotate(share, (usd, place), (4, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(rows)), [_shown(name) for name in rows["eval"]])
    ax.set_xlabel("expected USD")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.margins(x=0.12)
    if len(rows):
        ax.legend(frameon=False, loc="lower right")
    else:
        ax.set_title("nothing is run")
    return ax


def plot_frontier(
    points: pd.DataFrame, resource: str, here: float | None, evpi: float, ax: Axes | None = None
) -> Axes:
    """Draw the certified value and its bound by budget, and the budget there is.

    `points` has columns amount, value and bound; `here` is the budget of the resource, or None.
    """
    ax = _axes(ax, height=3.2)
    scale = evpi if evpi > 0 else 1.0
    ax.fill_between(
        points["amount"], points["value"] / scale, points["bound"] / scale, color=FULL, alpha=0.3,
        label="up to the proven bound",
    )  # fmt: skip
    ax.plot(points["amount"], points["value"] / scale, "o-", color=CAPPED, ms=3, label="best mix")
    if here is not None and np.isfinite(here):
        ax.axvline(here, color="0.4", ls=":", label="the budget there is")
    ax.set_xlabel(f"budget, {words(resource)}")
    ax.set_ylabel("share of perfect information")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, loc="lower right")
    return ax


def plot_curve(
    grid: pd.DataFrame, name: str, table: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the success within a cap of one eval by cap, with its 90 % interval.

    InputError if the grid does not hold the eval.

    Parameters
    ----------
    grid
        What `evalbayes.curves.curve_grid` returns.
    name
        The eval.
    table
        What `evalbayes.curve_table` returns: marks the sweet spot and the 95 % point with it.
    ax
        Where to draw; a new figure by default.
    """
    rows = grid[grid["eval"] == name]
    if not len(rows):
        known = ", ".join(map(str, grid["eval"].unique()))
        raise InputError(f"{name}: must be an eval of the grid; use one of {known}")
    ax = _axes(ax, height=3.0)
    low, high = rows["success_low"], rows["success_high"]
    ax.fill_between(rows["cap"], low, high, color=FULL, alpha=0.25, lw=0)
    ax.plot(rows["cap"], rows["success"], color=CAPPED)
    if table is not None:
        line: Any = table.set_index("eval").loc[name]
        marks = (("sweet_spot", "D", "sweet spot"), ("saturation_95", "s", "95 % of plateau"))
        for key, mark, label in marks:
            cap = line[key]
            if cap == cap and rows["cap"].min() <= cap <= rows["cap"].max():
                height = np.interp(np.log(cap), np.log(rows["cap"]), rows["success"])
                ax.plot(cap, height, mark, color=CAPPED, label=label)
        ax.axhline(float(line["plateau"]), color="0.4", ls=":", lw=1, label="plateau")
        ax.set_xlabel(f"cap, {_shown(line['spend_unit'])}")
        ax.legend(frameon=False, loc="lower right", fontsize="small")
    ax.set_xscale("log")
    ax.set_ylim(0, 1)
    ax.set_ylabel("success within the cap")
    ax.set_title(_shown(name), loc="left")
    return ax


def _axes(ax: Axes | None, *, height: float) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, made = plt.subplots(figsize=(7.0, height), layout="constrained")
    made.spines[["top", "right"]].set_visible(False)
    return made


def _shown(text: object) -> str:
    """Return text that matplotlib does not take for mathematics, and that fits."""
    plain = str(text).replace("$", r"\$")
    return plain if len(plain) <= 40 else f"{plain[:37]}..."
