"""Ctrl-C, sent as a real signal at the worst moment, ends with 130 and leaves nothing half done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")

START = """
import os, signal, sys, threading
from pathlib import Path

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

def hit_while_writing():
    whole = Path.write_bytes
    def half(self, content):
        whole(self, content[: len(content) // 2])
        interrupt()
    Path.write_bytes = half

def hit_while_sampling():
    import evalbayes.model.sampling as sampling
    make = sampling.nutpie.sample
    def late(*args, **kwargs):
        threading.Timer(0.1, interrupt).start()
        return make(*args, **{**kwargs, "draws": 1_000_000})
    sampling.nutpie.sample = late

def hit_before_the_report():
    import evalfolio.export.folder as folder
    folder.write_report = lambda *args: interrupt()

def hit_while_moving_in():
    import evalfolio.export.folder as folder
    make = folder._move_in
    def moved(new, into, old):
        rename = Path.rename
        def counted(self, target):
            answer = rename(self, target)
            if self.name == "plan.xlsx" and "new" in self.parts:
                Path.rename = rename
                interrupt()
            return answer
        Path.rename = counted
        make(new, into, old)
    folder._move_in = moved

# A shell that runs the tests in the background has its children ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
globals()[sys.argv.pop(1)]()
from evalfolio.cli import main
main()
"""


def interrupted(when: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own that is hit by SIGINT at the given moment."""
    return subprocess.run(
        [sys.executable, "-c", START, when, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_half_written_file_is_taken_away(run: Run, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("eval,task,ai_model,outcome,spend,cap\nctf,t,D,success,4,9\n")
    for words in (("init", "c.toml"), ("import", "table", "raw.csv", "--out", "runs.csv")):
        done = interrupted("hit_while_writing", *words)
        assert done.returncode == 130, done.stderr
        assert done.stderr == "error: interrupted; nothing was left half-written\n"
        assert [path.name for path in tmp_path.iterdir()] == ["raw.csv"]


def test_a_file_that_was_there_stays_as_it_was(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("mine")
    assert interrupted("hit_while_writing", "init", "c.toml", "--force").returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["c.toml"]
    assert (tmp_path / "c.toml").read_text() == "mine"


@pytest.mark.slow  # compiles the sampler in a process of its own
def test_draws_so_far_are_no_posterior(run: Run, files: tuple[Path, Path]) -> None:
    done = interrupted("hit_while_sampling", "fit", *files, "--out", "posterior.nc")
    assert done.returncode == 130, done.stderr
    assert {path.name for path in files[0].parent.iterdir()} == {path.name for path in files}


@pytest.mark.slow  # three plans in processes of their own
def test_an_earlier_plan_is_never_mixed_with_a_new_one(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    words = (
        "recommend",
        files[0],
        "--posterior",
        posterior_file,
        "--out",
        "plan",
    )
    names = {path.name for path in files}
    done = interrupted("hit_before_the_report", *words)
    assert done.returncode == 130, done.stderr
    assert {path.name for path in files[0].parent.iterdir()} == names

    assert run(*words).code == 0
    before = {p: p.read_bytes() for p in Path("plan").rglob("*") if p.is_file()}
    for when in ("hit_before_the_report", "hit_while_moving_in"):
        done = interrupted(when, *words, "--budget", "usd=5000")
        assert done.returncode == 130, done.stderr
        assert {p: p.read_bytes() for p in Path("plan").rglob("*") if p.is_file()} == before
        assert {path.name for path in files[0].parent.iterdir()} == {*names, "plan"}
