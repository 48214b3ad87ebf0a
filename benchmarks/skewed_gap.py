"""What taking the elicitation gap as normal costs, and what its stand-in does better.

    python -m benchmarks.skewed_gap POSTERIOR.nc

POSTERIOR.nc is the demo's (out/cyber/posterior.nc). Two tables are written into README.md: what
perfect information and whole mixes are worth in the example, by the normal model, by the stand-in
the search chooses by, by quadrature and by simulation; and how far normal model and stand-in are
from quadrature over random decisions.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from benchmarks.depth_by_gap import CATALOGUE
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray

from evalbayes import Menu
from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.menus import build_menu, state_draws
from evalbayes.posterior.posterior import Posterior
from evalfolio.objectives.valuation import valuation
from evalfolio.plans.evaluation import choice_vector, evaluate
from evalfolio.plans.optimiser import answer
from evalfolio.plans.perfect import perfect_information
from evalfolio.plans.revalue import skewed_value
from evalfolio.plans.rivals import rival_plans
from evalfolio.recommendations.recommender import question_of
from evalfolio.value.explained import ExplainedVariance
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew import OneGap, calls_of, fitted, outcome_of, stand_in_of

Floats = NDArray[np.float64]

SEED = 1
N_DECISIONS, N_RESULTS = 60, 60


def main() -> None:
    """Make both tables and write them."""
    catalogue, posterior = read_catalogue(CATALOGUE), Posterior.load(sys.argv[1])
    menu, _ = build_menu(posterior, catalogue, seed=0)
    parts = [
        "What the example's results are worth, in points: with the gap taken as normal, by the "
        "stand-in that the search uses, by quadrature under the lognormal gap, and simulated: from "
        "posterior draws for what is known, by `skewed_value` for mixes (± standard errors).",
        table(
            ["known or run", "normal", "stand-in", "quadrature", "simulated"],
            [*known_rows(menu, posterior, catalogue), *mix_rows(menu, catalogue)],
        ),
        f"{N_DECISIONS} random decisions (sd of the gap 0.3 to 1.5 times its mean, sd of the rest "
        "0.5 to 3 times that, 2.5 sds below the threshold to 1.5 above it, losses 1:5 to 40:1, a "
        f"third with the rest tied to the gap), {N_RESULTS} results each beside {N_RESULTS} others "
        "that the stand-in is fitted to, some of shown capability alone: error against quadrature, "
        "root mean square of relative errors where more than a tenth of perfect information is "
        "reached, and the largest as a share of perfect information.",
        table(["", "median", "90 %", "worst"], random_rows()),
        circumstances(SEED, ("numpy", "scipy", "evalfolio")),
    ]
    write_section("skewed gap", "A skewed elicitation gap", "\n\n".join(parts))


def known_rows(menu: Menu, posterior: Posterior, catalogue: Catalogue) -> list[list[str]]:
    """Return what knowing parts of a decision's y is worth."""
    rows = []
    for _, row in perfect_information(menu, state_draws(posterior, catalogue)).iterrows():
        decision = next(d for d in menu.decisions if d.name == row["decision"])
        gap = OneGap.of(menu, decision)
        if gap is None:
            continue
        calls = calls_of(menu, decision)
        stand_in = stand_in_of(menu, decision)
        assert calls is not None
        assert stand_in is not None
        left = {"capability": 0 * gap.prior, "shown": gap.prior.copy(), "gap": gap.prior.copy()}
        for part, k in (("shown", 0), ("gap", 1)):
            left[part] -= np.outer(gap.prior[k], gap.prior[k]) / gap.prior[k, k]
        exact = outcome_of(gap, left[row["known"]]).value
        rows.append(
            [
                f"{row['decision']}: {row['known']} known",
                f"{row['normal']:.3f}",
                f"{stand_in.value(calls.prior, left[row['known']][None])[0]:.3f}",
                f"{exact:.3f}",
                f"{row['draws']:.3f} ± {row['standard_error']:.3f}",
            ]
        )
    return rows


def mix_rows(menu: Menu, catalogue: Catalogue) -> list[list[str]]:
    """Return what the recommended mix and its rivals are worth."""
    question = question_of(catalogue, menu)
    plan = answer(question)
    mixes = {"recommended": plan.chosen} | rival_plans(question)
    rows = []
    for name, mix in mixes.items():
        normal, exact = normal_and_exact(menu, mix)
        by_search = float(valuation(menu).gains(choice_vector(menu, mix)).sum())
        simulated = skewed_value(menu, mix, n_draws=10_000)
        rows.append(
            [
                f"mix: {name}",
                *(f"{value:.3f}" for value in (normal, by_search, exact)),
                f"{simulated.value:.3f} ± {simulated.standard_error:.3f}",
            ]
        )
    return rows


def normal_and_exact(menu: Menu, mix: tuple[str, ...]) -> tuple[float, float]:
    """Return a mix's value by the normal model, and by quadrature under the skewed gap."""
    v = ExplainedVariance(menu).at(choice_vector(menu, mix))
    normal = sum(
        float(DecisionValue.of(menu, d).gain(u)) for d, u in zip(menu.decisions, v, strict=True)
    )
    return normal, evaluate(menu, mix).value


def random_rows() -> list[list[str]]:
    """Return quantiles over random decisions of the errors of both models."""
    rng = np.random.default_rng(SEED)
    relative, largest, seconds = [], [], []
    for _ in range(N_DECISIONS):
        gap, distance = random_decision(rng)
        learned, left = random_results(gap, rng), random_results(gap, rng)
        start = time.process_time()
        stand_in = fitted(gap, learned)
        seconds.append(time.process_time() - start)
        exact = np.array([outcome_of(gap, each).value for each in left])
        c = np.ones(2)
        whole = float(c @ gap.prior @ c) + gap.later_sd**2
        normal = DecisionValue(distance, whole, gap.loss_missed, gap.loss_false_alarm)
        v = np.einsum("i,nij,j->n", c, gap.prior - left, c)
        both = np.stack([normal.gain(v), stand_in.value(gap.prior, left)])
        reached = exact > 0.1 * gap.evpi
        error = both[:, reached] / exact[reached] - 1
        relative.append(np.sqrt((error**2).mean(axis=1)) if reached.any() else np.full(2, np.nan))
        largest.append(np.abs(both - exact).max(axis=1) / gap.evpi)
    rows = []
    for k, name in enumerate(("normal model", "stand-in")):
        for kind, found in (("relative error", relative), ("largest error", largest)):
            quantiles = np.nanquantile(np.array(found)[:, k], [0.5, 0.9, 1.0])
            rows.append([f"{name}, {kind}", *(f"{100 * q:.1f} %" for q in quantiles)])
    quantiles = np.quantile(seconds, [0.5, 0.9, 1.0])
    rows.append(["CPU seconds to fit a stand-in", *(f"{q:.2f}" for q in quantiles)])
    return rows


def random_decision(rng: np.random.Generator) -> tuple[OneGap, float]:
    """Return a decision and how far its y is above the threshold."""
    sd = rng.uniform(0.3, 1.5)
    rest = sd * np.exp(rng.uniform(-0.7, 1.1))
    later = rng.uniform(0.0, 0.5) * rest
    ratio = np.exp(rng.uniform(np.log(0.2), np.log(40.0)))
    covariance = rng.choice([0.0, 0.0, 0.3]) * rest * sd
    spread = np.sqrt(rest**2 + sd**2 + 2 * covariance + later**2)
    distance = rng.uniform(-2.5, 1.5) * spread
    gap = OneGap(
        0.0, rest**2, 1.0, sd**2, covariance, 1.0, distance - 1.0, later, float(ratio), 1.0
    )
    return gap, float(distance)


def random_results(gap: OneGap, rng: np.random.Generator) -> Floats:
    """Return the covariances that random readings leave, of shape (N_RESULTS, 2, 2)."""
    left = []
    for _ in range(N_RESULTS):
        a, c = rng.uniform(0.02, 0.8), rng.uniform(0.0, 0.5) * rng.integers(0, 2)
        beta = rng.choice([0.0, 0.1, 0.3, 0.5])
        left.append(gap.left_by(a / (1 - a) / gap.rest, beta, c / (1 - c) / gap.gap_variance))
    return np.array(left)


if __name__ == "__main__":
    main()
