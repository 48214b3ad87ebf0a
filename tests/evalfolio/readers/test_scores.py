from __future__ import annotations

from types import SimpleNamespace

import pytest

from evalfolio.readers.cells import chosen_scorer, score_number, score_numbers


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("C", 1.0), ("P", 0.5), ("I", 0.0), ("N", 0.0), (True, 1.0), (False, 0.0), (1, 1.0),
        (-0.5, -0.5), (3, 3.0), ("yes", 1.0), ("False", 0.0), (" 0.75 ", 0.75), (None, None),
        ("maybe", None), (float("nan"), None), (float("inf"), None), ([1, 0], None), ("", None),
    ],
)  # fmt: skip
def test_scores_become_numbers_or_count_as_unscored(value: object, number: float | None) -> None:
    assert score_number(value) == number


def test_letters_agree_with_inspect() -> None:
    scorer = pytest.importorskip("inspect_ai.scorer")
    to_float = scorer.value_to_float()
    for value in ("C", "P", "I", "N", True, False, 0, 1, 0.3, "yes", "no", "0.4"):
        assert score_number(value) == to_float(value)


def test_a_dict_of_scores_gives_one_number_per_key() -> None:
    scores = {"judge": SimpleNamespace(value={"style": 3, "right": "C"})}
    assert score_numbers(scores) == {"judge.style": 3.0, "judge.right": 1.0}
    assert score_numbers(None) == {}


@pytest.mark.parametrize(
    ("headline", "asked", "chosen"),
    [
        (None, None, "match"),
        ("right", None, "judge.right"),
        ("gone", None, "match"),
        ("right", "match", "match"),
        (None, "judge", "judge.style"),
        (None, "right", "judge.right"),
        (None, "judge.right", "judge.right"),
        (None, "nobody", None),
    ],
)
def test_one_of_several_scores_is_chosen(
    headline: str | None, asked: str | None, chosen: str | None
) -> None:
    names = ["match", "judge.style", "judge.right"]
    assert chosen_scorer(names, headline, asked) == chosen


def test_without_scores_none_is_chosen() -> None:
    assert chosen_scorer([], "match", None) is None
