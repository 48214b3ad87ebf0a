"""Cut a menu on which something fails down to the little that still makes it fail.

``python -m tests.instances.shrink FILE.json package.module:fails OUT.json`` reads a question that
`files.write` wrote and a function that says whether a question still fails. What cannot be left
out is tried part by part: limits, purchases, decisions, evals, options, states, resources; then
figures are rounded, to one digit where that will do. What no longer makes a question counts as not
failing, so whoever wants a crash cut down lets it through: ``fails`` must catch it.
"""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.instances.files import made, read, write, written

from evalfolio.errors import EvalfolioError
from evalfolio.search.question import Question

Data = dict[str, Any]
Fails = Callable[[Question], bool]
DIGITS = (1, 2, 3, 6)


def shrink(question: Question, fails: Fails) -> Question:
    """Return the smallest question found that still fails."""
    data = written(question)
    if not _still(data, fails):
        raise ValueError("the question must fail before it is cut, but it does not")
    before = None
    while before != data:
        before = data
        data = _rounded(_cut(data, fails), fails)
    return made(data)


def _cut(data: Data, fails: Fails) -> Data:
    """Leave out whatever can be, the largest parts first, until nothing can."""
    tried = True
    while tried:
        tried = False
        for less in _parts(data):
            if _still(less, fails):
                data, tried = less, True
                break
    return data


def _parts(data: Data) -> Iterator[Data]:
    """Yield the question without one of its parts."""
    for key in ("limits", "shared", "decisions"):
        for k in range(len(data[key])):
            yield data | {key: data[key][:k] + data[key][k + 1 :]}
    for eval_name in dict.fromkeys(row[1] for row in data["options"]):
        yield _with(data, [row for row in data["options"] if row[1] != eval_name])
    for k in range(len(data["options"])):
        yield _with(data, data["options"][:k] + data["options"][k + 1 :])
    for k in range(len(data["states"])):
        yield _without_state(data, k)
    for k, name in enumerate(data["resources"]):
        less = _with(data, [[*row[: 4 + k], *row[5 + k :]] for row in data["options"]])
        less["resources"] = data["resources"][:k] + data["resources"][k + 1 :]
        less["budget"] = {key: x for key, x in data["budget"].items() if key != name}
        less["shared"] = [
            [a, {key: x for key, x in use.items() if key != name}, by]
            for a, use, by in less["shared"]
        ]
        yield less
    for name in data["budget"]:
        yield data | {"budget": {key: x for key, x in data["budget"].items() if key != name}}


def _with(data: Data, options: list[Any]) -> Data:
    names = {row[0] for row in options}
    shared = [[a, use, [n for n in by if n in names]] for a, use, by in data["shared"]]
    return data | {"options": options, "shared": [each for each in shared if each[2]]}


def _without_state(data: Data, k: int) -> Data:
    def less(values: list[Any]) -> list[Any]:
        return values[:k] + values[k + 1 :]

    return data | {
        "states": less(data["states"]),
        "mean": less(data["mean"]),
        "covariance": [less(row) for row in less(data["covariance"])],
        "options": [[*row[:-1], [less(f) for f in row[-1]]] for row in data["options"]],
        "decisions": [[name, less(c), *rest] for name, c, *rest in data["decisions"]],
        "skewed": [name for name in data["skewed"] if name != data["states"][k]],
    }


def _rounded(data: Data, fails: Fails) -> Data:
    """Round one figure after another to as few digits as will do."""
    for way in list(_figures(data)):
        old = _at(data, way)
        for digits in DIGITS:
            short = float(f"{old:.{digits}g}")
            less = copy.deepcopy(data)
            _at(less, way[:-1])[way[-1]] = short
            if way[0] == "covariance":  # which stays symmetric
                less["covariance"][way[2]][way[1]] = short
            if short == old or _still(less, fails):
                data = less
                break
    return data


def _figures(data: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every figure."""
    if isinstance(data, float):
        yield way
    elif isinstance(data, (list, dict)):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in items:
            yield from _figures(value, (*way, key))


def _at(data: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        data = data[key]
    return data


def _still(data: Data, fails: Fails) -> bool:
    try:
        question = made(data)
        return len(question.menu) > 0 and bool(question.stack) and fails(question)
    except (EvalfolioError, ValueError, IndexError):
        return False


def main() -> None:
    file, where, out = sys.argv[1:]
    module, _, name = where.partition(":")
    small = shrink(read(Path(file)), getattr(importlib.import_module(module), name))
    write(Path(out), small, f"cut from {Path(file).name} by {where}")
    print(f"{len(small.menu)} options of {small.menu.options['eval'].nunique()} evals in {out}")


if __name__ == "__main__":
    main()
