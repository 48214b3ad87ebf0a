"""How wide are horizons of METR's suites? Its own bootstrap on suites that the model's priors draw.

    python -m benchmarks.metr_widths ../shared/data [--worlds 300]

METR published intervals of one AI model near 5 h from suite 1.0 (14 tasks over 8 h among 170) and
from suite 1.1 (31 among 228), and of one near 16 h with 5 tasks of 16 h and more. In every world
slope, departures of families of tasks (their own and with distance from the horizon, as
`evalbayes.model.priors` shares them out) and what tasks of a family differ by are drawn from the
priors of the joint model; lengths of tasks under 8 h, and their families, are METR's drawn anew;
longer ones are spread evenly in doublings to 30 h. Four attempts at each. Nothing here is fitted to
the widths.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.horizons import resampled
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.model import priors

Array = NDArray[np.float64]

SEED = 20261129
ATTEMPTS, LONG, VERY_LONG, END = 4, 480.0, 960.0, 1800.0
RIDGE = 1e-5  # on the slope, beside weights that sum to one: METR's
# name, tasks, horizon in minutes, of them over 8 h, of 16 h and more (None: as drawn), published sd
SUITES = (
    ("31 of 228 tasks over 8 h, horizon 5 h", 228, 300.0, 31, None, 0.55),
    ("14 of 228 tasks over 8 h, horizon 5 h", 228, 300.0, 14, None, 0.89),
    ("14 of 170 (suite 1.0), horizon 5 h", 170, 300.0, 14, None, 0.89),
    ("5 of 228 of 16 h and more, horizon 16 h", 228, 960.0, 31, 5, 0.69),
)
RATIO = 1.6  # published, of the widths with 14 and with 31


def lengths(
    tasks: pd.DataFrame, count: int, over: int, far: int | None, rng: np.random.Generator
) -> Array:
    """Log2 minutes and family of every task, one row each."""
    short = tasks[tasks["human_minutes"] <= LONG]
    families = [part["human_minutes"].to_numpy(float) for _, part in short.groupby("eval")]
    rows: list[tuple[float, int]] = []
    family = 0
    while len(rows) < count - over:
        drawn = families[rng.integers(len(families))][: count - over - len(rows)]
        rows += [(float(x), family) for x in np.log2(drawn)]
        family += 1
    ends = np.log2([LONG, VERY_LONG, END])
    if far is None:
        longer = rng.uniform(ends[0], ends[2], over)
    else:
        longer = np.append(rng.uniform(*ends[:2], over - far), rng.uniform(*ends[1:], far))
    rng.shuffle(longer)
    rows += [(float(x), family + k // 2) for k, x in enumerate(longer)]  # two to a family
    return np.array(rows)


def lognormal(prior: priors.Positive, rng: np.random.Generator) -> float:
    return float(prior.median * np.exp(prior.sd_ln * rng.standard_normal()))


def width(suite: Array, minutes: float, walk: bool, rng: np.random.Generator) -> float:
    """Full width of METR's 95 % interval, as an sd in doublings, in a world of the priors."""
    x, family = suite[:, 0], suite[:, 1].astype(int)
    level, slope = np.log2(minutes), lognormal(priors.SLOPE, rng)
    total = lognormal(priors.DEPARTURE, rng)
    odds = [np.exp(rng.normal(*s)) for s in (priors.FAMILY_SHARE, priors.DISTANCE_SHARE)]
    own, like, far = np.array([1.0, odds[0], odds[1] * walk]) / (1.0 + odds[0] + odds[1] * walk)
    # A family of tasks here is an eval of the model: its own departure and that of evals alike.
    departure = total * np.sqrt(own + like) * rng.standard_normal(family.max() + 1)[family]
    steps = np.sort(np.unique(np.append(x, level)))
    jumps = np.sqrt(np.diff(steps, prepend=steps[0])) * rng.standard_normal(len(steps))
    path = np.cumsum(jumps) * total * np.sqrt(far / priors.DEPARTURE_AT)
    path = path - path[np.searchsorted(steps, level)]
    departure = departure + path[np.searchsorted(steps, x)]
    # Tasks of one length differ by sd logits; the curve over them keeps slope and level (probit).
    sd = slope * lognormal(priors.TASK_SD, rng)
    steeper = slope * np.sqrt(1.0 + np.pi * sd**2 / 8.0)
    p = expit(steeper * (level + departure - x) + sd * rng.standard_normal(len(x)))
    task = np.repeat(np.arange(len(x)), ATTEMPTS)
    runs = pd.DataFrame(
        {
            "eval": family[task],
            "task": task,
            "human_minutes": 2.0 ** x[task],
            "success": (rng.random(len(task)) < p[task]).astype(float),
        }
    )
    low, high = np.quantile(horizons(*resampled(runs, rng)), (0.025, 0.975))
    return float((high - low) / 3.92)


def horizons(x: Array, share: Array, weights: Array) -> Array:
    """Log2 minutes where METR's weighted logistic curves are at one half, by Newton's steps."""
    weights = weights / weights.sum(axis=1, keepdims=True)
    x = x - (middle := float(x.mean()))
    at, slope = np.zeros(len(share)), np.full(len(share), -0.5)
    for _ in range(40):
        p = expit(at[:, None] + slope[:, None] * x)
        off, bend = weights * (share - p), weights * p * (1.0 - p)
        first = np.stack([off.sum(1), (off * x).sum(1) - RIDGE * slope], 1)
        a, b, c = bend.sum(1) + 1e-12, (bend * x).sum(1), (bend * x**2).sum(1) + RIDGE
        det = a * c - b**2
        at = at + np.clip((c * first[:, 0] - b * first[:, 1]) / det, -2.0, 2.0)
        slope = slope + np.clip((a * first[:, 1] - b * first[:, 0]) / det, -0.5, 0.5)
    return middle - at / slope


def study(tasks: pd.DataFrame, worlds: int) -> str:
    """Widths of every suite in as many worlds, with distance and without."""
    rows, ratios = [], []
    for words, walk in (("with distance", True), ("without", False)):
        seen = np.array(
            [
                [
                    width(
                        lengths(tasks, count, over, far, np.random.default_rng([SEED, k, 0])),
                        minutes,
                        walk,
                        np.random.default_rng([SEED, k, 1]),
                    )
                    for _, count, minutes, over, far, _ in SUITES
                ]
                for k in range(worlds)
            ]
        )
        for (name, *_, published), own in zip(SUITES, seen.T, strict=True):
            low, middle, high = np.quantile(own, (0.05, 0.5, 0.95))
            inside = "yes" if low <= published <= high else "**no**"
            rows.append(
                (name, words, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", f"{published}", inside)
            )
        for k in (1, 2):
            low, middle, high = np.quantile(seen[:, k] / seen[:, 0], (0.05, 0.5, 0.95))
            means = np.median(seen[:, k]) / np.median(seen[:, 0])
            near = "within" if abs(means / RATIO - 1.0) <= 0.3 else "**not within**"
            ratios.append(
                f"{words[0].upper()}{words[1:]}: the median widths from 14 of {SUITES[k][1]} and "
                f"from 31 of 228 tasks over 8 h have a ratio of {means:.2f} (world by world "
                f"{middle:.2f} [{low:.2f}, {high:.2f}]), {near} 30 % of the published {RATIO}."
            )
    head = ("suite", "worlds", "median sd", "central 90 %", "published", "inside")
    return "\n\n".join([table(head, rows), *ratios])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worlds", type=int, default=300)
    args = parser.parse_args()
    tasks = pd.read_csv(args.folder / "metr_runs.csv.gz").drop_duplicates("task")
    body = study(tasks, args.worlds)
    print(body)
    when = circumstances(SEED, ("evalfolio", "numpy", "scipy"))
    text = f"Full widths of 95 % intervals as an sd, in doublings, {args.worlds} worlds.\n\n{body}"
    command = "`python -m benchmarks.metr_widths ../shared/data`"
    write_section("metr-widths", "Widths of METR's horizons", f"{text}\n\n{command}. {when}")


if __name__ == "__main__":
    main()
