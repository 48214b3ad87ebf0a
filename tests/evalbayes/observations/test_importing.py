from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evalbayes.observations.as_cells import as_cells

from evalbayes.errors import InputError
from evalbayes.observations import (
    Rows,
    TableMapping,
    imported,
    observations_of,
    read_mapping,
    read_observations,
    write_observations,
)

THEIRS: dict[str, Any] = {
    "benchmark": "cybench",
    "task": "t",
    "model": "Model A",
    "success": 0,
    "stopped": "False",
    "tokens": 30,
    "limit_thousands": 0.1,
    "seed": 7,
}
MAP = {
    "eval": "benchmark",
    "ai_model": "model",
    "stopped_by_cap": "stopped",
    "spend": "tokens",
    "cap": "limit_thousands * 1000",
}


def import_table(*arguments: Any, **options: Any) -> pd.DataFrame:
    return imported(*arguments, **options).frame


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"success": 1}, "success"),
        ({"success": "True", "stopped": True}, "success"),
        ({}, "gave_up"),
        ({"stopped": "yes", "tokens": 100}, "stopped_by_cap"),
        ({"stopped": 1.0, "tokens": 100}, "stopped_by_cap"),
    ],
)
def test_outcomes_are_worked_out_from_flags(
    change: dict[str, Any], outcome: str, csv: Callable[..., Path]
) -> None:
    frame = import_table(csv({**THEIRS, **change}), MAP)
    assert list(frame["outcome"]) == [outcome]
    assert list(frame["cap"]) == [100.0]
    assert list(frame.columns) == [
        "eval",
        "task",
        "ai_model",
        "outcome",
        "spend",
        "cap",
        "seed",
    ]


def test_other_flags_come_in_their_order(csv: Callable[..., Path]) -> None:
    rows = [
        {**THEIRS, "task": str(i), "time": time, "broken": broken, "hacked": hacked, "success": won}
        for i, (hacked, won, broken, time) in enumerate(
            [(1, 1, 1, 1), (0, 1, 1, 1), (0, 0, 1, 1), (0, 0, 0, 1), (0, 0, 0, 0)]
        )
    ]
    flags = {"stopped_otherwise": "time", "spurious": "broken", "excluded": "hacked"}
    frame = import_table(csv(*rows), {**MAP, **flags})
    expected = ["excluded", "success", "spurious", "stopped_otherwise", "gave_up"]
    assert list(frame["outcome"]) == expected


def test_without_a_flag_a_failure_that_spent_its_cap_was_stopped_by_it(
    csv: Callable[..., Path],
) -> None:
    mapping = {key: value for key, value in MAP.items() if key != "stopped_by_cap"}
    rows = [{**THEIRS, "task": str(tokens), "tokens": tokens} for tokens in (97, 98, 105)]
    frame = import_table(csv(*rows), mapping, drop=["stopped"])
    assert list(frame["outcome"]) == ["gave_up", "stopped_by_cap", "stopped_by_cap"]


def test_constants_words_and_a_mapping_file(csv: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        'drop = ["seed"]\n[map]\nspend = "tokens"\neval = "benchmark"\noutcome = "status"\n'
        '[set]\nai_model = "Model B"\ncap = 100\n[outcome]\npassed = "success"\n'
    )
    path = csv({"benchmark": "b", "task": "t", "status": "passed", "tokens": 5, "seed": 1})
    frame = import_table(path, read_mapping(tmp_path / "map.toml"))
    assert frame.to_dict("records") == [
        {"eval": "b", "task": "t", "ai_model": "Model B", "outcome": "success"}
        | {"spend": 5, "cap": 100}
    ]
    again = import_table(path, read_mapping(tmp_path / "map.toml"), {"cap": 50})
    assert list(again["cap"]) == [50]


def test_what_was_imported_is_read_back_the_same(csv: Callable[..., Path], tmp_path: Path) -> None:
    rows = [{**THEIRS, "task": f"0{i}", "tokens": 30 + i} for i in range(3)]
    frame = import_table([csv(*rows[:2]), csv(rows[2], name="b.csv")], MAP)
    found = read_observations(write_observations(frame, tmp_path / "obs.parquet"))
    assert list(found.runs["task"]) == ["00", "01", "02"]
    assert list(found.runs["spend"]) == [30, 31, 32]


@pytest.mark.parametrize(
    ("mapping", "constants", "message"),
    [
        ({"spent": "tokens"}, {}, "map: every column must be a known one, got 'spent'; did you"),
        ({}, {"kap": 3}, "set: every column must be a known one, got 'kap'; did you mean 'cap'"),
        ({"spend": "token"}, {}, "must name a column of the table, got 'token'; did you mean"),
        ({"spend": "tokens * x"}, {}, "got 'tokens .* x'"),
        ({"spend": "tokens / 0"}, {}, "the factor must be a number above 0, got '0'; write"),
        ({"spend": "tokens * 1e"}, {}, "the factor must be a number, got '1e'; write it in"),
        ({"spend": "tokens * 1.000"}, {}, "got '1.000'; it may mean 1 or 1000: write 1 or 1000"),
        ({"cap": "tokens"}, {"cap": 3}, "cap: must be mapped or set, got both cap=tokens and"),
        ({"success": "tokens"}, {}, r"success must be 0 or 1, yes or no, got 30; write"),
        ({"spend": "benchmark * 2"}, {}, r"benchmark must be a number, got cybench; write it in"),
        ({"cap": "limit_thousands"}, {}, "must not pass the run's cap by more than 10 %"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    mapping: dict[str, str], constants: dict[str, Any], message: str, csv: Callable[..., Path]
) -> None:
    plain = {k: v for k, v in MAP.items() if k not in constants or k in mapping}
    with pytest.raises(InputError, match=message):
        import_table(csv(THEIRS), {**plain, **mapping}, constants)


def test_words_for_outcomes_must_be_known(csv: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="every outcome must be a known one, got 'sucess'; did"):
        TableMapping(outcomes={"passed": "sucess"})
    path = csv({**THEIRS, "outcome": "won"})
    with pytest.raises(InputError, match=r"outcome must be one of success, .* got 'won'"):
        import_table(path, {k: v for k, v in MAP.items() if k != "stopped_by_cap"})


def test_a_column_to_drop_must_be_there(csv: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="a column to drop must be there, got 'sed'; the columns"):
        import_table(csv(THEIRS), MAP, drop=["sed"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "must be a file that can be read, got No such file or directory; check its name"),
        ("map = [", "must be a mapping in TOML that can be read, got an error"),
        ("[mop]", "every table must be a known one, got 'mop'; did you mean 'map'"),
        ("map = 3", r"map must be a table, got 3; write \[map\]"),
        ("drop = 'a'", "drop must be a list of columns, got 'a'"),
        ("[map]\nspent = 'x'", "every column must be a known one, got 'spent'"),
    ],
)
def test_a_mapping_file_that_does_not_fit_is_refused(
    text: str | None, message: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "map.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_mapping(tmp_path / "map.toml")


def test_the_public_cyber_runs_give_the_public_cyber_cells(data_folder: Path) -> None:
    columns = {"spend": "spend_tokens", "cap": "cap_tokens"}
    frame = import_table(data_folder / "cyber_runs.csv.gz", columns)
    assert frame["outcome"].value_counts().to_dict() == {
        "success": 4121,
        "stopped_by_cap": 1101,
        "gave_up": 754,
    }
    table = {"cap": "cap_tokens", "human_minutes": "median_human_minutes"}
    cells = import_table(data_folder / "cyber_cells.csv", table)
    keys = ["eval", "ai_model"]
    given = cells.set_index(keys).sort_index()
    found = observations_of([Rows(frame.astype(object).where(frame.notna(), None), "runs")])
    ours = as_cells(found).cells.set_index(keys).sort_index()
    assert len(ours) == 70
    for column in ("n_success", "n_gave_up"):
        assert (ours[column] == given[column]).all()
    assert (ours["n_stopped"] == given["n_stopped_by_cap"]).all()
    for way in ("success", "gave_up"):
        for figure in ("mean", "sd"):
            column = f"{figure}_ln_spend_{way}"
            np.testing.assert_allclose(ours[column], given[column], atol=1e-6)


def test_the_public_reruns_are_other_runs_once_they_are_numbered(data_folder: Path) -> None:
    columns = {"spend": "spend_tokens", "cap": "cap_tokens"}
    first = import_table(data_folder / "cyber_runs.csv.gz", columns, {"attempt": 1})
    second = import_table(data_folder / "cyber_rerun_10m.csv", columns, {"attempt": 2})
    assert len(second) == 41
    tables = [Rows(f.astype(object).where(f.notna(), None), "runs") for f in (first, second)]
    assert len(observations_of(tables).runs) == 5976 + 41
    bare = [Rows(t.frame.drop(columns="attempt"), t.source) for t in tables]
    with pytest.raises(InputError, match="points made by capping one run after the fact"):
        observations_of(bare)
