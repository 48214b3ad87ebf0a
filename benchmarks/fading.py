"""Is it learned how far evidence reaches, and what does what was learned make of the example?

    python -m benchmarks.fading [POSTERIOR.nc]

Without an argument: histories of 60 AI models with plain and elicited runs of all lengths on both
sides of a threshold, in which nothing fades and in which both do. What a fit learns of the walk and
of the gap's range, with 90 % intervals, and what the eval furthest below the threshold is then
worth, beside a fit of the same runs without distance. With one, the demo's (out/cyber):
every eval of the example with and without distance, and where its plan goes deep.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

import numpy as np
import pandas as pd
from benchmarks.depth_by_gap import CATALOGUE
from benchmarks.tables import circumstances, percent, table, write_section
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.catalogue import Catalogue, parse_catalogue, read_catalogue
from evalbayes.catalogue.interval import Z95
from evalbayes.menus import menu_of
from evalbayes.model import priors
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, Rows, observations_of, read_observations
from evalbayes.posterior.placing import threshold_places
from evalbayes.posterior.posterior import Posterior
from evalfolio.objectives.valuation import worth_of
from evalfolio.plans.evaluation import evaluate
from evalfolio.recommendations.recommender import recommend
from evalfolio.targets.stated import gap_correlations

Array = NDArray[np.float64]

MINUTES = (2.0, 16.0, 128.0, 1024.0, 8192.0)  # on both sides of 8 h, 3 doublings apart
SPAN = 9.0  # doublings of which walk and tie are told
N_MODELS, RUNS, SLOPE, OWN = 60, 150, 0.6, 0.3
GAP, GAP_SD, EFFORT, CAP = 1.2, 0.7, 0.8, 1e6
NONE, FADING = (0.0, 1e5), (0.6, 4.0)  # sd of the walk per root doubling, range of the gap
NO_WALK, ONE_GAP = (-12.0, 0.01), priors.Positive(1e5, 0.01)  # as without distance
SEEDS, DRAWS, CHAINS = (0, 1, 2), 400, 2
fitted = partial(fit, draws=DRAWS, tune=500, chains=CHAINS)
PACKAGES = ("evalfolio", "pymc", "nutpie", "numba", "numpy")


def catalogue() -> Catalogue:
    """Five evals of one domain; spends are stated, so that runs tell of capability alone."""
    shared = {"domain": "cyber", "tasks": 60, "spend_unit": "tokens", "usd_per_unit": 1e-6}
    shared |= {"half_spend": [1e3, 1e4], "max_cap": CAP, "staff_hours_elicitation": 80}
    evals = [
        {"name": f"e{k}", "human_minutes": at, "difficulty": float(np.log2(at)), **shared}
        for k, at in enumerate(MINUTES)
    ]
    ends = (GAP * np.exp(Z95 * np.array([-1.0, 1.0]) * GAP_SD * 2**0.5)).tolist()
    domain = {"name": "cyber", "threshold_human_time": "8 h", "elicitation_gap": ends}
    head = {"portfolio": {"ai_model": "under test"}}
    return parse_catalogue(head | {"domain": [domain], "eval": evals})


def history(walk_sd: float, range_: float, seed: int = 0, n_models: int = N_MODELS) -> Observations:
    """Counts of plain and elicited runs of AI models at all lengths, with the processes given."""
    rng = np.random.default_rng(seed)
    place = np.log2(MINUTES)
    lucks = rng.standard_normal((2, n_models, len(place)))
    steps = walk_sd * np.sqrt(np.diff(place, prepend=place[0])) * lucks[0]
    shown = rng.normal(7.0, 2.5, (n_models, 1)) + steps.cumsum(axis=1) + OWN * lucks[1]
    tie = np.exp(-np.abs(place - place[:, None]) / range_)
    gap = GAP * np.exp(GAP_SD * rng.multivariate_normal(0.0 * place, tie, n_models))
    rows = [
        (f"e{k}", f"M{m}", effort, CAP, RUNS, rng.binomial(RUNS, expit(SLOPE * margin)), MINUTES[k])
        for m, k in np.ndindex(shown.shape)
        for effort in (0.0, EFFORT)
        for margin in (shown[m, k] + effort * gap[m, k] - place[k],)
    ]
    columns = ["eval", "ai_model", "effort", "cap", "n_runs", "n_success", "human_minutes"]
    return observations_of([Rows(pd.DataFrame(rows, columns=columns), "history.csv")])


@contextmanager
def without_distance() -> Iterator[None]:
    """Fit as if evidence reached everywhere: no walk, and one gap at all lengths."""
    with mock.patch.multiple(priors, DISTANCE_SHARE=NO_WALK, GAP_RANGE=ONE_GAP):
        yield


def worths(posterior: Posterior, specs: Catalogue) -> pd.DataFrame:
    """By eval of the first domain: correlation of its gap with the threshold's, and what is gained.

    In shares of perfect information: what a full plateau-level pass alone is worth, and what depth
    adds where all evals have such a pass.
    """
    menu = menu_of(posterior, specs)
    decision, rows = menu.decisions[0], menu.options
    own = rows[rows["domain"] == specs.domains[0].name].reset_index(names="option")
    first = own.pivot_table("option", "eval", "tier", aggfunc="first", sort=False)
    everything = worth_of(menu, decision).evpi

    def share(options: pd.Series) -> float:
        return evaluate(menu, options.tolist()).by_decision[decision.name] / everything

    plain, deep = first["plateau"], first["max-elicitation"]
    found = pd.DataFrame({"correlation": gap_correlations(menu, specs.domains[0].name)})
    found["alone"] = {each: share(plain[[each]]) for each in plain.index}
    found["depth"] = {
        each: share(plain.where(plain.index != each, deep)) - share(plain) for each in plain.index
    }
    return found


def interval(draws: Array) -> str:
    """Median and 90 % interval."""
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def learned() -> None:
    """Fit the histories and write what they teach."""
    specs, rows, effective = catalogue(), [], []
    for words, (walk_sd, range_) in (("none", NONE), ("both", FADING)):
        for seed in SEEDS:
            runs = history(walk_sd, range_, seed)
            posterior = fitted(specs, runs, seed=seed)
            walk, tie = (posterior.draws[key][:, 0] for key in ("walk_sd", "gap_range"))
            told = posterior.diagnostics.quantities.loc[["walk_sd", "gap_range"]]
            effective.append(told["ess_bulk"].min())
            now = worths(posterior, specs).iloc[0]
            with without_distance():
                old = worths(fitted(specs, runs, seed=seed), specs).iloc[0]
            rows.append(
                [
                    words,
                    str(seed),
                    f"{walk_sd * SPAN**0.5:.2f}",
                    interval(walk * SPAN**0.5),
                    f"{np.exp(-SPAN / range_):.2f}",
                    interval(np.exp(-SPAN / tie)),
                    *(f"{percent(now[key])} ({percent(old[key])})" for key in ("alone", "depth")),
                ]
            )
            print(rows[-1], flush=True)
    head = ("what fades", "seed", "walk, true", "learned", "tie, true", "learned", "pass", "depth")
    body = (
        f"{N_MODELS} simulated AI models, {len(MINUTES)} evals of 2 min to 137 h about a threshold "
        f"of 8 h, {RUNS} plain and {RUNS} elicited runs of each pair. *Walk*: sd, in doublings, of "
        f"what shown capability departs by over {SPAN:g} doublings; *tie*: correlation of ln gap "
        "over as many; medians with 90 % intervals. *Pass*, *depth*: what a full plateau-level "
        "pass of the 2-minute eval, 8 doublings below, is worth alone, and what depth on it adds "
        "where all evals have a pass, of perfect information; in brackets the same runs fitted "
        "without distance, which is the old reach. Before any run the walk is "
        f"{interval(SPAN**0.5 * prior('walk_sd'))}, the tie "
        f"{interval(np.exp(-SPAN / prior('gap_range')))}. At least {min(effective):.0f} of "
        f"{DRAWS * CHAINS} draws of walk and range count in every fit."
    )
    when = circumstances(SEEDS[0], PACKAGES)
    body = f"{body}\n\n{table(head, rows)}\n\n`python -m benchmarks.fading`. {when}"
    write_section("fading", "Fading is learned", body)


def prior(name: str) -> Array:
    """Draws of a fit without any evidence."""
    draws: Array = fit(catalogue(), observations_of([]), draws=20_000).draws[name][:, 0]
    return draws


def example(path: str) -> None:
    """Write what distance does to the evals of the example, and where its plan goes deep."""
    specs, posterior = read_catalogue(CATALOGUE), Posterior.load(path)
    tables = [CATALOGUE.parent / name for name in ("cyber_cells.csv", "metr_counts.csv")]
    now = worths(posterior, specs).sort_values("correlation")
    with without_distance():
        old = worths(fit(specs, read_observations(tables)), specs).loc[now.index]
    choices = recommend(specs, None, posterior, frontier_points=0).plan.choices
    deep = set(choices.loc[choices["tier"] == "max-elicitation", "eval"]) & set(now.index)
    (threshold,) = threshold_places(specs, "cyber")
    below = {e.name: threshold - np.log2(e.human_minutes or 1.0) for e in specs.evals}
    rows = [
        [name, f"{below[name]:.1f}", f"{now['correlation'][name]:.2f}"]
        + [f"{percent(now[key][name])} ({percent(old[key][name])})" for key in ("alone", "depth")]
        + ["deep" if name in deep else ""]
        for name in map(str, now.index)
    ]
    shell = ["nl2bash", "cybashbench"]
    holds = {
        "Depth on a shell suite adds at most 1 % of perfect information": (
            now["depth"][shell].max() <= 0.01
        ),
        "it is not bought": not deep & set(shell),
        "gaps of deep evals correlate at least 0.4": (now["correlation"][[*deep]] >= 0.4).all(),
        "at least one eval is deep": bool(deep),
        "a pass of either shell suite is worth less than without distance": (
            (now["alone"] < old["alone"])[shell].all()
        ),
    }
    head = ("eval", "doublings below 40 h", "correlation of gaps", "pass alone", "depth adds", "")
    body = (
        "The evals of `examples/cyber` in cyber: the correlation of the gap that depth there reads "
        "with that at the threshold; what a full plateau-level pass is worth alone, and what depth "
        "adds where all have one, of perfect information (in brackets: the same history fitted "
        "without distance); and where the plan goes deep."
    )
    told = "; ".join(f"{words}: {'yes' if yes else 'NO'}" for words, yes in holds.items())
    when = f"`python -m benchmarks.fading out/cyber/posterior.nc`. {circumstances(0, PACKAGES)}"
    text = "\n\n".join([body, table(head, rows), f"{told}.", when])
    write_section("fading-example", "What fading makes of the example", text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        example(sys.argv[1])
    else:
        learned()
