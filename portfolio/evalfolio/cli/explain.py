"""`evalfolio explain EVAL`: why an eval is in a plan, or what would bring it in."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli.console import print_json, say


def explain(
    name: Annotated[str, Argument(metavar="EVAL", help="Name of the eval.")],
    plan: Annotated[Path, Option(help="Folder that `evalfolio recommend` wrote.")],
) -> None:
    """Say why an eval is in the mix, or why not and at what price it would enter."""
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.plans.judge import explain_eval
    from evalfolio.record.record import Record

    answer = explain_eval(name, Record.load(plan_folder(plan)))
    print_json(answer)
    say(answer["text"])
