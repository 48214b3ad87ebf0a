"""Limits as a plan keeps them in its record: their words, and what makes them again."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from evalfolio.limits.affine import Affine
from evalfolio.limits.bounds import Ceiling, Floor, ZeroOrAtLeast
from evalfolio.limits.chance import ChanceLimit
from evalfolio.limits.group import Where
from evalfolio.limits.limit import Limit, as_limit
from evalfolio.limits.logic import Excludes, Requires
from evalfolio.limits.presence import EveryDomain, Forbidden, Mandatory, MaxEvals, MinEvals
from evalfolio.limits.tail import TailLimit
from evalfolio.limits.target import DangerMissed, NeedlessMitigation, PosteriorSd, WrongCall

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Ceiling, ChanceLimit, DangerMissed, EveryDomain, Excludes, Floor, Forbidden),
        *(Mandatory, MaxEvals, MinEvals, NeedlessMitigation, PosteriorSd, Requires),
        *(TailLimit, WrongCall, ZeroOrAtLeast),
    )
}


def kept(limits: Iterable[object], by: str) -> list[dict[str, Any]]:
    """Return limits as a record keeps them, and who set them.

    >>> kept([Floor(Where(tier="plateau"), 0.4, share=True)], "constraints")[0]["of"]
    {'tier': ['plateau']}
    """
    rows = []
    for limit in map(as_limit, limits):
        row = {"text": str(limit), "by": by, "kind": type(limit).__name__}
        if is_dataclass(limit) and not isinstance(limit, Affine):
            row |= {field.name: _plain(getattr(limit, field.name)) for field in fields(limit)}
        rows.append(row)
    return rows


def made_again(row: Mapping[str, Any]) -> Limit | None:
    """Return a limit that `kept` wrote; None where only Python can say it (cvxpy, own classes).

    InputError if a figure or name of it is not what it must be.

    >>> made_again(kept([Floor("cyber", 0.4, share=True)], "constraints")[0])
    Floor(of='cyber', at_least=0.4, resource='usd', share=True)
    """
    kind = KINDS.get(row["kind"])
    if kind is None:
        return None
    known = {field.name: row[field.name] for field in fields(kind) if field.name in row}
    made: Limit = kind(
        **{key: Where(**v) if isinstance(v, Mapping) else v for key, v in known.items()}
    )
    return made


def _plain(value: object) -> object:
    if isinstance(value, Where):
        return {column: list(values) for column, values in value.conditions}
    return list(value) if isinstance(value, tuple) else value
