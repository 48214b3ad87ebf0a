"""`evalfolio verify`: a certificate proved again, by code that shares nothing with the search."""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli.console import print_json, say, warn


def verify(
    file: Annotated[Path, Argument(help="certificate.json, or a plan's folder: of its question.")],
    menu: Annotated[
        Path | None, Option(help="Folder of the menu that it must be of: menu/ of a plan.")
    ] = None,
) -> None:
    """Prove a plan's value and bound again, without a solver."""
    from evalbayes import Menu
    from evalfolio.certificates import verifier
    from evalfolio.certificates.recording import content, hold
    from evalfolio.errors import InputError
    from evalfolio.limits.table import made_again
    from evalfolio.plans.plan import Plan

    plan = Plan.load(file) if (file / "plan.json").exists() else None
    file = file / "certificate.json" if file.is_dir() else file
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        told = verifier.verify(data)
        if plan is not None:
            if own := [row.text for row in plan.record.limits if not made_again(dict(row))]:
                warn(f"What Python alone can say is for you to see: {'; '.join(own)}.")
            asked = data["question"]
            asked["limits"] = [row for row in asked["limits"] if row["name"] not in own]
            hold(data, plan.question, plan.chosen)
    except (ValueError, RecursionError) as error:  # what is no JSON or no text is among these
        raise InputError(f"{file}: not proved: {error}; ask for the plan's own file") from error
    if menu is not None and verifier.digest(content(Menu.load(menu))) != data["menu_hash"]:
        raise InputError(f"{file}: must be of the menu in {menu}, but it is of another menu")
    print_json(data["claim"] | {"menu_hash": data["menu_hash"], "proved": told})
    say(told)
