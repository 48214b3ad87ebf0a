"""`evalfolio score`: what a hand-made mix is worth beside the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalfolio.cli import options as shared
from evalfolio.cli.console import console, print_table


def score(
    mix: Annotated[Path, typer.Argument(help="CSV or .xlsx with a column 'option'.")],
    plan: Annotated[Path, typer.Option("--plan", help="Folder that `evalfolio recommend` wrote.")],
    quiet: shared.QuietOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Value a hand-made mix on the plan's posterior and menu, and name its regret."""
    import pandas as pd

    from evalfolio.cli.inputs import plan_folder
    from evalfolio.cli.recommend import mix_row
    from evalfolio.recommendations.judge import score_mix
    from evalfolio.recommendations.recording import records

    result = score_mix(mix, plan_folder(plan))
    if as_json:
        print(result.to_json())
        return
    console().print(str(result), soft_wrap=True, markup=False)
    if not quiet:
        shown = [
            mix_row(row) | {"lost if dropped": row["value_if_dropped"]}
            for _, row in records(result.to_frame())
        ]
        print_table(pd.DataFrame(shown), "Mix")
