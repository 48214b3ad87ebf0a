"""`evalfolio score`: what a hand-made mix is worth beside the plan."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, say


def score(
    mix: Annotated[Path, Argument(help="CSV or .xlsx with a column 'option'.")],
    plan: Annotated[Path, Option(help="Folder that `evalfolio recommend` wrote.")],
    against: Annotated[
        Path | None, Option(help="Folder of an earlier plan: also say why its mix was another.")
    ] = None,
    settings: shared.SetOption = None,
    catalogue: shared.PlanCatalogueOption = None,
    posterior: shared.PlanPosteriorOption = None,
) -> None:
    """Value a hand-made mix on the plan's posterior and menu, and name its regret."""
    import json

    import pandas as pd

    from evalfolio.cli.inputs import asked, plan_folder, say_unanchored
    from evalfolio.cli.recommend import mix_row
    from evalfolio.plans.changed import why_changed
    from evalfolio.plans.judge import score_mix
    from evalfolio.plans.plan import Plan

    anew = asked(plan, settings, catalogue, posterior) if settings or catalogue else None
    result = score_mix(mix, Plan.load(plan_folder(plan)), question=anew)
    changed = None if against is None else why_changed(plan_folder(against), plan)
    more = {} if changed is None else {"changed": changed.told}
    print_json(json.loads(result.to_json()) | more)
    say_unanchored(result.no_anchor)
    say(result)
    if changed is not None:
        say(changed)
    if detailed():
        shown = [
            mix_row({str(key): value for key, value in row.items()})
            | {"lost if dropped": row["value_if_dropped"]}
            for row in result.to_frame().to_dict("records")
        ]
        print_table(pd.DataFrame(shown), "Mix")
