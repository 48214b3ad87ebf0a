"""A plan read back from the folder it was written into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.limits.kept import made_again
from evalfolio.objectives.named import NAMED, as_objective
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.optimiser import explained
from evalfolio.plans.plan import Plan
from evalfolio.record.record import FILE, Record
from evalfolio.search.answer import Answer
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question
from evalfolio.search.status import Status

AGREE = 1e-6  # relative: a menu on which the mix is worth less or more is not the plan's


def load_plan(path: str | Path) -> Plan:
    """Return the plan in a folder that `evalfolio recommend` wrote, or in its `plan.json`.

    Value, bound, status and prices are the record's; what each option adds and what is left out is
    worked out anew on the menu beside it. InputError if record or menu cannot be read, or are not
    of one plan.

    Examples
    --------
    >>> import tempfile
    >>> import evalfolio as ef
    >>> from evalfolio.examples import small_menu
    >>> plan = ef.optimise(small_menu(), budget={"usd": 10_000.0})
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = plan.record.write(folder / "plan.json"), plan.menu.save(folder / "menu")
    >>> load_plan(folder).to_json() == plan.to_json()
    True
    """
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    record = Record.load(path)
    menu = Menu.load(file.parent / "menu")
    stated, named = record.value, record.value.objective in NAMED
    objective = as_objective(record.value.objective if named else "evsi")
    try:
        x = choice_vector(menu, [row.option for row in record.choices])
        limits = tuple(made for row in record.limits if (made := made_again(dict(row))))
        problem = Problem(Question(menu, record.budget, limits, objective, record.kept_back))
    except (InputError, TypeError, ArithmeticError) as error:
        raise InputError(
            f"{file}: its menu must be the one it was made from, but {error}"
        ) from error
    worth = problem.value(x)
    prices = {name: record.shadow_prices.get(name, 0.0) for name in problem.resource_names}
    status = Status(stated.status)
    bound = worth + (stated.bound - stated.evsi)
    plan = explained(Answer(problem, x, worth, bound, status, prices))
    apart = abs(plan.value - stated.evsi)
    if named and apart > AGREE * max(abs(stated.evsi), AGREE * problem.scale):
        raise InputError(
            f"{file}: its menu must be the one it was made from, but the mix is worth "
            f"{plan.value:.4g} on it and {stated.evsi:.4g} in the plan; put both of one plan into "
            "one folder"
        )
    evpi = np.inf if stated.evpi is None else stated.evpi
    return replace(
        plan, value=stated.evsi, bound=stated.bound, gap=stated.gap, evpi=evpi, told=record
    )
