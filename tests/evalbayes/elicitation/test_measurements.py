"""Tables of what elicitation added: the one that ships, and what is refused of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalbayes.elicitation.measurements import LEVERS, published_gains, read_gains
from evalbayes.errors import InputError

HEAD = "study,domain,lever,doublings,low,high"
ROW = "ours,cyber,scaffold,1.2,0.4,2.0"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "gains.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_published_measurements_are_read_whole() -> None:
    table = published_gains()
    assert len(table) == 84
    assert table["study"].nunique() == 36
    assert set(table["lever"]) == set(LEVERS)
    assert (table["se"] > 0).all()
    assert table["multiplier"].dropna().min() > 1


def test_a_table_of_one_s_own_needs_six_columns(tmp_path: Path) -> None:
    table = read_gains(
        written(tmp_path, HEAD, ROW, ROW.replace("cyber", "net"), ROW.replace("cyber", "Hacking"))
    )
    assert set(table["domain"]) == {"cyber", "net"}  # known by its name, or one of its own
    row = table.iloc[0]
    assert row["se"] == pytest.approx(1.6 / (2 * 1.959964))
    assert (row["verifier"], row["tools"], row["ai_models"]) == (False, True, 1)
    assert np.isnan(row["multiplier"])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["study,domain,lever", "a,b,mending"], "gains.csv: must have a column 'doublings'"),
        (
            [HEAD, "a,cyber,magic,1,0,2"],
            "gains.csv row 2 (a): lever must be one of mending, scaffold",
        ),
        (
            [HEAD, "a,cyber,mending,3,0,2"],
            "row 2 (a): doublings must lie within low and high, got 3",
        ),
        (
            [HEAD, "a,cyber,mending,1,1,1"],
            "row 2 (a): doublings must lie within low and high, got 1",
        ),
        ([HEAD, "a,cyber,mending,,0,2"], "row 2 (a): doublings must be a number, got nothing"),
        ([HEAD, ",cyber,mending,1,0,2"], "row 2: study must be given in every row"),
        ([HEAD + ",multiplier", ROW + ",1"], "multiplier must be above 1, got 1; write how many"),
        ([HEAD + ",staff_hours", ROW + ",-2"], "staff_hours must be above 0, got -2; leave it"),
        ([HEAD + ",released", ROW + ",25"], "released must be a year such as 2025.5, got 25"),
        ([HEAD + ",tools", ROW + ",some"], "tools must be 0 or 1, yes or no, got some"),
    ],
)
def test_what_is_wrong_is_said_by_row(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InputError, match=r"\S") as refused:
        read_gains(written(tmp_path, *lines))
    assert said in str(refused.value)
