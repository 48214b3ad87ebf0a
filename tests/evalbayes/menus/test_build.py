"""The menu as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.evalbayes.menus.synthetic import decided_catalogue, prior_posterior, small_catalogue
from tests.evalbayes.menus.test_states import with_own_results

from evalbayes import Decision, InputError, Menu
from evalbayes.catalogue import Catalogue, Interval
from evalbayes.catalogue.shared import ElicitationSpec
from evalbayes.halves import REPLICATES, halves
from evalbayes.menus import MenuNotes, build_menu, menu_of
from evalbayes.menus.offer import Done, done_of, undominated
from evalbayes.menus.stakes import decisions_of
from evalbayes.menus.states import states_of
from evalbayes.model.updating import updated
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior

Array = NDArray[np.float64]


def drawn(menu: Menu) -> tuple[Array, Array]:
    """Draws of information and of resources, which this menu has."""
    assert menu.information_draws is not None
    assert menu.resource_draws is not None
    return menu.information_draws, menu.resource_draws


def size(menu: Menu, option: str) -> float:
    """trace(Σ K): information of an option in units of the prior."""
    k = menu.options.index.get_loc(option)
    return float(np.einsum("ij,ji->", menu.information[k], menu.prior_covariance))


def test_every_eval_has_a_sane_number_of_options_in_three_tiers(
    menu: Menu, catalogue: Catalogue
) -> None:
    counts = menu.options.groupby("eval").size()
    assert set(counts.index) == {spec.name for spec in catalogue.evals}
    assert counts.between(4, 15).all()
    tiers = menu.options.groupby("eval")["tier"].agg(set)
    assert all(t == {"sweet-spot", "plateau", "max-elicitation"} for t in tiers)
    assert menu.resources == ("usd", "staff_hours", "agent_hours")


def test_columns_hold_what_they_say(menu: Menu, catalogue: Catalogue) -> None:
    table = menu.options
    assert (table["runs"] == table["tasks"] * table["attempts"]).all()
    assert (table["usd"] <= table["usd_p90"]).all()
    assert (table["usd_p90"] <= table["usd_ceiling"]).all()
    for name, row in table.iterrows():
        spec = catalogue.eval(row["eval"])
        assert 0 < row["cap"] <= spec.max_cap
        assert 1 <= row["tasks"] <= spec.tasks
        mended = spec.effort_repaired if str(name).endswith("/ repaired") else 0.0
        assert row["effort"] == (spec.effort_max if row["tier"] == "max-elicitation" else mended)
        assert str(name).startswith(f"{row['eval']} / {row['tier']} / ")


def test_the_same_seed_gives_the_same_menu_and_it_survives_the_disk(
    menu: Menu, posterior: Posterior, catalogue: Catalogue, tmp_path: Path
) -> None:
    again = menu_of(posterior, catalogue)
    assert np.array_equal(again.information, menu.information)
    assert np.array_equal(drawn(again)[1], drawn(menu)[1])
    loaded = Menu.load(menu.save(tmp_path / "menu"))
    assert loaded.options.equals(menu.options)
    assert np.array_equal(drawn(loaded)[0], drawn(menu)[0])


def test_more_tasks_and_larger_caps_tell_more(menu: Menu) -> None:
    for _, group in menu.options.groupby(["eval", "tier", "effort"]):
        single = group[group["attempts"] == group["attempts"].min()].sort_values("tasks")
        assert np.diff([size(menu, option) for option in single.index]).min(initial=1.0) > 0
    assert size(menu, "cybench / plateau / 38 tasks") > size(
        menu, "cybench / sweet-spot / 38 tasks"
    )
    assert size(menu, "cybench / max-elicitation / 38 tasks x 4") > size(
        menu, "cybench / plateau / 38 tasks"
    )


def test_only_effort_tells_about_the_gap_and_mending_little(menu: Menu) -> None:
    gap = menu.states.index("cyber.gap")
    told = menu.information[:, gap, gap]
    deep = (menu.options["tier"] == "max-elicitation").to_numpy()
    mended = menu.options.index.str.endswith("/ repaired")
    assert mended.any()
    for _, own in menu.options[mended | deep].groupby(["eval", "tasks"]):
        at = menu.options.index.get_indexer(own.sort_values("effort").index)
        # A third of the effort sees a third of the gap at most: a ninth of the information.
        assert (told[at[:-1]] < 0.3 * told[at[-1]]).all()
    loaded = menu.options["eval"].isin(["cybench", "nyuctf", "range", "hcast"]).to_numpy()
    assert (told[deep & loaded] > 0).all()
    assert (told[~deep & ~mended] == 0).all()


def test_gains_to_come_overlap_as_stated() -> None:
    def decision(overlap: float, months: float) -> Decision:
        plain = small_catalogue()
        domain = plain.domains[0].model_copy(update={"post_training_overlap": overlap})
        portfolio = plain.portfolio.model_copy(update={"horizon_months": months})
        changed = plain.model_copy(
            update={"domains": (domain, *plain.domains[1:]), "portfolio": portfolio}
        )
        posterior = prior_posterior(changed)
        return decisions_of(changed, states_of(posterior, changed), posterior)[0]

    year, gain_sd = decision(2.0, 12.0), (1.5 - 0.2) / 2 / 1.6449
    assert year.later_gain_mean == pytest.approx(0.85, abs=1e-4)
    threshold_sd = 1.0 / 2 / 1.6449
    assert year.later_gain_sd == pytest.approx(np.hypot(gain_sd, threshold_sd), rel=1e-3)
    # Four years bring twice a year's gain at an overlap of 2, four times at 1.
    assert decision(2.0, 48.0).later_gain_mean == pytest.approx(2 * year.later_gain_mean)
    assert decision(1.0, 48.0).later_gain_mean == pytest.approx(4 * year.later_gain_mean)


def test_levels_share_a_contrast_and_a_joint_decision_weighs_its_domains() -> None:
    catalogue = decided_catalogue()
    posterior = prior_posterior(catalogue)
    states = states_of(posterior, catalogue)
    high, critical, autonomy, both = decisions_of(catalogue, states, posterior)
    assert (high.name, critical.name, both.name) == ("cyber, High", "cyber, Critical", "both")
    assert (high.contrast == critical.contrast).all()
    assert critical.threshold - high.threshold == pytest.approx(2.0)
    assert critical.later_gain_sd == pytest.approx(high.later_gain_sd)
    assert both.contrast == pytest.approx(0.6 * high.contrast + 0.3 * autonomy.contrast)
    assert both.later_gain_mean == pytest.approx(
        0.6 * high.later_gain_mean + 0.3 * autonomy.later_gain_mean
    )
    # of later gain alone: a level's own threshold is unsure, that of both is not
    gain_sd = np.sqrt(0.5) * (1.5 - 0.2) / 2 / 1.6449  # half a year, gains coming early
    assert both.later_gain_sd == pytest.approx(gain_sd * np.hypot(0.6, 0.3), rel=1e-3)
    assert both.domains(states.names) == ("cyber", "autonomy")


def test_loadings_split_an_eval_between_domains(menu: Menu) -> None:
    k = menu.options.index.get_loc("hcast / plateau / 60 tasks")
    cyber, autonomy = (menu.states.index(f"{d}.shown") for d in ("cyber", "autonomy"))
    information = menu.information[k]
    assert information[cyber, autonomy] / information[autonomy, autonomy] == pytest.approx(0.25)


def test_one_eval_never_gets_below_its_validity_error(menu: Menu, posterior: Posterior) -> None:
    shown = menu.states.index("cyber.shown")
    omega = (posterior.draws["validity_sd"] ** 2).mean()
    for option in menu.options.index[menu.options["eval"] == "cybench"]:
        k = menu.options.index.get_loc(option)
        assert menu.information[k, shown, shown] < 1 / omega


def test_results_already_in_are_not_sold_twice(catalogue: Catalogue) -> None:
    plain = prior_posterior(catalogue)
    after = with_own_results(plain)
    option = "cybench / plateau / 38 tasks"
    before_menu, after_menu = menu_of(plain, catalogue), menu_of(after, catalogue)

    def explained(menu: Menu) -> float:
        k = menu.options.index.get_loc(option)
        precision = np.linalg.inv(menu.prior_covariance)
        contrast = menu.decisions[0].contrast
        left = contrast @ np.linalg.solve(precision + menu.information[k], contrast)
        return float(contrast @ menu.prior_covariance @ contrast - left)

    # After 38 runs the margin is nearly known: the same runs again explain far less.
    assert explained(after_menu) < 0.25 * explained(before_menu)


def test_options_longer_than_the_calendar_are_left_off_and_named() -> None:
    catalogue = small_catalogue(budget={"calendar_days": 5})
    menu, notes = build_menu(prior_posterior(catalogue), catalogue)
    assert set(menu.options["tier"]) == {"sweet-spot", "plateau"}
    left = dict(notes.left_off)
    assert "days by itself" in left["cybench / max-elicitation / 38 tasks x 4"]


def test_a_calendar_too_short_for_anything_is_said() -> None:
    catalogue = small_catalogue(budget={"calendar_days": 0.001})
    with pytest.raises(InputError, match=r"no eval can be run within 0\.001 calendar days"):
        build_menu(prior_posterior(catalogue), catalogue)


def test_an_ai_model_the_posterior_does_not_know_is_refused(posterior: Posterior) -> None:
    other = small_catalogue()
    renamed = other.model_copy(
        update={"portfolio": other.portfolio.model_copy(update={"ai_model": "stranger"})}
    )
    with pytest.raises(InputError, match="ai_model must be one it was fitted with, got 'stranger'"):
        build_menu(posterior, renamed)


def test_best_of_k_needs_a_verifier_and_tasks_that_can_be_reset(menu: Menu) -> None:
    catalogue = small_catalogue(verifier=False)
    single = menu_of(prior_posterior(catalogue), catalogue)
    deep = single.options.query("eval == 'cybench' and tier == 'max-elicitation'")
    assert (deep["attempts"] == 1).all()
    ranges = menu.options.query("eval == 'range' and tier == 'max-elicitation'")
    assert (ranges["attempts"] == 2).all()  # half of the tasks take four, half one


def test_floors_are_below_the_prior_and_in_order(menu: Menu, notes: MenuNotes) -> None:
    for decision in menu.decisions:
        floors = notes.floors[decision.name]
        prior = decision.contrast @ menu.prior_covariance @ decision.contrast
        now = np.sqrt(prior + decision.later_gain_sd**2)
        assert floors["validity_floor_sd"] < floors["elicitation_floor_sd"] < now
        # Unlimited plateau-level runs leave at least the gap.
        assert floors["elicitation_floor_sd"] > np.hypot(floors["gap_sd"], decision.later_gain_sd)


def test_no_choice_of_options_gets_below_the_floor(menu: Menu, notes: MenuNotes) -> None:
    everything = np.linalg.inv(menu.prior_covariance)
    for _, group in menu.options.groupby("eval"):
        rows = menu.options.index.get_indexer(group.index)
        best = max(rows, key=lambda k: np.trace(menu.information[k] @ menu.prior_covariance))
        everything = everything + menu.information[best]
    for decision in menu.decisions:
        left = decision.contrast @ np.linalg.solve(everything, decision.contrast)
        sd = np.sqrt(left + decision.later_gain_sd**2)
        assert sd >= notes.floors[decision.name]["validity_floor_sd"]


def test_draws_surround_the_mean_information(menu: Menu) -> None:
    traces = np.einsum("doij,ji->do", drawn(menu)[0], menu.prior_covariance)
    mean = np.einsum("oij,ji->o", menu.information, menu.prior_covariance)
    assert (traces.min(axis=0) < mean).all()
    assert (traces.max(axis=0) > mean).all()


def test_resource_draws_average_to_the_expected_use(menu: Menu) -> None:
    mean = drawn(menu)[1].mean(axis=0)
    assert mean[:, 1:] == pytest.approx(menu.costs[:, 1:])
    assert mean[:, 0] == pytest.approx(menu.costs[:, 0], rel=0.1)


def test_dominance_looks_at_all_resources_and_at_all_states() -> None:
    information = np.array([np.eye(2), 0.5 * np.eye(2), np.diag([2.0, 0.1]), np.eye(2)])
    costs = np.array([[2.0, 1.0], [1.0, 2.0], [2.0, 1.0], [2.0, 1.0]])
    # The second is cheaper in one resource; the third tells more of one state; the last is a copy.
    assert undominated(costs, information).tolist() == [True, True, True, False]


def test_replicates_are_the_menu_from_halves_of_the_draws(
    posterior: Posterior, catalogue: Catalogue, menu: Menu, tmp_path: Path
) -> None:
    again = menu.replicates
    assert again is not None
    assert len(again) == REPLICATES
    half = halves(posterior.n_draws)
    assert half is not None
    own = states_of(posterior.kept(half[3]), catalogue)
    assert np.array_equal(again.prior_covariance[3], own.covariance)
    assert again.costs.mean(axis=0) == pytest.approx(menu.costs, rel=0.02)
    size = np.abs(menu.information).max(axis=(1, 2))
    off = np.abs(again.information - menu.information).max(axis=(2, 3)) / size
    assert 0 < off.max() < 0.5
    kept = np.arange(len(menu)) % 2 == 0
    back = Menu.load(menu.subset(kept).save(tmp_path / "menu")).replicates
    assert back is not None
    assert np.array_equal(back.information, again.information[:, kept])


def test_replicates_of_large_menus_are_in_single_precision_and_of_the_largest_left_out(
    posterior: Posterior, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalbayes.menus.build.LARGEST_DOUBLE", 0)
    large = menu_of(posterior, catalogue)
    assert large.replicates is not None
    assert large.replicates.information.dtype == np.float32
    monkeypatch.setattr("evalbayes.menus.build.LARGEST_REPLICATES", 0)
    assert menu_of(posterior, catalogue).replicates is None


def test_shared_elicitation_is_a_purchase_of_the_options_at_max_elicitation(
    menu: Menu, posterior: Posterior, catalogue: Catalogue
) -> None:
    names = tuple(spec.name for spec in catalogue.evals[:2])
    spec = ElicitationSpec(name="tools", evals=names, hours=30.0, days=4.0, usd=Interval(100, 900))
    shared = menu_of(posterior, catalogue.model_copy(update={"elicitations": (spec,)}))
    (tools,) = shared.shared
    table = shared.options
    deep = table.index[(table["tier"] == "max-elicitation") & table["eval"].isin(names)]
    assert tools.needed_by == tuple(deep)
    assert tools.use == {"usd": spec.usd.lognormal_mean, "staff_hours": 30.0}
    assert tools.draws is not None
    assert tools.draws[:, 0].mean() == pytest.approx(tools.use["usd"])
    assert np.quantile(tools.draws[:, 0], [0.05, 0.95]) == pytest.approx([100, 900], rel=0.05)
    assert set(tools.draws[:, 1]) == {30.0}
    assert set(tools.draws[:, 2]) == {0.0}
    own = table.index.intersection(menu.options.index)
    later = (table["days"] - menu.options["days"])[own]
    assert set(later[own.isin(deep)].round(9)) == {4.0}
    assert set(later[~own.isin(deep)]) == {0.0}
    assert np.array_equal(table.loc[own, "usd"], menu.options.loc[own, "usd"])
    tight = catalogue.model_copy(update={"elicitations": (spec.model_copy(update={"days": 1e4}),)})
    assert menu_of(posterior, tight).shared[0].needed_by == ()  # there is no time for it


def test_a_menu_after_runs_sells_what_is_left_and_nothing_twice() -> None:
    catalogue = small_catalogue()
    results = Observations(
        counts=pd.DataFrame(
            {
                "eval": ["cybench", "cybench", "hcast"],
                "ai_model": catalogue.portfolio.ai_model,
                "effort": [0.0, catalogue.eval("cybench").effort_max, 0.0],
                "cap": 1e6,
                "n_runs": [38, 38, 20],
                "n_success": [20, 30, 5],
                "human_minutes": np.nan,
            }
        )
    )
    belief = updated(prior_posterior(catalogue), catalogue, results)
    done = done_of(results, catalogue)
    assert done == {"cybench": Done(38, 0, 38), "hcast": Done(plain=20)}
    menu, _ = build_menu(belief, catalogue, done=done)
    table = menu.options
    sold = table[table["eval"] == "cybench"]
    assert set(sold.index) == {"cybench / done", "cybench / plateau / 38 tasks once more"}
    plain = table[(table["eval"] == "hcast") & (table["effort"] == 0)]
    fresh = plain[~plain.index.str.contains("once more")]
    assert (fresh["tasks"] + fresh["tasks_done"] <= 60).all()
    at = menu.options.index.get_loc("cybench / done")
    assert (menu.costs[at] == 0).all()
    assert not menu.information[at].any()
    # once more tells less than the same tasks new, at the same price but for fresh starts
    whole, _ = build_menu(belief, catalogue)
    assert size(menu, "cybench / plateau / 38 tasks once more") < size(
        whole, "cybench / plateau / 38 tasks"
    ) * (1 + 1e-9)


def test_elicited_runs_leave_less_to_be_told_by_more_of_the_same_eval() -> None:
    catalogue = small_catalogue()
    spec = catalogue.eval("nyuctf")
    frame = {"eval": "nyuctf", "ai_model": catalogue.portfolio.ai_model, "cap": 1e7}
    frame |= {"effort": [0.0, spec.effort_max], "n_runs": [24, 24], "n_success": [8, 16]}
    results = Observations(counts=pd.DataFrame({**frame, "human_minutes": np.nan}))
    belief = updated(prior_posterior(catalogue, n_draws=8000), catalogue, results)
    menu, _ = build_menu(belief, catalogue, done=done_of(results, catalogue))
    gap = menu.states.index("cyber.gap")

    def told(eval_name: str) -> float:
        """Share of the gap's variance that all elicited runs left of an eval would explain."""
        rows = (menu.options["eval"] == eval_name) & (menu.options["tier"] == "max-elicitation")
        k = menu.options.index.get_loc(menu.options[rows]["tasks"].idxmax())
        root = np.linalg.inv(menu.prior_covariance) + menu.information[k]
        left = np.linalg.inv(root)[gap, gap]
        return float(1.0 - left / menu.prior_covariance[gap, gap])

    assert 0 < told("nyuctf") < told("cybench")
