"""An eval: a set of tasks in a domain, with what running it takes."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from evalbayes.catalogue.assumptions import EVAL, Assumption, spend_unit
from evalbayes.catalogue.budget import BudgetSpec
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.human_time import DOUBLINGS
from evalbayes.catalogue.interval import AnyInterval, InnerShareInterval, Interval, PositiveInterval
from evalbayes.catalogue.quantities import (
    Guessing,
    Noise,
    NotNegative,
    Number,
    Positive,
    PositiveCount,
    PositiveShare,
    Share,
    Text,
    YesOrNo,
    hours_by_skill,
    positive,
    promised,
    split_hours,
)
from evalbayes.catalogue.tables import Spec, Table, filled, ruled, validated
from evalbayes.names import nearest, refuse_other

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
    """One [[eval]], all defaults filled in."""

    name: Text
    domain: Text  # that it mainly stands for
    # weight on each domain it stands for; they sum to 1
    loadings: Annotated[dict[str, float], BeforeValidator(weights_by_domain)]
    # those of a family share part of their validity error; None: a family of its own
    family: Text | None = None
    tasks: PositiveCount  # how many it has, and what they are called, where known
    task_names: Annotated[tuple[str, ...] | None, BeforeValidator(distinct_names)] = None
    # Median human time of a task in minutes, or difficulty in the domain's unit; where both are
    # given, difficulty counts, and where neither, the observations' human minutes do.
    human_minutes: Positive | None = None
    difficulty: AnyInterval | None = None
    spend_unit: Text  # what spend is counted in ("tokens", "usd", "hours", ...), and USD per unit
    usd_per_unit: PositiveInterval
    usd_per_run: PositiveInterval | None = None  # of one not cut short, where nothing else is known
    hours_per_run: Positive | None  # wall time; None: its tokens over the budget's tokens a second
    # Hours to run it once, to mend its obvious spurious failures (to `effort_repaired`), and to
    # elicit it to `effort_max`; by skill if the budget is. Of elicitation it is what is left for
    # this eval where an [[elicitation]] serves it.
    staff_hours: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]
    staff_hours_repair: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]
    staff_hours_elicitation: Annotated[float | dict[str, float], BeforeValidator(hours_by_skill)]
    days_repair: NotNegative  # calendar days
    days_elicitation: NotNegative
    # Elicitation effort of repaired runs and of the max-elicitation tier, above 0, up to 1; left
    # out, what their staff hours reach (`evalbayes.catalogue.population.effort_of`).
    effort_repaired: PositiveShare
    effort_max: PositiveShare
    review_minutes_per_run: NotNegative  # to read its transcript
    resettable: Share  # of the tasks, on which best-of-k is fair
    usd_per_reset: NotNegative  # price of a fresh start of a task for another attempt
    attempts_max: PositiveCount  # per task at max elicitation, where best-of-k is fair
    verifier: YesOrNo  # whether a success can be told from a failure without knowing the answer
    # Chance that a guess is right, 0.25 in multiple choice of four, 0 where nothing can be guessed;
    # None: estimated from repeats where there are any, else 0.
    guessing: Guessing | None = None
    max_cap: Positive  # largest cap per attempt worth considering, in spend units
    # expert ranges of the success share with unlimited spend, and of the spend at which half of it
    # is reached; used where there is no observation
    plateau: InnerShareInterval | None = None
    half_spend: PositiveInterval | None = None
    # the score of a run that shows nothing and of one that shows everything; None: from 0 to 1
    score_low: Number | None = None
    score_high: Number | None = None
    score_noise: Noise = "normal"  # about its expectation; "beta" where scores crowd at an end
    # Whether it must, or must not, be run; mandatory may say what is promised, see `promised`.
    mandatory: Annotated[bool | dict[str, Any], BeforeValidator(promised)] = False
    forbidden: YesOrNo = False
    run_by: Text | None = None  # e.g. "own staff" or an external assessor; None: not said
    notes: str = ""  # e.g. sources


EVAL_KEYS = tuple(EvalSpec.model_fields)
HIGH_ALONE = ("score_high", "score_low")
HOURS = ("staff_hours", "staff_hours_repair", "staff_hours_elicitation")
LIKE = HOURS[::-1]  # whose split hours without one follow: the first that has one


def skills_of(
    budget: BudgetSpec, evals: list[Table], beside: tuple[Table, ...] = ()
) -> tuple[str, ...]:
    """Return the skills staff hours are split by: the budget's, the evals' and those beside."""
    if isinstance(budget.staff_hours, float):
        return ()
    named = list(budget.staff_hours or ())
    for table in evals:
        for key in HOURS:
            hours = table.entries.get(key)
            named += list(hours) if isinstance(hours, Mapping) else []
    for table in beside:
        hours = table.entries.get("hours")
        named += list(hours) if isinstance(hours, Mapping) else []
    return tuple(dict.fromkeys(named))


def assembled_eval(
    table: Table,
    domains: tuple[DomainSpec, ...],
    skills: tuple[str, ...],
    assumptions: list[Assumption],
    *,
    throughput: bool = False,
) -> EvalSpec:
    """Return an eval with every default filled in, and note those that were used.

    With a known throughput, runs that spend tokens last as long as their tokens take.
    """
    entries = _placed(table, domains)
    domain = next(spec for spec in domains if spec.name == entries["domain"])
    if isinstance(entries.get("task_names"), list) and "tasks" not in entries:
        entries["tasks"] = len(entries["task_names"])
    if throughput and entries.get("spend_unit", spend_unit(entries)[0]) == "tokens":
        entries.setdefault("hours_per_run", None)
    complete = filled(Table(table.label, table.where, entries), EVAL_KEYS, EVAL, assumptions)
    entries = dict(complete.entries)
    _note_difficulty(complete, entries, domain, assumptions)
    read = {key: ruled(complete, key, hours_by_skill) or 0.0 for key in HOURS}
    split = [
        hours for hours in map(read.get, LIKE) if isinstance(hours, dict) and any(hours.values())
    ]
    for key, hours in read.items():
        given, like = table.entries.get(key) is not None, split[0] if split else None
        try:
            entries[key] = split_hours(hours, skills, domain.name, like, given=given)
        except ValueError as error:
            raise table.wrong(f"{key} {error}") from None
    spec = validated(EvalSpec, Table(table.label, table.where, entries))
    _check(table, spec, skills)
    return spec


def _placed(table: Table, domains: tuple[DomainSpec, ...]) -> dict[str, Any]:
    """Return the entries with domain and loadings, either worked out from the other."""
    entries = dict(table.entries)
    names = [spec.name for spec in domains]
    if "loadings" in entries:
        weights = ruled(table, "loadings", weights_by_domain)
        entries.setdefault("domain", max(weights, key=lambda name: weights[name]))
    if "domain" not in entries:
        raise table.wrong("domain must be given, got nothing; add domain = ... or loadings")
    entries.setdefault("loadings", {entries["domain"]: 1.0})
    for name in (entries["domain"], *entries["loadings"]):
        refuse_other(name, names, f"{table.where}: its domain must be one of the catalogue's")
    if entries["domain"] not in entries["loadings"]:
        raise table.wrong(
            f"loadings must give weight to its domain {entries['domain']!r}, got "
            f"{', '.join(entries['loadings'])}; add it or change the domain"
        )
    units = {spec.unit for spec in domains if spec.name in entries["loadings"]}
    if len(units) > 1:
        raise table.wrong(
            f"loadings must be on domains of one unit, got "
            f"{' and '.join(sorted(units))}; split the eval in two"
        )
    return entries


def _note_difficulty(
    table: Table, entries: dict[str, Any], domain: DomainSpec, assumptions: list[Assumption]
) -> None:
    """Refuse minutes in another unit, and note where nothing is said about difficulty."""
    if entries.get("difficulty") is not None:
        return
    if entries.get("human_minutes") is not None:
        if not domain.minutes:
            raise table.wrong(
                f"difficulty must be given in the unit of {domain.name!r}, "
                f"{domain.unit!r}, got human_minutes; that unit is not {DOUBLINGS!r}"
            )
        return
    assumptions.append(
        Assumption(
            table.label,
            "difficulty",
            None,
            "nothing was said, so it follows from the human minutes of the observations, else it "
            "is like that of the domain's other evals",
        )
    )


def _check(table: Table, spec: EvalSpec, skills: tuple[str, ...]) -> None:
    """Check rules between the keys of one eval."""
    if spec.mandatory and spec.forbidden:
        raise table.wrong("an eval must not be mandatory and forbidden, got both; drop one")
    least = spec.mandatory.get("tasks", 0) if isinstance(spec.mandatory, dict) else 0
    if isinstance(least, int) and least > spec.tasks:
        raise table.wrong(
            f"mandatory must promise at most its {spec.tasks} tasks, got {least}; "
            'write tasks = "all"'
        )
    if (spec.score_low is None) != (spec.score_high is None):
        given, other = ("score_low", "score_high") if spec.score_high is None else HIGH_ALONE
        raise table.wrong(
            f"{other} must be given with {given}, got nothing; a scale of scores has two ends"
        )
    low, high = spec.score_low, spec.score_high
    if low is not None and high is not None and low >= high:
        raise table.wrong(
            f"score_low must be below score_high, got {low:g} and {high:g}; swap "
            "them, and turn the sign of scores that are better when lower"
        )
    if spec.task_names is not None and len(spec.task_names) != spec.tasks:
        raise table.wrong(
            f"task_names must name all {spec.tasks} tasks, got "
            f"{len(spec.task_names)}; complete the list or leave it out"
        )
    if spec.spend_unit == "usd" and spec.usd_per_unit != Interval(1, 1):
        raise table.wrong(
            f"usd_per_unit must be 1 where spend is in usd, got "
            f"{spec.usd_per_unit}; drop it or name another spend_unit"
        )
    for key in HOURS:
        hours = getattr(spec, key)
        for skill in hours if isinstance(hours, Mapping) else ():
            near = nearest(skill, [name for name in skills if name != skill], cutoff=0.8)
            if near and table.entries.get(key) is not None:
                raise table.wrong(
                    f"skills of {key} must be spelt alike throughout, got "
                    f"{skill!r} beside {near!r}; use one spelling"
                )
