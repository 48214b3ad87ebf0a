"""The notebooks run from a clean place, warn of nothing, and were kept with their outputs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
NEEDS = {"02_from_logs_to_a_plan.ipynb": "inspect_ai"}


def read(path: Path) -> Any:
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `test`")
    return nbformat.read(path, as_version=4)


def outputs(book: Any) -> list[Any]:
    return [output for cell in book.cells for output in cell.get("outputs", ())]


def test_there_are_notebooks() -> None:
    assert {"02_from_logs_to_a_plan.ipynb", "03_planning_in_a_spreadsheet.ipynb"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_was_kept_as_it_ran(name: str) -> None:
    book = read(FOLDER / name)
    code = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kept = outputs(book)
    assert {output.output_type for output in kept} <= {"stream", "display_data", "execute_result"}
    assert [output.text for output in kept if output.get("name") == "stderr"] == []
    assert any("image/png" in output.get("data", {}) for output in kept)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_imports_public_names_only(name: str) -> None:
    code = "\n".join(c.source for c in read(FOLDER / name).cells if c.cell_type == "code")
    for line in re.findall(r"^(?:from|import) (?:evalfolio|evalbayes).*", code, re.M):
        assert re.match(r"import \w+|from (evalfolio|evalbayes) import ", line), line


@pytest.mark.slow  # samples, and starts Inspect and LibreOffice
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client|zmq|tornado")  # not ours
def test_a_notebook_runs_and_warns_of_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="this notebook needs the extra `inspect`")
    client = pytest.importorskip("nbclient", reason="needs the extra `test`")
    pytest.importorskip("ipykernel", reason="needs the extra `test`")
    # A kernel of this interpreter, whatever kernels else are known on the machine.
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (spec / "kernel.json").write_text(
        f'{{"argv": {command}, "display_name": "Python 3", "language": "python"}}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(FOLDER / name, folder / name)
    if name in NEEDS:  # it runs an example of the repository
        shutil.copytree(FOLDER.parent / "examples" / "running", tmp_path / "examples" / "running")
    book = read(folder / name)
    resources = {"metadata": {"path": str(folder)}}
    client.NotebookClient(book, timeout=500, kernel_name="python3", resources=resources).execute()
    said = [output.text for output in outputs(book) if output.get("name") == "stderr"]
    assert said == []
