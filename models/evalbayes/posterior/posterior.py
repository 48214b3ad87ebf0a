"""The posterior: draws of everything the fit learned, by name, free of the sampler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evalbayes.curves.law import STACKED
from evalbayes.errors import InputError
from evalbayes.posterior.diagnostics import Diagnostics

FORMAT = 1
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "shown": ("domain", "ai_model"),
    "gap": ("domain", "ai_model"),
    "slope": ("ai_model",),
    "difficulty": ("eval",),
    "family_error": ("family", "ai_model"),
    "private_error": ("eval", "ai_model"),
    "validity_sd": (),
    "family_sd": (),
    "gap_departure": ("eval", "ai_model"),
    "gap_departure_sd": (),
    "success_location": ("eval", "ai_model"),
    "gave_up_location": ("eval", "ai_model"),
    "success_scale": ("eval",),
    "spend_width": ("eval", "ai_model"),
    "spend_tail": ("eval", "ai_model"),
    "spend_family": ("eval", "ai_model"),
    "gave_up_scale": ("eval",),
    "task_sd": ("eval",),
}

SEEN = ("n_success", "n_gave_up", "n_stopped", "largest_cap", "n_late", "n_facing")


def lognormal_spends(draws: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Width, tail and family of lognormal spends, from locations and scales."""
    shape = draws["success_location"].shape
    width = np.broadcast_to(draws["success_scale"][..., None], shape)
    return {
        "spend_width": width.copy(),
        "spend_tail": np.ones(shape),
        "spend_family": np.zeros(shape),
    }


def thinned(n_draws: int, most: int) -> NDArray[np.int64]:
    """Return the positions of evenly spaced draws, at most so many.

    Examples
    --------
    >>> thinned(7, 3).tolist(), thinned(2, 5).tolist()
    ([0, 3, 6], [0, 1])
    """
    places = np.linspace(0, n_draws - 1, min(most, n_draws)).astype(np.int64)
    keep: NDArray[np.int64] = np.unique(places)
    return keep


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Posterior:
    """Joint draws of capability, validity error, elicitation gap and spend; axis 0 is the draw.

    logit A = slope · (Σ_d loadings_d · (shown_d + e · gap_d) + e · gap_departure
    − difficulty + family_error + private_error) is the plateau of one eval and AI model at effort
    e; ln spend of runs that give up is normal with `gave_up_location` and `gave_up_scale`; that of
    runs that would succeed is of the family `spend_family` (an index of `STACKED`, other ones in
    other draws, as often as stacking gives them weight) with median `success_location`, width
    `spend_width` and tail `spend_tail`; `success_scale` is the pooled width of the lognormal.

    Parameters
    ----------
    domains, evals, ai_models, families
        Names along the axes. The AI model under test is always one of `ai_models`; every eval of
        the catalogue is one of `evals`, with draws of its prior where nothing was seen.
    draws
        Arrays by name, of shape (n_draws, ...) with the further axes of `DIMENSIONS`: shown (s),
        gap (δ), difficulty (β), family_error (f), private_error (u), validity_sd (ω), family_sd,
        gap_departure (η), gap_departure_sd (κ) and task_sd in the domain's unit; locations and
        scales in ln spend; slope (a) in logits per unit.
    loadings
        Weight of every domain in every eval, of shape (n_evals, n_domains).
    family_of
        Index of the family of every eval, −1 for none, of shape (n_evals,).
    n_runs
        Runs already seen, of shape (n_evals, n_ai_models).
    elicited_history
        Whether any observation was made with effort above 0; otherwise the gap is prior only.
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
        Stacking weights of the families of spend `STACKED` in every eval, of shape (n_evals, 4);
        None: lognormal. Every curve, cap, cost and information drawn from here uses them.
    spend_families
        Which family of spend, and why: one row per eval and family; empty where none was compared.
    attempts
        How often tasks were tried and solved, as `evalbayes.observations.attempts_of` counts them;
        None where nothing is known of that, as in files of versions that did not keep it.

    Raises
    ------
    InputError
        If a draw is missing, has another shape than its axes say, or is not finite.
    """

    domains: tuple[str, ...]
    evals: tuple[str, ...]
    ai_models: tuple[str, ...]
    families: tuple[str, ...]
    draws: Mapping[str, NDArray[np.float64]]
    loadings: NDArray[np.float64]
    family_of: NDArray[np.int64]
    n_runs: NDArray[np.int64]
    elicited_history: bool
    diagnostics: Diagnostics
    provenance: Mapping[str, Any] = field(default_factory=dict)
    n_success: NDArray[np.int64] | None = None
    n_gave_up: NDArray[np.int64] | None = None
    n_stopped: NDArray[np.int64] | None = None
    largest_cap: NDArray[np.float64] | None = None
    n_late: NDArray[np.int64] | None = None
    n_facing: NDArray[np.int64] | None = None
    spend_weights: NDArray[np.float64] | None = None
    spend_families: pd.DataFrame = field(default_factory=pd.DataFrame)
    attempts: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        lengths = self._lengths
        if "spend_family" not in self.draws and {"success_scale", "success_location"} <= set(
            self.draws
        ):
            object.__setattr__(self, "draws", {**self.draws, **lognormal_spends(self.draws)})
        if self.spend_weights is None:
            lognormal = np.tile(np.eye(len(STACKED))[0], (len(self.evals), 1))
            object.__setattr__(self, "spend_weights", lognormal)
        missing = sorted(set(DIMENSIONS) - set(self.draws))
        if missing:
            raise InputError(f"posterior: draws must hold {missing[0]!r}; fit again")
        n_draws = len(self.draws["validity_sd"])
        for key, dims in DIMENSIONS.items():
            want = (n_draws, *(lengths[dim] for dim in dims))
            array = self.draws[key]
            if array.shape != want:
                raise InputError(
                    f"posterior: {key} must have shape {want} (draw, {', '.join(dims)}), "
                    f"got {array.shape}"
                )
            if not np.isfinite(array).all():
                raise InputError(f"posterior: {key} must be finite, but it holds NaN or infinity")
        for key in SEEN:
            if getattr(self, key) is None:
                object.__setattr__(self, key, np.zeros_like(self.n_runs))
        for key, want in (
            *((key, (len(self.evals), len(self.ai_models))) for key in SEEN),
            ("loadings", (len(self.evals), len(self.domains))),
            ("family_of", (len(self.evals),)),
            ("n_runs", (len(self.evals), len(self.ai_models))),
            ("spend_weights", (len(self.evals), len(STACKED))),
        ):
            if getattr(self, key).shape != want:
                raise InputError(
                    f"posterior: {key} must have shape {want}, got {getattr(self, key).shape}"
                )

    @property
    def n_draws(self) -> int:
        """Number of draws, all chains together."""
        return len(self.draws["validity_sd"])

    @property
    def _lengths(self) -> dict[str, int]:
        return {
            "domain": len(self.domains),
            "eval": len(self.evals),
            "ai_model": len(self.ai_models),
            "family": len(self.families),
        }

    def index_of(self, axis: str, name: str) -> int:
        """Position of `name` along "domain", "eval", "ai_model" or "family".

        Raises
        ------
        InputError
            If there is no such name; the names there are listed.
        """
        names: tuple[str, ...] = {
            "domain": self.domains,
            "eval": self.evals,
            "ai_model": self.ai_models,
            "family": self.families,
        }[axis]
        if name not in names:
            raise InputError(
                f"posterior: {axis} must be one of {sorted(names)}, got {name!r}; "
                "fit again with it, or give one of these"
            )
        return names.index(name)

    def validity_error(self, ai_model: str) -> NDArray[np.float64]:
        """Family and private error together, of shape (n_draws, n_evals)."""
        m = self.index_of("ai_model", ai_model)
        error: NDArray[np.float64] = self.draws["private_error"][:, :, m].copy()
        member = self.family_of >= 0
        error[:, member] += self.draws["family_error"][:, self.family_of[member], m]
        return error

    def spend_families_drawn(self, i: int, m: int) -> NDArray[np.float64] | None:
        """Which of the families `STACKED` each draw of one curve has, 0 or 1, (n_draws, 4).

        None where every draw is lognormal.
        """
        drawn = self.draws["spend_family"][:, i, m].astype(np.int64)
        return np.eye(len(STACKED))[drawn] if drawn.any() else None

    def plateau(
        self, ai_model: str, effort: float | NDArray[np.float64] = 0.0
    ) -> NDArray[np.float64]:
        """Success share with unlimited spend, of shape (n_draws, n_evals).

        Parameters
        ----------
        ai_model
            One of `ai_models`.
        effort
            Elicitation effort, one for all evals or one per eval, 0 to 1.
        """
        m = self.index_of("ai_model", ai_model)
        effort = np.asarray(effort, dtype=np.float64)
        reach = (
            self.draws["shown"][:, :, m] @ self.loadings.T
            + effort * (self.draws["gap"][:, :, m] @ self.loadings.T)
            + effort * self.draws["gap_departure"][:, :, m]
        )
        margin = reach - self.draws["difficulty"] + self.validity_error(ai_model)
        plateau: NDArray[np.float64] = expit(self.draws["slope"][:, [m]] * margin)
        return plateau

    def thinned(self, n_draws: int) -> Posterior:
        """Return evenly spaced draws, at most `n_draws` of them."""
        return self.kept(thinned(self.n_draws, n_draws))

    def kept(self, keep: NDArray[np.int64] | NDArray[np.bool_]) -> Posterior:
        """Return some of the draws only, by position or by mask, as if of one chain."""
        fields = {key: getattr(self, key) for key in self.__dataclass_fields__}
        fields["draws"] = {key: array[keep] for key, array in self.draws.items()}
        fields["provenance"] = {**self.provenance, "chains": 1}
        return Posterior(**fields)

    def save(self, path: str | Path) -> Path:
        """Write one netCDF file that `load` and ArviZ read, whole or not at all; return its path.

        Draws are in the group "posterior" with axes chain and draw; loadings, families and runs in
        "constant_data".
        """
        from evalbayes.posterior.file import write

        return write(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is no posterior of a format this version reads, or lacks draws that
            versions before this one did not write.
        """
        import xarray as xr  # heavy: only where a file is read or written

        path = Path(path)
        try:
            with xr.open_dataset(path, engine="h5netcdf") as root:
                head = json.loads(root.attrs["evalfolio"])
            with xr.open_dataset(path, group="posterior", engine="h5netcdf") as stored:
                posterior = stored.load()
            with xr.open_dataset(path, group="constant_data", engine="h5netcdf") as stored:
                constant = stored.load()
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{path}: must be a posterior written by `evalfolio fit`, "
                f"but it cannot be read ({error}); fit again"
            ) from error
        if head["format"] != FORMAT:
            raise InputError(
                f"{path}: posterior format must be {FORMAT}, got {head['format']}; fit again"
            )
        names = {
            key: tuple(map(str, posterior[key].values)) if key in posterior.coords else ()
            for key in ("domain", "eval", "ai_model", "family")
        }
        n_draws = posterior.sizes["chain"] * posterior.sizes["draw"]
        draws = {}
        for key, dims in DIMENSIONS.items():
            shape = (n_draws, *(len(names[dim]) for dim in dims))
            if key not in posterior and 0 not in shape:  # what has no entries is not written
                raise InputError(
                    f"{path}: a posterior must hold {key!r}, which this one lacks: it was written "
                    "by another version of evalfolio; fit again"
                )
            draws[key] = (
                posterior[key].values.reshape(shape) if key in posterior else np.zeros(shape)
            )
        return cls(
            domains=names["domain"],
            evals=names["eval"],
            ai_models=names["ai_model"],
            families=names["family"],
            draws=draws,
            loadings=constant["loadings"].values,
            family_of=constant["family_of"].values,
            n_runs=constant["n_runs"].values,
            elicited_history=head["elicited_history"],
            diagnostics=Diagnostics.restored(head["diagnostics"]),
            provenance=head["provenance"],
            spend_weights=constant["spend_weights"].values if "spend_weights" in constant else None,
            spend_families=pd.read_json(
                StringIO(head.get("spend_families", "{}")),
                orient="split" if "spend_families" in head else "columns",
            ),
            attempts=pd.read_json(StringIO(head["attempts"]), orient="split", precise_float=True)
            if head.get("attempts")
            else None,
            **{key: constant[key].values for key in SEEN if key in constant},
        )
