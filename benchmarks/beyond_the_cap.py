"""Does the joint model foretell what more spend brings? Studies on the cyber runs and on METR's.

Run with the folder of the public data and the parts:
python -m benchmarks.beyond_the_cap ../shared/data bpemc
(b) all runs cut at 200k tokens, success within 2M foretold; (p) the same inside what (b) is given:
cut at 50k, success within 200k foretold; (e) cut at 50k, success within 500k; (m) the first attempt
at every task of METR's, evals by length, cut at 2 minutes of wall time, success within 20 foretold;
(c) fresh attempts at failed tasks with 10M tokens. Curves most of whose runs the smaller cap
stopped, as is known before any forecast, have a row of their own. A table tells the 50 % horizon
within the larger cap, log2 minutes, which a threshold with an adversary's spend is held against:
the domain's, so that its band holds how far evals depart from it, though the tasks foretold are
those seen. Far fewer than 100 units are independent, so coverage comes with an interval clustered
by AI model, and interval scores stand beside those of baselines. The forecast has no constant that
was chosen by what came of it.

A run that succeeded or gave up within the smaller cap is known. One that is still going at s
succeeds by c with probability A·(F(c) − F(s))/(A·(1 − F(s)) + (1 − A)·(1 − H(s))), each by itself
given the curve. A task that failed is attempted anew with the chance p of tasks unlike each other
(`evalbayes.model.task_spread`), weighed by how likely its failure was at each p.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cyber_runs import CAP, FAMILIES, cyber_runs, recapped
from benchmarks.fits import catalogue_of, observed
from benchmarks.forecasts import HEAD, LEVELS, binomial_shares, by_luck, judged, rows_of, verdict
from benchmarks.tables import circumstances, table, write_section
from numpy.typing import NDArray
from scipy.special import expit, logit

from evalbayes.catalogue import Catalogue
from evalbayes.curves import Curve
from evalbayes.elicitation.adversary import horizon_within, spend_line
from evalbayes.horizons.horizon import fit_horizon, horizon_of
from evalbayes.model.eval_curve import eval_curve
from evalbayes.model.fit import fit
from evalbayes.model.priors import EFFORT_SPEND
from evalbayes.posterior import Posterior

Array = NDArray[np.float64]

SEED = 1
KEPT = 2000  # draws of the posterior that forecasts are made from
LARGE = 10_000_000.0
CUTS = {"b": (200_000.0, CAP), "p": (50_000.0, 200_000.0), "e": (50_000.0, 500_000.0)}
MINUTES = 2.0, 20.0  # of wall time, METR's: cut at, and foretold
LENGTHS = {"to 4 min": 4.0, "to 16 min": 16.0, "to 1 h": 60.0, "to 4 h": 240.0, "longer": np.inf}
MOSTLY = 0.5  # share of runs that the smaller cap stopped
UNFINISHED = ("cvebench", "cybench", "cybergym", "nyuctf")  # evals in which caps bind
RERUN = "GPT-5.3 Codex"
HALVINGS = np.array([3, 2, 1, 0])  # of the cap: those through which the log-linear line goes
OURS = "evalbayes"
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def curve_of(posterior: Posterior, eval_: str, ai_model: str) -> Curve:
    return eval_curve(
        posterior, posterior.index_of("eval", eval_), posterior.index_of("ai_model", ai_model)
    )


def carried_on(curve: Curve, small: float, large: float) -> Array:
    """P(success by the larger cap | still going at the smaller), by draw."""
    later = curve.success_within(np.log(large)) - curve.success_within(np.log(small))
    return np.asarray(np.clip(later / curve.stopped(np.log(small)), 0.0, 1.0))


def beyond_the_cap(
    runs: pd.DataFrame,
    posterior: Posterior,
    small: float,
    large: float,
    evals: Sequence[str] = UNFINISHED,
) -> tuple[pd.DataFrame, Array]:
    """Foretell success within a cap from runs cut at a smaller; and our draws."""
    rows, draws = [], []
    later = recapped(runs, large)["outcome"] == "success"
    early = later & (runs["spend"] <= small)
    going = recapped(runs, small)["outcome"] == "stopped_by_cap"
    runs = runs.assign(solved=later.astype(int), early=early, going=going)
    for k, name in enumerate(posterior.ai_models):
        for eval_ in evals:
            own = runs[(runs["ai_model"] == name) & (runs["eval"] == eval_)]
            if not len(own):
                continue
            rng = np.random.default_rng([SEED, k])
            chance = carried_on(curve_of(posterior, eval_, name), small, large)
            shares = {
                OURS: (own["early"].sum() + rng.binomial(own["going"].sum(), chance)) / len(own),
                "flat": binomial_shares(own["early"], len(own), rng),
                "log-linear": log_linear_shares(own, small, large, rng),
            }
            for method, share in shares.items():
                row = judged(share, float(own["solved"].mean()))
                row |= {"ai_model": name, "eval": eval_, "method": method}
                rows.append(row | {"early": own["early"].mean(), "going": own["going"].mean()})
            draws.append(shares[OURS])
    return pd.DataFrame(rows), np.array(draws)


def horizons_within(
    runs: pd.DataFrame, posterior: Posterior, catalogue: Catalogue, small: float, large: float
) -> pd.DataFrame:
    """Foretell log2 of the 50 % horizon within a cap from runs cut at a smaller.

    What comes is the horizon of the runs at the larger cap, which a few hundred tasks leave unsure:
    that luck is in every forecast.
    """
    rows = []
    for k, name in enumerate(posterior.ai_models):
        own = runs[runs["ai_model"] == name]
        caps = [*(small / 2.0**HALVINGS), large]
        *lower, actual = (horizon_at(own, cap) for cap in caps)
        rng = np.random.default_rng([SEED, k])
        luck = rng.permutation(actual - np.median(actual))
        x = np.log(caps[:-1]) - np.log(caps[:-1]).mean()
        rise = x @ np.array(lower) / (x @ x)
        portfolio = catalogue.portfolio.model_copy(update={"ai_model": name})
        told = catalogue.model_copy(update={"portfolio": portfolio})
        level, steep, width = spend_line(posterior, told, "cyber", rng)
        usd = large * catalogue.evals[0].usd_per_unit.mid
        able = np.log2(horizon_of(posterior, "cyber", name).minutes())
        slope = posterior.draws["slope"][:, 0, k]
        drawn = {
            OURS: horizon_within(able, slope, usd, level - EFFORT_SPEND[0], steep, width),
            "flat": lower[-1],
            "log-linear": np.mean(lower, axis=0)
            + rise * (np.log(large) - np.log(caps[:-1]).mean()),
        }
        for method, draws in drawn.items():
            row = judged(draws + np.resize(luck, len(draws)), float(np.median(actual)))
            rows.append(row | {"ai_model": name, "method": method})
    return pd.DataFrame(rows)


def horizon_at(own: pd.DataFrame, cap: float) -> Array:
    """Draws of log2 of the 50 % horizon of runs within a cap."""
    solved = (recapped(own, cap)["outcome"] == "success").to_numpy(float)
    tasks, evals = own["task"].to_numpy(), own["eval"].to_numpy()
    minutes = own["human_minutes"].to_numpy(float)
    return np.log2(fit_horizon(minutes, solved, tasks=tasks, evals=evals, seed=SEED).minutes())


def by_eval(found: pd.DataFrame) -> str:
    """Table of our forecasts by eval."""
    ours = found[found["method"] == OURS]
    rows = [
        [str(name), *(f"{own[f'covered{level}'].mean():.2f}" for level in LEVELS)]
        + [f"{own[column].mean():.3f}" for column in ("early", "actual")]
        + [f"{own['error'].mean():+.3f}", f"{own['score0.9'].mean():.3f}"]
        for name, own in ours.groupby("eval")
    ]
    head = ("", "50 % covered", "90 % covered", "solved early", "in the end", "bias", "score")
    return table(head, rows)


def log_linear_shares(
    own: pd.DataFrame, small: float, large: float, rng: np.random.Generator
) -> Array:
    """Shares on a line through those at smaller caps against ln cap; tasks are resampled."""
    caps = small / 2.0**HALVINGS
    solved = (own["success"] == 1).to_numpy()[:, None]
    within = solved & (own["spend"].to_numpy()[:, None] <= caps)
    picks = rng.integers(0, len(own), (4000, len(own)))
    shares = within[picks].mean(axis=1)
    x = np.log(caps) - np.log(caps).mean()
    slope = shares @ x / (x @ x)
    at = shares.mean(axis=1) + slope * (np.log(large) - np.log(caps).mean())
    return np.clip(at, 0.0, 1.0)


def reruns(posterior: Posterior, runs: pd.DataFrame, again: pd.DataFrame) -> list[list[str]]:
    """Foretell fresh attempts at failed tasks, by eval."""
    rng = np.random.default_rng(SEED)
    first = runs[runs["ai_model"] == RERUN].set_index(["eval", "task"])["outcome"]
    before = pd.Series([first[key] for key in zip(again["eval"], again["task"], strict=True)])
    kinds = {"fresh attempt": fresh_chance, "had the run gone on": going_on, "tasks alike": alike}
    drawn = {kind: np.zeros((posterior.n_draws, len(again))) for kind in kinds}
    for eval_, part in again.groupby("eval"):
        curve = curve_of(posterior, str(eval_), RERUN)
        i, m = posterior.index_of("eval", str(eval_)), posterior.index_of("ai_model", RERUN)
        spread = posterior.in_unit_of(i, "slope")[:, m] * posterior.draws["task_sd"][:, i]
        for at in part.index:
            stopped = before[at] == "stopped_by_cap"
            for kind, chance in kinds.items():
                won = rng.random(posterior.n_draws) < chance(curve, spread, stopped)
                drawn[kind][:, at] = won
    rows = []
    for eval_, part in [("all", again), *again.groupby("eval")]:
        at = part.index.to_numpy()
        counts = [drawn[kind][:, at].sum(axis=1) for kind in kinds]
        rows.append(
            [str(eval_), str(len(at)), str(int(part["success"].sum())), *map(in_words, counts)]
        )
    return rows


def fresh_chance(curve: Curve, spread: Array, stopped: bool) -> Array:
    """P(success within 10M of a new attempt | the first failed), over tasks unlike each other."""
    plateau = np.asarray(curve.plateau)
    centre = logit(plateau) * np.sqrt(1.0 + np.pi * spread**2 / 8.0)
    p = expit(centre[:, None] + spread[:, None] * NODES)
    failed = 1.0 - p
    if stopped:
        still_won = 1.0 - curve.levelled(np.log(CAP))
        still_lost = (curve.stopped(np.log(CAP)) - plateau * still_won) / (1.0 - plateau)
        failed = p * still_won[:, None] + failed * still_lost[:, None]
    chance: Array = (p * failed) @ WEIGHTS / (failed @ WEIGHTS) * curve.levelled(np.log(LARGE))
    return chance


def going_on(curve: Curve, spread: Array, stopped: bool) -> Array:
    """P(success within 10M | the run is carried on); what gave up has failed."""
    return carried_on(curve, CAP, LARGE) if stopped else np.zeros_like(spread)


def alike(curve: Curve, spread: Array, stopped: bool) -> Array:
    """P(success within 10M) of any task."""
    return curve.success_within(np.log(LARGE))


def in_words(counts: Array) -> str:
    low, high = np.quantile(counts, [0.05, 0.95])
    return f"{counts.mean():.1f} [{low:.0f}, {high:.0f}]"


def fitted(runs: pd.DataFrame, families: dict[str, str] = FAMILIES) -> tuple[Posterior, str]:
    """Fit with the draws a fit takes by default; and what its gate says."""
    posterior = fit(catalogue_of(runs, families), observed(runs), seed=SEED)
    told = posterior.diagnostics.quantities
    gate = (
        f"A fit of default length, {len(told)} quantities: R-hat at most "
        f"{told['r_hat'].max():.3f}, effective sample size at least {told['ess_bulk'].min():.0f} "
        f"(bulk) and {told['ess_tail'].min():.0f} (tail), "
        f"{posterior.diagnostics.divergences} divergences. "
        f"The gate is {'passed' if posterior.diagnostics.passed else '**failed**'}."
    )
    return posterior.thinned(KEPT), gate


def part_b(runs: pd.DataFrame, small: float, large: float) -> str:
    title = f"Success within {large:,.0f} tokens from all runs cut at {small:,.0f}, four evals:"
    return told(title, runs, small, large, FAMILIES, UNFINISHED)


def part_m(runs: pd.DataFrame) -> str:
    small, large = MINUTES
    title = (
        f"Success within {large:g} minutes of wall time from first attempts at METR's tasks "
        f"(RE-Bench left out) cut at {small:g}, evals by length of tasks:"
    )
    return told(title, runs, small, large, dict.fromkeys(LENGTHS, "tasks"), tuple(LENGTHS))


def told(
    title: str,
    runs: pd.DataFrame,
    small: float,
    large: float,
    families: dict[str, str],
    evals: Sequence[str],
) -> str:
    """Foretell, and say how it went."""
    posterior, gate = fitted(recapped(runs, small), families)
    horizons = horizons_within(runs, posterior, catalogue_of(runs, families), small, large)
    found, draws = beyond_the_cap(runs, posterior, small, large, evals)
    mostly = found[found["going"] >= MOSTLY]
    return "\n\n".join(
        [
            title,
            table(HEAD, rows_of(found)),
            verdict(found, OURS),
            by_luck(found, draws),
            f"Curves of which the smaller cap stopped {MOSTLY:.0%} of the runs or more:",
            table(HEAD, rows_of(mostly)),
            verdict(mostly, OURS),
            "By eval:",
            by_eval(found),
            f"The 50 % horizon within {large:,.0f}, log2 minutes:",
            table(HEAD, rows_of(horizons)),
            verdict(horizons, OURS),
            gate,
        ]
    )


def first_attempts(path: Path) -> pd.DataFrame:
    """METR's first attempt at every task by every AI model, spend in minutes of wall time."""
    runs = pd.read_csv(path)
    runs = runs[runs["source"] != "RE-Bench"].drop_duplicates(["ai_model", "task"])
    failed = np.where(runs["stopped_by_limit"], "stopped_otherwise", "gave_up")
    ends = [0.0, *LENGTHS.values()]
    return runs.assign(
        eval=pd.cut(runs["human_minutes"], ends, labels=list(LENGTHS)).astype(str),
        outcome=np.where(runs["success"] == 1, "success", failed),
        spend=runs["wall_minutes"],
        cap=np.maximum(runs["time_limit_seconds"] / 60.0, runs["wall_minutes"]),
    ).reset_index(drop=True)


def part_c(runs: pd.DataFrame, again: pd.DataFrame) -> str:
    head = ("eval", "reruns", "solved", "fresh attempt", "had the run gone on", "tasks alike")
    title = f"{RERUN}, failed tasks again with {LARGE:,.0f} tokens: solved, and foretold [90 %]:"
    posterior, gate = fitted(runs)
    return f"{title}\n\n{table(head, reruns(posterior, runs, again))}\n\n{gate}"


def main(folder: Path, parts: str = "bpemc") -> None:
    """Run parts of the study; each writes its own section."""
    runs = cyber_runs(folder / "cyber_runs.csv.gz")
    metr = first_attempts(folder / "metr_runs.csv.gz")
    again = cyber_runs(folder / "cyber_rerun_10m.csv").reset_index(drop=True)
    studies = {
        "b": ("at ten times the cap", lambda: part_b(runs, *CUTS["b"])),
        "p": ("at four times a lower cap", lambda: part_b(runs, *CUTS["p"])),
        "e": ("at ten times a lower cap", lambda: part_b(runs, *CUTS["e"])),
        "m": ("METR's at ten times the time", lambda: part_m(metr)),
        "c": ("failed tasks again", lambda: part_c(runs, again)),
    }
    for part in parts:
        title, study = studies[part]
        body = study()
        when = circumstances(SEED, ("evalfolio", "pymc", "nutpie", "numba", "numpy"))
        command = f"`python -m benchmarks.beyond_the_cap ../shared/data {part}`"
        body = f"{body}\n\n{command}. {when}"
        write_section(f"beyond-{part}", f"Beyond the cap ({part}): {title}", body)
        print(body)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "bpemc")
