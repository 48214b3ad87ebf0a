"""Damaged posterior files: one sentence that names the file and what is wrong, whatever it is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.posterior.test_posterior import posterior

from evalbayes.curves.law import STACKED
from evalbayes.errors import InputError
from evalbayes.posterior import sizes
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.posterior import DIMENSIONS, SEEN, Posterior

PLACED = ("knot_domain", "knot_place", "reach", "gap_prior", "told_at")
CONSTANT = ("loadings", "family_of", "n_runs", "spend_weights", *PLACED, *SEEN)
ATTEMPTS = pd.DataFrame(
    [["001", "4", 2, 1, 3, 9.0]],
    columns=["eval", "ai_model", "attempts", "successes", "tasks", "cap"],
)
QUANTITIES = pd.DataFrame(
    {"r_hat": [1.001], "ess_bulk": [900.5], "ess_tail": [800.0], "prior_shift": [0.1]},
    index=pd.Index(["shown[cyber, A]"], name="quantity"),
)
SEEN_CELL = pd.DataFrame(
    [["001", "4", 9, 3, 3.2, np.nan]],
    columns=["eval", "ai_model", "n", "n_success", "expected", "pareto_k"],
)
Change = Callable[[h5py.File], object]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    diagnostics = Diagnostics(QUANTITIES, SEEN_CELL, 0, 20, ("a note",))
    belief = posterior(diagnostics=diagnostics, attempts=ATTEMPTS)
    return belief.save(tmp_path_factory.mktemp("whole") / "posterior.nc").read_bytes()


@pytest.fixture
def refused(stored: bytes, tmp_path: Path) -> Callable[[Change], str]:
    """Return how a file is refused once something in it was changed."""

    def call(change: Change) -> str:
        path = tmp_path / "posterior.nc"
        path.write_bytes(stored)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(InputError) as caught:
            Posterior.load(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert message.endswith("; fit again")
        assert "\n" not in message
        return message

    return call


Refused = Callable[[Change], str]


def place(key: str) -> str:
    return f"{'posterior' if key in DIMENSIONS else 'constant_data'}/{key}"


@pytest.mark.parametrize("key", [*DIMENSIONS, *CONSTANT])
def test_a_part_that_is_missing_is_named(refused: Refused, key: str) -> None:
    def renamed(file: h5py.File) -> None:
        file.move(place(key), place(key) + "s")

    def a_group(file: h5py.File) -> None:
        renamed(file)
        file.create_group(place(key))

    assert f"'{key}'" in refused(renamed)
    assert "cannot be read" in refused(a_group)


@pytest.mark.parametrize("key", DIMENSIONS)
def test_a_draw_without_sense_is_named(refused: Refused, key: str) -> None:
    own = sizes.QUANTITIES[key][1]
    if key == "spend_family":  # there are as many as were added
        own = replace(own, most=len(STACKED) - 1)
    for value in (np.nan, np.inf, -np.inf, 1e300, -1e9):

        def changed(file: h5py.File, value: float = value) -> None:
            file[place(key)][(0,) * len(file[place(key)].shape)] = value

        assert f"{key} must be {own}, got {value:g}" in refused(changed)


@pytest.mark.parametrize("key", [key for key, (_, own) in sizes.QUANTITIES.items() if own.above])
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_sds_slopes_and_gaps_are_above_0(refused: Refused, key: str, value: float) -> None:
    def changed(file: h5py.File) -> None:
        file[place(key)][...] = value

    message = refused(changed)
    assert f"{key} must be finite numbers above 0 and at most 1e+06, got {value:g}" in message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("n_runs", -1, "n_runs must be whole numbers from 0"),
        ("n_success", 10**15, "n_success must be whole numbers from 0 to 1e+12, got 1e+15"),
        ("largest_cap", -3, "largest_cap must be finite numbers from 0"),
        ("family_of", 1, "family_of must be whole numbers from -1 to 0, got 1"),
        ("loadings", np.nan, "loadings must be finite numbers"),
        ("spend_weights", 0.5, "spend_weights of every eval must sum to 1"),
        ("spend_weights", -0.5, "spend_weights must be finite numbers from 0 to 1, got -0.5"),
    ],
)
def test_counts_and_weights_without_sense(
    refused: Refused, key: str, value: float, message: str
) -> None:
    def changed(file: h5py.File) -> None:
        file[place(key)][...] = value

    assert message in refused(changed)


@pytest.mark.parametrize(
    ("axis", "names", "message"),
    [
        ("eval", ["a", "a", "c"], "no two names of the axis eval may be the same"),
        ("eval", ["a", "b\x1b[31m", "c"], "its axis eval: text must hold no control characters"),
        ("domain", ["a", "\x00"], "its axis domain: text must hold no control characters"),
    ],
)
def test_names_that_cannot_be_used(
    refused: Refused, axis: str, names: list[str], message: str
) -> None:
    def changed(file: h5py.File) -> None:
        if "\x00" in "".join(names):  # HDF5's own text ends there
            names[1] = "\x07"
        file[f"posterior/{axis}"][...] = names

    assert message in refused(changed)


def head_of(file: h5py.File) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(file.attrs["evalfolio"])
    return head


def with_head(change: Callable[[dict[str, Any]], object]) -> Change:
    def changed(file: h5py.File) -> None:
        head = head_of(file)
        text = change(head)
        file.attrs["evalfolio"] = text if isinstance(text, str) else json.dumps(head)

    return changed


KEYS = ("format", "diagnostics", "provenance", "elicited_history", "spend_families")
PARTS = ("quantities", "cells", "divergences", "draws", "notes")


@pytest.mark.parametrize("value", [None, "x", [], {"a": 1}, 3.5, float("nan"), "dropped"])
@pytest.mark.parametrize("key", [*KEYS, *PARTS])
def test_a_head_of_other_kinds(refused: Refused, key: str, value: object) -> None:
    def change(head: dict[str, Any]) -> None:
        table = head["diagnostics"] if key in PARTS else head
        if value == "dropped":
            del table[key]
        else:
            table[key] = value

    if (key, value) in (("notes", []), ("provenance", {"a": 1})):
        pytest.skip("as good as any")
    refused(with_head(change))


@pytest.mark.parametrize("deep", [30, 100_000])
def test_brackets_in_brackets(refused: Refused, deep: int) -> None:
    def change(head: dict[str, Any]) -> str:
        head["provenance"]["versions"] = "here"
        return json.dumps(head).replace('"here"', "[" * deep + "]" * deep)

    message = refused(with_head(change))
    assert "nested 3 deep at most" in message or "recursion" in message


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("attempts", "tasks", 1e12, "tasks of attempts must be whole numbers from 0 to 1e+06"),
        ("attempts", "attempts", -1, "attempts of attempts must be whole numbers from 0"),
        ("attempts", "eval", 1, "eval of attempts must be text, got 1"),
        ("attempts", "ai_model", "\x1b", "ai_model of attempts: text must hold no control"),
        ("quantities", "r_hat", None, "r_hat of quantities must be finite numbers"),
        ("cells", "n", [1], "cannot be read"),
        ("cells", "n_success", "many", "cannot be read"),
    ],
)
def test_tables_of_the_head(
    refused: Refused, table: str, column: str, value: object, message: str
) -> None:
    def change(head: dict[str, Any]) -> None:
        whole = head if table in head else head["diagnostics"]
        parts = json.loads(whole[table])
        parts["data"][0][parts["columns"].index(column)] = value
        whole[table] = json.dumps(parts)

    assert message in refused(with_head(change))


@pytest.mark.parametrize("chains", [0, -1, 3, 2.0, "2", None])
def test_chains_that_share_no_draws(refused: Refused, chains: object) -> None:
    def change(head: dict[str, Any]) -> None:
        head["provenance"]["chains"] = chains

    assert f"its chains must share 20 draws evenly, got {chains} chains" in refused(
        with_head(change)
    )


def test_draws_that_are_declared_but_not_there(refused: Refused) -> None:
    """A file of some kilobytes may declare terabytes."""

    def changed(file: h5py.File) -> None:
        del file["posterior/shown"]
        size = (100_000, 100_000, 2, 2)
        file["posterior"].create_dataset("shown", shape=size, chunks=(9, 9, 2, 2), dtype="f8")

    assert "must not be larger than its file, got 320,0" in refused(changed)


def test_cut_and_flipped_bytes(stored: bytes, tmp_path: Path) -> None:
    luck, path = random.Random(3), tmp_path / "posterior.nc"
    for _ in range(40):
        path.write_bytes(stored[: luck.randrange(len(stored) - 1)])
        with pytest.raises(InputError, match=r"cannot be read .*; fit again"):
            Posterior.load(path)
    for _ in range(80):
        damaged = bytearray(stored)
        damaged[luck.randrange(len(stored))] ^= luck.randrange(1, 256)
        path.write_bytes(damaged)
        with suppress(InputError):  # some flips change nothing that matters
            Posterior.load(path)


def test_names_that_look_like_numbers_stay_names(stored: bytes, tmp_path: Path) -> None:
    """An eval called 001 was read back as 1, and its attempts were those of no eval."""
    path = tmp_path / "posterior.nc"
    path.write_bytes(stored)
    again = Posterior.load(path)
    assert again.attempts is not None
    assert again.attempts.to_dict("records") == ATTEMPTS.to_dict("records")
    assert again.diagnostics.cells["ai_model"].tolist() == ["4"]
    pd.testing.assert_frame_equal(again.diagnostics.quantities, QUANTITIES)
