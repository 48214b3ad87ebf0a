"""The application: its commands, and what happens when one of them fails."""

import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from evalfolio.cli import (
    backtest,
    capability,
    check,
    conclude,
    curves,
    doctor,
    explain,
    fit,
    gains,
    harness,
    horizons,
    imports,
    init,
    prior,
    recommend,
    repeats,
    replan,
    require,
    rule,
    score,
    sensitivity,
)
from evalfolio.cli.console import failure

INTERRUPTED = 130  # 128 + SIGINT, as shells say it


class Commands(TyperGroup):
    """The commands, with one end for Ctrl-C whatever version of Typer is below."""

    def invoke(self, ctx: Any) -> Any:  # the context's class moved between versions of Typer
        """Run a command; interrupted, say so and end with 130."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            interrupted()


app = typer.Typer(
    name="evalfolio",
    cls=Commands,
    help="Split an evaluation budget between a few max-elicitation runs and many plateau-level "
    "evals, with a certificate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
START, INPUTS, PLAN, JUDGE, OTHER = "Start", "Inputs", "Plan", "Judge a plan", "Other tools"
PANELS: dict[str, dict[str, Callable[..., Any]]] = {  # by what one wants, in the order of use
    START: {"init": init.init, "check": check.check, "doctor": doctor.doctor},
    INPUTS: {
        "fit": fit.fit,
        "curves": curves.curves,
        "capability": capability.capability,
        "prior": prior.prior,
        "gains": gains.gains,
        "horizons": horizons.horizons,
        "repeats": repeats.repeats,
    },
    PLAN: {
        "recommend": recommend.recommend,
        "replan": replan.replan,
        "conclude": conclude.conclude,
        "require": require.require,
        "harness": harness.harness,
    },
    JUDGE: {
        "score": score.score,
        "explain": explain.explain,
        "sensitivity": sensitivity.sensitivity,
        "backtest": backtest.backtest,
    },
    OTHER: {"rule": rule.rule},
}
app.add_typer(imports.app, name="import", rich_help_panel=INPUTS)
for panel, commands in PANELS.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)


def main() -> None:
    """Run a command; a refused input ends with one sentence and its exit code.

    What an output cannot show, as × where it is ASCII, is replaced: its file is whole all the same.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except OSError as error:
        failure(
            f"{error.filename or 'file'}: {error.strerror or error}; check the path and try again"
        )
        sys.exit(2)
    except KeyboardInterrupt:
        interrupted()
    except Exception as error:
        from evalfolio.errors import EvalfolioError  # slow to import: `--help` needs none of it

        if not isinstance(error, EvalfolioError):
            raise
        failure(str(error))
        sys.exit(error.exit_code)


def interrupted() -> NoReturn:
    """End as a command does that Ctrl-C stopped; every writer has left its place as it was."""
    failure("interrupted; nothing was left half-written")
    sys.exit(INTERRUPTED)
