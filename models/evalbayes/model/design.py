"""The design: who is in the model, what each index points at, and the catalogue's prior figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from evalbayes.arrays import Array, Flags, Index
from evalbayes.catalogue import Catalogue, EvalSpec
from evalbayes.catalogue.anchors import anchors
from evalbayes.catalogue.domain import POPULATION_GROWTH
from evalbayes.catalogue.human_time import DOUBLINGS
from evalbayes.model import priors
from evalbayes.model.ancestry import Ancestry, ancestry_of
from evalbayes.model.centring import told
from evalbayes.model.evidence import Evidence
from evalbayes.model.knots import Knots, knots_of


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Design:
    """Indices and prior figures of one fit.

    "Seen" evals, AI models and pairs are those with evidence; only they enter the sampler. The
    others are drawn afterwards from their prior given what was learned.
    """

    # domains, evals, ai_models, families, units: names; `ai_models` holds the one under test and
    # all that the catalogue lists, `evals` every eval of the catalogue
    domains: tuple[str, ...]
    evals: tuple[str, ...]
    ai_models: tuple[str, ...]
    families: tuple[str, ...]
    units: tuple[str, ...]
    under_test: int  # index of the AI model under test
    # scales, scale_of: units of capability, and which one each domain has. What is in such a unit,
    # or per unit, is learned for each by itself: slope, validity error and the other spreads.
    scales: tuple[str, ...]
    scale_of: Index
    # slope, slope_sd: mean and sd of ln of the typical slope, by scale
    slope: Array
    slope_sd: Array
    # loadings, domain_of, family_of, unit_of: weight of the domains in every eval, main domain,
    # family (−1: none), spend unit
    loadings: Array
    # knots: where on the difficulty axes shown capability and gap are told, and what every eval
    # reads
    knots: Knots
    domain_of: Index
    family_of: Index
    unit_of: Index
    # difficulty, difficulty_sd: prior centre and sd of difficulty; sd NaN where it is learned
    # (`difficulty_spread`)
    difficulty: Array
    difficulty_sd: Array
    # shown, shown_sd: prior of the shown capability of the AI model under test by domain; NaN where
    # learned
    shown: Array
    shown_sd: Array
    centre: Array  # centre of the population's shown capability, by domain
    # adrift: domains without an eval of known difficulty, whose location the stated shown
    # capability alone fixes
    adrift: Flags
    # gap, gap_sd, gap_stated: mean and sd of ln gap, by domain, and whether the catalogue gave them
    gap: Array
    gap_sd: Array
    gap_stated: Flags
    # growth, growth_sd: mean and sd of growth with release date, by domain, in units a year
    growth: Array
    growth_sd: Array
    ancestry: Ancestry  # release dates and lineages of the AI models
    # plateau, plateau_sd: expert's logit plateau of the AI model under test, NaN where none
    plateau: Array
    plateau_sd: Array
    # location, location_sd: expert's ln half-spend, NaN where none
    location: Array
    location_sd: Array
    ln_minutes: Array  # ln human minutes about their mean in the spend unit; 0 where there are none
    ln_spend_centre: Array  # typical ln spend by unit
    # condition_eval, condition_model, condition_pair, effort: of every condition of the evidence
    condition_eval: Index
    condition_model: Index
    condition_pair: Index
    effort: Array
    # pair_eval, pair_model: seen eval by AI model pairs
    pair_eval: Index
    pair_model: Index
    told: Array  # how far runs tell the cells themselves, from 0 to 1: see `centring`
    spend_seen: Flags = field(repr=False)

    @cached_property
    def coords(self) -> dict[str, list[str]]:
        """Labels along every dimension of the model, by name of the dimension."""
        several = len(self.scales) > 1
        unit = [f", {scale}" if several else "" for scale in self.scales]
        knots = [
            f"{self.domains[d]} at {place:.3g}"
            for d, place in zip(self.knots.domain, self.knots.place, strict=True)
        ]
        efforts = [f", effort {effort:g}" if effort else "" for effort in self.effort]

        def with_model(names: Sequence[str], rows: Index) -> list[str]:
            return [f"{names[k]}, {self.ai_models[m]}" for k, m in rows]

        pairs = np.stack([self.pair_eval, self.pair_model], axis=1)
        conditions = np.stack([self.condition_eval, self.condition_model], axis=1)
        return {
            "all": ["all"],
            "domain": list(self.domains),
            "unit": list(self.scales),
            "spend_unit": list(self.units),
            "eval": [self.evals[i] for i in self.seen_evals],
            "ai_model": [self.ai_models[m] for m in self.seen_models],
            "unit_ai_model": [f"{self.ai_models[m]}{unit[k]}" for k, m in self.seen_slopes],
            "family_ai_model": with_model(self.families, self.seen_families),
            "unit_lineage": [
                f"{self.ancestry.lineages[k]}{own}" for own in unit for k in self.seen_lineages
            ],
            "domain_ai_model": with_model(self.domains, self.seen_capabilities),
            "spend_unit_ai_model": with_model(self.units, self.seen_speeds),
            "knot": knots,
            "knot_ai_model": with_model(knots, self.places),
            "walked": with_model(knots, self.walking),
            "eval_ai_model": with_model(self.evals, pairs),
            "condition": [
                f"{label}{effort}"
                for label, effort in zip(with_model(self.evals, conditions), efforts, strict=True)
            ],
        }

    @property
    def reach(self) -> Array:
        """Weight of every knot in every eval, (n_evals, n_knots)."""
        return self.knots.reach

    @property
    def seen_evals(self) -> Index:
        """Indices of evals with evidence."""
        return np.unique(self.pair_eval)

    @property
    def seen_models(self) -> Index:
        """Indices of AI models with evidence."""
        return np.unique(self.pair_model)

    @property
    def seen_capabilities(self) -> Index:
        """Domain and AI model of every shown capability that evidence bears on, (n, 2)."""
        rows = [
            (d, m)
            for i, m in zip(self.pair_eval, self.pair_model, strict=True)
            for d in np.flatnonzero(self.loadings[i])
        ]
        return np.unique(np.array(rows, dtype=np.int64).reshape(-1, 2), axis=0)

    @property
    def told_shown(self) -> Array:
        """How far each of `seen_capabilities` is sampled itself: see `centring`.

        Not at all where one eval alone tells it. Half where several do and there is a general
        factor, which may leave next to no sd to a domain's own: a funnel.
        """
        domain, model = self.seen_capabilities.T
        read = (self.loadings[self.pair_eval] != 0)[:, domain]
        several = (read & (self.pair_model[:, None] == model)).sum(axis=0) > 1
        value: Array = several * (0.5 if self.factored else 1.0)
        return value

    @property
    def anchor_knots(self) -> Index:
        """Knot from which shown capability is told, (n_domains, n_models): the reference.

        A shown capability that the catalogue states is that at the (first) threshold.
        """
        found = np.repeat(self.knots.reference[:, None], len(self.ai_models), axis=1)
        stated = np.flatnonzero(np.isfinite(self.shown))
        found[stated, self.under_test] = stated
        return found

    @property
    def anchored_at(self) -> Index:
        """Knot at which each of `seen_capabilities` is told, (n,)."""
        found: Index = self.anchor_knots[tuple(self.seen_capabilities.T)]
        return found

    @property
    def places(self) -> Index:
        """Knot and AI model of all that evidence bears on, and what lies between, (n, 2)."""
        rows = {
            (k, int(m))
            for i, m in zip(self.pair_eval, self.pair_model, strict=True)
            for read in np.flatnonzero(self.knots.reach[i])
            for k in self.knots.path(int(read))
        }
        for (_, m), anchor in zip(self.seen_capabilities, self.anchored_at, strict=True):
            rows |= {(k, int(m)) for k in self.knots.path(int(anchor))}
        return np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)

    @property
    def walking(self) -> Index:
        """The places that are no reference: there capability has walked, (n_walking, 2)."""
        return self.places[self.knots.parent[self.places[:, 0]] >= 0]

    @property
    def capability_of(self) -> Index:
        """Entry of `seen_capabilities` of every place, (n_places,)."""
        wide = len(self.ai_models)
        own = self.knots.domain[self.places[:, 0]] * wide + self.places[:, 1]
        return np.searchsorted(self.seen_capabilities @ [wide, 1], own)

    @property
    def walks(self) -> Array:
        """Increments that lie between where a capability is told and a place, signed.

        Of shape (n_places, n_walking): shown capability at places is that of `seen_capabilities`
        plus this times the increments.
        """
        index = {(int(k), int(m)): j for j, (k, m) in enumerate(self.walking)}
        found = np.zeros((len(self.places), len(index)))
        anchors = self.anchored_at[self.capability_of]
        for row, ((knot, m), anchor) in enumerate(zip(self.places, anchors, strict=True)):
            for end, sign in ((knot, 1.0), (anchor, -1.0)):
                for k in self.knots.path(end)[:-1]:
                    found[row, index[k, int(m)]] += sign
        return found

    @property
    def bearing(self) -> Array:
        """Weight of every place in every pair, (n_pairs, n_places)."""
        knot, model = self.places.T
        weights: Array = self.knots.reach[self.pair_eval][:, knot] * (
            self.pair_model[:, None] == model
        )
        return weights

    @property
    def seen_families(self) -> Index:
        """Family and AI model of every family error that evidence bears on, (n, 2)."""
        rows = np.stack([self.family_of[self.pair_eval], self.pair_model], axis=1)
        return np.unique(rows[rows[:, 0] >= 0], axis=0)

    @property
    def eval_scale(self) -> Index:
        """Unit of capability of every eval, (n_evals,): its domains have one."""
        return self.scale_of[self.domain_of]

    @property
    def pair_scale(self) -> Index:
        """Unit of capability of every pair, (n_pairs,)."""
        return self.eval_scale[self.pair_eval]

    @property
    def family_scale(self) -> Index:
        """Unit of capability of every family, (n_families,): its evals have one."""
        of = np.zeros(len(self.families) + 1, dtype=np.int64)
        of[self.family_of] = self.eval_scale  # the last entry takes evals of no family
        return of[:-1]

    @property
    def seen_slopes(self) -> Index:
        """Unit of capability and AI model of every slope that evidence bears on, (n, 2)."""
        return np.unique(np.stack([self.pair_scale, self.pair_model], axis=1), axis=0)

    @property
    def condition_slope(self) -> Index:
        """Index of every condition's entry of `seen_slopes`."""
        wide = len(self.ai_models)
        every = self.seen_slopes @ [wide, 1]
        own = self.eval_scale[self.condition_eval] * wide + self.condition_model
        return np.searchsorted(every, own)

    @property
    def seen_speeds(self) -> Index:
        """Spend unit and AI model of every speed that evidence bears on, (n, 2)."""
        rows = np.stack([self.unit_of[self.pair_eval], self.pair_model], axis=1)
        return np.unique(rows, axis=0)

    @property
    def seen_lineages(self) -> Index:
        """Lineages of AI models with evidence."""
        of = self.ancestry.lineage_of[self.seen_models]
        return np.unique(of[of >= 0])

    @property
    def factored(self) -> bool:
        """Whether a general factor ties domains: some AI model is seen in two of them or more."""
        if not len(self.pair_eval):
            return False
        return bool(np.bincount(self.seen_capabilities[:, 1]).max() > 1)

    @property
    def elicited(self) -> bool:
        """Whether any evidence was made with effort above 0."""
        return bool((self.effort > 0).any())

    @property
    def expert_location(self) -> Flags:
        """Evals whose typical spend comes from an expert, as no spend was seen."""
        return np.isfinite(self.location) & ~self.spend_seen

    @property
    def anchor(self) -> Array:
        """Projection of the seen evals' difficulty departures that fixes each domain's location.

        The precision-weighted mean departure of a domain's seen evals is 0: capability is measured
        against their stated difficulties as a whole. In a domain that is adrift there are none to
        measure against, and every departure stands.
        """
        seen = self.seen_evals
        sd = np.where(
            np.isnan(self.difficulty_sd[seen]),
            priors.DIFFICULTY_SPREAD.median,
            self.difficulty_sd[seen],
        )
        weight = sd**-2.0
        same = self.domain_of[seen][:, None] == self.domain_of[seen][None, :]
        share = same * weight
        held = ~self.adrift[self.domain_of[seen]]
        held_share = held[:, None] * share / share.sum(axis=1, keepdims=True)
        projection: Array = np.eye(len(seen)) - held_share
        return projection


def design_of(catalogue: Catalogue, evidence: Evidence) -> Design:
    """Lay out the model of a catalogue and the evidence on its evals.

    Human minutes of the observations stand in where the catalogue has none.
    """
    minutes = np.array(
        [
            spec.human_minutes or evidence.human_minutes.get(spec.name, np.nan)
            for spec in catalogue.evals
        ]
    )
    domains = tuple(spec.name for spec in catalogue.domains)
    evals = tuple(spec.name for spec in catalogue.evals)
    under_test = catalogue.portfolio.ai_model
    seen = set(map(str, evidence.conditions["ai_model"]))
    ai_models = tuple(sorted(seen | {under_test} | set(catalogue.known_models)))
    capability_units = [spec.unit for spec in catalogue.domains]
    scales = tuple(dict.fromkeys(capability_units))
    slopes = [priors.SLOPE if s == DOUBLINGS else priors.SLOPE_OF_OTHER_UNITS for s in scales]
    families = tuple(sorted({spec.family for spec in catalogue.evals if spec.family}))
    units = tuple(sorted({spec.spend_unit for spec in catalogue.evals}))
    condition_eval = _index(evals, evidence.conditions["eval"])
    condition_model = _index(ai_models, evidence.conditions["ai_model"])
    pairs, condition_pair = np.unique(
        np.stack([condition_eval, condition_model], axis=1), axis=0, return_inverse=True
    )
    domain_of = _index(domains, [spec.domain for spec in catalogue.evals])
    unit_of = _index(units, [spec.spend_unit for spec in catalogue.evals])
    difficulty, difficulty_sd, centre = _difficulties(catalogue, domain_of, minutes)
    anchored = anchors(catalogue, evidence.human_minutes)
    nothing = (np.nan, np.nan)
    shown = [
        s.shown_capability.normal() if s.shown_capability else nothing for s in catalogue.domains
    ]
    growth = [(spec.growth_per_year or POPULATION_GROWTH).normal() for spec in catalogue.domains]
    gap = [priors.gap_prior(spec.gap) for spec in catalogue.domains]
    plateau = [priors.logit_prior(s.plateau) if s.plateau else nothing for s in catalogue.evals]
    location = [_expert_location(spec) for spec in catalogue.evals]
    loadings = np.array(
        [[spec.loadings.get(domain, 0.0) for domain in domains] for spec in catalogue.evals]
    )
    spend_seen = np.zeros(len(evals), dtype=bool)
    spend_seen[condition_eval[evidence.ended.n_success + evidence.ended.n_gave_up > 0]] = True
    return Design(
        domains=domains,
        evals=evals,
        ai_models=ai_models,
        families=families,
        units=units,
        under_test=ai_models.index(under_test),
        scales=scales,
        scale_of=_index(scales, capability_units),
        **_moments("slope", [(prior.mean_ln, prior.sd_ln) for prior in slopes]),
        loadings=loadings,
        knots=knots_of(catalogue, loadings, difficulty, centre, pairs[:, 0]),
        domain_of=domain_of,
        family_of=np.array(
            [families.index(spec.family) if spec.family else -1 for spec in catalogue.evals]
        ),
        unit_of=unit_of,
        difficulty=difficulty,
        difficulty_sd=difficulty_sd,
        **_moments("shown", shown, priors.SMALLEST_SD),
        centre=centre,
        adrift=np.array(
            [
                spec.shown_capability is not None and not anchored[spec.name]
                for spec in catalogue.domains
            ]
        ),
        **_moments("gap", gap),
        gap_stated=np.array([spec.elicitation_gap is not None for spec in catalogue.domains]),
        **_moments("growth", growth, priors.SMALLEST_SD),
        ancestry=ancestry_of(catalogue, ai_models),
        **_moments("plateau", plateau),
        **_moments("location", location, priors.SMALLEST_SD),
        ln_minutes=_ln_minutes(minutes, unit_of),
        ln_spend_centre=_spend_centres(units, unit_of, condition_eval, evidence, location),
        condition_eval=condition_eval,
        condition_model=condition_model,
        condition_pair=condition_pair.reshape(-1).astype(np.int64),
        effort=evidence.conditions["effort"].to_numpy(dtype=np.float64),
        pair_eval=pairs[:, 0],
        pair_model=pairs[:, 1],
        told=told(evidence, condition_pair.reshape(-1), len(pairs)),
        spend_seen=spend_seen,
    )


def _moments(name: str, told: list[tuple[float, float]], least: float = 0.0) -> dict[str, Any]:
    """Return means and sds, these at least so large, by their names in a design."""
    mean, sd = np.array(told).T.copy()
    return {name: mean, f"{name}_sd": np.maximum(sd, least)}


def _index(names: tuple[str, ...], values: object) -> Index:
    position = {name: k for k, name in enumerate(names)}
    return np.array([position[str(value)] for value in values], dtype=np.int64)  # type: ignore[attr-defined]  # any iterable of names


def _difficulties(
    catalogue: Catalogue, domain_of: Index, human_minutes: Array
) -> tuple[Array, Array, Array]:
    """Centre and sd (NaN: learned) of every eval's difficulty, and the centre of every domain."""
    minutes = {spec.name: spec.minutes for spec in catalogue.domains}
    mean = np.full(len(catalogue.evals), np.nan)
    sd = np.full(len(catalogue.evals), np.nan)
    for i, spec in enumerate(catalogue.evals):
        if spec.difficulty is not None:
            mean[i], sd[i] = spec.difficulty.normal()
            sd[i] = max(sd[i], priors.SMALLEST_SD)
        elif minutes[spec.domain]:
            mean[i] = np.log2(human_minutes[i])  # NaN where unknown
    centre = np.zeros(len(catalogue.domains))
    for d, domain in enumerate(catalogue.domains):
        own = domain_of == d
        if not np.isfinite(mean[own]).any():  # then what else bears on it is all there is
            own = np.array([domain.name in spec.loadings for spec in catalogue.evals])
        known = mean[own & np.isfinite(mean)]
        thresholds = [spec.threshold for spec in catalogue.decided(domain.name)]
        believed = [domain.shown_capability] if domain.shown_capability else thresholds
        if len(known) or believed:
            centre[d] = known.mean() if len(known) else believed[0].mid
    unknown = np.isnan(mean)
    mean[unknown] = centre[domain_of[unknown]]
    sd[unknown] = priors.UNKNOWN_DIFFICULTY_SD
    return mean, sd, centre


def _expert_location(spec: EvalSpec) -> tuple[float, float]:
    """Mean and sd of ln half-spend from the catalogue: `half_spend`, else `usd_per_run`."""
    if spec.half_spend is not None:
        return spec.half_spend.lognormal()
    if spec.usd_per_run is not None:
        # A mean of spend, not a median: exp(scale²/2) lower; the price's own spread adds.
        mean, sd = spec.usd_per_run.lognormal()
        price, price_sd = spec.usd_per_unit.lognormal()
        lower = priors.SCALE.median**2 / 2
        return mean - price - lower, float(np.hypot(sd, price_sd))
    return np.nan, np.nan


def _ln_minutes(human_minutes: Array, unit_of: Index) -> Array:
    """Log human minutes about their mean among the evals of one spend unit; 0 where unknown."""
    value = np.log(human_minutes)
    for unit in np.unique(unit_of):
        rows = (unit_of == unit) & np.isfinite(value)
        value[rows] -= value[rows].mean() if rows.any() else 0.0
    return np.nan_to_num(value)


def _spend_centres(
    units: tuple[str, ...],
    unit_of: Index,
    condition_eval: Index,
    evidence: Evidence,
    location: list[tuple[float, float]],
) -> Array:
    """Typical ln spend of every unit: of its runs, else of its experts, else 0."""
    centre, ended = np.zeros(len(units)), evidence.ended
    for unit in range(len(units)):
        rows = (unit_of[condition_eval] == unit) & (ended.n_success > 0)
        stated = [m for (m, _), u in zip(location, unit_of, strict=True) if u == unit and m == m]
        if rows.any():
            centre[unit] = np.average(ended.mean_success[rows], weights=ended.n_success[rows])
        elif stated:
            centre[unit] = np.mean(stated)
    return centre
