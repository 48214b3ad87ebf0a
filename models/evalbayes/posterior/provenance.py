"""Provenance: what a posterior was made from, and whether it still is what a fit would give."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evalbayes.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior

PACKAGES = ("evalfolio", "pymc", "nutpie", "arviz", "numpy", "scipy")


def provenance_of(
    catalogue: Catalogue, observations: Observations, **settings: Any
) -> dict[str, Any]:
    """Hashes of the inputs, the settings of the fit, versions, and the gaps that were believed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a checkout that is not installed
            versions[package] = "unknown"
    return {
        **settings,
        "catalogue": catalogue.hash,
        "observations": observations.hash,
        "versions": versions,
        "gaps": gaps_of(catalogue),
    }


def gaps_of(catalogue: Catalogue) -> dict[str, list[float]]:
    """Return the range of every domain's elicitation gap, which a stored posterior can follow."""
    return {spec.name: [spec.gap.low, spec.gap.high] for spec in catalogue.domains}


def kept_posterior(path: Path, wanted: dict[str, Any]) -> Posterior | None:
    """Return the posterior stored at a path if a fit would give the same; None if not.

    It would if catalogue, observations, seed, settings and versions are the same: the same seed
    gives the same draws. A file that is no posterior, or keeps no attempts, counts as none.
    `wanted` is what `provenance_of` gives for the fit.
    """
    if not path.is_file():
        return None
    try:
        stored = Posterior.load(path)
    except InputError:
        return None
    same = all(stored.provenance.get(key) == value for key, value in wanted.items())
    return stored if same and stored.attempts is not None else None
