"""How long does a fit sample, compiling apart, and how well does it converge?

python -m benchmarks.fits ../shared/data [cyber] [example] [many]

cyber: the public cyber runs with the draws a fit takes by default, several seeds after one
compilation; example: the same of `make demo`'s inputs. many: one whole fit of 10⁵ simulated runs,
in a process of its own whose largest memory is given. Wall clock depends on what else runs, so CPU
seconds stand beside it: two idle cores give two a second.
"""

from __future__ import annotations

import inspect
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.cyber_runs import FAMILIES, cyber_runs
from benchmarks.tables import circumstances, table, write_section
from scipy.special import expit

from evalbayes.catalogue import Catalogue, parse_catalogue, read_catalogue
from evalbayes.model import sampling
from evalbayes.model.convergence import convergence
from evalbayes.model.design import design_of
from evalbayes.model.evidence import evidence_of
from evalbayes.model.fit import fit
from evalbayes.model.graph import build
from evalbayes.observations import Observations, Rows, observations_of, read_observations

EXAMPLE = Path(__file__).parents[1] / "examples" / "cyber"
SEEDS = (0, 1, 2, 3)
ASKED = {
    name: inspect.signature(fit).parameters[name].default for name in ("draws", "tune", "chains")
}
EVALS, AI_MODELS, RUNS = 10, 20, 500  # of 10⁵ runs: 200 cells
GROUPS = 5  # families of evals among them
PACKAGES = ("evalfolio", "pymc", "nutpie", "numba", "numpy")


def catalogue_of(runs: pd.DataFrame, families: dict[str, str]) -> Catalogue:
    """One domain with the evals that were run."""
    minutes = runs.groupby("eval")["human_minutes"].median()
    return parse_catalogue(
        {
            "portfolio": {"ai_model": str(runs["ai_model"].iloc[-1])},
            "domain": [{"name": "cyber", "threshold_human_time": "16 h"}],
            "eval": [
                {
                    "name": name,
                    "domain": "cyber",
                    "family": families[name],
                    "tasks": int(runs.loc[runs["eval"] == name, "task"].nunique()),
                    "human_minutes": float(minutes[name]),
                    "spend_unit": "tokens",
                    "usd_per_unit": [4e-6, 9e-6],
                }
                for name in sorted(families)
            ],
        }
    )


def observed(runs: pd.DataFrame) -> Observations:
    names = ["eval", "task", "ai_model", "outcome", "spend", "cap", "human_minutes"]
    return observations_of([Rows(runs[names], "runs")])


def simulated(rng: np.random.Generator) -> pd.DataFrame:
    """10⁵ runs: abler AI models solve more of harder evals, spends grow with human time.

    Departures of evals, families and cells are as large as the model's priors have them.
    """
    ln_minutes = np.sort(rng.uniform(0.0, 7.0, EVALS))
    shown = rng.uniform(0.0, 8.0, AI_MODELS)
    speed = rng.normal(0.0, 0.6, AI_MODELS)
    i, m, _ = (k.reshape(-1) for k in np.indices((EVALS, AI_MODELS, RUNS)))
    departure = rng.normal(0.0, 0.8, (EVALS, AI_MODELS))
    departure += rng.normal(0.0, 0.5, (GROUPS, AI_MODELS))[np.arange(EVALS) % GROUPS]
    level = 0.6 * (shown[m] + departure[i, m] - ln_minutes[i] / np.log(2.0))
    would = rng.random(len(i)) < expit(level)
    later = 0.7 + rng.normal(0.0, 0.4, EVALS)
    cell = rng.normal(0.0, 0.4, (2, EVALS, AI_MODELS))
    location = 10.0 + 0.4 * ln_minutes[i] + rng.normal(0.0, 0.7, EVALS)[i] + speed[m]
    location += np.where(would, cell[0, i, m], later[i] + cell[1, i, m])
    spend = np.exp(rng.normal(location, 1.1))
    cap = 1e6
    outcome = np.where(spend > cap, "stopped_by_cap", np.where(would, "success", "gave_up"))
    return pd.DataFrame(
        {
            "eval": [f"eval {k:02d}" for k in i],
            "task": [f"t{k}" for k in np.tile(np.arange(RUNS), EVALS * AI_MODELS)],
            "ai_model": [f"AI {k:02d}" for k in m],
            "outcome": outcome,
            "spend": np.minimum(spend, cap),
            "cap": cap,
            "human_minutes": np.exp(ln_minutes[i]),
        }
    )


def clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def sampled(catalogue: Catalogue, observations: Observations, seeds: tuple[int, ...]) -> Any:
    """CPU seconds of compiling; a row per seed: CPU, wall clock and how well it converged."""
    evidence = evidence_of(observations)
    design = design_of(catalogue, evidence)
    start = time.process_time()
    graph = build(design, evidence)
    program = sampling.compiled(graph.model)
    # a few steps, so that what numba compiles at first use is not counted as sampling
    sampling.sample(program, seed=0, draws=2, tune=5, chains=1)
    compiling = time.process_time() - start
    rows = []
    for seed in seeds:
        cpu, wall = clocks()
        found = sampling.sample(program, seed=seed, **ASKED)
        after = clocks()
        told = convergence(design, evidence, graph.named(**found.draws))
        rows.append(
            {
                "seed": seed,
                "cpu": after[0] - cpu,
                "wall": after[1] - wall,
                "divergences": found.divergences,
                "r_hat": float(told["r_hat"].max()),
                "bulk": float(told["ess_bulk"].min()),
                "tail": float(told["ess_tail"].min()),
            }
        )
        print(rows[-1], flush=True)
    return compiling, rows


def cyber(folder: Path) -> None:
    runs = cyber_runs(folder / "cyber_runs.csv.gz")
    found = sampled(catalogue_of(runs, FAMILIES), observed(runs), SEEDS)
    what = f"{len(runs):,} runs of 10 AI models on 7 evals"
    tell("fits-cyber", "Fit of the cyber runs", what, found, "../shared/data cyber", 60)


def example(_: Path) -> None:
    catalogue = read_catalogue(EXAMPLE / "catalogue.toml")
    tables = [EXAMPLE / name for name in ("cyber_cells.csv", "metr_counts.csv")]
    found = sampled(catalogue, read_observations(tables), SEEDS)
    what = "The example of `make demo`"
    tell("fits-example", "Fit of the example", what, found, "../shared/data example", 30)


def tell(section: str, title: str, what: str, found: Any, command: str, aim: int) -> None:
    """Write the table of a fit from several seeds."""
    compiling, rows = found
    worst, longest = (max(row[key] for row in rows) for key in ("cpu", "wall"))
    lines = [
        [
            str(row["seed"]),
            f"{row['cpu']:.0f} s",
            f"{row['wall']:.0f} s",
            str(row["divergences"]),
            f"{row['r_hat']:.4f}",
            f"{row['bulk']:.0f}",
            f"{row['tail']:.0f}",
        ]
        for row in rows
    ]
    head = ("seed", "CPU", "wall clock", "divergences", "worst R-hat", "least bulk ESS", "tail ESS")
    text = (
        f"{what}; {ASKED['chains']} chains of "
        f"{ASKED['draws']} draws after {ASKED['tune']} steps of adaptation, over all reported "
        f"quantities. Compiling took {compiling:.0f} CPU-s. Sampling takes {worst:.0f} CPU-s at "
        f"most and {longest:.0f} s by the clock: {worst / 2:.0f} s on two idle cores (aim: {aim} "
        f"s).\n\n{table(head, lines)}\n\n"
        f"`python -m benchmarks.fits {command}`. {circumstances(SEEDS[0], PACKAGES)}"
    )
    write_section(section, title, text)
    print(text)


def one_large() -> None:
    """Fit 10⁵ runs whole, its sampling timed apart; print what it took as JSON."""
    runs = simulated(np.random.default_rng(7))
    families = {name: f"family {k % GROUPS}" for k, name in enumerate(runs["eval"].unique())}
    catalogue, observations = catalogue_of(runs, families), observed(runs)
    took: dict[str, float] = {}

    def watched(*arguments: Any, **options: Any) -> Any:
        cpu, wall = clocks()
        found = sample(*arguments, **options)
        after = clocks()
        took.update(cpu=after[0] - cpu, wall=after[1] - wall)
        return found

    sample, sampling.sample = sampling.sample, watched
    cpu, wall = clocks()
    diagnostics = fit(catalogue, observations).diagnostics
    after = clocks()
    told = diagnostics.quantities
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
    found = {
        "runs": len(runs), "whole_cpu": after[0] - cpu, "whole_wall": after[1] - wall,
        "memory": memory, "divergences": diagnostics.divergences,
        "r_hat": float(told["r_hat"].max()), "bulk": float(told["ess_bulk"].min()),
        "tail": float(told["ess_tail"].min()), "reasons": diagnostics.reasons,
    }  # fmt: skip
    print(json.dumps(took | found))


def many(_: Path) -> None:
    code = "from benchmarks import fits; fits.one_large()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    rows = [
        ["sampling", f"{found['cpu']:.0f} s", f"{found['wall']:.0f} s"],
        ["the whole fit", f"{found['whole_cpu']:.0f} s", f"{found['whole_wall']:.0f} s"],
    ]
    gate = "; ".join(found["reasons"]) or "passed"
    text = (
        f"{found['runs']:,} simulated runs of {AI_MODELS} AI models on {EVALS} evals, "
        f"{EVALS * AI_MODELS} cells of which each is summed up without loss; departures of "
        "families, evals and cells are simulated as large as the model's priors have them. Largest "
        "memory of the "
        f"process {found['memory']:.1f} GiB (aim: 4). Sampling takes {found['cpu']:.0f} CPU-s: "
        f"{found['cpu'] / 2:.0f} s on two idle cores (aim: 300 s). "
        f"{found['divergences']} divergences, R-hat at most {found['r_hat']:.4f}, bulk ESS at "
        f"least {found['bulk']:.0f}, tail ESS at least {found['tail']:.0f}. Gate: {gate}.\n\n"
        f"{table(('part', 'CPU', 'wall clock'), rows)}\n\n"
        f"`python -m benchmarks.fits ../shared/data many`. {circumstances(7, PACKAGES)}"
    )
    write_section("fits-many", "Fit of a hundred thousand runs", text)
    print(text)


if __name__ == "__main__":
    parts = {"cyber": cyber, "example": example, "many": many}
    for part in sys.argv[2:] or parts:
        parts[part](Path(sys.argv[1]))
