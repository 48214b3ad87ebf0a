"""Why a mix is not that of an earlier plan: other inputs, another model, or the search's luck."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.narrative import listing, two_digits, words
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.firm_rows import Row, rows_of
from evalfolio.plans.plan import Plan
from evalfolio.record.plain import flat
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

MOST_TOLD = 12  # figures of a catalogue that are told one by one
CATALOGUE = "catalogue.json"


@dataclass(frozen=True)
class Changed:
    """What lies between two plans' mixes; rows are (eval, tier)."""

    cause: str  # "nothing", "inputs", "model" or "search": the first of them that explains it
    leave: tuple[Row, ...]
    enter: tuple[Row, ...]
    inputs: tuple[str, ...]  # that differ, in words
    versions: Mapping[str, tuple[str, str]]  # of packages that differ: before, now
    by_limits: tuple[Row, ...]  # rows that come or go by budgets and limits, on the menu of before
    same_menu: bool  # whether all that evals are believed to cost and tell is the same
    before: float  # what the mix of before was worth
    carried: float | None  # what it is worth now; None where what it ran is not on the menu
    now: float  # what today's mix is worth
    noise: float  # half-width of a 95 % interval of that

    @property
    def as_good(self) -> bool:
        """Whether the draws cannot tell today's mix from the one before."""
        return self.carried is not None and self.now - self.carried <= self.noise

    @property
    def told(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return asdict(self) | {"as_good": self.as_good}

    def __str__(self) -> str:
        if self.cause == "nothing":
            lines = ["The mix has the same evals at the same tiers as before."]
        else:
            moves = [("leave", self.leave), ("enter", self.enter)]
            told = [f"{_rows(rows)} {verb}" for verb, rows in moves if rows]
            lines = [f"The mix has changed by its {self.cause}: {'; '.join(told)}."]
        lines += [f"Other inputs: {'; '.join(self.inputs)}."] if self.inputs else []
        if self.versions:
            pairs = [f"{name} {old} then, {new} now" for name, (old, new) in self.versions.items()]
            lines.append(f"Other versions: {'; '.join(pairs)}.")
        if self.by_limits:
            lines.append(f"Budgets and limits alone would have moved {_rows(self.by_limits)}.")
        if self.same_menu:
            lines.append("What evals are believed to cost and tell is the same.")
        elif self.carried is None:
            lines.append("What the mix of before ran is not on today's menu.")
        else:
            lines.append(
                f"The mix of before was worth {self.before:.4g}; by today's belief it is worth "
                f"{self.carried:.4g}, and today's mix {self.now:.4g} ± {two_digits(self.noise)}"
                + (": the draws cannot tell them apart." if self.as_good else ".")
            )
        return " ".join(lines)


def why_changed(old: str | Path, new: str | Path) -> Changed:
    """Say why the mix of a plan is not that of an earlier one, both folders of `recommend`.

    Inputs are the files, budgets, limits, seed and figures of the catalogue. Where they are the
    same, the model is what makes another menu of them, and the search what makes another mix of
    one menu. What budgets and limits do is found by searching the menu of before under today's.

    InputError if a folder holds no plan that this version reads.
    """
    was, now = Plan.load(old), Plan.load(new)
    first, last = _mix(was), _mix(now)
    inputs = _inputs(Path(old), was, Path(new), now)
    same_menu, moved = _same(was.menu, now.menu), tuple[Row, ...]()
    if was.budget != now.budget or list(map(str, was.limits)) != list(map(str, now.limits)):
        asked = Question(was.menu, now.budget, now.limits, contingency=now.record.kept_back)
        try:
            between = set(rows_of(was.menu, Certified().find(asked).x))
        except (InputError, InfeasibleError):  # a resource or group that it does not know
            between = set(first)
        moved = tuple(sorted(between ^ set(first)))
    noise = max(now.record.value.noise or 0.0, now.bound - now.value)
    cause = "inputs" if inputs else "search" if same_menu else "model"
    versions = was.record.provenance.versions, now.record.provenance.versions
    names = sorted({*versions[0], *versions[1]})
    each = {n: (versions[0].get(n, "none"), versions[1].get(n, "none")) for n in names}
    return Changed(
        cause="nothing" if set(first) == set(last) else cause,
        leave=tuple(row for row in first if row not in last),
        enter=tuple(row for row in last if row not in first),
        inputs=inputs,
        versions={name: pair for name, pair in each.items() if pair[0] != pair[1]},
        by_limits=moved,
        same_menu=same_menu,
        before=was.value,
        carried=_carried(was, now.menu),
        now=now.value,
        noise=float(noise),
    )


def _mix(plan: Plan) -> list[Row]:
    return rows_of(plan.menu, plan.menu.options.index.isin(plan.chosen).astype(float))


def _rows(rows: tuple[Row, ...]) -> str:
    return listing([f"{name} ({tier})" for name, tier in rows])


def _same(a: Menu, b: Menu) -> bool:
    """Whether two menus sell the same under the same belief."""
    if not a.options.index.equals(b.options.index) or a.states != b.states:
        return False
    parts = ("costs", "information", "prior_mean", "prior_covariance")
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in parts)


def _carried(was: Plan, menu: Menu) -> float | None:
    """Return what the earlier mix is worth on a menu, each row by its nearest option there."""
    names = []
    for _, row in was.menu.options.loc[list(was.chosen)].iterrows():
        alike = menu.options[
            (menu.options["eval"] == row["eval"]) & (menu.options["tier"] == row["tier"])
        ]
        if alike.empty:
            return None
        far = np.zeros(len(alike))
        for key in alike.columns.intersection(["tasks", "attempts", "cap", "effort"]):
            own, others = 1.0 + float(row[key] or 0.0), 1.0 + alike[key].fillna(0.0).to_numpy(float)
            far += np.abs(np.log(others / own))
        names.append(str(alike.index[int(far.argmin())]))
    return evaluate(menu, names).value


def _inputs(old: Path, was: Plan, new: Path, now: Plan) -> tuple[str, ...]:
    """Return in words which inputs differ."""
    told = []
    hashes = [{x.name: x.sha256 for x in p.record.provenance.inputs} for p in (was, now)]
    for name in sorted({*hashes[0], *hashes[1]}):
        if hashes[0].get(name) != hashes[1].get(name):
            where = [when for when, own in zip(("then", "now"), hashes, strict=True) if name in own]
            how = "holds something else" if len(where) > 1 else f"only {where[0]}"
            told.append(f"{name} {how}")
    for name in sorted({*was.budget, *now.budget}):
        pair = was.budget.get(name), now.budget.get(name)
        if pair[0] != pair[1]:
            before, after = ("no limit" if x is None else f"{x:,.6g}" for x in pair)
            told.append(f"{words(name)} {before} then, {after} now")
    rules = [set(map(str, p.limits)) for p in (was, now)]
    told += [f"no longer {text}" for text in sorted(rules[0] - rules[1])]
    told += [f"new: {text}" for text in sorted(rules[1] - rules[0])]
    if was.record.provenance.seed != now.record.provenance.seed:
        told.append(f"seed {was.record.provenance.seed} then, {now.record.provenance.seed} now")
    figures = [_figures(folder / CATALOGUE) for folder in (old, new)]
    if all(figures):
        keys = sorted({*figures[0], *figures[1]})
        other = [key for key in keys if figures[0].get(key) != figures[1].get(key)]
        told += [
            f"{key} {figures[0].get(key, 'left out')} then, {figures[1].get(key, 'left out')} now"
            for key in other[:MOST_TOLD]
        ]
        if len(other) > MOST_TOLD:
            told.append(f"and {len(other) - MOST_TOLD} more figures of the catalogue")
    return tuple(told)


def _figures(path: Path) -> dict[str, Any]:
    """Return the figures of a stored catalogue by place; nothing where there is none."""
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for table, rows in tables.items() if isinstance(tables, dict) else ():
        for row in rows if isinstance(rows, list) else [rows]:
            if isinstance(row, dict):
                name = row.get("name", "")
                found |= {f"{table} {name}: {key}".replace(" :", ":"): v for key, v in flat(row)}
    return found
