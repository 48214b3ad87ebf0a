"""The pages: every Python block runs, every command is one there is, and the site builds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evalfolio.examples import small_menu
from evalfolio.recommendations.alternatives import read_scenarios

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of some languages."""
    kinds = "|".join(languages)
    return re.findall(rf"^```(?:{kinds})\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_the_python_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.name == "extending.md":
        pytest.skip("tests/test_extending.py runs it, and puts back the families it adds")
    code = blocks(page, "python")
    if not code:
        return
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "cyber").mkdir(parents=True)
    small_menu().save("out/cyber/menu")
    names: dict[str, Any] = {"__name__": "page"}
    for block in code:
        exec(compile(block, str(page), "exec", dont_inherit=True), names)  # it is ours


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_of_a_page_is_one_there_is(page: Path) -> None:
    import typer.main

    from evalfolio.cli.app import app

    root: Any = typer.main.get_command(app)
    for line in "\n".join(blocks(page, "", "sh")).splitlines():
        if not (found := re.match(r"(?:\$ )?evalfolio (.*)", line)):
            continue
        words = shlex.split(found[1], comments=True)
        command = root
        while hasattr(command, "commands"):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        # reading the words runs nothing; an option that is not there or lacks its value is refused
        context = command.make_context("evalfolio", words, ignore_unknown_options=False)
        assert context.params, line
        if command.name == "sensitivity":  # no command writes over the plan of another
            assert context.params["out"] != context.params["plan"], line


def test_the_scenarios_of_the_pages_are_ones_that_are_read(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.csv"
    tables = [text for page in PAGES for text in blocks(page, "csv") if text.startswith("name,")]
    assert tables
    for text in tables:
        file.write_text(text, "utf-8")
        assert read_scenarios(file)


def test_links_and_pictures_of_the_pages_are_there() -> None:
    made = {"reference/commands.md", "reference/catalogue.md", "reference/changelog.md"}
    made |= {"reference/evalfolio.md", "reference/evalbayes.md"}
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            target = (page.parent / link).resolve()
            known = target.is_relative_to(DOCS) and str(target.relative_to(DOCS)) in made
            assert target.exists() or known, f"{page}: {link}"


def test_every_page_is_in_the_site_and_every_command_has_a_place() -> None:
    nav = (ROOT / "mkdocs.yml").read_text("utf-8")
    for page in DOCS.rglob("*.md"):
        name = str(page.relative_to(DOCS))
        assert name == "README.md" or f" {name}\n" in nav, name


def test_the_site_builds_with_every_link_checked(tmp_path: Path) -> None:
    for package in ("material", "mkdocstrings_handlers.python"):
        pytest.importorskip(package, reason="the site is built where the extra `docs` is installed")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    path = os.pathsep.join(str(ROOT / name) for name in ("portfolio", "models"))
    done = subprocess.run(
        words,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    assert "[A mix to defend](how-to/lead.md)" in (tmp_path / "llms.txt").read_text("utf-8")
    api = (tmp_path / "reference" / "evalfolio.html").read_text("utf-8")
    assert 'id="evalfolio.plans.optimiser.optimise"' in api
    assert "evalfolio recommend" in (tmp_path / "reference" / "commands.html").read_text("utf-8")
    hosts = set(re.findall(r'(?:src|href)="https?://([^/"]+)', api))
    assert hosts <= {"squidfunk.github.io"}  # who made the theme; nothing is fetched
