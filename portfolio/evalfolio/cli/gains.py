"""`evalfolio gains`: the population prior of the elicitation gap, as shipped or fitted again."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, records, step


def gains(
    measurements: Annotated[
        Path | None,
        Argument(help="Measurements of your own to add to the published ones: CSV or .xlsx."),
    ] = None,
    alone: Annotated[bool, Option("--alone", help="Leave the published measurements out.")] = False,
    out: Annotated[
        Path | None, Option(help="Write the table that the package ships (TOML).")
    ] = None,
    seed: shared.SeedOption = 0,
) -> None:
    """Say what elicitation adds by domain, in doublings: a random-effects model of measurements.

    Fitted again with measurements of your own: copy an interval into the catalogue as the domain's
    elicitation_gap to use it.
    """
    import pandas as pd

    from evalbayes.elicitation.measurements import published_gains, read_gains
    from evalbayes.elicitation.population import fit_gains
    from evalbayes.whole import write_whole
    from evalfolio.errors import InputError

    if alone and measurements is None:
        raise InputError("--alone asks for measurements of your own, got none; name their file")
    own = [] if measurements is None else [read_gains(measurements)]
    table = pd.concat([*([] if alone else [published_gains()]), *own], ignore_index=True)
    with step(f"{len(table)} measurements fitted"):
        found = fit_gains(table, seed=seed)
    priors, axes = found.priors(), found.axes()
    if out is not None:
        write_whole(out, found.to_toml().encode())
    print_json(gaps=records(priors), axes=records(axes))
    usual = priors[~priors["verifier"] & priors["tools"]].drop(columns=["verifier", "tools"])
    print_table(usual, "Elicitation gap of a new AI model, in doublings (90 %)")
    if detailed():
        everywhere = priors[(priors["domain"] == "all domains")].drop(columns=["domain"])
        print_table(everywhere, "All domains, by what the actor and the baseline have")
        print_table(axes, "Two axes: staff effort and inference budget (90 %)")
