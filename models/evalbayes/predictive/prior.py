"""Prior predictive: what every model says of the results before any of them is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evalbayes.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.names import cure
from evalbayes.observations import Observations
from evalbayes.predictive import curves, gains, horizons, pairs, repeats, responses
from evalbayes.predictive.predictive import Predictive

Prior = Callable[..., list[Predictive]]
MODELS: dict[str, Prior] = {
    "curves": curves.prior,
    "responses": responses.prior,
    "repeats": repeats.prior,
    "pairs": pairs.prior,
    "horizons": horizons.prior,
    "gains": gains.prior,
}
DRAWS = 1000


def prior_predictive(
    catalogue: Catalogue,
    observations: Observations | None = None,
    *,
    models: Sequence[str] = tuple(MODELS),
    n_draws: int = DRAWS,
    seed: int = 0,
) -> list[Predictive]:
    """Draw results from the priors alone, beside those seen where there are any.

    Each draw takes parameters from their prior and then as many results as were observed: a prior
    under which the results are wildly unlikely, or that gives results nobody would believe, should
    be changed before anything rests on it. Location and spend are centred on the observed
    spend unit's typical figure, as in the fit.

    Parameters
    ----------
    catalogue, observations
        The inputs; without observations nothing stands beside the draws.
    models
        Which: "curves", the joint model of capability and spend (success shares, mean ln spend,
        scores); "responses", that of the back-test; "repeats", best-of-k; "pairs", the elicitation
        gap as pairs of runs show it; "horizons", of the runs of each AI model; "gains",
        post-training gains until the catalogue's horizon. One that the observations are not of
        says nothing.
    n_draws, seed
        Of replicates.

    Raises
    ------
    InputError
        If a model is not known, or an observation is not of the catalogue's evals.

    Examples
    --------
    >>> from evalbayes.catalogue import parse_catalogue
    >>> read = parse_catalogue(
    ...     {
    ...         "domain": [{"name": "cyber", "threshold_human_time": "8 h"}],
    ...         "eval": [{"name": "a", "domain": "cyber", "tasks": 9, "usd_per_run": [1, 5]}],
    ...     }
    ... )
    >>> (found,) = prior_predictive(read, models=["gains"])  # 0.2 to 1.5 a year, 0.7 of it in half
    >>> found.of, bool(np.all(np.abs(np.quantile(found.draws, [0.05, 0.95]) - [0.14, 1.06]) < 0.09))
    (('cyber',), True)
    """
    from evalbayes.observations import Observations

    unknown = [name for name in models if name not in MODELS]
    if unknown:
        raise InputError(
            f"prior predictive: models must be among {', '.join(MODELS)}, got {unknown[0]!r}; "
            f"{cure(unknown[0], list(MODELS))}"
        )
    seen = observations if observations is not None else Observations()
    found: list[Predictive] = []
    for position, name in enumerate(models):
        rng = np.random.default_rng([seed, position])
        found += MODELS[name](catalogue, seen, n_draws, rng)
    return found
