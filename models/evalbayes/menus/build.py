"""From a posterior to the menu: every eval's offers, what they cost and what they tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags
from evalbayes.catalogue import Catalogue, EvalSpec
from evalbayes.catalogue.anchors import check_anchored
from evalbayes.decision import Decision
from evalbayes.errors import InputError
from evalbayes.halves import REPLICATES, Replicates, halves
from evalbayes.menu import Menu
from evalbayes.menus.costs import (
    Priced,
    Spends,
    option_cost,
    price_draws,
    shared_purchases,
    spend_moments,
    staff_columns,
    tariffs_of,
)
from evalbayes.menus.offer import (
    MAX_ELICITATION,
    Done,
    Offer,
    caps_of,
    further,
    offers_of,
    undominated,
)
from evalbayes.menus.reading import Reading, floors_of, reading_of, stacked
from evalbayes.menus.sampling_noise import matched_noise
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import States, states_of
from evalbayes.menus.studies import options_of_study, reading_of_study
from evalbayes.model.eval_curve import eval_curve
from evalbayes.posterior.placing import placed
from evalbayes.posterior.posterior import Posterior, thinned
from evalbayes.repeats.clustering import attempt_correlation, effective_runs

CAP_DRAWS = 2048  # of curves whose caps take long to find
NOISE_DRAWS = 256  # of the curve, over which what runs explain is averaged
RESOURCE_DRAWS = 256
INFORMATION_DRAWS = 64
LARGEST_DRAWS = 16_000_000  # entries of information_draws, 128 MB
LARGEST_REPLICATES = 128_000_000  # entries of the information on halves of the draws, and ...
LARGEST_DOUBLE = 16_000_000  # ... those beyond which they are kept in single precision: 512 MB
FEWEST_DRAWS = 8


@dataclass(frozen=True, eq=False)  # eq=False: mappings of floats are not compared
class MenuNotes:
    """What reports need to know beside the menu."""

    # left_off: options and tiers that are not on the menu, each with the reason
    left_off: tuple[tuple[str, str], ...]
    # floors: by domain: elicitation_floor_sd, validity_floor_sd, validity_sd and gap_sd, in its
    # unit
    floors: Mapping[str, Mapping[str, float]]
    words: Mapping[str, str]  # what each state means


def _described(spec: EvalSpec, offer: Offer) -> dict[str, object]:
    """Return an offer's columns of the menu's table, but for what it uses."""
    return {
        "option": offer.name,
        "eval": offer.eval,
        "domain": spec.domain,
        "tier": offer.tier,
        "cap": offer.cap,
        "cap_unit": spec.spend_unit,
        "attempts": offer.attempts,
        "tasks": offer.tasks,
        "effort": offer.effort,
        "runs": offer.runs,
        "tasks_done": offer.done,
        "baseline_runs": offer.baseline_runs,
        "baseline_cap": offer.baseline_cap,
        "description": offer.describe(spec.spend_unit, spec.tasks),
        **({"run_by": spec.run_by} if spec.run_by else {}),
    }


def menu_of(posterior: Posterior, catalogue: Catalogue, *, seed: int = 0) -> Menu:
    """Return all sensible options of all evals under a posterior, with cost and information.

    InputError if the posterior lacks an eval, a domain or the AI model under test, if no option of
    any eval can be done in the calendar days there are, or if no domain has an anchor.

    Parameters
    ----------
    posterior
        Belief about curves and capability, with every eval and the AI model under test.
    catalogue
        Evals, prices, hours, stakes and days.
    seed
        For prices and the luck of runs in `resource_draws`; all else is deterministic.

    See Also
    --------
    build_menu : the same, with what reports need to know beside the menu.
    """
    return build_menu(posterior, catalogue, seed=seed)[0]


def build_menu(
    posterior: Posterior,
    catalogue: Catalogue,
    *,
    seed: int = 0,
    with_draws: bool = True,
    done: Mapping[str, Done] | None = None,
    used: Mapping[str, float] | None = None,
) -> tuple[Menu, MenuNotes]:
    """Return what `menu_of` does, and what reports need to know beside it.

    Without draws of information and resources the menu is the same otherwise, and built in two
    thirds of the time. Of what is `done` already it sells what is left, and an option without cost
    or information that says so, as of a study that the posterior was told of; of what is `used` by
    resource, units count towards price steps.
    """
    done = done or {}
    posterior = placed(posterior, catalogue)
    states = states_of(posterior, catalogue)
    no_anchor = check_anchored(catalogue, posterior.human_minutes)
    decisions = tuple(
        decision
        for decision in decisions_of(catalogue, states, posterior)
        if not set(decision.domains(states.names)) & set(no_anchor)
    )
    n_options = 10 * len(catalogue.evals)  # about
    entries = max(1, n_options * len(states.names) ** 2)
    most = LARGEST_DRAWS // entries
    fits = with_draws and entries * REPLICATES <= LARGEST_REPLICATES
    kind = np.float64 if entries * REPLICATES <= LARGEST_DOUBLE else np.float32
    held = halves(posterior.n_draws) if fits else None
    # Strided past the others' draws every array of the one AI model is read ten times slower.
    posterior = posterior.about(catalogue.portfolio.ai_model)
    caps_from = posterior.thinned(CAP_DRAWS)
    beliefs = [] if held is None else [posterior.kept(half) for half in held]
    lucky = [(belief, states_of(belief, catalogue)) for belief in beliefs]
    rng = np.random.default_rng(seed)
    # Tokens of one AI model have one price, whatever the eval: one order of quantiles per unit.
    orders = {
        unit: int(rng.integers(2**63))
        for unit in dict.fromkeys(spec.spend_unit for spec in catalogue.evals)
    }

    n_drawn = int(np.clip(most, FEWEST_DRAWS, INFORMATION_DRAWS)) if with_draws else 1
    days = catalogue.budget.calendar_days

    priced: list[Priced] = []
    left_off: list[tuple[str, str]] = []
    plateau: list[Reading] = []
    everything: list[Reading] = []
    for spec in catalogue.evals:
        i = posterior.index_of("eval", spec.name)
        luck = rng.standard_normal(posterior.n_draws)
        prices = price_draws(
            spec, posterior.n_draws, np.random.default_rng(orders[spec.spend_unit])
        )
        few = eval_curve(caps_from, i, 0)
        curve = few if few.weights is not None else eval_curve(posterior, i, 0)
        caps = caps_of(curve, spec.max_cap, few)
        if caps.no_sweet_spot:
            left_off.append((f"{spec.name} / sweet-spot", caps.no_sweet_spot))
        was = done.get(spec.name)
        spends = _spends(posterior, i)
        own: list[Priced] = []
        offers = offers_of(spec, caps)
        if was is not None:
            offers = further(spec, offers, was)
        efforts = {0.0, *(offer.effort for offer in offers)}
        views = _Views(posterior, states, i, spec, n_drawn, held, lucky, was is not None, efforts)
        for offer in offers:
            cost = option_cost(spec, offer, spends, prices, luck, catalogue)
            if days is not None and cost.days > days:
                left_off.append(
                    (offer.name, f"it takes {cost.days:.0f} days by itself, and there are {days:g}")
                )
                continue
            mean, draws, again = views.information(offer)
            again = again.astype(kind, copy=False)
            own.append(Priced(_described(spec, offer), cost, mean, draws, again))
        kept = _kept(own, catalogue)
        priced += kept
        if kept:
            plateau.append(views.reading.at(0.0))
            most = max(p.described["effort"] for p in kept)
            everything.append(views.reading.at(*dict.fromkeys((0.0, most))))
    for study in catalogue.studies:
        made = (study.name, catalogue.portfolio.ai_model) in posterior.studies
        if not made and days is not None and study.days > days:
            left_off.append(
                (study.name, f"it takes {study.days:g} days by itself, and there are {days:g}")
            )
            continue
        sizes = (posterior.n_draws, n_drawn, len(lucky))
        luck_of = np.random.default_rng([seed, *study.name.encode()])
        found = options_of_study(study, catalogue, states, sizes, luck_of, made=made)
        priced += _kept(
            [replace(p, replicates=p.replicates.astype(kind)) for p in found], catalogue
        )
        everything += [] if made else [reading_of_study(study, catalogue, states)]
    if not priced:
        raise InputError(
            f"the menu is empty: no eval can be run within {catalogue.budget.calendar_days:g} "
            "calendar days; give more days or agents in parallel"
        )
    menu = _assemble(priced, catalogue, states, decisions)
    assert menu.resource_draws is not None  # _assemble makes them
    elicited = [name for name, was in done.items() if was.elicited]
    shared = shared_purchases(catalogue, menu.options, len(menu.resource_draws), seed, elicited)
    tariffs = tariffs_of(catalogue, used or {})
    menu = replace(menu, no_anchor=no_anchor, shared=shared, tariffs=tariffs)
    if held is not None:
        costs = _cost_replicates(menu, priced, held)
        menu = replace(
            menu,
            replicates=Replicates(
                np.stack([p.replicates for p in priced], axis=1),
                np.array([own.mean for _, own in lucky]),
                np.array([own.covariance for _, own in lucky]),
                costs,
            ),
        )
    if not with_draws:
        menu = replace(menu, information_draws=None, resource_draws=None)
    means = (posterior.draws["validity_sd"] ** 2).mean(axis=0)
    validity = dict(zip(posterior.domains, means.tolist(), strict=True))
    floors = floors_of(decisions, states, plateau, everything, validity)
    return menu, MenuNotes(tuple(left_off), floors, states.words)


def _spends(posterior: Posterior, i: int) -> Spends:
    """Return what one run of an eval uses, worked out once for each effort and cap."""

    @cache
    def of(effort: float, cap: float) -> tuple[Array, Array]:
        return spend_moments(eval_curve(posterior, i, 0, effort), cap)

    return of


class _Views:
    """What the readings of one eval tell, at any effort, cap and number of tasks."""

    def __init__(
        self,
        posterior: Posterior,
        states: States,
        i: int,
        spec: EvalSpec,
        n_drawn: int,
        held: Flags | None,
        lucky: Sequence[tuple[Posterior, States]],
        replanned: bool,
        efforts: set[float],
    ) -> None:
        self.posterior, self.states = posterior, states
        self.i, self.spec, self.replanned = i, spec, replanned
        self.slope = float(posterior.in_unit_of(i, "slope")[:, 0].mean())
        at = thinned(posterior.n_draws, NOISE_DRAWS)
        self.few = posterior.kept(at)
        self.held = None if held is None else held[:, at]
        self.lucky = lucky
        # Information on the margin goes as the square of the slope, shared by a unit's evals.
        slopes = np.array([belief.in_unit_of(i, "slope")[:, 0].mean() for belief, _ in lucky])
        self.steeper = np.square(self.slope / slopes) if len(lucky) else np.zeros(0)
        self.correlation = self._attempt_correlation(0.0)
        self.already = int(posterior.n_runs[i, 0])
        self.drawn = thinned(len(at), n_drawn)
        self.keep = at[self.drawn]
        # The rows of readings at all efforts, and from every half of the draws
        all_of = tuple(sorted(efforts))
        self.reading = reading_of(posterior, states, i, 0, all_of)
        again = [reading_of(*own, i, 0, all_of) for own in lucky]
        self.replicates = cache(lambda efforts: stacked([each.at(*efforts) for each in again]))
        self._noises: dict[tuple[float, float, int, int, bool], tuple[float, Array, Array]] = {}

    def information(self, offer: Offer) -> tuple[Array, Array, Array]:
        """K of an option from the mean noise, under a few draws, and from halves of the draws."""
        n = len(self.states.names)
        if not offer.tasks:
            none = np.zeros((1, n, n))
            drawn, held = len(self.drawn), len(self.lucky)
            return none[0], np.repeat(none, drawn, axis=0), np.repeat(none, held, axis=0)
        # Each reading with its cap, attempts and tasks. Of several attempts the best counts at max
        # elicitation, so a task is one outcome there.
        runs = [(offer.effort, offer.cap, offer.attempts, offer.tasks)]
        if offer.baseline_cap:
            runs = [(offer.effort, offer.cap, 1, offer.tasks)]
        if offer.baseline_runs:
            runs.insert(0, (0.0, offer.baseline_cap, 1, offer.baseline_runs))
        efforts = tuple(effort for effort, *_ in runs)
        reading = self.reading.at(*efforts)
        found = []
        fresh = self.replanned and not offer.again
        for k, (effort, cap, times, tasks) in enumerate(runs):
            key = (float(effort), cap, times, tasks, fresh)
            if key not in self._noises:  # a deep option's first reading is a plateau option's too
                self._noises[key] = self._noise(reading, k, *key)
            found.append(self._noises[key])
        means = np.array([mean for mean, _, _ in found])
        by_draw = np.stack([draws for _, draws, _ in found], axis=1)
        by_half = np.stack([half for _, _, half in found], axis=1) * self.steeper[:, None]
        shared = 0.0
        if offer.baseline_runs:  # of the means of all tasks and of those with a baseline run
            shared = self._attempt_correlation(offer.effort)
            shared *= float(np.sqrt(offer.baseline_runs / offer.tasks))
        again = np.zeros((0, n, n))
        if len(self.lucky):
            every = self.replicates(efforts)
            again = every.information(by_half, np.arange(len(by_half)), correlation=shared)
        return (
            reading.information(means, correlation=shared),
            reading.information(by_draw[self.drawn], self.keep, correlation=shared),
            again,
        )

    def _noise(
        self,
        reading: Reading,
        k: int,
        effort: float,
        cap: float,
        attempts: int,
        tasks: int,
        fresh: bool,
    ) -> tuple[float, Array, Array]:
        """Return the sampling variance of a reading's row k, at the mean, by draw and by half.

        The tasks are fresh ones, or as many of the eval's as were seen are repeats.
        """
        return matched_noise(
            eval_curve(self.few, self.i, 0, effort),
            mean=float(reading.margin_mean[k]),
            variance=float(reading.margin_variance[k]),
            slope=self.slope,
            cap=cap,
            n_runs=effective_runs(
                tasks,
                attempts,
                self.correlation,
                of=self.spec.tasks,
                already=0 if fresh or effort > 0 else self.already,
            ),
            halves=self.held,
        )

    def _attempt_correlation(self, effort: float) -> float:
        """Correlation of an attempt as it comes with one at this effort, at the same task."""
        name = self.few.ai_models[0]
        correlation = attempt_correlation(
            self.few.plateau(name, evals=[self.i])[:, 0],
            self.few.in_unit_of(self.i, "slope")[:, 0],
            self.few.draws["task_sd"][:, self.i],
            self.few.plateau(name, effort, [self.i])[:, 0],
        )
        return float(correlation.mean())


def _kept(own: list[Priced], catalogue: Catalogue) -> list[Priced]:
    """Drop an eval's dominated options."""
    if not own:
        return own
    columns = staff_columns(catalogue)
    costs = np.array(
        [[p.cost.usd, *(p.cost.staff_hours[c] for c in columns), p.cost.agent_hours] for p in own]
    )
    # An option that needs a shared purchase is not cheaper than one that does not.
    shares = bool(catalogue.elicitations_of(own[0].described["eval"]))
    deep = [p.described["tier"] == MAX_ELICITATION for p in own]
    needs = np.array([[float(shares and each)] for each in deep])
    keep = undominated(np.hstack([costs, needs]), np.stack([p.information for p in own]))
    return [p for p, kept in zip(own, keep, strict=True) if kept]


def _cost_replicates(menu: Menu, priced: list[Priced], held: Flags) -> Array:
    """Return expected costs from halves of the draws; only usd hang on the curves."""
    costs = np.repeat(menu.costs[None], len(held), axis=0)
    usd = np.array([p.cost.usd_means for p in priced])
    costs[:, :, 0] = [usd[:, half].mean(axis=1) for half in held]
    return costs


def _assemble(
    priced: list[Priced], catalogue: Catalogue, states: States, decisions: tuple[Decision, ...]
) -> Menu:
    columns = staff_columns(catalogue)
    tariffs = catalogue.tariffs
    resources = ("usd", *columns, "agent_hours", *(t.resource for t in tariffs))
    options = pd.DataFrame([p.row(columns) for p in priced]).set_index("option")
    for t in tariffs:
        options[t.resource] = [p.cost.mean_units * (p.described["eval"] in t.evals) for p in priced]
    if not options["tasks_done"].any():
        options = options.drop(columns="tasks_done")
    kept = thinned(len(priced[0].cost.usd_draws), RESOURCE_DRAWS)
    resource_draws = np.stack(
        [
            np.column_stack(
                [
                    p.cost.usd_draws[kept],
                    np.broadcast_to(
                        [*(p.cost.staff_hours[c] for c in columns), p.cost.agent_hours],
                        (len(kept), len(columns) + 1),
                    ),
                    *(p.cost.units[kept] * (p.described["eval"] in t.evals) for t in tariffs),
                ]
            )
            for p in priced
        ],
        axis=1,
    )
    return Menu(
        options=options,
        resources=resources,
        information=np.stack([p.information for p in priced]),
        states=states.names,
        prior_mean=states.mean,
        prior_covariance=states.covariance,
        decisions=decisions,
        information_draws=np.stack([p.information_draws for p in priced], axis=1),
        resource_draws=resource_draws,
        skewed=states.skewed,
    )
