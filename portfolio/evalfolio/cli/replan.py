"""`evalfolio replan`: the next step of a programme, after results."""

from pathlib import Path
from typing import Annotated

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, say, step, warn
from evalfolio.cli.recommend import GapOption


def replan(
    plan: shared.ProgrammeArgument,
    results: shared.ResultsArgument = None,
    out: shared.OutOption = Path("next"),
    history: shared.HistoryOption = None,
    paid: Annotated[
        shared.Texts,
        Option(
            help="What was really spent so far, e.g. usd=4100, in place of what the runs tell; "
            "repeatable."
        ),
    ] = None,
    point_usd: shared.PointUsdOption = None,
    gap: GapOption = 1e-3,
    time_limit: shared.TimeLimitOption = 60.0,
    method: shared.MethodOption = "certified",
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Plan what is left after results: what was run is paid and not bought again."""
    import pandas as pd

    from evalfolio.cli.inputs import enforce_gate, plan_folder
    from evalfolio.cli.recommend import show
    from evalfolio.export import check_folder, write_all
    from evalfolio.limits.budget import parse_budgets
    from evalfolio.plans.optimiser import method_of
    from evalfolio.programmes.programme import Programme
    from evalfolio.programmes.replanning import replan as make
    from evalfolio.search import Certified

    check_folder(out, "replan")
    programme = Programme.load(plan_folder(plan))
    files = list(results or [])
    with step("moving the belief and planning what is left"):
        made = make(
            programme,
            files,
            history=list(history or []),
            used=parse_budgets(paid or [], "--paid"),
            point_usd=point_usd,
            method=method_of(method, Certified(gap, time_limit, programme.seed)),
        )
    with step(f"writing {out}/"):
        write_all(
            made.recommendation,
            out,
            programme=lambda folder: programme.write(folder, files, made.step),
        )
    print_json(made.recommendation.record.to_json())
    say(made)
    if detailed():
        if made.step["changes"]:
            print_table(pd.DataFrame(made.step["changes"]), "What becomes of every eval")
        show(made.recommendation.record)
        for warning in made.recommendation.record.warnings:
            warn(warning)
    enforce_gate(made.recommendation.posterior, allowed=allow_failed_fit)
