"""HiGHS without a word: since 1.16 the first solver of a process prints who made it.

That line goes to the process's own standard output, below Python, where it would stand in the
middle of what `--json` prints.
"""

from __future__ import annotations

import contextlib
import functools
import os

import highspy


def quiet_highs() -> highspy.Highs:
    """Return a solver that prints nothing, also the first of the process.

    Examples
    --------
    >>> quiet_highs().getOptionValue("output_flag")[1]
    False
    """
    _greet()
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    return solver


@functools.cache
def _greet() -> None:
    """Let the first solver say its line to nobody."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process without standard output has none to keep
            kept = os.dup(1)
            stack.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, 1)
            stack.callback(os.dup2, kept, 1)
        highspy.Highs()
