"""The published JSON schema of `plan.json`, and the check every export begins with."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from evalfolio.errors import InputError
from evalfolio.record.record import Record

SCHEMA_FILE = Path(__file__).with_name("plan.schema.json")
SCHEMA_URL = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of `plan.json`; the file `plan.schema.json` beside this one holds it.

    Examples
    --------
    >>> sorted(json_schema()["required"])[:3]
    ['assumptions', 'budget', 'choices']
    """
    return {"$schema": SCHEMA_URL, **_adapter().json_schema(), "title": "evalfolio plan"}


def write_json_schema(path: str | Path = SCHEMA_FILE) -> Path:
    """Write the schema, by default to the published file after a change of the record."""
    Path(path).write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    return Path(path)


def checked(record: Mapping[str, Any]) -> Record:
    """Return the record as plain, finite Python values after checking every key and type.

    Numbers of numpy become Python's, and NaN becomes None (not known).

    Raises
    ------
    InputError
        If a key is missing, unknown or of a wrong type; it is named.

    Examples
    --------
    >>> checked({"format": 1})
    Traceback (most recent call last):
      ...
    evalbayes.errors.InputError: plan record: 'words' must be there and valid, got Field required...
    """
    try:
        return _adapter().validate_python(plain(dict(record)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"plan record: {where!r} must be there and valid, got {first['msg']}; "
            "make the plan again with this version"
        ) from error


def plain(value: object) -> Any:
    """Return `value` with Python's own numbers, lists and strings only; NaN becomes None.

    Examples
    --------
    >>> plain({"a": np.float64("nan"), "b": np.array([1, 2]), "c": (np.bool_(True),)})
    {'a': None, 'b': [1, 2], 'c': [True]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(cast(float, value))
        return number if math.isfinite(number) else None
    return str(value)


@functools.cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)
