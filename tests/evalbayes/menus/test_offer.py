"""Offers and caps of one eval."""

from __future__ import annotations

import numpy as np
import pytest
from tests.evalbayes.menus.synthetic import small_catalogue

from evalbayes.curves import Curve
from evalbayes.menus.offer import Caps, Done, caps_of, further, offers_of, task_ladder


def curve(location: float, scale: float = 1.3, plateau: float = 0.6) -> Curve:
    one = np.ones(50)
    return Curve(plateau * one, location * one, scale * one, (location + 0.8) * one, 1.0 * one)


def test_caps_are_those_of_the_curve_below_the_largest() -> None:
    of = curve(np.log(1e5))
    caps = caps_of(of, 1e8)
    assert caps.sweet_spot == pytest.approx(np.exp(of.sweet_spot(np.log(1e8))[0]), rel=0.05)
    assert caps.plateau == pytest.approx(np.exp(of.saturation(np.log(1e8))[0]), rel=0.05)
    assert caps.sweet_spot is not None
    assert caps.sweet_spot < caps.plateau < caps.largest


def test_a_curve_that_still_rises_at_its_largest_cap_has_no_sweet_spot_and_says_so() -> None:
    caps = caps_of(curve(np.log(1e9)), 1e5)
    assert caps.sweet_spot is None
    assert "still rises at its largest cap" in caps.no_sweet_spot
    assert caps.plateau == caps.largest == 1e5


def test_caps_a_quarter_apart_are_one_cap() -> None:
    caps = caps_of(curve(np.log(1e5), scale=0.05), 1e8)
    assert caps.sweet_spot is None
    assert caps.no_sweet_spot == "its sweet spot is its plateau cap"


def test_offers_have_names_of_their_own_and_run_at_most_all_tasks() -> None:
    spec = small_catalogue().eval("cybench")
    offers = offers_of(spec, Caps(7e4, 1e6, 1e7))
    names = [offer.name for offer in offers]
    assert len(set(names)) == len(names) <= 15
    assert "cybench / plateau / 38 tasks" in names
    assert "cybench / plateau / 38 tasks x 3 / full cap" in names
    assert max(offer.tasks for offer in offers) == 38
    deep = [offer for offer in offers if offer.tier == "max-elicitation"]
    assert all(offer.baseline_runs == offer.tasks for offer in deep)
    assert {offer.baseline_cap for offer in deep} == {1e6}


def test_descriptions_say_tasks_caps_and_elicitation() -> None:
    spec = small_catalogue().eval("cybench")
    by_name = {offer.name: offer for offer in offers_of(spec, Caps(7e4, 1e6, 1e7))}
    plain = by_name["cybench / plateau / 8 tasks"].describe("tokens", 38)
    assert plain == "8 random tasks of 38, up to 1,000,000 tokens per attempt"
    deep = by_name["cybench / max-elicitation / 38 tasks x 4"].describe("tokens", 38)
    assert deep == (
        "all 38 tasks, 4 attempts each, up to 10,000,000 tokens per attempt; best of them counts, "
        "elicited with effort 0.48 after one pass as it comes, up to 1,000,000 tokens"
    )


def test_repaired_options_are_plateau_level_and_contain_the_pass_that_was_read() -> None:
    spec = small_catalogue().eval("cybench")
    offers = offers_of(spec, Caps(7e4, 1e6, 1e7))
    mended = [offer for offer in offers if offer.repaired]
    assert [offer.name for offer in mended] == [
        "cybench / plateau / 38 tasks / repaired",
        "cybench / plateau / 4 tasks / repaired",
    ]
    assert {(o.tier, o.effort, o.cap, o.baseline_cap) for o in mended} == {
        ("plateau", 0.2, 1e6, 1e6)
    }
    assert mended[1].describe("tokens", 38) == (
        "4 random tasks of 38, up to 1,000,000 tokens per attempt; spurious failures mended after "
        "reading the transcripts of one pass as it comes (effort 0.2)"
    )
    little = small_catalogue(effort_max=0.15).eval("cybench")
    assert not any(offer.repaired for offer in offers_of(little, Caps(7e4, 1e6, 1e7)))


def test_attempts_follow_what_can_be_reset_and_verified() -> None:
    for changes, deep, repeats in (
        ({}, 4, 3),
        ({"attempts_max": 16}, 16, 3),
        ({"attempts_max": 9, "resettable": 0.5}, 5, 3),
        ({"verifier": False}, 1, 3),
        ({"resettable": 0.0}, 1, 1),
    ):
        offers = offers_of(small_catalogue(**changes).eval("cybench"), Caps(7e4, 1e6, 1e7))
        assert {o.attempts for o in offers if o.tier == "max-elicitation"} == {deep}
        assert max(o.attempts for o in offers if o.tier == "plateau") == repeats


@pytest.mark.parametrize("tasks", [1, 2, 4, 5, 38, 200, 5000])
@pytest.mark.parametrize("rungs", [3, 4])
def test_ladders_fall_from_all_tasks(tasks: int, rungs: int) -> None:
    ladder = task_ladder(tasks, rungs)
    assert ladder[0] == tasks
    assert len(ladder) <= rungs
    assert all(np.diff(ladder) < 0)
    assert ladder[-1] >= min(tasks, 4)


def test_what_was_run_is_not_sold_again_as_new() -> None:
    spec = small_catalogue().eval("cybench")
    offers = offers_of(spec, Caps(7e4, 1e6, 1e7))
    left = {offer.name: offer for offer in further(spec, offers, Done(plain=26, elicited=12))}
    assert left["cybench / done"].tasks == 0
    plain = [offer for offer in left.values() if offer.effort == 0 and offer.tasks]
    assert {offer.tasks + offer.done for offer in plain if not offer.again} <= set(range(27, 39))
    deep = [o for o in left.values() if o.tier == "max-elicitation" and o.tasks]
    assert max(offer.tasks for offer in deep) == 26
    assert all(offer.built and offer.done == 12 for offer in deep)
    assert all(offer.seen == min(offer.tasks, 14) for offer in deep)  # run as they come already
    assert all(offer.baseline_runs == offer.tasks - offer.seen for offer in deep)
    assert all(offer.resets == offer.runs + offer.baseline_runs - offer.tasks + offer.seen
               for offer in deep)  # fmt: skip
    again = left["cybench / plateau / 26 tasks once more"]
    assert (again.runs, again.resets, again.baseline_runs) == (26, 26, 0)


def test_of_an_eval_run_whole_there_are_repeats_at_most() -> None:
    spec = small_catalogue().eval("cybench")
    offers = offers_of(spec, Caps(7e4, 1e6, 1e7))
    left = further(spec, offers, Done(plain=38, repaired=38, elicited=38))
    assert [offer.name for offer in left] == [
        "cybench / done",
        "cybench / plateau / 38 tasks once more",
    ]
    assert left[0].describe("tokens", 38) == "nothing more: 38 tasks of 38 have been run"
    assert left[1].describe("tokens", 38) == (
        "the 38 tasks run already, once more, up to 1,000,000 tokens per attempt"
    )
