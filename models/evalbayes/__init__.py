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
    `read_observations`     ... from files of runs, cells, counts or scores
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
    `ResponseHistory`       which AI model solves which task, for back-tests
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

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from evalbayes.errors import EvalfolioError as EvalfolioError
from evalbayes.errors import FitError as FitError
from evalbayes.errors import InputError as InputError

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue as Catalogue
    from evalbayes.catalogue import parse_catalogue as parse_catalogue
    from evalbayes.catalogue import read_catalogue as read_catalogue
    from evalbayes.catalogue import write_template as write_template
    from evalbayes.curves.families import FAMILIES as FAMILIES
    from evalbayes.curves.families import FamilyCurve as FamilyCurve
    from evalbayes.curves.families import fit_family as fit_family
    from evalbayes.decision import Decision as Decision
    from evalbayes.elicitation.post_training import buffer as buffer
    from evalbayes.elicitation.post_training import to_come as to_come
    from evalbayes.horizons import constant_hazard as constant_hazard
    from evalbayes.horizons import fit_horizon as fit_horizon
    from evalbayes.horizons import horizon_by_cap as horizon_by_cap
    from evalbayes.horizons import run_horizons as run_horizons
    from evalbayes.horizons.baseline import human_difficulty as human_difficulty
    from evalbayes.horizons.baseline import runs_by_people as runs_by_people
    from evalbayes.horizons.baseline import score_at_time as score_at_time
    from evalbayes.horizons.baseline import score_beside_people as score_beside_people
    from evalbayes.inputs import check_inputs as check_inputs
    from evalbayes.inputs import draft as draft
    from evalbayes.menu import Menu as Menu
    from evalbayes.menu import SharedPurchase as SharedPurchase
    from evalbayes.menus import menu_of as menu_of
    from evalbayes.model.fit import fit as fit
    from evalbayes.observations import Observations as Observations
    from evalbayes.observations import observations_of as observations_of
    from evalbayes.observations import read_observations as read_observations
    from evalbayes.posterior import Posterior as Posterior
    from evalbayes.predictive import posterior_predictive as posterior_predictive
    from evalbayes.predictive import prior_predictive as prior_predictive
    from evalbayes.repeats import BestOfK as BestOfK
    from evalbayes.repeats import best_split as best_split
    from evalbayes.repeats import fit_best_of_k as fit_best_of_k
    from evalbayes.repeats import repeats_of as repeats_of
    from evalbayes.repeats import split_map as split_map
    from evalbayes.responses import Newcomer as Newcomer
    from evalbayes.responses import ResponseHistory as ResponseHistory
    from evalbayes.summaries.capability import capability_table as capability_table
    from evalbayes.summaries.curves import curve_grid as curve_grid
    from evalbayes.summaries.curves import curve_table as curve_table

# Where each public name lives stands once, in the imports above; what is heavy is imported when it
# is first asked for.
_HOME_OF = {
    name: home
    for home, name in re.findall(
        r"^    from (\S+) import (\S+) as", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE
    )
}

__all__ = sorted([*_HOME_OF, "EvalfolioError", "FitError", "InputError"])


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
