"""The closing report: the call by decision, what was promised and found, and what surprised."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evalbayes import Decision, Menu
from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.menus import build_menu, state_draws
from evalbayes.menus.offer import way_of
from evalbayes.model.evidence import evidence_of
from evalbayes.model.predictive import replicated, tail_probability, thinned
from evalbayes.model.updating import foretold, studied
from evalbayes.observations import Observations
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior
from evalbayes.whole import write_whole
from evalfolio.errors import InputError
from evalfolio.export.report import rendered
from evalfolio.narrative import percent, two_digits
from evalfolio.plans.outlook import decision_outlook
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.standing import standing_of
from evalfolio.record.plain import plain
from evalfolio.search import Problem, Question
from evalfolio.value.sample_information import expected_excess

SURPRISE = 0.05  # chance of a result as far out, two-sided, below which it is named
FORMAT = 1


@dataclass(frozen=True)
class Conclusion:
    """How a programme ended, as `conclusion.json` holds it."""

    ai_model: str  # the AI model under test
    # by decision: the call and its probabilities, before and now; both wrong calls as they were
    # promised and as they are believed now; the sd of capability, promised and left; what the
    # results were expected to save and what they save, in `unit`; why something remains unknown
    decisions: tuple[Mapping[str, Any], ...]
    # by eval and effort: what was seen and what was foretold at the start, a 90 % interval, and how
    # far out the result lies there (0 to 1); and whether it surprises
    results: tuple[Mapping[str, Any], ...]
    # by study: what it read, its sd, and the same of what was foretold, in the domain's unit
    studies: tuple[Mapping[str, Any], ...]
    paid: Mapping[str, Mapping[str, float]]  # what was used of every resource, and what was stated
    unit: str  # of values: usd or points
    failed: tuple[str, ...] = ()  # why the fit behind it fails its gate

    @property
    def surprises(self) -> tuple[Mapping[str, Any], ...]:
        """Results that the belief at the start did not expect."""
        return tuple(row for row in (*self.results, *self.studies) if row["surprising"])

    def __str__(self) -> str:
        lines = [f"THE FIT FAILED ITS GATE: {'; '.join(self.failed)}."] if self.failed else []
        lines.append(f"What the evals say of {self.ai_model}:")
        for row in self.decisions:
            was = row["call_before"]
            turned = "as before" if row["call"] == was else f"before: {was}"
            lines.append(
                f"{row['name']}: {row['call']} ({turned}). P(exceeds the threshold) "
                f"{percent(row['p_exceeds'])}, at the start {percent(row['p_exceeds_before'])}; "
                f"{row['remains']}"
            )
        told, came = [row["sentence"] for row in self.surprises], [*self.results, *self.studies]
        said = "surprised the belief at the start"
        many = f"{len(told)} of {len(came)} results {said}: {'; '.join(told)}"
        return "\n".join([*lines, many if told else f"No result {said}."])


def conclude(
    programme: Programme, new: Sequence[Path] = (), *, history: Sequence[Path] = ()
) -> Conclusion:
    """Return how a programme ended.

    InputError if no result has come in, or a file of results came in before.

    Parameters
    ----------
    programme
        Where it stands.
    new
        Files of results that have come in since its last step.
    history
        As `replan` has it: to fit anew in place of the update.
    """
    catalogue = programme.catalogue
    now = standing_of(programme, new, history)
    results, belief = now.results, now.belief
    if results.is_empty:
        raise InputError(
            "conclude: there must be results to conclude from, got none; give the files of "
            "results, or the folder of a programme that has some"
        )
    menu, _ = build_menu(belief, catalogue, done=now.done, used=now.paid, with_draws=False)
    outlook = decision_outlook(Problem(Question(menu)), np.zeros(len(menu)))
    draws = state_draws(belief, catalogue)
    first = programme.steps[0]["decisions"]
    decisions = []
    for decision in menu.decisions:
        row, was = outlook.loc[decision.name], first.get(decision.name)
        if was is None:  # a threshold's anchor may come with the results
            continue
        before, after = (str(call) == "mitigate" for call in (was["call_now"], row["call_now"]))
        saved = realised(decision, draws, before, after)
        decisions.append(
            {
                "name": decision.name,
                "call": row["call_now"],
                "call_before": was["call_now"],
                "p_exceeds": row["p_exceeds"],
                "p_exceeds_before": was["p_exceeds"],
                "p_missed": row["p_missed_now"],
                "p_missed_promised": was["p_missed_expected"],
                "p_needless": row["p_needless_now"],
                "p_needless_promised": was["p_needless_expected"],
                "capability": row["capability_mean"],
                "threshold": row["threshold"],
                "unit": catalogue.domain(row["domains"][0]).unit,
                "sd": row["prior_sd"],
                "sd_promised": was["posterior_sd"],
                "saved": saved,
                "saved_promised": was["evsi"],
                "worth": worth_in_words(saved, float(was["evsi"]), catalogue.points),
                "remains": remains(menu, decision),
            }
        )
    return Conclusion(
        catalogue.portfolio.ai_model,
        tuple(plain(row) for row in decisions),
        tuple(plain(row) for row in surprises(programme.start, catalogue, results, programme.seed)),
        tuple(plain(row) for row in readings(programme.start, catalogue, results, programme.seed)),
        {name: {"stated": amount, "paid": now.paid.get(name, 0.0)}
         for name, amount in programme.budget.items()},
        "points" if catalogue.points else "usd",
        tuple(belief.diagnostics.reasons),
    )  # fmt: skip


def realised(decision: Decision, draws: Array, before: bool, now: bool) -> float:
    """Return what the results save by the belief after them: loss of the old call less the new's.

    ``draws`` are of the states, (n_draws, n_states); calls are whether to mitigate. 0 where the
    call stays: on average over what may come out it is the expected value of sample information.
    """
    if before == now:
        return 0.0
    y = draws @ decision.contrast + decision.later_gain_mean - decision.threshold
    sd = max(decision.later_gain_sd, 1e-9)
    missed = decision.loss_missed * float((sd * expected_excess(y / sd)).mean())
    needless = decision.loss_false_alarm * float((sd * expected_excess(-y / sd)).mean())
    return missed - needless if now else needless - missed


def worth_in_words(saved: float, promised: float, points: bool) -> str:
    """Say what results saved beside what was promised on average.

    >>> worth_in_words(0.0, 0.5, True)
    'the call stays, so nothing was saved; 0.5 points were promised on average'
    >>> worth_in_words(300.0, 150.0, False)
    'the new call saves $300; $150 were promised on average'
    """

    def amount(value: float) -> str:
        return f"{two_digits(value)} points" if points else f"${two_digits(value)}"

    found = (
        f"the new call saves {amount(saved)}" if saved else "the call stays, so nothing was saved"
    )
    return f"{found}; {amount(promised)} were promised on average"


def remains(menu: Menu, decision: Decision) -> str:
    """Say what the spread that is left of a decision's y is made of, the largest part first."""
    skewed = np.isin(menu.states, menu.skewed)
    parts = {
        "the elicitation gap": decision.contrast * skewed,
        "shown capability": decision.contrast * ~skewed,
    }
    own = {name: float(c @ menu.prior_covariance @ c) for name, c in parts.items()}
    own["the gain still to come"] = decision.later_gain_sd**2
    total = sum(own.values())
    told = [
        f"{percent(v / total)} {name}"
        for name, v in sorted(own.items(), key=lambda item: -item[1])
        if v > 0.01 * total
    ]
    sd = two_digits(float(np.sqrt(total)))
    return f"capability stays uncertain by a sd of {sd}: {', '.join(told)}."


def surprises(
    start: Posterior, catalogue: Catalogue, results: Observations, seed: int
) -> list[dict[str, Any]]:
    """Return, for every eval and effort, what was seen and what the belief at the start foretold.

    The interval is predictive, of the share of runs that succeed, given how many were run and at
    which cap.
    """
    evidence = evidence_of(results, catalogue)
    if not len(evidence):
        return []
    again = replicated(thinned(foretold(start, evidence)), evidence, np.random.default_rng(seed))
    found, solved = [], again["successes"]
    for k, (name, ai_model, effort) in enumerate(evidence.conditions.itertuples(index=False)):
        if ai_model != catalogue.portfolio.ai_model or not solved.number[k]:
            continue
        shares = solved.draws[:, k] / solved.number[k]
        seen = float(solved.seen[k] / solved.number[k])
        how = way_of(catalogue.eval(name), float(effort)).replace("plain", "as it comes")
        own = {"eval": name, "effort": float(effort), "run": how, "runs": int(solved.number[k])}
        told = _foretold(f"{name} ({how}) solved", shares, seen, percent)
        found.append({**own, "share": seen, **told})
    return found


def readings(
    start: Posterior, catalogue: Catalogue, results: Observations, seed: int
) -> list[dict[str, Any]]:
    """Return, for every study, what it read and what the belief at the start foretold."""
    own = results.studies[results.studies["ai_model"] == catalogue.portfolio.ai_model]
    rng, found = np.random.default_rng([seed, 29]), []
    _, read = studied(placed(start, catalogue), catalogue, own)
    for name, each in zip(own["study"], read, strict=True):
        seen, sd = float(each.value[0]), float(np.sqrt(each.noise[0]))
        draws = each.q[:, 0] + sd * rng.standard_normal(len(each.q))
        told = _foretold(f"{name} read", draws, seen, "{:.2g}".format)
        found.append({"study": name, "read": seen, "sd": sd, **told})
    return found


def _foretold(what: str, draws: Array, seen: float, words: Any) -> dict[str, Any]:
    """Return what draws foretold, a 90 % interval, and how far out what was seen lies there."""
    low, middle, high = map(float, np.quantile(draws, [0.05, 0.5, 0.95]))
    place = float(tail_probability(draws[:, None], np.array([seen]))[0])
    side = "more" if seen > middle else "less"
    return {
        **{"foretold": middle, "low": low, "high": high, "place": place},
        "surprising": bool(2.0 * min(place, 1.0 - place) < SURPRISE),
        "sentence": f"{what} {words(seen)}, {side} than the {words(low)} to {words(high)} foretold",
    }


def write_conclusion(
    found: Conclusion, programme: Programme, new: Sequence[Path], folder: Path
) -> Path:
    """Write `conclusion.json`, `conclusion.html` and `history/`, the record for the next plan."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"format": FORMAT, **vars(found), "surprises": [r["sentence"] for r in found.surprises]}
    write_whole(folder / "conclusion.json", f"{json.dumps(parts, indent=2)}\n".encode())
    page = rendered("conclusion.html.j2", found=found)
    write_whole(folder / "conclusion.html", page.encode())
    (folder / "history").mkdir(exist_ok=True)
    for path in programme.paths(new):
        shutil.copyfile(path, folder / "history" / path.name)
    return folder
