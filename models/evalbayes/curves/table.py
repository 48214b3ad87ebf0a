"""Tables of curves: one row per eval in figures, and grids over caps for drawing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalbayes.curves.curve import Curve
from evalbayes.curves.verdict import LEVELLED, SATURATED, Seen, verdict

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations
    from evalbayes.posterior import Posterior
from evalbayes.spurious import SpuriousRates, as_it_comes, repaired, spurious_rates, uncounted

Array = NDArray[np.float64]

DRAWS = 1000  # draws that quantiles are read from
POINTS = 48  # caps of a drawn curve
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
FIGURES = (
    "plateau",
    "success_location",
    "success_scale",
    "gave_up_location",
    "gave_up_scale",
)


def curve_of(posterior: Posterior, ai_model: str, effort: float = 0.0) -> Curve:
    """Curves of all evals for one AI model: arrays of shape (n_draws, n_evals)."""
    m = posterior.index_of("ai_model", ai_model)
    plateau = np.clip(posterior.plateau(ai_model, effort), 1e-12, 1.0 - 1e-12)
    return Curve(
        plateau,
        posterior.draws["success_location"][:, :, m],
        posterior.draws["success_scale"],
        posterior.draws["gave_up_location"][:, :, m],
        posterior.draws["gave_up_scale"],
        posterior.success_family,
    )


def curves(
    posterior: Posterior,
    catalogue: Catalogue,
    ai_model: str | None = None,
    *,
    setup: float = 0.0,
    observations: Observations | None = None,
) -> pd.DataFrame:
    """Return plateau, sweet spot, saturation points and verdict of every eval, one row each.

    Parameters
    ----------
    posterior
        Belief about the curves.
    catalogue
        For `max_cap`, the largest cap worth considering.
    ai_model
        By default the one under test.
    setup
        Cost of setting a run up, in USD, to count in the sweet spot; left out by default.
    observations
        What was observed, for the failures that were reviewed.

    Returns
    -------
    pandas.DataFrame
        Columns eval, domain, ai_model, class, p_levelled, plateau, success_at_max_cap,
        expected_spend, sweet_spot, saturation_elasticity, saturation_95 (medians; each but
        class and p_levelled with _low and _high, a 90 % interval), elasticity_at_max_cap,
        spend_unit, max_cap, largest_cap_seen, runs and reason. Spends and caps are in
        `spend_unit`. sweet_spot is NaN where more than half of the draws have none below
        `max_cap`; the reason says so. Saturation points may lie beyond `max_cap`. Where failures
        were reviewed also spurious_rate, plateau_as_it_comes (spurious failures counted as
        failures) and plateau_repaired (as if all of them were mended).

    Examples
    --------
    ``curves(posterior, catalogue).set_index("eval")["sweet_spot"]`` gives the cap with most
    success per unit of spend of every eval.
    """
    ai_model = ai_model or catalogue.portfolio.ai_model
    posterior = posterior.thinned(DRAWS)
    curve = curve_of(posterior, ai_model)
    specs = [catalogue.eval(name) for name in posterior.evals]
    ln_max = np.log([spec.max_cap for spec in specs])
    unit_setup = np.array([setup / spec.usd_per_unit.mid for spec in specs])
    figures = {
        "plateau": curve.plateau,
        "success_at_max_cap": curve.success_within(ln_max),
        "expected_spend": curve.expected_spend(ln_max),
        "sweet_spot": np.exp(curve.sweet_spot(ln_max, unit_setup)),
        "saturation_elasticity": np.exp(curve.saturation()),
        "saturation_95": np.exp(curve.saturation_share(SATURATED)),
    }
    rates = spurious_rates(observations) if observations is not None else None
    if rates is not None:
        figures |= _with_spurious(curve.plateau, rates, posterior.evals, ai_model)
    elasticity = np.median(curve.cap_elasticity(ln_max), axis=0)
    ln_seen = _ln_largest_cap(posterior, ai_model, ln_max)
    p_levelled = (curve.levelled(ln_seen) > LEVELLED).mean(axis=0)
    p_saturated = (curve.levelled(ln_seen) > SATURATED).mean(axis=0)
    rows = []
    for i, spec in enumerate(specs):
        seen = _seen(posterior, ai_model, i)
        judged = verdict(seen, float(p_levelled[i]), float(p_saturated[i]))
        row: dict[str, Any] = {
            "eval": spec.name,
            "domain": spec.domain,
            "ai_model": ai_model,
            "class": judged.kind,
            "p_levelled": judged.p_levelled,
        }
        for key, draws in figures.items():
            row |= _quantiles(key, draws[:, i])
        row["elasticity_at_max_cap"] = float(elasticity[i])
        row["spend_unit"] = spec.spend_unit
        row["max_cap"] = spec.max_cap
        row["largest_cap_seen"] = float(np.exp(ln_seen[i])) if seen.n_runs else np.nan
        row["runs"] = seen.n_runs if seen.of_ai_model else 0
        row["reason"] = judged.reason + _without_sweet_spot(figures["sweet_spot"][:, i], row)
        rows.append(row)
    return pd.DataFrame(rows)


def _with_spurious(
    plateau: ArrayLike, rates: SpuriousRates, evals: tuple[str, ...], ai_model: str
) -> dict[str, Array]:
    """Rates of spurious failures and what they do to the plateau, of shape (n_draws, n_evals)."""
    n_draws = len(np.asarray(plateau))
    rate = np.stack([np.resize(rates.of(name, ai_model), n_draws) for name in evals], axis=1)
    left = np.array([rates.unreviewed(name, ai_model) for name in evals])
    mended = repaired(plateau, uncounted(rate, left))
    return {
        "spurious_rate": rate,
        "plateau_as_it_comes": as_it_comes(mended, rate),
        "plateau_repaired": mended,
    }


def curve_grid(
    posterior: Posterior,
    catalogue: Catalogue,
    ai_model: str | None = None,
    *,
    points: int = POINTS,
) -> pd.DataFrame:
    """Return success within a cap and expected spend over caps, for drawing.

    Returns
    -------
    pandas.DataFrame
        Columns eval, cap, success, success_low, success_high, spend, spend_low, spend_high,
        spend_unit: medians and 90 % intervals at caps spaced evenly in ln up to `max_cap`.
    """
    ai_model = ai_model or catalogue.portfolio.ai_model
    posterior = posterior.thinned(DRAWS)
    curve = curve_of(posterior, ai_model)
    specs = [catalogue.eval(name) for name in posterior.evals]
    ln_max = np.log([spec.max_cap for spec in specs])
    early = np.quantile(curve.success_location - 2.5 * curve.success_scale, LOW, axis=0)
    ln_low = np.minimum(early, ln_max - np.log(100.0))
    frames = []
    for i, spec in enumerate(specs):
        ln_caps = np.linspace(ln_low[i], ln_max[i], points)
        own = replace(curve, **{key: _column(curve, key, i) for key in FIGURES})
        frame: dict[str, Any] = {"eval": spec.name, "cap": np.exp(ln_caps)}
        for key, draws in (
            ("success", own.success_within(ln_caps)),
            ("spend", own.expected_spend(ln_caps)),
        ):
            low, middle, high = np.quantile(draws, (LOW, MIDDLE, HIGH), axis=0)
            frame |= {key: middle, f"{key}_low": low, f"{key}_high": high}
        frames.append(pd.DataFrame(frame).assign(spend_unit=spec.spend_unit))
    return pd.concat(frames, ignore_index=True)


def _quantiles(key: str, draws: Array) -> dict[str, float]:
    """Median and 90 % interval; NaN where more than half of the draws have no value."""
    known = draws[np.isfinite(draws)]
    if len(known) * 2 < len(draws):
        return {key: np.nan, f"{key}_low": np.nan, f"{key}_high": np.nan}
    low, middle, high = np.quantile(known, (LOW, MIDDLE, HIGH))
    return {key: float(middle), f"{key}_low": float(low), f"{key}_high": float(high)}


def _without_sweet_spot(draws: Array, row: dict[str, Any]) -> str:
    missing = float(np.isnan(draws).mean())
    if missing <= 0.5:
        return ""
    return (
        f"; no sweet spot below the largest cap worth considering ({row['max_cap']:,.4g} "
        f"{row['spend_unit']}) in {missing:.0%} of the draws"
    )


def _column(curve: Curve, key: str, i: int) -> Any:
    """One eval's draws of a figure of the curves."""
    return np.asarray(getattr(curve, key))[:, [i]]


def _ln_largest_cap(posterior: Posterior, ai_model: str, ln_max: Array) -> Array:
    """Log of the largest cap seen: of the AI model's own runs, else of any, else the limit."""
    assert posterior.largest_cap is not None  # filled in at construction
    own = posterior.largest_cap[:, posterior.index_of("ai_model", ai_model)]
    largest = np.where(own > 0, own, posterior.largest_cap.max(axis=1, initial=0.0))
    value: Array = np.where(largest > 0, np.log(np.maximum(largest, 1e-300)), ln_max)
    return value


def _seen(posterior: Posterior, ai_model: str, i: int) -> Seen:
    """Tell how runs of an eval ended: the AI model's own, or if it has none, those of others."""
    m = posterior.index_of("ai_model", ai_model)
    own = bool(posterior.n_runs[i, m] > 0)
    n_runs, n_success, n_gave_up, n_stopped = (
        int(table[i, m] if own else table[i].sum())
        for table in (
            posterior.n_runs,
            posterior.n_success,
            posterior.n_gave_up,
            posterior.n_stopped,
        )
        if table is not None  # filled in at construction
    )
    return Seen(n_success, n_gave_up, n_stopped, n_runs, own)
