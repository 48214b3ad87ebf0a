"""Convergence and prior sensitivity of every quantity that a fit reports."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from evalbayes.arrays import Array, Flags
from evalbayes.model import derived
from evalbayes.model.design import Design
from evalbayes.model.evidence import Evidence
from evalbayes.model.layout import PARTS, Layout, base_layout, sampled

POWERS = (0.8, 1.25)  # of the prior: a fifth less, and as much more
NOTEWORTHY = 0.3  # sds per doubling of the prior's weight from which a conclusion rests on it


def prior_shift(values: Array, log_prior: Array) -> Array:
    """Shift of the mean, in posterior sds, per doubling of the weight of the prior.

    The prior p(φ) of everything with a constant prior (typical values, spreads, gaps) is raised to
    a power α, and the draws are weighed again by p(φ)^(α − 1): no new fit is needed (Kallioinen,
    Paananen, Bürkner & Vehtari 2023, Detecting and diagnosing prior and likelihood sensitivity with
    power-scaling). `values` are draws of quantities, (n_draws, n), `log_prior` is the log prior
    density of each, up to a constant; the result, of shape (n,), is 0 where a quantity does not
    vary.
    """
    sd = values.std(axis=0)
    means = [softmax((power - 1.0) * log_prior) @ values for power in POWERS]
    doublings = np.log2(POWERS[1] / POWERS[0])
    moved = np.abs(means[1] - means[0]) / np.maximum(sd, 1e-300) / doublings
    return np.where(sd > 0, moved, 0.0)


def log_prior_of(base: Layout, named: Mapping[str, Array]) -> Array:
    """Log density of all that has a constant prior, of shape (n_draws,), up to a constant.

    Offsets, whose spread is learned, are left out; draws are of shape (n_draws, ...).
    """
    total: Array | None = None
    logs = {name: np.log(named[name]) for name in base.logarithms & set(named)}
    if set(PARTS) <= set(named):
        logs |= sampled(named)
    for name, (start, stop, single) in base.spans.items():
        if base.sd_entry[start] >= 0 if stop > start else True:
            continue
        x = logs.get(name, named[name])
        x = x[:, None] if single else x
        z = (x - np.array(base.mean[start:stop])) / np.array(base.sd[start:stop])
        part: Array = -0.5 * (z**2).sum(axis=1)
        total = part if total is None else total + part
    assert total is not None  # slopes have a prior in every design
    return total


# One entry for every unit of capability.
BY_UNIT = ("slope_mean", "validity_sd", "family_sd", "walk_sd", "gap_departure_sd", "gap_range")
DIMS = {  # of what is reported beside; the first four are sampled as they are
    "success_location": "condition",
    "gave_up_location": "condition",
    "success_scale": "eval",
    "gave_up_scale": "eval",
    "plateau": "condition",
    "shown": "knot_ai_model",
    "slope": "unit_ai_model",
    "difficulty": "eval",
    "gap": "knot_ai_model",
}


def reported(
    design: Design, evidence: Evidence, named: Mapping[str, Array]
) -> tuple[pd.Index, Array]:
    """Name every reported quantity; return their draws, (chains, draws, n)."""
    every = (*BY_UNIT, *list(DIMS)[:4])
    found = {key: named[key] for key in every if key in named}
    found["plateau"] = expit(derived.plateau_logits(design, named))
    found["shown"] = derived.capabilities(design, named)
    found["slope"] = derived.slopes(design, named)
    found["difficulty"] = derived.difficulties(design, named)
    if design.elicited:
        found["gap"] = derived.gaps(design, named)
    informed = _informed(design, evidence)
    labels, columns = [], []
    for key, values in found.items():
        table = values.reshape(*values.shape[:2], -1)
        kept = (np.ptp(table, axis=(0, 1)) > 1e-12) & informed.get(key, True)  # some are exact
        labels += [_label(design, key, int(j)) for j in np.flatnonzero(kept)]
        columns.append(table[..., kept])
    return pd.Index(labels, name="quantity"), np.concatenate(columns, axis=2)


def convergence(design: Design, evidence: Evidence, named: Mapping[str, Array]) -> pd.DataFrame:
    """Return r_hat, ess_bulk, ess_tail and prior_shift of every reported quantity.

    Draws are of shape (chains, draws, ...).
    """
    from evalbayes.model import sampling  # loads PyMC: only where something was sampled

    labels, table = reported(design, evidence, named)
    r_hat, bulk, tail = sampling.convergence(table)
    n = table.shape[0] * table.shape[1]  # spelt out: an axis may be empty, e.g. without families
    flat = {key: value.reshape(n, *value.shape[2:]) for key, value in named.items()}
    moved = prior_shift(table.reshape(n, table.shape[2]), log_prior_of(base_layout(design), flat))
    columns = {"r_hat": r_hat, "ess_bulk": bulk, "ess_tail": tail, "prior_shift": moved}
    return pd.DataFrame(columns, index=labels)


def _informed(design: Design, evidence: Evidence) -> dict[str, Flags]:
    """Which entries of spend quantities any run bears on; the others are prior, not reported."""
    gave_up = evidence.ended.n_gave_up + evidence.n_stopped > 0
    of = np.searchsorted(design.seen_evals, design.condition_eval)
    eval_gave_up = np.bincount(of, weights=gave_up, minlength=len(design.seen_evals)) > 0
    return {"gave_up_location": gave_up, "gave_up_scale": eval_gave_up}


def _label(design: Design, key: str, j: int) -> str:
    """Name of entry j of a quantity, as a reader knows it."""
    if key in DIMS:
        return f"{key}[{design.coords[DIMS[key]][j]}]"
    return f"{key}, {design.scales[j]}" if len(design.scales) > 1 else key
