# ruff: noqa: E501 -- one line per mistake, so that they read as the table they are
"""What cannot be meant is refused before the long work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.evalfolio.cli.sentences import one_sentence

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


@pytest.fixture(autouse=True)
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where anything is fitted."""

    def fit(*_: object, **__: object) -> None:
        raise AssertionError("what cannot be meant comes first")

    monkeypatch.setattr("evalbayes.model.fit.fit", fit)


@pytest.mark.parametrize("command", ["recommend", "sensitivity"])
def test_a_budget_nobody_knows_is_refused_before_the_long_work(
    run: Run, files: tuple[Path, Path], command: str
) -> None:
    result = run(command, *files, "--budget", "usdd=3", "--out", "plan")
    assert result.code == 2
    assert "did you mean 'usd'?" in one_sentence(result.err)
    assert "sampling" not in result.err


BEFORE_THE_FIT = [
    ("recommend", ("--budget", "usd=inf"), "--budget must be name=number, got 'usd=inf'"),
    ("recommend", ("--budget", "usd=10,5"), "--budget must be name=number, got 'usd=10,5'"),
    ("recommend", ("--contingency", "much"), "--contingency must be a share or resource=share, such as 0.1"),
    ("recommend", ("--contingency", "1"), "contingency must be a share from 0 up to, but not, 1, got 1"),
    ("recommend", ("--contingency", "staf_hours=0.1"), "got 'staf_hours'; did you mean 'staff_hours'?"),
    ("sensitivity", ("--contingency", "usd=-0.1"), "contingency of usd must be a share from 0 up to"),
    ("recommend", ("--gap", "0"), "gap must lie between 0 and 1, got 0"),
    ("recommend", ("--time-limit", "-1"), "time_limit must be above 0 seconds, got -1"),
    ("sensitivity", ("--samples", "-1"), "--samples must be 1 or more, got -1; raise it"),
    ("sensitivity", ("--pilots", "-1"), "--pilots must be 0 or more, got -1"),
    ("sensitivity", ("--bootstrap", "-2"), "--bootstrap must be 0 or more, got -2"),
    ("sensitivity", ("--sobol", "-2"), "--sobol must be a power of 2, got -2"),
    ("sensitivity", ("--gap", "2"), "gap must lie between 0 and 1, got 2"),
    ("sensitivity", ("--mix", "last.csv"), "last.csv: must be a file that exists, but there is none"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "words", "message"), BEFORE_THE_FIT)
def test_options_out_of_place_are_refused_before_the_fit(
    run: Run,
    files: tuple[Path, Path],
    command: str,
    words: tuple[str, ...],
    message: str,
) -> None:
    result = run(command, *files, *words, "--out", "plan")
    assert result.code == 2
    assert message in one_sentence(result.err)
    assert {path.name for path in Path().iterdir()} == {path.name for path in files}


def test_samples_of_sobol_indices(run: Run, files: tuple[Path, Path]) -> None:
    result = run("sensitivity", *files, "--sobol", "3", "--out", "plan")
    assert result.code == 2
    assert one_sentence(result.err).startswith("error: --sobol must be a power of 2, got 3")
    assert {path.name for path in Path().iterdir()} == {path.name for path in files}


UNKNOWN_NAMES = [
    ("mandatory,exploit,,", "'exploit' must name a domain, tier, eval, family or option of the catalogue; did you mean 'exploits'?"),
    ("forbidden,tier = platoo,,", "tier 'platoo' is not of the catalogue; did you mean 'plateau'?"),
    ("requires,ctf,,bio", "'bio' must name a domain, tier, eval"),
    ("posterior sd,ctf,0.5,", "a target must be on a domain of the catalogue, or a decision of its own, got 'ctf'; known are 'cyber'"),
    ("floor,ctf,5,,staff hours", "resource must be one of the catalogue's or 'evals', got 'staff hours'; did you mean 'staff_hours'?"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), UNKNOWN_NAMES, ids=[row for row, _ in UNKNOWN_NAMES])
def test_limits_on_unknown_names_are_refused_before_the_fit(
    run: Run, files: tuple[Path, Path], row: str, message: str
) -> None:
    Path("limits.csv").write_text(f"type,of,amount,with,resource\n{row}\n")
    result = run("recommend", *files, "--constraints", "limits.csv", "--out", "plan")
    assert result.code == 2
    assert message in one_sentence(result.err)
    assert not Path("plan").exists()


def test_names_that_a_menu_can_have_pass_before_the_fit(files: tuple[Path, Path]) -> None:
    from evalbayes.catalogue import read_catalogue
    from evalfolio.limits import constraints_from_table
    from evalfolio.limits.vocabulary import check_names

    rows = (
        "mandatory,ctf,,,",
        "forbidden,ctf / plateau / 40 tasks,,,",
        "max evals,cyber; max-elicitation,3,,",
        'ceiling,"domain = cyber, tier = plateau | sweet-spot",50,,staff_hours',
        "floor,everything,100,,agent_hours",
        "wrong call,cyber,5 %,,",
    )
    table = files[0].with_name("limits.csv")
    table.write_text("\n".join(["type,of,amount,with,resource", *rows]))
    check_names(constraints_from_table(table), read_catalogue(files[0]))


def test_what_is_set_is_checked_before_the_fit(run: Run, files: tuple[Path, Path]) -> None:
    Path("scenarios.csv").write_text("name,settings\nlate,cyber.treshold+1\n")
    for words, message in (
        (("--set", "cybr.threshold+1"), "got 'cybr'; did you mean 'cyber'?"),
        (("--scenarios", "scenarios.csv"), "did you mean 'threshold'?"),
        (("--set", "budget.usd*2", "--budget", "usd=3"), "are about one budget; give one"),
    ):
        result = run("recommend", *files, *words)
        assert result.code == 2
        assert message in one_sentence(result.err)


def test_a_setting_that_is_learned_asks_for_the_observations(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    words = ("--posterior", posterior_file, "--set", "ctf.human_minutes*2")
    for command in ("recommend", "sensitivity"):
        result = run(command, files[0], *words)
        assert result.code == 2
        assert "ctf.human_minutes is learned with the results" in one_sentence(result.err)
