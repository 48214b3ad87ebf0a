"""The names that limits may speak of, known from the catalogue before there is a menu."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from evalfolio.errors import InputError
from evalfolio.limits.amount import COUNT, GROUPS
from evalfolio.limits.group import EVERYTHING, Group, Where, nearest, refuse_other
from evalfolio.limits.limit import Limit
from evalfolio.narrative import TIER_WORDS

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue


def check_names(constraints: Iterable[Limit], catalogue: Catalogue) -> None:
    """Refuse a limit on what no menu of the catalogue can have, before anything is fitted.

    The menu itself says more once it is built: which options there are, and which names stand for
    two things. InputError if a limit names no domain, tier, eval, family, option or resource of the
    catalogue; the nearest known name is given.
    """
    from evalbayes.menus.costs import staff_columns

    known = {
        "domain": {spec.name for spec in catalogue.domains},
        "tier": set(TIER_WORDS),
        "eval": {e.name for e in catalogue.evals} | {s.name for s in catalogue.studies},
        "family": {spec.family for spec in catalogue.evals if spec.family},
    }
    decisions = {spec.name for spec in catalogue.decisions}
    resources = {"usd", "agent_hours", COUNT, *staff_columns(catalogue)}
    resources |= {each.resource for each in catalogue.tariffs}
    for limit in constraints:
        for field in GROUPS:
            if hasattr(limit, field):
                _check_group(getattr(limit, field), known, limit)
        for key, names, must in (
            ("decision", decisions, "a target must be on a domain of the catalogue, or a decision "
             "of its own"),
            ("resource", resources, f"resource must be one of the catalogue's or {COUNT!r}"),
        ):  # fmt: skip
            if getattr(limit, key, None) is not None:
                refuse_other(getattr(limit, key), names, f"{limit}: {must}")


def _check_group(of: Group, known: dict[str, set[str]], limit: Limit) -> None:
    if isinstance(of, Where):
        for column, values in of.conditions:
            for value in values if column in known else ():
                if value not in known[column]:
                    raise InputError(
                        f"{limit}: {column} {value!r} is not of the catalogue; "
                        f"{nearest(value, known[column])}"
                    )
        return
    for name in of if isinstance(of, tuple) else (of,):
        option = any(name.startswith(f"{each} / ") for each in known["eval"])
        if name == EVERYTHING or option or any(name in names for names in known.values()):
            continue
        raise InputError(
            f"{limit}: {name!r} must name a domain, tier, eval, family or option of the catalogue; "
            f"{nearest(name, set().union(*known.values()))}"
        )
