"""The check: the inputs read back in words, what is missing, assumed and implied; no fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from evalbayes.catalogue.anchors import without_anchor
from evalbayes.catalogue.assumptions import Assumption
from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.errors import InputError
from evalbayes.inputs.readback import (
    anchor_lines,
    budget_line,
    domain_line,
    elicitation_line,
    heading,
    in_unit,
    joint_line,
    number_of,
    observed_lines,
)
from evalbayes.inputs.suspicion import suspicions
from evalbayes.observations import Observations


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class CheckReport:
    """What the inputs say.

    Parameters
    ----------
    lines
        Sentences to print, in order.
    missing
        Sentences about what a recommendation cannot do without; empty if it can be made.
    warnings
        Sentences about what is probably not meant.
    domains
        One row per decision, named after its domain: threshold, stakes, prior ranges, evals.
    evals
        One row per eval: its domain, tasks, runs seen, AI models seen, what it rests on.
    assumptions
        Every default that was used.
    no_anchor
        Domains of which no probability of exceeding can be told, each with a sentence; they are
        the first lines.
    """

    lines: tuple[str, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    domains: pd.DataFrame
    evals: pd.DataFrame
    assumptions: tuple[Assumption, ...]
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

    Parameters
    ----------
    catalogue, observations
        The inputs; results are optional.

    Raises
    ------
    InputError
        If a score lies outside its eval's scale.
    """
    if observations is not None:
        # Here, as this package is what observations are checked against.
        from evalbayes.observations.score_scale import on_scale

        on_scale(observations, catalogue)
    evals = _evals(catalogue, observations)
    domains = _domains(catalogue)
    minutes = observations.human_minutes if observations is not None else {}
    no_anchor = without_anchor(catalogue, minutes)
    missing = _missing(evals)
    warnings = tuple(suspicions(catalogue, observations))
    lines = [
        *no_anchor.values(),
        heading(catalogue),
        budget_line(catalogue),
        *(
            domain_line(spec, catalogue, anchored=spec.name not in no_anchor)
            for spec in catalogue.domains
        ),
        *(joint_line(spec) for spec in catalogue.joint),
        *(elicitation_line(spec, catalogue) for spec in catalogue.elicitations),
        *anchor_lines(catalogue, observations),
        *observed_lines(catalogue, observations, evals),
        *(f"note: {note}" for note in catalogue.notes),
        *(f"note: {note}" for note in (observations.notes if observations else ())),
        *(f"warning: {warning}" for warning in warnings),
        *(f"missing: {sentence}" for sentence in missing),
        _assumed(catalogue.assumptions),
    ]
    return CheckReport(
        tuple(lines), missing, warnings, domains, evals, catalogue.assumptions, no_anchor
    )


def check_covered(catalogue: Catalogue, observations: Observations | None) -> None:
    """Refuse an eval that has neither observations nor `usd_per_run`.

    InputError naming all such evals.
    """
    seen = set(observations.evals) if observations is not None else set()
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


def _evals(catalogue: Catalogue, observations: Observations | None) -> pd.DataFrame:
    under_test = catalogue.portfolio.ai_model
    rows = []
    for spec in catalogue.evals:
        seen = _seen(spec, observations)
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


def _seen(spec: EvalSpec, observations: Observations | None) -> pd.Series[int]:
    """Return the runs of an eval by AI model; an AI model with scores alone has 0."""
    if observations is None:
        return pd.Series(dtype="int64")
    table = observations.run_counts.sum(axis=1)
    return table[table.index.get_level_values("eval") == spec.name].droplevel("eval")


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


def _assumed(assumptions: tuple[Assumption, ...]) -> str:
    own = sum("_defaults]" in each.reason for each in assumptions)
    words = f"{number_of(len(assumptions) - own, 'figure')} assumed, as nobody gave them"
    return words + (f"; {own} more come from the catalogue's own defaults" if own else "")
