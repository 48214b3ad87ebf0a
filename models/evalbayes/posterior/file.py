"""Writing a posterior as one netCDF file, whole or not at all."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evalbayes.errors import InputError

if TYPE_CHECKING:
    from evalbayes.posterior.posterior import Posterior


def write(posterior: Posterior, path: Path) -> Path:
    """Write a posterior where `Posterior.load` and ArviZ read it; see `Posterior.save`."""
    import xarray as xr  # heavy: only where a file is read or written

    from evalbayes.posterior.posterior import (  # which writes by what is here
        DIMENSIONS,
        FORMAT,
        SEEN,
    )

    partial = path.with_name(path.name + ".partial")
    chains = int(posterior.provenance.get("chains", 1))
    names = {
        "domain": posterior.domains,
        "eval": posterior.evals,
        "ai_model": posterior.ai_models,
        "family": posterior.families,
    }
    coords = {key: np.array(given, dtype=object) for key, given in names.items() if given}
    draws = {
        key: (
            ("chain", "draw", *dims),
            posterior.draws[key].reshape(chains, -1, *posterior.draws[key].shape[1:]),
        )
        for key, dims in DIMENSIONS.items()
        if posterior.draws[key].size
    }
    head = {
        "format": FORMAT,
        "diagnostics": posterior.diagnostics.stored(),
        "provenance": dict(posterior.provenance),
        "elicited_history": bool(posterior.elicited_history),
        "spend_families": posterior.spend_families.to_json(orient="split", double_precision=15),
        "attempts": None
        if posterior.attempts is None
        else posterior.attempts.to_json(orient="split", double_precision=15),
    }
    constant = {
        "loadings": (("eval", "domain"), posterior.loadings),
        "family_of": (("eval",), posterior.family_of),
        "n_runs": (("eval", "ai_model"), posterior.n_runs),
        "spend_weights": (("eval", "spend_family"), posterior.spend_weights),
        **{key: (("eval", "ai_model"), getattr(posterior, key)) for key in SEEN},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        xr.Dataset(attrs={"evalfolio": json.dumps(head)}).to_netcdf(
            partial, mode="w", engine="h5netcdf"
        )
        for group, variables in (("posterior", draws), ("constant_data", constant)):
            used = {dim for dims, _ in variables.values() for dim in dims}
            xr.Dataset(
                variables, coords={key: (key, v) for key, v in coords.items() if key in used}
            ).to_netcdf(partial, mode="a", group=group, engine="h5netcdf")
        partial.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}: the posterior cannot be written there ({error}); "
            "give a file in a folder that can be written"
        ) from error
    finally:  # also after Ctrl-C; when all went well it is gone already
        with suppress(OSError):  # nothing was written where the folder itself is wrong
            partial.unlink(missing_ok=True)
    return path
