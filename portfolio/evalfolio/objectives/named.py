"""The objectives there are, by name: what each measures, in which unit."""

from collections.abc import Mapping

from evalfolio.errors import InputError
from evalfolio.objectives.objective import Objective
from evalfolio.objectives.terms import Evsi, LogDeterminant, TailValue, Variance, WrongCalls


def evsi(weights: Mapping[str, float] | None = None) -> Objective:
    """Return the expected value of the decisions, Σ_d w_d G_d(v_d), in the unit of the losses.

    v_d is the variance of y that the results explain; G_d(v) = κ ∫₀^√v φ((k√(S − r²) − d₀)/r) dr
    is the expected value of sample information (Raiffa & Schlaifer 1961; see
    `evalfolio.value.sample_information`).
    Where the elicitation gap is lognormal, a stand-in takes G's place (see `evalfolio.value.skew`).

    Parameters
    ----------
    weights
        w_d by name of the decision, 0 or more; 1 by default.
    """
    return Objective((Evsi(),), weights or {})


def variance(weights: Mapping[str, float] | None = None) -> Objective:
    """Return the fall of the variance of y, Σ_d w_d v_d, in squared units (A-optimality).

    v_d = cᵀΣc − cᵀM(x)⁻¹c for the decision's contrast c, with Σ the prior covariance and M(x) the
    precision after the results.

    Parameters
    ----------
    weights
        w_d by name of the decision, 0 or more; 1 by default.

    Examples
    --------
    >>> from evalfolio import evaluate, optimise
    >>> from evalfolio.examples import small_menu
    >>> plan = optimise(small_menu(), budget={"usd": 3_000}, objective=variance({"autonomy": 0.0}))
    >>> round(plan.value - evaluate(small_menu(), plan.chosen).explained["cyber"], 9)
    0.0
    """
    return Objective((Variance(),), weights or {})


def wrong_calls(weights: Mapping[str, float] | None = None) -> Objective:
    """Return the fall of the probability of a wrong call, Σ_d w_d G_d(v_d).

    Calls are made here for the likelier side, so losses do not count: G(v) = 1/π ∫₀^θ
    exp(−d₀²/(2S sin²t)) dt with sin²θ = v/S, where S is the variance of y and d₀ its mean less the
    threshold. By the normal model, also where a gap is lognormal and `evsi` is not.

    Parameters
    ----------
    weights
        w_d by name of the decision, 0 or more; 1 by default.
    """
    return Objective((WrongCalls(),), weights or {})


def log_determinant() -> Objective:
    """Return log det(Σ M(x)), of all states whatever the decisions (D-optimality).

    Σ is the prior covariance and M(x) the precision after the results: twice the mutual
    information of states and results, in nats (Lindley 1956).
    """
    return Objective((LogDeterminant(),))


def tail_value(
    share: float = 0.1, n_draws: int | None = None, weights: Mapping[str, float] | None = None
) -> Objective:
    """Return the CVaR of the value over posterior draws: the mean of its worst share of draws.

    Every draw of the information gives a value Σ_d G_d(v_ds(x)); the objective is the mean of the
    least of them (Rockafellar & Uryasev 2000, turned round for a gain).

    InputError if the share is not above 0 and at most 1.

    Parameters
    ----------
    share
        Share of the draws that are the worst; 1 is the mean over all of them.
    n_draws
        Choose on so many draws, evenly spaced, and keep the others for `value_risk`, as in-sample
        figures flatter.
    weights
        How much each decision counts, 1 by default.
    """
    if not 0 < share <= 1:
        raise InputError(
            f"tail_value: share must be above 0 and at most 1, got {share!r}; "
            "0.1 means the worst tenth of the draws"
        )
    return Objective((TailValue(share=share, n_draws=n_draws),), weights or {})


NAMED = {
    "evsi": evsi,
    "variance": variance,
    "wrong-calls": wrong_calls,
    "log-determinant": log_determinant,
    "tail": tail_value,
}


def as_objective(thing: object) -> Objective:
    """Return an objective given as one or by name."""
    if isinstance(thing, Objective):
        return thing
    if isinstance(thing, str) and thing in NAMED:
        return NAMED[thing]()
    raise InputError(
        f"objective must be one of {', '.join(NAMED)} or a sum of evalfolio.objectives, "
        f"got {thing!r}"
    )
