"""`evalfolio fit`: sample the posterior once, and say whether to trust it."""

from __future__ import annotations

import json
from pathlib import Path

from evalfolio.cli import options as shared
from evalfolio.cli.console import console, print_json, print_table


def fit(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    out: shared.OutOption = Path("posterior.nc"),
    seed: shared.SeedOption = 0,
    allow_failed_fit: shared.AllowFailedFitOption = False,
    quiet: shared.QuietOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Fit the curves and the capability model, and write the posterior.

    A posterior already there is kept if inputs, seed and versions are the same.
    """
    from evalfolio.cli.inputs import enforce_gate, fitted, read_inputs

    read, observed = read_inputs(catalogue, observations)
    posterior = fitted(read, observed, seed=seed, quiet=quiet or as_json, keep=out)
    families = posterior.spend_families
    posterior.save(out)
    diagnostics = posterior.diagnostics
    if as_json:
        print_json(
            {
                "wrote": str(out),
                "passed": diagnostics.passed,
                "reasons": list(diagnostics.reasons),
                "summary": diagnostics.summary(),
                "spend_families": json.loads(families.to_json(orient="records")),
                "evals": json.loads(diagnostics.to_frame().reset_index().to_json(orient="records")),
            }
        )
    elif not quiet:
        print_table(diagnostics.to_frame().reset_index(), "Fit by eval")
        if len(families):
            columns = ["eval", "family", "runs", "behind", "weight", "reason"]
            print_table(families[columns], "Which family of spend, and why")
        console().print(diagnostics.summary(), soft_wrap=True, markup=False)
    enforce_gate(posterior, allowed=allow_failed_fit)
