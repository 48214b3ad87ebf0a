"""How much a log holds once unpacked, told before it is read, and why one could not be read."""

import datetime
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from evalbayes.errors import InputError
from evalbayes.tables.odd_files import what_it_is

LONGEST = 300


def in_words(error: BaseException, log: str) -> str:
    """Return why a log could not be read, on one line, and what to do.

    >>> in_words(zipfile.BadZipFile("File is not a zip file"), "a.eval")
    'it is no whole .eval archive: cut short, or no Inspect log; copy it again or remove it'
    """
    text = one_line(error)
    if "://" not in log and Path(log).is_file() and not Path(log).stat().st_size:
        return "it is empty; copy it again or remove it"
    odd = what_it_is(Path(log)) if "://" not in log else None
    if odd is not None:
        return f"it is no log but {odd}"
    if not log.lower().endswith((".eval", ".json")):
        return "it is no Inspect log, whose names end in .eval or .json; remove it"
    if isinstance(error, RecursionError) or "recursion limit" in text:
        return "its JSON is nested too deep, as no log of Inspect is; remove it"
    if "surrogate" in text:
        return f"its text holds half a character ({text}); write it again"
    if isinstance(error, zipfile.BadZipFile):
        return (
            "it is no whole .eval archive: cut short, or no Inspect log; copy it again or remove it"
        )
    if type(error).__name__ == "ValidationError" and hasattr(error, "errors"):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"it is no Inspect log ({place + ': ' if place else ''}{first['msg']}); remove it"
    if "EOF while parsing" in text:
        return f"its JSON is cut short ({text}); copy it again or remove it"
    if "version" in text and "log format" in text:
        return f"it was written by a newer Inspect ({text}); pip install --upgrade inspect_ai"
    return text


def one_line(error: BaseException, longest: int = LONGEST) -> str:
    """Return the error's text on one line, cut to a length that fits a table."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= longest else text[: longest - 1] + "…"


_DEFLATE_AT_MOST = 1032  # no deflated byte stands for more
_ZSTANDARD = 93
_PIECE = 1 << 16


class LogTooLargeError(InputError):
    """A log, or the part of it that must be held in memory, is above the size limit."""


@dataclass(frozen=True)
class LogSize:
    """What may be held of a log: `samples` has the member of every sample in the file at `path`.

    `superseded` are members that a later one of the same name hides from Inspect.
    """

    max_bytes: int
    written: str = ""
    samples: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    superseded: tuple[zipfile.ZipInfo, ...] = ()
    path: Path = Path()

    def fits(self, sample: object, epoch: int) -> bool:
        """Whether one whole sample may be held in memory."""
        entry = self.samples.get(f"samples/{sample}_epoch_{epoch}.json")
        if entry is None or entry.file_size > self.max_bytes:
            return entry is None
        with self.path.open("rb") as stream:  # what an archive says of a size need not be true
            return _unpacked(stream, entry, self.max_bytes) <= self.max_bytes


def log_size(path: str, max_bytes: int) -> LogSize:
    """Return what a log holds, and when it was written as far as the file tells.

    LogTooLargeError if reading the log would hold more than `max_bytes` at once.
    """
    file = Path(path)
    if "://" in path or not file.exists():
        return LogSize(max_bytes)  # an address: inspect_ai says what is wrong with it
    if file.suffix.lower() == ".json":
        state = file.stat()
        _refuse(file, "a JSON log, which is held in memory whole,", state.st_size, max_bytes)
        written = datetime.datetime.fromtimestamp(state.st_mtime)
        return LogSize(max_bytes, written.isoformat())
    with zipfile.ZipFile(file) as archive, file.open("rb") as stream:
        entries = archive.infolist()
        held = [
            entry
            for entry in entries
            if entry.filename in ("header.json", "summaries.json")
            or entry.filename.startswith("_journal/")
        ]
        part = "its header, journal and sample summaries"
        _refuse(file, part, sum(entry.file_size for entry in held), max_bytes)
        # What an archive says of a member's size need not be true of it.
        _refuse(file, part, sum(_unpacked(stream, entry, max_bytes) for entry in held), max_bytes)
        latest = max((entry.date_time for entry in entries), default=(1980, 1, 1, 0, 0, 0))
        samples = [e for e in entries if e.filename.startswith("samples/")]
        last = {e.filename: e for e in samples}
        hidden = tuple(e for e in samples if last[e.filename] is not e)
    at = "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*latest)
    return LogSize(max_bytes, at, last, hidden, file)


def _refuse(file: Path, part: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise LogTooLargeError(
            f"{file.name}: {part} must be at most {max_bytes / 1e6:,.0f} MB unpacked, got "
            f"{size / 1e6:,.0f} MB or more; raise max_megabytes, or convert a JSON log with "
            "`inspect log convert --to eval`."
        )


def _unpacked(stream: BinaryIO, entry: zipfile.ZipInfo, limit: int) -> int:
    """Return how many bytes a member gives, counted where it could be more than `limit`."""
    packed = entry.compress_size
    if packed > limit:
        return packed
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        if packed * _DEFLATE_AT_MOST <= limit:
            return entry.file_size
    elif entry.compress_type == _ZSTANDARD:
        return _unpacked_zstandard(_member(stream, entry), packed, limit)
    else:
        return packed
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    source, total = _member(stream, entry), 0
    while packed > 0 and total <= limit and not unpack.eof:
        piece = source.read(min(_PIECE, packed))
        if not piece:
            break
        packed -= len(piece)
        while piece and total <= limit:
            total += len(unpack.decompress(piece, _PIECE * 16))
            piece = unpack.unconsumed_tail
    return total


def _unpacked_zstandard(source: BinaryIO, packed: int, limit: int) -> int:
    import zstandard  # inspect_ai brings it

    total, whole = 0, BytesIO(source.read(packed))
    with zstandard.ZstdDecompressor().stream_reader(whole, read_across_frames=True) as read:
        while total <= limit and (piece := read.read(_PIECE * 16)):
            total += len(piece)
    return total


def _member(stream: BinaryIO, entry: zipfile.ZipInfo) -> BinaryIO:
    """Return the file at the first byte of a member: past its local header, name and extra."""
    stream.seek(entry.header_offset)
    header = stream.read(30)
    stream.seek(
        int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1
    )
    return stream
