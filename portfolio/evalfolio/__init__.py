"""evalfolio: split an evaluation budget between depth and breadth, with a certificate.

>>> import evalfolio as ef
>>> from evalfolio.examples import small_menu
>>> plan = ef.optimise(small_menu(), budget={"usd": 10_000, "staff_hours": 90})
>>> plan.chosen
('a max', 'b plateau')

Words
-----
eval, task, run, attempt
    An eval has tasks; a run is one attempt of an AI model at a task, within a cap on its spend
    (tokens, USD or hours).
domain, decision
    One danger, and the call about it: mitigate or not. y is the capability the call is about,
    in the domain's unit, by default doublings of human task time (log2 of minutes).
shown capability, elicitation gap
    What a standard agent shows, and how much more full elicitation would show; y is their sum.
option, tier, menu
    One way to run an eval (cap, tasks, attempts, effort), at the tier sweet-spot, plateau or
    max-elicitation; all options with what they cost and tell are the menu.
mix, plan
    The options chosen, at most one per eval; a plan is a mix with its certificate.
information
    Precision about the states that an option's results add, a matrix.
value (EVSI)
    Expected value of sample information: how much less the calls are expected to lose once the
    results are in, in USD or, with stakes given as probabilities, in points.
EVPI
    What perfect information would be worth; the share of it that a mix buys is comparable.
bound, gap
    No mix on the menu within the limits is worth more than the bound; gap is the relative
    distance to it.
shadow price
    Value of one more unit of a resource.
validity floor, elicitation floor
    The sd of y that is left however much is spent on the evals there are, and the sd that is
    left however many evals are run without elicitation.
contingency
    Share of the budget kept back; budgets hold in expectation.

Names
-----
Plan: `optimise`, `evaluate`, `Plan`, `Evaluation`, `Relaxation`, and `allocate`, `Allocation`
    for spends that need not be whole runs.
From a posterior: `recommend`, `Recommendation`; `Menu` and `Decision` are evalbayes's.
Limits: `Mandatory`, `Forbidden`, `Requires`, `Excludes`, `MinEvals`, `MaxEvals`, `EveryDomain`,
    `Floor`, `Ceiling`, `ZeroOrAtLeast`, `PosteriorSd`, `WrongCall`, `ChanceLimit`, `TailLimit`,
    `Affine`; `Where` names a group of options, `constraints_from_table` reads limits from a
    table and `cost_of_limits` says what each of them costs.
Aims: `Objective`, made by `evsi`, `tail_value`, `variance`, `wrong_calls`, `log_determinant`.
Targets: `require`, `requirements`, `Requirement`; `waive`, `Waiver` where not all can be met.
How sure: `frontier`, `Frontier`, `sensitivity`, `Sensitivity`, `Sweep`; `spend_risk`, `SpendRisk`,
    `value_risk`, `ValueRisk`.
Against real runs: `record_of`, `Record`, `backtest`, `Backtest`.
Errors: `EvalfolioError`, and under it `InputError`, `InfeasibleError`, `SolverError`, `FitError`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalbayes import Decision as Decision
    from evalbayes import Menu as Menu
    from evalfolio.backtests.record import Record as Record
    from evalfolio.backtests.record import record_of as record_of
    from evalfolio.backtests.replay import Backtest as Backtest
    from evalfolio.backtests.replay import backtest as backtest
    from evalfolio.errors import EvalfolioError as EvalfolioError
    from evalfolio.errors import FitError as FitError
    from evalfolio.errors import InfeasibleError as InfeasibleError
    from evalfolio.errors import InputError as InputError
    from evalfolio.errors import SolverError as SolverError
    from evalfolio.limits import Affine as Affine
    from evalfolio.limits import Ceiling as Ceiling
    from evalfolio.limits import ChanceLimit as ChanceLimit
    from evalfolio.limits import EveryDomain as EveryDomain
    from evalfolio.limits import Excludes as Excludes
    from evalfolio.limits import Floor as Floor
    from evalfolio.limits import Forbidden as Forbidden
    from evalfolio.limits import Mandatory as Mandatory
    from evalfolio.limits import MaxEvals as MaxEvals
    from evalfolio.limits import MinEvals as MinEvals
    from evalfolio.limits import PosteriorSd as PosteriorSd
    from evalfolio.limits import Requires as Requires
    from evalfolio.limits import TailLimit as TailLimit
    from evalfolio.limits import Where as Where
    from evalfolio.limits import WrongCall as WrongCall
    from evalfolio.limits import ZeroOrAtLeast as ZeroOrAtLeast
    from evalfolio.limits import constraints_from_table as constraints_from_table
    from evalfolio.objectives import Objective as Objective
    from evalfolio.objectives import evsi as evsi
    from evalfolio.objectives import log_determinant as log_determinant
    from evalfolio.objectives import tail_value as tail_value
    from evalfolio.objectives import variance as variance
    from evalfolio.objectives import wrong_calls as wrong_calls
    from evalfolio.plans.evaluation import Evaluation as Evaluation
    from evalfolio.plans.evaluation import evaluate as evaluate
    from evalfolio.plans.limit_costs import cost_of_limits as cost_of_limits
    from evalfolio.plans.optimiser import optimise as optimise
    from evalfolio.plans.plan import Plan as Plan
    from evalfolio.plans.risk import SpendRisk as SpendRisk
    from evalfolio.plans.risk import ValueRisk as ValueRisk
    from evalfolio.plans.risk import spend_risk as spend_risk
    from evalfolio.plans.risk import value_risk as value_risk
    from evalfolio.recommendations.recommendation import Recommendation as Recommendation
    from evalfolio.recommendations.recommender import recommend as recommend
    from evalfolio.search.convex.relaxation import Relaxation as Relaxation
    from evalfolio.sensitivities.analysis import Sensitivity as Sensitivity
    from evalfolio.sensitivities.analysis import sensitivity as sensitivity
    from evalfolio.sensitivities.frontiers import Frontier as Frontier
    from evalfolio.sensitivities.frontiers import frontier as frontier
    from evalfolio.sensitivities.sweep import Sweep as Sweep
    from evalfolio.spends.separable import Allocation as Allocation
    from evalfolio.spends.separable import allocate as allocate
    from evalfolio.targets.requirement import Requirement as Requirement
    from evalfolio.targets.requirement import require as require
    from evalfolio.targets.requirement import requirements as requirements
    from evalfolio.targets.waiver import Waiver as Waiver
    from evalfolio.targets.waiver import waive as waive

# Where each public name lives. They are imported when first used, so that the command line
# answers at once; a module never has the name of what it exports, which would hide it.
_HOMES = {
    "evalbayes": ("Decision", "Menu"),
    "evalfolio.backtests.record": ("Record", "record_of"),
    "evalfolio.backtests.replay": ("Backtest", "backtest"),
    "evalfolio.limits": (
        "Affine",
        "Ceiling",
        "ChanceLimit",
        "EveryDomain",
        "Excludes",
        "Floor",
        "Forbidden",
        "Mandatory",
        "MaxEvals",
        "MinEvals",
        "PosteriorSd",
        "Requires",
        "TailLimit",
        "Where",
        "WrongCall",
        "ZeroOrAtLeast",
        "constraints_from_table",
    ),
    "evalfolio.errors": (
        "EvalfolioError",
        "FitError",
        "InfeasibleError",
        "InputError",
        "SolverError",
    ),
    "evalfolio.plans.evaluation": ("Evaluation", "evaluate"),
    "evalfolio.plans.limit_costs": ("cost_of_limits",),
    "evalfolio.objectives": (
        "Objective",
        "evsi",
        "log_determinant",
        "tail_value",
        "variance",
        "wrong_calls",
    ),
    "evalfolio.plans.optimiser": ("optimise",),
    "evalfolio.plans.plan": ("Plan",),
    "evalfolio.recommendations.recommender": ("recommend",),
    "evalfolio.recommendations.recommendation": ("Recommendation",),
    "evalfolio.search.convex.relaxation": ("Relaxation",),
    "evalfolio.targets.requirement": ("Requirement", "require", "requirements"),
    "evalfolio.plans.risk": ("SpendRisk", "ValueRisk", "spend_risk", "value_risk"),
    "evalfolio.spends.separable": ("Allocation", "allocate"),
    "evalfolio.targets.waiver": ("Waiver", "waive"),
    "evalfolio.sensitivities.analysis": ("Sensitivity", "sensitivity"),
    "evalfolio.sensitivities.frontiers": ("Frontier", "frontier"),
    "evalfolio.sensitivities.sweep": ("Sweep",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'evalfolio' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
