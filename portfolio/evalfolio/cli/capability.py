"""`evalfolio capability`: shown and elicited capability, horizons, distance and buffers."""

from typing import TYPE_CHECKING, Any

from evalfolio.cli import options as shared
from evalfolio.cli.console import print_json, print_table, records, say
from evalfolio.cli.curves import ModelOption, ranged
from evalfolio.narrative import two_digits

if TYPE_CHECKING:
    import pandas as pd


def capability(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    posterior: shared.PosteriorOption = None,
    ai_model: ModelOption = None,
    seed: shared.SeedOption = 0,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Show capability by domain: shown, gap, horizons, distance to the threshold, buffers.

    Then when AI models will cross each level, and the buffer that an AI model needs over time.
    With observations also the pairs of runs that the elicitation gap is learned from.
    """
    from evalbayes.catalogue import read_catalogue
    from evalbayes.catalogue.anchors import without_anchor
    from evalbayes.elicitation.pairs import paired_gains
    from evalbayes.summaries.capability import capability_table
    from evalfolio.cli.forecast import in_a_terminal as with_ends
    from evalfolio.cli.inputs import enforce_gate, posterior_of, tell_anchors
    from evalfolio.outlook.crossing import buffers, crossings
    from evalfolio.outlook.presets import read_presets

    read = read_catalogue(catalogue)
    tell = tell_anchors(read, deciding=False)
    observed, belief = posterior_of(read, observations, posterior, seed=seed, anchored=tell)
    table = capability_table(belief, read, ai_model, seed=seed)
    about: dict[str, Any] = {"ai_model": ai_model, "seed": seed}
    when = crossings(belief, read, read_presets(), **about)
    over_time = buffers(belief, read, **about)
    pairs = None if observed is None else paired_gains(observed, read, belief, seed=seed)
    print_json(
        capability=records(table),
        crossings=records(when),
        buffers=records(over_time),
        pairs=None if pairs is None else records(pairs),
        gap_learned=belief.elicited_history,
        no_anchor=without_anchor(read, belief.human_minutes),
    )
    title = f"Capability of {ai_model or read.portfolio.ai_model}, 90 % intervals in brackets"
    print_table(in_a_terminal(table), title)
    print_table(with_ends(when), "When the frontier crosses each level, in years and by date")
    print_table(over_time, "Buffer on what is shown, 95 % sure, for as long as one has it")
    if pairs is not None and len(pairs):
        print_table(pairs, "Pairs: what eliciting, or best of k, added")
    if not belief.elicited_history:
        say("No observation was elicited: the elicitation gap is its prior.")
    enforce_gate(belief, allowed=allow_failed_fit)


def in_a_terminal(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the figures with their intervals in one column."""
    value = [
        two_digits(x) if low != low else ranged({"x": x, "x_low": low, "x_high": high}, "x")
        for x, low, high in table[["median", "low", "high"]].to_numpy()
    ]
    return table[["domain", "figure"]].assign(value=value, unit=table["unit"])
