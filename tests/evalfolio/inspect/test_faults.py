"""What goes wrong around a plan that Inspect runs: nothing paid is lost, and limits hold."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmarks.simulated import catalogue_in
from tests.evalfolio.inspect.conftest import CURVES, INSPECTS, QUICK, by_curve
from tests.once import once

from evalfolio.inspect import Running
from evalfolio.programmes.programme import Programme
from evalfolio.readers.prices import Price, Prices

pytest.importorskip("inspect_ai", reason="plans are run by the extra `inspect`")
pytestmark = [pytest.mark.filterwarnings(f"ignore:{each}") for each in INSPECTS]
RUN = ["eval", "effort", "task", "option", "step", "epoch"]


def copied(plan: Path, folder: Path) -> Path:
    return Path(shutil.copytree(plan, folder / "plan"))


def bought(running: Running) -> list[list[str]]:
    return sorted(map(list, running.read()[RUN].astype(str).to_numpy()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits what a fork may write")
@pytest.mark.parametrize("most", [12_000, 40_000])
def test_a_log_folder_that_fills_up_loses_nothing_that_was_logged(
    small_plan: Path, tmp_path: Path, most: int
) -> None:
    """No file may grow past `most` bytes: a disk that is full, at a log or at a step's files."""
    import resource

    plan = copied(small_plan, tmp_path)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        try:
            Running(plan, by_curve(), **QUICK).run("mockllm/model")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    before = Running(plan, by_curve(), **QUICK)
    had = before.read()
    assert not (plan / "run" / "conclusion").exists()
    before.run("mockllm/model")
    rows = before.read()
    assert before.reason
    assert not rows.duplicated(RUN).any()
    assert set(map(tuple, had[RUN].astype(str).to_numpy())) <= set(map(tuple, bought(before)))
    assert rows["usd"].sum() <= 300
    alone = Running(copied(small_plan, tmp_path / "alone"), by_curve(), **QUICK)
    alone.run("mockllm/model")
    assert bought(before) == bought(alone)
    assert rows["usd"].sum() == pytest.approx(alone.read()["usd"].sum())


def test_a_result_that_comes_late_is_paid_and_told_and_bought_no_more(
    small_plan: Path, tmp_path: Path
) -> None:
    """Samples of the first step run a second time elsewhere, and come in after steps went on."""
    from inspect_ai import eval as run_by_inspect

    plan = copied(small_plan, tmp_path)
    late = Running(plan, by_curve(), **QUICK).batch[0]
    late.early_stopping = None  # nobody tells its meter of what ends elsewhere
    run_by_inspect(late, "mockllm/model", log_dir=str(tmp_path / "late"), display="none")
    running = Running(plan, by_curve(), **QUICK)
    running.run("mockllm/model")
    before, steps = running.read(), running.step
    # it stands again before its last look, when what is late comes in
    shutil.rmtree(running.folder / "conclusion")
    shutil.rmtree(running.folder / "steps" / f"{steps:03d}")
    for log in (tmp_path / "late").glob("*.eval"):
        shutil.copy(log, running.folder / "logs")
    again = Running(plan, by_curve(), **QUICK)
    rows = again.read()
    assert len(rows) > len(before)
    assert again.meter.spent[0] == pytest.approx(rows["usd"].sum())
    assert again.meter.spent[0] > running.meter.spent[0]
    again.run("mockllm/model")
    last = Programme.load(again.folder / "steps" / f"{again.step:03d}")
    assert len(pd.read_csv(last.files[0][1])) >= len(rows)
    new = set(map(tuple, bought(again))) - set(map(tuple, before[RUN].astype(str).to_numpy()))
    assert all(int(row[4]) >= steps for row in new)  # nothing of earlier steps was run again
    assert again.reason


def test_a_clock_that_goes_back_counts_as_no_time(small_plan: Path, tmp_path: Path) -> None:
    running = Running(copied(small_plan, tmp_path), by_curve(), **QUICK, limits={"hours": 1e-9})
    tasks = running.batch  # a limit that no time at all keeps
    running.meter.ends(None, "ctf", running.meter.spent * 0.0)
    assert tasks
    gate = tasks[0].early_stopping
    sample: Any = type("Sample", (), {"model_usage": None, "total_time": -60.0, "working_time": -1})
    from evalfolio.inspect.meter import amounts_of

    used = amounts_of(sample, gate.spec, Prices(()))
    running.meter.ends(None, "ctf", used)
    assert running.meter.spent.tolist() == [0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def usd_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan evals whose spend, and so whose caps, are in USD."""

    def make(folder: Path) -> None:
        from evalbayes.catalogue import read_catalogue
        from evalbayes.model.fit import fit
        from evalbayes.observations import Observations
        from evalfolio.export import write_all
        from evalfolio.recommendations.recommender import recommend

        catalogue_in(folder, 300, {name: n for name, (n, *_) in CURVES.items()})
        text = (folder / "catalogue.toml").read_text().replace('"tokens"', '"usd"')
        text = text.replace("usd_per_unit = 8e-6\n", "").replace("_000_000\n", "")
        text = text.replace("max_cap = 4000000", "max_cap = 32")
        text = text.replace("max_cap = 12000000", "max_cap = 96")
        (folder / "catalogue.toml").write_text(text)
        catalogue = read_catalogue(folder / "catalogue.toml")
        belief = fit(catalogue, Observations(), draws=400, seed=1)
        made = recommend(catalogue, None, belief, method=QUICK["method"], frontier_points=0)
        write_all(made, folder / "plan")

    return once(tmp_path_factory, "inspect-usd-plan", make) / "plan"


def test_caps_in_usd_stop_samples_by_the_price_table(usd_plan: Path, tmp_path: Path) -> None:
    prices = Prices((Price("model", 8.0, 8.0, date(2026, 11, 1), "assumption"),))
    running = Running(
        copied(usd_plan, tmp_path), by_curve(times=1.0 + 1e-12), **QUICK,
        model="mockllm/model", prices=prices,
    )  # fmt: skip
    assert all(task.cost_limit > 0 and task.token_limit is None for task in running.batch)
    running.run("mockllm/model")
    rows = running.read()
    assert running.reason
    assert 0 < rows["usd"].sum() <= 300 * 1.01  # a run goes past its cap by its last call
    stopped = rows[rows["outcome"] == "stopped_by_cap"]
    assert len(stopped)
    assert (stopped["usd"] >= stopped["cap"]).all()
    assert (rows.loc[rows["outcome"] != "stopped_by_cap", "usd"] <= rows["cap"].max()).all()
    assert rows["usd"].to_numpy() == pytest.approx(8e-6 * rows["tokens"].to_numpy(float))
