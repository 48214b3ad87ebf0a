"""When: the date at which capability crosses each level, and the buffer a fixed AI model needs."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue, DomainSpec
from evalbayes.catalogue.anchors import without_anchor
from evalbayes.catalogue.interval import Interval
from evalbayes.elicitation.post_training import buffer, to_come
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior
from evalbayes.summaries.capability import later_gain, reached
from evalfolio.outlook.forecast import banded, first_above
from evalfolio.outlook.presets import Presets, Rate

MONTHS = np.arange(121) / 12.0  # looked ahead, in years
# Open or stolen weights have no end date: 30 years stand for it.
SPANS = {"6 months": 0.5, "1 year": 1.0, "2 years": 2.0, "5 years": 5.0, "no end date": 30.0}


def rate_of(spec: DomainSpec, presets: Presets) -> Rate:
    """Return how capability of a domain grows, in its unit a year: `growth_per_year`.

    Where the catalogue does not state it the presets': in doublings of human time task length's.
    """
    table = presets.tables["capability"]
    mean, sd = (spec.growth_per_year or Interval(*table["growth_per_year"])).normal()
    if spec.growth_per_year is None and spec.minutes:
        length = presets.driver("task_length").log_rate
        mean, sd = length.mean / np.log(2.0), length.sd / np.log(2.0)
    return Rate(mean, sd, table["drift"] * abs(mean), table["scatter"] * abs(mean))


def crossings(
    posterior: Posterior,
    catalogue: Catalogue,
    presets: Presets,
    *,
    ai_model: str | None = None,
    today: date | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return when AI models at the frontier will cross each level: median, 90 % band, chances.

    From what the AI model reaches now (its draws, fully elicited or within the adversary's budget)
    on with the growth of its domain: an uncertain rate that moves, and releases that scatter about
    it. Years from now, 0 where it is crossed and infinite where not within ten; dates from `today`.
    Of domains without an anchor, whose place on their scale is made up, nothing is told.
    """
    posterior = placed(posterior, catalogue)
    name, start = ai_model or catalogue.portfolio.ai_model, today or date.today()
    unanchored, rows = without_anchor(catalogue, posterior.human_minutes), []
    for spec in catalogue.domains:
        rng = np.random.default_rng(seed)
        path = rate_of(spec, presets).paths(MONTHS, posterior.n_draws, rng)
        luck = rng.standard_normal(posterior.n_draws)  # levels' thresholds are off together
        for each in () if spec.name in unanchored else catalogue.decided(spec.name):
            mean, sd = each.threshold.normal()
            now = reached(posterior, catalogue, each, spec.name, name) - mean - sd * luck
            years = first_above(now[:, None] + path, MONTHS[1])
            row = {"decision": each.name} | banded("years", years)
            row |= {
                key: (start + timedelta(days=n)).isoformat() if np.isfinite(n) else ""
                for key, n in banded("date", years * 365.25).items()
            }
            rows.append(row | {f"by_{n}": float((years <= n).mean()) for n in (0, 1, 2, 5)})
    return pd.DataFrame(rows)


def buffers(
    posterior: Posterior, catalogue: Catalogue, *, ai_model: str | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return by domain the buffer over time: 95 % quantile of what may come on what is shown.

    The elicitation gap, and post-training gains that are front-loaded (`post_training_overlap`),
    for as long as an AI model can be got at; weights that are open or stolen have no end date.
    """
    m, rows = posterior.index_of("ai_model", ai_model or catalogue.portfolio.ai_model), []
    for spec in catalogue.domains:
        gap = posterior.draws["gap"][:, posterior.index_of("domain", spec.name), m]
        rate = later_gain(catalogue, spec, len(gap), np.random.default_rng(seed))
        row: dict[str, object] = {"domain": spec.name, "unit": spec.unit, "now": buffer(gap)}
        for words, years in SPANS.items():
            row[words] = buffer(to_come(gap, 0.0, 1.0, rate, years, spec.post_training_overlap))
        rows.append(row)
    return pd.DataFrame(rows)
