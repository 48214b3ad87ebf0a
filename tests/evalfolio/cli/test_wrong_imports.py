"""Tables and logs that cannot be imported: told in words, nothing half-written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.evalfolio.cli.sentences import one_sentence

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


def test_a_name_given_twice(run: Run, files: tuple[Path, Path]) -> None:
    words = ("--map", "cap=a", "--map", "cap=b", "--out", "out.csv")
    result = run("import", "table", files[1], *words)
    assert result.code == 2
    assert "--map cap must be given once, got both a and b; keep one" in one_sentence(result.err)
    result = run("import", "table", files[1], "--map", "cap", "--out", "out.csv")
    assert "--map must be name=value, got 'cap'; write spend=spend_tokens" in result.err


@pytest.mark.parametrize("words", ["1,5", "1.000", "2M"])
def test_numbers_of_options_are_read_as_those_of_tables(run: Run, words: str) -> None:
    for command in (
        ("import", "inspect", "x.eval", "--out", "o.csv", "--cap", words),
        ("import", "metr", "x.jsonl", "--out", "o.csv", "--cap", words),
        ("rule", "--cost-ratio", "9", "--validity-sd", "1", "--gap-sd", "1", "--gap-spread", "1",
         "--budget", words),
        ("repeats", "c.toml", "--eval", "ctf", "--spend", words),
    ):  # fmt: skip
        result = run(*command)
        assert result.code == 2
        assert f"must be a number, got '{words}'; " in one_sentence(result.err)


def test_a_release_date_of_an_ai_model_without_runs(run: Run) -> None:
    Path("runs.csv").write_text(
        "eval,task,ai_model,outcome,spend,cap,human_minutes\n"
        "ctf,t,A,success,1e5,2e6,30\nctf,t,B,gave_up,1e5,2e6,30\n"
    )
    result = run("backtest", "runs.csv", "--released", "C=2025-01-01", "--out", "replay")
    assert result.code == 2
    assert "--released: every AI model must be a known one, got 'C'" in one_sentence(result.err)


def test_logs_that_are_all_broken_write_nothing_but_their_errors(run: Run) -> None:
    pytest.importorskip("inspect_ai", reason="reading logs needs the extra `inspect`")
    Path("torn.eval").write_bytes(b"PK")
    words = ("import", "inspect", "torn.eval", "--workers", "1")
    result = run(*words, "--out", "runs.csv", "--errors", "errors.csv")
    assert result.code == 2
    assert "torn.eval: at least one file must be readable, but none of 1 is" in one_sentence(
        result.err
    )
    assert not Path("runs.csv").exists()
    assert "torn.eval" in Path("errors.csv").read_text()
    result = run(*words, "--out", "runs.txt")
    assert "runs.txt: observations must be written to a file ending in" in one_sentence(result.err)
