"""Reading a catalogue from a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalbayes.catalogue.catalogue import LIMIT_KEYS, AiModelSpec, Catalogue, catalogue_of
from evalbayes.catalogue.decided import DECISION_KEYS, LEVEL_KEYS
from evalbayes.catalogue.domain import DOMAIN_KEYS
from evalbayes.catalogue.eval import EVAL_KEYS
from evalbayes.catalogue.settings import with_settings
from evalbayes.catalogue.shared import KEYS, TARIFF_KEYS
from evalbayes.catalogue.study import STUDY_KEYS
from evalbayes.catalogue.tables import MANY, Tables, tables_of
from evalbayes.catalogue.workbook import read_workbook
from evalbayes.errors import InputError
from evalbayes.names import nearest, plural
from evalbayes.tables.toml import read_toml


def read_catalogue(path: str | Path, settings: Sequence[str] = ()) -> Catalogue:
    """Read a catalogue from TOML or from a workbook with the same tables as sheets.

    InputError if the file cannot be read, or what it says breaks a rule; the place is named.

    Parameters
    ----------
    path
        File ending in .toml or .xlsx.
    settings
        Figures at other levels, one after another: `cyber.elicitation_gap*2`, `budget.usd=30000`.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise InputError(
            f"{path}: a catalogue must be a file ending in {' or '.join(sorted(READERS))}, got "
            f"{path.suffix or 'no ending'!r}; save it as one of these"
        )
    return with_settings(READERS[path.suffix.lower()](path), settings, catalogue_of)


def parse_catalogue(
    data: Mapping[str, Any], source: str = "catalogue", settings: Sequence[str] = ()
) -> Catalogue:
    """Read a catalogue from nested tables, as TOML gives them.

    Parameters
    ----------
    data
        Tables by name: portfolio, budget, domain, eval, ...
    source
        What errors call it.
    settings
        As `read_catalogue` has them.

    Examples
    --------
    >>> catalogue = parse_catalogue({
    ...     "domain": [{"name": "cyber", "threshold_human_time": "8 h"}],
    ...     "eval": [{"name": "cybench", "domain": "cyber", "tasks": 38, "human_minutes": 42}],
    ... })
    >>> round(catalogue.domain("cyber").threshold.mid, 2), len(catalogue.assumptions)
    (8.91, 30)
    """
    return with_settings(tables_of(data, source), settings, catalogue_of)


def _read_toml(path: Path) -> Tables:
    cure = "mend it there, and write numbers without commas: 20_000"
    data = read_toml(path, "TOML in UTF-8", cure)
    return tables_of(data, path.name)


KNOWN = {
    "domains": DOMAIN_KEYS,
    "levels": LEVEL_KEYS,
    "decisions": DECISION_KEYS,
    "evals": EVAL_KEYS,
    "elicitations": KEYS,
    "studies": STUDY_KEYS,
    "tariffs": TARIFF_KEYS,
    "ai_models": tuple(AiModelSpec.model_fields),
    "limits": LIMIT_KEYS,
}


def _read_xlsx(path: Path) -> Tables:
    """Read a workbook, and pass over the columns in it that are its owner's own.

    These are like no column that is known: one that is nearly a known one is a slip.
    """
    tables = read_workbook(path)
    passed: dict[str, dict[str, None]] = {}
    kept: dict[str, Any] = {}
    for name in MANY:
        kind, known, rows = plural(name), KNOWN[plural(name)], []
        for row in getattr(tables, kind):
            own = [k for k in row.entries if k not in known and nearest(k, known) is None]
            passed.setdefault(name, {}).update(dict.fromkeys(own))
            left = {k: v for k, v in row.entries.items() if k not in own}
            rows.append(replace(row, entries=left))
        kept[kind] = tuple(rows)
    notes = tuple(
        f"{path.name}: sheet {kind!r}: {', '.join(own)} passed over: columns of your own"
        for kind, own in passed.items()
        if own
    )
    return replace(tables, notes=(*tables.notes, *notes), **kept)


READERS: dict[str, Callable[[Path], Tables]] = {".toml": _read_toml, ".xlsx": _read_xlsx}
