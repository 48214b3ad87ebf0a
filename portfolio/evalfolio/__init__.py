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
    `schedule`                how often to look and how deep, and when levels are crossed
    `read_presets`            drivers of both with their sources, under a scenario
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

from evalbayes.names import front_door

__getattr__, __dir__, __all__ = front_door(__name__, __file__)
