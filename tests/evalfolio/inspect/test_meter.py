"""Limits of a run: never passed by more than what samples use beyond their caps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalfolio.errors import InputError
from evalfolio.inspect.meter import Gate, Meter, amounts_of
from evalfolio.readers.prices import Prices

anyio = pytest.importorskip("anyio", reason="Inspect's own loop comes with the extra `inspect`")

SPEC: Any = SimpleNamespace(
    name="ctf", spend_unit="tokens", usd_per_unit=SimpleNamespace(lognormal_mean=1e-5)
)
CAP = 100_000.0  # tokens, 1 usd


def used(usd: float, tokens: float = 0.0, hours: float = 0.0) -> Any:
    return np.array([usd, tokens, hours])


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 30.0), st.integers(1, 8), st.floats(1.0, 10.0), st.integers(0, 2**31 - 1))
def test_a_limit_is_passed_by_no_more_than_what_samples_in_flight_use_beyond_their_caps(
    limit: float, at_once: int, times: float, seed: int
) -> None:
    """`times` is how much dearer than their caps samples may be: 1 holds the limit itself."""
    rng, meter, key = np.random.default_rng(seed), Meter({"usd": limit}), 0
    flying: list[int] = []
    gate = Gate(meter, SPEC, CAP, ())
    for _ in range(200):
        if len(flying) < at_once and meter.starts(key, "ctf", gate.most):
            flying.append(key)
            key += 1
        elif flying:
            meter.ends(
                flying.pop(int(rng.integers(len(flying)))), "ctf", used(rng.random() * times)
            )
        else:
            break
    dearer = at_once * (times - 1.0)
    assert meter.spent[0] <= limit + dearer + 1e-9


def test_a_sample_waits_for_room_and_is_stopped_where_none_will_come() -> None:
    pytest.importorskip("inspect_ai", reason="gates are asked by Inspect")
    meter = Meter({"usd": 1.5})
    gate = Gate(meter, SPEC, CAP, {("3", 1)})
    found: dict[str, Any] = {}

    async def start(name: str) -> None:
        found[name] = await gate.schedule_sample(name, 1)

    async def play() -> None:
        await start("1")
        async with anyio.create_task_group() as group:
            group.start_soon(start, "2")
            await anyio.sleep(0.1)
            assert "2" not in found  # two caps do not fit, and one sample is in flight
            gate.ended("1", 1, used(0.2))
        gate.ended("2", 1, used(0.9))
        await start("4")
        await start("3")

    anyio.run(play)
    assert found["1"] is None
    assert found["2"] is None
    assert found["4"].reason == "would pass the limits of the run"
    assert found["3"].reason == "has been run already"


def test_money_is_priced_reported_or_expected_and_time_never_runs_backwards() -> None:
    def sample(cost: float | None, seconds: float | None) -> Any:
        usage = SimpleNamespace(
            input_tokens=0, output_tokens=1000, total_tokens=1000, input_tokens_cache_read=None,
            input_tokens_cache_write=None, reasoning_tokens=None, total_cost=cost,
        )  # fmt: skip
        return SimpleNamespace(
            model_usage={"mockllm/model": usage}, total_time=seconds, working_time=seconds
        )

    nothing = Prices(())
    assert amounts_of(sample(0.5, 3600.0), SPEC, nothing).tolist() == [0.5, 1000.0, 1.0]
    assert amounts_of(sample(None, -7.0), SPEC, nothing) == pytest.approx([0.01, 1000.0, 0.0])
    none = SimpleNamespace(model_usage=None, total_time=None, working_time=None)
    assert amounts_of(none, SPEC, nothing).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("limits", [{"dollars": 3.0}, {"usd": -1.0}, {"tokens": float("nan")}])
def test_a_limit_that_is_none_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(InputError, match="limits must be of usd, tokens, hours, each 0 or more"):
        Meter(limits)


def test_a_meter_says_how_it_stands() -> None:
    meter = Meter({"usd": 100.0, "tokens": 1e6})
    meter.ends(None, "ctf", used(12.0, 250_000.0, 1.0))
    assert str(meter) == "12 of 100 usd spent, 250,000 of 1 million tokens spent"
    assert str(Meter({})) == "0 usd spent"
