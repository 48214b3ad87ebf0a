"""The application: its commands, and what happens when one of them fails."""

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from itertools import chain
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from evalfolio.cli import imports
from evalfolio.cli.console import warn
from evalfolio.cli.options import answering

# Every writer has left its place as it was; 128 + SIGINT, as shells say it.
INTERRUPTED = "interrupted; nothing was left half-written", 130


class Commands(TyperGroup):
    """The commands, with one end for Ctrl-C whatever version of Typer is below."""

    def invoke(self, ctx: Any) -> Any:  # the context's class moved between versions of Typer
        """Run a command; interrupted, say so and end with 130."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ends(*INTERRUPTED)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by what one wants, each with its whole sentence."""
        sections = WANTED if ctx.parent is None else {"Commands": tuple(self.commands)}
        for wanted, names in sections.items():
            rows = [(name, self.commands[name].get_short_help_str(limit=200)) for name in names]
            with formatter.section(wanted):
                formatter.write_dl(rows)


app = typer.Typer(
    name="evalfolio",
    cls=Commands,
    help="Split an evaluation budget between a few max-elicitation runs and many plateau-level "
    "evals, with a certificate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes longer to load than all the rest of `--help`
)
WANTED = {  # in the order of use; every command is a module of its name, but `import`
    "Start": ("init", "check", "doctor"),
    "Inputs": ("fit", "curves", "capability", "prior", "gains", "horizons", "repeats", "import"),
    "Plan": ("recommend", "replan", "run", "conclude", "require", "harness"),
    "Judge a plan": ("verify", "score", "explain", "sensitivity", "backtest"),
    "Over time": ("forecast", "schedule"),
    "Other tools": ("rule",),
}
app.add_typer(imports.app, name="import", cls=Commands)
for name in chain(*WANTED.values()):
    if name != "import":
        app.command(name)(answering(getattr(import_module(f"evalfolio.cli.{name}"), name)))


def main() -> None:
    """Run a command; a refused input ends with one sentence and its exit code.

    What an output cannot show, as × where it is ASCII, is replaced: its file is whole all the same.
    """
    # Read when NumPy is loaded, which a command waits with. The work is small products, on which
    # BLAS's threads spend as much processor time again and win nothing.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except OSError as error:
        what = error.filename or "a temporary file or compile cache"
        ends(f"{what}: {error.strerror or error}; check the path and try again")
    except KeyboardInterrupt:
        ends(*INTERRUPTED)
    except Exception as error:
        from evalfolio.errors import EvalfolioError  # slow to import: `--help` needs none of it

        if isinstance(error, ImportError) and not (error.name or "").startswith("eval"):
            what, why = error.name or "a package", " ".join(str(error).split())
            ends(f"{what} cannot be loaded ({why}); install evalfolio again, see `doctor`")
        if not isinstance(error, EvalfolioError):
            raise
        ends(str(error), error.exit_code)


def ends(text: str, code: int = 2) -> NoReturn:
    """Say on stderr why a command ends, and end it."""
    warn(text, "error", "red")
    sys.exit(code)
