"""What a choice brings and leaves: shared purchases, evals left out and why, and next steps."""

from collections.abc import Mapping, Sequence
from itertools import compress

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.names import ONCE
from evalfolio.narrative import amount, listing, percent, price, words
from evalfolio.search import Problem
from evalfolio.search.changes import NOTHING, Changes

SHARED_COLUMNS = ("evals", "domains", "tiers", "days", "usd_p90", "usd_ceiling", "share_of_usd")
COLUMNS = ("eval", "option", "value_added", "reason", "cost_to_enter")
WORTH = 1e-3  # of the plan's value; steps that add less are within the usual gap, and not told


def shared_rows(problem: Problem, x: Array) -> pd.DataFrame:
    """Return one row per purchase that a choice makes, and per price step that it reaches, by name.

    Columns: evals (of the mix, that need it), domains and tiers (of all options that need it: where
    they are one, it is part of what that domain or tier takes), days, every resource, usd_p90,
    usd_ceiling (the most of its draws), share_of_usd, and value_if_dropped: what is lost without
    the purchase and all rows that need it.
    """
    menu, rows, taken = problem.menu, [], problem.menu.with_shared(x)
    own = menu.costs_with_shared * taken[:, None]
    paid = (taken > 0) & (own.any(axis=1) | (np.arange(len(own)) < len(menu) + len(menu.shared)))
    bought = np.flatnonzero(paid[len(menu) :])
    total, value = menu.use_of(x), problem.value(x) if len(bought) else 0.0
    for k in bought:
        each = menu.following[k]
        needs = menu.options.index.isin(each.needed_by)
        use = dict(zip(menu.resources, own[len(menu) + k].tolist(), strict=True))
        usd = use.get("usd", 0.0)
        draws, spends, whole = menu.draws_with_shared, np.array([usd]), 0.0
        if "usd" in menu.resources:
            column = menu.resources.index("usd")
            whole = total[column]
            if draws is not None:
                spends = draws[:, len(menu) + k, column] * taken[len(menu) + k]
        evals = tuple(menu.options["eval"][needs & (x > 0.5)].astype(str))
        of = (tuple(menu.options[key][needs].astype(str).unique()) for key in ("domain", "tier"))
        # rows at their caps count the dearest step
        most = float(spends.max()) if each.told == ONCE else 0.0
        money = (float(np.quantile(spends, 0.9)), most, usd / whole if whole > 0 else 0.0)
        lost = value - problem.value(np.where(needs, 0.0, x))
        told = (each.told,) if menu.tariffs else ()
        rows.append((each.name, evals, *of, each.days, *use.values(), *money, lost, *told))
    columns = ["purchase", *SHARED_COLUMNS[:4], *menu.resources, *SHARED_COLUMNS[4:]]
    columns += ["value_if_dropped", *(["told"] if menu.tariffs else [])]
    return pd.DataFrame(rows, columns=columns).set_index("purchase")


def shared_in_words(menu: Menu, names: Sequence[str]) -> str:
    """Say what purchases take, each once; nothing where there is none.

    >>> from evalfolio.examples import sharing_menu
    >>> shared_in_words(sharing_menu(), ["scaffold"])
    'scaffold ($1,000, 50 staff hours)'
    """
    told = [f"{each.name} ({price(each.use)})" for each in menu.shared if each.name in names]
    return listing(told)


def left_out(
    problem: Problem, x: Array, changes: Changes, prices: Mapping[str, float]
) -> pd.DataFrame:
    """Return, for every eval left out, its best option, why it is out and at what price it enters.

    An option pays when the value it adds covers its use of every budget at the shadow prices,
    shared purchases that it would be the first to need included; the price at which it enters is
    the usd at which it just does. `x` is the choice, of shape (n_options,), with its single
    changes; prices are in the unit of the objective per unit of each limited resource.

    Indexed by eval: option, value_added (unit of the objective), reason, cost_to_enter (usd; None
    where no price above 0 would do, or usd has no shadow price).
    """
    entering = changes.old == NOTHING
    out, added, use = changes.new[entering], changes.added[entering], changes.more[entering]
    charges = use * np.array([prices[name] for name in problem.resource_names])
    charge = charges.sum(axis=1)
    usd_price = prices.get("usd", 0.0)
    usd_charge = charges[:, problem.resource_names.index("usd")] if usd_price > 0 else 0.0
    other = charge - usd_charge
    codes = problem.eval_codes[out]
    rows = []
    for code in dict.fromkeys(codes.tolist()):
        own = np.flatnonzero(codes == code)
        best = own[np.argmax(added[own] - charge[own])]
        enter = (added[best] - other[best]) / usd_price if usd_price > 0 else 0.0
        more, option = float(added[best]), out[best]
        why = _reason(problem, x, option, more, changes.value)
        why += _dearer_elsewhere(problem, use[best], charges[best], more, enter)
        price = float(enter) if enter > 0 else None
        rows.append((problem.evals[code], problem.menu.options.index[option], more, why, price))
    return pd.DataFrame(rows, columns=list(COLUMNS)).set_index("eval")


def _reason(problem: Problem, x: Array, option: int, added: float, total: float) -> str:
    domain = problem.menu.options["domain"].iloc[option]
    if domain in problem.menu.no_anchor and added <= 1e-9 * problem.scale:
        return f"would turn no call, as {domain} has no anchor"
    held = x @ problem.counted
    fresh = problem.following(held + problem.counted[option]) - problem.following(held)
    both = problem.use[option] + fresh @ problem.use[problem.n_options :]
    use = dict(zip(problem.resource_names, both.tolist(), strict=True))
    if problem.allowed[option] == 0:
        over = [words(name) for name, used in use.items() if used > problem.spendable[name]]
        return f"its best option alone exceeds the budget of {listing(over) or 'a resource'}"
    share = added / total if total > 0 else 0.0
    amounts = [
        f"{percent(used / problem.spendable[name])} of the {words(name)}"
        for name, used in use.items()
        if used > 0 and 0 < problem.spendable[name] < np.inf
    ]
    price = f" for {listing(amounts)}" if amounts else ""
    shared = listing([each.name for each in compress(problem.menu.shared, fresh > 0)])
    price += f", with {shared}, which nothing in the mix needs" if shared else ""
    return f"would add {percent(max(share, 0.0))} to the plan's value{price}"


def _dearer_elsewhere(
    problem: Problem, use: Array, charges: Array, added: float, enter: float
) -> str:
    """Name the hours that keep an eval out whatever its price in usd; nothing where money would."""
    if enter > 0 or added <= 0:
        return ""
    named = [
        (charge, amount(used, name))
        for name, used, charge in zip(problem.resource_names, use, charges, strict=True)
        if name != "usd" and charge > 0
    ]
    if not named:
        return ""
    return f"; its {listing([told for _, told in sorted(named, reverse=True)])} buy more elsewhere"


def least_useful_budget(problem: Problem, changes: Changes) -> str:
    """Say what the nearest option that is worth anything needs, when nothing was chosen."""
    if not len(changes.new):
        return "The menu holds no option."
    useful = np.flatnonzero(changes.added > 1e-9 * problem.scale)
    if not len(useful):
        return "No option on the menu could change a call."
    costs = changes.more[useful]
    amounts = np.array([max(problem.spendable[name], 1e-12) for name in problem.resource_names])
    short = (costs / amounts).max(axis=1, initial=0.0)
    nearest = int(np.lexsort((costs.sum(axis=1), short))[0])
    needs = listing(list(map(amount, costs[nearest].tolist(), problem.resource_names)))
    option = str(problem.menu.options.index[changes.new[useful[nearest]]])
    return f"The least useful budget is {needs}: what the option {option!r} needs."


def next_steps(problem: Problem, x: Array, changes: Changes) -> pd.DataFrame:
    """Return the single changes of a choice that would add value, nearest to affordable first.

    A step runs an eval that the choice leaves out, or runs a chosen one by another option. Its
    shortfall is what it needs beyond what the choice leaves of a budget. A step of a certified
    choice that has none adds no more than the gap, or breaks another limit. Steps that add less
    than a thousandth are left out. `x` is the choice, of shape (n_options,), 0 or 1, with its
    single changes.

    Indexed by option: eval, instead_of (an option, or None), value_added (unit of the objective),
    and `short_` and each limited resource (its unit; 0 where it fits).
    """
    left = np.array(list(problem.spendable.values())) - problem.menu.with_shared(x) @ problem.use
    short = np.maximum(changes.more - left, 0.0)
    distance = (short / problem.price_units).max(axis=1, initial=0.0)
    order = np.lexsort((-changes.added, distance))
    steps = order[changes.added[order] > WORTH * abs(changes.value)]
    steps = steps[changes.new[steps] != NOTHING]
    names, evals = problem.menu.options.index, problem.menu.options["eval"].to_numpy()
    new, old = changes.new[steps], changes.old[steps]
    instead = np.array([None if k == NOTHING else str(names[k]) for k in old], dtype=object)
    told = {"eval": evals[new], "instead_of": instead, "value_added": changes.added[steps]}
    lacks = {f"short_{name}": short[steps, k] for k, name in enumerate(problem.resource_names)}
    return pd.DataFrame(told | lacks, index=names[new])


def next_step_in_words(budget: Mapping[str, float], steps: pd.DataFrame, value: float) -> str:
    """Say what the nearest step still needs and adds; nothing where no budget is limited."""
    limited = [name for name, amount in budget.items() if np.isfinite(amount)]
    if not limited:
        return ""
    beyond = steps[(steps[[f"short_{name}" for name in limited]] > 0).any(axis=1)]
    if beyond.empty:
        return "No further step would add a thousandth to the value, at any price."
    step = beyond.iloc[0]
    short = {name: step[f"short_{name}"] for name in limited}
    needs = listing([amount(lacks, name) for name, lacks in short.items() if lacks > 0])
    instead = step["instead_of"]  # no name where nothing was run: pandas makes of None what it may
    way = f", instead of {instead}" if isinstance(instead, str) else ""
    gain = "is the first of worth"
    gain = f"adds {percent(step['value_added'] / value)} to the value" if value > 0 else gain
    return f"The nearest step, {beyond.index[0]}{way}, needs {needs} more and {gain}."
