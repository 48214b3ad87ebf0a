"""Files that are no table at all, whatever their name: told what they are, and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from evalbayes.catalogue import read_catalogue
from evalbayes.errors import InputError
from evalbayes.observations.files import read_rows

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_git_lfs_pointer_is_no_table(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"results.{ending}"
    path.write_bytes(POINTER)
    with pytest.raises(InputError, match=r"results.*must be a .*; it is a Git LFS pointer.*pull"):
        read_rows(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"\xef\xbb\xbf<!DOCTYPE html>\n<html>", "it is a web page"),
        ("a.csv", b"PAR1\x15\x04", r"it is a Parquet table; let its name end in \.parquet"),
        ("a.csv", gzip.compress(b"eval,task\n", mtime=0), "it is gzipped; unpack it by gunzip"),
        ("a.xlsx", b"%PDF-1.7\n", "must be a workbook; it is a PDF"),
        ("a.parquet", b"<html>", "must be a Parquet table; it is a web page"),
    ],
)
def test_other_things_under_the_name_of_a_table(
    name: str, content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_rows(tmp_path / name)


@pytest.mark.parametrize("ending", ["toml", "xlsx"])
def test_a_catalogue_is_held_to_it_too(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"c.{ending}").write_bytes(POINTER)
    with pytest.raises(InputError, match=r"c\..*: must be .*; it is a Git LFS pointer.*pull$"):
        read_catalogue(tmp_path / f"c.{ending}")
