"""Pages that are made from what stands elsewhere: names, commands, the template, the changes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from evalbayes.names import homes

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Add the pages to those that were written."""
    for name, text in {
        "reference/evalfolio.md": names_of("evalfolio"),
        "reference/evalbayes.md": names_of("evalbayes"),
        "reference/commands.md": commands(),
        "reference/catalogue.md": catalogue(),
        "reference/changelog.md": (ROOT / "CHANGELOG.md").read_text("utf-8"),
    }.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_nav(nav: Any, config: Any, files: Files) -> None:
    """Keep the pages in their order for `on_post_build`."""
    config.extra["pages"] = [page.file for page in nav.pages]


def on_post_build(config: Any) -> None:
    """Write llms.txt, the pages as a list for machines, and every page's text beside its HTML."""
    site = Path(config.site_dir)
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", "", "## Pages", ""]
    for file in config.extra["pages"]:
        text = file.content_string
        title = re.search(r"^# (.+)", text, re.M)
        lines.append(f"- [{title[1] if title else file.name}]({file.src_uri})")
        (site / file.src_uri).write_text(text, "utf-8")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", "utf-8")


def groups(package: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield the groups of public names, as the package's own docstring lists them."""
    title, names = "", []
    listed = re.split(r"\nNames\n-+\n|\nData walks one way:\n", package.__doc__)[-1]
    for line in listed.splitlines():
        if found := re.match(r"    `(\w+)`", line):
            names.append(found[1])
        elif re.match(r"[A-Z][\w ]+$", line):
            if names:
                yield title, names
            title, names = line, []
    yield title, names


def names_of(name: str) -> str:
    """Return the reference of a package's public names."""
    package = import_module(name)
    home = homes(package.__file__)
    out = [f"# {name} in Python", package.__doc__.splitlines()[0], ""]
    for title, names in groups(package):
        out += [f"## {title}", ""]
        out += [f"::: {home[each]}.{each}\n" for each in names]
    return "\n".join(out)


def commands() -> str:
    """Return the reference of the command line, as its own help tells it."""
    import typer.main

    from evalfolio.cli.app import WANTED, app

    root = typer.main.get_command(app)
    out = ["# Commands", "", "Every command says what it found as JSON with `--json`.", ""]
    for wanted, names in WANTED.items():
        out += [f"## {wanted}", ""]
        for name in names:
            command = root.commands[name]  # type: ignore[attr-defined]  # the root is a group
            below = getattr(command, "commands", None)
            for words, each in [(f"{name} {k}", v) for k, v in below.items()] if below else [
                (name, command)
            ]:  # fmt: skip
                out += [f"### evalfolio {words}", "", *told(each), ""]
    return "\n".join(out)


def told(command: Any) -> list[str]:
    """Return what a command does and takes."""
    help_ = textwrap.dedent(command.help or "").replace("\b", "").strip()
    out = [
        re.sub(r"\[/?\w+\]", "", help_),
        "",
        "| argument or option | what it is |",
        "| --- | --- |",
    ]
    for one in command.params:
        if one.name == "help":
            continue
        is_option = one.param_type_name == "option"
        name = ", ".join([*one.opts, *one.secondary_opts]) if is_option else str(one.name).upper()
        text = re.sub(r"\s+", " ", getattr(one, "help", "") or "")
        out.append(f"| `{name}` | {text.replace('|', chr(92) + '|')} |")
    return out


def catalogue() -> str:
    """Return the template of a catalogue, with its comments."""
    text = (ROOT / "models/evalbayes/catalogue/template.toml").read_text("utf-8")
    return (
        "# The catalogue\n\nWhat could be run, what it takes and what is at stake. `evalfolio init "
        "catalogue.toml` writes this file, `evalfolio init catalogue.xlsx` the same as a workbook "
        f"with a sheet for each table.\n\n```toml\n{text}\n```\n"
    )
