"""One eval that stops by itself: at what more of it is worth, or at an interval's width.

    python -m benchmarks.one_eval FOLDER [WORLDS]

FOLDER is that of `benchmarks.run_by_inspect`: its plan, and truths left out of its belief. In every
world samples of one eval come four at a time as the truth's curves say, and a rule of
`evalfolio.inspect` stops them. Counted are samples, their price, and the loss of the calls that are
made after them, by the truth and by the belief; by the price of a point all of it in USD. It writes
its section of benchmarks/README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.forecasts import clustered
from benchmarks.programmes import ended
from benchmarks.run_by_inspect import SEED, exact, outcomes_of
from benchmarks.tables import circumstances, table, write_section

from evalbayes.observations import observations_of
from evalbayes.posterior.posterior import Posterior
from evalfolio.inspect import Width, Worth
from evalfolio.inspect.sampling import Rule
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.standing import Standing

EVAL, CAP, AT_ONCE, POINT_USD, WORLDS = "chores", 2_000_000.0, 4, 50.0, 40
COLUMNS = ["task", "eval", "ai_model", "outcome", "spend", "cap"]


def shown(truth: Posterior, start: Programme, world: int) -> pd.DataFrame:
    """Return all runs of the eval in one world, in the order in which they come."""
    outcome, spec = outcomes_of(truth, start.catalogue, world), start.catalogue.eval(EVAL)
    rows = []
    for task in range(spec.tasks):
        won, spend = outcome(EVAL, str(task), 0.0, 1)
        told = "stopped_by_cap" if spend > CAP else "success" if won else "gave_up"
        rows.append({"task": str(task), "outcome": told, "tokens": min(spend, CAP)})
    found = pd.DataFrame(rows).assign(hours=0.0, eval=EVAL, cap=CAP, ai_model="next")
    found["spend"] = found["tokens"]
    return found.assign(usd=found["tokens"] * spec.usd_per_unit.lognormal_mean)


def main(folder: Path, worlds: int) -> None:
    """Let all rules stop the eval in all worlds, and write the section."""
    start, truths = Programme.load(folder / "plan"), Posterior.load(folder / "truths.nc")
    rules: dict[str, Rule] = {
        f"`Worth`, a point worth ${POINT_USD:.0f}": Worth(folder / "plan", EVAL, CAP, POINT_USD),
        "`Width(0.2)`": Width(0.2, least=AT_ONCE),
        "`Width(0.1)`": Width(0.1),
        "all samples": lambda rows: "",
    }
    found = []
    for world in range(worlds):
        truth = truths.kept(np.array([world]))
        runs = shown(truth, start, world)
        real = exact(truth, start.catalogue, start.start)
        for name, rule in rules.items():
            n = AT_ONCE
            while n < len(runs) and not rule(runs[:n]):
                n += AT_ONCE
            told = observations_of(runs[COLUMNS][:n], start.catalogue)
            now = Standing.after(told, start.catalogue, start.start, budget={}, kept_back={})
            after = ended(now.belief, start.catalogue, real)
            usd = float(runs["usd"][:n].sum())
            found.append({"world": world, "rule": name, "samples": n, "usd": usd,
                          "all": usd + POINT_USD * after["true"], **after})  # fmt: skip
    frame = pd.DataFrame(found)

    def of(own: pd.DataFrame, column: str) -> str:
        return "{:.3g} [{:.3g}, {:.3g}]".format(*clustered(own[column], own["world"]))

    columns = ["samples", "usd", "true", "believed", "all"]
    rows = [
        [str(name), *(of(own, column) for column in columns)]
        for name, own in frame.groupby("rule", sort=False)
    ]
    head = [
        "rule", "samples", "USD", "loss of the calls, points", "... by the belief", "USD in all",
    ]  # fmt: skip
    said = (
        f"{worlds} truths drawn from the belief of a plan (and left out of it); {EVAL}, "
        f"{start.catalogue.eval(EVAL).tasks} samples, comes {AT_ONCE} at a time until a rule stops "
        f"it. Losses are in points; *USD in all* is spend and true loss, a point at "
        f"${POINT_USD:.0f}. Intervals are 95 %, worlds as units. A width asks for samples whatever "
        "they could still turn."
    )
    made = circumstances(SEED, ["numpy"])
    write_section(
        "one-eval", "One eval that stops by itself", f"{said}\n\n{table(head, rows)}\n\n{made}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else WORLDS)
