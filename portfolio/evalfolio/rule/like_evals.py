r"""One domain of like evals at one price: what n of them, q run deep, leave unknown.

A plateau-level run costs 1 and reads s + u, u ~ N(0, ω²), with sampling noise t². A deep run costs
C, contains the plateau-level reading, and reads s + u + e(δ + η), η ~ N(0, κ²), with noise t² of
its own. What is decided is about s + δ. With W = ω² + t² the deep run's two readings have the noise
covariance [[W, ω²], [ω², W + e²κ²]], of determinant R = W(W + e²κ²) − ω⁴, and tell about (s, δ)

    K = 1/R · [[2t² + e²κ², e·t²], [e·t², e²·W]].

With n evals run, q of them deep, the precision is
M = diag(1/σs² + (n − q)/W, 1/σδ²) + q·K, and Var(s + δ | results) = 1ᵀM⁻¹1 exactly
(`left_variance`).
"""

import math
from dataclasses import dataclass

from evalfolio.errors import InputError


@dataclass(frozen=True)
class RuleFigures:
    """ω, σδ, κ, σs, t and e of a domain, as `depth_rule` has them.

    InputError if a figure is out of its range; it is named.

    Parameters
    ----------
    validity_sd, gap_sd, gap_spread
        ω, σδ and κ.
    shown_sd
        σs; infinite where nothing is known of the shown capability.
    noise_sd
        t, of one reading.
    effort
        e of a deep run.
    """

    validity_sd: float
    gap_sd: float
    gap_spread: float
    shown_sd: float = math.inf
    noise_sd: float = 0.0
    effort: float = 1.0

    def __post_init__(self) -> None:
        for name in ("validity_sd", "shown_sd"):
            if not getattr(self, name) > 0:
                raise _refused(name, "above 0", getattr(self, name))
        for name in ("gap_sd", "gap_spread", "noise_sd"):
            if not 0 <= getattr(self, name) < math.inf:
                raise _refused(name, "0 or more", getattr(self, name))
        if not 0 < self.effort <= 1:
            raise _refused("effort", "above 0 and at most 1", self.effort)

    @property
    def breadth(self) -> float:
        """W, error variance of a reading of s."""
        return self.validity_sd**2 + self.noise_sd**2

    @property
    def depth(self) -> float:
        """D, error variance of a deep run's difference of readings over e, as one of δ."""
        return self.gap_spread**2 + 2 * self.noise_sd**2 / self.effort**2


def left_variance(n: float, q: float, case: RuleFigures) -> float:
    """Return Var(s + δ) after n evals, q of them deep: exact, see the module's formula.

    Parameters
    ----------
    n, q
        Evals run, and how many of them deep.
    case
        The spreads of the domain.

    Examples
    --------
    >>> left_variance(0, 0, RuleFigures(1.0, gap_sd=2.0, gap_spread=1.0, shown_sd=3.0))
    13.0
    >>> round(left_variance(3, 1, RuleFigures(1.0, gap_sd=1.0, gap_spread=1.0, shown_sd=1.0)), 12)
    0.75
    """
    w, t2, e = case.breadth, case.noise_sd**2, case.effort
    shown = 1.0 / case.shown_sd**2 + (n - q) / w
    if case.gap_sd == 0 and not q:
        return 1.0 / shown if shown > 0 else math.inf
    spread = (e * case.gap_spread) ** 2
    determinant = w * (w + spread) - case.validity_sd**4
    if determinant <= 0:  # no spread and no noise: one deep run settles the gap
        shown += q / w
        gap = case.gap_sd**2 if not q else 0.0
        return (1.0 / shown if shown > 0 else math.inf) + gap
    shown += q * (2 * t2 + spread) / determinant
    cross = q * e * t2 / determinant
    if case.gap_sd == 0:
        return 1.0 / shown
    gap = 1.0 / case.gap_sd**2 + q * e**2 * w / determinant
    if shown <= 0:
        return math.inf
    return (shown + gap - 2 * cross) / (shown * gap - cross**2)


def check_purchase(cost_ratio: float, budget: float | None, evals: int | None) -> None:
    """Refuse prices, budgets and numbers of evals out of their range, by name."""
    if not 1 < cost_ratio < math.inf:
        raise _refused("cost_ratio", "above 1, the price of a deep run in plateau runs", cost_ratio)
    if budget is not None and not 0 <= budget < math.inf:
        raise _refused("budget", "0 or more, in plateau-level runs", budget)
    if evals is not None and evals < 1:
        raise _refused("evals", "1 or more", evals)


def _refused(name: str, must: str, got: float) -> InputError:
    return InputError(f"{name} must be {must}, got {got:g}")
