"""Sampling through nutpie and numba; the one module that knows the versions below it."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalbayes.arrays import Array
from evalbayes.errors import FitError

with warnings.catch_warnings():
    # ArviZ 0.x announces its successor at import, PyTensor that no C compiler was found.
    warnings.simplefilter("ignore")
    import pytensor

    # Everything runs through numba: no C compiler may be needed, none should be looked for.
    pytensor.config.cxx = ""
    # By default compiled sums may be added in any order. Which order that is hangs on what is
    # inlined, and code from the cache is inlined elsewhere than code compiled anew: the first fit
    # of a machine then has other draws than all later ones. In the order written, both are equal.
    pytensor.config.numba__fastmath = False
    import arviz
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

__all__ = ["Sample", "compiled", "convergence", "pm", "pt", "pytensor", "sample"]

TARGET_ACCEPT = 0.9


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Sample:
    """Draws of every free variable, of shape (chains, draws, ...), and divergent transitions."""

    draws: Mapping[str, Array]
    divergences: int


def compiled(model: Any, *made: str) -> Any:
    """Compile a PyMC model once: draws are of its free variables, and of what is made of them.

    Its data may be exchanged by `with_data`.
    """
    kept = [*(variable.name for variable in model.free_RVs), *made]
    with _quiet():
        return nutpie.compile_pymc_model(model, backend="numba", var_names=kept)


def sample(
    program: Any,
    *,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    cores: int | None = None,
    progress: bool = False,
    correlated: bool = False,
) -> Sample:
    """Draw from a compiled model with NUTS; the same seed gives the same draws.

    That holds with an empty compile cache and a full one, and on any number of cores.

    `correlated` adapts to the strongest correlations too, not to single scales alone: dearer a
    step, and worth it where hundreds of quantities lean on each other.

    FitError if the sampler finds no place to start from.
    """
    try:
        with _quiet():
            sampler = nutpie.sample(
                program,
                draws=draws,
                tune=tune,
                chains=chains,
                cores=cores,
                seed=seed,
                progress_bar=progress,
                save_warmup=False,
                target_accept=TARGET_ACCEPT,
                low_rank_modified_mass_matrix=correlated,
                blocking=False,  # blocking, it takes Ctrl-C for "the draws so far will do"
            )
            try:
                trace = sampler.wait()
            except BaseException:
                sampler.cancel()
                raise
    except RuntimeError as error:
        raise FitError(
            f"the sampler must find a place to start from, but it stopped ({error}); "
            "check that spends and caps of one eval are in one unit"
        ) from error
    posterior, stats = trace["posterior"], trace["sample_stats"]
    return Sample(
        {name: np.asarray(posterior[name].values, dtype=float) for name in posterior.data_vars},
        int(np.asarray(stats["diverging"].values).sum()),
    )


def convergence(values: Array) -> tuple[Array, ...]:
    """R-hat, bulk and tail effective sample size of quantities (chains, draws, n), each (n,)."""
    import xarray as xr  # comes with ArviZ

    data = xr.Dataset({"x": (("chain", "draw", "n"), values)})
    with _quiet():
        sizes = [arviz.ess(data, method=method) for method in ("bulk", "tail")]
        measures = (arviz.rhat(data), *sizes)
    return tuple(np.asarray(measure["x"].values, dtype=float) for measure in measures)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide deprecations of the libraries below, about which a user can do nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
