"""Values as JSON can hold them."""

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from evalbayes.errors import other_format


def plain(value: object) -> Any:
    """Return `value` with Python's own numbers, lists and strings only; NaN becomes None.

    A range of the catalogue, with low and high, becomes its two ends; parts of a record stay.

    >>> plain({"a": np.float64("nan"), "b": np.array([1, 2]), "c": (np.bool_(True),)})
    {'a': None, 'b': [1, 2], 'c': [True]}
    """
    if isinstance(value, BaseModel):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "low") and hasattr(value, "high"):
        return [plain(value.low), plain(value.high)]
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


def flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Return nested figures as lines of name and value, a list as text.

    >>> flat({"passed": True, "notes": [], "fit": {"draws": 4000}})
    [('passed', True), ('notes', 'none'), ('fit: draws', 4000)]
    """
    lines: list[tuple[str, object]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += flat(value, f"{prefix}{key}: ")
        elif isinstance(value, list | tuple):
            lines.append((f"{prefix}{key}", ", ".join(map(str, value)) or "none"))
        else:
            lines.append((f"{prefix}{key}", value))
    return lines


def fault(error: Exception) -> str:
    """Return what is wrong with a stored file in a few words: of a form's mistakes the first."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        if first["loc"] == ("format",) and "expected" in first.get("ctx", {}):
            return other_format(first["input"], int(first["ctx"]["expected"]))
        return f"{'.'.join(map(str, first['loc']))!r} must be there and valid, got {first['msg']}"
    return (isinstance(error, OSError) and error.strerror) or str(error)[:200]
