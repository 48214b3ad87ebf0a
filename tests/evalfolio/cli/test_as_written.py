"""Commands print what users and files said as it was written, and say how tables were read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from evalbayes.catalogue import read_catalogue
from evalfolio.cli.app import app

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

NAMES = ("ops:key:store", "[bold]loud[/bold]", "a[/x]", ":smiley:", "[link=x]y")
THEIRS = "benchmark,task,ai_model,solved,tokens\n" + "".join(
    f'b,t{i},A,{"yes" if i % 2 else "no"},"1{i},500"\n' for i in range(6)
)
MAPPED = ("--map", "eval=benchmark", "--map", "success=solved", "--map", "spend=tokens")


def helps(command: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the help of every command, option and argument below one."""
    found = [(f"{path} {command.name}", command.help or "")]
    found += [
        (f"{path} {command.name} {p.name}", getattr(p, "help", "") or "") for p in command.params
    ]
    for each in getattr(command, "commands", {}).values():
        found += helps(each, f"{path} {command.name}")
    return found


def test_no_help_holds_what_a_renderer_would_swallow() -> None:
    every = helps(typer.main.get_command(app))
    assert len(every) > 100
    for place, text in every:
        assert not re.search(r"\[[a-z/]|:[a-z_]+:", text), f"{place}: {text}"


@pytest.mark.parametrize("name", NAMES)
def test_names_are_printed_as_they_are_written(run: Run, name: str) -> None:
    Path("runs.csv").write_text(
        "eval,task,ai_model,outcome,spend,cap,human_minutes\n"
        f"{name},t1,A,success,1000,50000,4\n{name},t2,A,gave_up,2000,50000,8\n"
    )
    assert run("init", "c.toml", "--from", "runs.csv").code == 0
    assert read_catalogue("c.toml").evals[0].name == name
    result = run("check", "c.toml", "runs.csv")
    assert result.code == 0, result.err
    assert f"eval '{name}'" in result.out
    wrong = run("check", "c.toml", "runs.csv", f"{name}.csv")
    assert wrong.code == 2
    assert name in wrong.err


def test_a_table_is_drafted_from_as_it_is_imported(run: Run) -> None:
    Path("theirs.csv").write_text(THEIRS)
    said = run("import", "table", "theirs.csv", *MAPPED, "--set", "cap=20,000", "--out", "o.csv")
    assert said.code == 0, said.err
    ask = ("init", "a.toml", "--from", "theirs.csv", *MAPPED, "--set", "cap=20,000")
    result = run(*ask, "--spend-unit", "usd")
    assert result.code == 0, result.err
    assert "other commands read tables as `evalfolio import table` writes them" in result.out
    spec = read_catalogue("a.toml").evals[0]
    assert (spec.name, spec.tasks, spec.max_cap, spec.spend_unit) == ("b", 6, 20_000, "usd")
    assert run("init", "b.toml", "--from", "o.csv", "--spend-unit", "usd").code == 0
    drafts = (Path(name).read_text().splitlines()[1:] for name in ("a.toml", "b.toml"))
    assert next(drafts) == next(drafts)


def test_how_observations_are_read_is_asked_of_observations_alone(run: Run) -> None:
    result = run("init", "a.toml", "--spend-unit", "usd")
    assert result.code == 2
    assert "--spend-unit says how to read observations, got none; give them by --from" in result.err


def test_what_was_dropped_and_noted_is_printed(run: Run) -> None:
    Path("theirs.csv").write_text(THEIRS + 'b,t9,,yes,"1,000"\n')
    ask = ("import", "table", "theirs.csv", *MAPPED, "--set", "cap=20000", "--out", "o.csv")
    refused = run(*ask)
    assert refused.code == 2
    assert "row 8 " in refused.err
    assert "--drop-incomplete" in refused.err
    result = run(*ask, "--drop-incomplete")
    assert result.code == 0, result.err
    assert "note: theirs.csv: 1 of 7 rows lack what every row must have" in result.out
    assert "wrote 6 rows to o.csv" in result.out
    told = json.loads(run(*ask, "--drop-incomplete", "--json").out)
    assert (told["rows"], told["dropped"], len(told["notes"])) == (6, 1, 1)


def test_control_characters_in_arguments_reach_no_terminal(run: Run) -> None:
    result = run("check", "no\x1b[31m.toml")
    assert result.code == 2
    assert "\x1b" not in result.err
    assert r"no\x1b[31m.toml" in result.err
