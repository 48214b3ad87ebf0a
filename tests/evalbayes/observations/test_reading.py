from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evalbayes.observations.as_cells import as_cells
from tests.evalbayes.observations.conftest import CELL, COUNT, KINDS, RUN

import evalbayes as eb
from evalbayes.observations import Observations, Rows, observations_of, read_observations
from evalbayes.observations.files import write_observations
from evalbayes.observations.shape import OUTCOMES


def read(*rows: dict[str, Any]) -> Observations:
    """Check rows of one shape, as if they stood in one file."""
    return observations_of([Rows(pd.DataFrame(list(rows), dtype=object), "rows")])


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_are_told_apart_by_their_columns(kind: str) -> None:
    found = read(KINDS[kind])
    assert {key for key in KINDS if len(getattr(found, key))} == {kind}
    assert found.evals == ("cybench",)
    assert found.ai_models == ("Model A",)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "xlsx"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_says_the_same(kind: str, ending: str, tmp_path: Path) -> None:
    rows = [
        {**KINDS[kind], "eval": name, "human_minutes": minutes, "origin": "here"}
        for name, minutes in (("001", 3.5), ("NA", None), ("ümlaut", 1e-3))
    ]
    path = write_observations(pd.DataFrame(rows), tmp_path / f"results.{ending}")
    found = read_observations(path)
    assert found.evals == ("001", "NA", "ümlaut")
    assert found.hash == read(*rows).hash
    frame = getattr(found, kind)
    np.testing.assert_allclose(frame["human_minutes"], [3.5, np.nan, 1e-3])
    assert list(frame["origin"]) == ["here"] * 3
    assert len(found.notes) == 1
    assert found.notes[0].endswith("kept, but not used: origin")


def test_files_of_several_shapes_are_read_together(csv: Callable[..., Path]) -> None:
    paths = [csv({**row, "eval": kind}, name=f"{kind}.csv") for kind, row in KINDS.items()]
    found = read_observations(paths)
    assert found.evals == tuple(sorted(KINDS))
    assert [found.n_runs(kind, "Model A") for kind in KINDS] == [1, 6, 10, 0]
    assert found.n_runs("nothing", "Model A") == 0


def test_a_workbook_may_hold_several_tables_and_notes(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "all.xlsx") as book:
        pd.DataFrame([RUN]).to_excel(book, sheet_name="runs", index=False)
        pd.DataFrame([{**COUNT, "eval": "b"}]).to_excel(book, sheet_name="counts", index=False)
        pd.DataFrame({"anything": ["at all"]}).to_excel(book, sheet_name="Notes", index=False)
    found = read_observations(tmp_path / "all.xlsx")
    assert (len(found.runs), len(found.counts)) == (1, 1)


def test_no_files_are_no_observations() -> None:
    found = read_observations([])
    assert found.evals == ()
    assert len(found.run_counts) == 0
    assert as_cells(found) is found


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_all_outcomes_are_read(outcome: str) -> None:
    found = read({**RUN, "outcome": outcome, "spend": 98.0}, {**RUN, "task": "other"})
    if outcome == "excluded":
        assert found.excluded == {"cybench": 1}
        assert len(found.runs) == 1
        assert "excluded runs, counted but not used: 1 of cybench" in found.notes
    else:
        assert list(found.runs["outcome"]) == [outcome, "success"]


def test_an_excluded_run_need_not_make_sense() -> None:
    found = read({**RUN, "outcome": "excluded", "spend": 1e9, "cap": None}, RUN)
    assert found.excluded == {"cybench": 1}


def test_spend_up_to_a_tenth_past_the_cap_is_fine() -> None:
    found = read({**RUN, "spend": 109.9}, {**RUN, "task": "b", "spend": 110, "outcome": "gave_up"})
    assert list(found.runs["spend"]) == [109.9, 110.0]


def test_a_spend_of_zero_is_not_recorded_but_the_result_counts() -> None:
    found = read(
        {**RUN, "spend": 0},
        {**RUN, "task": "b", "spend": None, "outcome": "gave_up"},
        {**RUN, "task": "c", "spend": None, "outcome": "stopped_otherwise"},
        {**RUN, "task": "d"},
    )
    assert len(found.runs) == 1
    assert found.counts[["n_runs", "n_success"]].to_numpy().tolist() == [[2, 1]]
    assert "3 runs have no spend" in found.notes[0]
    assert "1 success, 1 gave_up, 1 stopped_otherwise" in found.notes[0]
    assert "1 of them, stopped otherwise than by the cap at an unknown spend" in found.notes[0]
    assert "2 of 3 succeeded (67%) where with them it is 2 of 4 (50%)" in found.notes[0]


def test_repeats_without_a_number_are_numbered() -> None:
    found = read(RUN, {**RUN, "spend": 20}, {**RUN, "spend": 30})
    assert list(found.runs["attempt"]) == ["1", "2", "3"]


def test_counts_that_look_like_one_run_capped_again_and_again_are_named() -> None:
    rows = [{**COUNT, "cap": cap, "n_success": n} for cap, n in ((10, 1), (20, 3), (40, 6))]
    assert "counts of cybench by Model A have the same number of runs" in read(*rows).notes[0]
    assert not read(*rows[:2]).notes
    assert not read(*[{**row, "n_runs": 10 + i} for i, row in enumerate(rows)]).notes
    assert not read(*[{**row, "run_set": "all"} for row in rows]).notes
    assert not read(*[{**row, "run_set": cap} for row, cap in zip(rows, "abc", strict=True)]).notes


def test_ai_models_that_differ_in_case_alone_are_named() -> None:
    found = read(RUN, {**RUN, "ai_model": "model-a"})
    assert "AI models 'Model A' and 'model-a' are taken for two" in found.notes[0]


def test_figures_where_there_are_no_runs_are_missing() -> None:
    row = {**CELL, "n_gave_up": 0, "mean_ln_spend_gave_up": 0, "sd_ln_spend_gave_up": "NA"}
    cells = read(row).cells
    assert cells[["mean_ln_spend_gave_up", "sd_ln_spend_gave_up"]].isna().all(axis=None)
    assert int(cells["n_stopped"].iloc[0]) == 2


@settings(max_examples=12, deadline=None)  # a busy machine is no mistake
@given(st.permutations(range(6)), st.integers(0, 6))
def test_the_hash_is_that_of_the_content(order: list[int], cut: int) -> None:
    rows = [{**RUN, "task": str(i), "spend": 10.0 + i} for i in range(6)]
    shuffled = [{key: rows[i][key] for key in reversed(RUN)} for i in order]
    parts = [part for part in (shuffled[:cut], shuffled[cut:]) if part]
    tables = [Rows(pd.DataFrame(part, dtype=object), "part") for part in parts]
    assert observations_of(tables).hash == read(*rows).hash
    changed = [{**rows[0], "spend": 10.5}, *rows[1:]]
    assert read(*changed).hash != read(*rows).hash


def test_a_data_frame_is_observations_by_a_public_name() -> None:
    rows = {"eval": ["a", "b"], "ai_model": ["M", "M"], "cap": [1e6, 1e6]}
    frame = pd.DataFrame({**rows, "n_runs": [20, 8], "n_success": [7, 9]}, index=[5, 9])
    with pytest.raises(eb.InputError, match=r"table row 3 .* n_success must not be above n_runs"):
        eb.observations_of(frame)
    frame.loc[9, "n_success"] = 3
    assert eb.observations_of(frame).counts["n_success"].tolist() == [7, 3]
    assert len(eb.observations_of([frame.iloc[:1], frame.iloc[1:]]).counts) == 2
    with pytest.raises(eb.InputError, match="table: must hold at least one row"):
        eb.observations_of(frame.iloc[:0])
