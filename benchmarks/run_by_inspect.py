"""Programmes run by Inspect itself: are they worth what their policy's simulation foretells?

    python -m benchmarks.run_by_inspect FOLDER [WORLDS]

Every world is a truth drawn from the belief that a plan in two stages was made on (left out of it).
Inspect runs the plan (`evalfolio.inspect`) on mockllm with a solver that solves, gives up
and spends as that truth's curves say, and asks evalfolio what to run next until it ends. Counted
are the expected loss of the calls before and after by the belief, which the simulation of the plan
foretells, what was spent against the cap, samples bought twice, and whether the interval of every
domain's capability holds the truth. Finished worlds are kept in FOLDER, so that it can be
stopped; it writes its section of benchmarks/README.md.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.forecasts import clustered
from benchmarks.programmes import ended
from benchmarks.simulated import Outcome, catalogue_in, numbered, simulated
from benchmarks.tables import circumstances, table, write_section
from scipy.special import ndtr

from evalbayes import Menu
from evalbayes.catalogue import Catalogue
from evalbayes.menus import state_draws
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import states_of
from evalbayes.model.eval_curve import eval_curve
from evalbayes.model.fit import fit
from evalbayes.observations import Observations
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior
from evalfolio.export import write_all
from evalfolio.inspect import Running
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.stages import stages
from evalfolio.programmes.told import in_stages
from evalfolio.recommendations.recommender import question_of, recommend
from evalfolio.search.greedy import Greedy

SEED, WORLDS, DRAWS = 0, 100, 1000
QUICK = Greedy()
TASKS = {"ctf": 16, "exploits": 12, "chores": 24}
USD = 900


def begun(folder: Path) -> tuple[Catalogue, Posterior, Posterior]:
    """Return the catalogue, the belief that is planned on, and draws left out of it as truths."""
    catalogue = catalogue_in(folder, USD, TASKS)
    whole = fit(catalogue, Observations(), seed=SEED, draws=6000)
    order = np.random.default_rng(SEED).permutation(whole.n_draws)
    return catalogue, whole.kept(np.sort(order[:DRAWS])), whole.kept(order[DRAWS:])


def plan_in(folder: Path, catalogue: Catalogue, belief: Posterior) -> Path:
    """Write the plan in two stages."""
    made = recommend(catalogue, None, belief, method=QUICK, frontier_points=0, seed=SEED)
    return write_all(in_stages(made, 2, seed=SEED), folder / "plan")


def outcomes_of(truth: Posterior, catalogue: Catalogue, world: int) -> Outcome:
    """Return what a run of an eval's sample shows, at an effort and attempt: success and spend.

    `truth` is one draw; the same run comes out alike whoever asks for it.
    """
    m = truth.index_of("ai_model", catalogue.portfolio.ai_model)

    def shown(name: str, sample: str, effort: float, attempt: int) -> tuple[bool, float]:
        i = truth.index_of("eval", name)
        curve = eval_curve(truth, i, m, effort)
        luck = np.random.default_rng([SEED, world, i, round(100 * effort), int(sample), attempt])
        a, b = luck.standard_normal(2)
        won = bool(ndtr(a) < float(np.ravel(curve.plateau)[0]))
        kind = "success" if won else "gave_up"
        at, wide = getattr(curve, f"{kind}_location"), getattr(curve, f"{kind}_scale")
        return won, float(np.exp(np.ravel(at)[0] + np.ravel(wide)[0] * b))

    return shown


def exact(truth: Posterior, catalogue: Catalogue, belief: Posterior) -> Any:
    """Return the true y of every decision, (n_decisions,), where the truth is one draw."""
    states = states_of(placed(belief, catalogue), catalogue)
    real = state_draws(truth.kept(np.array([0, 0])), catalogue)[0]
    decisions = decisions_of(catalogue, states, placed(belief, catalogue))
    return np.array([real @ decision.contrast for decision in decisions])


def world(plan: Path, truths: Posterior, k: int, folder: Path) -> tuple[dict[str, Any], Running]:
    """Let Inspect run one world, and return what it came to."""
    start = Programme.load(plan)
    truth = truths.kept(np.array([k]))
    sizes = {spec.name: spec.tasks for spec in start.catalogue.evals}
    tasks = simulated(outcomes_of(truth, start.catalogue, k), numbered(sizes))
    shutil.rmtree(folder / f"run-{k:03d}", ignore_errors=True)  # of a session that was stopped
    own = Path(shutil.copytree(plan, folder / f"run-{k:03d}"))
    run = Running(own, tasks, method=QUICK, tell=lambda _: None)
    run.run("mockllm/model")
    rows = run.read()
    key = ["eval", "effort", "task", "step", "epoch", "option"]
    now = run.folder / "steps" / f"{run.step:03d}" if run.step else own
    last = Posterior.load(now / "posterior.nc")
    real = exact(truth, start.catalogue, start.start)
    before, after = (ended(belief, start.catalogue, real) for belief in (start.start, last))
    row: dict[str, Any] = {
        "world": k, "steps": run.step, "usd": float(rows["usd"].sum()), "cap": run.limits["usd"],
        "samples": len(rows), "twice": int(rows.duplicated(key).sum()), "reason": run.reason,
        "saved": before["believed"] - after["believed"], "prior score": before["score"], **after,
    }  # fmt: skip
    return row, run


SAID = """\
{worlds} programmes, each with a truth drawn from the belief it was planned on (and left out of it:
{draws} other draws), two domains, three evals. Inspect runs the plan on mockllm with a solver that
solves, gives up and spends tokens as the truth's curves say, and asks evalfolio for its next tasks
until it ends. The calls are expected to lose **{saved} less than before by the belief (95 %); the
simulation of the plan foretold {foretold:.3g} ± {error:.2g} for its two stages**, and the run may
look oftener. The cap of ${cap:,.0f} held in {kept} of {worlds} (most spent: ${most:,.0f}; samples
in flight count as their caps), {twice} samples were bought twice, and programmes ended after
{steps:.1f} steps on average. 90 % intervals of capability hold the truth in {held}
(programmes as units, truth drawn from the prior); mean interval score {score:.3g} doublings, before
the results {prior:.3g}.
"""


def write(frames: list[pd.DataFrame], plan: Path) -> None:
    """Write the section."""
    found, start = pd.concat(frames), Programme.load(plan)
    menu = Menu.load(plan / "menu")
    asked = question_of(start.catalogue, menu, contingency=start.kept_back)
    foretold = stages(asked, 2, at_once=QUICK.find(asked).chosen, seed=SEED)

    def told(column: str) -> str:
        return "{:.3g} [{:.3g}, {:.3g}]".format(*clustered(found[column], found["world"]))

    body = SAID.format(
        worlds=len(found), draws=DRAWS, saved=told("saved"), foretold=foretold.value,
        error=foretold.error, cap=found["cap"].iloc[0], most=found["usd"].max(),
        kept=int((found["usd"] <= found["cap"]).sum()), twice=int(found["twice"].sum()),
        steps=found["steps"].mean(), held=told("covered"), score=found["score"].mean(),
        prior=found["prior score"].mean(),
    )  # fmt: skip
    if len(found) < WORLDS:
        body += f"Asked for are {WORLDS} programmes; these are the first, as far as time went.\n"
    reasons = found["reason"].str.slice(0, 60).value_counts()
    rows = [[str(reason), str(n)] for reason, n in reasons.items()]
    made = circumstances(SEED, ["evalfolio", "inspect_ai", "numpy"])
    write_section(
        "run-by-inspect", "Programmes run by Inspect itself",
        f"{body}\n{table(['why it ended', 'programmes'], rows)}\n\n{made}",
    )  # fmt: skip


def main(folder: Path, worlds: int) -> None:
    """Run all worlds and write the section."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "plan").exists():
        catalogue, belief, truths = begun(folder)
        truths.save(folder / "truths.nc")
        plan_in(folder, catalogue, belief)
    truths = Posterior.load(folder / "truths.nc")
    for k in range(worlds):
        out = folder / f"world-{k:03d}.csv"
        if not out.exists():
            row, run = world(folder / "plan", truths, k, folder)
            pd.DataFrame([row]).to_csv(out.with_suffix(".partial"), index=False)
            out.with_suffix(".partial").replace(out)
            shutil.rmtree(run.folder.parent)
            print(row, flush=True)
    write([pd.read_csv(folder / f"world-{k:03d}.csv") for k in range(worlds)], folder / "plan")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else WORLDS)
