"""The plan as one self-contained page: `report.html`."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from evalbayes.whole import write_whole
from evalfolio.export.exportable import Drawable, Exportable

FOLDER = Path(__file__).parent / "templates"


def write_report(recommendation: Exportable, path: str | Path) -> Path:
    """Write the report of a recommendation, whole or not at all; return its path.

    One file with its style, drawings and few lines of script inside. It asks no network for
    anything (its content security policy forbids it) and escapes all text of the catalogue.
    InputError if the place cannot be written to.
    """
    return write_whole(Path(path), report(recommendation).encode())


def report(recommendation: Exportable) -> str:
    """Return the report as HTML."""
    from markupsafe import Markup

    from evalfolio.export.report.page import page

    curves = (pd.DataFrame(), pd.DataFrame({"eval": []}))  # a menu alone knows none
    if isinstance(recommendation, Drawable):
        curves = (recommendation.curves, recommendation.curve_grid)
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return rendered(
        "report.html.j2",
        **page(recommendation.record, recommendation.menu, *curves),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
    )


def rendered(template: str, **parts: Any) -> str:
    """Return a template filled in: with the style of every page, all text of others escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from evalfolio.export.report import numerals

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("money", "about", "share", "figure", "hours"):
        environment.filters[name] = getattr(numerals, name)
    style = Markup((FOLDER / "page.css").read_text(encoding="utf-8"))
    return environment.get_template(template).render(style=style, **parts)
