"""What has been run of an eval already, which is not sold again."""

from __future__ import annotations

from dataclasses import dataclass

from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.observations.observations import FRAMES


@dataclass(frozen=True)
class Done:
    """Tasks of one eval that the AI model under test has run since the programme began."""

    # plain, repaired, elicited: with a run as it comes, with one after obvious failures were
    # mended, and with an elicited one. What was mended or elicited stands: more such runs take no
    # further hours of it.
    plain: int = 0
    repaired: int = 0
    elicited: int = 0


def done_of(results: Observations, catalogue: Catalogue) -> dict[str, Done]:
    """Return by eval what results show to have been run of the AI model under test.

    Tasks are told by name where rows have one; runs that were only counted are of as many tasks as
    the cap that had most of them. No more than the eval has. A score tells of no task, so what is
    known by scores alone counts as run whole. Of efforts above 0 those nearer to `effort_max` than
    to `effort_repaired` are elicitation.
    """
    found: dict[str, dict[str, int]] = {}
    for kind in FRAMES:
        part = getattr(results, kind)
        part = part[part["ai_model"] == catalogue.portfolio.ai_model]
        if not len(part):
            continue
        effort = part["effort"].fillna(0.0).astype(float) if "effort" in part else 0.0
        for (name, e), rows in part.assign(effort=effort).groupby(["eval", "effort"]):
            spec = catalogue.eval(str(name))
            middle = (spec.effort_repaired + spec.effort_max) / 2.0
            tier = "plain" if e == 0 else "elicited" if e >= middle else "repaired"
            if kind == "runs":
                n = rows["task"].nunique()
            elif kind == "scores":
                n = spec.tasks
            else:
                columns = ["n_success", "n_gave_up", "n_stopped"] if kind == "cells" else ["n_runs"]
                n = int(rows[columns].sum(axis=1).groupby(rows["cap"]).sum().max())
            own = found.setdefault(spec.name, {})
            own[tier] = min(own.get(tier, 0) + n, spec.tasks)
    return {name: Done(**found[name]) for name in sorted(found)}
