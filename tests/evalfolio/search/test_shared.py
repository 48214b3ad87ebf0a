"""Shared purchases are bought once: plans equal the best of all choices, and clashes are true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import special
from tests.batches import some

import evalfolio as ef
from evalbayes import Decision, Menu, SharedPurchase
from evalfolio.examples import sharing_menu
from evalfolio.limits.infeasible import explain_infeasible
from evalfolio.objectives import evsi, tail_value, variance
from evalfolio.plans.risk import tail_mean
from evalfolio.search.convex.relaxation import Relaxation
from evalfolio.search.greedy import Greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

Array = NDArray[np.float64]
EDGE = 1e-9


def shared_case(seed: int, make_menu: Callable[..., Menu]) -> Menu:
    """Up to three purchases: some free, some of nobody, some of more than one domain."""
    rng = np.random.default_rng([seed, 5])
    menu = make_menu(seed, n_evals=int(rng.integers(3, 6)), n_domains=2, n_tiers=3)
    names = menu.options.index[rng.permutation(len(menu))]
    deep = menu.options.index[menu.options["tier"] == "max-elicitation"]
    shared = []
    for k in range(int(rng.integers(1, 4))):
        pool = deep if rng.uniform() < 0.7 else names
        size = int(rng.choice([0, 2, 3, len(pool)]))
        free = rng.uniform() < 0.15
        use = {"usd": 0.0 if free else float(rng.uniform(5, 150))}
        if rng.uniform() < 0.7:
            use["staff_hours"] = 0.0 if free else float(rng.uniform(1, 20))
        draws = None
        if rng.uniform() < 0.5:
            mean = np.array([use["usd"], use.get("staff_hours", 0.0)])
            draws = mean * rng.lognormal(-0.02, 0.2, (24, 2))
        needed = tuple(pool[:size])
        shared.append(SharedPurchase(f"tool {k}", use, needed, draws=draws))
    return replace(
        menu,
        resource_draws=menu.costs * rng.lognormal(-0.08, 0.4, (24, len(menu), 1)),
        information_draws=menu.information * rng.lognormal(-0.08, 0.4, (8, len(menu), 1, 1)),
        shared=tuple(shared),
    )


def oracle(menu: Menu, chosen: set[str], resource: str, part: set[str] | None = None) -> float:
    """What chosen options use, and every purchase once that only options of the part need."""
    own = set(menu.options.index) if part is None else part
    total = float(menu.options.loc[[n for n in chosen if n in own], resource].sum())
    for each in menu.shared:
        if set(each.needed_by) & chosen and set(each.needed_by) <= own:
            total += each.use.get(resource, 0.0)
    return total


def oracle_draws(menu: Menu, chosen: set[str]) -> Array:
    assert menu.resource_draws is not None
    total = np.zeros(24)
    for k, name in enumerate(menu.options.index):
        total += menu.resource_draws[:, k, 0] * (name in chosen)
    for each in menu.shared:
        if set(each.needed_by) & chosen:
            total += each.use["usd"] if each.draws is None else each.draws[:, 0]
    return total


def pool_of(seed: int, menu: Menu) -> list[tuple[Any, Callable[[set[str]], bool]]]:
    rng = np.random.default_rng([seed, 1])
    everything = set(menu.options.index)
    usd = oracle(menu, everything, "usd")
    money, share = float(usd * rng.uniform(0.1, 0.6)), float(rng.uniform(0.2, 0.8))

    def having(**named: str) -> set[str]:
        (key, value), *_ = named.items()
        return set(menu.options.index[menu.options[key] == value])

    bio, deep = having(domain="bio"), having(tier="max-elicitation")
    one = str(rng.choice(menu.options["eval"].to_numpy(dtype=object)))

    def spread(c: set[str]) -> float:
        total = oracle_draws(menu, c)
        return float(total.mean() + special.ndtri(0.85) * total.std(ddof=1))

    return [
        (ef.Mandatory(one), lambda c: bool(c & having(eval=one))),
        (
            ef.Mandatory(ef.Where(eval=one, tier="max-elicitation")),
            lambda c: bool(c & having(eval=one) & deep),
        ),
        (ef.MaxEvals("everything", 2), lambda c: len(c) <= 2),
        (ef.Floor("bio", money), lambda c: oracle(menu, c, "usd", bio) >= money * (1 - EDGE)),
        (
            ef.Floor("max-elicitation", share, share=True),
            lambda c: oracle(menu, c, "usd", deep) >= share * oracle(menu, c, "usd") - EDGE * usd,
        ),
        (
            ef.Ceiling("max-elicitation", share, share=True),
            lambda c: oracle(menu, c, "usd", deep) <= share * oracle(menu, c, "usd") + EDGE * usd,
        ),
        (ef.Ceiling(one, money), lambda c: oracle(menu, c, "usd", having(eval=one)) <= money),
        (
            ef.ZeroOrAtLeast("bio", money),
            lambda c: not c & bio or oracle(menu, c, "usd", bio) >= money * (1 - EDGE),
        ),
        (
            ef.ChanceLimit(money, 0.2),
            lambda c: bool(np.mean(oracle_draws(menu, c) > money * (1 + EDGE)) <= 0.2),
        ),
        (
            ef.ChanceLimit(money, 0.15, by="normal"),
            lambda c: spread(c) <= money * (1 + EDGE),
        ),
        (
            ef.TailLimit(0.2 * money, 0.25, above=0.5 * money),
            lambda c: (
                tail_mean(np.maximum(oracle_draws(menu, c) - 0.5 * money, 0), 0.25)
                <= 0.2 * money * (1 + EDGE)
            ),
        ),
    ]


def check_case(seed: int, make_menu: Any, every_choice: Any) -> bool:
    """Compare one random plan with enumeration; return whether it was feasible."""
    menu = shared_case(seed, make_menu)
    rng = np.random.default_rng([seed, 2])
    objective = (evsi(), evsi(), variance(), tail_value(0.3))[seed % 4]
    aim = Problem(Question(menu, objective=objective))
    pool = pool_of(seed, menu)
    picked = [pool[k] for k in rng.choice(len(pool), size=rng.integers(0, 3), replace=False)]
    budget = {
        name: oracle(menu, set(menu.options.index), name) * float(rng.uniform(0.05, 0.5))
        for name in menu.resources
        if rng.uniform() < 0.8
    }
    kept_back = float(rng.choice([0.0, 0.2]))
    contingency = {"usd": kept_back, "staff_hours": kept_back / 2}
    best = -np.inf
    for x in every_choice(menu):
        chosen = set(menu.options.index[x > 0.5])
        fits = all(
            oracle(menu, chosen, name) <= amount * (1 - contingency[name]) * (1 + EDGE)
            for name, amount in budget.items()
        )
        if fits and all(rule(chosen) for _, rule in picked):
            best = max(best, aim.value(x))
    limits = tuple(limit for limit, _ in picked)
    question = Question(menu, budget, limits, objective, contingency)
    note = f"seed {seed}: {budget}, {limits}"
    if not np.isfinite(best):
        with pytest.raises(ef.InfeasibleError, match="No choice meets"):
            ef.answer(question)
        return False
    plan = ef.answer(question, ef.Certified(gap=1e-4, time_limit=30.0))
    chosen = set(plan.chosen)
    assert all(rule(chosen) for _, rule in picked), note
    for name in menu.resources:
        assert plan.spend[name] == pytest.approx(oracle(menu, chosen, name))
        most = budget.get(name, np.inf) * (1 - contingency[name])
        assert plan.spend[name] <= most * (1 + EDGE), note
    assert plan.bound >= best * (1 - EDGE), note
    assert plan.value <= best * (1 + EDGE) + 1e-12 * aim.scale, note
    assert plan.status == "certified", note
    assert plan.value >= best - 1.1e-4 * plan.bound - 1e-12 * aim.scale, note
    quick = Greedy().find(question)
    assert quick.value <= plan.bound * (1 + EDGE), note
    if seed % 5 == 0 and objective == evsi():  # a second solver's bound holds too
        assert Relaxation(question).solve(budget).bound >= best * (1 - 1e-5), note
    return True


def test_random_plans_with_shared_purchases(make_menu: Any, every_choice: Any) -> None:
    feasible = [check_case(seed, make_menu, every_choice) for seed in range(12)]
    assert sum(feasible) > 6


@pytest.mark.slow
@pytest.mark.parametrize("start", some(range(100, 500, 50)))
def test_four_hundred_random_plans(start: int, make_menu: Any, every_choice: Any) -> None:
    feasible = [check_case(seed, make_menu, every_choice) for seed in range(start, start + 50)]
    assert sum(feasible) > 25


BOTH = {"usd": 17_000.0, "staff_hours": 90.0}  # 9,000 + 7,000 and the scaffold's 1,000


def test_one_scaffold_serves_both_and_is_returned_with_the_last() -> None:
    menu = sharing_menu()
    plan = ef.optimise(menu, budget=BOTH)
    assert set(plan.chosen) == {"a max", "b max"}
    assert plan.spend == BOTH
    for short in ({"usd": 16_999.0}, {"staff_hours": 89.9}):
        assert set(ef.optimise(menu, budget=BOTH | short).chosen) != {"a max", "b max"}
    alone = ef.evaluate(menu, ["a max"]).spend
    assert alone == {"usd": 10_000.0, "staff_hours": 80.0}
    assert ef.evaluate(menu, ["a plateau"]).spend == {"usd": 500.0, "staff_hours": 4.0}
    # the price list without sharing, each paying for all of it, does not afford both
    each = menu.options.assign(staff_hours=[4.0, 80.0, 4.0, 60.0, 8.0])
    apart = replace(menu, options=each, shared=())
    assert set(ef.optimise(apart, budget=BOTH).chosen) != {"a max", "b max"}


def test_greedy_buys_a_purchase_that_no_option_pays_for_alone() -> None:
    """Per cost each deep option with the scaffold is worse than breadth, both together are not."""
    rows = [("a deep", "a", 100.0), ("b deep", "b", 100.0), ("c broad", "c", 1_000.0)]
    options = pd.DataFrame(rows, columns=["option", "eval", "usd"]).set_index("option")
    menu = Menu(
        options.assign(domain="cyber", tier="plateau"),
        ("usd",),
        np.array([0.1, 0.1, 0.13]).reshape(3, 1, 1),
        ("cyber",),
        np.zeros(1),
        np.full((1, 1), 4.0),
        (Decision("cyber", np.ones(1), 0.0, 1.0, 1.0),),
        shared=(SharedPurchase("scaffold", {"usd": 900.0}, ("a deep", "b deep")),),
    )
    assert set(Greedy().find(Question(menu, {"usd": 1_100.0})).chosen) == {"a deep", "b deep"}


def test_what_a_clash_names_mends_it(make_menu: Any) -> None:
    told = 0
    for seed in range(8):
        menu = shared_case(seed, make_menu)
        deep = ef.Mandatory(ef.Where(tier="max-elicitation"))
        tight = {"usd": oracle(menu, set(menu.options.index), "usd"), "staff_hours": 1e3}
        tight[("usd", "staff_hours")[seed % 2]] *= 0.02
        question = Question(menu, tight, (deep,), contingency={"usd": 0.1, "staff_hours": 0.05})
        if ef.Certified().find(question.within(usd=1e9, staff_hours=1e9)).x.any():
            with pytest.raises(ef.InfeasibleError) as clash:
                ef.answer(question)
            for mend in explain_infeasible(question.stack).mends:
                raised = dict(tight)
                if any(change.unit not in tight for change in mend):
                    continue  # it drops a limit
                for change in mend:
                    raised[str(change.unit)] = change.after * (1 + EDGE)
                    assert str(change) in str(clash.value)
                assert ef.answer(question.within(**raised)).chosen
                short = {k: v - 0.01 * (v > tight[k]) for k, v in raised.items()}
                with pytest.raises(ef.InfeasibleError):
                    ef.answer(question.within(**short))
                told += 1
    assert told >= 6


def test_thrift_returns_a_purchase_that_brings_next_to_nothing() -> None:
    """Hours are not limited, so nothing but thrift keeps an idle scaffold out."""
    menu = sharing_menu()
    deep = menu.information.copy()
    deep[3] = menu.information[2] * (1 + 1e-4)  # b max tells hardly more than b plateau
    menu = replace(menu, information=deep).subset(menu.options["eval"].to_numpy() != "a")
    same = menu.options.assign(usd=[600.0, 600.0, 900.0], staff_hours=[4.0, 4.0, 8.0])
    menu = replace(menu, options=same, shared=(replace(menu.shared[0], use={"staff_hours": 50.0}),))
    assert set(ef.optimise(menu, budget={"usd": 2_000.0}).chosen) == {"b plateau", "c plateau"}
