r"""Studies as options: a reading of s + e·δ at a threshold, with an error of its own.

h is 1 on the shown capability and e on the gap; the noise is lasting_sd² and, of n people in each
of two arms, effect_scale²·2/n: a reading like an eval's, without slope, family or cap.
"""

from collections.abc import Iterator

import numpy as np

from evalbayes.catalogue import Catalogue, Interval
from evalbayes.catalogue.study import StudySpec
from evalbayes.menus.costs import Cost, Priced, by_skill, lognormal_draws, staff_columns
from evalbayes.menus.offer import STUDY
from evalbayes.menus.reading import Reading
from evalbayes.menus.states import States

FREE = Interval(0.0, 0.0)
MADE = {"usd": FREE, "usd_per_participant": FREE, "hours": 0.0, "days": 0.0, "participants": None}


def reading_of_study(spec: StudySpec, catalogue: Catalogue, states: States) -> Reading:
    """Return what a study reads, with the error that no number of participants takes away."""
    own = [level for level in catalogue.levels if level.domain == spec.domain]
    threshold = next((each.threshold.mid for each in own if each.name == spec.level), None)
    at = states.at_threshold(spec.domain, threshold)
    rows = np.zeros((1, len(states.names)))
    rows[0, states.index_of(at, "shown")] = 1.0
    rows[0, states.index_of(at, "gap")] = spec.effort
    lasting = np.array([spec.lasting_sd**2])
    spread = np.einsum("es,st,et->e", rows, states.covariance, rows)
    return Reading(
        rows=rows,
        efforts=np.array([spec.effort]),
        private=lasting,
        departure=np.zeros(1),
        margin_mean=rows @ states.mean,
        margin_variance=spread + lasting,
    )


def options_of_study(
    spec: StudySpec,
    catalogue: Catalogue,
    states: States,
    sizes: tuple[int, int, int],
    rng: np.random.Generator,
    *,
    made: bool = False,
) -> Iterator[Priced]:
    """Return the options of a study, one for each number of participants that is offered.

    That is all of them, half and a quarter (two at least); of one that is `made` already, nothing
    more of it. `sizes` are draws of its price, of its information and halves of the draws; nothing
    it tells hangs on the belief: its error is stated.
    """
    spec = spec.model_copy(update=MADE) if made else spec
    reading = reading_of_study(spec, catalogue, states)
    most, (n_draws, n_drawn, n_halves) = spec.participants or 0, sizes
    fixed, each = (
        np.full(n_draws, price.low) if price.exact else lognormal_draws(price, n_draws, rng)
        for price in (spec.usd, spec.usd_per_participant)
    )
    own, columns = by_skill(spec.hours, catalogue.skills, spec.domain), staff_columns(catalogue)
    skills = catalogue.skills or ("",)
    hours = {column: own.get(skill, 0.0) for column, skill in zip(columns, skills, strict=True)}
    for n in dict.fromkeys(max(min(most, 2), round(most / part)) for part in (1, 2, 4)):
        sampling = spec.sampling_sd(n) ** 2 if n else 0.0
        information = np.zeros((len(states.names), len(states.names)))
        information += 0.0 if made else reading.information(np.array([sampling]))
        told = f"reads capability to ±{np.sqrt(reading.private[0] + sampling):.2g}"
        told = "nothing more: its result is in the belief" if made else told
        described = {
            "option": f"{spec.name} / {'done' if made else STUDY}" + (f" / {n} + {n}" if n else ""),
            "eval": spec.name,
            "domain": spec.domain,
            "tier": STUDY,
            "cap": np.nan,
            "cap_unit": None,
            **{"attempts": 1, "tasks": int(not made), "effort": spec.effort, "runs": 0},
            **dict.fromkeys(("tasks_done", "baseline_runs", "baseline_cap"), 0),
            "description": f"{told}, {n} participants in each of two arms" if n else told,
            **({"run_by": spec.run_by} if spec.run_by else {}),
        }
        usd = fixed + 2 * n * each
        yield Priced(
            described,
            Cost(
                usd=float(usd.mean()),
                usd_p90=float(np.quantile(usd, 0.9)),
                usd_ceiling=float(usd.max()),
                usd_draws=usd,
                usd_means=np.full(len(usd), usd.mean()),
                units=np.zeros(len(usd)),
                mean_units=0.0,
                staff_hours=hours,
                agent_hours=0.0,
                days=spec.days,
            ),
            information,
            np.repeat(information[None], n_drawn, axis=0),
            np.repeat(information[None], n_halves, axis=0),
        )
