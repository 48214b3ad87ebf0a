r"""Updating: what new results say, without a new fit, in seconds.

Given plateau and spend of a condition (eval, AI model, effort) its runs are independent of all
else, so each condition becomes a normal reading of its q = (logit plateau, ln median spend of
successes, of runs that give up): the one that gives q the moments it has after its likelihood,
under what the other conditions' readings say of it (expectation propagation, Minka 2001; first
under the belief before any result). Given gaps and slopes q is linear in all else: a draw counts
by how likely the readings are given its own gaps and slopes (draws are drawn anew by that), and
all else moves by Matheron's rule, as a Kalman filter's ensemble does. What a study found is a
normal reading of s + e·δ at a threshold from the start. All results are taken
together, so the order and the batches in which they came do not matter. Variances between AI
models and evals and the families of spend stay as they were fitted: for those, fit again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.curves.small_posterior import small_posterior
from evalbayes.errors import InputError
from evalbayes.model.evidence import Evidence, evidence_of
from evalbayes.model.likelihood import Curves, log_likelihood
from evalbayes.model.priors import EFFORT_SPEND
from evalbayes.model.study_readings import read_by_study
from evalbayes.names import cure
from evalbayes.observations import Observations
from evalbayes.posterior.placing import SAME, placed
from evalbayes.posterior.posterior import Posterior

CHANCE = 3.0  # standard errors of a correlation of independent draws
EFFECTIVE = 1000  # draws of a chain count for less than independent ones
TINY = 1e-9
TELLING = 1e-3  # share of a direction's variance below which nothing is told about it
ROUNDS = 4  # of reading every condition, each under what the round before says of the others
FEW = 200  # draws that count effectively, below which the results are a surprise to the belief
KINDS = ("success", "gave_up")
LINEAR = (
    "shown", "family_error", "private_error", "gap_departure", "success_location",
    "gave_up_location", "difficulty",
)  # fmt: skip


class Reading(NamedTuple):
    """What one condition's runs, or a study, say: weights @ (q − centre) is read with normal noise.

    `q` has shape (n_draws, 3); its first is slope · (what is linear + gap), of which `gap` and
    `slope` have shape (n_draws,). `weights` has shape (n_told, 3), `value` and `noise` (a variance)
    (n_told,). A study's q is the capability it reads, and two zeros.
    """

    model: int
    q: Array
    slope: Array
    gap: Array
    centre: Array
    weights: Array
    value: Array
    noise: Array


def updated(
    posterior: Posterior, catalogue: Catalogue, observations: Observations, *, seed: int = 0
) -> Posterior:
    """Return the posterior, as it was fitted, after all results since; same seed, same draws."""
    evidence = evidence_of(observations, catalogue)
    studies = observations.studies.sort_values(["study", "ai_model"])
    if observations.is_empty:
        return posterior
    of = {*evidence.conditions["ai_model"], *studies["ai_model"]}
    unknown = of - set(posterior.ai_models)
    if unknown:
        raise InputError(
            f"results: ai_model must be one the posterior knows, got {min(unknown)!r}; fit again "
            f"with its rows, or {cure(min(unknown), posterior.ai_models)}"
        )
    posterior = placed(posterior, catalogue) if len(studies) else posterior
    posterior, beside = studied(posterior, catalogue, studies)
    readings = [*_readings(posterior, evidence, beside, seed), *beside]
    if sum(len(reading.value) for reading in readings):
        posterior = _moved(posterior, readings, np.random.default_rng([seed, 23]))
    if not len(evidence):
        return posterior
    at = _places(posterior, evidence)
    i, m = (np.array([place[k] for place in at]) for k in (0, 1))
    new = evidence.by_pair(i, m, posterior.n_runs.shape)
    seen = {key: getattr(posterior, key) + added for key, added in new.items()}
    seen["largest_cap"] = np.maximum(posterior.largest_cap, new["largest_cap"])
    runs = int(evidence.n_runs.sum())
    note = f"updated with {runs} run{'s' * (runs != 1)} since the fit, which was not made again"
    return replace(
        posterior,
        **seen,
        elicited_history=posterior.elicited_history
        or bool((evidence.conditions["effort"] > 0).any()),
        diagnostics=replace(posterior.diagnostics, notes=(*posterior.diagnostics.notes, note)),
        provenance={**posterior.provenance, "updated": observations.hash},
    )


def studied(
    posterior: Posterior, catalogue: Catalogue, studies: pd.DataFrame
) -> tuple[Posterior, list[Reading]]:
    """Return the posterior that says which studies it was told of, and what they read."""
    found, gap, told_at = [], posterior.elicited_history, posterior.told_at.copy()
    specs = {spec.name: spec for spec in catalogue.studies}
    for row in studies.to_dict("records"):
        spec, m = specs[row["study"]], posterior.index_of("ai_model", row["ai_model"])
        value, variance, place = read_by_study(row, spec, catalogue)
        d = k = posterior.index_of("domain", spec.domain)
        if place is not None:
            far = np.where(posterior.knot_domain == d, np.abs(posterior.knot_place - place), np.inf)
            k = int(far.argmin())
        if not abs(posterior.knot_place[k] - told_at[d, m]) <= SAME:
            told_at[d, m] = np.nan  # then the walk between is told too
        gap = gap or spec.effort > 0
        deep = spec.effort * posterior.draws["gap"][:, k, m]
        q, one = np.zeros((posterior.n_draws, 3)), np.eye(3)[:1]
        q[:, 0] = posterior.draws["shown"][:, k, m] + deep
        figures = np.array([value]), np.array([variance])
        found.append(Reading(m, q, np.ones(len(q)), deep, np.zeros(3), one, *figures))
    pairs = studies[["study", "ai_model"]].itertuples(index=False, name=None)
    known = tuple(dict.fromkeys([*posterior.studies, *pairs]))
    return replace(posterior, studies=known, elicited_history=gap, told_at=told_at), found


def foretold(posterior: Posterior, evidence: Evidence) -> Curves:
    """Return what a belief says of every condition's curve: fields (n_draws, n_conditions)."""
    at = _places(posterior, evidence)
    q = np.stack([_q(posterior, *where) for where in at], axis=-1)
    evals = [i for i, *_ in at]
    success, gave_up = (posterior.draws[f"{kind}_scale"][:, evals] for kind in KINDS)
    return Curves(q[:, 0], q[:, 1], success, q[:, 2], gave_up)


def _places(posterior: Posterior, evidence: Evidence) -> list[tuple[int, int, float]]:
    """Return eval, AI model and effort of every condition."""
    return [
        (posterior.index_of("eval", name), posterior.index_of("ai_model", ai_model), float(effort))
        for name, ai_model, effort in evidence.conditions.itertuples(index=False)
    ]


def _moved(posterior: Posterior, readings: list[Reading], rng: np.random.Generator) -> Posterior:
    """Return the posterior after normal readings of q, (n_told,) of them in all."""
    n, size = posterior.n_draws, len(readings)
    told = np.concatenate([reading.value for reading in readings])
    noise = np.concatenate([reading.noise for reading in readings])
    weights = block_diag(*(reading.weights for reading in readings))  # (n_told, 3 · readings)
    centre = np.concatenate([reading.centre for reading in readings])
    both = np.stack([reading.q for reading in readings], axis=1)
    far, times = np.zeros((n, size, 3)), np.ones((n, size, 3))
    for k, reading in enumerate(readings):
        times[:, k, 0], far[:, k, 0] = reading.slope, reading.gap
    q, gap, scale = (each.reshape(n, -1) for each in (both, far, times))
    linear = q / scale - gap
    models = sorted({reading.model for reading in readings})
    given = np.concatenate(
        [np.log(posterior.draws[name][..., models]).reshape(n, -1) for name in ("gap", "slope")],
        axis=1,
    )
    given = given[:, given.std(axis=0) > TINY]
    expected = linear.mean(axis=0) + _regressed(linear, given)
    left = linear - expected
    # Of every draw: readings are told around `foretold` with covariance `spread`.
    reader = weights * scale[:, None, :]
    spread = reader @ (left.T @ left / n) @ reader.transpose(0, 2, 1) + np.diag(noise)
    foretold = (scale * (expected + gap) - centre) @ weights.T
    root = np.linalg.cholesky(spread)
    z = np.linalg.solve(root, (told - foretold)[..., None])[..., 0]
    ln = -0.5 * (z**2).sum(axis=1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    chance = np.exp(ln - ln.max())
    chance /= chance.sum()
    at = np.searchsorted(np.cumsum(chance), (np.arange(n) + rng.random()) / n).clip(max=n - 1)
    luck = rng.standard_normal((n, len(told))) * np.sqrt(noise)
    off = told + luck - ((q - centre) @ weights.T)[at]
    pull = np.linalg.solve(spread[at], off[..., None])[..., 0]
    pull = scale[at] * (pull @ weights)  # (n_draws, 3 · readings), on the scale of `linear`
    draws = {name: values[at] for name, values in posterior.draws.items()}
    for name in LINEAR:
        before = posterior.draws[name].reshape(n, -1)
        draws[name] = draws[name] + (pull @ _covariance(left, before)).reshape(draws[name].shape)
    effective = float(1.0 / (chance**2).sum())
    notes = posterior.diagnostics.notes
    if effective < FEW:
        notes = (
            *notes,
            f"the results surprise: only {effective:.0f} of {n} draws of gaps and slopes expect "
            "them, so the update is rough; fit again with them",
        )
    diagnostics = replace(posterior.diagnostics, notes=notes)
    return replace(posterior, draws=draws, diagnostics=diagnostics)


def _covariance(x: Array, y: Array) -> Array:
    """Covariance of columns, (n_x, n_y), without what chance alone makes correlated."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    both: Array = x.T @ y / len(x)
    within = CHANCE / np.sqrt(min(len(x), EFFECTIVE)) * np.outer(x.std(axis=0), y.std(axis=0))
    both[np.abs(both) <= within] = 0.0
    return both


def _regressed(y: Array, x: Array) -> Array:
    """Deviations of y from its means that x says, by least squares on what it is tied to."""
    centred = x - x.mean(axis=0)
    weights = np.linalg.lstsq(centred.T @ centred / len(x), _covariance(x, y), rcond=None)[0]
    return np.asarray(centred @ weights)


def _q(posterior: Posterior, i: int, m: int, effort: float) -> Array:
    """Logit plateau and both ln medians of a condition, by draw, (n_draws, 3)."""
    longer = effort * EFFORT_SPEND[0]
    spends = (posterior.draws[f"{kind}_location"][:, i, m] + longer for kind in KINDS)
    return np.stack([posterior.logits(m, effort, [i])[:, 0], *spends], axis=1)


def _readings(
    posterior: Posterior, evidence: Evidence, beside: list[Reading], seed: int
) -> list[Reading]:
    """Read every condition's runs, beside what studies read."""
    at = _places(posterior, evidence)
    if not at:
        return []
    q = np.concatenate([*(_q(posterior, *w) for w in at), *(each.q for each in beside)], axis=1)
    mean, whole = q.mean(axis=0), np.cov(q, rowvar=False) + TINY * np.eye(q.shape[1])
    known, found = dict(enumerate(beside, len(at))), dict[int, Reading]()
    for _ in range(ROUNDS if len(at) > 1 else 1):
        before, found = found | known, {}
        for c, where in enumerate(at):
            others = {k: each for k, each in before.items() if k != c}
            centre, covariance = _conditioned(mean, whole, others) if others else (mean, whole)
            own = slice(3 * c, 3 * c + 3)
            believed = centre[own], covariance[own, own]
            found[c] = _reading(posterior, evidence, c, where, believed, seed)
    return list(found.values())


def _conditioned(mean: Array, whole: Array, readings: Mapping[int, Reading]) -> tuple[Array, Array]:
    """Mean and covariance of all q after some conditions' readings, were they normal."""
    reader = np.zeros((sum(len(each.value) for each in readings.values()), len(mean)))
    start = 0
    for c, each in readings.items():
        reader[start : start + len(each.value), 3 * c : 3 * c + 3] = each.weights
        start += len(each.value)
    value = [each.value + each.weights @ each.centre for each in readings.values()]
    noise = np.concatenate([each.noise for each in readings.values()])
    gain = np.linalg.solve(reader @ whole @ reader.T + np.diag(noise), reader @ whole).T
    return mean + gain @ (np.concatenate(value) - reader @ mean), whole - gain @ reader @ whole


def _reading(
    posterior: Posterior,
    evidence: Evidence,
    condition: int,
    where: tuple[int, int, float],
    believed: tuple[Array, Array],
    seed: int,
) -> Reading:
    """Read one condition's runs under a normal belief of its q."""
    i, m, effort = where
    scales = np.stack([np.log(posterior.draws[f"{kind}_scale"][:, i]) for kind in KINDS], axis=1)
    # Widths are not moved, but how far they are known bears on what a stop says.
    centre = np.concatenate([believed[0], scales.mean(axis=0)])
    covariance = block_diag(believed[1], np.cov(scales, rowvar=False)) + TINY * np.eye(5)
    root = np.linalg.cholesky(covariance)
    alone = evidence.about(condition)

    def log_joint(w: Array) -> Array:
        """Of q = centre + root @ w: w is standard normal before."""
        at = (centre + w @ root.T)[:, :, None]
        curves = Curves(at[:, 0], at[:, 1], np.exp(at[:, 3]), at[:, 2], np.exp(at[:, 4]))
        return np.asarray(log_likelihood(curves, alone)[:, 0] - 0.5 * (w**2).sum(axis=1))

    what = f"what {posterior.ai_models[m]} showed on {posterior.evals[i]}"
    found = small_posterior(log_joint, np.zeros(5), seed=seed, what=what)
    weight, w = np.exp(found.log_weights), found.draws[:, :3]
    mean = weight @ w
    left, axes = np.linalg.eigh((weight[:, None] * (w - mean)).T @ (w - mean))
    told = left < 1.0 - TELLING
    left, axes = np.maximum(left[told], TINY), axes[:, told]
    return Reading(
        m,
        _q(posterior, i, m, effort),
        posterior.draws["slope"][:, posterior.loadings[i].argmax(), m],
        effort * (posterior.draws["gap"][:, :, m] @ posterior.reach[i]),
        centre[:3],
        np.linalg.solve(root[:3, :3].T, axes).T,
        (axes.T @ mean) / (1.0 - left),
        left / (1.0 - left),
    )
