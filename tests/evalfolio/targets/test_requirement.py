"""The least programme for a target, and the fewest targets to waive: against enumeration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.batches import some
from tests.evalfolio.value.skew.menus import skewed_menu

import evalfolio as ef
from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.examples import small_menu
from evalfolio.limits import (
    EveryDomain,
    Forbidden,
    Mandatory,
    MinEvals,
    PosteriorSd,
    Where,
    WrongCall,
    infeasible,
)
from evalfolio.limits.infeasible import explain_infeasible
from evalfolio.limits.target import Target
from evalfolio.plans.outlook import decision_outlook
from evalfolio.search.certified import Certified
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.targets.reach import reachable
from evalfolio.targets.requirement import require, requirements
from evalfolio.targets.stated import KINDS
from evalfolio.targets.waiver import waive

MakeMenu = Callable[..., Menu]
Choices = Callable[[Menu], NDArray[np.float64]]
Array = NDArray[np.float64]


def left_sds(menu: Menu, choices: Array) -> Array:
    """Sd of every decision's y after each choice, by inverting the precision outright."""
    sds = np.empty((len(choices), len(menu.decisions)))
    prior = np.linalg.inv(menu.prior_covariance)
    for row, x in enumerate(choices):
        covariance = np.linalg.inv(prior + np.einsum("o,oij->ij", x, menu.information))
        for d, decision in enumerate(menu.decisions):
            variance = decision.contrast @ covariance @ decision.contrast
            sds[row, d] = np.sqrt(variance + decision.later_gain_sd**2)
    return sds


@pytest.mark.parametrize("resource", ["usd", "staff_hours"])
def test_the_least_programme_for_an_sd_is_the_enumerated_one(
    resource: str, make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(8):
        menu = make_menu(seed)
        choices = every_choice(menu)
        sds = left_sds(menu, choices)
        target = np.quantile(sds, 0.3, axis=0)
        cost = choices @ menu.options[resource].to_numpy()
        meets = (sds <= target * (1 + 1e-9)).all(axis=1)
        within = dict(zip(("cyber", "bio"), target.tolist(), strict=True))
        if not meets.any():
            with pytest.raises(InfeasibleError, match="sd of"):
                require(menu, posterior_sd=within, resource=resource)
            continue
        found = require(menu, posterior_sd=within, resource=resource, method=Certified(gap=1e-6))
        assert found.need == pytest.approx(cost[meets].min(), rel=1e-6)
        assert found.bound <= found.need
        assert found.gap <= 1e-6
        assert found.status == "certified"
        x = menu.options.index.isin(found.chosen)
        assert (left_sds(menu, x[None, :].astype(float)) <= target * (1 + 1e-9)).all()


def test_the_least_programme_for_a_wrong_call_and_with_limits(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(5):
        menu = make_menu(seed)
        choices = every_choice(menu)
        problem = Problem(Question(menu))
        risks = np.array(
            [
                [float(g.wrong_call(v)) for g, v in zip(problem.values, each, strict=True)]
                for each in (problem.explained.at(x) for x in choices)
            ]
        )
        target = {"cyber": float(np.quantile(risks[:, 0], 0.4))}
        meets = risks[:, 0] <= target["cyber"] * (1 + 1e-9)
        meets &= choices[:, (menu.options["domain"] == "bio").to_numpy()].sum(axis=1) >= 1
        hours = choices @ menu.options["staff_hours"].to_numpy()
        meets &= hours <= 25
        usd = choices @ menu.options["usd"].to_numpy()
        wanted: Any = {
            "wrong_call": target,
            "budget": {"staff_hours": 25.0},
            "constraints": [EveryDomain()],
        }
        if meets.any():
            found = require(menu, **wanted)
            assert found.need == pytest.approx(usd[meets].min(), rel=1e-3)
            expected: Any = found.domains["p_wrong_call_expected"]
            assert expected["cyber"] <= target["cyber"] + 1e-9
        else:
            with pytest.raises(InfeasibleError):
                require(menu, **wanted)


def test_the_least_budget_for_a_value_is_the_enumerated_one(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    for seed in range(2):
        menu = make_menu(seed, n_evals=4)
        choices = every_choice(menu)
        problem = Problem(Question(menu))
        values = np.array([problem.value(x) for x in choices])
        usd = choices @ menu.options["usd"].to_numpy()
        target = float(0.6 * values.max())
        found = require(menu, value=target)
        least = usd[values >= target].min()
        assert found.need == pytest.approx(least, rel=1e-3)
        assert found.bound <= least * (1 + 1e-9)
        assert found.value >= target
        if seed == 0:  # with a target on an sd besides
            sds = left_sds(menu, choices)
            sd = float(np.quantile(sds[:, 1], 0.4))
            both = require(menu, value=target, posterior_sd={"bio": sd})
            meets = (values >= target) & (sds[:, 1] <= sd * (1 + 1e-9))
            assert both.need == pytest.approx(usd[meets].min(), rel=1e-3)


def test_targets_are_limits_of_a_plan_too(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = make_menu(1)
    choices = every_choice(menu)
    sds = left_sds(menu, choices)
    usd = choices @ menu.options["usd"].to_numpy()
    target, budget = float(np.quantile(sds[:, 1], 0.3)), float(np.quantile(usd, 0.5))
    problem = Problem(Question(menu))
    meets = (sds[:, 1] <= target) & (usd <= budget)
    best = max(problem.value(x) for x in choices[meets])
    plan = ef.optimise(
        menu, budget={"usd": budget}, constraints=[PosteriorSd("bio", target)], gap=1e-5
    )
    assert plan.value == pytest.approx(best, rel=2e-5)


def test_targets_no_plan_meets_are_infeasible(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = make_menu(1)
    choices = every_choice(menu)
    usd = choices @ menu.options["usd"].to_numpy()
    budget = float(np.quantile(usd, 0.3))
    least = left_sds(menu, choices[usd <= budget])[:, 1].min()
    within: Any = {"menu": menu, "budget": {"usd": budget}}
    assert ef.optimise(constraints=[PosteriorSd("bio", least * (1 + 1e-6))], **within).chosen
    with pytest.raises(InfeasibleError, match=r"budget of .* usd; sd of bio is at most"):
        ef.optimise(constraints=[PosteriorSd("bio", least * (1 - 1e-6))], **within)


def test_fewest_targets_are_waived(make_menu: MakeMenu, every_choice: Choices) -> None:
    n_waived = []
    for seed in range(6):
        menu = make_menu(seed, n_evals=5, n_domains=3)
        choices = every_choice(menu)
        sds = left_sds(menu, choices)
        usd = choices @ menu.options["usd"].to_numpy()
        target = np.quantile(sds, 0.25, axis=0)
        budget = float(np.quantile(usd, 0.25))
        weights = {"cyber": 3.0, "bio": 1.0, "autonomy": 1.5}
        fits = usd <= budget * (1 + 1e-9)
        met = sds[fits] <= target * (1 + 1e-9)
        names = [d.name for d in menu.decisions]
        least = min(
            sum(w for name, w, out in zip(names, weights.values(), z, strict=True) if out)
            for z in product((False, True), repeat=3)
            if (met | np.array(z)).all(axis=1).any()
        )
        found = waive(
            menu,
            budget={"usd": budget},
            posterior_sd=dict(zip(names, target.tolist(), strict=True)),
            weights=weights,
        )
        lost = sum(weights[name] for name in names if any(name in text for text in found.waived))
        assert lost == pytest.approx(least)
        assert found.spend["usd"] <= budget * (1 + 1e-9)
        x = menu.options.index.isin(found.chosen).astype(float)
        after = left_sds(menu, x[None, :])[0]
        for name, sd, most in zip(names, after, target, strict=True):
            assert sd <= most * (1 + 1e-9) or any(name in text for text in found.waived)
        n_waived.append(len(found.waived))
        assert ("Waive" in str(found)) == bool(found.waived)
    assert min(n_waived) < max(n_waived)


def test_a_table_over_standards(make_menu: MakeMenu) -> None:
    menu = make_menu(0)
    table = requirements(
        menu,
        {
            "none": {"posterior_sd": 10.0},
            "basic": {"posterior_sd": 1.2},
            "strict": {"posterior_sd": 0.9},
            "impossible": {"posterior_sd": 1e-3},
        },
    )
    assert list(table.index) == ["none", "basic", "strict", "impossible"]
    rows: Any = table.to_dict("index")
    assert rows["none"]["need"] == 0
    assert rows["none"]["n_evals"] == 0
    assert rows["basic"]["need"] <= rows["strict"]["need"]
    assert np.isnan(rows["impossible"]["need"])
    assert "No choice meets" in rows["impossible"]["note"]
    assert {"usd", "staff_hours"} <= set(table.columns)


def test_nothing_is_required_where_the_target_holds(make_menu: MakeMenu) -> None:
    found = require(make_menu(0), posterior_sd=50.0)
    assert (found.need, found.gap, found.chosen) == (0.0, 0.0, ())
    assert "target holds already" in str(found)
    kept = waive(make_menu(0), budget={"usd": 1e6}, posterior_sd=1.2)
    assert "Nothing has to be waived" in str(kept)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_need_does_not_depend_on_the_currency(unit: float, make_menu: MakeMenu) -> None:
    menu = make_menu(3)
    scaled = replace(menu, options=menu.options.assign(usd=menu.options["usd"] * unit))
    a = require(menu, posterior_sd=1.1)
    b = require(scaled, posterior_sd=1.1)
    assert b.need == pytest.approx(a.need * unit)
    assert a.chosen == b.chosen


def test_refusals(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = make_menu(0)
    with pytest.raises(InputError, match="give at least one target: value"):
        require(menu)
    with pytest.raises(InputError, match=r"resource must be one .* did you mean 'usd'"):
        require(menu, posterior_sd=1.0, resource="usdd")
    with pytest.raises(InputError, match=r"on a decision of the menu, got 'cybr'; did you mean"):
        require(menu, posterior_sd={"cybr": 1.0})
    with pytest.raises(InputError, match=r"on a decision of the menu, got 'boi'"):
        PosteriorSd("boi", 1.0).rows(menu)
    with pytest.raises(InputError, match="PosteriorSd: at_most must be a finite number above 0"):
        require(menu, posterior_sd=0.0)
    with pytest.raises(InputError, match="WrongCall: at_most must lie between 0 and 1"):
        require(menu, wrong_call=1.0)
    with pytest.raises(InfeasibleError, match=r"No programme within the limits is worth 1e\+09"):
        require(menu, value=1e9)
    with pytest.raises(InputError, match="waive: give at least one target"):
        waive(menu, budget={"usd": 1.0})
    with pytest.raises(InputError, match="weights must be above 0, got 0"):
        waive(menu, budget={"usd": 1.0}, posterior_sd=1.0, weights={"bio": 0.0})
    limits = [EveryDomain(), Forbidden("bio")]
    with pytest.raises(InfeasibleError, match="No choice meets these 2 limits"):
        waive(menu, budget={"usd": 1e6}, posterior_sd=1.0, constraints=limits)
    with pytest.raises(InfeasibleError, match="wrong call on cyber is at most 1e-06 %"):
        require(menu, wrong_call={"cyber": 1e-8})
    everything = left_sds(menu, every_choice(menu))[:, 1].min()
    with pytest.raises(InfeasibleError, match=f"would reach {everything:.3g} on 'bio'"):
        require(menu, posterior_sd={"bio": everything * 0.9})
    for target in (PosteriorSd("bio", 0.5), WrongCall("bio", 0.1)):
        assert eval(repr(target), {"PosteriorSd": PosteriorSd, "WrongCall": WrongCall}) == target


def test_a_clash_is_told_where_the_solver_gives_up_on_how_far_all_would_reach(
    make_menu: MakeMenu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infeasible, "most_known", lambda *_, **__: None)
    with pytest.raises(InfeasibleError, match="sd of bio is at most 1e-09") as clash:
        require(make_menu(1), posterior_sd={"bio": 1e-9})
    assert "would reach" not in str(clash.value)


LEFT = {"danger_missed": "p_missed", "needless": "p_needless", "wrong_call": "p_wrong_call"}


@pytest.mark.parametrize(
    ("seed", "kind"),
    [
        (1, "danger_missed"),
        pytest.param(4, "needless", marks=pytest.mark.slow),
        pytest.param(5, "needless", marks=pytest.mark.slow),
    ],
)
def test_targets_on_a_skewed_belief_against_enumeration(
    seed: int, kind: str, every_choice: Choices
) -> None:
    menu = skewed_menu(seed, n_evals=4)
    choices = every_choice(menu)
    usd = choices @ menu.options["usd"].to_numpy()
    left = np.array(
        [[KINDS[kind](d.name, 0.5).left(menu, x) for d in menu.decisions] for x in choices]
    )
    share = {1: 0.48, 4: 0.3, 5: 0.45}[seed]
    target = np.quantile(left, share, axis=0)
    meets = (left <= target * (1 + 1e-9)).all(axis=1)
    wanted: Any = {kind: dict(zip(("cyber", "bio"), target.tolist(), strict=True))}
    if not meets.any():
        with pytest.raises(InfeasibleError):
            require(menu, **wanted)
        return
    found = require(menu, method=Certified(gap=1e-6), **wanted)
    assert found.need == pytest.approx(usd[meets].min())
    assert found.bound <= found.need
    told = found.domains[f"{LEFT[kind]}_expected"].to_numpy()
    assert (told <= target * (1 + 1e-9)).all()


def test_a_target_reads_what_the_plan_tells(make_menu: MakeMenu, every_choice: Choices) -> None:
    """One belief: what a target holds down is the figure of the outlook, skewed or not."""
    for menu in (make_menu(2), skewed_menu(2, n_evals=3)):
        problem = Problem(Question(menu))
        for x in every_choice(menu)[::9]:
            told = decision_outlook(problem, x)
            for name, row in told.to_dict("index").items():
                assert PosteriorSd(str(name), 1.0).left(menu, x) == pytest.approx(
                    row["posterior_sd"], abs=1e-9
                )
                for kind, column in LEFT.items():
                    left = KINDS[kind](str(name), 0.5).left(menu, x)
                    assert left == pytest.approx(row[f"{column}_expected"], abs=1e-12)


def test_a_target_that_holds_with_nothing_known_needs_nothing(make_menu: MakeMenu) -> None:
    menu = skewed_menu(4)  # its calls are to mitigate: no danger is missed now
    assert require(menu, danger_missed=0.01).chosen == ()
    for ask in (require, partial(waive, budget={"usd": 1e6})):
        with pytest.raises(InputError, match="no target 'danger'; did you mean 'danger_missed'"):
            ask(menu, danger=0.1)


def test_a_promise_that_breaks_what_holds_with_nothing_known_is_told() -> None:
    menu = skewed_menu(4)  # see above
    name = str(menu.options["eval"].iloc[0])
    with pytest.raises(InfeasibleError, match=f"drop 'mandatory: {name}'.*would reach 0 %"):
        require(menu, danger_missed={"cyber": 1e-5}, constraints=[Mandatory(name)])


def _followed(text: str, question: Question) -> list[Question]:
    """What a reader makes of every way out that a text names."""
    ways = text.split("mends it: ")[1].split(". Everything")[0].rstrip(".")
    found = []
    for way in ways.split("; or "):
        budget, limits = dict(question.budget), list(question.limits)
        for step in (
            way.split(" and ") if "'" not in way else re.split(r" and (?=raise|lower|drop)", way)
        ):
            name = re.findall(r"'(.*?)'", step)[0]
            kept = [limit for limit in limits if str(limit) != name]
            if step.startswith("drop"):
                limits = kept
                continue
            amount = float(step.rsplit(" to ", 1)[1].split()[0].replace(",", ""))
            if name.startswith("budget"):
                budget[step.rsplit(" ", 1)[1]] = amount
                continue
            if kept == limits:  # a part of EveryDomain, which speaks of one domain after another
                firm = [limit for limit in limits if not isinstance(limit, EveryDomain)]
                domains = [d for d in ("cyber", "bio") if d not in name]
                limits = [*firm, *(MinEvals(domain, 1) for domain in domains)]
                continue
            (limit,) = (each for each in limits if str(each) == name)
            if isinstance(limit, Target):
                new: Any = replace(limit, at_most=amount / 100 if limit.share else amount)
            else:
                new = replace(limit, at_least=int(amount))  # type: ignore[type-var]
            limits = [*kept, new]
        found.append(Question(question.menu, budget, tuple(limits)))
    return found


def _check_texts(seeds: Iterable[int], make_menu: MakeMenu, every_choice: Choices) -> int:
    """Follow every infeasibility text, and hold the least change of a target to enumeration."""
    clashes = 0
    for seed in seeds:
        menu = make_menu(seed, n_evals=4)
        rng = np.random.default_rng(seed)
        choices = every_choice(menu)
        usd = choices @ menu.options["usd"].to_numpy()
        kind = KINDS[("posterior_sd", "wrong_call", "danger_missed", "needless")[seed % 4]]
        probe = kind("bio", 0.5)
        left = np.array([probe.left(menu, x) for x in choices])
        budget = float(np.quantile(usd, rng.uniform(0.05, 0.6)))
        fits = usd <= budget * (1 + 1e-9)
        if fits.sum() < 2 or left.min() <= 0:
            continue
        target = replace(probe, at_most=float(left[fits].min() * rng.uniform(0.7, 0.999)))
        question = Question(menu, {"usd": budget}, (target, EveryDomain())[: 1 + seed % 2])
        clash = explain_infeasible(question.stack)
        clashes += 1
        for way in _followed(clash.text, question):
            assert way.stack.point() is not None, clash.text
        inside = fits.copy()
        if seed % 2:
            for domain in menu.options["domain"].unique():
                inside &= choices[:, (menu.options["domain"] == domain).to_numpy()].sum(axis=1) > 0
        eased = [c for m in clash.mends for c in m if len(m) == 1 and c.limit == str(target)]
        if inside.any() and eased:
            near = 2e-3 if menu.skewed else 1e-6
            assert eased[0].after == pytest.approx(left[inside].min(), rel=near), clash.text
    return clashes


def test_ways_out_of_a_clash_with_a_target_are_ways_out(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    assert _check_texts(range(16), make_menu, every_choice) >= 10


@pytest.mark.slow
def test_the_least_change_is_least_on_skewed_beliefs_too(every_choice: Choices) -> None:
    # 74: the least choice lies within the last hair's breadth that the rows of a target lose
    assert _check_texts([*range(len(some(range(24)))), 74], skewed_menu, every_choice) >= 3


@pytest.mark.slow
def test_ways_out_of_a_clash_on_two_hundred_menus(
    make_menu: MakeMenu, every_choice: Choices
) -> None:
    assert _check_texts(range(16, 266), make_menu, every_choice) >= 180


def test_two_targets_out_of_reach_are_eased_together(make_menu: MakeMenu) -> None:
    menu = make_menu(1)
    targets = (PosteriorSd("cyber", 0.01), PosteriorSd("bio", 0.01))
    clash = explain_infeasible(Question(menu, {"usd": 1e9}, targets).stack)
    (mend,) = clash.mends
    assert [change.limit for change in mend] == [str(target) for target in targets]
    for way in _followed(clash.text, Question(menu, {"usd": 1e9}, targets)):
        assert way.stack.point() is not None


def test_what_could_be_reached_and_what_binds(make_menu: MakeMenu, every_choice: Choices) -> None:
    menu = make_menu(3)
    choices = every_choice(menu)
    sds = left_sds(menu, choices)
    usd = choices @ menu.options["usd"].to_numpy()
    budget = float(np.quantile(usd, 0.02))
    table = reachable(Question(menu, {"usd": budget}))
    for d, decision in enumerate(menu.decisions):
        best = sds[usd <= budget * (1 + 1e-9), d].min()
        assert table.loc[decision.name, "sd"] == pytest.approx(best, rel=2e-3)
    assert any("usd" in str(told) for told in table["bound_by"])
    free = reachable(Question(menu))
    assert (free["bound_by"] == "all that the menu tells").all()


def test_the_programme_is_told_with_deep_evals_hours_by_skill_and_working_days() -> None:
    menu = small_menu()
    hours = dict.fromkeys(("staff_hours.bio", "staff_hours.ml"), 10.0)
    menu = replace(
        menu,
        options=menu.options.assign(days=14.0, **hours),
        resources=(*menu.resources, *hours),
        resource_draws=None,
    )
    deep = Mandatory(Where(tier="max-elicitation", eval="a"))
    found = require(menu, posterior_sd={"cyber": 1.1}, constraints=(deep,))
    assert found.deep_evals >= 1
    assert found.working_days == pytest.approx(10.0)
    hours_each = f"{10 * len(found.chosen)} staff hours"
    assert f"{hours_each} (bio), {hours_each} (ml)".replace(" (ml)", "") in str(found)
    assert f"{found.deep_evals} of them deep, for $" in str(found)
    assert "the longest takes 10 working days" in str(found)
