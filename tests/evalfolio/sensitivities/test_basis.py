"""Every assumed figure does to the menu what a catalogue or posterior that says so would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import decided_catalogue, prior_posterior, small_catalogue

from evalbayes.catalogue import Interval
from evalbayes.catalogue.shared import ElicitationSpec
from evalbayes.menus import build_menu
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.assumed import HOURS, KINDS, ON_MENU, Assumed, assumptions_of
from evalfolio.sensitivities.basis import Basis, changed_catalogue, with_hours_of
from evalfolio.sensitivities.mixes import tornado

BUDGET = {"usd": 1_500.0, "staff_hours": 216.0}  # both short


def figure(basis: Basis, kind: str, domain: str = "") -> Assumed:
    assert basis.catalogue is not None
    assert basis.posterior is not None
    every = assumptions_of(basis.catalogue, basis.posterior)
    return next(a for a in every if (a.kind, a.domain) == (kind, domain))


def test_every_kind_of_figure_of_a_catalogue_is_assumed(whole_basis: Basis) -> None:
    assert whole_basis.catalogue is not None
    assert whole_basis.posterior is not None
    found = assumptions_of(whole_basis.catalogue, whole_basis.posterior)
    assert {a.kind for a in found} == set(KINDS) - {"study_sd"}  # it has no studies
    assert len({a.name for a in found}) == len(found)
    for kind in ("threshold", "loss_missed", "loss_false_alarm", "later_gain", "gap", "gap_sd"):
        assert {a.domain for a in found if a.kind == kind} == {"cyber", "autonomy"}


def test_ranges_are_the_catalogues_own_where_it_gives_them(whole_basis: Basis) -> None:
    assert whole_basis.posterior is not None
    threshold = figure(whole_basis, "threshold", "cyber")
    assert (threshold.low, threshold.high, threshold.given) == (8.5, 9.5, True)
    exact = figure(whole_basis, "threshold", "autonomy")
    assert (exact.low, exact.high, exact.given) == (9.0, 11.0, False)
    gain = figure(whole_basis, "later_gain", "cyber")
    assert (gain.low, gain.high, gain.given) == (0.2, 1.5, True)
    gap = figure(whole_basis, "gap", "cyber")
    draws = whole_basis.posterior.draws["gap"][:, 0, 1]
    ends = np.quantile(draws, [0.05, 0.95]) / draws.mean()
    assert [gap.low, gap.high] == pytest.approx(ends)
    assert gap.low * draws.mean() == pytest.approx(0.2, rel=0.3)  # the catalogue's 90 % interval
    assert gap.high * draws.mean() == pytest.approx(2.5, rel=0.3)


def test_prices_move_to_the_ends_of_their_own_intervals(whole_basis: Basis) -> None:
    price = figure(whole_basis, "price")
    assert price.given
    menu = whole_basis.menu_under({price: price.high})
    factor = menu.costs[:, 0] / whole_basis.menu.costs[:, 0]
    for name, wanted in {"cybench": np.sqrt(9 / 4), "range": np.sqrt(2.0)}.items():
        own = factor[(menu.options["eval"] == name).to_numpy()]
        np.testing.assert_allclose(own, wanted, rtol=1e-9)


@pytest.mark.parametrize("kind", HOURS)
def test_hours_are_those_of_the_menu_built_again(kind: str, whole_basis: Basis) -> None:
    assumed = figure(whole_basis, kind)
    field = {
        "staff_hours": "staff_hours",
        "elicitation_hours": "staff_hours_elicitation",
        "review": "review_minutes_per_run",
    }[kind]
    catalogue = small_catalogue()
    evals = tuple(
        spec.model_copy(update={field: 2.0 * getattr(spec, field)}) for spec in catalogue.evals
    )
    assert whole_basis.posterior is not None
    again, _ = build_menu(
        whole_basis.posterior, catalogue.model_copy(update={"evals": evals}), with_draws=False
    )
    quick = whole_basis.menu_under({assumed: 2.0})
    both = quick.options.index.intersection(again.options.index)
    assert len(both) > 0.9 * len(quick)
    np.testing.assert_allclose(
        quick.options.loc[both, "staff_hours"].astype(float),
        again.options.loc[both, "staff_hours"].astype(float),
    )
    assert (quick.options["usd"] == whole_basis.menu.options["usd"]).all()


def test_a_stated_threshold_or_gain_takes_its_own_doubt_away(whole_basis: Basis) -> None:
    catalogue = small_catalogue()
    domains = list(catalogue.domains)
    for kind, field in (("threshold", "threshold"), ("later_gain", "post_training_gain_per_year")):
        assumed = figure(whole_basis, kind, "cyber")
        known = domains[0].model_copy(update={field: Interval(assumed.high, assumed.high)})
        told = catalogue.model_copy(update={"domains": (known, *domains[1:])})
        assert whole_basis.posterior is not None
        again, _ = build_menu(whole_basis.posterior, told, with_draws=False)
        got = whole_basis.menu_under({assumed: assumed.high}).decisions[0]
        for key in ("threshold", "later_gain_mean", "later_gain_sd"):
            wanted = getattr(again.decisions[0], key)
            assert getattr(got, key) == pytest.approx(wanted, abs=1e-9)


def test_a_domains_gain_moves_all_its_decisions_and_a_threshold_its_own() -> None:
    catalogue = decided_catalogue()
    posterior = prior_posterior(catalogue).thinned(400)
    basis = Basis(
        Question(build_menu(posterior, catalogue, with_draws=False)[0]), catalogue, posterior
    )
    found = {a.domain for a in assumptions_of(catalogue, posterior) if a.kind == "threshold"}
    assert found == {"cyber, High", "cyber, Critical", "autonomy", "both"}
    cyber = catalogue.domains[0].model_copy(
        update={"post_training_gain_per_year": Interval(1.5, 1.5)}
    )
    told = catalogue.model_copy(update={"domains": (cyber, *catalogue.domains[1:])})
    again, _ = build_menu(posterior, told, with_draws=False)
    gain = figure(basis, "later_gain", "cyber")
    for ours, theirs in zip(basis.menu_under({gain: 1.5}).decisions, again.decisions, strict=True):
        for key in ("threshold", "later_gain_mean", "later_gain_sd"):
            assert getattr(ours, key) == pytest.approx(getattr(theirs, key), abs=1e-9)
    threshold = figure(basis, "threshold", "cyber, Critical")
    moved = basis.menu_under({threshold: threshold.high}).decisions
    assert [d.threshold for d in moved] == pytest.approx([9.0, 11.5, 10.0, 8.0])
    assert moved[1].later_gain_sd < moved[0].later_gain_sd  # its own doubt is gone


def test_losses_and_beliefs_are_multiplied(whole_basis: Basis) -> None:
    menu = whole_basis.menu
    for kind in ("loss_missed", "loss_false_alarm"):
        changed = whole_basis.menu_under({figure(whole_basis, kind, "autonomy"): 2.0})
        assert getattr(changed.decisions[1], kind) == 2 * getattr(menu.decisions[1], kind)
        assert changed.decisions[0] == menu.decisions[0]
    for kind, state in (("gap_sd", "cyber.gap"), ("shown_sd", "cyber.shown")):
        k = menu.states.index(state)
        wide = whole_basis.menu_under({figure(whole_basis, kind, "cyber"): 2.0})
        assert wide.prior_covariance[k, k] == pytest.approx(4 * menu.prior_covariance[k, k])


def test_figures_of_what_options_tell_go_the_way_they_should(whole_basis: Basis) -> None:
    def told(menu: Any, option: str) -> float:
        return float(np.trace(menu.information[menu.options.index.get_loc(option)]))

    deep = next(o for o in whole_basis.menu.options.index if "max-elicitation" in o)
    base = told(whole_basis.menu, deep)
    for kind, direction in (("validity_sd", -1), ("gap_spread", -1), ("effort", 1)):
        assumed = figure(whole_basis, kind)
        assert direction * (told(whole_basis.menu_under({assumed: assumed.high}), deep) - base) > 0
        assert direction * (told(whole_basis.menu_under({assumed: assumed.low}), deep) - base) < 0


def test_a_heavier_tail_makes_large_caps_dearer(whole_basis: Basis) -> None:
    family = figure(whole_basis, "curve_family")
    menus = [whole_basis.menu_under({family: level}) for level in (-1.0, 0.0, 1.0)]
    assert menus[1] is not None
    names = [o for o in menus[1].options.index if "max-elicitation" in o]
    usd = [menu.options["usd"].reindex(names).dropna().mean() for menu in menus]
    assert usd[0] != usd[1] != usd[2]
    with pytest.raises(InputError, match="low, mid and high must be -1, 0 or 1, got -1, 0, 2"):
        Assumed("curve_family", "", -1.0, 0.0, 2.0, False)


@pytest.mark.slow
def test_the_tornado_moves_every_figure(whole_basis: Basis) -> None:
    assert whole_basis.catalogue is not None
    assert whole_basis.posterior is not None
    figures = assumptions_of(whole_basis.catalogue, whole_basis.posterior)
    found = tornado(
        replace(whole_basis, question=whole_basis.question.within(**BUDGET)),
        figures,
        method=Certified(gap=5e-3),
    )
    rows = found.rows.set_index("name")
    assert set(rows.index) == {a.name for a in figures}
    moved = rows[["value_low", "value_high"]].sub(found.value, axis=0).abs() > 1e-3 * found.value
    still = {a.name for a in figures if not moved.loc[a.name].any()}
    # hours of review are a few minutes a run here; all else moves what the best mix is worth
    assert still <= {figure(whole_basis, kind).name for kind in ("review", "staff_hours")}


def test_figures_ask_for_what_they_need() -> None:
    for kind in ("staff_hours", "review"):
        with pytest.raises(InputError, match="asks for the catalogue: give it too"):
            Basis(Question(small_menu(), BUDGET)).menu_under(
                {Assumed(kind, "", 0.5, 1.0, 2.0, False): 2.0}
            )
    assert set(HOURS) < set(ON_MENU)


def test_shared_hours_move_with_those_of_elicitation(whole_basis: Basis) -> None:
    names = tuple(spec.name for spec in small_catalogue().evals[:2])
    tools = ElicitationSpec(name="tools", evals=names, hours=30.0, usd=Interval(100, 100))
    catalogue = small_catalogue().model_copy(update={"elicitations": (tools,)})
    assert whole_basis.posterior is not None
    menu, _ = build_menu(whole_basis.posterior, catalogue, with_draws=False)
    for kind, hours in (("elicitation_hours", 60.0), ("staff_hours", 30.0), ("review", 30.0)):
        changed = changed_catalogue(catalogue, figure(whole_basis, kind), 2.0)
        moved = with_hours_of(menu, changed)
        assert moved.shared[0].use == {"usd": 100.0, "staff_hours": hours}
        assert moved.shared[0].needed_by == menu.shared[0].needed_by
