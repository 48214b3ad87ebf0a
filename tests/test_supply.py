"""What strangers install: the wheel and the sdist are built, unpacked and used from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path, python_path: Path | None = None) -> str:
    path = {} if python_path is None else {"PYTHONPATH": str(python_path)}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both with the backend itself; skipped where it cannot be fetched."""
    tools, out = tmp_path_factory.mktemp("tools"), tmp_path_factory.mktemp("built")
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--target", str(tools), "hatchling"],
        capture_output=True,
        check=False,
    )
    if fetched.returncode:
        pytest.skip("hatchling could not be fetched from the registry")
    run("-m", "hatchling", "build", "-d", out, cwd=ROOT, python_path=tools)
    return out


def used(archive: Path, folder: Path) -> None:
    """Install an archive without its requirements, and use it from an empty place."""
    place, empty = folder / "site", folder / "empty"
    empty.mkdir()
    run(
        "-m", "pip", "install", "-q", "--no-deps", "--target", place, archive, cwd=empty
    )  # fmt: skip
    where = run("-c", "import evalfolio; print(evalfolio.__file__)", cwd=empty, python_path=place)
    assert Path(where.strip()).is_relative_to(place)
    run("-m", "evalfolio", "doctor", cwd=empty, python_path=place)
    run(
        "-m",
        "evalfolio",
        "init",
        "own.toml",
        "--example",
        "portfolio",
        cwd=empty,
        python_path=place,
    )
    results = sorted(empty.rglob("*.csv"))
    said = run("-m", "evalfolio", "check", "own.toml", *results, cwd=empty, python_path=place)
    assert "evals" in said


def test_the_wheel_works_from_an_empty_place(built: Path, tmp_path: Path) -> None:
    used(next(built.glob("*.whl")), tmp_path)


def test_the_sdist_works_and_holds_the_tests(built: Path, tmp_path: Path) -> None:
    archive = next(built.glob("*.tar.gz"))
    with tarfile.open(archive) as opened:
        names = [name.partition("/")[2] for name in opened.getnames()]
    for needed in ("README.md", "LICENSE", "pyproject.toml", "tests/once.py", "examples/cyber"):
        assert any(name.startswith(needed) for name in names), needed
    strays = [name for name in names if name.startswith((".venv", "out/", ".hypothesis"))]
    assert not strays
    used(archive, tmp_path)
