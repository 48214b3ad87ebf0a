"""The folder of a plan is written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.evalfolio.export.made import json_of, telling

from evalfolio.errors import InputError
from evalfolio.export import check_folder, folder, write_all
from evalfolio.export.folder import NAMES
from evalfolio.recommendations.recommendation import Recommendation


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def test_every_file_is_written_and_nothing_else(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    out = write_all(recommendation, tmp_path / "a" / "plan")
    assert {path.name for path in out.iterdir()} == set(NAMES)
    assert [path.name for path in out.parent.iterdir()] == ["plan"]


def test_same_recommendation_gives_the_same_tables_and_report(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    first = contents(write_all(recommendation, tmp_path / "one"))
    second = contents(write_all(recommendation, tmp_path / "two"))
    for name in ("plan.json", "mix.csv", "tasks.csv", "report.html"):
        assert first[name] == second[name]


def test_an_earlier_plan_is_replaced_and_other_files_are_left_alone(
    recommendation: Recommendation, pointed: Recommendation, tmp_path: Path
) -> None:
    out = write_all(recommendation, tmp_path / "plan")
    (out / "notes.md").write_text("mine")
    write_all(pointed, out)
    assert (out / "notes.md").read_text() == "mine"
    assert json.loads((out / "plan.json").read_text("utf-8"))["value"]["unit"] == "points"


@pytest.mark.parametrize("broken", ["write_workbook", "write_report", "task_table"])
def test_a_failure_while_writing_leaves_an_earlier_plan_as_it_was(
    recommendation: Recommendation,
    pointed: Recommendation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    out = write_all(recommendation, tmp_path / "plan")
    before = contents(out)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, broken, fail)
    with pytest.raises(KeyboardInterrupt):
        write_all(pointed, out)
    with pytest.raises(KeyboardInterrupt):
        write_all(pointed, tmp_path / "new")
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


@pytest.mark.parametrize("at", range(2 * len(NAMES)))
def test_an_interruption_while_moving_in_puts_the_earlier_plan_back(
    recommendation: Recommendation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    old, new, out = tmp_path / "old", tmp_path / "new", tmp_path / "plan"
    for place, text in ((out, "before"), (new, "after")):
        place.mkdir()
        for name in NAMES:
            (place / name).write_text(text)
    old.mkdir()
    (out / "mix.csv").unlink()  # a file the earlier plan did not have
    rename, calls = Path.rename, [0]

    def interrupted(self: Path, target: Path) -> Path:
        calls[0] += 1
        if calls[0] == at + 1:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    if at + 1 > 2 * len(NAMES) - 1:
        folder._move_in(new, out, old)
        assert set(contents(out).values()) == {b"after"}
        return
    with pytest.raises(KeyboardInterrupt):
        folder._move_in(new, out, old)
    assert set(contents(out)) == set(NAMES) - {"mix.csv"}
    assert set(contents(out).values()) == {b"before"}


@pytest.mark.parametrize("at", range(2 * len(NAMES)))
def test_the_next_run_finishes_what_a_killed_one_began(tmp_path: Path, at: int) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    out, work = tmp_path / "plan", tmp_path / f".plan.evalfolio-{dead.pid}-x"
    new, old = work / "new", work / "old"
    for place, text in ((out, "before"), (new, "after")):
        place.mkdir(parents=True)
        for name in NAMES:
            (place / name).write_text(text)
    old.mkdir()
    for k in range(at):  # as `_move_in` does, killed after so many renames
        name, out_first = NAMES[k // 2], k % 2 == 0
        (out if out_first else new).joinpath(name).rename((old if out_first else out) / name)
    running = tmp_path / f".plan.evalfolio-{os.getpid()}-y"
    running.mkdir()
    folder.finish_move(out)
    assert set(contents(out)) == set(NAMES)
    assert set(contents(out).values()) == {b"after"}
    assert {path.name for path in tmp_path.iterdir()} == {"plan", running.name}


def test_what_a_dead_run_had_not_finished_is_cleaned_up(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".plan.evalfolio-{dead.pid}-x" / "made").mkdir(parents=True)
    folder.check_folder(tmp_path / "plan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("foreign", ["posterior.nc", "menu/own.txt"])
def test_a_file_that_is_not_ours_is_never_overwritten(
    recommendation: Recommendation, tmp_path: Path, foreign: str
) -> None:
    out = write_all(recommendation, tmp_path / "plan")
    (out / foreign).write_text("mine")
    with pytest.raises(InputError, match=f"its {foreign} is not of evalfolio and would be lost"):
        write_all(recommendation, out)
    assert (out / foreign).read_text() == "mine"
    with pytest.raises(InputError, match="a menu must have a folder of its own, got '"):
        recommendation.menu.save(out)


@pytest.mark.parametrize("place", ["", ".", "/"])
def test_a_plan_goes_into_a_folder_of_its_own(place: str) -> None:
    with pytest.raises(InputError, match="--out must be a folder of its own, got '"):
        folder.check_folder(place)


def test_any_json_with_a_format_is_no_plan_of_ours(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match=r"no plan\.json of evalfolio; give another --out"):
        folder.check_folder(tmp_path)


@pytest.mark.parametrize("told", ["by the system", "by the file"])
def test_a_posterior_that_cannot_be_saved_leaves_nothing(
    recommendation: Recommendation, tmp_path: Path, told: str
) -> None:
    class Full:
        def save(self, path: Path) -> None:
            full = OSError(28, "No space left on device")
            raise full if told == "by the system" else InputError(f"{path}: full") from full

    full: Any = Full()
    with pytest.raises(InputError, match="No space left on device; nothing was written") as error:
        write_all(dataclasses.replace(recommendation, posterior=full), tmp_path / "plan")
    assert str(error.value).startswith(f"{tmp_path / 'plan'}: ")
    assert not list(tmp_path.iterdir())


def test_each_command_writes_over_its_own_plans_only(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    found = {**json_of(recommendation), "firmness": {"sentences": ["It is firm."], "tables": []}}
    firm = telling(recommendation, found)

    def tables(folder: Path) -> None:
        folder.mkdir()
        (folder / "regret.csv").write_text("mix\n")

    (tmp_path / "sensitivity").mkdir()  # beside, and nobody's: it is let be
    (tmp_path / "sensitivity" / "notes.md").write_text("mine")
    write_all(recommendation, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InputError, match="or one that `evalfolio sensitivity` wrote, but the plan"):
        write_all(firm, tmp_path, tables)
    assert contents(tmp_path) == before
    for _ in range(2):
        out = write_all(firm, tmp_path / "firm", tables)
    assert (out / "sensitivity" / "regret.csv").is_file()
    with pytest.raises(InputError, match="the plan there is of `evalfolio sensitivity`; give"):
        write_all(recommendation, out)
    with pytest.raises(InputError, match="the plan there is of `evalfolio sensitivity`"):
        check_folder(out)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan").write_text("a file")
    with pytest.raises(InputError, match="must be a folder, but it is a file"):
        check_folder(tmp_path / "plan")


def test_a_folder_with_somebody_elses_mix_is_refused(
    recommendation: Recommendation, tmp_path: Path
) -> None:
    (tmp_path / "mix.csv").write_text("songs")
    with pytest.raises(InputError, match=r"it has a mix\.csv and no plan\.json of evalfolio"):
        check_folder(tmp_path)
    (tmp_path / "mix.csv").unlink()
    recommendation.posterior.save(tmp_path / "posterior.nc")  # as `evalfolio fit` leaves it
    assert check_folder(tmp_path) == tmp_path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="must be a folder that can be written to"):
            check_folder(tmp_path / "plan")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_among_the_parents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(InputError, match="must be a folder that can be written to"):
        check_folder(tmp_path / "a" / "plan")
