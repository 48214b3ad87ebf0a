"""Errors of planning; those of reading and fitting are evalbayes's, exported here too."""

from evalbayes.errors import EvalfolioError as EvalfolioError
from evalbayes.errors import FitError as FitError
from evalbayes.errors import InputError as InputError


class InfeasibleError(EvalfolioError):
    """No choice meets all limits at once: the text names the clash and the least mend.

    Exit code 3.
    """

    exit_code = 3


class SolverError(EvalfolioError):
    """A solver ended without a usable answer; the text gives its status and the cure.

    Exit code 1.
    """
