"""Prices that go by steps with volume: the certified optimum against brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.evalfolio.conftest import every_choice, random_menu

from evalbayes import Menu
from evalbayes.menu import Tariff
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.export.mix import mix_table
from evalfolio.limits import ChanceLimit, Mandatory
from evalfolio.limits.amount import group_use
from evalfolio.limits.limit import Limit
from evalfolio.limits.target import PosteriorSd
from evalfolio.plans.optimiser import answer
from evalfolio.plans.risk import spend_risk
from evalfolio.programmes.further import parts_of
from evalfolio.search.certified import Certified
from evalfolio.search.convex.fractional import Convex
from evalfolio.search.greedy import Greedy
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.targets.least_cost import least_programme

Floats = NDArray[np.float64]


def stepped(seed: int, n_evals: int = 4) -> Menu:
    """Return a random menu with one or two tariffs, each over some of its evals."""
    rng = np.random.default_rng([seed, 5])
    menu = random_menu(seed, n_evals=n_evals)
    options, tariffs = menu.options.copy(), []
    evals = options["eval"].to_numpy()
    own = rng.integers(0, 1 + seed % 2, n_evals)  # of which tariff each eval's volume is
    for k in range(1 + seed % 2):
        mine = np.isin(evals, np.array(list("abcdefgh"))[:n_evals][own == k])
        price = float(rng.uniform(0.5, 3.0))
        share = rng.uniform(0.7, 1.0, len(options)) * mine
        volume = options["usd"].to_numpy() * share / price
        options[f"units.t{k}"] = volume
        whole = max(volume.sum() / 2, 1.0)
        starts = np.sort(rng.uniform(0.05, 0.9, 1 + seed % 3)) * whole
        factors = {
            0: np.sort(rng.uniform(0.2, 1.0, len(starts)))[::-1],  # falling
            1: np.sort(rng.uniform(1.0, 3.0, len(starts))),  # rising
            2: rng.uniform(0.0, 3.0, len(starts)),  # neither
        }[(seed // 2) % 3]
        used = whole * 0.2 if seed % 5 == 0 else 0.0
        steps = tuple(zip(starts.tolist(), factors.tolist(), strict=True))
        tariffs.append(Tariff(f"units.t{k}", price, steps, bool(rng.integers(2)), used))
    resources = (*menu.resources, *(each.resource for each in tariffs))
    return replace(menu, options=options, resources=resources, tariffs=tuple(tariffs))


def price_of(tariff: Tariff, volume: float) -> float:
    """Return p·(T(U + L) − T(U)) straight from the definition."""

    def whole(v: float) -> float:
        starts = [0.0, *(start for start, _ in tariff.steps)]
        factors = [1.0, *(factor for _, factor in tariff.steps)]
        if tariff.all_units:
            return v * max((s, f) for s, f in zip(starts, factors, strict=True) if s <= v)[1]
        ends = [*starts[1:], np.inf]
        parts = zip(starts, ends, factors, strict=True)
        return float(sum(f * max(min(v, end) - start, 0.0) for start, end, f in parts))

    return tariff.price * (whole(tariff.used + volume) - whole(tariff.used))


def true_usd(menu: Menu, choices: Floats) -> Floats:
    """Return what every choice costs, straight from the definition."""
    usd = choices @ menu.options["usd"].to_numpy()
    for tariff in menu.tariffs:
        volumes = choices @ menu.options[tariff.resource].to_numpy()
        usd += [price_of(tariff, v) - tariff.price * v for v in volumes.tolist()]
    return np.asarray(usd)


def case(seed: int) -> tuple[Question, Floats, Floats]:
    """Return a question, every choice within its limits, and what each costs in usd."""
    menu, rng = stepped(seed), np.random.default_rng([seed, 6])
    choices = every_choice(menu)
    usd, hours = true_usd(menu, choices), choices @ menu.options["staff_hours"].to_numpy()
    budget = {"usd": float(rng.uniform(0.1, 0.7) * usd.max())}
    fits = usd <= budget["usd"] * (1 + 1e-12)
    if seed % 3 == 0:
        budget["staff_hours"] = float(rng.uniform(0.3, 0.8) * hours.max())
        fits &= hours <= budget["staff_hours"] * (1 + 1e-12)
    limits: tuple[Limit, ...] = ()
    if seed % 4 == 0:
        limits = (Mandatory("a"),)
        fits &= choices[:, (menu.options["eval"] == "a").to_numpy()].sum(axis=1) > 0
    return Question(menu, budget, limits), choices[fits], usd[fits]


@pytest.mark.parametrize("block", range(10))
def test_the_certified_optimum_is_that_of_brute_force_on_200_menus(block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        question, choices, usd = case(seed)
        if not len(choices):
            with pytest.raises(InfeasibleError):
                Certified().find(question)
            continue
        found = Certified(gap=1e-6).find(question)
        problem = Problem(question)
        values = problem.values_of(np.array([problem.explained.at(x) for x in choices]))
        best = float(values.max())
        assert found.value == pytest.approx(best, rel=2e-6, abs=1e-12), seed
        assert found.bound >= best * (1 - 1e-9), seed
        spent = float(question.menu.use_of(found.x)[0])
        assert spent == pytest.approx(float(true_usd(question.menu, found.x[None])[0])), seed
        assert spent <= question.budget["usd"] * (1 + 1e-9), seed
        if seed % 4 == 1:
            split = Convex().find(question)
            assert split.bound >= best * (1 - 1e-9), seed
            assert split.value <= best * (1 + 1e-9), seed
            quick = Greedy().find(question)
            assert quick.value <= best * (1 + 1e-9), seed
            assert problem.met(quick.x), seed
        if seed % 4 == 2:
            left = np.array([PosteriorSd("cyber", 9.0).left(question.menu, x) for x in choices])
            target = PosteriorSd(
                "cyber", float(np.quantile(left, 0.4)) * 1.001
            )  # a hair tells nothing
            cost = question.menu.costs_with_shared[:, 0]
            x, bound = least_programme(question.under(target), cost, gap=1e-6)
            least = float(usd[left <= target.at_most].min())
            assert bound <= least + 1e-6, seed
            reached = float(true_usd(question.menu, x[None])[0])
            assert reached == pytest.approx(least, rel=1e-5, abs=1e-6), seed


def test_draws_go_through_the_steps_by_their_own_volume_and_price(tmp_path: Path) -> None:
    menu, rng = stepped(3), np.random.default_rng(1)
    first, second = menu.tariffs
    volumes = menu.volumes * rng.lognormal(0.0, 0.3, (40, len(menu), 2))
    prices = np.array([first.price, second.price]) * rng.lognormal(0.0, 0.2, (40, 2))
    resets = menu.costs[:, 0] - menu.volumes @ [first.price, second.price]
    usd = resets + np.einsum("sot,st->so", volumes, prices)
    hours = np.repeat(menu.costs[None, :, 1], 40, axis=0)
    draws = np.concatenate([usd[..., None], hours[..., None], volumes], axis=2)
    drawn = replace(menu, resource_draws=draws)
    drawn.save(tmp_path / "menu")
    read = Menu.load(tmp_path / "menu")
    assert read.tariffs == menu.tariffs
    for x in every_choice(menu)[::7]:
        expected = (usd @ x).tolist()
        for s in range(40):
            for tariff, price, own in zip(
                menu.tariffs, prices[s], (volumes[s].T @ x).tolist(), strict=True
            ):
                expected[s] += price / tariff.price * price_of(tariff, own) - price * own
        assert read.use_draws_of(x, "usd") == pytest.approx(expected, rel=1e-9, abs=1e-9)
        chosen = [str(name) for name in menu.options.index[x > 0.5]]
        assert spend_risk(read, chosen, 10.0).expected == pytest.approx(np.mean(expected))
    with pytest.raises(InputError, match=r"cannot follow a \[\[tariff\]\] yet"):
        ChanceLimit(10.0).rows(read)
    ChanceLimit(10.0, resource="staff_hours").rows(read)


def test_what_cannot_follow_a_tariff_says_so() -> None:
    menu = stepped(2)
    proof = answer(Question(menu, {"usd": 50.0})).proof
    assert proof["not_verifiable"] == "prices that go by steps are not verifiable"
    with pytest.raises(InputError, match=r"stages cannot follow a \[\[tariff\]\]"):
        parts_of(menu)
    with pytest.raises(InputError, match="usd and volumes must be resources"):
        replace(menu, tariffs=(Tariff("units.other", 1.0, ((1.0, 0.5),)),))
    for steps in (((2.0, 0.5), (1.0, 0.4)), ((1.0, -0.5),), ((np.nan, 0.5),)):
        with pytest.raises(InputError, match="must be finite numbers, 0 or more"):
            Tariff("units.t0", 1.0, steps)


def test_steps_are_lines_of_the_plan_and_its_money_adds_up() -> None:
    for seed in (0, 2, 4, 6):
        question, *_ = case(seed)
        plan = answer(question)
        rows = plan.choices["usd"].sum() + plan.shared["usd"].sum()
        assert rows == pytest.approx(plan.spend["usd"])
        record = plan.record
        assert record.money.expected == pytest.approx(plan.spend["usd"])
        table = mix_table(record)
        assert table["usd"].sum() == pytest.approx(plan.spend["usd"])
        assert "bought once" not in str(plan) + record.words.mix
        told = [row.told for row in record.shared]
        assert set(told) <= {"a step in the price of"}


def test_a_share_of_part_of_the_money_counts_steps_that_are_all_its_own() -> None:
    menu = stepped(0)
    every = group_use(menu, np.ones(len(menu), dtype=bool), "usd")
    assert every.tolist() == menu.costs_with_shared[:, 0].tolist()
    part = (menu.options["eval"] == "a").to_numpy()
    assert not group_use(menu, part, "usd")[len(menu) :].any()
