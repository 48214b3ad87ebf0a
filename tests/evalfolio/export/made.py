"""A made-up recommendation in the shape of a real one, its values by direct integration."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pandas as pd
from tests.evalfolio.export.made_belief import made_capability, made_families
from tests.evalfolio.export.made_menu import made_menu
from tests.evalfolio.export.made_record import CHOSEN, made_record
from tests.evalfolio.export.made_sweeps import made_curves, made_frontier, made_sensitivity
from tests.evalfolio.export.worth import Worth

from evalfolio.recommendations.recommendation import Recommendation
from evalfolio.record.record import Record

NASTY = (
    "<script>document.title='owned'</script>",
    "=cmd|' /C calc'!A0",
    "+1+\"quoted\" & 'single'",
    "@emoji 🧪 ∑",
    "-dash",
    "n" * 300,
    "{{ 7 * 7 }} </style>",
)


class FakePosterior:
    def save(self, path: str | Path) -> Path:
        with h5py.File(path, "w") as file:
            file.attrs["evalfolio"] = "{}"
        return Path(path)


def made(
    rename: Callable[[str], str] = str,
    *,
    points: bool = False,
    scale: float = 1.0,
    swept: bool = False,
) -> Recommendation:
    menu = made_menu(rename, scale)
    worth = Worth(menu)
    budget = {"usd": 30_000.0 * scale, "staff_hours": 240.0}
    chosen = [f"{rename(name)} {tier}" for name, tier in CHOSEN.items()]
    record = made_record(worth, chosen, budget, points)
    if swept:
        record["frontier"] = made_frontier(worth, chosen)
        record["sensitivity"] = made_sensitivity(record["value"]["evsi"])
        record["spend_families"] = made_families(rename)
        record["capability"] = made_capability(rename)
    curves, grid = made_curves(menu)
    catalogue = SimpleNamespace(
        model_dump_json=lambda **_: "{}",
        evals=tuple(
            SimpleNamespace(
                name=name, tasks=40, task_names=[f"task {i}" for i in range(40)] if n < 2 else None
            )
            for n, name in enumerate(menu.options["eval"].unique())
        ),
        points=points,
    )
    known: Any = SimpleNamespace(record=Record.of(record), proof={})
    fake: Any = FakePosterior()
    described: Any = catalogue
    return Recommendation(
        catalogue=described,
        observations=None,
        posterior=fake,
        menu=menu,
        plan=known,
        curves=curves,
        curve_grid=grid,
        comparisons=pd.DataFrame(record["comparisons"]),
    )


def json_of(recommendation: Recommendation) -> Any:
    """Return the record as `plan.json` holds it, free to be changed."""
    return json.loads(recommendation.record.to_json())


def _plan_of(record: Any) -> Any:
    return SimpleNamespace(record=Record.of(record), proof={})


def telling(recommendation: Recommendation, record: Any) -> Recommendation:
    """Return the recommendation with another record."""
    plan: Any = SimpleNamespace(record=Record.of(record), proof={})
    return replace(recommendation, plan=plan)


def nasty_names() -> Callable[[str], str]:
    known: dict[str, str] = {}

    def rename(name: str) -> str:
        return known.setdefault(name, f"{NASTY[len(known) % len(NASTY)]}{len(known)}")

    return rename
