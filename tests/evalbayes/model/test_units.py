"""Domains of different units share no slope, and nothing else that is in a unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from tests.evalbayes.model.simulated import log_density, observed, outcome_of_runs

from evalbayes.catalogue import Catalogue, parse_catalogue
from evalbayes.errors import InputError
from evalbayes.menus import menu_of
from evalbayes.model import derived, priors
from evalbayes.model.completion import completed
from evalbayes.model.design import Design, design_of
from evalbayes.model.evidence import Evidence, evidence_of
from evalbayes.model.fit import fit
from evalbayes.model.layout import base_layout
from evalbayes.observations import Observations
from evalbayes.summaries.capability import capability_table

Array = NDArray[np.float64]

OTHER = "sd of experts"
SLOPES = {"cyber": 0.4, "persuasion": 1.2}  # logits per unit
LEVELS = {"cyber": (4.0, 5.5, 7.0, 8.5), "persuasion": (-1.0, 0.0, 0.7, 1.5)}
DIFFICULTIES = {"cyber": (3, 4, 5, 6, 7, 8, 9), "persuasion": (-2, -1, -0.5, 0, 0.5, 1, 2)}
MODELS = ("A", "B", "C", "D")


def two_units(**entries: Any) -> Catalogue:
    domains = [
        {"name": "cyber", "threshold_human_time": "16 h"},
        {"name": "persuasion", "threshold": 2.0, "unit": OTHER},
        {"name": "autonomy", "threshold_human_time": "80 h"},
    ]
    evals = [
        {"name": f"{name} {k}", "domain": name, "tasks": 40, "family": f"{name} family"}
        | {"difficulty": level, "max_cap": 1e7, "usd_per_unit": [4e-6, 9e-6], **entries}
        for name, levels in DIFFICULTIES.items()
        for k, level in enumerate(levels)
    ]
    known = [{"name": name, "lineage": "one" if name in "AB" else "two"} for name in MODELS]
    return parse_catalogue(
        {"portfolio": {"ai_model": "D"}, "domain": domains, "eval": evals, "ai_model": known}
    )


def results(specs: Catalogue, seed: int = 0, n: int = 150, effort: float = 0.0) -> pd.DataFrame:
    """Runs under a slope of its own in each unit, one departure per eval and AI model."""
    rng = np.random.default_rng(seed)
    frames = []
    for spec in specs.evals:
        assert spec.difficulty is not None
        slope = SLOPES[spec.domain]
        for model, level in zip(MODELS, LEVELS[spec.domain], strict=True):
            u = rng.normal(0.0, 0.2 / slope)
            plateau = 1 / (1 + np.exp(-slope * (level - spec.difficulty.mid + u)))
            outcome, spend = outcome_of_runs(rng, n, plateau, (11.0, 1.2), (12.0, 1.0), 1e6)
            frames.append(
                pd.DataFrame(
                    {"eval": spec.name, "task": [f"t{k}" for k in range(n)], "ai_model": model}
                    | {"outcome": outcome, "spend": spend, "cap": 1e6, "effort": effort}
                )
            )
    return pd.concat(frames, ignore_index=True)


def designed() -> tuple[Design, Evidence]:
    specs = two_units()
    table = results(specs, n=6)
    evidence = evidence_of(observed(table, table.assign(effort=0.8)))
    return design_of(specs, evidence), evidence


@pytest.fixture(scope="module")
def prior() -> tuple[Design, dict[str, Array]]:
    """Draws of everything before any evidence."""
    from evalbayes.model import sampling
    from evalbayes.model.graph import build

    design, evidence = designed()
    graph = build(design, evidence)
    variables = [graph.model[name] for name in ("base", "effects", "cells")]
    drawn = sampling.pm.draw(variables, draws=4_000, random_seed=1, mode="FAST_COMPILE")
    return design, graph.named(*drawn)


def test_one_slope_and_one_of_each_spread_a_unit(prior: tuple[Design, dict[str, Array]]) -> None:
    design, named = prior
    assert design.scales == ("doublings of human task time", OTHER)
    assert design.scale_of.tolist() == [0, 1, 0]
    assert design.seen_slopes.tolist() == [[u, m] for u in (0, 1) for m in range(4)]
    for name in ("slope_mean", "slope_spread", "validity_sd", "family_sd", "gap_departure_sd"):
        assert named[name].shape == (4_000, 2)
        assert abs(np.corrcoef(np.log(named[name]).T)[0, 1]) < 0.06
    slopes = np.log(derived.slopes(design, named))
    between = np.corrcoef(slopes.T)[:4, 4:]
    assert np.abs(between).max() < 0.06
    assert np.corrcoef(slopes.T)[0, 1] > 0.7
    # Of doublings 0.26 to 0.97 logits are known; of another unit five times more or less.
    for scale, known in enumerate((priors.SLOPE, priors.SLOPE_OF_OTHER_UNITS)):
        wanted = known.median * np.exp(known.sd_ln * stats.norm.ppf([0.05, 0.5, 0.95]))
        got = np.quantile(named["slope_mean"][:, scale], [0.05, 0.5, 0.95])
        np.testing.assert_allclose(got, wanted, rtol=0.1)


def test_the_margin_is_written_in_the_unit_of_its_domain(
    prior: tuple[Design, dict[str, Array]],
) -> None:
    """Plateaus of both units against the formula, every part looked up by name."""
    design, named = prior
    logits = derived.plateau_logits(design, named)
    gaps, slopes = derived.gaps(design, named), derived.slopes(design, named)
    difficulties = derived.difficulties(design, named)
    seen_slopes, places = design.seen_slopes.tolist(), design.places.tolist()
    shown = derived.capabilities(design, named)
    families = design.seen_families.tolist()
    for k, (i, m) in enumerate(zip(design.condition_eval, design.condition_model, strict=True)):
        d = int(design.domain_of[i])
        u, pair = int(design.scale_of[d]), design.condition_pair[k]
        at = places.index([int(design.knots.reach[i].argmax()), m])
        own = families.index([design.family_of[i], m])
        margin = shown[:, at] - difficulties[:, list(design.seen_evals).index(i)]
        margin = margin + named["family_sd"][:, u] * named["family_offset"][:, own]
        margin = margin + named["validity_sd"][:, u] * named["private_offset"][:, pair]
        departure = named["gap_departure_sd"][:, u] * named["gap_departure_offset"][:, pair]
        margin = margin + design.effort[k] * (gaps[:, at] + departure)
        np.testing.assert_allclose(logits[:, k], slopes[:, seen_slopes.index([u, m])] * margin)


def test_the_samplers_likelihood_reads_the_same_plateaus() -> None:
    """The graph's slopes and errors are those that are told by name."""
    from evalbayes.model.graph import build

    design, evidence = designed()
    graph = build(design, evidence)
    density_at = log_density(graph.model)
    rng = np.random.default_rng(2)
    base = rng.normal(graph.base.mean, 0.3 * np.array(graph.base.sd))  # no share too near 0 or 1
    effects, cells = (
        rng.normal(0.0, 1.0, len(graph.effects)),
        rng.normal(11.5, 1.0, len(graph.cells)),
    )

    def differences(name: str, entry: int) -> tuple[float, float]:
        """How density, and likelihood by the numpy formula plus its prior, change with an entry."""
        moved = base.copy()
        moved[graph.base.at(name, entry)] += 0.3
        density, by_hand = [], []
        for point in (base, moved):
            density.append(density_at({"base": point, "effects": effects, "cells": cells}))
            curves = derived.curves_of(design, graph.named(point, effects, cells))
            a, n = 1 / (1 + np.exp(-curves.logit)), evidence.ended
            beyond = stats.norm.sf((np.log(1e6) - curves.success_location) / curves.success_scale)
            later = stats.norm.sf((np.log(1e6) - curves.gave_up_location) / curves.gave_up_scale)
            rest = np.log(a * beyond + (1 - a) * later)
            ended = n.n_success * np.log(a) + n.n_gave_up * np.log(1 - a)
            prior = np.sum(stats.norm.logpdf(point, graph.base.mean, graph.base.sd))
            by_hand.append((ended + evidence.n_stopped * rest).sum() + prior)
        return density[1] - density[0], by_hand[1] - by_hand[0]

    for name in ("slope_mean", "slope_spread", "validity_sd", "family_sd", "gap_departure_sd"):
        for scale in (0, 1):
            got, wanted = differences(name, scale)
            assert got == pytest.approx(wanted, rel=1e-6), (name, scale)
    for entry in range(8):
        got, wanted = differences("slope_offset", entry)
        assert got == pytest.approx(wanted, rel=1e-6)


def test_relatives_lie_near_each_other_in_each_unit_by_itself(
    prior: tuple[Design, dict[str, Array]],
) -> None:
    design, named = prior
    assert named["lineage"].shape == (4_000, 4)  # two units by two lineages
    drawn = completed(design, named, seed=3)
    assert drawn["slope"].shape == (4_000, 3, 4)
    np.testing.assert_array_equal(drawn["slope"][:, 0], drawn["slope"][:, 2])  # of one unit
    assert not np.array_equal(drawn["slope"][:, 0], drawn["slope"][:, 1])
    np.testing.assert_array_equal(drawn["validity_sd"], named["validity_sd"][:, [0, 1, 0]])


def test_one_unit_has_the_quantities_it_had() -> None:
    domains = [{"name": name, "threshold": 9.0} for name in ("cyber", "autonomy")]
    row = {"domain": "cyber", "tasks": 9, "human_minutes": 9, "usd_per_run": [1, 2]}
    specs = parse_catalogue({"domain": domains, "eval": [{"name": "a", **row}]})
    base = base_layout(design_of(specs, evidence_of(Observations())))
    sizes = {name: stop - start for name, (start, stop, _) in base.spans.items()}
    for name in ("slope_mean", "slope_spread", "validity_sd", "family_sd", "difficulty_spread"):
        assert sizes[name] == 1
    assert base.mean[0] == pytest.approx(np.log(0.5))
    assert base.sd[0] == priors.SLOPE.sd_ln


def test_a_family_is_of_one_unit() -> None:
    with pytest.raises(
        InputError,
        match=r"eval 'persuasion 0'.*: evals of a family must be in domains of one unit, .* got "
        r"'sd of experts' here and 'doublings of human task time' before for 'x'; give the family",
    ):
        two_units(family="x")


def test_what_is_not_known_of_another_unit_is_an_assumption() -> None:
    (told,) = [each for each in two_units().assumptions if each.key == "logits per unit"]
    assert told.where == "domain 'persuasion'"
    low, high = np.exp(np.log(0.5) + np.array([-1, 1]) * 1.645)
    assert told.value.low == pytest.approx(low, abs=0.01)
    assert told.value.high == pytest.approx(high, abs=0.05)


@pytest.mark.slow  # a fit of fourteen evals: about a CPU-minute
def test_slopes_a_factor_of_three_apart_are_both_found() -> None:
    specs = two_units()
    posterior = fit(
        specs, observed(results(specs)), draws=500, tune=700, chains=2, families=["lognormal"]
    )
    slope = posterior.draws["slope"].mean(axis=2)  # of the four AI models, which are alike
    for d, name in enumerate(("cyber", "persuasion")):
        low, middle, high = np.quantile(slope[:, d], [0.05, 0.5, 0.95])
        assert low < SLOPES[name] < high
        assert middle == pytest.approx(SLOPES[name], rel=0.25)
    ratio = slope[:, 1] / slope[:, 0]
    assert np.quantile(ratio, 0.05) < 3.0 < np.quantile(ratio, 0.95)
    assert np.quantile(ratio, 0.01) > 1.8
    # Menu and capability table have one of each too.
    menu = menu_of(posterior, specs)
    assert {"slope per doublings of human task time", f"slope per {OTHER}"} <= set(menu.states)
    at = menu.states.index(f"slope per {OTHER}")
    told = menu.information[:, at, at] > 0
    assert set(menu.options["domain"][told]) == {"persuasion"}
    table = capability_table(posterior, specs)
    rows = table[table["figure"] == "validity error of an eval (sd)"]
    assert rows[["domain", "unit"]].to_numpy().tolist() == [
        ["cyber, autonomy", "doublings"],
        ["persuasion", OTHER],
    ]
