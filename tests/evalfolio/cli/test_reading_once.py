"""Every command reads each of its inputs once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.evalfolio.cli.conftest import Run

from evalbayes.observations.files import read_rows
from evalbayes.tables.toml import read_toml
from evalfolio.errors import InputError

REPEATS = "repeats --eval ctf --spend 9"
FITTING = (
    "fit",
    "recommend",
    "sensitivity",
    "curves",
    "capability",
    "repeats --eval ctf --spend 9",
)
OTHER = ("check", "prior --model gains", "horizons")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each file is read."""
    counted: Counter[str] = Counter()

    def watched(read: Any) -> Any:
        def reader(path: Path, *words: str) -> Any:
            counted[Path(path).name] += 1
            return read(path, *words)

        return reader

    monkeypatch.setattr("evalbayes.catalogue.reading.read_toml", watched(read_toml))
    monkeypatch.setattr("evalbayes.observations.reading.read_rows", watched(read_rows))
    return counted


@pytest.mark.parametrize("words", [*FITTING, *OTHER])
def test_up_to_the_fit_each_file_is_read_once(
    words: str,
    run: Run,
    files: tuple[Path, Path],
    reads: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from evalbayes.model import fit as module

    def stop(*_: Any, **__: Any) -> None:
        raise InputError("the fit has begun")

    monkeypatch.setattr(module, "fit", stop)
    command, *options = words.split()
    done = run(command, *files, *options)
    assert ("the fit has begun" in done.err) == (words in FITTING)
    assert reads == {"catalogue.toml": 1, "cells.csv": 1}


@pytest.mark.parametrize("command", ["curves", "capability"])
def test_beside_a_stored_fit_the_catalogue_is_read_once(
    command: str, run: Run, files: tuple[Path, Path], reads: Counter[str], posterior_file: Path
) -> None:
    assert run(command, files[0], "--posterior", posterior_file).code == 0
    assert reads == {"catalogue.toml": 1}


def test_a_plan_reads_the_catalogue_once(
    run: Run, files: tuple[Path, Path], reads: Counter[str], posterior_file: Path
) -> None:
    limits = ("--budget", "usd=9000")
    assert run("recommend", files[0], "--posterior", posterior_file, *limits).code == 0
    assert reads == {"catalogue.toml": 1}
