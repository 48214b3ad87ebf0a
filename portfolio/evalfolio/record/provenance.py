"""Provenance: which files and which versions a result was made from."""

import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("evalfolio", "numpy", "scipy", "pandas", "cvxpy", "highspy", "pymc", "arviz", "nutpie")


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a result."""
    return {"python": platform.python_version(), **installed(PACKAGES)}


def installed(packages: Iterable[str], missing: str = "not installed") -> dict[str, str]:
    """Return the versions of packages, and of those that are not here that they are missing."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = missing
    return found
