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


def other_format(found: object, *known: int) -> str:
    """Return what to say of a stored file's format that is not among the known ones, else "".

    >>> other_format(3, 1, 2)
    'format must be 1 or 2, got 3, which a later evalfolio writes (upgrade to read it)'
    """
    if type(found) is int and found in known:
        return ""
    who = "no evalfolio writes"
    if type(found) is int:
        later = found > max(known)
        who = "a later evalfolio writes (upgrade to read it)" if later else "an earlier one wrote"
    return f"format must be {' or '.join(map(str, known))}, got {found!r:.40}, which {who}"
