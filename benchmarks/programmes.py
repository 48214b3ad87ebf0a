"""Does looking in between pay? Simulated programmes: a plan at once against stages and replanning.

    python -m benchmarks.programmes FOLDER [WORLDS]

Truths are draws of the posterior of a simulated history, left out of the belief. At once: the
certified plan of the whole budget. In stages: what `recommend --stages 2` runs first, its results,
and the plan of what is left after them, by the steps of `evalfolio replan` (`Standing`: fast
update, menu of what is left, budgets less what was paid, search). Results are drawn from the
truth's own curves, one run for every task and tier; what both ways run comes out alike. Losses are
those of the calls that each belief makes in the end: as it expects them itself, which is the
quieter measure, and as they are under the truth. Finished worlds are kept in FOLDER, so that it can
be stopped; it writes its section of benchmarks/README.md.

The portfolio has six domains that nothing ties, each with a cheap eval of tasks of an hour and a
dear one of 15 hours, near the threshold: money for all of the former and a fifth of the latter. On
the cyber example looking in between is worth little (README.md, *Over time*): one domain of two
takes the hours there whatever comes out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.forecasts import clustered
from benchmarks.tables import circumstances, table, write_section
from scipy.special import expit, ndtr

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.menus import build_menu, state_draws
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import states_of
from evalbayes.model.eval_curve import eval_curve
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, read_observations
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior
from evalfolio.programmes.stages import stages
from evalfolio.programmes.standing import Standing
from evalfolio.recommendations.recommender import question_of
from evalfolio.search.certified import Certified
from evalfolio.value.sample_information import expected_excess

SEED, WORLDS, DRAWS = 0, 200, 2000
DOMAINS, AI_MODELS = 6, 12
USD, KEPT_BACK = 4000.0, 0.1
QUICK = Certified(gap=2e-3, time_limit=10.0)
DOMAIN = """
[[domain]]
name = "d{k}"
unit = "doublings of human task time"
threshold_human_time = "16 h"
shown_capability = [6.0, 11.5]
elicitation_gap = [0.2, 1.0]
mitigate_above = 0.5
"""
EVAL = """
[[eval]]
name = "{name}{k}"
domain = "d{k}"
tasks = {tasks}
human_minutes = {minutes}
usd_per_run = [{low}, {high}]
spend_unit = "tokens"
usd_per_unit = 5e-6
max_cap = {cap}
staff_hours = 4
staff_hours_elicitation = 400
"""
# name, tasks, human minutes, USD a run, cap, and how far its reading strays from capability
EVALS = (("hour", 40, 60, (4, 8), 10_000_000, 0.8), ("day", 20, 900, (100, 200), 60_000_000, 0.2))
HEAD = ["", "worlds", "usd", "mean loss, by the belief", "mean loss, under the truth",
        "covered by 90 %", "width, doublings"]  # fmt: skip
SAID = """\
{worlds} programmes, each with a truth drawn from the posterior of a simulated history of
{ai_models} AI models ({draws} other draws are the belief), six domains that nothing ties, an eval
of an hour and one of 15 hours in each: everything bought at once, or what `recommend --stages 2`
runs first, its results, and what is left replanned. Losses are in points, those of the calls made
in the end; with nothing run the belief expects {nothing:.3g}. **Stages and replanning lose {less}
less by the belief and {truth} less under the truth than the plan at once** (paired, 95 % intervals
over worlds): {verdict}; the stages' own simulation foretold {foretold:.3g}. No task was sold twice.
Coverage is of elicited capability by central 90 % intervals, worlds and domains. On the cyber
example, where hours bind and one deep eval takes most of them whatever comes out, 100 programmes
that bought half, looked and replanned lost 0.040 [−0.079, 0.162] less by the belief than the plan
at once: no gain that so many can tell (28 November 2026, the code before this section's).
"""


def portfolio(folder: Path) -> tuple[Catalogue, Posterior]:
    """Write the catalogue and its simulated history, and return it with the belief fitted."""
    rng = np.random.default_rng(SEED)
    text = '[portfolio]\nai_model = "next"\nhorizon_months = 3\n'
    text += f"\n[budget]\nusd = {USD}\nstaff_hours = 200\ncontingency = {KEPT_BACK}\n"
    rows = []
    for k in range(DOMAINS):
        text += DOMAIN.format(k=k)
        shown = np.linspace(7.0, 11.0, AI_MODELS) + rng.normal(0.0, 0.7, AI_MODELS)
        for name, tasks, minutes, (low, high), cap, strays in EVALS:
            text += EVAL.format(
                k=k, name=name, tasks=tasks, minutes=minutes, low=low, high=high, cap=cap
            )
            p = expit(shown + rng.normal(0.0, strays, AI_MODELS) - np.log2(minutes))
            for m, won in enumerate(rng.binomial(tasks, p)):
                rows.append((f"{name}{k}", f"m{m:02d}", cap, tasks, won))
    (folder / "catalogue.toml").write_text(text, encoding="utf-8")
    columns = ["eval", "ai_model", "cap", "n_runs", "n_success"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "history.csv", index=False)
    catalogue = read_catalogue(folder / "catalogue.toml")
    history = read_observations([folder / "history.csv"], catalogue)
    start = fit(catalogue, history, keep=folder / "posterior.nc", draws=4000)
    start.save(folder / "posterior.nc")
    return catalogue, start


def bought(standing: Standing) -> pd.DataFrame:
    """Return the mix of what is left, as rows of the menu."""
    menu, _ = build_menu(standing.belief, standing.catalogue, with_draws=False, done=standing.done)
    # Repeats of a task as it comes are no runs of their own to the likelihood: not sold here.
    plain = (menu.options["attempts"] > 1) & (menu.options["effort"] == 0)
    menu = menu.subset(~(plain | menu.options.index.str.contains("once more")).to_numpy())
    mix = menu.options.loc[list(QUICK.find(standing.question(menu)).chosen)]
    tasks = {spec.name: spec.tasks for spec in standing.catalogue.evals}
    # The programme itself must never sell a task twice.
    assert not (mix["tasks"] + mix.get("tasks_done", 0) > mix["eval"].map(tasks)).any()
    return mix[mix["tasks"] > 0]


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


def ended(belief: Posterior, catalogue: Catalogue, truth: Array) -> dict[str, float]:
    """Losses of the calls of a belief, by itself and under the truth; whether intervals hold it."""
    states = states_of(placed(belief, catalogue), catalogue)
    draws = state_draws(belief, catalogue)
    row = {"believed": 0.0, "true": 0.0, "covered": 0.0, "width": 0.0, "score": 0.0}
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
        outside = max(low - at, 0.0) + max(at - high, 0.0)
        row["score"] += float(high - low + 20.0 * outside) / len(decisions)
    return row


def world(
    belief: Posterior,
    truth: Posterior,
    catalogue: Catalogue,
    mixes: dict[str, pd.DataFrame],
    k: int,
    folder: Path,
) -> list[dict[str, object]]:
    """Play one world both ways."""
    states = states_of(placed(belief, catalogue), catalogue)
    decisions = decisions_of(catalogue, states, placed(belief, catalogue))
    exact = [float(state_draws(truth_of(truth), catalogue)[0] @ d.contrast) for d in decisions]
    rows: list[dict[str, object]] = []

    def standing(frames: list[pd.DataFrame]) -> Standing:
        results = read(frames, folder, catalogue)
        asked = {"usd": USD, "staff_hours": 200.0}
        kept = dict.fromkeys(asked, KEPT_BACK)
        return Standing.after(results, catalogue, belief, budget=asked, kept_back=kept, seed=k)

    for way, first in mixes.items():
        frames = [results_of(truth, catalogue, first, k)]
        now = standing(frames)
        if way == "in stages":
            frames.append(results_of(truth, catalogue, bought(now), k))
            now = standing(frames)
        row = {"world": k, "way": way, "usd": now.paid["usd"]}
        rows.append(row | ended(now.belief, catalogue, np.array(exact)))
    rows.append({"world": k, "way": "nothing"} | ended(belief, catalogue, np.array(exact)))
    return rows


def truth_of(one: Posterior) -> Posterior:
    """Return a posterior of one draw twice, as moments ask for more than one."""
    return one.kept(np.array([0, 0]))


def first_mixes(belief: Posterior, catalogue: Catalogue) -> tuple[dict[str, pd.DataFrame], float]:
    """Return what either way runs first, and what stages foretell to be worth more."""
    menu, _ = build_menu(belief, catalogue, with_draws=False)
    plain = (menu.options["attempts"] > 1) & (menu.options["effort"] == 0)
    menu = menu.subset(~plain.to_numpy())
    found = stages(question_of(catalogue, menu), 2, method=QUICK)
    mixes = {"at once": found.plan, "in stages": found.now}
    gain = found.value - found.plan_played.value
    return {name: menu.options.loc[list(own)] for name, own in mixes.items()}, gain


def main(folder: Path, worlds: int) -> None:
    """Play all worlds and write the section."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue, start = portfolio(folder)
    order = np.random.default_rng(SEED).permutation(start.n_draws)
    belief = start.kept(np.sort(order[:DRAWS]))
    mixes, foretold = first_mixes(belief, catalogue)
    for k in range(worlds):
        out = folder / f"world-{k:04d}.csv"
        if not out.exists():
            partial = out.with_suffix(".partial")
            truth = start.kept(order[DRAWS + k : DRAWS + k + 1])
            rows = world(belief, truth, catalogue, mixes, k, folder)
            pd.DataFrame(rows).to_csv(partial, index=False)
            partial.replace(out)
            print(k, flush=True)
    write([pd.read_csv(folder / f"world-{k:04d}.csv") for k in range(worlds)], foretold)


def write(frames: Sequence[pd.DataFrame], foretold: float) -> None:
    """Write the section."""
    found, worlds = pd.concat(frames), len(frames)
    rows = []
    for way, own in found.groupby("way", sort=False):
        figures = [
            "{:.3g} [{:.3g}, {:.3g}]".format(*clustered(own[key], own["world"]))
            for key in ("believed", "true", "covered", "width")
        ]
        usd = "" if own["usd"].isna().all() else f"{own['usd'].mean():,.0f}"
        rows.append([str(way), str(len(own)), usd, *figures])
    by = found.pivot_table(index="world", columns="way")
    gains = [
        clustered(by[key]["at once"] - by[key]["in stages"], by.index.to_series())
        for key in ("believed", "true")
    ]
    less, truth = ("{:.3g} [{:.3g}, {:.3g}]".format(*gain) for gain in gains)
    shown = "a gain" if gains[0][1] > 0 else "no gain that so many worlds can tell"
    said = SAID.format(
        worlds=worlds, ai_models=AI_MODELS, draws=DRAWS, nothing=by["believed"]["nothing"].mean(),
        less=less, verdict=shown, truth=truth, foretold=foretold,
    )  # fmt: skip
    made = circumstances(SEED, ["evalfolio", "numpy", "pymc"])
    body = f"{said}\n{table(HEAD, rows)}\n\n{made}"
    write_section("programmes", "Replanning against a plan at once", body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else WORLDS)
