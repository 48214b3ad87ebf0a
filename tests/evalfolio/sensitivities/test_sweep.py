"""Sweeps: the same results on any workers, and a kill costs no finished point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalfolio as ef
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.search.certified import Certified
from evalfolio.search.meanwhile import meanwhile
from evalfolio.sensitivities.assumed import Assumed
from evalfolio.sensitivities.sweep import Sweep, inputs_hash, solve

BUDGETS = [{"usd": float(usd)} for usd in (0, 600, 1_600, 8_000, 12_000, 20_000)]


def best(point: dict[str, float]) -> dict[str, object]:
    plan = ef.optimise(small_menu(), budget=point)
    return {"chosen": list(plan.chosen), "value": plan.value, "bound": plan.bound}


def square(point: float) -> float:
    return point * point


def test_one_worker_and_two_agree_to_the_last_digit() -> None:
    assert Sweep().run(best, BUDGETS) == Sweep(workers=2).run(best, BUDGETS)


def ended_elsewhere(here: int, point: float) -> float:
    """Kill every process but the one that asks."""
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(point)


def test_what_is_worked_out_meanwhile_is_the_same_and_survives_its_process() -> None:
    for apart in (False, True):
        with meanwhile(best, BUDGETS[3], apart=apart) as result:
            assert result() == best(BUDGETS[3])
    with meanwhile(ended_elsewhere, os.getpid(), 3.0, apart=True) as result:
        assert result() == 9.0
    with (
        pytest.raises(InputError, match="'zero'"),
        meanwhile(best, {"zero": 1.0}, apart=True) as result,
    ):
        result()


def test_what_is_worked_out_meanwhile_is_stopped_with_the_block() -> None:
    began = time.monotonic()
    with pytest.raises(KeyError), meanwhile(time.sleep, 600.0, apart=True):
        raise KeyError("something else went wrong")
    assert time.monotonic() - began < 300.0


def analysed(sweep: Sweep) -> dict[str, pd.DataFrame]:
    plan = ef.optimise(small_menu(), budget={"usd": 9_500.0, "staff_hours": 90.0}, gap=0.01)
    figures = [
        Assumed("threshold", "cyber", 8.0, 9.0, 10.0, True),
        Assumed("gap_sd", "cyber", 0.05, 1.0, 2.0, False),
    ]
    found = ef.sensitivity(
        plan,
        assumptions=figures,
        points=3,
        samples=4,
        sobol=2,
        pilots=0,
        sweep=sweep,
        method=Certified(gap=0.01),
    )
    return found.tables()


@pytest.mark.slow
def test_a_whole_analysis_is_the_same_on_one_worker_two_and_a_cluster() -> None:
    distributed = pytest.importorskip("distributed", reason="the dask extra is not installed")
    alone = analysed(Sweep())
    two = analysed(Sweep(workers=2))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        there = analysed(Sweep(workers=2, backend="dask"))
    assert alone.keys() == two.keys() == there.keys()
    for name, table in alone.items():
        pd.testing.assert_frame_equal(table, two[name], check_exact=True)
        pd.testing.assert_frame_equal(table, there[name], check_exact=True)


@pytest.mark.slow
def test_a_cluster_of_two_processes_agrees_too() -> None:
    distributed = pytest.importorskip("distributed", reason="the dask extra is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        there = Sweep(workers=2, backend="dask").run(best, BUDGETS)
    assert there == Sweep().run(best, BUDGETS)


def test_results_come_in_the_order_of_the_points() -> None:
    assert Sweep(workers=2).run(square, [3, 1, 2, 1]) == [9, 1, 4, 1]


def test_progress_counts_every_point_once() -> None:
    seen: list[tuple[str, int, int]] = []
    whole = Sweep(progress=lambda name, done, total: seen.append((name, done, total)))
    whole.part("squares").run(square, [1, 2, 3])
    assert seen == [("squares", 1, 3), ("squares", 2, 3), ("squares", 3, 3)]


def test_a_checkpoint_holds_back_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    Sweep(checkpoint=path).run(square, [1.0, 2.0])
    seen: list[tuple[int, int]] = []
    sweep = Sweep(checkpoint=path, progress=lambda _, done, total: seen.append((done, total)))
    assert sweep.run(square, [1.0, 2.0, 3.0]) == [1.0, 4.0, 9.0]
    assert seen == [(3, 3)]


def test_a_line_cut_short_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    Sweep(checkpoint=path).run(square, [1.0, 2.0])
    with path.open("a") as file:
        file.write('{"key": "3.0", "resu')
    assert Sweep(checkpoint=path).run(square, [1.0, 2.0, 3.0]) == [1.0, 4.0, 9.0]
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()[1:]] == [
        "1.0",
        "2.0",
        "3.0",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_killed_half_way_goes_on_from_there(workers: int, tmp_path: Path) -> None:
    path, log = tmp_path / "points.jsonl", tmp_path / "log"
    script = Path(__file__).with_name("slow_sweep.py")
    command = [sys.executable, str(script), str(path), str(log), str(workers)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    limit = time.monotonic() + 60
    while not (path.exists() and path.read_bytes().count(b"\n") >= 4):
        assert time.monotonic() < limit, "the sweep never got going"
        assert first.poll() is None, "the sweep was over before it could be killed"
        time.sleep(0.005)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = {json.loads(line)["key"] for line in path.read_text().split("\n")[1:-1]}
    assert 3 <= len(kept) < 12
    begun = log.read_text().split()
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert json.loads(out) == [point**0.5 for point in range(12)]
    again = log.read_text().split()[len(begun) :]
    assert not kept & set(again)
    assert kept | set(again) == {str(point) for point in range(12)}


def test_another_sweeps_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    Sweep(checkpoint=path).run(square, [1.0], inputs="a")
    with pytest.raises(InputError, match="of this very sweep, but its inputs were others"):
        Sweep(checkpoint=path).run(square, [1.0], inputs="b")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    path.write_text("usd,value\n1,2\n")
    with pytest.raises(InputError, match="must be a checkpoint of a sweep"):
        Sweep(checkpoint=path).run(square, [1.0])
    assert path.read_text() == "usd,value\n1,2\n"


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match="workers must be 1 or more"):
        Sweep(workers=0)
    with pytest.raises(InputError, match="backend must be loky or dask"):
        Sweep(backend="threads")  # type: ignore[arg-type]  # the wrong word is the point


def test_dask_without_a_cluster_is_refused() -> None:
    pytest.importorskip("distributed", reason="the dask extra is not installed")
    with pytest.raises(InputError, match="needs a connected cluster"):
        Sweep(workers=2, backend="dask").run(square, [1.0, 2.0])


def test_the_hash_of_inputs_tells_menus_apart() -> None:
    from dataclasses import replace

    menu = small_menu()
    other = replace(menu, prior_mean=menu.prior_mean + 1e-9)
    assert inputs_hash(menu, 1) == inputs_hash(small_menu(), 1)
    assert len({inputs_hash(menu, 1), inputs_hash(other, 1), inputs_hash(menu, 2)}) == 3


def test_what_was_solved_is_not_searched_again_and_nothing_else_is_taken_for_it() -> None:
    @dataclass(frozen=True)
    class Counted(Certified):
        looked: list[int] = field(default_factory=list, compare=False)

        def find(self, question: ef.Question) -> Any:
            self.looked.append(1)
            return super().find(question)

    menu = small_menu()
    lean = replace(menu, information_draws=None, resource_draws=None)
    dear = replace(lean, options=lean.options.assign(usd=lean.options["usd"] * 1.5))
    method, asked = Counted(), ef.Question(lean, {"usd": 2_000.0})
    others = [
        asked.within(usd=1_200.0),
        asked.under(ef.MaxEvals("everything", 1)),
        asked.on(dear),
        ef.Question(lean, {"usd": 2_000.0}, contingency=0.3),
    ]
    for question in (asked, *others):
        before = len(method.looked)
        told = solve(question, method)
        assert len(method.looked) == before + 1
        assert solve(question.on(replace(question.menu)), method) == told
        assert len(method.looked) == before + 1
        assert told.options == Certified().find(question).chosen
    stay = solve(others[0], method)
    kept = solve(asked, Counted(gap=0.5), stay)
    assert kept.value >= stay.value


def test_what_a_plan_depends_on_holds_draws_of_costs() -> None:
    menu = small_menu()
    draws = np.repeat(menu.costs[None], 20, axis=0)
    drawn, other = (replace(menu, resource_draws=each) for each in (draws, 2.0 * draws))
    assert len({inputs_hash(each) for each in (menu, drawn, other)}) == 3
