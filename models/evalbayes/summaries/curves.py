"""Tables of curves: one row per eval in figures, and grids over caps for drawing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.curves.curve import Curve
from evalbayes.curves.law import STACKED
from evalbayes.curves.verdict import (
    FLOOR,
    LATE,
    LEVELLED,
    SATURATED,
    Seen,
    Verdict,
    artefact,
    verdict,
)
from evalbayes.observations import Observations
from evalbayes.observations.spurious import (
    SpuriousRates,
    as_it_comes,
    repaired,
    spurious_rates,
    uncounted,
)
from evalbayes.posterior.posterior import SEEN, Posterior

DRAWS = 1000  # draws that quantiles are read from
POINTS = 48  # caps of a drawn curve
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95


def curve_of(posterior: Posterior, ai_model: str, effort: float = 0.0) -> Curve:
    """Curves of all evals for one AI model: arrays of shape (n_draws, n_evals).

    Spends are in each eval's unit; `effort` goes from 0, as it comes, to 1.
    """
    m = posterior.index_of("ai_model", ai_model)
    plateau = np.clip(posterior.plateau(ai_model, effort), 1e-12, 1.0 - 1e-12)
    return Curve(
        plateau,
        posterior.draws["success_location"][:, :, m],
        posterior.draws["spend_width"][:, :, m],
        posterior.draws["gave_up_location"][:, :, m],
        posterior.draws["gave_up_scale"],
        posterior.draws["spend_tail"][:, :, m],
        np.eye(len(STACKED))[posterior.draws["spend_family"][:, :, m].astype(np.int64)],
    )


def own_curve(curve: Curve, i: int) -> Curve:
    """Curve of one eval, fields of shape (n_draws, 1); that of a lognormal one stays fast."""
    own = curve.at((slice(None), [i]))
    assert own.weights is not None  # as `curve_of` gives them
    return replace(own, weights=None) if (own.weights[..., 0] == 1.0).all() else own


def curve_table(
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
        spend_unit, max_cap, largest_cap_seen, runs, spend_families (weights in words), reason,
        and p_plateau, ..., p_unknown, which add to 1. Spends and caps are in `spend_unit`.
        sweet_spot is NaN where more than half of the draws have none below `max_cap`; the reason
        says so. Saturation points may lie beyond `max_cap`. Where failures were reviewed also
        spurious_rate, plateau_as_it_comes (spurious failures counted as failures) and
        plateau_repaired (as if all of them were mended).

    Examples
    --------
    ``curve_table(posterior, catalogue).set_index("eval")["sweet_spot"]`` gives the cap with most
    success per unit of spend of every eval.
    """
    ai_model = ai_model or catalogue.portfolio.ai_model
    posterior = posterior.thinned(DRAWS)
    whole = curve_of(posterior, ai_model)
    rates = spurious_rates(observations) if observations is not None else None
    extra = (
        _with_spurious(whole.plateau, rates, posterior.evals, ai_model) if rates is not None else {}
    )
    rows = []
    for i, name in enumerate(posterior.evals):
        spec, curve = catalogue.eval(name), own_curve(whole, i)
        ln_max = np.log(spec.max_cap)
        judged = judge(posterior, curve, ai_model, i, ln_max)
        sweet_spot = np.exp(curve.sweet_spot(ln_max, setup / spec.usd_per_unit.mid))
        row: dict[str, Any] = {
            "eval": spec.name,
            "domain": spec.domain,
            "ai_model": ai_model,
            "class": judged.kind,
            "p_levelled": judged.p_levelled,
        }
        for key, draws in (
            ("plateau", curve.plateau),
            ("success_at_max_cap", curve.success_within(ln_max)),
            ("expected_spend", curve.expected_spend(ln_max)),
            ("sweet_spot", sweet_spot),
            ("saturation_elasticity", np.exp(curve.saturation())),
            ("saturation_95", np.exp(curve.saturation_share(SATURATED))),
        ):
            row |= _quantiles(key, draws[:, 0])
        for key, table in extra.items():
            row |= _quantiles(key, table[:, i])
        seen = seen_of(posterior, ai_model, i)
        row["elasticity_at_max_cap"] = float(np.median(curve.cap_elasticity(ln_max)))
        row["spend_unit"] = spec.spend_unit
        row["max_cap"] = spec.max_cap
        row["largest_cap_seen"] = (
            float(np.exp(ln_largest_cap(posterior, ai_model, i, ln_max))) if seen.n_runs else np.nan
        )
        row["runs"] = seen.n_runs if seen.of_ai_model else 0
        row["spend_families"] = in_words(posterior, i)
        row["reason"] = judged.reason + _without_sweet_spot(sweet_spot[:, 0], row)
        row |= {f"p_{kind.replace(' ', '_')}": p for kind, p in judged.probabilities.items()}
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
    posterior: Posterior, catalogue: Catalogue, ai_model: str | None = None, *, points: int = POINTS
) -> pd.DataFrame:
    """Return success within a cap and expected spend over caps, for drawing.

    Parameters
    ----------
    posterior, catalogue
        Belief about the curves, and the evals with their largest caps.
    ai_model
        By default the one under test.
    points
        Caps per eval.

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
        own = own_curve(curve, i)
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


def verdicts(posterior: Posterior) -> pd.DataFrame:
    """Return the verdict on the curve of every eval and AI model with runs of its own.

    Columns are eval, ai_model, runs, class, p_plateau, p_saturating, p_not_yet_levelling, p_floor,
    p_artefact, p_unknown (they add to 1) and reason.
    """
    posterior = posterior.thinned(DRAWS)
    rows: list[dict[str, Any]] = []
    for m, ai_model in enumerate(posterior.ai_models):
        whole = curve_of(posterior, ai_model)
        for i in np.flatnonzero(posterior.n_runs[:, m] > 0):
            judged = judge(posterior, own_curve(whole, int(i)), ai_model, int(i), 0.0)
            rows.append(
                {
                    "eval": posterior.evals[i],
                    "ai_model": ai_model,
                    "runs": int(posterior.n_runs[i, m]),
                    "class": judged.kind,
                    **{f"p_{k.replace(' ', '_')}": p for k, p in judged.probabilities.items()},
                    "reason": judged.reason,
                }
            )
    return pd.DataFrame(rows)


def judge(posterior: Posterior, curve: Curve, ai_model: str, i: int, ln_max: float) -> Verdict:
    """Judge one curve, its fields of shape (n_draws, 1), at the largest cap seen."""
    ln_seen = ln_largest_cap(posterior, ai_model, i, ln_max)
    reached = curve.levelled(ln_seen)[:, 0]
    seen = seen_of(posterior, ai_model, i)
    late = curve.success_within(ln_seen) - curve.success_within(ln_seen + np.log(LATE))
    return verdict(
        seen,
        float((reached > LEVELLED).mean()),
        float((reached > SATURATED).mean()),
        float((curve.success_within(ln_seen)[:, 0] < FLOOR).mean()),
        artefact(seen, seen.n_facing * late[:, 0]),
    )


def ln_largest_cap(posterior: Posterior, ai_model: str, i: int, ln_max: float) -> float:
    """Log of the largest cap seen: of the AI model's own runs, else of any, else the limit."""
    own = posterior.largest_cap[i, posterior.index_of("ai_model", ai_model)]
    largest = own if own > 0 else posterior.largest_cap[i].max(initial=0.0)
    return float(np.log(largest)) if largest > 0 else ln_max


def seen_of(posterior: Posterior, ai_model: str, i: int) -> Seen:
    """Tell how runs of an eval ended: the AI model's own, or if it has none, those of others."""
    m = posterior.index_of("ai_model", ai_model)
    own = bool(posterior.n_runs[i, m] > 0)
    tables = {key: getattr(posterior, key)[i] for key in ("n_runs", *SEEN) if key != "largest_cap"}
    counts = {key: int(table[m] if own else table.sum()) for key, table in tables.items()}
    if not own:  # whether a cap's end has an uptick is a matter of one AI model under one cap
        counts |= {"n_late": 0, "n_facing": 0}
    return Seen(of_ai_model=own, **counts)


def in_words(posterior: Posterior, i: int) -> str:
    """Weights of the families of spend of one eval, largest first.

    "lognormal 0.66, burr 0.34".
    """
    order = np.argsort(-posterior.spend_weights[i])
    named = ((STACKED[k], float(posterior.spend_weights[i, k])) for k in order)
    return ", ".join(f"{name} {weight:.2f}" for name, weight in named if weight > 0)
