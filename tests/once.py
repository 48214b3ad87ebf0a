"""What takes long to make and several test files read: made once for all workers of a session."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of this name, filled by `make` for whoever asks first.

    Parameters
    ----------
    factory
        pytest's; under xdist the folder lies beside those of the workers.
    name
        Of the folder; one name, one content.
    make
        Fills an empty folder. If it fails, nothing is kept and the next to ask tries again.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not folder.exists():
            partial = factory.mktemp(f"{name}-partial")
            make(partial)
            partial.rename(folder)
    return folder
