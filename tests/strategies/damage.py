"""Hypothesis strategies of damage: what people, programs and disks do to files on their way here.

Each takes something valid and returns a strategy of the same, damaged in one to three places.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

# What stands where something else is due: cells, values and bits of text.
CELLS = (
    "", " ", "-", "n/a", "NaN", "inf", "-inf", "1e999", "-1", "0", "-0.0", "1e-320", "0x1F", "1,5",
    "1.234.567,8", "$1,000", "12 %", "true", "None", "2026-11-30", "10h", "é", "名前",
    "\u202e", "a" * 300,
    "=1+1", "'", '"', "<script>", "..", "/", "\x00", "\ufeff", "9" * 40,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.5, 1e-320, 1e308, float("nan"), float("inf"), 10**30, "",
    "a", "NaN", "é\x00", [], [[]], [None], [1, 2, 3], [2.0, 1.0], {}, {"": None}, {"low": 1},
    "x" * 300,
)  # fmt: skip
SNIPPETS = (
    "\n", "\r", "\r\n", ",", ";", "\t", '"', "'", "=", "[", "]", "[[", "{", "}", "#", "\\", "\x00",
    "\ufeff", "\u2028", "é", " ", "0", "-", ".", "e", "nan", "[[eval]]\n", "[budget]\n",
    'x = "y"\n',
)  # fmt: skip


@st.composite
def damaged_text(draw: st.DrawFn, text: str) -> str:
    """Text with a few spans lost, repeated, moved or replaced, or cut short."""
    for _ in range(draw(st.integers(1, 3))):
        if not text:
            break
        start = draw(st.integers(0, len(text) - 1))
        end = min(len(text), start + draw(st.sampled_from((0, 1, 2, 5, 20, 100))))
        lines = text.splitlines(keepends=True)
        line = draw(st.integers(0, len(lines) - 1))
        way = draw(st.sampled_from(("lose", "put", "twice", "cut", "line", "again", "swap")))
        if way == "lose":
            text = text[:start] + text[end:]
        elif way == "put":
            text = text[:start] + draw(st.sampled_from((*SNIPPETS, *CELLS))) + text[end:]
        elif way == "twice":
            text = text[:end] + text[start:]
        elif way == "cut":
            text = text[:start]
        elif way == "line":
            text = "".join(lines[:line] + lines[line + 1 :])
        elif way == "again":
            text = "".join(lines[: line + 1] + lines[line:])
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[line], lines[other] = lines[other], lines[line]
            text = "".join(lines)
    return text


@st.composite
def damaged_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes with a few flipped, lost or put in, or cut short."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        way = draw(st.sampled_from(("flip", "lose", "put", "cut", "zero")))
        if way == "flip":
            data = data[:at] + bytes([data[at] ^ draw(st.integers(1, 255))]) + data[at + 1 :]
        elif way == "lose":
            data = data[:at] + data[at + draw(st.integers(1, 50)) :]
        elif way == "put":
            data = data[:at] + draw(st.binary(min_size=1, max_size=20)) + data[at:]
        elif way == "zero":
            width = draw(st.integers(1, 200))
            data = data[:at] + b"\0" * min(width, len(data) - at) + data[at + width :]
        else:
            data = data[:at]
        if not data:
            break
    return data


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside a tree of dicts and lists."""
    inside: list[tuple[Any, ...]] = []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        inside.append((*path, key))
        if isinstance(value, dict | list) and value:
            inside += places(value, (*path, key))
    return inside


@st.composite
def damaged_tree(draw: st.DrawFn, tree: Any) -> Any:
    """A tree of JSON with values lost, renamed, repeated or of another kind in a few places.

    Places are drawn level by level, so that a long list does not take all the damage.
    """
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        parent: Any = None
        key: Any = None
        node = tree
        while isinstance(node, dict | list) and node:
            parent = node
            keys = sorted(node, key=str) if isinstance(node, dict) else range(min(len(node), 50))
            key = draw(st.sampled_from(keys))
            node = node[key]
            if draw(st.integers(0, 3)) == 0:
                break
        if parent is None:
            break
        way = draw(st.sampled_from(("value", "value", "lose", "name", "other")))
        if way == "value":
            parent[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif way == "lose":
            del parent[key]
        elif way == "name" and isinstance(parent, dict):
            parent[f"{key}s"] = parent.pop(key)
        else:
            paths = places(tree)
            if paths:
                taken = tree
                for step in draw(st.sampled_from(paths)):
                    taken = taken[step]
                parent[key] = copy.deepcopy(taken)
    return tree


def damaged_json(text: str) -> st.SearchStrategy[str]:
    """JSON that is damaged as a tree or, now and then, as text."""
    whole = damaged_tree(json.loads(text)).map(json.dumps)
    return st.one_of(whole, whole, whole, damaged_text(text))


@st.composite
def damaged_table(draw: st.DrawFn, rows: list[list[str]], separator: str = ",") -> str:
    """A table with cells, rows and columns lost, repeated, renamed, swapped or replaced."""
    rows = [list(row) for row in rows]
    for _ in range(draw(st.integers(1, 3))):
        r = draw(st.integers(0, len(rows) - 1))
        c = draw(st.integers(0, max(len(rows[r]) - 1, 0)))
        way = draw(
            st.sampled_from(("cell", "cell", "cell", "row", "column", "twice", "more", "swap"))
        )
        if way == "cell" and rows[r]:
            rows[r][c] = draw(st.sampled_from(CELLS))
        elif way == "row" and len(rows) > 1:
            del rows[r]
        elif way == "column":
            for row in rows:
                del row[c : c + 1]
        elif way == "twice":
            rows.insert(r, list(rows[r]))
        elif way == "more":
            rows[r].append(draw(st.sampled_from(CELLS)))
        elif way == "swap" and len(rows[r]) > 1:
            other = draw(st.integers(0, len(rows[r]) - 1))
            rows[r][c], rows[r][other] = rows[r][other], rows[r][c]
    return "\n".join(separator.join(row) for row in rows) + "\n"
