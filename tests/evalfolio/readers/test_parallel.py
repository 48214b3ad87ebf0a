"""Many logs: broken ones, workers, going on after an interruption."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from evalbayes.errors import InputError
from evalfolio.readers import parallel, read_inspect_logs
from evalfolio.readers.log_size import in_words

WriteLog = Callable[..., Path]
SAMPLE = {
    "scores": {"match": {"value": "C"}},
    "model_usage": {"m": {"input_tokens": 90, "output_tokens": 10, "total_tokens": 100}},
}


@pytest.fixture
def folder(write_log: WriteLog, tmp_path: Path) -> Path:
    """40 logs of three samples each."""
    one = write_log([SAMPLE] * 3, "one.eval")
    logs = tmp_path / "logs"
    logs.mkdir()
    for n in range(40):
        shutil.copy(one, logs / f"{n:02d}.eval")
    return logs


def break_some(folder: Path) -> set[str]:
    """Add logs broken in every way; return their names."""
    whole = (folder / "00.eval").read_bytes()
    with zipfile.ZipFile(folder / "00.eval") as archive:
        start = archive.getinfo("summaries.json").header_offset
    rotten = range(start + 60, start + 160)
    broken = {
        "truncated.eval": whole[: len(whole) // 2],
        "garbage.eval": b"\x00\xff" * 500,
        "empty.eval": b"",
        "truncated.json": b'{"version": 2, "status": "success", "eval": {"task"',
        "other.json": b'{"hello": [1, 2, 3]}',
        "list.json": b"[]",
        "flipped.eval": bytes(b ^ 0x55 if n in rotten else b for n, b in enumerate(whole)),
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / "other_zip.eval", "w") as archive:
        archive.writestr("hello.txt", "hello")
    return {*broken, "other_zip.eval"}


def test_a_broken_log_is_one_row_of_the_error_table(folder: Path) -> None:
    broken = break_some(folder)
    seen: list[tuple[int, int]] = []
    result = read_inspect_logs(
        folder, workers=1, duplicates="keep", progress=lambda *at: seen.append(at)
    )
    assert {Path(p).name for p in result.errors["log"]} == broken
    assert len(result.errors) == len(broken)
    assert result.errors["error"].str.len().gt(0).all()
    assert result.errors["message"].str.len().between(1, 300).all()
    assert len(result.runs) == 120
    assert len(result.counts) == 40
    assert seen == [(n, 48) for n in range(1, 49)]
    assert "8 errors" in str(result)


def test_a_broken_log_is_told_in_words(folder: Path) -> None:
    files = {
        "empty.eval": (b"", "it is empty; copy it again or remove it"),
        "empty.json": (b"", "it is empty"),
        "junk.eval": (b"junk", "it is no whole .eval archive: cut short, or no Inspect log; copy"),
        "list.json": (b"[]", "it is no Inspect log (Input should be"),
        "other.json": (b'{"a": 1}', "it is no Inspect log (eval: Field required); remove it"),
        "half.json": (b'{"version": 2, "eval": {', "its JSON is cut short ("),
    }
    paths = [folder / name for name in files]
    for path in paths:
        path.write_bytes(files[path.name][0])
    for error in read_inspect_logs(paths, workers=1).errors.itertuples():
        assert files[Path(str(error.log)).name][1] in str(error.message)
    assert len(read_inspect_logs(paths, workers=1).errors) == len(files)
    newer = in_words(ValueError("Unable to read version 99 of log format."), "new.json")
    assert newer.startswith("it was written by a newer Inspect (Unable to read version 99")


def test_strict_raises_and_names_the_log(folder: Path) -> None:
    (folder / "zz.eval").write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"zz\.eval cannot be read"):
        read_inspect_logs(folder, strict=True, workers=1)


def test_workers_change_nothing(folder: Path) -> None:
    break_some(folder)
    alone = read_inspect_logs(folder, workers=1)
    together = read_inspect_logs(folder, workers=2)
    pd.testing.assert_frame_equal(alone.runs, together.runs)
    pd.testing.assert_frame_equal(alone.counts, together.counts)
    pd.testing.assert_frame_equal(alone.errors, together.errors)
    assert alone.notes == together.notes


def test_a_log_above_the_size_limit_is_an_error_and_is_not_read(
    write_log: WriteLog, tmp_path: Path
) -> None:
    small = write_log([SAMPLE], "small.eval")
    long = {**SAMPLE, "metadata": {f"k{n}": "x" * 900 for n in range(300)}}
    logs = [small, write_log([long], "large.json"), write_log([long] * 3, "large.eval")]
    result = read_inspect_logs(logs, max_megabytes=0.2)
    assert result.errors["error"].tolist() == ["LogTooLargeError"] * 2
    assert result.errors["message"].str.contains("raise max_megabytes").all()
    assert len(result.counts) == 1
    assert read_inspect_logs(logs).errors.empty


def test_an_import_goes_on_where_it_was_interrupted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoint"

    def interrupt(done: int, total: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_inspect_logs(folder, workers=1, checkpoint=checkpoint, progress=interrupt)
    assert len(list(checkpoint.glob("*.arrow"))) == 10
    read: list[str] = []
    real = parallel.read_one

    def counted(log: str, target: str, max_bytes: int) -> dict[str, str]:
        read.append(log)
        return real(log, target, max_bytes)

    monkeypatch.setattr(parallel, "read_one", counted)
    result = read_inspect_logs(folder, workers=1, checkpoint=checkpoint)
    assert len(read) == 30
    os.utime(folder / "07.eval", (1, 1))
    again = read_inspect_logs(folder, workers=1, checkpoint=checkpoint)
    assert read[30:] == [str(folder / "07.eval")]
    pd.testing.assert_frame_equal(result.runs, again.runs)
    assert not [p for p in checkpoint.iterdir() if p.suffix != ".arrow"]


def test_an_interruption_ends_the_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    real = parallel._start

    def noted() -> subprocess.Popen[str]:
        started.append(real())
        return started[-1]

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "_start", noted)
    with pytest.raises(KeyboardInterrupt):
        read_inspect_logs(folder, workers=2, progress=interrupt)
    assert started
    assert all(process.poll() is not None for process in started)


def test_a_worker_that_dies_costs_one_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys\n"
        "for line in sys.stdin:\n"
        "    if '13.eval' in line: sys.exit(7)\n"
        "    print('{}', flush=True)\n"
    )

    def start() -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True)

    monkeypatch.setattr(parallel, "_start", start)
    logs = [tmp_path / f"{n:02d}.eval" for n in range(40)]
    for log in logs:
        log.touch()
    failures: dict[str, parallel.Failure | None] = {}
    parallel.read_logs(
        map(str, logs), tmp_path, workers=2, max_bytes=1, on_done=failures.__setitem__
    )
    assert len(failures) == 40
    assert {Path(log).name: f for log, f in failures.items() if f} == {
        "13.eval": {
            "error": "WorkerDied",
            "message": "The process reading this log ended with code 7.",
        }
    }


def test_all_logs_broken_gives_an_empty_table(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    (tmp_path / "a.eval").write_bytes(b"")
    result = read_inspect_logs(tmp_path)
    assert result.runs.empty
    assert len(result.errors) == 1


def test_a_bar_is_shown_on_demand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_inspect_logs(sorted(folder.iterdir())[:3], progress=True)
    assert "reading logs" in capsys.readouterr().err


def test_a_checkpoint_that_cannot_be_used_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="must be a folder that can be written to"):
        read_inspect_logs(folder, checkpoint=file)
    checkpoint = tmp_path / "checkpoint"
    read_inspect_logs(folder / "00.eval", checkpoint=checkpoint)
    (partial,) = checkpoint.iterdir()
    partial.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="is broken; delete it"):
        read_inspect_logs(folder / "00.eval", checkpoint=checkpoint)
