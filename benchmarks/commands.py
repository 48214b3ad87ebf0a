"""What every command of the demo takes: wall and CPU seconds, and the most memory.

    python -m benchmarks.commands [--fresh]

The demo (`make demo`, installed) runs first, with `--fresh` with empty caches of compiled code, as
on a machine that never ran it; then every other command on its folder, each a process of its own.
`evalfolio --help` is taken in turn with `import numpy`, ten of each. Not here: `run`, which takes
what the runs take, and `backtest`, which needs runs (its own section has its figures). It writes
its section of this folder's README.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import circumstances, table, write_section

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "cyber"
CATALOGUE = str(EXAMPLE / "catalogue.toml")
SEEN = [str(EXAMPLE / "cyber_cells.csv"), str(EXAMPLE / "metr_counts.csv")]
POSTERIOR = ["--posterior", "plan/posterior.nc"]
TURNS = 10
DEMO = ["recommend", CATALOGUE, *SEEN, "--sensitivity", "--out", "plan"]
COMMANDS = (
    ["init", "empty.toml"], ["init", "draft.toml", "--from", SEEN[0]], ["check", CATALOGUE, *SEEN],
    ["doctor"], ["rule", "--cost-ratio=20", "--validity-sd=1", "--gap-sd=0.8", "--gap-spread=0.5"],
    ["prior", CATALOGUE, *SEEN], ["gains"], ["curves", CATALOGUE, *POSTERIOR],
    ["capability", CATALOGUE, *POSTERIOR], ["horizons", CATALOGUE, *SEEN, "--ai-model", "GPT-4o"],
    ["repeats", CATALOGUE, *POSTERIOR, "--eval", "cybench"],
    ["recommend", CATALOGUE, *POSTERIOR, "--out", "again"],
    ["score", "plan/mix.csv", "--plan", "plan"],
    ["score", "plan/mix.csv", "--plan", "plan", "--against", "again"],
    ["explain", "cybench", "--plan", "plan"], ["verify", "plan"],
    ["require", "plan", "--standard", "eu-cop"],
    ["harness", CATALOGUE, "--plan", "plan", "--model", "openai/gpt-5", "--out", "runs"],
    ["replan", "plan", str(EXAMPLE / "results" / "first.csv"), "--out", "step1"],
    ["conclude", "step1", "--out", "end"], ["forecast", "plan", "--out", "years"],
    ["schedule", "plan", "--out", "years"],
    ["sensitivity", CATALOGUE, "--plan", "plan", "--out", "varied"],
    ["recommend", CATALOGUE, *POSTERIOR, "--stages", "2", "--out", "stages"],
    ["fit", CATALOGUE, *SEEN, "--out", "fitted.nc"],
)  # fmt: skip


@dataclass(frozen=True)
class Use:
    """What one process took: seconds and, of its largest process, megabytes."""

    wall: float
    cpu: float
    mb: float
    code: int
    said: str


def use(words: list[str], folder: Path, fresh: dict[str, str]) -> Use:
    """Run a command to its end."""
    paths = [str(ROOT / "portfolio"), str(ROOT / "models")]
    env = os.environ | fresh | {"PYTHONPATH": os.pathsep.join(paths)}
    with (folder / "said.txt").open("w+") as said:
        start = time.monotonic()
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = said.read().strip().replace("\n", " ")
    return Use(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode, told)


def shown(words: list[str]) -> str:
    """Return a command as a reader knows it."""
    short = [Path(word).name if word.startswith(str(ROOT)) else word for word in words]
    return f"`{' '.join(short)}`"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fresh", action="store_true", help="the demo with empty caches")
    asked = parser.parse_args()
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        empty = {
            "PYTENSOR_FLAGS": f"base_compiledir={folder / 'compiled'}",
            "NUMBA_CACHE_DIR": str(folder / "numba"),
            "PYTHONPYCACHEPREFIX": str(folder / "pyc"),
        }
        evalfolio = [sys.executable, "-m", "evalfolio"]
        for words in (DEMO, *COMMANDS):
            first = words is DEMO
            took = use([*evalfolio, *words], folder, empty if first and asked.fresh else {})
            name = shown(words) + " (the demo)" * first + ", empty caches" * (first and asked.fresh)
            ends = "" if took.code == 0 else f" (ended with {took.code}: {took.said[:200]})"
            rows.append([name + ends, f"{took.wall:.1f}", f"{took.cpu:.1f}", f"{took.mb:,.0f}"])
            print(rows[-1], flush=True)
        ratios: dict[str, list[float]] = {"wall": [], "cpu": []}
        for _ in range(TURNS):
            numpy = use([sys.executable, "-c", "import numpy"], folder, {})
            told = use([*evalfolio, "--help"], folder, {})
            ratios["wall"].append(told.wall / numpy.wall)
            ratios["cpu"].append(told.cpu / numpy.cpu)
    wall, cpu = (statistics.median(each) for each in ratios.values())
    body = (
        f"{table(['command', 'wall, s', 'CPU, s', 'peak memory, MB'], rows)}\n\n"
        f"`evalfolio --help` takes {wall:.2g} times as long as `import numpy`, {cpu:.2g} times its "
        f"CPU time (medians of {TURNS} pairs in turn).\n\n"
        f"{circumstances(0, ['numpy', 'pymc', 'highspy', 'typer'])}"
    )
    print(body)
    write_section("commands", "What every command takes", body)


if __name__ == "__main__":
    main()
