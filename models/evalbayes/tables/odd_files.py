"""Files that are no log, run file or table: what they are, and what to do with them."""

import zipfile
from pathlib import Path

BEGINNING = 512  # bytes that tell
_LOG_ENDINGS = (".eval", ".json", ".jsonl")
_INSPECT_PARTS = ("header.json", "_journal/start.json")
_BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer, no data; fetch the file by git lfs pull"),
    (b"\x1f\x8b", "gzipped; unpack it by gunzip"),
    (b"<!doctype html", "a web page, perhaps saved in place of the file; download it again"),
    (b"<html", "a web page, perhaps saved in place of the file; download it again"),
    (
        b"par1",
        "a Parquet table; let its name end in .parquet and read it by evalfolio import table",
    ),
    (b"%pdf", "a PDF; give the file itself"),
    (b"\xff\xfe", "text in UTF-16; save it in UTF-8"),
    (b"\xfe\xff", "text in UTF-16; save it in UTF-8"),
)


def told_by_beginning(content: bytes) -> str | None:
    """Return what begins like this and is neither text nor a workbook; None: nothing known.

    >>> told_by_beginning(b"%PDF-1.7 ...")
    'a PDF; give the file itself'
    """
    start = content[:BEGINNING].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start[1::2].count(0) > len(start) // 4 or start[::2].count(0) > len(start) // 4:
        start = b"\xff\xfe"  # every other byte of text in UTF-16 is 0
    return next((what for beginning, what in _BEGINNINGS if start.startswith(beginning)), None)


def what_it_is(file: Path) -> str | None:
    """Return what a file is that cannot be read as a log, and what to do; None: nothing known."""
    try:
        with file.open("rb") as stream:
            start = stream.read(BEGINNING)
        zipped = start.startswith(b"PK\x03\x04")
        return _archive(file) if zipped else told_by_beginning(start)
    except (OSError, zipfile.BadZipFile):
        return None


def _archive(file: Path) -> str | None:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    if any(part in names for part in _INSPECT_PARTS):
        return None  # a log, whatever else is wrong with it
    if "xl/workbook.xml" in names:
        return "a workbook; let its name end in .xlsx and read it by evalfolio import table"
    if "content.xml" in names:
        return "an OpenDocument file; save it as .xlsx and read it by evalfolio import table"
    logs = [name for name in names if name.lower().endswith(_LOG_ENDINGS)]
    if not logs:
        return "an archive without a log in it; remove it"
    bundle = any(name.rsplit("/", 1)[-1] == "index.html" for name in names)
    what = "a bundle made for viewing, of" if bundle else "an archive of"
    return f"{what} {len(logs):,} logs (first: {logs[0]}); unpack it and give the folder"
