"""What each limit costs: the plan's value beside the value without that limit."""

from dataclasses import replace

import pandas as pd

from evalfolio.search import Certified, Question


def cost_of_limits(question: Question, method: Certified = Certified()) -> pd.DataFrame:
    """Return what every budget and limit costs: certified values with and without it.

    InfeasibleError if no choice meets all limits; see `explain_infeasible` for what clashes.

    Parameters
    ----------
    question
        Menu, budgets, limits and objective.
    method
        Of every plan.

    Returns
    -------
    pandas.DataFrame
        Indexed by limit, dearest first: value_without (all other limits held), cost (that less
        the value with all limits; 0 where the limit does not bind), bound_without, which no
        choice without the limit exceeds, and binds: yes, no, or "within the gap" where the
        certificate cannot tell.

    Examples
    --------
    >>> from evalfolio.limits import Forbidden
    >>> from evalfolio.examples import small_menu
    >>> table = cost_of_limits(Question(small_menu(), {"usd": 8_000}, [Forbidden("b")]))
    >>> list(table.index), list(table["binds"])
    (['budget of 8,000 usd', 'forbidden: b'], ['yes', 'yes'])
    """
    full = method.find(question)
    budget, limits = question.budget, question.limits
    loosened, rows = [], []
    for name, each in question.budgets.items():
        others = {k: v for k, v in budget.items() if k != name}
        loosened.append((each.in_words(name), replace(question, budget=others)))
    for k, limit in enumerate(limits):
        less = replace(question, limits=(*limits[:k], *limits[k + 1 :]))
        loosened.append((str(limit), less))
    for words, without in loosened:
        found = method.find(without)
        # the plan with the limit is a plan without it too
        value = max(found.value, full.value)
        if value > full.bound:
            binds = "yes"
        elif found.bound - full.value <= method.gap * abs(found.bound):
            binds = "no"
        else:
            binds = "within the gap"
        rows.append((words, value, max(value - full.value, 0.0), found.bound, binds))
    columns = ["limit", "value_without", "cost", "bound_without", "binds"]
    table = pd.DataFrame(rows, columns=columns).set_index("limit")
    return table.sort_values("cost", ascending=False, kind="stable")
