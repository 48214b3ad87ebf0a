"""The posterior: draws of everything the fit learned, by name, free of the sampler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from evalbayes.arrays import Array, Flags, Index
from evalbayes.curves.law import STACKED
from evalbayes.decision import knot
from evalbayes.errors import InputError
from evalbayes.names import cure
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.sizes import CONSTANT, QUANTITIES, Sizes
from evalbayes.posterior.sizes import SEEN as SEEN

FORMAT = 2
DIMENSIONS = {key: axes for key, (axes, _) in QUANTITIES.items()}
AXES = {"domain": "domains", "eval": "evals", "ai_model": "ai_models", "family": "families"}
ONE_IN_A_UNIT = ("slope", "validity_sd", "family_sd", "walk_sd", "gap_range", "gap_departure_sd")
"""What domains of one unit share: alike in all of them, and told by domain."""

FAR = 1e6  # the range of gaps along difficulty where knots have no places


def thinned(n_draws: int, most: int) -> Index:
    """Return the positions of evenly spaced draws, at most so many."""
    places = np.linspace(0, n_draws - 1, min(most, n_draws)).astype(np.int64)
    return np.unique(places)


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Posterior:
    """Joint draws of capability, validity error, elicitation gap and spend; axis 0 is the draw.

    logit A = slope · (Σ_k reach_k · (shown_k + e · gap_k) + e · gap_departure
    − difficulty + family_error + private_error) is the plateau of one eval and AI model at effort
    e; ln spend of runs that give up is normal with `gave_up_location` and `gave_up_scale`; that of
    runs that would succeed is of the family `spend_family` (an index of `STACKED`, other ones in
    other draws, as often as stacking gives them weight) with median `success_location`, width
    `spend_width` and tail `spend_tail`; `success_scale` is the pooled width of the lognormal.

    Shown capability and gap depend on difficulty and are told at knots. The first knots are the
    domains' thresholds, in order: ``draws["shown"][:, d]`` is s of domain d at its (first)
    threshold, which its decision is about. What an eval reads of the knots is its `reach`.

    InputError if a draw is missing, has another shape than its axes say, or a sign or size that no
    fit gives (an sd below 0, a capability of a million and more).

    Parameters
    ----------
    domains, evals, ai_models, families
        Names along the axes. The AI model under test is always one of `ai_models`; every eval of
        the catalogue is one of `evals`, with draws of its prior where nothing was seen.
    draws
        Arrays by name, of shape (n_draws, ...) with the further axes of `DIMENSIONS`: shown (s),
        gap (δ), difficulty (β), family_error (f), private_error (u), validity_sd (ω), family_sd,
        walk_sd (σ_W, of shown capability per root unit of difficulty), gap_range (ρ, the distance
        over which ln δ's correlation falls to 1/e), gap_departure (η), gap_departure_sd (κ) and
        task_sd in the domain's unit; locations and scales in ln spend; slope (a) in logits per
        unit. Domains of one unit share slope and the sds; where these have no axis of domains, all
        do.
    loadings
        Weight of every domain in every eval, of shape (n_evals, n_domains).
    family_of
        Index of the family of every eval, −1 for none, of shape (n_evals,).
    knot_domain, knot_place
        Domain and difficulty of every knot, of shape (n_knots,); None: one knot for each domain,
        without a place, from which all its evals read and at which it is decided.
    reach
        Weight of every knot in every eval, of shape (n_evals, n_knots); None: the loadings.
    gap_prior
        Mean and sd of ln gap before any run, of shape (n_domains, 2); where a threshold has moved
        since the fit the gap there is told with them.
    told_at
        Difficulty from which the walk of shown capability is told, of shape (n_domains,
        n_ai_models); None: not known.
    n_runs
        Runs already seen, of shape (n_evals, n_ai_models).
    elicited_history
        Whether any observation was made with effort above 0; otherwise the gap is prior only.
    studies
        Studies, and of which AI model, whose results were read.
    diagnostics
        The gate of the fit.
    provenance
        Seed, versions, input hashes, chains.
    n_success, n_gave_up, n_stopped
        How the runs already seen ended, of shape (n_evals, n_ai_models); None: all 0.
    largest_cap
        Largest cap of the runs already seen, in the spend unit, 0 where there are none, of shape
        (n_evals, n_ai_models); None: all 0.
    n_late, n_facing
        Of the runs that had the largest cap and whose spend is known (n_facing), how many
        succeeded in the last tenth of it, of shape (n_evals, n_ai_models); None: all 0.
    spend_weights
        Stacking weights of the families of spend `STACKED` in every eval, of shape (n_evals, n);
        None: lognormal. Every curve, cap, cost and information drawn from here uses them.
    spend_families
        Which family of spend, and why: one row per eval and family; empty where none was compared.
    attempts
        How often tasks were tried and solved, as `evalbayes.observations.attempts_of` counts them;
        None where nothing is known of that, as in files of versions that did not keep it.
    human_minutes
        Median human minutes by eval, of evals whose observations stated them; they anchor domains,
        see `evalbayes.catalogue.anchors`.
    """

    domains: tuple[str, ...]
    evals: tuple[str, ...]
    ai_models: tuple[str, ...]
    families: tuple[str, ...]
    draws: Mapping[str, Array]
    loadings: Array
    family_of: Index
    n_runs: Index
    elicited_history: bool
    diagnostics: Diagnostics
    provenance: Mapping[str, Any] = field(default_factory=dict)
    n_success: Index = None  # type: ignore[assignment]  # this and all below: filled in when made
    n_gave_up: Index = None  # type: ignore[assignment]
    n_stopped: Index = None  # type: ignore[assignment]
    largest_cap: Array = None  # type: ignore[assignment]
    n_late: Index = None  # type: ignore[assignment]
    n_facing: Index = None  # type: ignore[assignment]
    spend_weights: Array = None  # type: ignore[assignment]
    spend_families: pd.DataFrame = field(default_factory=pd.DataFrame)
    attempts: pd.DataFrame | None = None
    human_minutes: Mapping[str, float] = field(default_factory=dict)
    knot_domain: Index = None  # type: ignore[assignment]  # filled in below
    knot_place: Array = None  # type: ignore[assignment]  # filled in below
    reach: Array = None  # type: ignore[assignment]  # filled in below
    gap_prior: Array = None  # type: ignore[assignment]  # filled in below
    told_at: Array = None  # type: ignore[assignment]  # filled in below
    studies: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        n_domains = len(self.domains)
        for key, value in (
            ("knot_domain", np.arange(n_domains)),
            ("knot_place", np.full(n_domains, np.nan)),
            ("reach", self.loadings),
            ("gap_prior", np.tile([0.0, 1.0], (n_domains, 1))),
            ("told_at", np.full((n_domains, len(self.ai_models)), np.nan)),
            ("spend_weights", np.tile(np.eye(len(STACKED))[0], (len(self.evals), 1))),
            *((key, np.zeros_like(self.n_runs)) for key in SEEN),
        ):
            if getattr(self, key) is None:
                object.__setattr__(self, key, value)
        draws = dict(self.draws)
        if np.isnan(self.knot_place).all() and "validity_sd" in draws:
            still = np.zeros((len(draws["validity_sd"]), n_domains))
            draws = {"walk_sd": still, "gap_range": still + FAR, **draws}
        if "spend_family" not in draws and {"success_scale", "success_location"} <= set(draws):
            plain = np.zeros(draws["success_location"].shape)  # lognormal
            width = plain + draws["success_scale"][..., None]
            draws |= {"spend_width": width, "spend_tail": plain + 1.0, "spend_family": plain}
        for key in ONE_IN_A_UNIT:
            if key in draws and draws[key].ndim == len(DIMENSIONS[key]):
                draws[key] = np.repeat(draws[key][:, None], n_domains, axis=1)
        object.__setattr__(self, "draws", draws)
        missing = sorted(set(DIMENSIONS) - set(self.draws))
        if missing:
            raise InputError(f"posterior: draws must hold {missing[0]!r}; fit again")
        self._admit_families()
        for key, (dims, sizes) in QUANTITIES.items():
            self._hold(key, self.draws[key], ("draw", *dims), sizes)
        for key, (dims, sizes) in CONSTANT.items():
            self._hold(key, getattr(self, key), dims, sizes)
        if self.knot_domain[:n_domains].tolist() != list(range(n_domains)):
            raise InputError(
                "posterior: the first knots must be those of the domains, in order, got "
                f"{self.knot_domain.tolist()}"
            )
        total = np.sum(np.asarray(self.spend_weights), axis=1)
        if not np.allclose(total, 1.0, rtol=0.0, atol=1e-6):
            raise InputError("posterior: spend_weights of every eval must sum to 1, some do not")

    def _hold(self, key: str, array: Array, dims: tuple[str, ...], sizes: Sizes) -> None:
        """Refuse an array of another shape, or with other numbers in it."""
        lengths = self._lengths
        want = tuple(lengths[dim] for dim in dims)
        if array.shape != want:
            named = f" ({', '.join(dims)})" if dims[0] == "draw" else ""
            raise InputError(f"posterior: {key} must have shape {want}{named}, got {array.shape}")
        most = lengths[sizes.along] - 1 if sizes.along else sizes.most
        replace(sizes, most=most).check(key, array)

    def _admit_families(self) -> None:
        """Give families added since the fit no weight; refuse those that only it knew."""
        weights = np.asarray(self.spend_weights)
        more = len(STACKED) - weights.shape[1] if weights.ndim == 2 else 0
        if more < 0:
            known = self.provenance.get("families", ())
            own = ", ".join(str(name) for name in known if name not in STACKED) or "unnamed"
            raise InputError(
                f"posterior: it was fitted with {-more} families of spend that are not known here "
                f"({own}); add them first (`evalbayes.curves.families.add_family`)"
            )
        if more:
            object.__setattr__(self, "spend_weights", np.pad(weights, ((0, 0), (0, more))))

    @property
    def n_draws(self) -> int:
        """Number of draws, all chains together."""
        return len(self.draws["validity_sd"])

    @property
    def _lengths(self) -> dict[str, int]:
        names = {axis: len(getattr(self, field)) for axis, field in AXES.items()}
        further = {"knot": len(self.knot_place), "moment": 2, "spend_family": len(STACKED)}
        return {"draw": self.n_draws, **names, **further}

    @property
    def knot_names(self) -> tuple[str, ...]:
        """Name of every knot: its domain's at the (first) threshold, else "cyber@5.4"."""
        return tuple(
            knot(self.domains[d], None if k < len(self.domains) else place)
            for k, (d, place) in enumerate(zip(self.knot_domain, self.knot_place, strict=True))
        )

    def index_of(self, axis: str, name: str) -> int:
        """Position of `name` along "domain", "eval", "ai_model" or "family".

        InputError if there is no such name; the names there are listed.
        """
        names: tuple[str, ...] = getattr(self, AXES[axis])
        if name not in names:
            raise InputError(
                f"posterior: {axis} must be one it was fitted with, got {name!r}; "
                f"fit again with it, or {cure(name, names)}"
            )
        return names.index(name)

    def in_unit_of(self, i: int, key: str) -> Array:
        """Draws of one of `ONE_IN_A_UNIT` for the domains of an eval, (n_draws, ...)."""
        return self.draws[key][:, int(self.loadings[i].argmax())]

    def logits(
        self, m: int, effort: float | Array = 0.0, evals: Sequence[int] | None = None
    ) -> Array:
        """Logit plateau of AI model m on some evals, by default all, (n_draws, n_evals)."""
        i, draws = np.arange(len(self.evals)) if evals is None else np.array(evals), self.draws
        error, family = draws["private_error"][:, i, m], self.family_of[i]
        error[:, family >= 0] += draws["family_error"][:, family[family >= 0], m]
        reach = (
            draws["shown"][:, :, m] @ self.reach[i].T
            + effort * (draws["gap"][:, :, m] @ self.reach[i].T)
            + effort * draws["gap_departure"][:, i, m]
        )
        slope = draws["slope"][:, self.loadings[i].argmax(axis=1), m]
        return np.asarray(slope * (reach - draws["difficulty"][:, i] + error))

    def spend_families_drawn(self, i: int, m: int) -> Array | None:
        """Which of the families `STACKED` each draw of one curve has, 0 or 1, (n_draws, n).

        None where every draw is lognormal.
        """
        drawn = self.draws["spend_family"][:, i, m].astype(np.int64)
        return np.eye(len(STACKED))[drawn] if drawn.any() else None

    def plateau(
        self, ai_model: str, effort: float | Array = 0.0, evals: Sequence[int] | None = None
    ) -> Array:
        """Success share with unlimited spend at one effort or that of each eval; see `logits`."""
        m = self.index_of("ai_model", ai_model)
        return expit(self.logits(m, np.asarray(effort, dtype=np.float64), evals))

    def thinned(self, n_draws: int) -> "Posterior":
        """Return evenly spaced draws, at most `n_draws` of them."""
        return self.kept(thinned(self.n_draws, n_draws))

    def kept(self, keep: Index | Flags) -> "Posterior":
        """Return some of the draws only, by position or by mask, as if of one chain."""
        draws = {key: array[keep] for key, array in self.draws.items()}
        return replace(self, draws=draws, provenance={**self.provenance, "chains": 1})

    def about(self, ai_model: str) -> "Posterior":
        """Return the same of one AI model alone, which is then the first."""
        m = [self.index_of("ai_model", ai_model)]
        draws = {
            key: self.draws[key].take(m, axis=1 + dims.index("ai_model"))
            if "ai_model" in dims
            else self.draws[key]
            for key, dims in DIMENSIONS.items()
        }
        own = {key: getattr(self, key)[:, m] for key in ("n_runs", "told_at", *SEEN)}
        return replace(self, ai_models=(ai_model,), draws=draws, **own)

    def save(self, path: str | Path) -> Path:
        """Write one netCDF file that `load` and ArviZ read, whole or not at all; return its path.

        Draws are in the group "posterior" with axes chain and draw; loadings, families and runs in
        "constant_data".
        """
        from evalbayes.posterior.file import write

        return write(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "Posterior":
        """Read what `save` wrote.

        InputError if the file is damaged or no posterior of a format this version reads, lacks
        draws that versions before this one did not write, or holds what the class refuses.
        """
        from evalbayes.posterior.file import read

        return read(Path(path))
