"""evalbayes: Bayesian models of what evals tell and cost, ending in a `Menu` of options.

Importing this package loads no PyMC, and neither numpy nor pandas until one of its names is asked
for; `evalbayes.fit` loads PyMC when it is called.
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

_HOME = {"Decision": "evalbayes.decision", "Menu": "evalbayes.menu", "menu_of": "evalbayes.menus"}


def __getattr__(name: str) -> object:
    """Load what is heavy when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
