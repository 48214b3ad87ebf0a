"""Anchors: evals of known difficulty, which tie the scale of a domain to its threshold."""

from collections.abc import Mapping

from evalbayes.catalogue.catalogue import Catalogue
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.errors import InputError


def anchors(catalogue: Catalogue, human_minutes: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """Return by domain those of its evals whose difficulty is known, in the unit of the domain.

    Results say how much harder one eval is than another, and how much more one AI model shows than
    another; where on the scale both lie, and so how far the threshold is, only difficulties say.
    Human minutes, of evals whose observations state them, count only where the unit is doublings of
    human task time. An eval is of every domain it has loadings on.
    """
    return {
        domain.name: tuple(
            spec.name
            for spec in catalogue.evals
            if domain.name in spec.loadings
            and (
                spec.difficulty is not None
                or (domain.minutes and (spec.human_minutes or spec.name in human_minutes))
            )
        )
        for domain in catalogue.domains
    }


def without_anchor(catalogue: Catalogue, human_minutes: Mapping[str, float]) -> dict[str, str]:
    """Return by name the domains without an anchor, each with a sentence: what to do about it.

    They have no eval of known difficulty and no `shown_capability`, which would say where the AI
    model under test lies. No probability of exceeding their threshold can be told.
    """
    known = anchors(catalogue, human_minutes)
    return {
        spec.name: _sentence(spec, catalogue)
        for spec in catalogue.domains
        if not known[spec.name] and spec.shown_capability is None
    }


def check_anchored(catalogue: Catalogue, human_minutes: Mapping[str, float]) -> dict[str, str]:
    """Return `without_anchor`, if a decision is left that weighs anchored domains alone."""
    missing = without_anchor(catalogue, human_minutes)
    if all(set(spec.weights) & set(missing) for spec in catalogue.decisions):
        raise InputError("; ".join(missing.values()))
    return missing


def _sentence(spec: DomainSpec, catalogue: Catalogue) -> str:
    own = [each.name for each in catalogue.evals if spec.name in each.loadings]
    some = f"none of its {len(own)} evals has" if len(own) > 1 else "it has no eval with"
    some = f"its only eval {own[0]!r} is without" if len(own) == 1 else some
    what = "human minutes or a difficulty"
    cure = "human_minutes (observations or catalogue) or difficulty"
    if not spec.minutes:
        what, cure = f"a difficulty in its unit, {spec.unit!r}", "difficulty of its evals"
    joint = [repr(each.name) for each in catalogue.joint if spec.name in each.weights]
    also = f", nor any for {' or '.join(joint)}" if joint else ""
    return (
        f"no anchor: nothing ties the scale of {spec.name!r} to a threshold, so no probability "
        f"of exceeding one is told{also}: {some} {what}; give {cure}, or state shown_capability"
    )
