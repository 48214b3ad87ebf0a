"""`evalfolio conclude`: how a programme ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from evalfolio.cli import options as shared
from evalfolio.cli.console import console, step


def conclude(
    plan: Annotated[
        Path, typer.Argument(help="Folder of a plan, or of the last step of its programme.")
    ],
    results: Annotated[
        list[Path] | None,
        typer.Argument(help="Tables of results that have come in since: CSV, Parquet or .xlsx."),
    ] = None,
    out: shared.OutOption = Path("conclusion"),
    history: shared.HistoryOption = None,
    quiet: shared.QuietOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Close a programme: the call by decision, what was promised and found, what surprised."""
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.programmes.concluding import conclude as make
    from evalfolio.programmes.concluding import write_conclusion
    from evalfolio.programmes.programme import Programme

    programme, files = Programme.load(plan_folder(plan)), list(results or [])
    with step("weighing all results", quiet=quiet or as_json):
        found = make(programme, files, history=list(history or []))
    folder = write_conclusion(found, programme, files, out)
    if as_json:
        print(json.dumps(json.loads((folder / "conclusion.json").read_text()), indent=2))
    else:
        console().print(str(found), soft_wrap=True, markup=False)
        if not quiet:
            console(stderr=True).print(f"wrote {folder}/", markup=False)
