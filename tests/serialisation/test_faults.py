"""Full disks and two writers: what was there stays, or the new is whole; nothing is left beside it.

`benchmarks/faults.py` puts the same and more under whole commands.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evalbayes import Menu, Posterior
from evalfolio.errors import InputError
from evalfolio.plans.plan import Plan


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let no file of this process grow above a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


WRITERS: dict[str, Callable[[Path], object]] = {
    "posterior.nc": lambda f: Posterior.load(f / "posterior.nc").save(f / "posterior.nc"),
    "menu": lambda f: Menu.load(f / "menu").save(f / "menu"),
    "report": lambda f: Plan.load(f).to_html(f / "report.html"),
    "workbook": lambda f: Plan.load(f).to_excel(f / "plan.xlsx"),
}


@pytest.mark.parametrize("size", [0, 1000])
@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk_is_told_in_one_sentence_and_takes_nothing(
    what: str, size: int, plan_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(plan_folder, tmp_path / "plan"))
    before = contents(tmp_path)
    with no_file_above(size), pytest.raises(InputError) as error:
        WRITERS[what](folder)
    assert "File too large" in str(error.value)
    assert "\n" not in str(error.value)
    assert contents(tmp_path) == before


WRITE = """
import sys
from pathlib import Path
from evalbayes import Menu, Posterior
folder = Path(sys.argv[1])
belief, menu = Posterior.load(folder / "posterior.nc"), Menu.load(folder / "menu")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(30):
    belief.save(folder / "posterior.nc")
    menu.save(folder / "menu")
"""


def test_two_writers_of_one_place_leave_one_whole(plan_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(plan_folder, tmp_path / "plan"))
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for each in pair:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    ends = []
    for each in pair:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    while any(each.poll() is None for each in pair):
        Posterior.load(folder / "posterior.nc")  # whole at every moment
    ends = [each.communicate()[1] for each in pair]
    assert [each.returncode for each in pair] == [0, 0], ends
    whole = Posterior.load(plan_folder / "posterior.nc")
    assert Posterior.load(folder / "posterior.nc").draws.keys() == whole.draws.keys()
    assert list(Menu.load(folder / "menu").options.index) == list(
        Menu.load(plan_folder / "menu").options.index
    )
    assert set(contents(tmp_path)) == set(
        map(str, (Path("plan") / name for name in contents(plan_folder)))
    )
