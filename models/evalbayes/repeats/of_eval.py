"""Best-of-k of one eval of a catalogue: learned from repeats, or implied by the posterior."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue, EvalSpec
from evalbayes.curves import Curve
from evalbayes.errors import InputError
from evalbayes.model.eval_curve import eval_curve
from evalbayes.observations.attempts import attempts_of, by_task
from evalbayes.observations.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalbayes.repeats.best_of_k import BestOfK, fit_best_of_k
from evalbayes.repeats.clustering import attempt_correlation, counted
from evalbayes.repeats.split import best_split, split_map

ATTEMPTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
FEWEST = 5  # tasks with repeats from which best-of-k is learned
DRAWS = 400
NEVER = (-1.5, 1.0)  # logit of the share of failures that are beyond reach: mean and sd
LIKELY_ENOUGH = 0.05  # chance that answers can be guessed from which it is spoken of
LEAST_ABOVE = 1e-6  # share that is more than guessing, where nothing seems to be
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class EvalRepeats:
    """What repeats of one eval bring one AI model."""

    spec: EvalSpec  # spec, ai_model: the eval, and who runs it
    ai_model: str
    solvable: BestOfK  # how solvable its tasks are
    curve: Curve  # spend and success of an attempt, fields of shape (n_draws,)
    source: str  # what that rests on, in words
    # cap of the attempts it was learned from; None where it rests on the posterior
    seen: float | None

    @property
    def _fair(self) -> dict[str, Any]:
        return {"resettable": self.spec.resettable, "verifier": self.spec.verifier}

    def pass_table(self, attempts: Sequence[int] = ATTEMPTS) -> pd.DataFrame:
        """Return the share of tasks solved in k attempts at full length, counted where fair.

        One row per k: attempts, solved, solved_low, solved_high (90 % interval), uncounted, the
        share if every task could be reset and every success verified, and guessed, the share that
        guesses alone solve where all k attempts count.
        """
        if attempts[0] != 1:
            raise InputError(
                f"attempts must begin with 1, the single run, got {attempts[0]}: add it"
            )
        shares = self.solvable.pass_at(np.array(attempts))
        rows = []
        for j, k in enumerate(attempts):
            solved = counted(shares[:, 0], shares[:, j], **self._fair)
            low, middle, high = np.quantile(solved, (LOW, MIDDLE, HIGH))
            rows.append(
                {
                    "attempts": k,
                    "solved": middle,
                    "solved_low": low,
                    "solved_high": high,
                    "uncounted": float(np.median(shares[:, j])),
                    "guessed": float(np.median(1.0 - self.solvable.wrong**k)),
                }
            )
        return pd.DataFrame(rows)

    def splits(self, total: float, attempts: Sequence[int] = ATTEMPTS) -> pd.DataFrame:
        """Return the whole k × t map for a total spend per task, as `split_map` has it.

        Lengths are the equal shares of the total by every k, so the best split of the whole total
        is among them, and what it leaves unspent can be seen.
        """
        if not 0 < total < np.inf:
            raise InputError(
                f"the total spend per task must be a finite number above 0, got {total:g}; "
                "give what all attempts at one task may spend"
            )
        price = self.spec.usd_per_reset / self.spec.usd_per_unit.mid
        lengths = [(total - (k - 1) * price) / k for k in attempts]
        lengths = [t for t in lengths if t > 0]
        if self.seen is not None and max(lengths) > self.seen:
            lengths = [self.seen, *(t for t in lengths if t < self.seen)]
        settings = {**self._fair, "reset_price": price, "seen": self.seen}
        return split_map(self.solvable, self.curve, attempts, lengths, **settings)

    def best(self, total: float, attempts: Sequence[int] = ATTEMPTS) -> pd.Series:
        """Return the row of the map with the largest solved share whose ceiling fits the total."""
        return best_split(self.splits(total, attempts), total)


def repeats_of(
    posterior: Posterior,
    catalogue: Catalogue,
    name: str,
    ai_model: str | None = None,
    *,
    observations: Observations | None = None,
    seed: int = 0,
) -> EvalRepeats:
    """Work out what repeats of an eval bring an AI model.

    Where five or more of the eval's tasks were run again as they come by the AI model, how solvable
    tasks are is learned from them (zero-inflated beta-binomial over a floor of guessing). Elsewhere
    it follows from the posterior: see `implied`.

    InputError if the eval or the AI model is not in the posterior.

    Parameters
    ----------
    posterior, catalogue
        Belief about the curves, with the attempts it was learned from, and the evals.
    name, ai_model
        The eval, and the AI model; by default the one under test.
    observations
        Runs to count attempts in, instead of those that the posterior was learned from.
    seed
        Of the draws.
    """
    spec = catalogue.eval(name)
    model = ai_model or catalogue.portfolio.ai_model
    i, m = posterior.index_of("eval", name), posterior.index_of("ai_model", model)
    thin = posterior.thinned(DRAWS)
    curve = eval_curve(thin, i, m)
    tried = posterior.attempts if observations is None else attempts_of(observations)
    table = attempts_of(Observations()) if tried is None else tried
    attempts, successes = by_task(table, name, model)
    again = int((attempts > 1).sum())
    if again >= FEWEST:
        solvable = fit_best_of_k(
            attempts, successes, guessing=spec.guessing, seed=seed, n_draws=DRAWS
        )
        source = f"{again} tasks that {model} ran {int(np.median(attempts))} times (median)"
        source += _of_guesses(spec, solvable)
        own = (table["eval"].astype(str) == name) & (table["ai_model"].astype(str) == model)
        return EvalRepeats(spec, model, solvable, curve, source, float(table.loc[own, "cap"].max()))
    plateau = np.asarray(curve.plateau)
    slope = thin.in_unit_of(i, "slope")[:, m]
    correlation = attempt_correlation(plateau, slope, thin.draws["task_sd"][:, i])
    solvable = implied(plateau, correlation, np.random.default_rng(seed), spec.guessing or 0.0)
    source = (
        "the posterior, whose file keeps no attempts at tasks as that of a new fit does"
        if tried is None
        else f"the posterior: too few tasks were run again by {model}"
    )
    return EvalRepeats(spec, model, solvable, curve, source + _of_guesses(spec, solvable), None)


def _of_guesses(spec: EvalSpec, solvable: BestOfK) -> str:
    """Say how often a guess is right, where that may matter."""
    guessing = 1.0 - solvable.wrong
    if spec.guessing is not None:
        return f", and a guess right in {spec.guessing:.0%} of attempts (stated)" * (
            spec.guessing > 0
        )
    some = float((guessing > 0).mean())
    if some < LIKELY_ENOUGH:
        return ""
    return (
        f", and a guess right in {guessing.mean():.0%} of attempts, estimated (P = {some:.0%} that "
        "answers can be guessed at all; state guessing in the catalogue)"
    )


def implied(
    plateau: Array, correlation: Array, rng: np.random.Generator, guessing: float = 0.0
) -> BestOfK:
    """Return how solvable tasks are, from the mean A of p and the correlation ρ of attempts.

    Two moments do not tell tasks beyond reach from hard ones, so the share never solved is drawn
    from a prior, (1 − A)·expit(N(−1.5, 1)): a tenth to a third of what fails, as METR's repeats
    have it. The beta of the others keeps A and ρ: with v never solved, their mean is A/(1 − v) and
    their variance (ρ·A(1 − A) − v·A²/(1 − v))/(1 − v). Where a guess is right with chance g, A and
    ρ are of what is left: A′ = (A − g)/(1 − g) and ρ′ = ρ·A(1 − A)/((1 − g)²·A′(1 − A′)).
    """
    above = np.clip((plateau - guessing) / (1.0 - guessing), LEAST_ABOVE, 1.0 - 1e-9)
    spread = plateau * (1.0 - plateau) / ((1.0 - guessing) ** 2 * above * (1.0 - above))
    plateau, correlation = above, correlation * spread
    rho = np.clip(correlation, 1e-3, 1.0 - 1e-3)
    never = (1.0 - plateau) * expit(rng.normal(*NEVER, len(plateau)))
    # beyond it no variance is left
    most = rho * (1.0 - plateau) / (plateau + rho * (1.0 - plateau))
    never = np.minimum(never, 0.9 * most)
    mean = plateau / (1.0 - never)
    variance = (rho * plateau * (1.0 - plateau) - never * plateau * mean) / (1.0 - never)
    within = np.clip(variance / (mean * (1.0 - mean)), 1e-6, 1.0 - 1e-6)
    zero = np.zeros(len(plateau))
    return BestOfK(never, logit(mean), 1.0 / within - 1.0, zero, guessing=zero + guessing)
