"""Prior predictive: what every model says of the results before any of them is seen."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit, logit

from evalbayes.arrays import Array
from evalbayes.catalogue import Catalogue
from evalbayes.errors import InputError
from evalbayes.names import cure
from evalbayes.observations import Observations
from evalbayes.observations.attempts import attempts_of, by_task
from evalbayes.predictive.predictive import Predictive

DRAWS = 1000
MONTHS = 12.0
FEWEST = 5  # tasks with repeats, as where best-of-k is learned
EDGES = (0.0, 10.0, 60.0, 240.0, np.inf)  # minutes
WORDS = ("up to 10 min", "10 min to 1 h", "1 h to 4 h", "above 4 h")


def _figure(model: str, figure: str, rows: Sequence[tuple[str, Array, float]]) -> list[Predictive]:
    """Return one figure of entries, each its name, replicates and what was seen; none of none."""
    if not rows:
        return []
    of, draws, seen = zip(*rows, strict=True)
    return [Predictive(model, figure, of, np.stack(draws, axis=1), np.array(seen, dtype=float))]


def _curves(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success shares, mean ln spend and scores of every eval, AI model and effort seen.

    Without observations plateau and ln spend of the AI model under test, eval by eval.
    """
    seed = int(rng.integers(2**31))
    if not observations.evals:
        return _unseen(catalogue, observations, n_draws, seed)
    from evalbayes.model import derived, sampling  # loads PyMC: its graph is what is drawn from
    from evalbayes.model.design import design_of
    from evalbayes.model.evidence import evidence_of
    from evalbayes.model.graph import build
    from evalbayes.model.predictive import replicated

    evidence = evidence_of(observations, catalogue)
    design = design_of(catalogue, evidence)
    graph = build(design, evidence)
    variables = [graph.model[name] for name in ("base", "effects", "cells")]
    drawn = sampling.pm.draw(variables, draws=n_draws, random_seed=seed, mode="FAST_COMPILE")
    curves = derived.curves_of(design, graph.named(*drawn))
    again = replicated(curves, evidence, rng)
    rows = evidence.conditions[["eval", "ai_model", "effort"]].to_dict("records")
    names = [
        f"{row['eval']} by {row['ai_model']}"
        + (f", effort {row['effort']:g}" if row["effort"] else "")
        for row in rows
    ]
    found = []
    for figure, key, sums in (
        ("success share", "successes", True),
        ("mean ln spend of successes", "mean ln spend", False),
        ("score, as a share of its scale", "scores", True),
    ):
        each = again[key]
        n = np.where(each.number > 0, each.number, np.nan) if sums else np.ones(len(names))
        draws, seen = each.draws / n, each.seen / n
        some = np.flatnonzero(np.isfinite(draws).all(axis=0))
        found += _figure("curves", figure, [(names[k], draws[:, k], seen[k]) for k in some])
    return found


def _unseen(
    catalogue: Catalogue, observations: Observations, n_draws: int, seed: int
) -> list[Predictive]:
    from evalbayes.model.fit import fit

    posterior = fit(catalogue, observations, seed=seed, draws=n_draws)  # nothing is sampled
    under_test = catalogue.portfolio.ai_model
    m = posterior.index_of("ai_model", under_test)
    of = tuple(f"{name} by {under_test}" for name in posterior.evals)
    nothing = np.full(len(of), np.nan)
    figures = {
        "success share with unlimited spend": posterior.plateau(under_test),
        "ln of the median spend of successes": posterior.draws["success_location"][:, :, m],
    }
    return [Predictive("curves", key, of, draws, nothing) for key, draws in figures.items()]


def _responses(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success share, and solved share of tasks, by eval and AI model.

    Of runs as they come on tasks with human minutes, whatever their cap. Sds, which the fit finds
    by empirical Bayes, are drawn from what their prior guess, worth a few observations, says:
    guess² times a scaled inverse χ².
    """
    from evalbayes.responses import history
    from evalbayes.responses.table import LOST, tasks_of

    runs = observations.runs
    if not len(runs):
        return []
    plain = (runs["effort"].astype(float).fillna(0.0) == 0) & ~runs["outcome"].isin(LOST)
    runs = runs[plain & (runs["human_minutes"].astype(float) > 0)].reset_index(drop=True)
    if not len(runs):
        return []
    table = tasks_of(runs)
    task = table.positions(runs)
    e, n_evals = table.eval_of[task], len(table.evals)
    names, model = np.unique(runs["ai_model"].to_numpy(str), return_inverse=True)
    n_models, n_tasks = len(names), len(table.length)

    def sd(part: str, size: int) -> Array:
        chi2 = rng.chisquare(history.PRIOR_COUNT, (n_draws, size))
        return np.asarray(history.SCALES[part] * np.sqrt(history.PRIOR_COUNT / chi2))

    def normal(size: int, mean: float = 0.0, scale: float | Array = 1.0) -> Array:
        return np.asarray(mean + scale * rng.standard_normal((n_draws, size)))

    capability = normal(n_models)
    loading = np.exp(normal(n_evals, *history.LN_LOADING))
    departure = normal(n_models * n_evals, 0.0, sd("validity", 1))
    slope = normal(1, 0.0, history.TURN_SD) * capability + normal(n_models, 0.0, sd("tilt", 1))
    difficulty = (
        normal(n_evals, 0.0, history.LEVEL_SD)[:, table.eval_of]
        + normal(n_evals, *history.PER_DOUBLING)[:, table.eval_of] * table.within
        + normal(n_tasks, 0.0, sd("task", n_evals)[:, table.eval_of])
    )
    own, pair = np.unique(model * n_tasks + task, return_inverse=True)
    repeated = len(own) < len(runs)  # without repeats ζ is not told apart, and left out
    together = normal(len(own), 0.0, sd("pair", 1) * repeated)
    logit = (
        loading[:, e] * capability[:, model]
        + departure[:, model * n_evals + e]
        + slope[:, model] * table.tilt[task]
        - difficulty[:, task]
        + together[:, pair]
    )
    success = rng.random(logit.shape) < expit(logit)
    ended = (runs["outcome"] == "success").to_numpy()
    shares = [
        (" by ".join(map(str, key)), success[:, rows].mean(axis=1), ended[rows].mean())  # type: ignore[call-overload]  # pairs
        for key, rows in runs.groupby(["eval", "ai_model"], sort=True).indices.items()
    ]
    solved = []
    for name in np.unique(runs["eval"].to_numpy(str)):
        rows = np.flatnonzero(runs["eval"] == name)
        of_task = [rows[task[rows] == own] for own in np.unique(task[rows])]
        drawn = np.mean([success[:, own].any(axis=1) for own in of_task], axis=0)
        solved.append((str(name), drawn, float(np.mean([ended[own].any() for own in of_task]))))
    return [
        *_figure("responses", "success share", shares),
        *_figure("responses", "share of tasks solved by any AI model", solved),
    ]


def _repeats(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Share of attempts that succeed, and of tasks solved by any, by eval and AI model."""
    from evalbayes.repeats.best_of_k import FLOOR_PRIOR, FLOORS, PRIOR_MEAN, PRIOR_SD

    singles, solved = [], []
    table = attempts_of(observations)
    for name, ai_model in table[["eval", "ai_model"]].drop_duplicates().itertuples(index=False):
        attempts, successes = by_task(table, str(name), str(ai_model))
        if (attempts > 1).sum() < FEWEST:
            continue
        drawn = rng.normal(PRIOR_MEAN[:3], PRIOR_SD[:3], (n_draws, 3))
        shape = (n_draws, len(attempts))
        mean, concentration = expit(drawn[:, [1]]), np.exp(drawn[:, [2]])
        p = rng.beta(mean * concentration, (1.0 - mean) * concentration, shape)
        never = rng.random(shape) < expit(drawn[:, [0]])
        stated = catalogue.eval(str(name)).guessing
        guess = rng.choice(FLOORS, (n_draws, 1), p=FLOOR_PRIOR) if stated is None else stated
        again = rng.binomial(attempts, guess + (1.0 - guess) * np.where(never, 0.0, p))
        of, tries = f"{name} by {ai_model}", attempts.sum()
        singles.append((of, again.sum(axis=1) / tries, successes.sum() / tries))
        solved.append((of, (again > 0).mean(axis=1), (successes > 0).mean()))
    return [
        *_figure("repeats", "share of attempts that succeed", singles),
        *_figure("repeats", "share of tasks solved in any attempt", solved),
    ]


def _pairs(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Gap by domain, and success share of the elicited runs of every pair, given the standard ones.

    logit of the elicited share is that of the standard one + a·e·(δ + η): slope a, gap δ and the
    eval's own departure η from their priors, the standard share from a Beta(½ + successes,
    ½ + failures).
    """
    from evalbayes.elicitation.pairs import paired_gains
    from evalbayes.model import priors

    def positive(prior: priors.Positive, n: int) -> Array:
        return np.exp(rng.normal(prior.mean_ln, prior.sd_ln, n))

    gaps = {
        spec.name: np.exp(rng.normal(*priors.gap_prior(spec.gap), n_draws))
        for spec in catalogue.domains
    }
    units = {spec.name: "doublings" if spec.minutes else spec.unit for spec in catalogue.domains}
    of = [(f"{name}, in {units[name]}", gap, np.nan) for name, gap in gaps.items()]
    pairs = paired_gains(observations, catalogue)
    pairs = pairs[pairs["kind"] == "elicited"]
    rows = []
    for row in pairs.to_dict("records"):
        slope = positive(priors.SLOPE, n_draws) * np.exp(
            positive(priors.SLOPE_SPREAD, n_draws) * rng.standard_normal(n_draws)
        )
        departure = positive(priors.GAP_DEPARTURE_SD, n_draws) * rng.standard_normal(n_draws)
        solved = row["share"] * row["runs"]
        before = logit(rng.beta(0.5 + solved, 0.5 + row["runs"] - solved, n_draws))
        after = expit(before + slope * row["effort"] * (gaps[row["domain"]] + departure))
        again = rng.binomial(int(row["elicited_runs"]), after) / row["elicited_runs"]
        name = f"{row['eval']} by {row['ai_model']}, effort {row['effort']:g}"
        rows.append((name, again, row["elicited_share"]))
    return [
        *_figure("pairs", "elicitation gap", of),
        *_figure("pairs", "elicited success share", rows),
    ]


def _horizons(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Success share by length of tasks and AI model, of runs whose tasks have human minutes."""
    from evalbayes.horizons.horizon import LEVEL_SD, SLOPE_MEAN_LN, SLOPE_SD_LN

    runs = observations.runs
    runs = runs[runs["human_minutes"].astype(float) > 0] if len(runs) else runs
    found = []
    for ai_model, own in runs.groupby("ai_model", sort=True) if len(runs) else ():
        x = np.log2(own["human_minutes"].to_numpy(dtype=float))
        level = rng.normal(np.median(x), LEVEL_SD, (n_draws, 1))
        slope = np.exp(rng.normal(SLOPE_MEAN_LN, SLOPE_SD_LN, (n_draws, 1)))
        lengths, index = np.unique(x, return_inverse=True)
        number = np.bincount(index)
        again = rng.binomial(number, expit(slope * (level - lengths)))
        success = np.bincount(index, own["outcome"] == "success")
        bucket = np.digitize(2.0**lengths, EDGES[1:-1], right=True)
        for k in np.unique(bucket):
            rows = bucket == k
            total = number[rows].sum()
            share = again[:, rows].sum(axis=1) / total
            found.append((f"{ai_model}, tasks {WORDS[k]}", share, success[rows].sum() / total))
    return _figure("horizons", "success share", found)


def _gains(
    catalogue: Catalogue, observations: Observations, n_draws: int, rng: np.random.Generator
) -> list[Predictive]:
    """Gain of better elicitation by domain, in its unit, one figure per unit."""
    from evalbayes.elicitation.post_training import growth
    from evalbayes.summaries.capability import later_gain

    months = catalogue.portfolio.horizon_months
    by_unit: dict[str, list[tuple[str, Array, float]]] = {}
    for spec in catalogue.domains:
        rate = later_gain(catalogue, spec, n_draws, rng)
        gain = growth(rate, months / MONTHS, spec.post_training_overlap)
        unit = "doublings" if spec.minutes else spec.unit
        by_unit.setdefault(unit, []).append((spec.name, gain, np.nan))
    return [
        found
        for unit, gains in by_unit.items()
        for found in _figure("gains", f"gain in {months:g} months, {unit}", gains)
    ]


MODELS: dict[str, Callable[..., list[Predictive]]] = {
    "curves": _curves,
    "responses": _responses,
    "repeats": _repeats,
    "pairs": _pairs,
    "horizons": _horizons,
    "gains": _gains,
}


def prior_predictive(
    catalogue: Catalogue,
    observations: Observations | None = None,
    *,
    models: Sequence[str] = tuple(MODELS),
    n_draws: int = DRAWS,
    seed: int = 0,
) -> list[Predictive]:
    """Draw results from the priors alone, beside those seen where there are any.

    Each draw takes parameters from their prior and then as many results as were observed: a prior
    under which the results are wildly unlikely, or that gives results nobody would believe, should
    be changed before anything rests on it. Location and spend are centred on the observed
    spend unit's typical figure, as in the fit.

    InputError if a model is not known, or an observation is not of the catalogue's evals.

    Parameters
    ----------
    catalogue, observations
        The inputs; without observations nothing stands beside the draws.
    models
        Which: "curves", the joint model of capability and spend (success shares, mean ln spend,
        scores); "responses", that of the back-test; "repeats", best-of-k; "pairs", the elicitation
        gap as pairs of runs show it; "horizons", of the runs of each AI model; "gains",
        post-training gains until the catalogue's horizon. One that the observations are not of
        says nothing.
    n_draws, seed
        Of replicates.

    Examples
    --------
    >>> from evalbayes.catalogue import parse_catalogue
    >>> read = parse_catalogue(
    ...     {
    ...         "domain": [{"name": "cyber", "threshold_human_time": "8 h"}],
    ...         "eval": [{"name": "a", "domain": "cyber", "tasks": 9, "usd_per_run": [1, 5]}],
    ...     }
    ... )
    >>> (found,) = prior_predictive(read, models=["gains"])  # 0.2 to 1.5 a year, 0.7 of it in half
    >>> found.of, bool(np.all(np.abs(np.quantile(found.draws, [0.05, 0.95]) - [0.14, 1.06]) < 0.09))
    (('cyber',), True)
    """
    unknown = [name for name in models if name not in MODELS]
    if unknown:
        raise InputError(
            f"prior predictive: models must be among {', '.join(MODELS)}, got {unknown[0]!r}; "
            f"{cure(unknown[0], list(MODELS))}"
        )
    seen = observations if observations is not None else Observations()
    found: list[Predictive] = []
    for position, name in enumerate(models):
        rng = np.random.default_rng([seed, position])
        found += MODELS[name](catalogue, seen, n_draws, rng)
    return found
