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
What stands here is public; the modules behind it begin with no promise.

Plan
    `optimise`                the one verb: a menu and a budget to a `Plan`
    `Plan`                    the chosen options, their value, and a bound on any other;
                              `Plan.load` reads the one in a folder
    `evaluate`                the value of any set of options
    `Evaluation`              ... with its spend, and by decision
    `Question`                menu, stated budgets, contingency, limits and objective in one value
    `answer`                  ... and the plan that answers it
    `Certified`               a way of searching: the best mix with a bound on any other
    `Greedy`                  ... value per cost, instant
    `Convex`                  ... the best split in part, by cvxpy, and a mix near it
    `Status`                  how a search ended, what that means and its cure
    `Relaxation`              the same as a convex programme, options in part
    `Menu`                    what can be bought (evalbayes makes it)
    `Decision`                a call that results are for
    `small_menu`              a menu to try things on
From a posterior
    `recommend`               catalogue, results and posterior to a `Recommendation`
    `Recommendation`          the plan with all that explains it
    `side_by_side`            the plan beside those of scenarios, figures of the catalogue set
    `read_scenarios`          ... from a table
    `write_all`               ... written as report, workbook, tables and JSON
    `score_mix`               a hand-made mix beside a plan
    `plot_curve`              an eval's curve, drawn
Over time
    `stages`                  what to run first, and which results release what else
    `Stages`                  ... its worth, spend and rule
    `Programme`               where a programme stands; `Programme.load` reads a plan's folder
    `replan`                  ... and the plan of what is left after results
    `conclude`                ... and how it ended
    `forecast`                what its evaluations will cost in years, and what drives it
    `read_presets`            its drivers with their sources, under a scenario
Limits
    `Mandatory`               evals that must be run
    `Forbidden`               options that may not be chosen
    `Requires`                one group only with another
    `Excludes`                one group never with another
    `MinEvals`                at least so many evals of a group
    `MaxEvals`                at most so many
    `EveryDomain`             at least so many in every domain
    `Floor`                   at least so much of a resource for a group
    `Ceiling`                 at most so much
    `ZeroOrAtLeast`           nothing, or at least so much
    `PosteriorSd`             a decision known to within an sd
    `WrongCall`               a wrong call at most so probable
    `DangerMissed`            danger missed at most so probable
    `NeedlessMitigation`      needless mitigation at most so probable
    `ChanceLimit`             a total exceeded with at most a probability
    `TailLimit`               the mean of the worst totals bounded
    `Affine`                  any affine cvxpy constraint of the choice
    `ConvexLimit`             any convex one
    `Where`                   a group of options, by columns of the menu
    `constraints_from_table`  limits as rows of a spreadsheet
    `cost_of_limits`          what each limit costs
Aims
    `Objective`               what a choice is for; objectives add and take weights
    `evsi`                    expected value of sample information
    `tail_value`              ... in the worst share of posterior draws
    `variance`                variance explained (A-optimality)
    `wrong_calls`             fewer wrong calls
    `log_determinant`         information whatever the decisions (D-optimality)
Targets
    `require`                 the least programme that meets targets
    `Requirement`             ... what it needs
    `requirements`            a table over several standards
    `waive`                   which targets to give up where not all fit
    `Waiver`                  ... and which are kept
How sure
    `frontier`                certified plans over a range of one resource
    `Frontier`                ... their values, bounds and kinks
    `entries`                 from which amount each domain, and depth in it, pays
    `sensitivity`             how much a plan depends on what was assumed
    `Sensitivity`             ... budgets, assumptions, stability, regret
    `Assumed`                 an assumed figure and its range
    `phase_diagram`           the share on depth over prices and beliefs
    `Sweep`                   workers, cluster and checkpoints of a sweep
    `spend_risk`              spread of a mix's spend
    `SpendRisk`               ... its tail and overspend
    `value_risk`              spread of its value over posterior draws
    `ValueRisk`               ... its tail
Without a menu
    `depth_rule`              the square-root law: how many evals to run deep
    `RuleFigures`             the spreads it is about
    `left_variance`           what n evals, q of them deep, leave unknown
    `least_gap_sd`            the gap from which one deep run pays
    `allocate`                one budget over curves of value, in any amounts
    `Allocation`              ... with its bound
Logs and harness
    `read_inspect_logs`       Inspect logs as runs
    `read_metr_runs`          METR's run files as runs
    `inspect_settings`        a plan as run settings that Inspect accepts
    `inspect_script`          ... as a shell script
Against real runs
    `record_of`               runs of several AI models, checked: a `Record`
    `Record`                  ... to be hidden and bought again
    `backtest`                strategies buy them and are judged
    `Backtest`                ... what they concluded
Errors
    `EvalfolioError`          what is refused; under it the next four
    `InputError`              a rule of the input is broken
    `InfeasibleError`         no choice meets all limits
    `SolverError`             a solver ended without an answer
    `FitError`                a fit failed its gate
"""

import re
from importlib import import_module
from pathlib import Path
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
    from evalfolio.examples import small_menu as small_menu
    from evalfolio.export import write_all as write_all
    from evalfolio.export.plots import plot_curve as plot_curve
    from evalfolio.inspect import inspect_script as inspect_script
    from evalfolio.inspect import inspect_settings as inspect_settings
    from evalfolio.limits import Affine as Affine
    from evalfolio.limits import Ceiling as Ceiling
    from evalfolio.limits import ChanceLimit as ChanceLimit
    from evalfolio.limits import ConvexLimit as ConvexLimit
    from evalfolio.limits import DangerMissed as DangerMissed
    from evalfolio.limits import EveryDomain as EveryDomain
    from evalfolio.limits import Excludes as Excludes
    from evalfolio.limits import Floor as Floor
    from evalfolio.limits import Forbidden as Forbidden
    from evalfolio.limits import Mandatory as Mandatory
    from evalfolio.limits import MaxEvals as MaxEvals
    from evalfolio.limits import MinEvals as MinEvals
    from evalfolio.limits import NeedlessMitigation as NeedlessMitigation
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
    from evalfolio.outlook.presets import read_presets as read_presets
    from evalfolio.outlook.told import forecast as forecast
    from evalfolio.plans.evaluation import Evaluation as Evaluation
    from evalfolio.plans.evaluation import evaluate as evaluate
    from evalfolio.plans.judge import score_mix as score_mix
    from evalfolio.plans.limit_costs import cost_of_limits as cost_of_limits
    from evalfolio.plans.optimiser import answer as answer
    from evalfolio.plans.optimiser import optimise as optimise
    from evalfolio.plans.plan import Plan as Plan
    from evalfolio.plans.risk import SpendRisk as SpendRisk
    from evalfolio.plans.risk import ValueRisk as ValueRisk
    from evalfolio.plans.risk import spend_risk as spend_risk
    from evalfolio.plans.risk import value_risk as value_risk
    from evalfolio.programmes.concluding import conclude as conclude
    from evalfolio.programmes.programme import Programme as Programme
    from evalfolio.programmes.replanning import replan as replan
    from evalfolio.programmes.stages import Stages as Stages
    from evalfolio.programmes.stages import stages as stages
    from evalfolio.readers import read_inspect_logs as read_inspect_logs
    from evalfolio.readers import read_metr_runs as read_metr_runs
    from evalfolio.recommendations.alternatives import read_scenarios as read_scenarios
    from evalfolio.recommendations.alternatives import side_by_side as side_by_side
    from evalfolio.recommendations.recommendation import Recommendation as Recommendation
    from evalfolio.recommendations.recommender import recommend as recommend
    from evalfolio.rule.square_root import RuleFigures as RuleFigures
    from evalfolio.rule.square_root import depth_rule as depth_rule
    from evalfolio.rule.square_root import least_gap_sd as least_gap_sd
    from evalfolio.rule.square_root import left_variance as left_variance
    from evalfolio.search.answer import Status as Status
    from evalfolio.search.certified import Certified as Certified
    from evalfolio.search.convex.fractional import Convex as Convex
    from evalfolio.search.convex.relaxation import Relaxation as Relaxation
    from evalfolio.search.greedy import Greedy as Greedy
    from evalfolio.search.question import Question as Question
    from evalfolio.sensitivities.analysis import Sensitivity as Sensitivity
    from evalfolio.sensitivities.analysis import sensitivity as sensitivity
    from evalfolio.sensitivities.assumed import Assumed as Assumed
    from evalfolio.sensitivities.frontiers import Frontier as Frontier
    from evalfolio.sensitivities.frontiers import entries as entries
    from evalfolio.sensitivities.frontiers import frontier as frontier
    from evalfolio.sensitivities.phases import phase_diagram as phase_diagram
    from evalfolio.sensitivities.sweep import Sweep as Sweep
    from evalfolio.spends.separable import Allocation as Allocation
    from evalfolio.spends.separable import allocate as allocate
    from evalfolio.targets.requirement import Requirement as Requirement
    from evalfolio.targets.requirement import require as require
    from evalfolio.targets.requirement import requirements as requirements
    from evalfolio.targets.waiver import Waiver as Waiver
    from evalfolio.targets.waiver import waive as waive

# Where each public name lives stands once, in the imports above; what is heavy is imported when it
# is first asked for, so that the command line answers at once. A module never has the name of
# what it exports, which would hide it.
_HOME_OF = {
    name: home
    for home, name in re.findall(
        r"^    from (\S+) import (\S+) as", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE
    )
}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'evalfolio' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
