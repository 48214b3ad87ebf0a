"""A posterior as one netCDF file: written whole or not at all, and held to its rules when read."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.errors import InputError, other_format
from evalbayes.names import refuse_control
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.posterior import AXES as NAMED
from evalbayes.posterior.posterior import DIMENSIONS, FORMAT, ONE_IN_A_UNIT, Posterior
from evalbayes.posterior.sizes import CONSTANT, COUNT, POSITIVE, SHARE, Sizes
from evalbayes.whole import write_whole

AXES = (*NAMED, "knot")
UNPACKED = 8  # times its own size a file may hold: draws are written as they are
DEEPEST = 3  # lists and tables in one another of where a posterior comes from
# Columns of text and of numbers in the tables that are kept as JSON; others are as they are.
_FIGURE = Sizes(-1e300, 1e300)
_TRIED = Sizes(0, 1e6, whole=True)
_TABLES: Mapping[str, tuple[Sequence[str], Mapping[str, Sizes]]] = {
    "quantities": ((), {"r_hat": _FIGURE, "ess_bulk": _FIGURE, "ess_tail": _FIGURE}),
    "cells": (
        ("eval", "ai_model"),
        {"n": COUNT, "n_success": COUNT, "expected": _FIGURE, "pareto_k": _FIGURE},
    ),
    "spend_families": (
        ("eval", "family", "reason"),
        {"runs": COUNT, "behind": _FIGURE, "behind_se": _FIGURE, "weight": SHARE},
    ),
    "attempts": (
        ("eval", "ai_model"),
        {"attempts": _TRIED, "successes": _TRIED, "tasks": _TRIED, "cap": _FIGURE},
    ),
}


def write(posterior: Posterior, path: Path) -> Path:
    """Write a posterior where `Posterior.load` and ArviZ read it; see `Posterior.save`.

    The file is made in memory: HDF5 itself ends the process where the disk is full.
    """
    chains = int(posterior.provenance.get("chains", 1))
    names = {axis: getattr(posterior, field) for axis, field in NAMED.items()}
    names["knot"] = posterior.knot_names
    draws = {
        key: (("chain", "draw", *DIMENSIONS[key]), array.reshape(chains, -1, *array.shape[1:]))
        for key, array in posterior.draws.items()
        if key in DIMENSIONS and array.size
    }
    gate, tried = posterior.diagnostics, posterior.attempts
    head = {
        "format": FORMAT,
        "diagnostics": {
            "quantities": _json(gate.quantities),
            "cells": _json(gate.cells),
            "divergences": int(gate.divergences),
            "draws": int(gate.draws),
            "notes": list(gate.notes),
        },
        "provenance": dict(posterior.provenance),
        "elicited_history": bool(posterior.elicited_history),
        **({"studies": posterior.studies} if posterior.studies else {}),
        "spend_families": _json(posterior.spend_families),
        "attempts": None if tried is None else _json(tried),
        "human_minutes": dict(posterior.human_minutes),
    }
    constant = {key: (dims, getattr(posterior, key)) for key, (dims, _) in CONSTANT.items()}
    return write_whole(
        path, _netcdf(json.dumps(head), names, {"posterior": draws, "constant_data": constant})
    )


def _json(table: pd.DataFrame) -> str:
    return table.to_json(orient="split", double_precision=15)


def _netcdf(
    head: str,
    names: Mapping[str, Sequence[str]],
    groups: Mapping[str, Mapping[str, tuple[tuple[str, ...], Any]]],
) -> bytes:
    import h5netcdf  # heavy: only where a file is read or written
    from h5py import string_dtype

    content = BytesIO()
    with h5netcdf.File(content, "w") as file:
        file.attrs["evalfolio"] = head
        for title, variables in groups.items():
            group = file.create_group(title)
            group.dimensions = {
                dim: size
                for dims, values in variables.values()
                for dim, size in zip(dims, values.shape, strict=True)
            }
            for axis in (axis for axis in AXES if axis in group.dimensions and names[axis]):
                text = group.create_variable(axis, (axis,), dtype=string_dtype())
                text[...] = np.array(names[axis], dtype=object)
            for key, (dims, values) in variables.items():
                group.create_variable(key, dims, data=values)
    return content.getvalue()


def read(path: Path) -> Posterior:
    """Read what `write` wrote; see `Posterior.load`."""
    try:
        return _read(path)
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix('posterior: ')}; fit again") from error
    except Exception as error:  # HDF5 and JSON fail in dozens of ways, all of them here
        what = "it has no " if isinstance(error, KeyError) else ""
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: must be a posterior written by `evalfolio fit`, "
            f"but it cannot be read ({what}{words}); fit again"
        ) from error


def is_posterior(path: Path) -> bool:
    """Whether a file is a posterior that evalfolio wrote, by its head alone."""
    import h5py  # heavy: only where a file is read or written

    try:
        with h5py.File(path) as file:
            return "evalfolio" in file.attrs
    except Exception:  # HDF5 fails in dozens of ways
        return False


def _read(path: Path) -> Posterior:
    import h5py  # heavy: only where a file is read or written

    with h5py.File(path) as file:
        head = _object(str(file.attrs["evalfolio"]), "its head")
        if other := other_format(head["format"], FORMAT):
            raise InputError(f"its {other}")
        draws, constant, axes = (
            {key: file[group][key] for key in keys if key in file[group]}
            for group, keys in (
                ("posterior", DIMENSIONS),
                ("constant_data", CONSTANT),
                ("posterior", AXES),
            )
        )
        size = sum(v.size * 8 for v in (*draws.values(), *constant.values(), *axes.values()))
        if size > UNPACKED * path.stat().st_size:
            raise InputError(
                f"a posterior must not be larger than its file, got {size / 1e6:,.0f} MB of draws"
            )
        names = {
            axis: _names(axis, axes[axis].asstr()[...] if axis in axes else ()) for axis in AXES
        }
        draws = {key: np.asarray(found[...]) for key, found in draws.items()}
        constant = {key: np.asarray(found[...]) for key, found in constant.items()}
    n_draws = int(np.prod(draws["validity_sd"].shape[:2]))
    for key, dims in DIMENSIONS.items():
        shape = (n_draws, *(len(names[dim]) for dim in dims))
        if key not in draws and 0 in shape:  # what has no entries is not written
            draws[key] = np.zeros(shape)
            continue
        if key not in draws:
            raise InputError(
                f"a posterior must hold {key!r}, which this one lacks: it was written by another "
                "version of evalfolio"
            )
        found = draws[key].shape
        if key in ONE_IN_A_UNIT and len(found) == len(shape):  # written when all units shared it
            shape = (n_draws, *shape[2:])
        if (int(np.prod(found[:2])), *found[2:]) != shape:
            raise InputError(f"{key} must have shape {shape}, got {found}")
        draws[key] = draws[key].reshape(shape)
    if missing := [key for key in CONSTANT if key not in constant]:
        raise InputError(f"a posterior must hold {missing[0]!r}, which this one lacks")
    kept, provenance = head["diagnostics"], head["provenance"]
    _flat(provenance)
    chains = provenance.get("chains", 1)
    if type(chains) is not int or chains < 1 or n_draws % chains:
        raise InputError(f"its chains must share {n_draws} draws evenly, got {chains} chains")
    minutes = head.get("human_minutes", {})
    POSITIVE.check("human_minutes", np.array(list(minutes.values())))
    elicited, notes = head["elicited_history"], kept["notes"]
    if not isinstance(elicited, bool):
        raise InputError(f"elicited_history must be true or false, got {elicited!r}")
    if not isinstance(notes, list):
        raise InputError(f"its notes must be a list, got {type(notes).__name__}")
    for note in (*notes, *map("".join, head.get("studies", ()))):
        refuse_control("its notes and studies", note)
    for key in ("divergences", "draws"):
        if type(kept[key]) is not int or kept[key] < 0:
            raise InputError(f"{key} must be a whole number from 0, got {kept[key]!r}")
    named: dict[str, Any] = {field: names[axis] for axis, field in NAMED.items()}
    return Posterior(
        **named,
        draws=draws,
        elicited_history=elicited,
        studies=tuple((str(study), str(of)) for study, of in head.get("studies", ())),
        diagnostics=Diagnostics(
            _table(kept["quantities"], "quantities").rename_axis("quantity"),
            _table(kept["cells"], "cells"),
            kept["divergences"],
            kept["draws"],
            tuple(notes),
        ),
        provenance=provenance,
        spend_families=_table(head["spend_families"], "spend_families"),
        human_minutes=minutes,
        attempts=_table(head["attempts"], "attempts") if head.get("attempts") else None,
        **constant,
    )


def _names(axis: str, stored: Sequence[object]) -> tuple[str, ...]:
    names = tuple(str(name) for name in stored)
    if axis != "family" and not names:
        raise InputError(f"it must have the names of every {axis}, got none")
    if len(set(names)) < len(names):
        raise InputError(f"no two names of the axis {axis} may be the same, got {list(names)}")
    for name in names:
        refuse_control(f"its axis {axis}", name)
    return names


def _object(text: str, what: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise InputError(f"{what} must be a JSON object, got {type(found).__name__}")
    return found


def _flat(value: object, depth: int = DEEPEST) -> None:
    """Refuse what is nested so deep that it could be read but not written again."""
    if isinstance(value, dict | list):
        if not depth:
            raise InputError(f"its provenance must be nested {DEEPEST} deep at most, got more")
        for part in value.values() if isinstance(value, dict) else value:
            _flat(part, depth - 1)


def _table(text: str, name: str) -> pd.DataFrame:
    """Return a table kept as JSON: its text stays text, whatever number a name may look like."""
    parts = _object(text, f"its table {name}")
    table = pd.DataFrame(**{key: parts[key] for key in ("data", "index", "columns")})
    words, numbers = _TABLES[name]
    if not len(table):
        return table
    for column in words:
        for value in table[column]:
            if not isinstance(value, str):
                raise InputError(f"{column} of {name} must be text, got {value!r}")
            refuse_control(f"{column} of {name}", value)
    for column, sizes in numbers.items():
        table[column] = pd.to_numeric(table[column])
        known = table[column] if name == "quantities" else table[column].dropna()
        sizes.check(f"{column} of {name}", known.to_numpy())
    return table
