"""Log-likelihood of the evidence given plateaus and spend curves, in numpy and in PyTensor.

A success at spend t has A·f(t), giving up (1 − A)·h(t), a stop at c
A(1 − F(c)) + (1 − A)(1 − H(c)), k of n successes within a cap a binomial with p = A·F(c), and a
score a normal, or a beta, around A·F(c). Of one set of runs told at several caps the largest is
such a binomial; given it, a success fell between two smaller caps with (F(c′) − F(c))/F(largest).
"""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from evalbayes.arrays import Array, Index
from evalbayes.curves.families import lognormal
from evalbayes.curves.families.special import exp, gammaln, log_expit, logaddexp

if TYPE_CHECKING:
    from evalbayes.model.evidence import Evidence


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Curves:
    """Parameters of conditions or rows: arrays of shape (..., n) or expressions.

    `logit` is the plateau's; locations and scales are of ln spend.
    """

    logit: Any
    success_location: Any
    success_scale: Any
    gave_up_location: Any
    gave_up_scale: Any

    @property
    def success(self) -> tuple[Any, Any]:
        """Location and scale of the spend of successes."""
        return self.success_location, self.success_scale

    @property
    def gave_up(self) -> tuple[Any, Any]:
        """Location and scale of the spend of runs that give up."""
        return self.gave_up_location, self.gave_up_scale

    def of(self, rows: Any) -> "Curves":
        """Those of some conditions, in the order of `rows`."""
        return Curves(*(value[..., rows] for value in vars(self).values()))

    def log_success(self, ln_cap: Any) -> Any:
        """Log of A·F(c)."""
        return log_expit(self.logit) + lognormal.log_cdf(ln_cap, *self.success)


@dataclass(frozen=True, eq=False)
class Rows:
    """Results of one kind: figures of every row, (n,) each, and their likelihood.

    In the graph of a model the figures are its data, but for the `fixed` ones, which are the
    design's.
    """

    fixed: ClassVar[tuple[str, ...]] = ()

    of: Index  # condition of every row

    def __len__(self) -> int:
        return len(self.of)

    @property
    def figures(self) -> dict[str, Any]:
        """Figures by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "of"}

    def some(self, keep: Any, of: Index) -> Self:
        """Return some of the rows, by mask, as of other conditions."""
        return replace(self, of=of, **{key: value[keep] for key, value in self.figures.items()})

    def by_condition(self, amount: Array, n: int) -> Array:
        """Sum amounts of the rows by condition, of shape (n,)."""
        return np.bincount(self.of, weights=amount, minlength=n).astype(np.float64)

    def log_likelihood(self, curves: Curves) -> Any:
        """Log-likelihood of every row, given the curves of the rows."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Ended(Rows):
    """Runs that ended by themselves at a known spend, a row for each condition.

    Number, mean of ln spend and sum of squares about it, of successes and of those that gave up.
    """

    n_success: Any
    mean_success: Any
    square_success: Any
    n_gave_up: Any
    mean_gave_up: Any
    square_gave_up: Any

    def log_likelihood(self, curves: Curves) -> Any:
        """Return ln A·f(t) of the successes and ln (1 − A)·h(t) of the others, summed."""
        won = (self.n_success, self.mean_success, self.square_success)
        lost = (self.n_gave_up, self.mean_gave_up, self.square_gave_up)
        success = lognormal.summary_log_density(*won, *curves.success)
        gave_up = lognormal.summary_log_density(*lost, *curves.gave_up)
        success = success + self.n_success * log_expit(curves.logit)
        return success + gave_up + self.n_gave_up * log_expit(-curves.logit)


@dataclass(frozen=True, eq=False)
class Stopped(Rows):
    """Runs that were stopped, by whatever, at a spend; a cap that stopped none has a row too."""

    fixed = ("ln_spend",)

    ln_spend: Any
    n: Any

    def log_likelihood(self, curves: Curves) -> Any:
        """Return n·ln(A(1 − F(c)) + (1 − A)(1 − H(c)))."""
        success = lognormal.log_survival(self.ln_spend, *curves.success)
        gave_up = lognormal.log_survival(self.ln_spend, *curves.gave_up)
        still = logaddexp(log_expit(curves.logit) + success, log_expit(-curves.logit) + gave_up)
        return self.n * still


@dataclass(frozen=True, eq=False)
class Counts(Rows):
    """Independent counts of success and failure within a cap."""

    fixed = ("ln_cap",)

    ln_cap: Any
    n_success: Any
    n_failure: Any

    @property
    def n_runs(self) -> Any:
        """Runs of every count."""
        return self.n_success + self.n_failure

    def log_likelihood(self, curves: Curves) -> Any:
        """Return that of a binomial with p = A·F(c), without its coefficient."""
        beyond = lognormal.log_survival(self.ln_cap, *curves.success)
        log_failure = logaddexp(log_expit(-curves.logit), log_expit(curves.logit) + beyond)
        return self.n_success * curves.log_success(self.ln_cap) + self.n_failure * log_failure


@dataclass(frozen=True, eq=False)
class Nested(Rows):
    """Successes between two caps of counts that share their runs.

    The set as a whole is one count at its largest cap, `ln_last`.
    """

    fixed = ("ln_low", "ln_high", "ln_last")

    ln_low: Any
    ln_high: Any
    ln_last: Any
    n: Any

    def log_likelihood(self, curves: Curves) -> Any:
        """Return n·ln((F(high) − F(low))/F(last)), without the multinomial coefficient."""
        between = lognormal.log_between(self.ln_low, self.ln_high, *curves.success)
        return self.n * (between - lognormal.log_cdf(self.ln_last, *curves.success))


@dataclass(frozen=True, eq=False)
class Scores(Rows):
    """Mean scores at a cap, as shares of their scale, with normal standard errors."""

    fixed = ("ln_cap", "error")

    ln_cap: Any
    score: Any
    error: Any

    def log_likelihood(self, curves: Curves) -> Any:
        """Return that of a normal around A·F(c)."""
        z = (self.score - exp(curves.log_success(self.ln_cap))) / self.error
        return -0.5 * z**2 - np.log(self.error) - 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, eq=False)
class Betas(Rows):
    """Mean scores at a cap, as shares of their scale, with beta noise."""

    fixed = ("ln_cap", "concentration")

    ln_cap: Any
    score: Any
    concentration: Any

    def log_likelihood(self, curves: Curves) -> Any:
        """Return that of a beta with mean A·F(c)."""
        share, n, score = exp(curves.log_success(self.ln_cap)), self.concentration, self.score
        log_beta = gammaln(share * n) + gammaln((1.0 - share) * n) - gammaln(n)
        inside = (share * n - 1.0) * np.log(score) + ((1.0 - share) * n - 1.0) * np.log1p(-score)
        return inside - log_beta


def log_likelihood(curves: Curves, evidence: "Evidence") -> Array:
    """Log-likelihood by condition, of shape (..., n_conditions), from numpy parameters."""
    shape = np.broadcast_shapes(*(np.shape(value) for value in vars(curves).values()))
    total = np.zeros(shape)
    for rows in evidence.rows.values():
        np.add.at(total.T, rows.of, np.asarray(rows.log_likelihood(curves.of(rows.of))).T)
    return total
