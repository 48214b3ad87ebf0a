"""Limits as rows: of a spreadsheet, a CSV or a data frame, and as a plan keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalbayes.names import plain_name
from evalbayes.tables.delimited import read_delimited, refuse_twice
from evalbayes.tables.numerals import NotANumber, numeral
from evalbayes.tables.workbook import read_sheets
from evalfolio.errors import EvalfolioError, InputError
from evalfolio.limits.affine import Affine
from evalfolio.limits.bounds import Ceiling, Floor, ZeroOrAtLeast
from evalfolio.limits.group import Group, Where, nearest, refuse_other
from evalfolio.limits.limit import Limit, as_limit
from evalfolio.limits.logic import Excludes, Requires
from evalfolio.limits.presence import EveryDomain, Forbidden, Mandatory, MaxEvals, MinEvals
from evalfolio.limits.target import DangerMissed, NeedlessMitigation, PosteriorSd, WrongCall
from evalfolio.limits.uncertain import ChanceLimit, TailLimit

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue

COLUMNS = ("type", "of", "with", "amount", "resource", "note")
SHEET = "constraints"
MOST_TOLD = 10  # faults of a table that are told at once


def constraints_from_table(
    source: pd.DataFrame | str | Path, *, sheet: str = SHEET
) -> tuple[Limit, ...]:
    """Read constraints, one per row; empty rows and rows starting with ``#`` are passed over.

    ======================== ======= ======= ============ ==================================
    type                     of      with    amount       meaning
    ======================== ======= ======= ============ ==================================
    mandatory                group                        every eval of the group is run
    forbidden                group                        no option of the group
    requires                 group   group                `of` only together with `with`
    excludes                 group   group                `of` never together with `with`
    min evals                group           number       at least so many evals
    max evals                group           number       at most so many evals
    every domain                             number       at least so many in every domain
    floor                    group           amount       at least so much of `resource`
    ceiling                  group           amount       at most so much of `resource`
    floor share              group           20 % or 0.2  at least this share of all use
    ceiling share            group           20 % or 0.2  at most this share of all use
    floor count              group           number       as min evals
    ceiling count            group           number       as max evals
    zero or at least         group           amount       nothing, or at least so much
    posterior sd             name            number       decision's sd left, at most
    wrong call               name            5 % or 0.05  decision's probability, at most
    danger missed            name            5 % or 0.05  decision's probability, at most
    needless mitigation      name            5 % or 0.05  decision's probability, at most
    chance                           5 %     amount       chance to exceed the amount, at most
    tail mean                        10 %    amount       mean of the worst totals, at most
    ======================== ======= ======= ============ ==================================

    A group is a name (of a domain, tier, eval, family or option), several names parted by ``;``,
    ``everything``, or conditions ``tier = plateau, domain = cyber | bio``. `resource` is usd
    where left out. `note` is for people.

    InputError if the file, a column, a type, a group or an amount cannot be read; the row is named
    as the spreadsheet counts it (the headings are row 1).

    Parameters
    ----------
    source
        A data frame, or the path of a ``.csv`` or ``.xlsx`` file.
    sheet
        Sheet of the workbook to read.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     [["mandatory", "cybench", None], ["floor share", "tier = plateau", "40 %"]],
    ...     columns=["type", "of", "amount"],
    ... )
    >>> for constraint in constraints_from_table(table):
    ...     print(repr(constraint))
    Mandatory(of='cybench')
    Floor(of=Where(tier='plateau'), at_least=0.4, resource='usd', share=True)
    """
    return _limits(*_read(source, sheet))


def catalogue_table(catalogue: Catalogue) -> tuple[Limit, ...]:
    """Read the [[limit]] tables of a catalogue, rows as of a constraints table."""
    rows = pd.DataFrame(list(catalogue.limits), dtype=object)
    return _limits(rows, "catalogue: limit", " number", 1) if len(rows) else ()


def _limits(
    frame: pd.DataFrame, where: str, unit: str = ", row", first: int = 2
) -> tuple[Limit, ...]:
    """Return the limits that rows of cells say; `first` is how the first one is counted."""
    frame = frame.rename(columns=lambda column: str(column).strip().lower())
    for column in frame.columns:
        refuse_other(column, COLUMNS, f"{where}: columns must be among {', '.join(COLUMNS)}")
    if "type" not in frame.columns:
        raise InputError(f"{where}: there must be a column 'type'; add it")
    constraints, faults = [], []
    for position, record in zip(frame.index, frame.to_dict("records"), strict=True):
        cells = {column: _text(record.get(column)) for column in COLUMNS}
        if not any(cells.values()) or cells["type"].startswith("#"):
            continue
        place = f"{where}{unit} {position + first}"
        try:
            constraints.append(_constraint(cells))
        except EvalfolioError as error:
            faults.append(f"{place}: {error}")
    if faults:
        more = [f"... and {len(faults) - MOST_TOLD:,} more"] if len(faults) > MOST_TOLD else []
        raise InputError("\n".join(faults[:MOST_TOLD] + more))
    return tuple(constraints)


def _read(source: pd.DataFrame | str | Path, sheet: str) -> tuple[pd.DataFrame, str]:
    """Return the table as text cells, and what messages call it."""
    if isinstance(source, pd.DataFrame):
        return source.reset_index(drop=True), "constraints"
    path = Path(source)
    if path.suffix.lower() == ".csv":
        return read_delimited(path), path.name
    if path.suffix.lower() != ".xlsx":
        raise InputError(
            f"{path}: constraints must be a .csv or .xlsx file, got "
            f"{path.suffix or 'no ending'!r}; save them as one of these"
        )
    (found,) = read_sheets(path, sheet)
    (_, heading), below = found.rows[0] if found.rows else (1, ()), found.rows[1:]
    refuse_twice(f"{path.name}, sheet {sheet!r}", heading)
    named = [(j, str(name)) for j, name in enumerate(heading) if name is not None]
    rows = [[cells[j] if j < len(cells) else None for j, _ in named] for _, cells in below]
    frame = pd.DataFrame(rows, columns=[name for _, name in named], dtype=object)
    frame.index = pd.Index([number - 2 for number, _ in below])
    return frame, f"{path.name}, sheet {sheet!r}"


def _constraint(cells: dict[str, str]) -> Limit:
    """Return the constraint of one row."""
    kind = " ".join(cells["type"].lower().replace("_", " ").replace("-", " ").split())
    if kind not in _ROWS:
        raise InputError(
            f"type must be one of {', '.join(sorted(_ROWS))}, got {cells['type'][:60]!r}"
            + (f"; {near}" if (near := nearest(kind, _ROWS)).startswith("did") else "")
        )
    reads, made = _ROWS[kind]
    for column in COLUMNS[1:4]:
        if column in reads and not cells[column]:
            raise InputError(f"a row of type {kind!r} must have {column!r} filled in; it is empty")
    for column in COLUMNS[1:5]:
        if cells[column] and column not in reads:
            raise InputError(
                f"a row of type {kind!r} must have {column!r} empty, got {cells[column]!r}"
            )
    given = {column: read(cells[column]) for column, read in reads.items()}
    resource = {"resource": given.pop("resource")} if "resource" in given else {}
    return made(*given.values(), **resource)


def _group(text: str) -> Group:
    """Return the group a cell names."""
    if "=" in text:
        conditions: dict[str, tuple[str, ...]] = {}
        for part in text.split(","):
            column, _, values = part.partition("=")
            names = tuple(value.strip() for value in values.split("|") if value.strip())
            if not column.strip() or not names:
                raise InputError(
                    f"a condition must read 'column = value', got {part.strip()!r}; "
                    "part conditions by ',' and values by '|'"
                )
            conditions[column.strip()] = names
        return Where(**conditions)
    names = tuple(name.strip() for name in text.split(";") if name.strip())
    return names[0] if len(names) == 1 else names


def _number(text: str, *, share: bool = False) -> float:
    """Return the number in a cell: ``50,000``, ``$ 5e4``, ``20 %``."""
    if text.endswith("%") and not share:
        raise InputError(
            f"amount must be a number here, got {text!r}; for a share use 'floor share' "
            "or 'ceiling share'"
        )
    try:
        return numeral(text, percent=share)
    except NotANumber as error:
        raise InputError(
            f"amount must be a number, got {text!r}; {error.cure} (for example 50000 or 20 %)"
        ) from None


def _count(text: str) -> int:
    """Return the whole number in a cell."""
    value = _number(text)
    if not value.is_integer():
        raise InputError(f"amount must be a whole number of evals, got {text!r}; round it")
    return int(value)


def _text(cell: Any) -> str:
    """Return a cell as stripped text, empty where there is nothing."""
    if cell is None or pd.isna(cell):
        return ""
    text = plain_name(str(cell))
    # A number that is one already must not look like text that may mean two: 1.234 or 1234.
    return f"{text}0" if isinstance(cell, float) and "." in text and "e" not in text else text


Reads = dict[str, Callable[[str], Any]]
_GROUP: Reads = {"of": _group}
_COUNT: Reads = {"of": _group, "amount": _count}
_SHARE: Reads = {"amount": partial(_number, share=True)}
_RESOURCE: Reads = {"resource": lambda text: text or "usd"}
_AMOUNT: Reads = {"of": _group, "amount": _number, **_RESOURCE}
_CHANCE: Reads = {"of": str, **_SHARE}
_DRAWS: Reads = {"amount": _number, "with": _SHARE["amount"], **_RESOURCE}
# By type: how the cells of a row are read, in the order of the fields, and what they make.
_ROWS: dict[str, tuple[Reads, Callable[..., Limit]]] = {
    "mandatory": (_GROUP, Mandatory),
    "forbidden": (_GROUP, Forbidden),
    "requires": ({"of": _group, "with": _group}, Requires),
    "excludes": ({"of": _group, "with": _group}, Excludes),
    "min evals": (_COUNT, MinEvals),
    "max evals": (_COUNT, MaxEvals),
    "floor count": (_COUNT, MinEvals),
    "ceiling count": (_COUNT, MaxEvals),
    "every domain": ({"amount": _count}, EveryDomain),
    "floor": (_AMOUNT, Floor),
    "ceiling": (_AMOUNT, Ceiling),
    "floor share": (_AMOUNT | _SHARE, partial(Floor, share=True)),
    "ceiling share": (_AMOUNT | _SHARE, partial(Ceiling, share=True)),
    "posterior sd": ({"of": str, "amount": _number}, PosteriorSd),
    "wrong call": (_CHANCE, WrongCall),
    "danger missed": (_CHANCE, DangerMissed),
    "needless mitigation": (_CHANCE, NeedlessMitigation),
    "chance": (_DRAWS, ChanceLimit),
    "tail mean": (_DRAWS, TailLimit),
    "zero or at least": (_AMOUNT, ZeroOrAtLeast),
}
KINDS: dict[str, type[Any]] = {
    made.__name__: made for _, made in _ROWS.values() if isinstance(made, type)
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
    kind = KINDS.get(str(row.get("kind")))
    if kind is None:
        return None
    known = {field.name: row[field.name] for field in fields(kind) if field.name in row}
    try:
        made: Limit = kind(
            **{key: Where(**v) if isinstance(v, Mapping) else v for key, v in known.items()}
        )
    except TypeError as error:
        raise InputError(
            f"a limit of a stored plan must be as evalfolio wrote it, but {error}; plan again"
        ) from error
    return made


def _plain(value: object) -> object:
    if isinstance(value, Where):
        return {column: list(values) for column, values in value.conditions}
    return list(value) if isinstance(value, tuple) else value
