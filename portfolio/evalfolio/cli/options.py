"""The arguments several commands share, written once."""

from pathlib import Path
from typing import Annotated

import typer

CatalogueArgument = Annotated[
    Path, typer.Argument(help="Catalogue of domains, evals and budgets: TOML or .xlsx.")
]
ObservationsArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Tables of results of earlier AI models: CSV, Parquet or .xlsx."),
]
PosteriorOption = Annotated[
    Path | None, typer.Option("--posterior", help="A posterior.nc that `evalfolio fit` wrote.")
]

OutOption = Annotated[Path, typer.Option("--out", help="Where to write.")]
TimeLimitOption = Annotated[
    float, typer.Option("--time-limit", help="Seconds for the optimiser; its best so far counts.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Same inputs and seed, same result.")]
DrawsOption = Annotated[
    int | None,
    typer.Option("--draws", min=100, help="Draws of each of the fit's four chains, else 2,000."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
AllowFailedFitOption = Annotated[
    bool, typer.Option("--allow-failed-fit", help="Go on (exit 0) although the fit fails its gate.")
]
ContingencyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contingency",
        help="Share of the money kept back, e.g. 0.1, or of a resource, e.g. staff_hours=0.05; "
        "repeatable. By default as the catalogue says.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A figure of the catalogue at another level, e.g. cyber.elicitation_gap*2, "
        "budget.usd=30000 or evals.staff_hours*1.5; repeatable.",
    ),
]
PlanCatalogueOption = Annotated[
    Path | None, typer.Option("--catalogue", help="With --set: the catalogue of the plan.")
]
PlanPosteriorOption = Annotated[
    Path | None,
    typer.Option("--posterior", help="With --set: the plan's, where it is not PLAN/posterior.nc."),
]
ProgrammeArgument = Annotated[
    Path, typer.Argument(help="Folder of a plan, or of the last step of its programme.")
]
ResultsArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Tables of results that have come in since: CSV, Parquet or .xlsx."),
]
HistoryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--history",
        help="The observations the programme began with: fit anew on them and all results, in "
        "place of the fast update; repeatable.",
    ),
]
ConstraintsOption = Annotated[
    Path | None,
    typer.Option("--constraints", help="Table of limits, one per row: CSV, or .xlsx with a sheet."),
]


def figure(option: str, words: str) -> float:
    """Return the number an option is given, as every number is read that people write.

    Raises
    ------
    InputError
        If it is none, or may be two.

    >>> figure("--cap", "2,000,000"), figure("--cap", "2e6")
    (2000000.0, 2000000.0)
    """
    from evalbayes.errors import InputError
    from evalbayes.tables.numerals import NotANumber, numeral

    try:
        return numeral(words)
    except NotANumber as error:
        raise InputError(f"{option} {error}") from None
