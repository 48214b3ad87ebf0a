"""Numbers as people write them: read where they can mean one thing, refused where they may not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalbayes.tables.numerals import NotANumber, numeral, points_part_decimals


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("12", 12),
        ("-3.5", -3.5),
        ("\u22123.5", -3.5),
        ("+2e6", 2e6),
        (".5", 0.5),
        ("1.", 1),
        ("19,682", 19_682),
        ("1,000,000.25", 1_000_000.25),
        ("1_000_000", 1e6),
        ("1 000 000", 1e6),
        ("1\u202f000\u202f000", 1e6),
        ("1\u00a0000", 1e3),
        ("１２３", 123),
        ("１，０００．５", 1000.5),
        ("1'000'000", 1e6),
        ("1\u2019000", 1e3),
        ("$ 5e4", 5e4),
        ("\ufeff7", 7),
        ("0.125", 0.125),
        ("1.2345", 1.2345),
        ("1234.567", 1234.567),
    ],
)
def test_what_means_one_number_is_read(words: str, number: float) -> None:
    assert numeral(words) == number


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ("1,5", "write 1.5"),
        ("0,125", "write 0.125"),
        ("1.234,5", "write 1234.5"),
        ("1.234.567", "write 1234567"),
        ("100.000", "it may mean 100 or 100000: write 100 or 100000"),
        ("12.345", "it may mean 12.345 or 12345: write 12.3450 or 12345"),
        ("12.340", "it may mean 12.34 or 12340"),
        ("1,00,000", "write it in digits"),
        ("1,000 000", "write it in digits"),
        ("200k", "write it in digits"),
        ("20 %", "no share in per cent can stand here"),
        ("1e999", "write a finite number"),
        ("inf", "write it in digits"),
        ("nan", "write it in digits"),
        ("", "write it in digits"),
        ("0x10", "write it in digits"),
        ("\u0661\u0662", "write it in digits"),
        ("10\u00b2", "write it in digits"),
        ("=B2*2", "put its value there"),
        ("1 5", "write it in digits"),
    ],
)
def test_what_is_no_number_or_may_be_two_is_told_its_cure(words: str, cure: str) -> None:
    with pytest.raises(NotANumber) as caught:
        numeral(words)
    assert cure in caught.value.cure
    assert repr(words) in str(caught.value)


def test_per_cent_is_a_share_where_shares_may_stand() -> None:
    assert numeral("7.5 %", percent=True) == 0.075
    assert numeral("12.500 %", percent=True) == 0.125
    with pytest.raises(NotANumber, match=r"write 7\.5 %"):
        numeral("7,5 %", percent=True)


def test_a_column_shows_what_its_points_part() -> None:
    assert numeral("100.000", decimal=True) == 100
    assert points_part_decimals(["100.000", "0.5"])
    assert points_part_decimals(["100.000", "2000000"])
    assert points_part_decimals(["100.000", "1,250.50"])
    assert not points_part_decimals(["100.000", "98.500", "7"])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_programs_write_is_read_back_or_said_to_be_unclear(number: float) -> None:
    try:
        assert numeral(repr(number)) == number
    except NotANumber as error:
        assert "it may mean" in error.cure  # noqa: PT017 -- either way is right


@given(st.integers(min_value=-(10**15), max_value=10**15), st.sampled_from([",", "_", " ", "'"]))
def test_groups_of_three_are_read_whatever_parts_them(number: int, mark: str) -> None:
    assert numeral(f"{number:,}".replace(",", mark)) == number


@given(st.text(alphabet="0123456789.,-+ e_'%", max_size=12))
def test_no_text_is_read_as_another_number_than_its_digits_say(text: str) -> None:
    """Whatever is read has the digits of the text in their order, and a point where it stood."""
    try:
        number = numeral(text)
    except NotANumber:
        return
    assert math.isfinite(number)
    if "e" not in text and "," not in text:
        assert number == float("".join(c for c in text if c not in " _'"))
