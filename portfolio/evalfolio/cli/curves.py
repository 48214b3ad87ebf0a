"""`evalfolio curves`: plateau, sweet spot and saturation point of every eval."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import print_json, print_table, records
from evalfolio.narrative import two_digits

if TYPE_CHECKING:
    import pandas as pd

ModelOption = Annotated[
    str | None, Option("--ai-model", help="By default the catalogue's AI model under test.")
]


def curves(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    posterior: shared.PosteriorOption = None,
    ai_model: ModelOption = None,
    seed: shared.SeedOption = 0,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Show the cost-versus-budget curve of every eval in figures, with 90 % intervals."""
    from evalbayes.catalogue import read_catalogue
    from evalbayes.summaries.curves import curve_table
    from evalfolio.cli.inputs import enforce_gate, posterior_of

    read = read_catalogue(catalogue)
    observed, belief = posterior_of(read, observations, posterior, seed=seed)
    table = curve_table(belief, read, ai_model, observations=observed)
    print_json(records(table))
    title = f"Curves of {ai_model or read.portfolio.ai_model}, 90 % intervals in brackets"
    print_table(in_a_terminal(table), title)
    enforce_gate(belief, allowed=allow_failed_fit)


def in_a_terminal(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the curves in columns few enough to read; `--json` has them all."""
    rows = table.to_dict("records")
    headings = {"plateau": "plateau"}
    if "spurious_rate" in table:
        headings |= {"spurious_rate": "spurious failures", "plateau_repaired": "repaired"}
    headings |= {"sweet_spot": "sweet spot", "saturation_95": "95 % of plateau at"}
    told = {words: [ranged(row, name) for row in rows] for name, words in headings.items()}
    own = {"unit": table["spend_unit"], "single runs": table["runs"]}  # cells and counts are none
    return table[["eval", "class"]].assign(**told, **own)


def ranged(row: Mapping[Hashable, Any], name: str) -> str:
    """Return an estimate with its interval in two digits.

    >>> ranged({"x": 0.6602, "x_low": 0.4129, "x_high": 0.8729}, "x")
    '0.66 [0.41, 0.87]'
    >>> ranged({"x": float("nan"), "x_low": float("nan"), "x_high": float("nan")}, "x")
    ''
    """
    middle, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if middle is None or middle != middle:
        return ""
    return f"{two_digits(middle)} [{two_digits(low)}, {two_digits(high)}]"
