"""One eval that stops by itself: at what more of it is worth, or at an interval's width."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from scipy.stats import binomtest
from tests.evalfolio.inspect.conftest import INSPECTS, by_curve

from evalfolio.errors import InputError
from evalfolio.inspect import Width, Worth, sample_source
from evalfolio.inspect.sampling import run_of
from evalfolio.readers.prices import Prices

pytestmark = [pytest.mark.filterwarnings(f"ignore:{each}") for each in INSPECTS]
CAP = 4_000_000


def runs(outcomes: str) -> pd.DataFrame:
    """Return runs, s a success and f a failure."""
    return pd.DataFrame({
        "task": [str(k) for k in range(len(outcomes))],
        "outcome": ["success" if each == "s" else "gave_up" for each in outcomes],
        "usd": 3.2, "tokens": 400_000.0, "hours": 0.1,
    })  # fmt: skip


@pytest.mark.parametrize(("won", "n"), [(0, 20), (7, 30), (50, 100), (100, 100)])
def test_the_width_is_that_of_wilsons_interval(won: int, n: int) -> None:
    rows = runs("s" * won + "f" * (n - won))
    wilson = binomtest(won, n).proportion_ci(0.95, method="wilson")
    half = (wilson.high - wilson.low) / 2
    assert Width(half * 1.0001)(rows).startswith("The share solved is ")
    assert Width(half * 0.9999)(rows) == ""
    assert Width(0.999, least=n + 1)(rows) == ""


def test_it_stops_where_the_next_sample_is_not_worth_its_price(small_plan: Path) -> None:
    """The price of a point at which it stops is where the best option returns a dollar."""
    rows = runs("sfsf")
    stops = Worth(small_plan, "ctf", CAP, 1e-9)(rows)
    assert stops.startswith("More samples of ctf are not worth their price: the next dollar retu")
    returns = float(stops.split("$")[1].split(" ")[0])
    assert Worth(small_plan, "ctf", CAP, 1e-9 * 1.1 / returns)(rows) == ""
    assert Worth(small_plan, "ctf", CAP, 1e-9 * 0.9 / returns)(rows) != ""


def test_what_has_been_run_is_worth_less_and_nothing_left_nothing(small_plan: Path) -> None:
    def returns(outcomes: str) -> float:
        said = Worth(small_plan, "ctf", CAP, 1e-6)(runs(outcomes))
        return float(said.split("$")[1].split(" ")[0]) if "$" in said else 0.0

    assert returns("sf") > returns("sfsfsf") > returns("sfsfsfsf") == 0.0


def test_without_a_price_of_a_point_or_the_eval_it_is_refused(small_plan: Path) -> None:
    with pytest.raises(InputError, match="point_usd: must be the USD above 0 that a point is wor"):
        Worth(small_plan, "ctf", CAP)
    with pytest.raises(InputError, match="ctff"):
        Worth(small_plan, "ctff", CAP, 20.0)


def run_one(rule: Any, tmp_path: Path, **how: Any) -> tuple[Any, list[str]]:
    inspect = pytest.importorskip("inspect_ai", reason="plans are run by the extra `inspect`")
    said: list[str] = []
    task = by_curve(**how)["ctf"](effort=0.0)
    source = sample_source(list(task.dataset), rule, at_once=2, tell=said.append)
    own = inspect.task_with(task, dataset=source, token_limit=CAP, fail_on_error=False)
    (log,) = inspect.eval(own, "mockllm/model", log_dir=str(tmp_path), display="none")
    assert log.status == "success"
    return log, said


def test_inspect_runs_it_until_it_is_worth_no_more(small_plan: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    worth = Worth(small_plan, "ctf", CAP, 1e-9)

    def rule(rows: pd.DataFrame) -> str:
        seen.append(len(rows))
        return worth(rows) if len(rows) >= 4 else ""

    log, said = run_one(rule, tmp_path)
    assert seen == [2, 4]
    assert sorted(s.id for s in log.samples) == ["0", "1", "2", "3"]
    assert said[0].startswith("More samples of ctf are not worth their price")


def test_a_rule_that_never_stops_runs_all_and_what_goes_wrong_tells_nothing(
    tmp_path: Path,
) -> None:
    seen: list[pd.DataFrame] = []
    wrong = {"0": "errors", "1": "refuses", "2": "unscored"}

    def rule(rows: pd.DataFrame) -> str:
        seen.append(rows)
        return ""

    log, said = run_one(rule, tmp_path, fails=lambda name, sample: wrong.get(sample, ""))
    assert len(log.samples) == 8
    assert said == ["All samples have run."]
    assert not set(wrong) & set(seen[-1]["task"])
    assert (seen[-1]["tokens"] > 0).all()


def test_a_sample_is_a_run_with_its_outcome_and_spend() -> None:
    pytest.importorskip("inspect_ai", reason="reads scores as Inspect does")

    def sample(value: Any, limit: str = "", error: Any = None) -> Any:
        usage = SimpleNamespace(
            input_tokens=0, output_tokens=1000, total_tokens=1000, input_tokens_cache_read=None,
            input_tokens_cache_write=None, reasoning_tokens=None, total_cost=0.5,
        )  # fmt: skip
        return SimpleNamespace(
            id=3, scores={} if value is None else {"match": SimpleNamespace(value=value)},
            limit=SimpleNamespace(type=limit) if limit else None, error=error,
            model_usage={"mockllm/model": usage}, working_time=-5.0, total_time=1.0,
        )  # fmt: skip

    def outcome(*args: Any) -> Any:
        return run_of(sample(*args), Prices(())).get("outcome")

    assert run_of(sample("C"), Prices(())) == {
        "task": "3", "outcome": "success", "usd": 0.5, "tokens": 1000, "hours": 0.0,
    }  # fmt: skip
    assert [outcome("I"), outcome(0.9), outcome(True)] == ["gave_up", "gave_up", "success"]
    assert [outcome(None, "token"), outcome("I", "cost")] == ["stopped_by_cap"] * 2
    assert [outcome(None), outcome("C", "", "gone"), outcome(None, "message")] == [None] * 3


def test_what_could_never_end_is_refused() -> None:
    pytest.importorskip("anyio", reason="Inspect's own loop comes with the extra `inspect`")
    with pytest.raises(InputError, match="at_once must be 1 or more, got 0"):
        sample_source([], Width(0.1), at_once=0)
    with pytest.raises(InputError, match="half must be a share between 0 and 1, got 0"):
        Width(0)
