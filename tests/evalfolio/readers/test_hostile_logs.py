"""Logs that are huge, damaged or something else: one row of the error table each, in words."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalfolio.readers import read_inspect_logs

WriteLog = Callable[..., Path]
MODEL = "openai/gpt-4o-mini"
MEGABYTE = 1_000_000


def sample(value: object = "C", **more: Any) -> dict[str, Any]:
    kinds = {"input_tokens": 90, "output_tokens": 10, "total_tokens": 100}
    return {"scores": {"match": {"value": value}}, "model_usage": {MODEL: kinds}, **more}


def fault(log: Path, **asked: Any) -> str:
    result = read_inspect_logs(log, **asked)
    assert len(result.runs) == 0
    assert result.errors["log"].tolist() == [str(log)]
    told: str = result.errors["message"].iloc[0]
    return told


def again(log: Path, members: dict[str, bytes], *, without: tuple[str, ...] = ()) -> Path:
    """Write an archive again with other members, deflated."""
    target = log.with_name(f"again-{log.name}")
    with zipfile.ZipFile(log) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in source.namelist():
            if entry not in without and entry not in members:
                out.writestr(entry, source.read(entry))
        for name, content in members.items():
            out.writestr(name, content)
    return target


def test_a_huge_journal_is_refused_before_it_is_read(write_log: WriteLog) -> None:
    log = write_log([sample()])
    bomb = b'{"version": 2, "x": "' + b"a" * 5 * MEGABYTE + b'"}'
    cut = again(log, {"_journal/start.json": bomb}, without=("header.json", "summaries.json"))
    assert "its header, journal and sample summaries must be at most 2 MB" in fault(
        cut, max_megabytes=2
    )


def understated(log: Path) -> Path:
    """Say of members larger than a megabyte that they have a thousand bytes."""
    content = bytearray(log.read_bytes())
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = 0
        while (start := content.find(signature, start)) >= 0:
            (size,) = struct.unpack_from("<I", content, start + at)
            if size > MEGABYTE:
                struct.pack_into("<I", content, start + at, 1000)
            start += 4
    log.write_bytes(content)
    return log


def test_an_archive_that_understates_a_member_is_found_out(write_log: WriteLog) -> None:
    large = b'{"x": "' + b"a" * 5 * MEGABYTE + b'"}'
    log = understated(again(write_log([sample()]), {"header.json": large}))
    with zipfile.ZipFile(log) as archive:
        assert archive.getinfo("header.json").file_size == 1000
    assert "must be at most 2 MB unpacked" in fault(log, max_megabytes=2)


def test_a_sample_that_understates_its_size_is_not_read(write_log: WriteLog) -> None:
    bare = sample("I", store={"x": "a" * 5 * MEGABYTE}, model_usage={})
    log = write_log([bare, sample()], "bare.eval", usage=sample()["model_usage"])
    with zipfile.ZipFile(log) as archive:
        content = archive.read("samples/1_epoch_1.json")
    lying = understated(again(log, {"samples/1_epoch_1.json": content}))
    assert "sample 1 must be at most 2 MB unpacked" in fault(lying, max_megabytes=2)


def test_a_huge_sample_is_read_only_where_it_must_be(write_log: WriteLog) -> None:
    told = sample("I", store={"x": "a" * 5 * MEGABYTE})
    assert read_inspect_logs(write_log([told]), max_megabytes=2).runs["spend"].tolist() == [100]
    bare = {**told, "model_usage": {}}
    log = write_log([bare, sample()], "bare.eval", usage=sample()["model_usage"])
    assert "sample 1 must be at most 2 MB unpacked" in fault(log, max_megabytes=2)


@pytest.mark.parametrize("ending", ["json", "eval"])
def test_deep_nesting_is_told(write_log: WriteLog, ending: str) -> None:
    deep = '{"a": ' + "[" * 50_000 + "]" * 50_000 + "}"
    log = write_log([sample()], f"log.{ending}")
    if ending == "json":
        log.write_text(deep)
    else:
        log = again(log, {"header.json": deep.encode()})
    assert "nested too deep" in fault(log)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a\x00b", "every AI model must be text without control characters, got '\\x00'"),
        ("a\x1b[31m", "every AI model must be text without control characters, got '\\x1b'"),
    ],
)
def test_control_characters_in_names_are_refused(write_log: WriteLog, name: str, says: str) -> None:
    assert says in fault(write_log([sample()], model=name))
    assert "every sample id must be text" in fault(write_log([sample(id="t\x07")], "id.json"))


def test_half_a_character_in_a_log_is_told(write_log: WriteLog) -> None:
    log = write_log([sample()], "log.json")
    log.write_text(log.read_text().replace(f'"model": "{MODEL}"', '"model": "a\\ud800"'))
    assert fault(log)


def test_control_characters_of_an_error_do_not_reach_the_observations(
    write_log: WriteLog, tmp_path: Path
) -> None:
    from evalbayes.tables.delimited import read_delimited

    error = {"message": "\x1b[31mgone\x1b[0m\x00", "traceback": "", "traceback_ansi": ""}
    result = read_inspect_logs(write_log([sample(), {"error": error}, sample("\x1b")]))
    assert result.runs["error"].iloc[1] == "[31mgone[0m"
    assert len(read_delimited(result.write(tmp_path / "runs.csv"))) == 3


def test_names_with_odd_spaces_are_one_and_said(write_log: WriteLog) -> None:
    logs = [
        write_log([sample()], f"{n}.eval", model=m) for n, m in enumerate(("Opus 4", "Opus\xa04"))
    ]
    result = read_inspect_logs(logs)
    assert set(result.runs["ai_model"]) == {"Opus 4"}
    (note,) = [note for note in result.notes if "odd or invisible spaces" in note]
    assert "'Opus\\xa04' in 1.eval" in note


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("logs.zip", "an archive of 1 logs (first: a/log.eval); unpack it and give the folder"),
        ("bundle.eval", "a bundle made for viewing, of 1 logs (first: logs/log.eval); unpack it"),
        ("empty.eval", "an archive without a log in it"),
        ("lfs.eval", "a Git LFS pointer, no data; fetch the file by git lfs pull"),
        ("lfs.json", "a Git LFS pointer"),
        ("page.json", "a web page"),
        ("log.eval.gz", "gzipped; unpack it by gunzip"),
        ("notes.txt", "no Inspect log, whose names end in .eval or .json"),
    ],
)
def test_what_is_no_log_is_told_what_it_is(
    write_log: WriteLog, tmp_path: Path, name: str, says: str
) -> None:
    file = tmp_path / "odd" / name
    file.parent.mkdir()
    inside = {"logs.zip": ["a/log.eval"], "bundle.eval": ["index.html", "logs/log.eval"]}
    if name in (*inside, "empty.eval"):
        with zipfile.ZipFile(file, "w") as archive:
            for member in inside.get(name, ["hello.txt"]):
                archive.writestr(member, write_log([sample()]).read_bytes())
    elif name.startswith("lfs"):
        file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:b\nsize 5\n")
    elif name.startswith("page"):
        file.write_text("<!DOCTYPE html>\n<html></html>")
    else:
        file.write_bytes(b"\x1f\x8b\x08\x00" if name.endswith("gz") else b"hello")
    assert says in fault(file)


def test_nothing_of_a_hostile_log_leaves_a_traceback_in_the_facts(write_log: WriteLog) -> None:
    log = write_log([sample()], "log.json")
    read = json.loads(log.read_text())
    odds: list[Any] = [None, [], {}, "x", 1e30]
    for key in ("eval", "plan", "stats", "samples"):
        for odd in odds:
            log.write_text(json.dumps({**read, key: odd}))
            result = read_inspect_logs(log)
            assert len(result.errors) + len(result.counts) == 1
