"""Does the population prior of the elicitation gap hold for studies that it has not seen?

    python -m benchmarks.gap_prior

Each study of the published measurements is left out in turn and foretold: its gains in doublings,
averaged over its rows (weights 1/(se² + 0.1)), measurement error added. Beside it the bare interval
that was the default before, [0.2, 2.5] as a lognormal, whole and times the efforts it went with
(0.3 for mending, 0.8 for a lever), with the same measurement error. The model knows what the study
pulled, the bare interval does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.tables import circumstances, table, write_section
from scipy import stats

from evalbayes.catalogue import Interval
from evalbayes.elicitation.measurements import published_gains
from evalbayes.elicitation.population import program_of
from evalbayes.model.sampling import sample

SEED = 20261128
DRAWS, TUNE, CHAINS = 400, 500, 2
LEFT_OUT = 1e3  # an se that says nothing
BARE = Interval(0.2, 2.5)
OLD_EFFORT = {"mending": 0.3, "scaffold": 0.8, "prompting": 0.8, "post-training": 0.8}
RIVALS = ("random effects", "[0.2, 2.5]", "[0.2, 2.5] times effort")
LEVEL = 0.9


def foretold(data: pd.DataFrame) -> pd.DataFrame:
    """One row per study and way to foretell it: seen, low, high."""
    program, se = program_of(data), data["se"].to_numpy()
    mean, sd = BARE.lognormal()
    rows = []
    for number, study in enumerate(sorted(data["study"].unique())):
        own = (data["study"] == study).to_numpy()
        left = program.with_data(se=np.where(own, LEFT_OUT, se))
        drawn = sample(left, seed=SEED + number, draws=DRAWS, tune=TUNE, chains=CHAINS)
        gain = drawn.draws["gain"].reshape(-1, len(data))[:, own]
        rng = np.random.default_rng(SEED)
        bare = np.exp(rng.normal(mean, sd, (len(gain), 1))) * np.ones(own.sum())
        effort = data["lever"][own].map(OLD_EFFORT).fillna(1.0).to_numpy()
        noise = se[own] * rng.standard_normal(gain.shape)
        weight = 1.0 / (se[own] ** 2 + 0.1)
        weight /= weight.sum()
        seen = float(data["doublings"].to_numpy()[own] @ weight)
        usual = bool((~data["verifier"] & data["tools"])[own].any())
        for rival, draws in zip(RIVALS, (gain, bare, bare * effort), strict=True):
            low, high = np.quantile((draws + noise) @ weight, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
            rows.append((study, rival, usual, seen, low, high))
        print(rows[-3], flush=True)
    found = pd.DataFrame(rows, columns=["study", "rival", "usual", "seen", "low", "high"])
    below, above = found["low"] - found["seen"], found["seen"] - found["high"]
    found["inside"] = (below <= 0) & (above <= 0)
    miss = np.maximum(np.maximum(below, above), 0.0)
    found["score"] = found["high"] - found["low"] + 2.0 / (1.0 - LEVEL) * miss
    return found


def main() -> None:
    found = foretold(published_gains())
    lines = []
    for words, part in (("all", found), ("working agent, no answer key", found[found["usual"]])):
        for rival, own in part.groupby("rival", sort=False):
            n, k = len(own), int(own["inside"].sum())
            low, high = stats.binomtest(k, n).proportion_ci(method="wilson")
            share = f"{k / n:.2f} [{low:.2f}, {high:.2f}]"
            wide = f"{(own['high'] - own['low']).mean():.2f}"
            lines.append([words, str(n), str(rival), share, wide, f"{own['score'].mean():.2f}"])
    missed = found[(found["rival"] == RIVALS[0]) & ~found["inside"]]
    told = "; ".join(
        f"{row.study} ({row.seen:.2f}, foretold {row.low:.2f} to {row.high:.2f})"
        for row in missed.itertuples()
    )
    head = ["studies", "number", "foretold by", "inside 90 %", "mean width", "interval score"]
    body = "\n\n".join(
        [
            circumstances(SEED, ("numpy", "pymc", "nutpie")),
            "Every study of the published measurements left out in turn, in doublings; unit is the "
            "study, coverage with a 95 % interval (Wilson). A lower interval score is better.",
            table(head, lines),
            f"Outside: {told}.",
        ]
    )
    write_section("gap prior", "The elicitation gap of a study left out", body)


if __name__ == "__main__":
    main()
