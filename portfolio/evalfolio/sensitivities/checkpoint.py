"""Checkpoint files: finished points of a sweep, one JSON line each, safe against a kill."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from evalfolio.errors import InputError

FORMAT = 1


class Checkpoint:
    """Results of a sweep as they come in, kept on disk and read back by a later run.

    The first line names the sweep, every further line is one finished point. A line is on the disk
    before the next point is taken up; a last line cut short by a kill is dropped, so a point is
    either whole in the file or done again. InputError if the file belongs to another sweep or is no
    checkpoint.

    Parameters
    ----------
    path
        The file; made where it is missing.
    sweep
        What the sweep is of, e.g. a hash of its inputs: results of other inputs are not reused.
    """

    def __init__(self, path: str | Path, sweep: str) -> None:
        self.path = Path(path)
        self.results: dict[str, Any] = {}
        whole = self._read(sweep)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            os.truncate(self.path, whole)
        # Appending: a second run with the same file may do points twice, but spoils no line.
        self._file = self.path.open("a", encoding="utf-8")
        if whole == 0:
            self._write({"format": FORMAT, "sweep": sweep})

    def _read(self, sweep: str) -> int:
        """Take in the finished points; return how many bytes of the file are whole lines."""
        if not self.path.exists():
            return 0
        raw = self.path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        try:
            lines = [json.loads(line) for line in raw[:whole].splitlines()]
            head = lines[0] if lines else {}
            points = {line["key"]: line["result"] for line in lines[1:]}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.path}: must be a checkpoint of a sweep, but it cannot be read ({error}); "
                "give another path"
            ) from error
        if lines and (head.get("format") != FORMAT or head.get("sweep") != sweep):
            raise InputError(
                f"{self.path}: must be a checkpoint of this very sweep, but its inputs were "
                "others; delete it or give another path"
            )
        self.results = points
        return whole

    def add(self, key: str, result: Any) -> None:
        """Write one finished point through to the disk."""
        self.results[key] = result
        self._write({"key": key, "result": result})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
