"""Does looking in between pay? Simulated programmes: a plan at once against replanning.

    python -m benchmarks.programmes FOLDER [WORLDS]

Truths are draws of the cyber example's posterior, left out of the belief. At once: the certified
plan of the whole budget. Replanned: the plan of half of it, its results, and the plan of what is
left after them, by the steps of `evalfolio replan` (fast update, menu of what is left, search).
Results are drawn from the truth's own curves, one run for every task and tier. Losses are those of
the calls that each belief makes in the end: as it expects them itself, which is the quieter
measure, and as they are under the truth. Finished worlds are kept in FOLDER, so that it can be
stopped; it writes its section of benchmarks/README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.forecasts import clustered
from benchmarks.tables import circumstances, table, write_section
from scipy.special import ndtr

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.menus import build_menu, state_draws
from evalbayes.menus.offer import done_of
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import states_of
from evalbayes.model.eval_curve import eval_curve
from evalbayes.model.fit import fit
from evalbayes.model.updating import updated
from evalbayes.observations import Observations, read_observations
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior
from evalfolio.programmes.ledger import left, paid
from evalfolio.recommendations.recommender import question_of
from evalfolio.search.certified import Certified
from evalfolio.value.sample_information import expected_excess

EXAMPLE = Path(__file__).parents[1] / "examples" / "cyber"
SEED, WORLDS, DRAWS = 0, 200, 2000
FIRST = 0.5  # of every budget, for the first stage
QUICK = Certified(gap=5e-3, time_limit=10.0)
HEAD = ["", "worlds", "mean loss, by the belief", "mean loss, under the truth",
        "covered by 90 %", "width, doublings"]  # fmt: skip
SAID = """\
{worlds} programmes of the cyber example, each with a truth drawn from the posterior ({draws} other
draws are the belief): everything bought at once, or half of every budget, a look, and what is left
replanned. Losses are in points, those of the calls made in the end; with nothing run the belief
expects {nothing:.3g}. **Replanning loses {less} less by the belief and {truth} less under the
truth than the plan at once** (paired, 95 % intervals over worlds): {verdict}. No task was sold
twice
in {sold} mixes. Coverage is of elicited capability by central 90 % intervals, worlds and domains.
"""


def plan(
    belief: Posterior, catalogue: Catalogue, results: Observations, share: float
) -> tuple[pd.DataFrame, int]:
    """Return the mix of what is left of a share of the budgets, and how many evals it oversells."""
    done = done_of(results, catalogue)
    menu, _ = build_menu(belief, catalogue, with_draws=False, done=done)
    # Repeats of a task as it comes are no runs of their own to the likelihood: not sold here.
    plain = (menu.options["attempts"] > 1) & (menu.options["effort"] == 0)
    menu = menu.subset(~(plain | menu.options.index.str.contains("once more")).to_numpy())
    asked = question_of(catalogue, menu)
    kept = {name: 1.0 - asked.spendable[name] / v for name, v in asked.budget.items() if v < np.inf}
    stated = {name: share * v for name, v in asked.budget.items()}
    used = paid(results, catalogue, belief)
    budget, shares = left(stated, kept, used)
    found = QUICK.find(question_of(catalogue, menu, budget=budget, contingency=shares))
    mix = menu.options.loc[list(found.chosen)]
    tasks = {spec.name: spec.tasks for spec in catalogue.evals}
    over = mix["tasks"] + mix.get("tasks_done", 0) > mix["eval"].map(tasks)
    return mix[mix["tasks"] > 0], int(over.sum())


def results_of(
    truth: Posterior, catalogue: Catalogue, mix: pd.DataFrame, world: int
) -> pd.DataFrame:
    """Draw what a mix's runs show where the truth is one draw: elicited runs beside plain ones.

    A run of a task has the same luck whichever way buys it, so that ways differ by what they buy.
    """
    name = catalogue.portfolio.ai_model
    m, rows = truth.index_of("ai_model", name), []
    for row in mix.to_dict("records"):
        i, first = truth.index_of("eval", row["eval"]), int(row.get("tasks_done", 0))
        passes = [(row["effort"], row["cap"], int(row["tasks"]), first)]
        if row["effort"] > 0 and row["baseline_runs"]:
            start = int(row["tasks"] - row["baseline_runs"]) + first
            passes.append((0.0, row["baseline_cap"], int(row["baseline_runs"]), start))
        for effort, cap, n, start in passes:
            rng = np.random.default_rng([SEED, world, i, round(100 * float(effort))])
            luck = rng.standard_normal((3, catalogue.eval(row["eval"]).tasks))[:, start : start + n]
            curve = eval_curve(truth, i, m, float(effort))
            # The truth is one draw, so each of these is one number.
            plateau, at, wide, other, scale = (
                float(np.ravel(value)[0])
                for value in (
                    curve.plateau,
                    curve.success_location,
                    curve.success_scale,
                    curve.gave_up_location,
                    curve.gave_up_scale,
                )
            )
            won = ndtr(luck[0]) < plateau
            spend = np.exp(np.where(won, at + wide * luck[1], other + scale * luck[2]))
            for k in range(n):
                outcome = "success" if won[k] else "gave_up"
                if spend[k] > cap:
                    outcome = "stopped_by_cap"
                least = min(float(spend[k]), cap)
                task = f"t{start + k}"
                rows.append((row["eval"], task, name, outcome, least, cap, float(effort)))
    columns = ["eval", "task", "ai_model", "outcome", "spend", "cap", "effort"]
    return pd.DataFrame(rows, columns=columns)


def read(frames: list[pd.DataFrame], folder: Path, catalogue: Catalogue) -> Observations:
    """Read results as a user's table is read."""
    if not any(len(frame) for frame in frames):
        return Observations()
    path = folder / "results.csv"
    pd.concat(frames).to_csv(path, index=False)
    return read_observations([path], catalogue)


def ended(
    belief: Posterior, catalogue: Catalogue, truth: Array, menu: Menu | None = None
) -> dict[str, float]:
    """Losses of the calls of a belief, by itself and under the truth; whether intervals hold it."""
    states = states_of(placed(belief, catalogue), catalogue)
    draws = state_draws(belief, catalogue)
    row = {"believed": 0.0, "true": 0.0, "covered": 0.0, "width": 0.0}
    decisions = decisions_of(catalogue, states, placed(belief, catalogue))
    for decision, at in zip(decisions, truth, strict=True):
        later = decision.later_gain_mean - decision.threshold
        sd = max(decision.later_gain_sd, 1e-9)
        y = draws @ decision.contrast

        def losses(y: Array, later: float = later, sd: float = sd) -> Array:
            z = (y + later) / sd
            return np.array([(sd * expected_excess(z)).mean(), (sd * expected_excess(-z)).mean()])

        stakes = np.array([decision.loss_missed, decision.loss_false_alarm])
        expected = stakes * losses(y)
        row["believed"] += float(expected.min())
        row["true"] += float((stakes * losses(np.array([at])))[expected.argmin()])
        low, high = np.quantile(y, [0.05, 0.95])
        row["covered"] += float(low <= at <= high) / len(decisions)
        row["width"] += float(high - low) / len(decisions)
    return row


def world(start: Posterior, catalogue: Catalogue, k: int, folder: Path) -> list[dict[str, object]]:
    """Play one world both ways."""
    rng = np.random.default_rng([SEED, k])
    order = rng.permutation(start.n_draws)
    truth = start.kept(order[:1])
    belief = start.kept(np.sort(order[1 : DRAWS + 1]))
    states = states_of(placed(belief, catalogue), catalogue)
    decisions = decisions_of(catalogue, states, placed(belief, catalogue))
    exact = [float(state_draws(truth_of(truth), catalogue)[0] @ d.contrast) for d in decisions]
    rows: list[dict[str, object]] = []
    for way, shares in (("at once", (1.0,)), ("replanned", (FIRST, 1.0))):
        frames: list[pd.DataFrame] = []
        at, twice = belief, 0
        for share in shares:
            mix, over = plan(at, catalogue, read(frames, folder, catalogue), share)
            twice += over
            frames.append(results_of(truth, catalogue, mix, k))
            at = updated(belief, catalogue, read(frames, folder, catalogue), seed=k)
        used = paid(read(frames, folder, catalogue), catalogue, at)
        row = {"world": k, "way": way, "twice": twice, "usd": used["usd"]}
        rows.append(row | ended(at, catalogue, np.array(exact)))
    rows.append({"world": k, "way": "nothing"} | ended(belief, catalogue, np.array(exact)))
    return rows


def truth_of(one: Posterior) -> Posterior:
    """Return a posterior of one draw twice, as moments ask for more than one."""
    return one.kept(np.array([0, 0]))


def main(folder: Path, worlds: int) -> None:
    """Play all worlds and write the section."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = read_catalogue(EXAMPLE / "catalogue.toml")
    files = [EXAMPLE / "cyber_cells.csv", EXAMPLE / "metr_counts.csv"]
    start = fit(catalogue, read_observations(files, catalogue), keep=folder / "posterior.nc")
    start.save(folder / "posterior.nc")
    for k in range(worlds):
        out = folder / f"world-{k:04d}.csv"
        if not out.exists():
            partial = out.with_suffix(".partial")
            pd.DataFrame(world(start, catalogue, k, folder)).to_csv(partial, index=False)
            partial.replace(out)
            print(k, flush=True)
    found = pd.concat([pd.read_csv(folder / f"world-{k:04d}.csv") for k in range(worlds)])
    rows = []
    for way, own in found.groupby("way", sort=False):
        figures = [
            "{:.3g} [{:.3g}, {:.3g}]".format(*clustered(own[key], own["world"]))
            for key in ("believed", "true", "covered", "width")
        ]
        rows.append([str(way), str(len(own)), *figures])
    by = found.pivot_table(index="world", columns="way")
    gains = [
        clustered(by[key]["at once"] - by[key]["replanned"], by.index.to_series())
        for key in ("believed", "true")
    ]
    less, truth = ("{:.3g} [{:.3g}, {:.3g}]".format(*gain) for gain in gains)
    shown = "a gain" if gains[0][1] > 0 else "no gain that so many worlds can tell"
    said = SAID.format(
        worlds=worlds,
        draws=DRAWS,
        nothing=by["believed"]["nothing"].mean(),
        less=less,
        verdict=shown,
        truth=truth,
        sold=int(found["twice"].notna().sum()),
    )
    assert not found["twice"].fillna(0).any()
    made = circumstances(SEED, ["evalfolio", "numpy", "pymc"])
    body = f"{said}\n{table(HEAD, rows)}\n\n{made}"
    write_section("programmes", "Replanning against a plan at once", body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else WORLDS)
