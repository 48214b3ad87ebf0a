"""Judging curves of a posterior: what was seen of each, and the verdict on it."""

from typing import Any

import numpy as np
import pandas as pd

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
from evalbayes.posterior.posterior import SEEN, Posterior

DRAWS = 1000


def verdicts(posterior: Posterior) -> pd.DataFrame:
    """Return the verdict on the curve of every eval and AI model with runs of its own.

    Columns are eval, ai_model, runs, class, p_plateau, p_saturating, p_not_yet_levelling, p_floor,
    p_artefact, p_unknown (they add to 1) and reason.
    """
    from evalbayes.summaries.curves import curve_of, own_curve  # which judges by what is here

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
