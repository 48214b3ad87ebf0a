"""pass@k over the tasks of an eval: a zero-inflated beta-binomial, with its posterior."""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy.special import betaln, expit, log_expit, roots_jacobi, softmax

from evalbayes.arrays import Array, Index
from evalbayes.curves.small_posterior import rough_evidence, small_posterior
from evalbayes.errors import InputError
from evalbayes.posterior.posterior import thinned

# Floors of guessing that are tried where none is stated, and how likely they are before the counts:
# none; one in ten, five, four, three and two, the usual multiple choice.
FLOORS = (0.0, 0.1, 0.2, 0.25, 1.0 / 3.0, 0.5)
FLOOR_PRIOR = (0.8, 0.04, 0.04, 0.04, 0.04, 0.04)
UNLIKELY = 1e-3  # floors less likely than this, beside the likeliest, are left out
NODES = 48  # exact in k up to 95 attempts, and far past what is needed beyond
# Priors on: logit of the share never solved, logit of the mean, ln(a + b), slope per sd of x.
# The last two say U-shaped (a + b about 0.3 to 3; METR's repeats give 0.4 to 1) and harder with x.
PRIOR_MEAN = np.array([-1.5, 0.0, 0.0, -1.0])
PRIOR_SD = np.array([1.5, 1.5, 0.8, 1.0])


@dataclass(frozen=True, eq=False)
class BestOfK:
    """Draws of how solvable the tasks of an eval are for one AI model.

    A share of the tasks is never solved; at any other the chance p of one attempt is
    Beta(a, b) with mean expit(centre + slope·x) and a + b the concentration. 1 − `never` is the
    true plateau of best-of-k. Where answers can be guessed, a guess is right with chance g whatever
    the task: an attempt succeeds with g + (1 − g)·p, and all tasks are solved in the end.

    Parameters
    ----------
    never, centre, concentration, slope
        Of shape (n_draws,).
    x_mean, x_sd
        By which a task's covariate (say, log2 human minutes) is standardised.
    guessing
        g, of shape (n_draws,); None: 0.

    Examples
    --------
    >>> one = np.ones(1)
    >>> found = BestOfK(0.2 * one, 0.0 * one, 2.0 * one, 0.0 * one)
    >>> found.pass_at(np.array([1, 3, 1000])).round(3)  # uniform p: k/(k + 1) of the others
    array([[0.4  , 0.6  , 0.799]])
    """

    never: Array
    centre: Array
    concentration: Array
    slope: Array
    x_mean: float = 0.0
    x_sd: float = 1.0
    guessing: Array | None = None

    @property
    def wrong(self) -> Array:
        """Chance 1 − g that a guess is wrong, of shape (n_draws,)."""
        guessing = np.zeros(len(self.never)) if self.guessing is None else self.guessing
        return 1.0 - guessing

    def shapes(self, x: Array | float | None = None) -> tuple[Array, Array]:
        """Return a and b, of shape (n_draws, n_tasks) at x; (n_draws, 1) without x."""
        z = 0.0 if x is None else (np.atleast_1d(x) - self.x_mean) / self.x_sd
        mean = np.clip(expit(self.centre[:, None] + self.slope[:, None] * z), 1e-6, 1.0 - 1e-6)
        return mean * self.concentration[:, None], (1.0 - mean) * self.concentration[:, None]

    def pass_at(self, k: Array | int, x: Array | float | None = None) -> Array:
        """Share of fresh tasks solved in k attempts: 1 − (1 − g)^k·(v + (1 − v)·E[(1 − p)^k]).

        v is `never`. With x, the mean over tasks at these x. Of shape (n_draws, n_k).
        """
        a, b = self.shapes(x)
        k = np.atleast_1d(np.asarray(k, dtype=float))
        failed = np.exp(betaln(a[..., None], b[..., None] + k) - betaln(a, b)[..., None])
        never = self.never[:, None]
        unsolved = never + (1.0 - never) * failed.mean(axis=1)
        return np.asarray(1.0 - self.wrong[:, None] ** k * unsolved)

    def pass_within(self, k: int, share: Array | float) -> Array:
        """Share of fresh tasks solved in k attempts of which each gets only F(t) of the way.

        An attempt at spend t succeeds with F(t), the `share`, of its chance q: 1 − E[(1 −
        q·share)^k], (n_draws,). It supposes that the spend of a success does not depend on p.
        """
        p, weights = self._chances
        reach = np.broadcast_to(np.asarray(share, dtype=float), self.never.shape)
        guess = 1.0 - self.wrong
        chance = guess[:, None] + self.wrong[:, None] * p
        failed = (weights * (1.0 - reach[:, None] * chance) ** k).sum(axis=1)
        beyond = (1.0 - reach * guess) ** k
        return np.asarray(1.0 - self.never * beyond - (1.0 - self.never) * failed)

    def thinned(self, n_draws: int) -> "BestOfK":
        """Return evenly spaced draws, at most `n_draws` of them."""
        keep = thinned(len(self.never), n_draws)
        names = ("never", "centre", "concentration", "slope")
        drawn = {name: getattr(self, name)[keep] for name in names}
        return replace(self, **drawn, guessing=(1.0 - self.wrong)[keep])

    @cached_property
    def _chances(self) -> tuple[Array, Array]:
        """Nodes and weights of the beta distribution of p, each of shape (n_draws, NODES)."""
        a, b = (shape[:, 0] for shape in self.shapes())
        rules = [roots_jacobi(NODES, y - 1.0, x - 1.0) for x, y in zip(a, b, strict=True)]
        weights = np.array([weight for _, weight in rules])
        p = (1.0 + np.array([nodes for nodes, _ in rules])) / 2.0
        return p, weights / weights.sum(axis=1, keepdims=True)


def fit_best_of_k(
    attempts: Index,
    successes: Index,
    x: Array | None = None,
    *,
    guessing: float | None = None,
    seed: int = 0,
    n_draws: int = 1000,
) -> BestOfK:
    """Learn how solvable tasks are from counts of successes per task.

    InputError if no task has an attempt, or a count or the chance of a guess is impossible.

    Parameters
    ----------
    attempts, successes
        Per task, of shape (n_tasks,).
    x
        A covariate per task that tells its difficulty, say log2 of human minutes.
    guessing
        Chance that a guess is right; None: one of those usual in multiple choice, or none, each as
        likely as the counts make it (`FLOOR_PRIOR` before them).
    seed, n_draws
        Of the draws.

    Notes
    -----
    Each task's likelihood is never·Binomial(k | n, g) + (1 − never)·∫ Binomial(k | n,
    g + (1 − g)·p) Beta(p | a, b) dp, the task's own p integrated out; without guessing the two are
    1[k = 0] and a beta-binomial. The three or four parameters are drawn by importance around the
    mode, and floors of guessing weighed by their marginal likelihoods.
    """
    attempts, successes = np.asarray(attempts), np.asarray(successes)
    if attempts.shape != successes.shape or not len(attempts):
        raise InputError(
            "best-of-k needs the attempts and successes of at least one task, both of one length; "
            f"got {attempts.shape} and {successes.shape}: give one entry per task"
        )
    wrong = (successes < 0) | (successes > attempts) | (attempts < 1)
    if wrong.any():
        j = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"every task needs 1 or more attempts and 0 to that many successes; task {j} has "
            f"{successes[j]} successes in {attempts[j]} attempts: correct or leave it out"
        )
    if guessing is not None and not 0.0 <= guessing < 1.0:
        raise InputError(
            f"guessing must be a chance from 0 to below 1, got {guessing}; "
            "give 0.25 where one answer in four is right"
        )
    x_mean, x_sd = (0.0, 1.0) if x is None else (float(np.mean(x)), float(np.std(x)) or 1.0)
    z = np.zeros(len(attempts)) if x is None else (np.asarray(x) - x_mean) / x_sd
    used = 3 if x is None else 4
    start = PRIOR_MEAN[:used].copy()
    n, k = attempts.astype(np.float64), successes.astype(np.float64)
    floors = np.array(FLOORS if guessing is None else (guessing,))
    joint = [partial(_log_joint, n, k, z, used, floor) for floor in floors]
    prior = np.log(FLOOR_PRIOR) if guessing is None else np.zeros(1)
    if guessing is None:
        rough = prior + np.array([rough_evidence(each, start) for each in joint])
        likely = np.flatnonzero(rough > rough.max() + np.log(UNLIKELY))
        floors, prior, joint = floors[likely], prior[likely], [joint[j] for j in likely]
    found = [
        small_posterior(each, start, seed=seed, n_draws=4 * n_draws, what="the best-of-k fit")
        for each in joint
    ]
    weight = softmax(prior + np.array([each.log_evidence for each in found]))
    rng = np.random.default_rng([seed, 1])
    # draws of each floor in proportion, by systematic sampling
    last = np.round(np.cumsum(weight) * n_draws).astype(int)
    numbers = np.diff(last, prepend=0)
    drawn = [each.resampled(size, rng) for each, size in zip(found, numbers, strict=True)]
    points = np.concatenate(drawn)
    floor = np.repeat(floors, numbers)
    order = rng.permutation(n_draws) if len(floors) > 1 else np.arange(n_draws)
    points, floor = points[order], floor[order]
    slope = points[:, 3] if used == 4 else np.zeros(n_draws)
    return BestOfK(
        expit(points[:, 0]), points[:, 1], np.exp(points[:, 2]), slope, x_mean, x_sd, floor
    )


def _log_joint(n: Array, k: Array, z: Array, used: int, guessing: float, points: Array) -> Array:
    prior = -0.5 * (((points - PRIOR_MEAN[:used]) / PRIOR_SD[:used]) ** 2).sum(axis=1)
    slope = points[:, 3] if used == 4 else np.zeros(len(points))
    concentration = np.exp(np.clip(points[:, 2], -12.0, 12.0))
    # Tasks with equal counts and x share one term.
    rows, repeats = np.unique(np.column_stack([n, k, z]), axis=0, return_counts=True)
    n, k, z = np.asarray(rows, dtype=np.float64).T
    mean = np.clip(expit(points[:, [1]] + slope[:, None] * z), 1e-6, 1.0 - 1e-6)
    a, b = mean * concentration[:, None], (1.0 - mean) * concentration[:, None]
    if guessing == 0.0:
        some = betaln(a + k, b + n - k) - betaln(a, b)
        none = np.where(k == 0, 0.0, -np.inf)
    else:
        some = _with_guesses(n, k, a, b, guessing)
        none = k * np.log(guessing) + (n - k) * np.log1p(-guessing)
    solvable, never = log_expit(-points[:, [0]]), log_expit(points[:, [0]])
    both = np.logaddexp(solvable + some, never + none)
    return np.asarray(prior + both @ repeats)


def _with_guesses(n: Array, k: Array, a: Array, b: Array, guessing: float) -> Array:
    """Return ln ∫ q^k (1 − q)^(n − k) Beta(p | a, b) dp, q = g + (1 − g)·p, by the binomial series.

    q^k = Σ_j C(k, j)·g^(k − j)·((1 − g)·p)^j has positive terms only.
    """
    total = np.full(np.broadcast_shapes(a.shape, k.shape), -np.inf)
    for j in range(int(k.max()) + 1):
        at = np.flatnonzero(k >= j)
        ways = -np.log1p(k[at]) - betaln(k[at] - j + 1.0, j + 1.0)  # ln C(k, j)
        term = ways + (k[at] - j) * np.log(guessing) + j * np.log1p(-guessing)
        term = term + betaln(a[:, at] + j, b[:, at] + n[at] - k[at])
        total[:, at] = np.logaddexp(total[:, at], term)
    return np.asarray(total + (n - k) * np.log1p(-guessing) - betaln(a, b))
