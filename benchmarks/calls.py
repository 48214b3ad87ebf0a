"""Calls against the rules stated, and the two wrong calls against simulation.

    python -m benchmarks.calls

Fifty random menus of two domains, four decisions on each: two levels of cyber, "High" and
"Critical", bio by itself, and one mitigation for both domains. Two hundred beliefs: two in three
have skewed gaps, three in four decide by a stated rule, the others by losses. Each is simulated:
states and readings are drawn, and the belief after them is a mixture over values of every gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats.qmc import Sobol

from evalbayes import Decision, Menu
from evalbayes.catalogue.domain import loss_ratio
from evalfolio.objectives.valuation import valuation
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.outlook import decision_outlook
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.value.sample_information import expected_excess
from evalfolio.value.skew import calls_of

Floats = NDArray[np.float64]

SEED = 17
MENUS, RESULTS = 50, 3000
STATES = ("cyber.shown", "cyber.gap", "bio.shown", "bio.gap", "slope")
DOMAINS = {"cyber High": (1.0, 0.0), "cyber Critical": (1.0, 0.0), "bio": (0.0, 1.0)}
KINDS = (
    "rule, normal", "rule, skewed", "rule, two skewed gaps", "losses, normal", "losses, skewed",
    "losses, two skewed gaps",
)  # fmt: skip


@dataclass(frozen=True)
class Simulated:
    """What simulation finds of one decision: means over draws, each with its standard error."""

    means: dict[str, float]
    errors: dict[str, float]


def main() -> None:
    """Make both tables and write them."""
    rng = np.random.default_rng(SEED)
    found = pd.concat([looked_at(random_menu(rng), rng) for _ in range(MENUS)], ignore_index=True)
    parts = [
        f"{len(found)} random beliefs. *Contradicted*: calls now that the rule contradicts at the "
        "probability of exceeding that is told, and at the simulated one (where that is more than "
        "four standard errors from the rule's); for losses, calls that lose more in simulation. "
        "*By losses*: calls now that would be others if, as before, they were those that lose "
        "least by the losses the rule stands for. *Rule's price*: what calls by the rule lose more "
        "than calls by those losses after the results, as a share of the value of perfect "
        "information, median and largest.",
        table(
            ["", "beliefs", "contradicted", "simulated", "by losses", "rule's price"],
            [call_row(kind, found[found["kind"] == kind]) for kind in KINDS],
        ),
        f"The figures of the same beliefs against {RESULTS:,} sets of results drawn: mean and "
        "largest difference in percentage points, and the largest in standard errors of the "
        "simulation. The value in per cent of perfect information, and how far the stand-in that "
        "the search goes by lies from it, mean and largest.",
        table(
            ["", "exceeds", "missed", "needless", "call turns", "value", "stand-in"],
            [figure_row(kind, found[found["kind"] == kind]) for kind in KINDS],
        ),
        level_words(found),
        circumstances(SEED, ("numpy", "scipy", "evalfolio")),
    ]
    write_section("calls", "Calls and rules", "\n\n".join(parts))


def random_menu(rng: np.random.Generator) -> Menu:
    """Return two domains with evals at plateau level and deep, and four decisions."""
    rows, information = [], []
    for position, domain in enumerate(("cyber", "cyber", "bio", "bio")):
        first, slope, floor = 2 * (position // 2), rng.normal(0, 0.5), rng.uniform(0.3, 1.0)
        for tier, efforts in (("plateau", [0.0]), ("max-elicitation", [0.0, 0.8])):
            h = np.zeros((len(efforts), len(STATES)))
            h[:, first], h[:, first + 1], h[:, 4] = 1.0, efforts, slope
            noise = floor * np.ones((len(efforts),) * 2) + 0.3 * np.outer(efforts, efforts)
            noise += rng.uniform(0.1, 0.5) * np.eye(len(efforts))
            k = h.T @ np.linalg.solve(noise, h)
            information.append((k + k.T) / 2)
            rows.append((f"{position} {tier}", str(position), domain, tier, 1.0))
    options = pd.DataFrame(rows, columns=["option", "eval", "domain", "tier", "usd"])
    gap_sd = rng.uniform(0.4, 1.3, 2)
    sds = np.array([rng.uniform(0.7, 1.6), gap_sd[0], rng.uniform(0.7, 1.6), gap_sd[1], 0.3])
    correlation = np.eye(len(STATES))
    correlation[0, 2] = correlation[2, 0] = rng.uniform(0.0, 0.5)
    if rng.random() < 0.3:  # elicited runs tie a gap to the rest
        correlation[0, 1] = correlation[1, 0] = rng.uniform(-0.3, 0.3)
    by_rule, later = rng.random() < 0.75, float(rng.uniform(0.0, 0.5))
    weight = float(rng.uniform(0.3, 0.7))
    weights = {**DOMAINS, "both": (weight, 1.0 - weight)}
    means = np.array([6.0, 1.0, 6.0, 1.0, 0.0])
    decisions = []
    for name, (cyber, bio) in weights.items():
        contrast = np.array([cyber, cyber, bio, bio, 0.0])
        spread = float(np.sqrt((contrast * sds) @ correlation @ (contrast * sds) + later**2))
        above = float(np.exp(rng.uniform(np.log(0.02), np.log(0.6))))
        # near the rule, where calls are hard: the probability of exceeding within a factor of two
        threshold = float(contrast @ means + spread * (rng.normal(0, 0.4) - ndtri(above)))
        decisions.append(
            Decision(
                name, contrast, threshold, loss_ratio(above), 1.0, 0.0, later,
                mitigate_above=above if by_rule else None,
            )
        )  # fmt: skip
    # a level further up, and no less sure a danger before it is mitigated
    high, critical = sorted(d.threshold for d in decisions[:2])
    rule = decisions[0].mitigate_above
    decisions[0] = replace(decisions[0], threshold=high)
    upper = None if rule is None else rule * float(rng.uniform(1.0, 1.5))
    decisions[1] = replace(
        decisions[0],
        name="cyber Critical",
        threshold=max(critical, high + 0.1),
        loss_missed=decisions[0].loss_missed if upper is None else loss_ratio(upper),
        mitigate_above=upper,
    )
    skewed = ("cyber.gap", "bio.gap") if rng.random() < 2 / 3 else ()
    return Menu(
        options.set_index("option"), ("usd",), np.array(information), STATES, means,
        correlation * np.outer(sds, sds), tuple(decisions), skewed=skewed,
    )  # fmt: skip


def looked_at(menu: Menu, rng: np.random.Generator, n_results: int = RESULTS) -> pd.DataFrame:
    """Return one row per decision: what the outlook tells and what simulation finds."""
    mix = [str(rng.choice(own.index)) for _, own in menu.options.groupby("eval")]
    told = decision_outlook(Problem(Question(menu)), choice_vector(menu, mix))
    drawn = Drawn(menu, mix, rng, n_results)
    rows = []
    by_search = valuation(menu).gains(choice_vector(menu, mix))
    for d, decision in enumerate(menu.decisions):
        row: Any = told.loc[decision.name]
        found = drawn.of(decision, rng, row["call_now"] == "mitigate")
        gap, above = calls_of(menu, decision), decision.mitigate_above
        loser = int(found.means["loss_missed"] > found.means["loss_needless"])
        called = int(row["call_now"] == "mitigate")
        if above is None:
            contradicted = False
            by_losses = called
            apart = abs(found.means["loss_missed"] - found.means["loss_needless"])
            unsure = apart < 4 * found.errors["loss_difference"]
            against = called != loser and not unsure
        else:
            contradicted = bool(row["p_exceeds"] > above) != bool(called)
            by_losses = _by_losses(menu, decision)
            unsure = abs(found.means["exceeds"] - above) < 4 * found.errors["exceeds"]
            against = (found.means["exceeds"] > above) != bool(called) and not unsure
        many = "two skewed gaps" if decision.name == "both" else "skewed"
        kind = "normal" if gap is None else many
        pairs = {
            "exceeds": row["p_exceeds"],
            "missed": row["p_missed_expected"],
            "needless": row["p_needless_expected"],
            "turned": row["p_call_changes"],
            "value": row["evsi"] / row["evpi"],
        }
        scale = {"value": row["evpi"]}
        rows.append(
            {
                "kind": f"{'losses' if above is None else 'rule'}, {kind}",
                "decision": decision.name,
                "call": called,
                "contradicted": contradicted,
                "against": against,
                "by_losses": by_losses != called,
                "price": found.means["price"] / row["evpi"],
                "stand_in": (by_search[d] - row["evsi"]) / row["evpi"],
                **{key: p - found.means[key] / scale.get(key, 1.0) for key, p in pairs.items()},
                **{
                    f"{key}_se": found.errors[key] / scale.get(key, 1.0) for key in pairs
                },
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


class Drawn:
    """States and results drawn on a menu, and the belief after each.

    Every skewed state of the menu keeps its lognormal shape; given them all is normal, so that
    the belief is a mixture over their values, 1,024 of them.
    """

    def __init__(self, menu: Menu, mix: Sequence[str], rng: np.random.Generator, n: int) -> None:
        self.n = n
        rows = menu.options.index.get_indexer(pd.Index(list(mix)))
        information = menu.information[rows].sum(axis=0)
        at = np.array([menu.states.index(name) for name in menu.skewed], dtype=int)
        slope = np.zeros((len(at), len(menu.states)))
        left = menu.prior_covariance
        if len(at):
            slope = np.linalg.solve(left[np.ix_(at, at)], left[at])
            left = left - left[:, at] @ slope

        def given(z: Floats) -> Floats:
            found: Floats = (
                menu.prior_mean + (_lognormals(menu, at, z) - menu.prior_mean[at]) @ slope
            )
            return found

        dimensions = max(len(at), 1)
        self.nodes = given(ndtri(Sobol(dimensions, seed=0).random_base2(10)))
        if not len(at):
            self.nodes = self.nodes[:1]
        values, vectors = np.linalg.eigh(left)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        self.states = given(rng.standard_normal((n, dimensions)))
        self.states = self.states + rng.standard_normal((n, len(menu.states))) @ root.T
        strength, axes = np.linalg.eigh(information)
        keep = strength > 1e-9 * strength.max()
        self.reader = np.sqrt(strength[keep])[:, None] * axes[:, keep].T
        self.readings = self.states @ self.reader.T + rng.standard_normal((n, int(keep.sum())))
        spread = self.reader @ left @ self.reader.T + np.eye(len(self.reader))
        self.gain = np.linalg.solve(spread, self.reader @ left)
        self.left = left - (self.reader @ left).T @ self.gain
        whiten = np.linalg.cholesky(np.linalg.inv(spread))
        seen, expected = self.readings @ whiten, self.nodes @ self.reader.T @ whiten
        far = (seen**2).sum(axis=1)[:, None] + (expected**2).sum(axis=1) - 2 * seen @ expected.T
        weights = np.exp(-0.5 * (far - far.min(axis=1, keepdims=True)))
        self.weights: Floats = weights / weights.sum(axis=1, keepdims=True)

    def of(
        self, decision: Decision, rng: np.random.Generator, call_now: bool | None = None
    ) -> Simulated:
        """Call by the rule, or by what loses least, under the belief after; count what follows.

        A call turns from the one that is told now, else from the one found here.
        """
        contrast, later = decision.contrast, decision.later_gain_sd
        shift = decision.later_gain_mean - decision.threshold
        y = self.states @ contrast + shift + later * rng.standard_normal(self.n)
        pull = self.gain @ contrast
        means = self.nodes @ contrast + shift + (self.readings @ pull)[:, None]
        means = means - self.nodes @ self.reader.T @ pull
        sd = float(np.sqrt(max(float(contrast @ self.left @ contrast), 0.0) + later**2))
        z = means / sd
        exceeds, missed, needless = (
            np.einsum("rn,rn->r", self.weights, each)
            for each in (ndtr(z), expected_excess(z), expected_excess(-z))
        )
        missed = decision.loss_missed * sd * missed
        needless = decision.loss_false_alarm * sd * needless
        losses = np.stack([missed, needless])
        # By the belief after, not the truth itself: the same means, with less noise.
        now, least = int(missed.mean() > needless.mean()), missed > needless
        by_rule, before = least, bool(now)
        if decision.mitigate_above is not None:
            by_rule = exceeds > decision.mitigate_above
            before = bool(exceeds.mean() > decision.mitigate_above)
        call_now = before if call_now is None else call_now
        draws = {
            "exceeds": exceeds,
            "missed": (~by_rule & (y > 0)).astype(float),
            "needless": (by_rule & (y <= 0)).astype(float),
            "turned": (by_rule != call_now).astype(float),
            "value": losses[now] - losses.min(axis=0),
            "price": np.where(by_rule, needless, missed) - losses.min(axis=0),
            "loss_missed": missed,
            "loss_needless": needless,
            "loss_difference": missed - needless,
        }
        return Simulated(
            {key: float(d.mean()) for key, d in draws.items()},
            # of a share of which hardly any was seen, as if one had been
            {key: float(max(d.std(), self.n**-0.5) / np.sqrt(self.n)) for key, d in draws.items()},
        )


def call_row(kind: str, found: pd.DataFrame) -> list[str]:
    """Return a line of the table of calls."""
    counts = [str(int(found[key].sum())) for key in ("contradicted", "against", "by_losses")]
    price = 100 * found["price"]
    return [kind, str(len(found)), *counts, f"{price.median():.2g} %, {price.max():.2g} %"]


def figure_row(kind: str, found: pd.DataFrame) -> list[str]:
    """Return a line of the table of figures."""
    cells = []
    for key in ("exceeds", "missed", "needless", "turned", "value"):
        apart = found[key].abs()
        errors = (apart / found[f"{key}_se"]).max()
        cells.append(f"{100 * apart.mean():.2f}, {100 * apart.max():.2f} ({errors:.1f})")
    apart = 100 * found["stand_in"].abs()
    return [kind, *cells, f"{apart.mean():.2f}, {apart.max():.2f}"]


def level_words(found: pd.DataFrame) -> str:
    """Say on how many menus Critical would be mitigated and High not."""
    high = found[found["decision"] == "cyber High"]["call"].to_numpy()
    critical = found[found["decision"] == "cyber Critical"]["call"].to_numpy()
    return (
        f"Levels: Critical is mitigated and High not on {int((critical > high).sum())} of "
        f"{len(high)} menus; both on {int((critical & high).sum())}, High alone on "
        f"{int((high > critical).sum())}."
    )


def _by_losses(menu: Menu, decision: Decision) -> int:
    without = replace(decision, mitigate_above=None)
    other = replace(menu, decisions=(without,))
    told = decision_outlook(Problem(Question(other)), np.zeros(len(menu)))
    return int(told["call_now"].iloc[0] == "mitigate")


def _lognormals(menu: Menu, at: NDArray[np.intp], z: Floats) -> Floats:
    """Return values of the skewed states for standard normal draws, (n, n_skewed)."""
    mean, variance = menu.prior_mean[at], np.diag(menu.prior_covariance)[at]
    spread = np.sqrt(np.log1p(variance / mean**2))
    found: Floats = mean * np.exp(spread * z[:, : len(at)] - spread**2 / 2)
    return found


if __name__ == "__main__":
    main()
