"""Files that are no log or run file: what they are, and what to do with them."""

from __future__ import annotations

import zipfile
from pathlib import Path

_START = 512
_LOG_ENDINGS = (".eval", ".json", ".jsonl")
_INSPECT_PARTS = ("header.json", "_journal/start.json")
_BEGINNINGS = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer, no data; fetch the file by git lfs pull",
    ),
    (b"\x1f\x8b", "gzipped; unpack it by gunzip"),
    (b"<!doctype html", "a web page, perhaps saved in place of the file; download it again"),
    (b"<html", "a web page, perhaps saved in place of the file; download it again"),
    (b"par1", "a Parquet table; read it by evalfolio import table"),
    (b"%pdf", "a PDF; give the file itself"),
)


def what_it_is(file: Path) -> str | None:
    """Return what a file is that cannot be read as a log, and what to do; None: nothing known.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "log.eval"
    >>> _ = file.write_text("version https://git-lfs.github.com/spec/v1")
    >>> what_it_is(file)
    'a Git LFS pointer, no data; fetch the file by git lfs pull'
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(_START).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        for beginning, what in _BEGINNINGS:
            if start.startswith(beginning):
                return what
        return _archive(file) if start.startswith(b"pk\x03\x04") else None
    except (OSError, zipfile.BadZipFile):
        return None


def _archive(file: Path) -> str | None:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    if any(part in names for part in _INSPECT_PARTS):
        return None  # a log, whatever else is wrong with it
    logs = [name for name in names if name.lower().endswith(_LOG_ENDINGS)]
    if not logs:
        return "an archive without a log in it; remove it"
    bundle = any(name.rsplit("/", 1)[-1] == "index.html" for name in names)
    what = "a bundle made for viewing, of" if bundle else "an archive of"
    return f"{what} {len(logs):,} logs (first: {logs[0]}); unpack it and give the folder"
