"""A sweep of slow points, run by the tests in a process of its own so that it can be killed."""

from __future__ import annotations

import json
import sys
import time
from functools import partial

from evalfolio.sensitivities.sweep import Sweep


def root(log: str, point: int) -> float:
    with open(log, "a") as file:
        file.write(f"{point}\n")
    time.sleep(0.1)
    return float(point**0.5)


if __name__ == "__main__":
    path, log, workers = sys.argv[1:]
    sweep = Sweep(workers=int(workers), checkpoint=path)
    print(json.dumps(sweep.run(partial(root, log), list(range(12)))))
