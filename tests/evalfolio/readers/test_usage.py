from __future__ import annotations

from types import SimpleNamespace

import pytest

from evalfolio.readers.log_header import usage_record


def usage(**given: int | float | None) -> SimpleNamespace:
    fields = ("input_tokens", "output_tokens", "total_tokens")
    more = ("input_tokens_cache_read", "input_tokens_cache_write", "reasoning_tokens", "total_cost")
    return SimpleNamespace(**{**dict.fromkeys(fields, 0), **dict.fromkeys(more, None), **given})


def test_cached_tokens_inside_the_input_are_taken_out() -> None:
    record = usage_record(
        usage(input_tokens=100, output_tokens=20, total_tokens=120, input_tokens_cache_read=60)
    )
    assert (record["input"], record["cache_read"], record["logged_input"]) == (40, 60, 100)


def test_cached_tokens_beside_the_input_are_left() -> None:
    record = usage_record(
        usage(
            input_tokens=100,
            output_tokens=20,
            total_tokens=190,
            input_tokens_cache_read=60,
            input_tokens_cache_write=10,
        )
    )
    assert (record["input"], record["cache_read"], record["cache_write"]) == (100, 60, 10)


def test_a_missing_total_is_summed() -> None:
    record = usage_record(usage(input_tokens=5, output_tokens=2, input_tokens_cache_read=4))
    assert record["total"] == 11


@pytest.mark.parametrize(("cost", "kept"), [(None, False), (0.5, True)])
def test_a_reported_cost_is_kept(cost: float | None, kept: bool) -> None:
    assert ("cost" in usage_record(usage(input_tokens=1, total_cost=cost))) is kept
