"""`evalfolio prior`: what the priors alone would have the results look like."""

from typing import Annotated

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, records, say

ModelOption = Annotated[
    shared.Texts,
    Option(
        "--model", help="One of curves, responses, repeats, pairs, horizons, gains; by default all."
    ),
]
DrawsOption = Annotated[int, Option(min=100, help="Replicates to draw.")]


def prior(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    model: ModelOption = None,
    draws: DrawsOption = 1000,
    seed: shared.SeedOption = 0,
) -> None:
    """Draw results from the priors of every model, beside those seen; nothing is fitted.

    A prior that makes the results wildly unlikely, or gives results nobody would believe, should
    be changed in the catalogue before anything rests on it.
    """
    from evalbayes.catalogue import read_catalogue
    from evalbayes.observations import read_observations
    from evalbayes.predictive import MODELS, prior_predictive
    from evalbayes.predictive.predictive import HIGH, LOW, tables

    read = read_catalogue(catalogue)
    seen = read_observations(observations or [], read)
    found = prior_predictive(read, seen, models=model or tuple(MODELS), n_draws=draws, seed=seed)
    table = tables(found)
    print_json(summary=[each.summary() for each in found], figures=records(table))
    for each in found:
        say(each.summary())
    if not detailed():
        return
    outside = table[(table["probability"] < LOW) | (table["probability"] > HIGH)]
    if len(outside):
        print_table(outside, "Seen outside the 90 % of what the priors expect")
    unseen = table[table["seen"].isna()].drop(columns=["seen", "probability"])
    if len(unseen):
        print_table(unseen, "What the priors say of what nothing was seen of")
