"""The folder of a plan: every export at once, whole or not at all."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evalbayes.menu.menu import FILES
from evalbayes.posterior.file import is_posterior
from evalfolio.errors import InputError
from evalfolio.export.exportable import Storable
from evalfolio.export.mix import CSV, frontier_table, mix_table, task_table
from evalfolio.export.report import write_report
from evalfolio.export.workbook import write_workbook

MARK = "plan.json"
SHEETS = ("mix", "tasks", "menu", "frontier")  # tables that are written as CSV
NAMES = (MARK, *(f"{name}.csv" for name in SHEETS), "mix.parquet", "plan.xlsx", "report.html")
NAMES += ("posterior.nc", "catalogue.json", "certificate.json", "menu")
TABLES = "sensitivity"  # the folder of an analysis' tables, of that command only
BESIDE = "side_by_side.csv"  # the plans of scenarios, where there are some
PROGRAMME = ("programme.json", "start.nc", "results")  # what a replan keeps beside its plan
SHARED = ("posterior.nc",)  # `evalfolio fit` may have put it there before


def check_folder(folder: str | Path, command: str = "recommend") -> Path:
    """Return the folder as a path if a plan may be written there; call it before long work.

    A folder that does not exist is made later. In one that does, only the files of an earlier plan
    are replaced and everything else is left alone. A move that a killed run began is finished, and
    what dead runs left beside the folder removed. InputError if it is a file, cannot be written to,
    or holds a file of a plan's name that no plan wrote, or the plan of another command. Each
    command, "recommend" or "sensitivity", writes over its own plans only.
    """
    folder = Path(folder)
    if folder == Path() or not folder.absolute().name:
        raise InputError(
            f"--out must be a folder of its own, got {str(folder)!r}, where other things lie; "
            "give a new one, as in --out plan"
        )
    finish_move(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: must be a folder, but it is a file; give another --out")
    # The new files are built beside the folder, so that moving them in is one rename each.
    beside = folder.absolute().parent
    while not beside.exists():
        beside = beside.parent
    for needed in (beside, folder) if folder.exists() else (beside,):
        if not needed.is_dir() or not os.access(needed, os.W_OK | os.X_OK):
            raise InputError(
                f"{folder}: {needed} must be a folder that can be written to, but it cannot; "
                "give another --out"
            )
    names = (*NAMES, TABLES) if command == TABLES else NAMES
    strangers = [name for name in names if name not in SHARED and (folder / name).exists()]
    writer = _writer(folder / MARK)
    strange = folder / "posterior.nc"
    menu = folder / "menu"
    own = sorted(p.name for p in menu.iterdir() if p.name not in FILES) if menu.is_dir() else []
    foreign = f"menu/{own[0]}" if own else strange.name
    wanted = "holds a plan"
    if own or (strange.exists() and not is_posterior(strange)):
        fault = f"its {foreign} is not of evalfolio and would be lost; move it, or"
    elif strangers and writer is None:
        fault = f"it has a {strangers[0]} and no {MARK} of evalfolio;"
    elif writer not in (None, command):
        wanted = f"`evalfolio {command}` wrote"
        fault = f"the plan there is of `evalfolio {writer}`;"
    else:
        return folder
    raise InputError(
        f"{folder}: must be a new folder or one that {wanted}, but {fault} give another --out"
    )


def write_all(
    recommendation: Storable,
    folder: str | Path,
    tables: Callable[[Path], object] | None = None,
    scenarios: pd.DataFrame | None = None,
    programme: Callable[[Path], object] | None = None,
) -> Path:
    """Write every export of a recommendation into `folder`, whole or not at all; return it.

    All files are made in a temporary sibling first. If moving them in fails half-way, the earlier
    files are put back.

    Parameters
    ----------
    recommendation
        What `recommend` returns.
    folder
        A new folder, or one that holds a plan.
    tables
        Writes the tables of a sensitivity analysis into the folder it is given.
    scenarios
        Plans of scenarios, as `side_by_side` returns them; without, those of an earlier plan go.
    programme
        Writes the log of a programme and what it rests on into the folder it is given.

    Raises
    ------
    InputError
        As `check_folder`, or if the disk refuses.
    """
    folder = check_folder(folder, _command(recommendation.record.model_dump()))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(
            tempfile.mkdtemp(prefix=_beside(folder, os.getpid()), dir=folder.absolute().parent)
        )
    except OSError as error:
        raise _refusal(folder, error) from error
    try:
        made, new, old = work / "made", work / "new", work / "old"
        made.mkdir()
        old.mkdir()
        _write_files(recommendation, made)
        (made / "certificate.json").write_text(json.dumps(recommendation.proof) + "\n")
        for write, place in ((tables, made / TABLES), (programme, made)):
            if write is not None:
                write(place)
        if scenarios is not None:
            scenarios.to_csv(made / BESIDE)
        made.rename(new)  # from here on whoever comes next can finish what is begun
        _move_in(new, folder, old)
        if scenarios is None:
            (folder / BESIDE).unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(folder, error) from error
    except InputError as error:  # of one file, named where it was made
        if isinstance(error.__cause__, OSError):
            raise _refusal(folder, error.__cause__) from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _write_files(recommendation: Storable, folder: Path) -> None:
    record = recommendation.record
    record.write(folder / MARK)
    mix, tasks = mix_table(record), task_table(record, task_names(recommendation))
    menu = recommendation.menu.options.rename_axis("option").reset_index()
    for name, table in zip(SHEETS, (mix, tasks, menu, frontier_table(record)), strict=True):
        table.to_csv(folder / f"{name}.csv", **CSV)
    mix.to_parquet(folder / "mix.parquet", index=False)
    write_workbook(recommendation, folder / "plan.xlsx")
    write_report(recommendation, folder / "report.html")
    recommendation.posterior.save(folder / "posterior.nc")
    written = recommendation.catalogue.model_dump_json(indent=1)
    (folder / "catalogue.json").write_text(written + "\n", encoding="utf-8")
    recommendation.menu.save(folder / "menu")


def task_names(recommendation: Storable) -> dict[str, Sequence[str]]:
    """Return the names of all tasks by eval, where the catalogue or the runs name every one.

    Of evals that a programme has run already those that are left.
    """
    names: dict[str, Sequence[str]] = {}
    seen: dict[str, list[str]] = {}
    observed = recommendation.observations
    if observed is not None and {"eval", "task"} <= set(observed.runs.columns):
        for name, rows in observed.runs.groupby("eval"):
            seen[str(name)] = sorted({str(task) for task in rows["task"].dropna()})
    for spec in recommendation.catalogue.evals:
        if spec.task_names:
            names[spec.name] = tuple(spec.task_names)
        elif len(seen.get(spec.name, ())) == spec.tasks:
            names[spec.name] = seen[spec.name]
    if observed is not None and "tasks_done" in recommendation.menu.options:
        ai_model = recommendation.catalogue.portfolio.ai_model
        for name, rows in observed.runs[observed.runs["ai_model"] == ai_model].groupby("eval"):
            if name in names:
                done = set(rows["task"].astype(str))
                names[str(name)] = [task for task in names[str(name)] if task not in done]
    return names


def finish_move(folder: Path) -> None:
    """Finish what a run began that was killed while it moved a plan in, and clean up after it.

    Nothing else would tell that some files are of the new plan and some of the one before.
    """
    if not (home := folder.absolute().parent).is_dir():
        return
    for work in home.iterdir():
        run = re.fullmatch(re.escape(_beside(folder, 0)[:-2]) + r"(\d+)-.*", work.name)
        if run is None or not work.is_dir() or _alive(int(run[1])):
            continue
        if (work / "new").is_dir():
            _move_in(work / "new", folder, work / "old")
        shutil.rmtree(work, ignore_errors=True)


def _beside(folder: Path, process: int) -> str:
    """Return how the name of the place begins where a process makes the files of a folder."""
    return f".{folder.absolute().name}.evalfolio-{process}-"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def _move_in(new: Path, folder: Path, old: Path) -> None:
    """Move what `new` holds into `folder`; on any interruption put back what was there."""
    if not folder.exists():
        new.rename(folder)
        return
    moved: list[str] = []
    try:
        for name in (*NAMES, TABLES, BESIDE, *PROGRAMME):
            if not (new / name).exists():
                continue
            moved.append(name)
            if (folder / name).exists():
                (folder / name).rename(old / name)
            (new / name).rename(folder / name)
    except BaseException:  # also Ctrl-C: an earlier plan must not end up mixed with a new one
        for name in moved:
            if (old / name).exists() or not (new / name).exists():
                shutil.rmtree(folder / name, ignore_errors=True)  # where it is a folder
                if not (folder / name).is_dir():
                    (folder / name).unlink(missing_ok=True)
            if (old / name).exists():
                (old / name).rename(folder / name)
        raise


def _writer(path: Path) -> str | None:
    """Return the command that wrote a `plan.json`; None where it is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not {"format", "choices", "provenance"} <= set(record):
        return None
    return _command(record)


def _command(record: Mapping[str, Any]) -> str:
    """Return the command that makes such a plan."""
    if record.get("firmness"):
        return TABLES
    return "replan" if record.get("programme") else "recommend"


def _refusal(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"{folder}: must be a folder that can be written to, but {error.strerror or error}; "
        "nothing was written; give another --out"
    )
