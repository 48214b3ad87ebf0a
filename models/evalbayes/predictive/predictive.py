"""Predictive draws of one figure of results, for several evals, AI models or domains at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.model.predictive import tail_probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
COLUMNS = ("model", "figure", "of", "low", "median", "high", "seen", "probability")
BAND, DOT, OUTSIDE = "#b3d4e8", "#1b3a5c", "#c0392b"


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Predictive:
    """Replicates of one figure of results, and the figure as it was seen."""

    model: str  # which model says so, e.g. "curves"
    figure: str  # what it is a figure of, with its unit, e.g. "success share"
    of: tuple[str, ...]  # names of the entries, e.g. "cybench by GPT-4o"
    # replicates, of shape (n_draws, n): what results of the same size would look like, noise of few
    # runs included
    draws: Array
    seen: Array  # the figures seen, of shape (n,); NaN where there are none

    @property
    def probability(self) -> Array:
        """P(replicate < seen) + ½ P(replicate = seen), of shape (n,); NaN where nothing was seen.

        Near 0 the results lie below what the model gives, near 1 above.
        """
        return np.where(np.isfinite(self.seen), tail_probability(self.draws, self.seen), np.nan)

    @property
    def outside(self) -> tuple[str, ...]:
        """Entries whose figure lies outside the central 90 % of the replicates."""
        p = self.probability
        return tuple(name for name, own in zip(self.of, p, strict=True) if own < LOW or own > HIGH)

    def table(self) -> pd.DataFrame:
        """Return one row per entry: a 90 % interval, the median, what was seen, its probability."""
        low, middle, high = np.quantile(self.draws, (LOW, MIDDLE, HIGH), axis=0)
        columns = (low, middle, high, self.seen, self.probability)
        found = pd.DataFrame(dict(zip(COLUMNS[3:], columns, strict=True)))
        return found.assign(model=self.model, figure=self.figure, of=self.of)[list(COLUMNS)]

    def summary(self) -> str:
        """Say in a sentence how wide it is and how many of the results lie inside."""
        low, high = np.quantile(self.draws, (LOW, HIGH))
        told = int(np.isfinite(self.seen).sum())
        if not told:
            words = "nothing was seen of it"
        else:
            inside = told - len(self.outside)
            words = f"{inside} of {told} seen lie in their 90 % interval"
        return f"{self.model}: {self.figure} is expected from {low:.3g} to {high:.3g}; {words}."

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw a bar per entry, 90 % of the replicates, and a dot for what was seen.

        Dots outside their bar are red and crossed.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            height = 1.2 + 0.24 * len(self.of)
            _, ax = plt.subplots(figsize=(7.0, height), layout="constrained")
        place = np.arange(len(self.of))[::-1]
        low, middle, high = np.quantile(self.draws, (LOW, MIDDLE, HIGH), axis=0)
        ax.barh(place, high - low, left=low, color=BAND, height=0.7, label="90 % of replicates")
        ax.plot(middle, place, "|", color=DOT, ms=9, label="median")
        outside = np.isin(self.of, self.outside)
        for rows, mark, colour, words in (
            (~outside, "o", DOT, "seen"),
            (outside, "X", OUTSIDE, "seen, outside"),
        ):
            rows = rows & np.isfinite(self.seen)
            if rows.any():
                ax.plot(self.seen[rows], place[rows], mark, color=colour, ms=5, label=words)
        ax.set_yticks(place, [plain(name) for name in self.of], fontsize="small")
        ax.set_xlabel(self.figure)
        ax.set_title(self.model, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(y=0.02)
        ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return ax


def plain(text: str) -> str:
    """Return text that matplotlib does not take for mathematics, and that fits."""
    shown = text.replace("$", r"\$")
    return shown if len(shown) <= 44 else f"{shown[:41]}..."


def tables(found: Sequence[Predictive]) -> pd.DataFrame:
    """Put the tables of several figures together."""
    parts = [each.table() for each in found]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
