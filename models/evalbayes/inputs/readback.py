"""The inputs read back: the catalogue and the observations in plain sentences."""

import math
from collections.abc import Collection, Iterator

import pandas as pd

from evalbayes.catalogue.anchors import anchors
from evalbayes.catalogue.catalogue import Catalogue, undated
from evalbayes.catalogue.decided import DecisionSpec
from evalbayes.catalogue.domain import DomainSpec, implied_probability
from evalbayes.catalogue.human_time import in_words
from evalbayes.catalogue.interval import Interval
from evalbayes.catalogue.quantities import total_hours
from evalbayes.catalogue.shared import ElicitationSpec, TariffSpec
from evalbayes.catalogue.study import StudySpec
from evalbayes.model.study_readings import read_by_study
from evalbayes.observations import Observations
from evalbayes.observations.spurious import reviewed_failures

ELICITED = 0.3  # efforts above this are elicited runs, not repaired ones


def read_back(
    catalogue: Catalogue,
    observations: Observations,
    evals: pd.DataFrame,
    no_anchor: Collection[str],
) -> Iterator[str]:
    """Say who is under test in what, for how long, and then all else; `evals` as the check has it.

    `no_anchor` names the domains without one.
    """
    portfolio, domains = catalogue.portfolio, len(catalogue.domains)
    yield (
        f"AI model under test: {portfolio.ai_model}; {number_of(domains, 'domain')}, "
        f"{number_of(len(catalogue.evals), 'eval')}; decisions stand for "
        f"{number_of(portfolio.horizon_months, 'month')}; all money is in one currency, called usd"
    )
    yield _budget(catalogue)
    for spec in catalogue.domains:
        yield _domain(spec, catalogue, anchored=spec.name not in no_anchor)
    yield from map(_joint, catalogue.joint)
    yield from (_elicitation(spec, catalogue) for spec in catalogue.elicitations)
    yield from (_study(spec, catalogue) for spec in catalogue.studies)
    yield from (_tariff(spec, catalogue) for spec in catalogue.tariffs)
    yield from _anchors(catalogue, observations)
    yield from _observed(catalogue, observations, evals)


def _budget(catalogue: Catalogue) -> str:
    """Return what may be spent, and what is not limited."""
    budget = catalogue.budget
    parts, kept = [], budget.contingency
    shares = kept if isinstance(kept, dict) else {"usd": kept}
    if budget.usd is not None:
        parts.append(f"{budget.usd:,.0f} usd of which {shares.get('usd', 0.0):.0%} is kept back")
    if isinstance(budget.staff_hours, dict):
        split = ", ".join(f"{hours:,.0f} of {s}" for s, hours in budget.staff_hours.items())
        parts.append(f"{total_hours(budget.staff_hours):,.0f} staff hours ({split})")
    elif budget.staff_hours is not None:
        parts.append(f"{budget.staff_hours:,.0f} staff hours")
    if budget.calendar_days is not None:
        parts.append(f"{budget.calendar_days:g} calendar days")
    if budget.agents_in_parallel is not None:
        on = f" on {number_of(budget.servers, 'server')}" if budget.servers is not None else ""
        parts.append(f"{budget.agents_in_parallel:g} agents in parallel{on}")
    if budget.tokens_per_second is not None:
        parts.append(f"{budget.tokens_per_second:,.0f} tokens a second for each agent")
    others = [f"{share:.0%} of {name}" for name, share in shares.items() if name != "usd"]
    if others:
        parts.append(f"kept back too: {', '.join(others)}")
    resources = ("usd", "staff_hours", "calendar_days", "agents_in_parallel")
    free = [name for name in resources if getattr(budget, name) is None]
    unlimited = f"; not limited: {', '.join(free)}" if free else ""
    return f"budget: {', '.join(parts) or 'none given'}{unlimited}"


def _domain(spec: DomainSpec, catalogue: Catalogue, *, anchored: bool) -> str:
    """Return a domain's thresholds, stakes and prior ranges, in human time where there is any."""
    decided = [
        f"{f'{each.level}: ' if each.level else ''}danger above {in_unit(each.threshold, spec)}"
        f"{f', in {spec.unit}' if k == 0 else ''}; {_stakes(each)}{_held(each, spec, catalogue)}"
        for k, each in enumerate(catalogue.decided(spec.name))
    ]
    shown = "not stated"
    if spec.shown_capability is not None:
        shown = in_unit(spec.shown_capability, spec)
    elif anchored:
        shown = "learned from the observations"
    gap = spec.elicitation_gap
    gap_words = f"by the {spec.population}" if gap is None else f"{gap}"
    count = sum(each.domain == spec.name for each in catalogue.evals)
    alone = "; ".join(decided) or f"no threshold of its own, in {spec.unit}"
    return (
        f"{spec.name}: {alone}; shown capability {shown}; elicitation gap {gap_words}; "
        f"{number_of(count, 'eval')}, at least {spec.min_evals} to be run"
    )


def _held(decision: DecisionSpec, spec: DomainSpec, catalogue: Catalogue) -> str:
    adversary = catalogue.adversary(decision.name, spec.name)
    return "" if adversary is None else f"; held against {adversary}"


def _elicitation(spec: ElicitationSpec, catalogue: Catalogue) -> str:
    """Return what a shared elicitation serves and takes once, and what is left per eval."""
    left = ", ".join(
        f"{name} {total_hours(catalogue.eval(name).staff_hours_elicitation):,g}"
        for name in spec.evals
    )
    others = [
        f"{name} needs {' and '.join(each.name for each in catalogue.elicitations_of(name))}"
        for name in spec.evals
        if len(catalogue.elicitations_of(name)) > 1
    ]
    both = f"; {', '.join(others)}" if others else ""
    return (
        f"{spec.name}: shared elicitation of {number_of(len(spec.evals), 'eval')}, paid once where "
        f"any of them runs at max elicitation: {_taken(spec)}; staff hours of elicitation left for "
        f"each: {left}{both}"
    )


def _taken(spec: ElicitationSpec | StudySpec) -> str:
    hours = f"{total_hours(spec.hours):,g} staff hours"
    if isinstance(spec.hours, dict):
        hours += f" ({', '.join(f'{h:,g} of {s}' for s, h in spec.hours.items() if h)})"
    usd = f"{spec.usd.low:,g}" if spec.usd.exact else f"{spec.usd.low:,g} to {spec.usd.high:,g}"
    return f"{hours}, {usd} usd, {number_of(spec.days, 'day')}"


def _study(spec: StudySpec, catalogue: Catalogue) -> str:
    """Return what a study reads, how well, and what it takes."""
    n, of = spec.participants, ", ".join(filter(None, (spec.domain, spec.level)))
    sd = math.hypot(spec.lasting_sd, spec.sampling_sd(n or 1))
    gap = f" and {spec.effort:.0%} of the elicitation gap" if spec.effort else ""
    people = f"; {n} participants in each of two arms, {spec.usd_per_participant} usd each"
    return (
        f"{spec.name}: study of {of}; reads shown capability{gap} to ±{sd:.2g} (one sd, in "
        f"{catalogue.domain(spec.domain).unit}): {_taken(spec)}{people if n else ''}"
    )


def _tariff(spec: TariffSpec, catalogue: Catalogue) -> str:
    """Return which evals a tariff prices, and how its price goes."""
    unit = catalogue.eval(spec.evals[0]).spend_unit
    steps = [f"× {f:g} from {float(at):,.15g} {unit} on" for at, f in spec.steps.items()]
    of = "for all units" if spec.kind == "all-units" else "for the units beyond"
    told = f"usd_per_unit {', '.join(steps)}, {of}"
    return f"{spec.name}: tariff of {', '.join(spec.evals)} together: {told}"


def _joint(spec: DecisionSpec) -> str:
    """Return what a decision over several domains weighs, its threshold and its stakes."""
    weights = " + ".join(f"{weight:g} × {name}" for name, weight in spec.weights.items())
    return (
        f"{spec.name}: one mitigation for {weights}; danger above {in_unit(spec.threshold, spec)}, "
        f"in {spec.unit}; {_stakes(spec)}"
    )


def _stakes(spec: DecisionSpec) -> str:
    ratio = spec.loss_missed / spec.loss_false_alarm
    if spec.mitigate_above is not None and spec.weight is not None:
        return (
            f"mitigate when the probability of exceeding it is above {spec.mitigate_above:.2g}, so "
            f"a missed unit weighs {ratio:.2g} times a false alarm; weight {spec.weight:g}"
        )
    return (
        f"a missed unit loses {spec.loss_missed:,.0f} usd and a false alarm "
        f"{spec.loss_false_alarm:,.0f}, so mitigate when the probability of exceeding it is "
        f"above some {implied_probability(ratio):.2g}"
    )


def in_unit(interval: Interval | None, spec: DomainSpec | DecisionSpec) -> str:
    """Write a range in the unit, and as human task time where it is one."""
    if interval is None:
        return "not given"
    words = (
        f"{interval.low:.3g}" if interval.exact else f"{interval.low:.3g} to {interval.high:.3g}"
    )
    if not spec.minutes:
        return words
    low, high = in_words(2**interval.low), in_words(2**interval.high)
    return f"{words} ({low if low == high else f'{low} to {high}'})"


def _observed(
    catalogue: Catalogue, observations: Observations, evals: pd.DataFrame
) -> Iterator[str]:
    """Say what was observed, and what is left to ranges and priors."""
    if observations.is_empty:
        yield "observations: none, so everything rests on the catalogue's ranges"
    elif observations.evals:
        yield (
            f"observations: {number_of(int(evals['runs'].sum()), 'run')} of "
            f"{number_of(len(observations.evals), 'eval')} by "
            f"{number_of(len(observations.ai_models), 'AI model')}"
        )
    deep = False
    for row in observations.studies.to_dict("records"):
        spec = next(each for each in catalogue.studies if each.name == row["study"])
        value, variance, _ = read_by_study(row, spec, catalogue)
        yield f"{spec.name} of {row['ai_model']} reads {value:.2g} ± {math.sqrt(variance):.2g} (sd)"
        deep = deep or spec.effort > 0
    own = int(evals["runs_under_test"].sum())
    name = catalogue.portfolio.ai_model
    if own:
        yield f"{name} has {number_of(own, 'run')} among them"
    elif observations.evals:
        yield (
            f"{name} is not among them: what it shows rests on shown_capability, where given, and "
            "on the other AI models"
        )
    frames = (observations.cells, observations.runs, observations.counts, observations.scores)
    if not deep and not any(bool((frame["effort"] > ELICITED).any()) for frame in frames):
        yield (
            f"no run was elicited (effort above {ELICITED}), so what elicitation adds rests on its "
            "prior"
        )
    counts = reviewed_failures(observations)
    failed, reviewed, spurious = (int(counts[c].sum()) for c in ("failed", "reviewed", "spurious"))
    if reviewed:
        yield (
            f"{reviewed} of {number_of(failed, 'failure')} as they come were reviewed, and "
            f"{spurious} of those were spurious ({spurious / reviewed:.0%})"
        )
    yield from _ancestry(catalogue, observations)
    experts = list(evals.index[evals["rests_on"].str.startswith("expert")])
    if experts:
        yield f"resting on expert ranges alone: {', '.join(experts)}"
    vague = [name for name in experts if catalogue.eval(name).plateau is None]
    if vague:
        yield f"without a range of the plateau, taken from the other evals: {', '.join(vague)}"


def _anchors(catalogue: Catalogue, observations: Observations) -> Iterator[str]:
    """Say of every domain that has one what ties its scale to its threshold, unless all does."""
    for name, known in anchors(catalogue, observations.human_minutes).items():
        own = [spec.name for spec in catalogue.evals if name in spec.loadings]
        if not known:
            if catalogue.domain(name).shown_capability is not None:
                yield (
                    f"{name}: what ties its scale to its threshold is the shown_capability that is "
                    "stated; none of its evals has human minutes or a difficulty, so these are "
                    "taken to lie about it"
                )
        elif len(known) < len(own):
            yield (
                f"{name}: what ties its scale to its threshold is the difficulty of {len(known)} "
                f"of its {number_of(len(own), 'eval')} ({', '.join(known)})"
            )
    tasks = observations.runs.drop_duplicates(["eval", "task"])
    for name, told in tasks["human_minutes"].notna().groupby(tasks["eval"]):
        if told.any() and not told.all():
            yield f"{name}: {told.sum()} of {len(told)} observed tasks have human minutes"


def _ancestry(catalogue: Catalogue, observations: Observations) -> Iterator[str]:
    """Say whether release dates and relatives count, and what keeps dates from counting."""
    known = catalogue.known_models
    if not known:
        return
    names = tuple(sorted({*observations.ai_models, catalogue.portfolio.ai_model, *known}))
    without = undated(known, names)
    if not without:
        yield "release dates count: shown capability is let rise with them"
    elif len(without) < len(names):
        yield f"release dates do not count, as there is none of {', '.join(without)}"
    lineages = [known[name].lineage for name in names if name in known]
    shared = sorted({line for line in lineages if line and lineages.count(line) > 1})
    if shared:
        yield f"relatives lie near each other: {', '.join(shared)}"


def number_of(amount: float, noun: str) -> str:
    """Return an amount with its noun, in the plural unless it is one."""
    return f"{amount:,g} {noun}{'' if amount == 1 else 's'}"
