"""`evalfolio init`: a commented catalogue to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalfolio.cli import options as shared
from evalfolio.cli.console import console, print_json

ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]
FromOption = Annotated[
    list[Path] | None,
    typer.Option("--from", help="Observations to draft it from: CSV, Parquet, .xlsx; repeatable."),
]


def init(
    path: Annotated[Path, typer.Argument(help="File to write: .toml or .xlsx.")],
    observations: FromOption = None,
    force: ForceOption = False,
    quiet: shared.QuietOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Write a catalogue to be edited: every key explained, or drafted from observations."""
    from evalbayes.catalogue import write_template
    from evalbayes.inputs import write_draft
    from evalbayes.observations import read_observations
    from evalfolio.errors import InputError

    if path.exists() and not force:
        raise InputError(f"{path}: must not exist yet; give another name, or --force to replace it")
    if observations:
        observed = read_observations(observations)
        write_draft(observed, path, ", ".join(each.name for each in observations))
    else:
        observed = None
        write_template(path)
    if as_json:
        print_json({"wrote": str(path), "evals": list(observed.evals) if observed else None})
    elif not quiet:
        text = f"wrote {path}; edit it, then run: evalfolio check {path}"
        console().print(
            " ".join([text, *map(str, observations or [])]), soft_wrap=True, markup=False
        )
