"""Files written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evalbayes.errors import InputError


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary sibling of `path` to write to, and move it there when all went well.

    Whatever interrupts the writing, `path` holds either what it held before or the new file.
    InputError if the place cannot be written to.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}: must be a file that can be written, got {error.strerror or error}; "
            "give a file in a folder that can be written"
        ) from error
    finally:  # also after Ctrl-C; when all went well it is gone already
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file beside its place first, then move it there; return its path.

    InputError if it cannot be written; what was there before is left as it was.
    """
    with whole_file(path) as partial:
        partial.write_bytes(content)
    return path
