"""evalbayes: Bayesian models of what evals tell and cost, ending in a `Menu` of options.

Data walks one way, and each step has a module of its own:

>>> from evalbayes.catalogue import read_catalogue      # what could be run, and what is at stake
>>> from evalbayes.observations import read_observations  # results of AI models so far
>>> from evalbayes.model.fit import fit                 # both together give a `Posterior`
>>> from evalbayes.summaries.curves import curve_table  # plateau, sweet spot, saturation by eval
>>> from evalbayes.summaries.capability import capability_table  # capability, gap, distance
>>> from evalbayes.menus import menu_of                 # ... and the `Menu` that evalfolio plans on

Names
-----
`menu_of` makes a `Menu`, whose `Decision` objects are the calls that results are for. `InputError`
    (a rule of the input is broken) and `FitError` (a fit failed its gate) are kinds of
    `EvalfolioError`.

Other modules: `families` (of spend), `horizons`, `repeats` (best-of-k), `pairs`, `post_training`,
`spurious` (failures), `predictive`, `tasks` and `responses` (what single runs tell, for
back-tests), `calibration`, `diagnostics`.

Importing this package loads no PyMC, and neither numpy nor pandas until one of its names is asked
for; PyMC is loaded when `fit` is called.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from evalbayes.errors import EvalfolioError as EvalfolioError
from evalbayes.errors import FitError as FitError
from evalbayes.errors import InputError as InputError

if TYPE_CHECKING:
    from evalbayes.decision import Decision as Decision
    from evalbayes.menu import Menu as Menu
    from evalbayes.menus import menu_of as menu_of

__all__ = ["Decision", "EvalfolioError", "FitError", "InputError", "Menu", "menu_of"]
_HOME = {"Decision": "evalbayes.decision", "Menu": "evalbayes.menu", "menu_of": "evalbayes.menus"}


def __getattr__(name: str) -> object:
    """Load what is heavy when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
