"""evalbayes: Bayesian models of what evals tell and cost, ending in a `Menu` of options.

Data walks one way:

>>> from evalbayes import read_catalogue, read_observations  # what could be run; results so far
>>> from evalbayes import fit                           # both together give a `Posterior`
>>> from evalbayes import curve_table, capability_table  # what it says of every eval and domain
>>> from evalbayes import menu_of                       # ... and the `Menu` that evalfolio plans on

What stands below is public; the modules behind it begin with no promise.

Inputs
    `Catalogue`             what could be run, what it takes and what is at stake
    `read_catalogue`        ... from TOML or a workbook
    `parse_catalogue`       ... from nested tables
    `write_template`        a commented catalogue to start from
    `Observations`          results of AI models on evals, checked
    `read_observations`     ... from files of runs, cells, counts, scores or studies
    `observations_of`       ... from data frames
    `check_inputs`          catalogue and observations read back in words
    `draft`                 a first catalogue from observations
Fit
    `fit`                   sample the joint model of spend and capability
    `Posterior`             draws of everything it learned, free of the sampler
    `prior_predictive`      results drawn from the priors alone
    `posterior_predictive`  results of an eval drawn again from the posterior
Figures
    `curve_table`           plateau, sweet spot, saturation point and verdict by eval
    `curve_grid`            success and expected spend over caps, for drawing
    `capability_table`      shown capability, gap, distance to the threshold by domain
    `to_come`               capability still to come before a horizon
    `buffer`                how far below the danger threshold to put the alert threshold
Runs alone
    `run_horizons`          time horizons of runs by cap, with the price of an hour
    `fit_horizon`           one horizon, by logistic regression with a prior
    `horizon_by_cap`        horizons from runs capped after the fact
    `constant_hazard`       the length completed at a share when any moment may fail
    `runs_by_people`        runs by people, checked
    `human_difficulty`      how long a success takes people, by task and eval
    `score_at_time`         what people have handed in by each time
    `score_beside_people`   ... beside an AI model's, with the crossing
    `FAMILIES`              families of spend by name
    `FamilyCurve`           a curve of any family
    `fit_family`            curves of one eval and AI model, drawn from their posterior
    `repeats_of`            best-of-k of an eval of the catalogue
    `fit_best_of_k`         ... from successes per task: a `BestOfK`
    `BestOfK`               draws of how solvable tasks are
    `split_map`             solved share and spend of every k attempts of length t
    `best_split`            the best of them within a spend per task
    `fit_history`           which AI model solves which task, for back-tests
    `Newcomer`              an AI model inferred from a few runs
Menu
    `menu_of`               options with what they cost and tell, from a posterior
    `Menu`                  the seam to evalfolio
    `SharedPurchase`        what several options of a menu need and is paid once
    `Decision`              a call that results are for
Errors
    `EvalfolioError`        what is refused; under it the next two
    `InputError`            a rule of the input is broken
    `FitError`              a fit failed its gate

Importing this package loads no PyMC, and neither numpy nor pandas until one of its names is asked
for; PyMC is loaded when `fit` is called.
"""

from evalbayes.names import front_door

__getattr__, __dir__, __all__ = front_door(__name__, __file__)
