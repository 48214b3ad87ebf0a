"""Faults put under the commands, as processes of their own, and what became of the files.

    python -m benchmarks.faults [--kills N] [--posterior FILE]

On a small plan: `kill -9` at N moments of `recommend` over an earlier plan, disks that fill up at
several sizes, a file system that is read-only, two processes that write one folder or one file,
locales that are not UTF-8, and packages that are missing. Held are: the files of before are whole
or those of after are; nothing is left beside them once the next run has ended; the command says
what happened in one sentence, without a traceback. File systems need a user who may mount; without
one their rows say so. It writes its section of this folder's README.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.tables import circumstances, table, write_section
from tests.evalfolio.cli.conftest import CATALOGUE, CELLS

ROOT = Path(__file__).parents[1]
RECOMMEND = ["recommend", "catalogue.toml", "--posterior", "posterior.nc", "--out", "plan"]
FIT = ["fit", "catalogue.toml", "cells.csv", "--draws", "1000", "--out", "fitted.nc"]
FIT += ["--allow-failed-fit"]
WITHOUT = "import sys; sys.modules[{!r}] = None; from evalfolio.cli import main; main()"
PACKAGES = ("highspy", "cvxpy", "h5netcdf", "pyarrow", "xlsxwriter", "scipy")
DISKS = (2, 20, 60, 150, 400)  # kB that a file may have, or that a disk has
Run = tuple[int, str]


def start(
    words: Sequence[str], folder: Path, *, without: str = "", most: int | None = None, **env: str
) -> subprocess.Popen[str]:
    """Start a command; `most` is how many kB a file of it may have."""

    def limited() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most * 1000, most * 1000))

    paths = os.pathsep.join(str(ROOT / place) for place in ("portfolio", "models"))
    begin = ["-c", WITHOUT.format(without)] if without else ["-m", "evalfolio"]
    return subprocess.Popen(
        [sys.executable, *begin, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths} | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=limited,  # one thread: nothing is held at the fork
    )


def end(process: subprocess.Popen[str]) -> Run:
    _, said = process.communicate()
    return process.returncode, said


def state(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def left_over(folder: Path) -> list[str]:
    known = {"catalogue.toml", "cells.csv", "posterior.nc", "plan", "mix.csv", "fitted.nc"}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)


def sentence(run: Run) -> str:
    """Return what a command said of its end, or what is wrong with that."""
    lines = [line for line in run[1].splitlines() if line.startswith("error:")]
    if "Traceback" in run[1]:
        return f"**TRACEBACK**: {run[1].strip().splitlines()[-1][:150]}"
    told = re.sub(r"/\S+/", "…/", lines[0][7:170]) if lines else ""  # no folder of this machine
    return f"exit {run[0]}" + (f", “{told}”" if told else "")


def whole(folder: Path) -> bool:
    """Whether a plan's folder is one that loads: record, menu and mix belong together."""
    from evalfolio.errors import EvalfolioError
    from evalfolio.plans.plan import Plan

    try:
        Plan.load(folder)
    except EvalfolioError:
        return False
    return True


MOVED: set[str] = set()  # files in which the plan before and the one after differ


def became(before: dict[str, str], folder: Path) -> str:
    """Return what a fault made of the plan: as it was, another whole one, or a mixture."""
    now = state(folder)
    if now == before:
        return "as before"
    changed = {name for name in now if before.get(name) != now[name]}
    return "new and whole" if whole(folder) and changed >= MOVED else "**MIXTURE**"


def tally(found: Sequence[str]) -> str:
    return ", ".join(f"{each} {found.count(each)}" for each in dict.fromkeys(found))


@contextmanager
def disk(place: Path, kb: int) -> Iterator[bool]:
    """Mount a small file system at a place; give whether that was possible."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={kb}k", "tmpfs", str(place)]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--posterior", type=Path, help="of the small catalogue: nothing is fitted")
    asked = parser.parse_args()
    sys.path[:0] = [str(ROOT / "portfolio"), str(ROOT / "models")]
    rows: list[list[str]] = []

    def told(fault: str, command: str, how: str, files: str) -> None:
        rows.append([fault, command, how, files])
        print(rows[-1], flush=True)

    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        (here / "catalogue.toml").write_text(CATALOGUE)
        (here / "cells.csv").write_text(CELLS)
        if asked.posterior:
            shutil.copy(asked.posterior, here / "posterior.nc")
        else:
            end(start([*FIT[:-2], "posterior.nc", "--allow-failed-fit"], here))
        begun = time.monotonic()
        code, said = end(start([*RECOMMEND, "--budget", "usd=9000"], here))
        took = time.monotonic() - begun
        if code:
            raise SystemExit(said)
        before = state(here / "plan")
        end(start([*RECOMMEND[:-1], "after"], here))
        after = state(here / "after")
        MOVED.update(name for name in after if after[name] != before.get(name))
        shutil.rmtree(here / "after")
        kept = shutil.copytree(here / "plan", here / ".kept")

        def anew(place: Path = here) -> None:
            shutil.rmtree(place / "plan", ignore_errors=True)
            shutil.copytree(here / ".kept", place / "plan")

        ends: list[str] = []
        for k in range(asked.kills):
            process = start(RECOMMEND, here)
            time.sleep(took * (k + 0.5) / asked.kills)
            process.send_signal(signal.SIGKILL)
            end(process)
            ends.append(became(before, here / "plan"))
            if ends[-1] != "as before":
                anew()
        code, _ = end(start(RECOMMEND, here))
        beside = [each for each in left_over(here) if each != kept.name]
        told(
            f"kill -9 at {asked.kills} moments over its whole time",
            "`recommend` over an earlier plan",
            f"the next run: exit {code}",
            f"{tally(ends)}; beside it after the next run: {', '.join(beside) or 'nothing'}",
        )
        anew()
        cases: list[tuple[list[str], Callable[[Path], str]]] = [
            (RECOMMEND, lambda place: became(before, place / "plan")),
            (FIT, lambda place: "none" if not (place / "fitted.nc").exists() else "**HALF**"),
        ]
        for words, what in cases[: 1 if asked.posterior else 2]:
            for kb in DISKS if words is RECOMMEND else DISKS[:2]:
                run = end(start(words, here, most=kb))
                files = what(here)
                beside = [each for each in left_over(here) if each != kept.name]
                files += f"; beside: {', '.join(beside) or 'nothing'}"
                told(f"no file above {kb} kB", f"`{words[0]}`", sentence(run), files)
                anew()
        inputs = [here / each for each in ("catalogue.toml", "cells.csv", "posterior.nc")]
        need = sum(path.stat().st_size for path in (*inputs, *kept.rglob("*")) if path.is_file())
        for more in DISKS:
            with disk(here / "disk", need // 1000 + 100 + more) as mounted:
                place = here / "disk"
                if not mounted:
                    told("a full disk", "`recommend`", "not tried: may not mount", "")
                    break
                for path in inputs:
                    shutil.copy(path, place)
                anew(place)
                run = end(start(RECOMMEND, place))
                files = became(before, place / "plan")
                files += f"; beside: {', '.join(left_over(place)) or 'nothing'}"
                told(f"a disk with {more} kB left", "`recommend`", sentence(run), files)
                if more == DISKS[0]:
                    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
                    for words in (RECOMMEND, ["init", "new.toml"]):
                        run = end(start(words, place))
                        files = became(before, place / "plan")
                        told("a read-only file system", f"`{words[0]}`", sentence(run), files)
        pairs = ((RECOMMEND, here / "plan"), (FIT, here / "fitted.nc"))
        for words, target in pairs[: 1 if asked.posterior else 2]:
            pair = [start([*words, "--seed", str(seed)], here) for seed in (0, 1)]
            runs = [end(process) for process in pair]
            if target.is_dir():
                files = "one whole plan" if whole(target) else "**MIXTURE**"
            else:
                from evalbayes import Posterior

                Posterior.load(target)
                files = "one whole file"
            beside = [each for each in left_over(here) if each != kept.name]
            told(
                "two at once to one place",
                f"`{words[0]}`",
                " and ".join(map(sentence, runs)),
                f"{files}; beside: {', '.join(beside) or 'nothing'}",
            )
        anew()
        (here / "fitted.nc").unlink(missing_ok=True)
        for env in (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            {"PYTHONIOENCODING": "ascii"},
            {"PYTHONIOENCODING": "cp1252"},
            {"PYTHONIOENCODING": "utf-16"},
        ):
            runs = [end(start(RECOMMEND, here, **env))]
            runs += [end(start(["score", "plan/mix.csv", "--plan", "plan"], here, **env))]
            setting = " ".join(f"{key}={value}" for key, value in env.items())
            files = became(before, here / "plan")
            told(setting, "`recommend`, `score`", "; ".join(map(sentence, runs)), files)
            anew()
        for package in PACKAGES:
            run = end(start(RECOMMEND, here, without=package))
            files = became(before, here / "plan")
            beside = [each for each in left_over(here) if each != kept.name]
            files += f"; beside: {', '.join(beside) or 'nothing'}"
            told(f"without {package}", "`recommend`", sentence(run), files)
            anew()
    body = (
        f"{table(['fault', 'command', 'how it ended', 'files'], rows)}\n\n"
        f"{circumstances(0, ['highspy', 'h5netcdf', 'pandas'])}"
    )
    write_section("faults", "Faults put under the commands", body)


if __name__ == "__main__":
    main()
