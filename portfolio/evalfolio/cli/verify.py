"""`evalfolio verify`: a certificate proved again, by code that shares nothing with the search."""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli.console import print_json, say


def verify(
    file: Annotated[Path, Argument(help="certificate.json, or the folder of a plan.")],
    menu: Annotated[
        Path | None, Option(help="Folder of the menu that it must be of: menu/ of a plan.")
    ] = None,
) -> None:
    """Prove a plan's value and bound again, without a solver."""
    from evalbayes import Menu
    from evalfolio.certificates import verifier
    from evalfolio.certificates.recording import content
    from evalfolio.errors import InputError

    file = file / "certificate.json" if file.is_dir() else file
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        told = verifier.verify(data)
    except (ValueError, RecursionError) as error:  # what is no JSON or no text is among these
        raise InputError(f"{file}: not proved: {error}; ask for the plan's own file") from error
    if menu is not None and verifier.digest(content(Menu.load(menu))) != data["menu_hash"]:
        raise InputError(f"{file}: must be of the menu in {menu}, but it is of another menu")
    print_json(data["claim"] | {"menu_hash": data["menu_hash"], "proved": told})
    say(told)
