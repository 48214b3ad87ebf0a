"""A question as a small file: menu, budget and limits in JSON that a person can read and cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu, SharedPurchase
from evalfolio.limits.table import kept, made_again
from evalfolio.search.question import Question
from evalfolio.value.explained import factors

FIGURES = ("threshold", "loss_missed", "loss_false_alarm", "later_gain_mean", "later_gain_sd")
ROUNDING = 1e-12  # of an option's largest figure, which a factor's zeros may be off by


def written(question: Question) -> dict[str, Any]:
    """Return a question as data; information as columns F of K = FFᵀ."""
    menu = question.menu
    columns = ["eval", "domain", "tier", *menu.resources]
    rows = menu.options[columns].itertuples()
    told = []
    for own in factors(menu.information):
        own[np.abs(own) < ROUNDING * np.abs(own).max(initial=0.0)] = 0.0
        told.append([f.tolist() for f in own.T if f.any()])
    return {
        "resources": list(menu.resources),
        "options": [[*row, each] for row, each in zip(rows, told, strict=True)],
        "states": list(menu.states),
        "mean": menu.prior_mean.tolist(),
        "covariance": menu.prior_covariance.tolist(),
        "decisions": [
            [d.name, d.contrast.tolist(), *(float(getattr(d, key)) for key in FIGURES)]
            for d in menu.decisions
        ],
        "skewed": list(menu.skewed),
        "shared": [[s.name, dict(s.use), list(s.needed_by)] for s in menu.shared],
        "budget": dict(question.budget),
        "limits": kept(question.limits, "instance"),
    }


def made(data: dict[str, Any]) -> Question:
    """Return the question that `written` wrote, or that was cut from one."""
    resources, n = data["resources"], len(data["states"])
    columns = ["option", "eval", "domain", "tier", *resources]
    options = pd.DataFrame([row[:-1] for row in data["options"]], columns=columns)
    information = np.zeros((len(options), n, n))
    for k, row in enumerate(data["options"]):
        for f in row[-1]:
            information[k] += np.outer(f, f)
    menu = Menu(
        options.set_index("option").astype(dict.fromkeys(resources, float)),
        tuple(resources),
        information,
        tuple(data["states"]),
        np.array(data["mean"]),
        np.array(data["covariance"]),
        tuple(Decision(name, np.array(c), *rest) for name, c, *rest in data["decisions"]),
        skewed=tuple(data["skewed"]),
        shared=tuple(SharedPurchase(name, use, tuple(by)) for name, use, by in data["shared"]),
    )
    limits = [made_again(row) for row in data["limits"]]
    return Question(menu, data["budget"], [limit for limit in limits if limit is not None])


def read(path: Path) -> Question:
    """Return the question in a file."""
    return made(json.loads(path.read_text(encoding="utf-8"))["question"])


def write(path: Path, question: Question, story: str) -> None:
    """Write a question and what it once broke."""
    data = {"story": story, "question": written(question)}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
