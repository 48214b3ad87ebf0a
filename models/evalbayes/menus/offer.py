"""Offers: the ways to run one eval that are worth pricing, their caps, and which another beats."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Flags
from evalbayes.catalogue import Catalogue, EvalSpec
from evalbayes.curves import Curve
from evalbayes.observations import Observations
from evalbayes.observations.observations import FRAMES


@dataclass(frozen=True)
class Done:
    """What of one eval, or study, the AI model under test has run since the programme began."""

    # plain, repaired, elicited: with a run as it comes, with one after obvious failures were
    # mended, and with an elicited one. What was mended or elicited stands: more such runs take no
    # further hours of it.
    plain: int = 0
    repaired: int = 0
    elicited: int = 0
    study: bool = False  # whether it is a study, made


def done_of(results: Observations, catalogue: Catalogue) -> dict[str, Done]:
    """Return by eval what results show to have been run of the AI model under test.

    Tasks are told by name where rows have one; runs that were only counted are of as many tasks as
    the cap that had most of them. No more than the eval has. A score tells of no task, so what is
    known by scores alone counts as run whole.
    """
    found: dict[str, dict[str, Any]] = {}
    for kind in FRAMES:
        part = getattr(results, kind)
        part = part[part["ai_model"] == catalogue.portfolio.ai_model]
        if not len(part):
            continue
        effort = part["effort"].fillna(0.0).astype(float) if "effort" in part else 0.0
        for (name, e), rows in part.assign(effort=effort).groupby(["eval", "effort"]):
            spec = catalogue.eval(str(name))
            tier = way_of(spec, float(e))
            if kind == "runs":
                n = rows["task"].nunique()
            elif kind == "scores":
                n = spec.tasks
            else:
                columns = ["n_success", "n_gave_up", "n_stopped"] if kind == "cells" else ["n_runs"]
                n = int(rows[columns].sum(axis=1).groupby(rows["cap"]).sum().max())
            own = found.setdefault(spec.name, {})
            own[tier] = min(own.get(tier, 0) + n, spec.tasks)
    of = results.studies[results.studies["ai_model"] == catalogue.portfolio.ai_model]["study"]
    made = {str(name): Done(study=True) for name in sorted(of)}
    return {name: Done(**found[name]) for name in sorted(found)} | made


def way_of(spec: EvalSpec, effort: float) -> str:
    """Return how runs of an effort are named: nearer to full effort than to repairs is elicited."""
    middle = (spec.effort_repaired + spec.effort_max) / 2.0
    return "plain" if effort == 0 else "elicited" if effort >= middle else "repaired"


SATURATED = 0.1  # elasticity at the saturation point, relative to that at the sweet spot
APART = math.log(1.25)  # caps nearer than a quarter are one cap
MAJORITY = 0.5


@dataclass(frozen=True)
class Caps:
    """Caps of one eval in its spend unit; None with the reason where there is no sweet spot."""

    sweet_spot: float | None
    plateau: float
    largest: float
    no_sweet_spot: str = ""


def caps_of(curve: Curve, largest: float, few: Curve | None = None) -> Caps:
    """Return the caps of an eval's curve (fields of shape (n_draws,)), at most `largest`.

    A sweet spot takes long to find, so it may be asked of `few` of the draws. The plateau tier runs
    to the saturation point, or to the largest cap where that comes first.
    """
    limit = math.log(largest)
    sweet = (few or curve).sweet_spot(limit)
    found = np.isfinite(sweet)
    saturated = np.nan_to_num(curve.saturation(limit, SATURATED), nan=limit)
    plateau = min(float(np.median(saturated)), limit)
    if found.mean() < MAJORITY:
        reason = f"success per unit spent still rises at its largest cap of {largest:g}"
        return Caps(None, rounded(plateau, largest), largest, reason)
    ln_sweet = float(np.median(sweet[found]))
    if ln_sweet > plateau - APART:
        return Caps(None, rounded(plateau, largest), largest, "its sweet spot is its plateau cap")
    return Caps(rounded(ln_sweet, largest), rounded(plateau, largest), largest)


def rounded(ln_cap: float, largest: float) -> float:
    """Return a cap to two significant digits, at most `largest`.

    >>> rounded(math.log(123_456.0), 1e6), rounded(math.log(99.7), 99.8)
    (120000.0, 99.8)
    """
    return min(float(f"{math.exp(ln_cap):.2g}"), largest)


SWEET_SPOT, PLATEAU, MAX_ELICITATION = "sweet-spot", "plateau", "max-elicitation"
STUDY = "study"  # in the place of a tier
REPEATS = 3  # attempts per task where all tasks are run more than once
LEAST_SHARE = 20  # the shortest rung of a ladder: a twentieth of the tasks, ...
LEAST_TASKS = 4  # ... and at least this many
RUNGS = {SWEET_SPOT: 3, PLATEAU: 4, "repaired": 2, MAX_ELICITATION: 3}


@dataclass(frozen=True)
class Offer:
    """One way to run one eval."""

    # eval, tier: which eval, and how
    eval: str
    tier: str
    cap: float  # allowance per attempt, in the eval's spend unit
    # tasks, attempts: tasks of a random subset, and attempts at each
    tasks: int
    attempts: int = 1
    effort: float = 0.0  # elicitation effort, 0 to 1
    # baseline_cap: cap of the plateau-level pass over the same tasks that a repaired or
    # max-elicitation option contains; 0 for the others
    baseline_cap: float = 0.0
    # full_cap: whether a plateau option goes past the saturation point, to the largest cap
    full_cap: bool = False
    # seen: how many of the tasks have been run as they come already: they need no baseline pass,
    # and without one it is all of them, run once more
    seen: int = 0
    built: bool = False  # whether the eval has been elicited, or mended, already: that stands
    done: int = 0  # how many tasks have been run at this tier already

    @property
    def repaired(self) -> bool:
        """Whether it is a plateau option with its spurious failures mended."""
        return self.tier == PLATEAU and self.effort > 0

    @property
    def resets(self) -> int:
        """Fresh starts of tasks that have been run already."""
        return self.runs + self.baseline_runs - (self.tasks - self.seen)

    @property
    def runs(self) -> int:
        """Tasks times attempts."""
        return self.tasks * self.attempts

    @property
    def baseline_runs(self) -> int:
        """Runs of the plateau-level pass, one for every task that has not been run."""
        return self.tasks - self.seen if self.baseline_cap else 0

    @property
    def again(self) -> bool:
        """Whether tasks that have been run as they come are run so once more."""
        return self.seen > 0 and not self.baseline_cap

    @property
    def name(self) -> str:
        """Identifier of the option, e.g. "cybench / plateau / 38 tasks"."""
        if not self.tasks:
            return f"{self.eval} / done"
        times = f" x {self.attempts}" if self.attempts > 1 else ""
        more = " once more" if self.again else " more" if self.done else ""
        size = f"{self.tasks} task{'s' * (self.tasks != 1)}{more}{times}"
        kind = " / full cap" * self.full_cap + " / repaired" * self.repaired
        return f"{self.eval} / {self.tier} / {size}{kind}"

    def describe(self, unit: str, of: int) -> str:
        """Return a sentence about it."""
        text = f"all {of} tasks" if self.tasks == of else f"{self.tasks} random tasks of {of}"
        if not self.tasks:
            return f"nothing more: {self.done} tasks of {of} have been run"
        if self.again:
            text = f"the {self.tasks} tasks run already, once more"
        elif self.done:
            text = f"{self.tasks} further tasks of {of}"
        if self.attempts > 1:
            text += f", {self.attempts} attempts each"
        text += f", up to {in_words(self.cap)} {unit} per attempt"
        if self.repaired:
            text += (
                "; spurious failures mended after reading the transcripts of one pass as it comes "
                f"(effort {self.effort:g})"
            )
        elif self.effort > 0 and not self.baseline_runs:
            best = "best of them counts, " if self.attempts > 1 else ""
            text += f"; {best}elicited with effort {self.effort:g}, run as they come already"
        elif self.effort > 0:
            best = "best of them counts, " if self.attempts > 1 else ""
            text += (
                f"; {best}elicited with effort {self.effort:g} after one pass as it comes, "
                f"up to {in_words(self.baseline_cap)} {unit}"
            )
        return text


def in_words(cap: float) -> str:
    """Return a cap as a person writes it.

    >>> in_words(7_500_000.0), in_words(0.25)
    ('7,500,000', '0.25')
    """
    return f"{cap:,.0f}" if cap >= 100.0 else f"{cap:g}"


def offers_of(spec: EvalSpec, caps: Caps) -> tuple[Offer, ...]:
    """Return the offers of an eval: three tiers, each on several numbers of tasks.

    Where repaired runs differ from elicited ones, plateau options come repaired too.
    """
    offers = []
    if caps.sweet_spot is not None:
        offers += [
            Offer(spec.name, SWEET_SPOT, caps.sweet_spot, tasks)
            for tasks in task_ladder(spec.tasks, RUNGS[SWEET_SPOT])
        ]
    offers += [
        Offer(spec.name, PLATEAU, caps.plateau, tasks)
        for tasks in task_ladder(spec.tasks, RUNGS[PLATEAU])
    ]
    # Where all tasks are run, running them again takes more luck out than eliciting does; and runs
    # that end by giving up, later than successes, tell most where nearly all succeed.
    repeats = REPEATS if spec.resettable > 0 else 1
    if repeats > 1:
        offers.append(Offer(spec.name, PLATEAU, caps.plateau, spec.tasks, attempts=repeats))
    if caps.largest > caps.plateau:
        offers.append(
            Offer(spec.name, PLATEAU, caps.largest, spec.tasks, attempts=repeats, full_cap=True)
        )
    if spec.effort_max > spec.effort_repaired:
        offers += [
            Offer(
                spec.name,
                PLATEAU,
                caps.plateau,
                tasks,
                effort=spec.effort_repaired,
                baseline_cap=caps.plateau,
            )
            for tasks in task_ladder(spec.tasks, RUNGS["repaired"])
        ]
    offers += [
        Offer(
            spec.name,
            MAX_ELICITATION,
            caps.largest,
            tasks,
            attempts=best_of(spec),
            effort=spec.effort_max,
            baseline_cap=caps.plateau,
        )
        for tasks in task_ladder(spec.tasks, RUNGS[MAX_ELICITATION])
    ]
    return tuple(offers)


def further(spec: EvalSpec, offers: tuple[Offer, ...], was: Done) -> tuple[Offer, ...]:
    """Return the offers of what is left of an eval: no task is sold as new a second time.

    The first is to run nothing more of it. Runs as they come are of tasks without one; repaired and
    elicited runs of tasks without those, tasks that have been run as they come first: their
    baseline pass is there. What has been run as it comes may be run once more, all of it.
    """
    cap = next(o.cap for o in offers if o.tier == PLATEAU)
    nothing = Offer(spec.name, PLATEAU, cap, 0, done=was.plain or was.repaired)
    if was.elicited:
        nothing = replace(nothing, tier=MAX_ELICITATION, effort=spec.effort_max, done=was.elicited)
    found = {nothing.name: nothing}
    for offer in offers:
        done = was.plain
        if offer.baseline_cap:
            done = was.repaired if offer.repaired else was.elicited
        tasks, waiting = min(offer.tasks, spec.tasks - done), max(was.plain - done, 0)
        if tasks > 0 and not (offer.repaired and was.elicited):
            left = replace(offer, tasks=tasks, done=done)
            if offer.baseline_cap:
                left = replace(left, seen=min(tasks, waiting), built=done > 0)
            found.setdefault(left.name, left)
    if was.plain and spec.resettable > 0:
        again = Offer(spec.name, PLATEAU, cap, was.plain, seen=was.plain)
        found[again.name] = again
    return tuple(found.values())


def best_of(spec: EvalSpec) -> int:
    """Return attempts per task at max elicitation, averaged over tasks that can be reset or not.

    More than one is fair only where a success can be verified and the task can be reset.
    """
    return round(1 + (spec.attempts_max - 1) * spec.resettable) if spec.verifier else 1


def task_ladder(tasks: int, rungs: int) -> tuple[int, ...]:
    """Numbers of tasks evenly spaced in their logarithm, all tasks included, largest first.

    >>> task_ladder(200, 4), task_ladder(5, 3), task_ladder(1, 3)
    ((200, 74, 27, 10), (5, 4), (1,))
    """
    least = min(tasks, max(LEAST_TASKS, tasks // LEAST_SHARE))
    numbers = np.geomspace(tasks, least, rungs).round().astype(int)
    return tuple(dict.fromkeys(int(n) for n in numbers))


TOLERANCE = 1e-9


def undominated(costs: Array, information: Array) -> Flags:
    """Return which options no other one makes pointless.

    An option is dominated if another uses no more of any resource and tells at least as much about
    every combination of states (K′ − K positive semi-definite). Being dearer in one resource only
    is no reason to go. Of equal options the first stays. Costs are of shape (n_options,
    n_resources), information of (n_options, n_states, n_states).

    >>> costs = np.array([[1.0], [2.0], [3.0]])
    >>> undominated(costs, np.array([[[1.0]], [[1.0]], [[2.0]]]))
    array([ True, False,  True])
    """
    kept = np.ones(len(costs), dtype=bool)
    for o in range(len(costs)):
        for other in range(len(costs)):
            if other == o or not kept[other]:
                continue
            cheaper = (costs[other] <= costs[o] * (1.0 + TOLERANCE)).all()
            if cheaper and _tells_as_much(information[other], information[o]):
                same = (costs[other] == costs[o]).all() and _tells_as_much(
                    information[o], information[other]
                )
                if not same or other < o:
                    kept[o] = False
                    break
    return kept


def _tells_as_much(more: Array, less: Array) -> bool:
    size = max(float(np.abs(more).max(initial=0.0)), float(np.abs(less).max(initial=0.0)))
    return bool(np.linalg.eigvalsh(more - less).min() >= -TOLERANCE * size)
