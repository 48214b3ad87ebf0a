"""`evalfolio harness`: a plan as run settings that Inspect accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalfolio.cli.console import console, print_json
from evalfolio.cli.imports import PricesOption, pairs
from evalfolio.cli.options import CatalogueArgument, JsonOption, QuietOption


def harness(
    catalogue: CatalogueArgument,
    plan: Annotated[Path, typer.Option("--plan", help="Folder that `evalfolio recommend` wrote.")],
    model: Annotated[str, typer.Option("--model", help="Inspect's name of the AI model.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for run.sh and settings.yaml.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", help="EVAL=file.py@task; repeatable.")
    ] = None,
    prices: PricesOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a YAML file and a script of `inspect eval` commands with the plan's caps and epochs."""
    import pandas as pd

    from evalbayes.catalogue import read_catalogue
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.harness import inspect_settings, write_inspect_script, write_inspect_yaml
    from evalfolio.readers.prices import read_prices

    mix = plan_folder(plan, "mix.csv") / "mix.csv"
    settings = inspect_settings(
        pd.read_csv(mix).set_index("option"),
        read_catalogue(catalogue),
        model=model,
        tasks=pairs(task, "--task") or None,
        prices=None if prices is None else read_prices(prices),
    )
    out.mkdir(parents=True, exist_ok=True)
    write_inspect_yaml(settings, out / "settings.yaml")
    write_inspect_script(settings, out / "run.sh")
    if as_json:
        print_json(settings)
    elif not quiet:
        console().print(f"wrote {out}/settings.yaml and {out}/run.sh", markup=False)
