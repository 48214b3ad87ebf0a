"""Scenarios side by side: the plan, and what it would be with figures of the catalogue set."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalbayes.catalogue import read_catalogue
from evalbayes.catalogue.settings import Setting
from evalbayes.tables.delimited import read_delimited
from evalbayes.tables.toml import read_toml
from evalfolio.errors import InputError
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import DEPTH
from evalfolio.objectives.valuation import perfect_value
from evalfolio.plans.evaluation import evaluate
from evalfolio.recommendations.recommender import question_of
from evalfolio.search import Certified, Method, Question
from evalfolio.sensitivities.basis import believed
from evalfolio.sensitivities.frontiers import moves
from evalfolio.sensitivities.sweep import Solution, solve

if TYPE_CHECKING:
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.plans.plan import Plan

NAMES, SETTINGS = ("name", "scenario"), "settings"


def read_scenarios(path: str | Path) -> dict[str, tuple[str, ...]]:
    r"""Read scenarios, by name the settings of each.

    InputError if the file cannot be read, names nothing or a scenario twice, or holds no setting.

    Parameters
    ----------
    path
        CSV with a column `name`; `settings`, several parted by `;`, and columns headed by a path
        (`budget.usd`) with a value, `*2`, `/2` or `+1` in the cell, or nothing. Or TOML, a line a
        scenario: `poor = ["budget.usd/2", "budget.staff_hours/2"]`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "scenarios.csv"
    >>> _ = file.write_text("name,budget.usd,cyber.elicitation_gap\nrich,30000,\nwide,,*2\n")
    >>> read_scenarios(file)
    {'rich': ('budget.usd=30000',), 'wide': ('cyber.elicitation_gap*2',)}
    """
    path = Path(path)
    rows = _toml_rows(path) if path.suffix.lower() == ".toml" else _csv_rows(path)
    found: dict[str, tuple[str, ...]] = {}
    for name, settings in rows:
        if not name or name in found:
            got = f"{name!r} twice" if name else "none"
            raise InputError(f"{path}: every scenario must have a name of its own, got {got}")
        if not settings:
            raise InputError(
                f"{path}: scenario {name!r} must set something, got nothing; the plan as it is "
                "stands beside the scenarios anyhow"
            )
        with _naming(f"{path}: scenario {name!r}"):
            for words in settings:
                Setting.parse(words)
        found[name] = tuple(settings)
    if not found:
        raise InputError(f"{path}: there must be at least one scenario, got none; add a row")
    return found


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Name what a fault is in."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _toml_rows(path: Path) -> list[tuple[str, list[str]]]:
    rows = []
    for name, given in read_toml(path, "scenarios as TOML in UTF-8", "mend it there").items():
        settings = [given] if isinstance(given, str) else given
        if not isinstance(settings, list) or not all(isinstance(each, str) for each in settings):
            raise InputError(
                f"{path}: scenario {name!r} must be a list of settings in quotes, got {given!r}; "
                f'write {name} = ["budget.usd*2"]'
            )
        rows.append((name, settings))
    return rows


def _csv_rows(path: Path) -> list[tuple[str, list[str]]]:
    if path.suffix.lower() != ".csv":
        raise InputError(
            f"{path}: scenarios must be a .csv or .toml file, got "
            f"{path.suffix or 'no ending'!r}; save them as one of these"
        )
    table = read_delimited(path).fillna("")
    first = next((column for column in table if str(column).strip().lower() in NAMES), None)
    if first is None:
        raise InputError(f"{path}: there must be a column 'name'; add it")
    rows = []
    for row in table.to_dict("records"):
        cells = {str(key).strip(): str(cell).strip() for key, cell in row.items()}
        name = cells.pop(str(first).strip())
        settings = [each.strip() for each in cells.pop(SETTINGS, "").split(";") if each.strip()]
        for key, cell in cells.items():
            if cell:
                settings.append(f"{key}{'' if cell[0] in '=*/+' else '='}{cell}")
        if name or settings:
            rows.append((name, settings))
    return rows


def side_by_side(
    plan: "Plan",
    catalogue: str | Path,
    posterior: "Posterior",
    scenarios: Mapping[str, Sequence[str]],
    *,
    settings: Sequence[str] = (),
    budget: Mapping[str, float] | None = None,
    constraints: Sequence[Any] = (),
    contingency: Any = None,
    method: Method = Certified(),
    seed: int = 0,
) -> pd.DataFrame:
    """Return the plan and the best mix of every scenario, a row each.

    Menus are built again from the same posterior (see `believed`), so that no scenario is fitted.
    A scenario whose best mix is not certified to be worth more than the plan's keeps the plan's.

    Parameters
    ----------
    plan
        Of the catalogue with `settings`, budgets and limits as given here.
    catalogue
        Its file.
    posterior
        What it was planned with.
    scenarios, settings
        By name, settings on top of `settings`, which the plan has too: `read_scenarios`.
    budget, constraints, contingency
        As `recommend` has them; a budget given here is not one that a scenario can set.
    method
        Of every plan.
    seed
        Of the menus.

    Returns
    -------
    pandas.DataFrame
        By name: settings, value (of the best mix under the scenario), of_this_plan (what the plan
        would be worth there; NaN where it is not on that menu or passes its budgets),
        share_of_evpi, what is used of each resource, deep_usd and deep_hours (shares of money and
        hours on max elicitation), evals and changes (against the plan).

    Raises
    ------
    InputError
        Naming the scenario, if a setting cannot be made.
    """
    from evalbayes.menus import build_menu

    before = read_catalogue(catalogue, settings)
    own = Solution.of(plan)
    rows = {"as planned": {"settings": "", **_row(plan.question, plan.chosen, plan)}}
    for name, words in scenarios.items():
        with _naming(f"scenario {name!r}"):
            refuse_budget_twice(words, budget or {})
            after = read_catalogue(catalogue, (*settings, *words))
            belief = believed(posterior, before, after)
            menu, _ = build_menu(belief, after, seed=seed, with_draws=False)
            question = question_of(
                after, menu, budget=budget, constraints=constraints, contingency=contingency
            )
        found = solve(question, method, own)
        row: dict[str, Any] = {"changes": "nothing meets all limits", "evals": 0}
        row = _row(question, found.options, plan) if found.feasible else row
        rows[name] = {"settings": "; ".join(words), **row}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")


def budgets_set(settings: Sequence[str]) -> dict[str, str]:
    """Return which budgets are set, and by which setting."""
    found = {}
    for words in settings:
        setting = Setting.parse(words)
        where, _, resource = setting.owner.partition(".")
        if where == "budget":
            found[f"{resource}.{setting.key}" if resource else setting.key] = words
    return found


def refuse_budget_twice(settings: Sequence[str], budget: Mapping[str, float]) -> None:
    """Refuse a setting of a budget that is given beside the catalogue."""
    for name, words in budgets_set(settings).items():
        if name in budget:
            raise InputError(
                f"{words} and --budget {name}={budget[name]:g} are about one budget; give one of "
                "the two"
            )


def _row(question: Question, chosen: Sequence[str], plan: "Plan") -> dict[str, Any]:
    menu = question.menu
    told, evpi = evaluate(menu, chosen), perfect_value(menu)
    hours = {name: used for name, used in told.spend.items() if name.startswith("staff_hours")}
    deep = sum(tier_share(menu, chosen, DEPTH, name) * amount for name, amount in hours.items())
    held = evaluate(menu, plan.chosen) if set(plan.chosen) <= set(menu.options.index) else None
    fits = held is not None and all(
        held.spend[name] <= amount * (1 + 1e-9) for name, amount in question.spendable.items()
    )
    rows, of = menu.options.loc[list(chosen)], sum(hours.values())
    return {
        "value": told.value,
        "of_this_plan": held.value if held is not None and fits else np.nan,
        "share_of_evpi": told.value / evpi if evpi > 0 else 0.0,
        **told.spend,
        "deep_usd": tier_share(menu, chosen, DEPTH) if len(chosen) else 0.0,
        "deep_hours": deep / of if of > 0 else 0.0,
        "evals": len(rows),
        "changes": "; ".join(moves(plan.menu.options.loc[list(plan.chosen)], rows)),
    }
