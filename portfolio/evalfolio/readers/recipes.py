"""Recipes: how the result files of other harnesses become rows of observations, as TOML."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from evalbayes.errors import InputError
from evalbayes.names import refuse_other
from evalbayes.observations import TableMapping
from evalfolio.readers.prices import Prices


def read_by_recipe(
    paths: Sequence[Path],
    name: str,
    mapped: Mapping[str, str],
    constants: Mapping[str, str],
    prices: Prices | None = None,
) -> tuple[pd.DataFrame, str]:
    """Return rows under our names, and what the format lacks.

    Spend is the sum of the tokens, or with `prices` what they cost in USD; runs without a cap have
    the largest spend of their eval. `mapped` are paths beside or in place of the recipe's: in the
    row, or after a slash in the file; constants are of every row, but for that by which a recipe
    picks rows.
    """
    folder = files(__package__).joinpath("recipes")
    shipped = {each.name.removesuffix(".toml"): each for each in folder.iterdir()}
    refuse_other(name, shipped, "--recipe must be a shipped one")
    recipe = tomllib.loads(shipped[name].read_text("utf-8"))
    fixed, tokens = {**recipe.get("set", {}), **constants}, recipe.get("tokens", {})
    pick = recipe.get("pick", "")
    wanted, picks = fixed.pop(pick, None), set[str]()
    TableMapping(mapped, {key: value for key, value in fixed.items() if key not in mapped})
    found, named = [], ", ".join(map(str, paths))
    for path in paths:
        for row, own in _rows(path, recipe.get("rows", [{}])):
            picks.add(picked := str(row.get(pick, "")))
            if wanted not in (None, picked):
                continue
            got = {ours: row.get(at) for ours, at in {**recipe["map"], **mapped}.items()}
            if all(each is None for each in got.values()):
                raise InputError(
                    f"{path}: must have rows of the form of {name}, got one with "
                    f"{', '.join(sorted(row)[:8])}; check which recipe it is of"
                )
            for flag, rule in recipe.get("flags", {}).items():
                said = row.get(rule["at"])
                got[flag] = int(said in rule["words"] if "words" in rule else bool(said))
            if got.get("excluded") and got.get("success") is None:
                got["success"] = 0
            got |= own | fixed
            if tokens:
                none = dict.fromkeys(("input", "output", "cache_read", "cache_write"), 0.0)
                given = {key: row.get(at) or 0 for key, at in tokens.items()}
                if odd := [v for v in given.values() if not isinstance(v, int | float) or v < 0]:
                    raise InputError(
                        f"{path}: tokens must be numbers from 0, got {odd[0]!r}; mend or drop it"
                    )
                usage = none | {key: float(value) for key, value in given.items()}
                price = None if prices is None else prices.find(str(got.get("ai_model")))
                if prices is not None and price is None:
                    raise InputError(
                        f"{path}: a price must be known of {got.get('ai_model')!r}, but there is "
                        "none; give --prices FILE.toml, or leave --spend in tokens"
                    )
                got["spend"] = (sum(usage.values()) if price is None else price.usd(usage)) or None
            found.append(got)
    if len(picks) > 1 and wanted is None:
        raise InputError(
            f"{named}: one {pick} must be picked, as each repeats all results, got "
            f"{' and '.join(sorted(picks))}; give --set {pick}={min(picks)}"
        )
    frame = pd.DataFrame(found)
    frame = frame.dropna(axis=1, how="all")
    if "spend" in frame and "cap" not in frame and "eval" in frame:
        most = frame.groupby("eval")["spend"].transform("max")
        frame = frame.assign(cap=most, stopped_by_cap=0)
    if "task" in frame and "spend" not in frame:
        frame["spend"] = None
    scores = "standard_error" in recipe["map"]
    needed = ("score", "standard_error") if scores else ("task", "success")
    for ours in (*needed, "eval", "ai_model", "cap"):
        if ours not in frame:
            raise InputError(
                f"{named}: {len(found)} results by the recipe {name} must have {ours}, got none; "
                f"give --set {ours}=... for all of them, or --map {ours}=NAME of a field with it"
            )
    frame.attrs["source"] = f"{named} by {name}"
    return frame, str(recipe["lacks"])


def _rows(
    path: Path, parts: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the rows of a file, flat, with what their part of it sets."""
    try:
        text = path.read_text("utf-8-sig")
        lines = [line for line in text.splitlines() if line.strip()]
        for whole in map(json.loads, lines if path.suffix == ".jsonl" else [text]):
            head = {f"/{key}": value for key, value in _flat(whole).items()}
            for part in parts:
                rows: Any = whole
                for step in filter(None, part.get("at", "").split(".")):
                    rows = rows[step]
                for row in rows if isinstance(rows, list) else [rows]:
                    flat = _flat(row if isinstance(row, Mapping) else {"value": row})
                    yield head | flat, dict(part.get("set", {}))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{path}: must be JSON of the recipe's form, got {type(error).__name__} ({error}); "
            "check which recipe it is of, or write it again"
        ) from error


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested tables as one, names joined by dots."""
    found: dict[str, Any] = {}
    for key, each in value.items():
        inner = _flat(each, f"{before}{key}.") if isinstance(each, Mapping) else None
        found |= {f"{before}{key}": each} if inner is None else inner
    return found
