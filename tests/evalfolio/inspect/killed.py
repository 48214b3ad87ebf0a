"""Run a plan by Inspect again and again, each time killed at a random moment, and say how it ended.

    python tests/evalfolio/inspect/killed.py PLAN FOLDER KILLS

Every life is a fork of this process, so that imports are paid once. Prints one JSON line for the
run that is left alone and one for every run that was killed, until there were so many kills.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.evalfolio.inspect.conftest import QUICK, by_curve

from evalfolio.inspect import Running

RUN = ["eval", "effort", "task", "option", "step", "epoch"]


def life(plan: Path, seconds: float) -> bool:
    """Carry a run on in a fork; return whether it ended by itself before it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Running(plan, by_curve(pause=0.02), **QUICK).run("mockllm/model")
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            assert os.waitstatus_to_exitcode(status) == 0
            return True
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def told(plan: Path, kills: int) -> str:
    """Say what a run has bought, and what it cost."""
    running = Running(plan, by_curve(), **QUICK)
    rows = running.read()
    bought = sorted(map(list, rows[RUN].astype(str).to_numpy()))
    cost, cap = float(rows["usd"].sum()), running.limits["usd"]
    end = {"kills": kills, "usd": cost, "cap": cap, "reason": running.reason, "bought": bought}
    return json.dumps(end)


def main(plan: Path, folder: Path, kills: int) -> None:
    """Run once alone, then killed until there were so many kills."""
    begun = time.monotonic()
    alone = Path(shutil.copytree(plan, folder / "alone"))
    assert life(alone, 600.0)
    whole, rng = time.monotonic() - begun, random.Random(0)
    print(told(alone, 0), flush=True)
    done = lives = 0
    while done < kills:
        own, mine, lives = Path(shutil.copytree(plan, folder / f"{lives}")), 0, lives + 1
        while not life(own, rng.uniform(0.0, whole / 3) if done + mine < kills else 600.0):
            mine += 1
        done += mine
        print(told(own, mine), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
