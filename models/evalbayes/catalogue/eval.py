"""An eval: a set of tasks in a domain, with what running it takes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from evalbayes.catalogue.interval import AnyInterval
from evalbayes.catalogue.quantities import (
    Noise,
    NotNegative,
    Number,
    Positive,
    PositiveCount,
    PositiveShare,
    Share,
    Text,
    YesOrNo,
    positive,
)
from evalbayes.catalogue.ranges import InnerShareInterval, PositiveInterval
from evalbayes.catalogue.skills import hours_by_skill
from evalbayes.catalogue.spec import Spec

LOADINGS_TOLERANCE = 0.01


def weights_by_domain(value: Any) -> dict[str, float]:
    """Read weights on domains, positive and summing to 1, so that a task keeps its difficulty."""
    if not isinstance(value, dict) or not value:
        raise ValueError(
            f"must be a table of weights by domain, got {value!r}; "
            "write for example {cyber = 0.8, autonomy = 0.2}"
        )
    weights = {}
    for domain, weight in value.items():
        try:
            weights[domain] = positive(weight)
        except ValueError as error:
            raise ValueError(f"of {domain!r} {error}") from None
    whole = sum(weights.values())
    if abs(whole - 1) > LOADINGS_TOLERANCE:
        raise ValueError(f"must sum to 1, got {whole:g}; divide each weight by {whole:g}")
    return {domain: weight / whole for domain, weight in weights.items()}


def distinct_names(value: Any) -> tuple[str, ...] | None:
    """Read names of tasks, each once."""
    if value is None:
        return None
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError(f'must be a list of names, got {value!r}; write ["first", "second"]')
    names = tuple(value)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"must be a list of names, got {name!r} in it; write it in quotes")
        if names.count(name) > 1:
            raise ValueError(f"must name each task once, got {name!r} twice; drop one")
    return names


class EvalSpec(Spec):
    """One [[eval]], all defaults filled in.

    Parameters
    ----------
    name, domain
        Its name, and the domain it mainly stands for.
    loadings
        Weight on each domain it stands for; they sum to 1.
    family
        Evals of a family share part of their validity error; None: a family of its own.
    tasks, task_names
        How many tasks it has, and what they are called, where known.
    human_minutes, difficulty
        Median human time of a task in minutes, or difficulty in the domain's unit; where both
        are given, difficulty counts, and where neither, the observations' human minutes do.
    spend_unit, usd_per_unit
        What spend is counted in ("tokens", "usd", "hours", ...), and USD per unit of it.
    usd_per_run
        USD of one run that is not cut short, where nothing else is known.
    hours_per_run
        Wall time of one run, in hours; None: its tokens over the budget's tokens a second.
    staff_hours, staff_hours_repair, staff_hours_elicitation
        Hours to run it once, to mend its obvious spurious failures (effort 0.3), and to elicit it
        to `effort_max`; by skill if the budget is.
    days_repair, days_elicitation
        Calendar days that mending, and elicitation to `effort_max`, take.
    effort_max
        Elicitation effort of the max-elicitation tier, above 0, up to 1.
    review_minutes_per_run
        Minutes to read the transcript of a run.
    resettable
        Share of the tasks on which best-of-k is fair.
    usd_per_reset
        Price of a fresh start of a task for another attempt.
    attempts_max
        Attempts per task at max elicitation, where best-of-k is fair.
    verifier
        Whether a success can be told from a failure without knowing the answer.
    max_cap
        Largest cap per attempt worth considering, in spend units.
    plateau, half_spend
        Expert ranges of the success share with unlimited spend, and of the spend at which half
        of it is reached; used where there is no observation.
    score_low, score_high
        The scale of its continuous scores: the score of a run that shows nothing and of one that
        shows everything; None: from 0 to 1.
    score_noise
        How a mean score scatters about its expectation: "normal", or "beta" where scores crowd at
        an end of the scale.
    mandatory, forbidden
        Whether it must, or must not, be run.
    notes
        Free text, e.g. sources.
    """

    name: Text
    domain: Text
    loadings: Annotated[dict[str, float], BeforeValidator(weights_by_domain)]
    family: Text | None = None
    tasks: PositiveCount
    task_names: Annotated[tuple[str, ...] | None, BeforeValidator(distinct_names)] = None
    human_minutes: Positive | None = None
    difficulty: AnyInterval | None = None
    spend_unit: Text
    usd_per_unit: PositiveInterval
    usd_per_run: PositiveInterval | None = None
    hours_per_run: Positive | None
    staff_hours: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]
    staff_hours_repair: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]
    staff_hours_elicitation: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]
    days_repair: NotNegative
    days_elicitation: NotNegative
    effort_max: PositiveShare
    review_minutes_per_run: NotNegative
    resettable: Share
    usd_per_reset: NotNegative
    attempts_max: PositiveCount
    verifier: YesOrNo
    max_cap: Positive
    plateau: InnerShareInterval | None = None
    half_spend: PositiveInterval | None = None
    score_low: Number | None = None
    score_high: Number | None = None
    score_noise: Noise = "normal"
    mandatory: YesOrNo = False
    forbidden: YesOrNo = False
    notes: str = ""
