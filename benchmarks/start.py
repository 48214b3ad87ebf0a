"""How long `evalfolio --help` takes to start, beside importing numpy in the same Python.

    python benchmarks/start.py

CPU seconds (user and system) of a process of its own, so that other work on the machine counts
little; the least of ten each, taken in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tables import circumstances, seconds, table, write_section

STARTS = {
    "`import numpy`": "import numpy",
    "`import evalfolio`": "import evalfolio",
    "`evalfolio --help`": (
        "import sys; sys.argv = ['evalfolio', '--help']; from evalfolio.cli import main; main()"
    ),
    "`evalfolio recommend --help`": (
        "import sys; sys.argv = ['evalfolio', 'recommend', '--help']; "
        "from evalfolio.cli import main; main()"
    ),
}
REPEATS = 10


def cpu_seconds(code: str) -> float:
    """Return the CPU time of one process that runs the code."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def main() -> None:
    """Measure, print and write the table."""
    least = dict.fromkeys(STARTS, float("inf"))
    for _ in range(REPEATS):
        for name, code in STARTS.items():
            least[name] = min(least[name], cpu_seconds(code))
    base = least["`import numpy`"]
    rows = [[name, seconds(took), f"{took / base:.2g}"] for name, took in least.items()]
    body = "\n\n".join(
        [
            "CPU time of a process of its own, the least of "
            f"{REPEATS} taken in turn. Aim: `evalfolio --help` within 4 times numpy.",
            table(["start", "CPU", "times numpy"], rows),
            circumstances(0, ["numpy", "typer", "rich"]),
        ]
    )
    print(body)
    write_section("start", "Starting the command line", body)


if __name__ == "__main__":
    main()
