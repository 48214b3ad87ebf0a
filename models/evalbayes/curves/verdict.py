"""The verdict on a curve: whether it has levelled, and if not, what can be said at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from scipy import stats

from evalbayes.arrays import Array

Kind = Literal["plateau", "saturating", "not yet levelling", "floor", "artefact", "unknown"]
KINDS: tuple[Kind, ...] = get_args(Kind)


LEVELLED = 0.9  # share of the plateau that the largest cap must reach
SATURATED = 0.95  # share at which the saturation point lies
PROBABILITY = 0.8  # how sure one must be of either
FLOOR = 0.02  # success within the largest cap below which a curve is flat at zero
LEAST_RUNS = 8  # fewer own runs never call a plateau
LATE = 0.9  # share of the cap after which a success is a last-moment one
ARTEFACT_PRIOR = 0.05  # of last-moment submissions adding to the successes, before any run is seen
ARTEFACT = 0.5  # probability from which a curve is called an artefact
LATE_SHARE = 0.1  # mean share of all runs that such submissions turn into successes, if there are


@dataclass(frozen=True)
class Verdict:
    """What a curve is, the probability of every kind, and why."""

    kind: Kind  # one of `KINDS`
    p_levelled: float  # probability that the largest cap seen reaches `LEVELLED` of the plateau
    reason: str  # why, in words
    # of every kind; they add to 1
    probabilities: Mapping[Kind, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """How the runs behind a curve ended; `of_ai_model` says whether they are its own.

    `n_late` of the `n_facing` runs that had the largest cap, and whose spend is known, succeeded
    after `LATE` of it.
    """

    n_success: int
    n_gave_up: int
    n_stopped: int
    n_runs: int
    of_ai_model: bool
    n_late: int = 0
    n_facing: int = 0

    @property
    def whose(self) -> str:
        """Whose runs these are, in words."""
        return "its own runs" if self.of_ai_model else "runs of other AI models"

    @property
    def ambiguous(self) -> str:
        """Why a levelled curve cannot be told from a slow one; empty if it can."""
        if self.n_runs < LEAST_RUNS:
            return (
                f"{self.n_runs} runs ({self.whose}) are too few to call a plateau: it takes "
                f"{LEAST_RUNS}"
            )
        if self.n_gave_up == 0 and (self.n_stopped > 0 or self.n_success < self.n_runs):
            return (
                f"none of {self.n_runs} runs gave up ({self.whose}): a slow curve with a plateau "
                "near 1 and a low plateau look alike"
            )
        return ""


def verdict(
    seen: Seen, p_levelled: float, p_saturated: float, p_floor: float = 0.0, p_artefact: float = 0.0
) -> Verdict:
    """Judge one curve by the runs behind it: the AI model's own, else others' on the eval.

    Probabilities are that the largest cap seen reaches `LEVELLED` and `SATURATED` of the plateau,
    that success within it is below `FLOOR`, and that last-moment submissions add to the successes,
    see `artefact`.

    A slow curve with a plateau near 1 and a low plateau look alike where most runs are stopped.
    So a curve has levelled only when that is probable *and* some runs gave up (or none were
    stopped at all) *and* there are `LEAST_RUNS` runs: otherwise the probability of having
    levelled counts as unknown. A flat zero is a floor, not a plateau.
    """
    probabilities = _probabilities(seen, p_levelled, p_saturated, p_floor, p_artefact)

    def judged(kind: Kind, reason: str) -> Verdict:
        return Verdict(kind, p_levelled, reason, probabilities)

    if seen.n_runs == 0:
        return judged("unknown", "no runs of this eval: expert ranges only")
    if seen.n_success == 0:
        return judged(
            "floor",
            f"no success in {seen.n_runs} runs ({seen.whose}): flat at zero says nothing of a "
            "plateau",
        )
    if p_artefact >= ARTEFACT:
        return judged(
            "artefact",
            f"{seen.n_late} of {seen.n_facing} runs succeeded in the last {1 - LATE:.0%} of the "
            "cap, more than the curve gives: last-moment submissions, most likely "
            f"(probability {p_artefact:.2f}), so the curve's end says little of its plateau",
        )
    if p_levelled < PROBABILITY:
        return judged(
            "not yet levelling",
            f"the largest cap seen reaches {LEVELLED:.0%} of the plateau with a probability of "
            f"{p_levelled:.2f}, below {PROBABILITY:.1f}",
        )
    if seen.ambiguous:
        return judged("unknown", seen.ambiguous)
    if p_saturated >= PROBABILITY:
        if seen.n_gave_up:
            how = f"{seen.n_gave_up} runs gave up ({seen.whose})"
        else:
            how = f"all {seen.n_runs} runs succeeded ({seen.whose})"
        return judged("plateau", f"{how} and the curve is flat at its end")
    return judged(
        "saturating",
        f"levelled with a probability of {p_levelled:.2f}, but {SATURATED:.0%} of the plateau is "
        "not surely reached",
    )


def artefact(seen: Seen, expected_late: Array) -> float:
    """Probability that last-moment submissions add to the successes near the cap.

    With λ draws of the late successes that the curve gives, the number seen is Poisson(λ), or
    Poisson(λ + ν) with ν exponential of mean `LATE_SHARE`·runs if there is such an uptick, which
    has a probability of `ARTEFACT_PRIOR` before anything is seen. `expected_late` is λ, of shape
    (n_draws,). Where no run faced its cap nothing is known and the prior stays out: 0 is returned.

    >>> from dataclasses import replace
    >>> busy = Seen(20, 10, 10, 40, of_ai_model=True, n_late=9, n_facing=40)
    >>> artefact(busy, np.full(100, 0.8)) > 0.99
    True
    >>> artefact(replace(busy, n_late=1), np.full(100, 0.8)) < 0.05
    True
    """
    if seen.n_facing == 0:
        return 0.0
    shares = (np.arange(64) + 0.5) / 64
    more = -np.log1p(-shares) * LATE_SHARE * seen.n_facing
    plain = np.mean(stats.poisson.pmf(seen.n_late, expected_late))
    uptick = np.mean(stats.poisson.pmf(seen.n_late, expected_late[:, None] + more))
    total = ARTEFACT_PRIOR * uptick + (1.0 - ARTEFACT_PRIOR) * plain
    return float(ARTEFACT_PRIOR * uptick / total) if total > 0 else 1.0


def _probabilities(
    seen: Seen, p_levelled: float, p_saturated: float, p_floor: float, p_artefact: float
) -> dict[Kind, float]:
    if seen.n_runs == 0:
        return {kind: float(kind == "unknown") for kind in KINDS}
    left = 1.0 - p_artefact
    floor = left * p_floor
    left -= floor
    doubtful = bool(seen.ambiguous) or seen.n_success == 0
    return {
        "plateau": 0.0 if doubtful else left * p_saturated,
        "saturating": 0.0 if doubtful else left * (p_levelled - p_saturated),
        "not yet levelling": left * (1.0 - p_levelled),
        "floor": floor,
        "artefact": p_artefact,
        "unknown": left * p_levelled if doubtful else 0.0,
    }
