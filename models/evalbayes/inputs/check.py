"""The check: the inputs read back in words, what is missing, assumed, implied, suspicious."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from evalbayes.catalogue.anchors import without_anchor
from evalbayes.catalogue.assumptions import Assumption
from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.decided import crossings
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.errors import InputError
from evalbayes.inputs.readback import in_unit, number_of, read_back
from evalbayes.names import nearest
from evalbayes.observations import Observations
from evalbayes.observations.equal_spends import equal_spends
from evalbayes.observations.score_scale import on_scale


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class CheckReport:
    """What the inputs say."""

    lines: tuple[str, ...]  # sentences to print, in order
    # sentences about what a recommendation cannot do without; empty if it can be made
    missing: tuple[str, ...]
    warnings: tuple[str, ...]  # sentences about what is probably not meant
    # one row per decision, named after its domain: threshold, stakes, prior ranges, evals
    domains: pd.DataFrame
    # one row per eval: its domain, tasks, runs seen, AI models seen, what it rests on
    evals: pd.DataFrame
    assumptions: tuple[Assumption, ...]  # every default that was used
    # domains of which no probability of exceeding can be told, each with a sentence; they are the
    # first lines
    no_anchor: Mapping[str, str] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """Return the assumptions, alike ones in one row: key, value, where, reason."""
        columns = ["key", "value", "where", "reason"]
        if not self.assumptions:
            return pd.DataFrame(columns=columns)
        rows = [
            {"key": each.key, "value": each.text, "where": each.where, "reason": each.reason}
            for each in self.assumptions
        ]
        grouped = pd.DataFrame(rows).groupby(["key", "value", "reason"], sort=False)["where"]
        return grouped.agg("; ".join).reset_index()[columns]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def check_inputs(catalogue: Catalogue, observations: Observations | None = None) -> CheckReport:
    """Read a catalogue and observations back in words.

    InputError if a score lies outside its eval's scale.

    Parameters
    ----------
    catalogue, observations
        The inputs; results are optional.
    """
    observations = observations or Observations()
    on_scale(observations, catalogue)
    evals = _evals(catalogue, observations)
    no_anchor = without_anchor(catalogue, observations.human_minutes)
    missing = _missing(evals)
    warnings = tuple(suspicions(catalogue, observations))
    own = sum("_defaults]" in each.reason for each in catalogue.assumptions)
    words = f"{number_of(len(catalogue.assumptions) - own, 'figure')} assumed, as nobody gave them"
    words += f"; {own} more come from the catalogue's own defaults" if own else ""
    lines = [
        *no_anchor.values(),
        *read_back(catalogue, observations, evals, no_anchor),
        *(f"note: {note}" for note in (*catalogue.notes, *observations.notes)),
        *(f"warning: {warning}" for warning in warnings),
        *(f"missing: {sentence}" for sentence in missing),
        f"{words}; `recommend`, and `check --posterior` of a fit, name the five of them that move "
        "the plan most, and whom to ask",
    ]
    domains = _domains(catalogue)
    return CheckReport(
        tuple(lines), missing, warnings, domains, evals, catalogue.assumptions, no_anchor
    )


def check_covered(catalogue: Catalogue, observations: Observations | None) -> None:
    """Refuse an eval that has neither observations nor `usd_per_run`."""
    seen = (observations or Observations()).evals
    bare = [e.name for e in catalogue.evals if e.name not in seen and e.usd_per_run is None]
    if bare:
        raise InputError(
            "catalogue: every eval must have observations or usd_per_run, got neither for "
            f"{', '.join(bare)}; add usd_per_run = [low, high] or give its results"
        )


def _domains(catalogue: Catalogue) -> pd.DataFrame:
    rows = []
    for spec in catalogue.decisions:
        domains = [catalogue.domain(name) for name in spec.weights]
        gaps = [str(domain.gap) for domain in domains]
        rows.append(
            {
                "domain": spec.name,
                "unit": spec.unit,
                "threshold": in_unit(spec.threshold, spec),
                "shown_capability": ", ".join(in_unit(d.shown_capability, d) for d in domains),
                "elicitation_gap": ", ".join(gaps),
                "loss_ratio": spec.loss_missed / spec.loss_false_alarm,
                "evals": sum(each.domain in spec.weights for each in catalogue.evals),
                "min_evals": sum(domain.min_evals for domain in domains),
            }
        )
    return pd.DataFrame(rows).set_index("domain")


def _evals(catalogue: Catalogue, observations: Observations) -> pd.DataFrame:
    under_test = catalogue.portfolio.ai_model
    table = observations.run_counts.sum(axis=1)  # an AI model with scores alone has 0
    rows = []
    for spec in catalogue.evals:
        seen = table[table.index.get_level_values("eval") == spec.name].droplevel("eval")
        rows.append(
            {
                "eval": spec.name,
                "domain": spec.domain,
                "tasks": spec.tasks,
                "spend_unit": spec.spend_unit,
                "runs": int(seen.sum()),
                "ai_models": len(seen),
                "runs_under_test": int(seen.get(under_test, 0)),
                "rests_on": _foundation(spec, observed=len(seen) > 0),
            }
        )
    return pd.DataFrame(rows).set_index("eval")


def _foundation(spec: EvalSpec, *, observed: bool) -> str:
    if observed:
        return "observations"
    if spec.usd_per_run is None:
        return "nothing"
    given = [key for key in ("plateau", "half_spend") if getattr(spec, key) is not None]
    return f"expert ranges ({', '.join([*given, 'usd_per_run'])})"


def _missing(evals: pd.DataFrame) -> tuple[str, ...]:
    bare = list(evals.index[evals["rests_on"] == "nothing"])
    if not bare:
        return ()
    return (f"observations or usd_per_run of {', '.join(bare)}; without them no plan can be made",)


ALIKE = 5  # tasks, or evals, of one length are no coincidence from here on
FAR_APART = 4  # human minutes told twice may differ by this factor
LARGE_USD = 100_000  # nobody gives one attempt more money than this


def suspicions(catalogue: Catalogue, observations: Observations) -> Iterable[str]:
    """Say what is probably not meant."""
    for domain in catalogue.domains:
        count = sum(e.domain == domain.name and not e.forbidden for e in catalogue.evals)
        count += sum(study.domain == domain.name for study in catalogue.studies)
        if count < domain.min_evals:
            yield (
                f"{domain.name} has min_evals of {domain.min_evals}, but only {count} of its evals "
                f"{'and studies ' if catalogue.studies else ''}may be run"
            )
    for each in catalogue.elicitations:
        if len(each.evals) == 1:
            yield f"the elicitation {each.name!r} serves {each.evals[0]} alone: nothing is shared"
        key = "staff_hours_elicitation"
        full = [name for name in each.evals if catalogue.assumed(f"eval {name!r}", key)]
        if full:
            yield (
                f"{key} of {', '.join(full)} is a default, though the elicitation {each.name!r} "
                "serves it; give what is left for the eval beside what is shared"
            )
    for lower, higher in crossings(catalogue.decisions):
        if higher.rule < lower.rule:
            why = f"it is mitigated above {higher.rule:.2g} and {lower.name} above {lower.rule:.2g}"
        else:
            why = "their thresholds are not equally sure"
        yield (
            f"{higher.name} may be called to be mitigated and {lower.name} not, as the stakes say: "
            f"{why}. Each mitigation is valued as one of its own; where that of the higher level "
            "contains the other's, let the probability it is mitigated above be no lower"
        )
    under_test = catalogue.portfolio.ai_model
    if under_test not in observations.ai_models:
        twin = nearest(under_test, observations.ai_models, cutoff=0.9)
        if twin:
            yield (
                f"the AI model under test is {under_test!r}, and {twin!r} is observed; if they are "
                "one, spell them alike"
            )
    yield from equal_spends(observations.cells, observations.runs)
    yield from equal_minutes(observations)
    frames = (observations.cells, observations.runs, observations.counts, observations.scores)
    told = _joined(frames)[["eval", "cap", "human_minutes"]]
    by_eval = told.astype({"cap": float, "human_minutes": float}).groupby("eval")
    figures = by_eval.agg(cap=("cap", "max"), minutes=("human_minutes", "median"))
    for spec in catalogue.evals:
        if spec.name not in figures.index:
            continue
        cap, minutes = map(float, figures.loc[spec.name])
        if spec.spend_unit == "usd" and cap > LARGE_USD:
            yield (
                f"{spec.name} was observed with a cap of {cap:,.0f}, taken as usd; if these are "
                "tokens, give spend_unit and usd_per_unit"
            )
        given = spec.human_minutes
        if given is not None and max(minutes / given, given / minutes) > FAR_APART:
            yield (
                f"{spec.name} has human_minutes of {given:g} in the catalogue and {minutes:g} in "
                "the observations; the catalogue's counts"
            )


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame for frame in frames if len(frame)] or [frames[0]])


def equal_minutes(observations: Observations) -> Iterable[str]:
    """Say that all tasks take people equally long, where they are many."""
    once = [observations.runs.drop_duplicates(["eval", "task"])]
    others = (observations.cells, observations.counts, observations.scores)
    once += [frame.drop_duplicates("eval") for frame in others]
    minutes = _joined(once)["human_minutes"].dropna()
    if len(minutes) >= ALIKE and (minutes == minutes.iloc[0]).all():
        yield (
            f"human_minutes are {minutes.iloc[0]:g} for all {len(minutes)} tasks or evals that "
            "have any; where that stands in for times that nobody knows, leave them empty: they "
            "say how far the threshold is"
        )
