"""Named errors; each carries the exit code the command line ends with."""


class EvalfolioError(Exception):
    """Anything evalfolio refuses to go on with; its text is one sentence a person can act on.

    `exit_code` is what the command line ends with: 1, or what the kind of error says.
    """

    exit_code = 1


class InputError(EvalfolioError, ValueError):
    """An input breaks a rule: the text says what must hold, what came and how to mend it.

    Exit code 2. It is a ValueError too.
    """

    exit_code = 2


class FitError(EvalfolioError):
    """A fit failed its gate (R-hat, effective sample size, divergences, predictive checks).

    Exit code 4; raised after everything is written, so that the fit can be looked at.
    """

    exit_code = 4
