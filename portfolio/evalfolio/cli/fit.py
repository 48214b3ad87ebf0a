"""`evalfolio fit`: sample the posterior once, and say whether to trust it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, records, say

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior

PlotsOption = Annotated[
    Path | None, Option(help="Folder for a picture per eval: results, and as foretold.")
]
DPI = 110


def fit(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    out: shared.OutOption = Path("posterior.nc"),
    plots: PlotsOption = None,
    seed: shared.SeedOption = 0,
    draws: shared.DrawsOption = None,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Fit the curves and the capability model, and write the posterior.

    A posterior already there is kept if inputs, seed and versions are the same. With --plots also
    a picture per eval, of results as the posterior would have them again beside those seen.
    """
    from evalfolio.cli.inputs import enforce_gate, fitted, read_inputs, tell_anchors

    read, observed = read_inputs(catalogue, observations)
    no_anchor = tell_anchors(read, deciding=False)(observed.human_minutes)
    posterior = fitted(read, observed, seed=seed, draws=draws, keep=out)
    families = posterior.spend_families
    posterior.save(out)
    drawn = [] if plots is None else plotted(posterior, read, observed, plots, seed)
    diagnostics = posterior.diagnostics
    print_json(
        no_anchor=no_anchor,
        wrote=str(out),
        plots=[str(path) for path in drawn],
        passed=diagnostics.passed,
        reasons=list(diagnostics.reasons),
        summary=diagnostics.summary(),
        spend_families=records(families),
        evals=records(diagnostics.to_frame().reset_index()),
    )
    if detailed():
        print_table(diagnostics.to_frame().reset_index(), "Fit by eval")
        if len(families):
            columns = ["eval", "family", "runs", "behind", "weight", "reason"]
            print_table(families[columns], "Which family of spend, and why")
        say(diagnostics.summary())
    enforce_gate(posterior, allowed=allow_failed_fit)


def plotted(
    posterior: Posterior, catalogue: Catalogue, observations: Observations, folder: Path, seed: int
) -> list[Path]:
    """Write a picture of every observed eval into a folder, each whole; return their paths."""
    from evalbayes.predictive import posterior_predictive
    from evalbayes.whole import write_whole

    written: list[Path] = []
    for place, name in enumerate(observations.evals):
        picture = io.BytesIO()
        found = posterior_predictive(posterior, catalogue, observations, name, seed=seed)
        found.plot().savefig(picture, format="png", dpi=DPI)
        # Numbered, as names that differ in signs alone would be one file.
        safe = re.sub(r"[^\w.-]+", "_", name)
        path = folder / f"{place + 1:02}_{safe}.png"
        written.append(write_whole(path, picture.getvalue()))
    return written
