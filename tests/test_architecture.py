"""The layering: statistics never know the optimiser, and importing loads no sampler."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BAYES = sorted((ROOT / "models" / "evalbayes").rglob("*.py"))
FOLIO = sorted((ROOT / "portfolio" / "evalfolio").rglob("*.py"))


def imported_modules(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", BAYES, ids=lambda p: str(p.relative_to(ROOT)))
def test_statistics_never_import_the_optimiser(path: Path) -> None:
    assert not {name for name in imported_modules(path) if name.split(".")[0] == "evalfolio"}


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("source", ["models", "portfolio"])
def test_imports_at_module_level_make_no_cycle(source: str) -> None:
    root = ROOT / source
    paths = {_module(p, root): p for p in root.rglob("*.py")}
    # A package's __init__ gathers its own modules; the cycle that matters is among the others.
    graph = {
        name: {m for m in imported_modules(path, top_level_only=True) if m in paths} - {name}
        for name, path in paths.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in graph.get(name, ()):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


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
        "assert not {'numpy', 'pandas', 'scipy'} & set(sys.modules)"
    )
    result = run_python(code, tmp_path)
    assert result.returncode == 0, result.stderr


def test_import_works_beside_somebody_elses_modules(tmp_path: Path) -> None:
    for name in ("models", "portfolio"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('shadowed')\n")
    result = run_python("import evalfolio; print(evalfolio.Menu.__name__)", tmp_path)
    assert result.stdout.strip() == "Menu", result.stderr


@pytest.mark.parametrize("path", [*BAYES, *FOLIO], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_stays_one_idea_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
