"""The scale of scores: continuous scores of any range read as shares of a stated one."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue, EvalSpec
from evalbayes.errors import InputError
from evalbayes.observations.observations import Observations

BEYOND = 3.0  # standard errors by which noise alone may carry a mean score past a stated end


@dataclass(frozen=True)
class ScoreScale:
    """From the score of a run that shows nothing to that of one that shows everything.

    A score y counts as the share (y − low)/(high − low), whose expectation within a cap c is
    A·F(c). Noise is normal with the standard error given, or beta with that mean and, at the score
    seen, that standard error: concentration share·(1 − share)/error² − 1.

    RE-Bench counts the starting solution as 0 and the reference as 1, and some runs pass it:

    >>> ScoreScale(0.0, 2.0).share(1.3)
    0.65
    """

    # low, high: ends of the scale
    low: float = 0.0
    high: float = 1.0
    noise: str = "normal"  # "normal" or "beta"
    # stated: whether the catalogue says so; otherwise scores are taken to lie from 0 to 1
    stated: bool = True

    def share(self, score: Any) -> Any:
        """Return scores as shares of the scale."""
        return (score - self.low) / (self.high - self.low)

    def error(self, standard_error: Any) -> Any:
        """Return standard errors of scores as those of shares."""
        return standard_error / (self.high - self.low)

    def refuse(self, score: float, standard_error: float, who: str) -> None:
        """Refuse a score that the scale cannot give."""
        share, error = self.share(score), self.error(standard_error)
        ends = f"from {self.low:g} to {self.high:g}"
        if not self.stated and not 0 <= share <= 1:
            raise InputError(
                f"{who}: a score must lie from 0 to 1 where no other scale is stated, got "
                f"{score:g}; give score_low and score_high, the scores of a run that shows nothing "
                "and of one that shows everything, for the eval in the catalogue"
            )
        if not -BEYOND * error <= share <= 1 + BEYOND * error:
            raise InputError(
                f"{who}: a score must lie on the scale that the catalogue states, {ends}, give or "
                f"take {BEYOND:g} standard errors, got {score:g} with a standard error of "
                f"{standard_error:g}; move score_low or score_high"
            )
        if self.noise == "beta" and not 0 < error**2 < share * (1 - share):
            raise InputError(
                f"{who}: beta noise must have a score inside its scale, {ends}, and a variance "
                f"below that of all or nothing, got {score:g} with a standard error of "
                f'{standard_error:g}; write score_noise = "normal" for the eval'
            )


def scale_of(spec: EvalSpec) -> ScoreScale:
    """Return the scale of an eval's scores."""
    if spec.score_low is None or spec.score_high is None:
        return ScoreScale(noise=spec.score_noise, stated=False)
    return ScoreScale(spec.score_low, spec.score_high, spec.score_noise)


def on_scale(observations: Observations, catalogue: Catalogue) -> Observations:
    """Return observations whose scores are shares of their evals' scales.

    Scores gain a column `concentration`: that of beta noise, NaN where noise is normal.
    """
    if not len(observations.scores):
        return observations
    scales = {spec.name: scale_of(spec) for spec in catalogue.evals}
    rows = []
    for row in observations.scores.to_dict("records"):
        scale = scales[row["eval"]]
        who = f"scores of {row['eval']} by {row['ai_model']} at cap {row['cap']:g}"
        scale.refuse(row["score"], row["standard_error"], who)
        share, error = scale.share(row["score"]), scale.error(row["standard_error"])
        beta = scale.noise == "beta"
        concentration = share * (1 - share) / error**2 - 1 if beta else np.nan
        scaled = {"score": share, "standard_error": error, "concentration": concentration}
        rows.append(row | scaled)
    return replace(observations, scores=pd.DataFrame(rows))
