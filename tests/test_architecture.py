"""The house: rooms without circles, statistics that never know the optimiser, light imports."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    "evalfolio": ROOT / "portfolio" / "evalfolio",
    "evalbayes": ROOT / "models" / "evalbayes",
}
DOORS = {"evalfolio": 24, "evalbayes": 22}  # files and folders at the top: a list one reads at once


def imports(path: Path, package: tuple[str, ...]) -> Iterator[str]:
    """Every module or name that a file imports, written out.

    Imports inside functions and under TYPE_CHECKING count: they tie rooms just as much.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*stem, *([node.module] if node.module else [])))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms(name: str) -> dict[str, set[str]]:
    """Return, for every room of a package, the rooms it imports from.

    A room is a folder or a file at the top. The front door (`__init__`) gathers names of all rooms
    and is imported by none of them.
    """
    top = SOURCES[name]
    arrows: dict[str, set[str]] = {}
    for path in top.rglob("*.py"):
        where = path.relative_to(top).with_suffix("").parts
        if where[0] in ("__init__", "__main__"):
            continue
        targets = (found.split(".") for found in imports(path, (name, *where[:-1])))
        reached = {parts[1] for parts in targets if parts[0] == name and len(parts) > 1}
        arrows.setdefault(where[0], set()).update(reached - {where[0]})
    return arrows


@pytest.mark.parametrize("name", SOURCES)
def test_no_circle_of_rooms_however_long(name: str) -> None:
    arrows = rooms(name)

    def visit(room: str, trail: tuple[str, ...]) -> None:
        assert room not in trail, " -> ".join((*trail[trail.index(room) :], room))
        for target in sorted(arrows.get(room, ())):
            visit(target, (*trail, room))

    for room in sorted(arrows):
        visit(room, ())


@pytest.mark.parametrize("name", SOURCES)
def test_rooms_import_from_rooms_and_not_from_the_front_door(name: str) -> None:
    arrows = rooms(name)
    for room, targets in arrows.items():
        assert targets <= set(arrows), f"{room} imports {targets - set(arrows)} from the front door"


@pytest.mark.parametrize("name", SOURCES)
def test_the_list_of_rooms_is_read_at_once(name: str) -> None:
    doors = [
        entry.name
        for entry in SOURCES[name].iterdir()
        if entry.suffix == ".py" or (entry.is_dir() and any(entry.rglob("*.py")))
    ]
    assert len(doors) <= DOORS[name], sorted(doors)


def test_statistics_never_import_the_optimiser() -> None:
    top = SOURCES["evalbayes"]
    for path in top.rglob("*.py"):
        package = ("evalbayes", *path.relative_to(top).parts[:-1])
        found = [name for name in imports(path, package) if name.split(".")[0] == "evalfolio"]
        assert not found, f"{path.relative_to(ROOT)} imports {found[0]}"


def test_a_circle_is_seen_wherever_its_imports_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room, text in {
        "a/__init__.py": "from made.b import thing\n",
        "b/thing.py": "def late():\n    from made import c\n",
        "c/thing.py": "if TYPE_CHECKING:\n    from ..a import x\n",
    }.items():
        (tmp_path / room).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / room).write_text(text)
    monkeypatch.setitem(SOURCES, "made", tmp_path)
    with pytest.raises(AssertionError, match="a -> b -> c -> a"):
        test_no_circle_of_rooms_however_long("made")


def run_python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "portfolio", ROOT / "models"))),
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_import_loads_no_pymc(tmp_path: Path) -> None:
    code = (
        "import evalfolio, evalbayes, sys; "
        "loaded = [m for m in ('pymc', 'arviz', 'pytensor', 'matplotlib', 'jinja2', 'xlsxwriter', "
        "'inspect_ai') if m in sys.modules]; assert not loaded, loaded"
    )
    result = run_python(code, tmp_path)
    assert result.returncode == 0, result.stderr


def test_help_loads_neither_numpy_nor_pandas(tmp_path: Path) -> None:
    """Nobody waits for arrays to read which options there are."""
    code = (
        "import sys; sys.argv = ['evalfolio', 'recommend', '--help']; "
        "from evalfolio.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'pandas', 'scipy'} & set(sys.modules)\n"
        "import os; assert os.environ['OMP_NUM_THREADS']"  # it counts where NumPy is loaded later
    )
    result = run_python(code, tmp_path)
    assert result.returncode == 0, result.stderr


def test_import_works_beside_somebody_elses_modules(tmp_path: Path) -> None:
    for name in ("models", "portfolio"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('shadowed')\n")
    result = run_python("import evalfolio; print(evalfolio.Menu.__name__)", tmp_path)
    assert result.stdout.strip() == "Menu", result.stderr
