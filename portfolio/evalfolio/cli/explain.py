"""`evalfolio explain EVAL`: why an eval is in a plan, or what would bring it in."""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli.console import say
from evalfolio.cli.options import JsonOption, QuietOption


def explain(
    name: Annotated[str, Argument(metavar="EVAL", help="Name of the eval.")],
    plan: Annotated[Path, Option(help="Folder that `evalfolio recommend` wrote.")],
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say why an eval is in the mix, or why not and at what price it would enter."""
    del quiet  # the answer is all it prints; every command takes the option
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.plans.judge import explain_eval
    from evalfolio.record.record import Record

    answer = explain_eval(name, Record.load(plan_folder(plan)))
    say(json.dumps(answer, indent=2) if as_json else answer["text"])
