"""Asks that no log can answer: refused in words."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalbayes.errors import InputError
from evalfolio.readers import read_inspect_logs

WriteLog = Callable[..., Path]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"spend": "gold"}, 'spend must be "tokens", "usd" or "hours"'),
        ({"duplicates": "maybe"}, 'duplicates must be "exclude" or "keep"'),
        ({"workers": 0}, "workers must be at least 1"),
        ({"effort": 1.5}, "effort must be from 0 to 1"),
        ({"effort": {"ctf": -1}}, "effort must be from 0 to 1"),
        ({"cap": -7}, "cap must be a number above 0, got -7; give what one attempt"),
        ({"cap": float("nan")}, "cap must be a number above 0, got nan"),
        ({"max_megabytes": float("nan")}, "max_megabytes must be above 0, got nan"),
        ({"cap": {"ctf": 0}}, "ctf: cap must be a number above 0, got 0"),
    ],
)
def test_an_argument_out_of_place_is_refused(
    tmp_path: Path, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        read_inspect_logs(tmp_path, **arguments)


def test_a_threshold_that_is_no_number_is_refused(write_log: WriteLog) -> None:
    log = write_log([{"scores": {"match": {"value": 1}}}])
    for rule in (float("nan"), {"ctf": float("nan")}):
        with pytest.raises(InputError, match="success must be a number, got nan; give the score"):
            read_inspect_logs(log, success=rule)


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    with pytest.raises(InputError, match="there must be an Inspect log"):
        read_inspect_logs(tmp_path)
    with pytest.raises(InputError, match="exists, but there is none; check its name"):
        read_inspect_logs(tmp_path / "gone.eval")


def test_without_inspect_ai_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **given: Any) -> Any:
        if name.startswith("inspect_ai"):
            raise ImportError(name)
        return real(name, *args, **given)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r'pip install "evalfolio\[inspect\]"'):
        read_inspect_logs(tmp_path)


def test_observations_go_to_known_endings_only(write_log: WriteLog, tmp_path: Path) -> None:
    result = read_inspect_logs(write_log([{"scores": {"match": {"value": "C"}}}]))
    with pytest.raises(InputError, match=r"ending in \.csv, \.csv\.gz, \.parquet, got '\.txt'"):
        result.write(tmp_path / "obs.txt")
