"""Whatever menu, budget and limits come: no crash, no broken limit, no wrong status."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evalfolio as ef
from evalfolio.limits import (
    Ceiling,
    Excludes,
    Forbidden,
    Mandatory,
    MaxEvals,
    MinEvals,
    ZeroOrAtLeast,
)
from evalfolio.objectives import variance

STATUSES = {"certified", "time limit", "stalled", "uncertified"}


@st.composite
def menus(draw: st.DrawFn) -> ef.Menu:
    """Menus of zero information, identical evals, huge costs or almost singular priors."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_states, n_evals = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    dear = draw(st.sampled_from([1.0, 1e-6, 1e9]))
    rows, information = [], []
    for e in range(n_evals):
        for o in range(draw(st.integers(1, 2))):
            reading = rng.normal(size=n_states) * draw(st.sampled_from([0.0, 1e-4, 1.0, 1e3]))
            information.append(np.outer(reading, reading))
            usd = dear * draw(st.sampled_from([0.0, 1.0, 3.0, 1e6]))
            rows.append((f"e{e}.{o}", f"e{e}", f"d{e % 2}", "plateau", usd, 1.0 + o))
    if draw(st.booleans()):  # every eval the same
        information = [information[0]] * len(information)
    columns = ["option", "eval", "domain", "tier", "usd", "staff_hours"]
    root = rng.normal(size=(n_states, n_states))
    ridge = draw(st.sampled_from([1.0, 1e-3, 1e-8]))
    covariance = root @ root.T + ridge * np.eye(n_states)
    decisions = tuple(
        ef.Decision(
            f"d{d}",
            rng.normal(size=n_states),
            draw(st.sampled_from([0.0, 1.0, -3.0, 40.0])),
            draw(st.sampled_from([1.0, 100.0, 1e-3])),
            draw(st.sampled_from([1.0, 1e6])),
            later_gain_sd=draw(st.sampled_from([0.0, 0.5])),
        )
        for d in range(2)
    )
    factor = rng.choice([0.0, 0.5, 1.0, 30.0], (3, len(rows), 1, 1))
    return ef.Menu(
        pd.DataFrame(rows, columns=columns).set_index("option"),
        ("usd", "staff_hours"),
        np.array(information),
        tuple(f"s{i}" for i in range(n_states)),
        np.zeros(n_states),
        covariance,
        decisions,
        information_draws=np.array(information) * factor,
    )


LIMITS = st.lists(
    st.sampled_from(
        [
            Mandatory("e0"),
            Forbidden("e1"),
            MinEvals("d0", 1),
            MaxEvals("everything", 1),
            Excludes("e0", "e1"),
            Ceiling("d0", 2.0, "staff_hours"),
            ZeroOrAtLeast("d0", 2.5, "staff_hours"),
            variance() >= 1e-3,
        ]
    ),
    unique_by=id,
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    menu=menus(),
    share=st.sampled_from([0.0, 0.2, 0.7, 2.0]),
    limits=LIMITS,
    method=st.sampled_from(["certified", "greedy"]),
    objective=st.sampled_from(["evsi", "variance", "wrong-calls", "log-determinant", "tail"]),
)
def test_no_menu_crashes_or_breaks_a_limit(
    menu: ef.Menu, share: float, limits: list[object], method: str, objective: str
) -> None:
    budget = {name: share * float(menu.options[name].sum()) for name in menu.resources}
    known = set(menu.options["eval"])
    limits = [
        limit
        for limit in limits
        if getattr(limit, "eval", "e0") in known  # named evals exist
    ]
    if not {"e1"} <= known:
        limits = [limit for limit in limits if not isinstance(limit, (Forbidden, Excludes))]
    try:
        plan = ef.optimise(
            menu,
            budget=budget,
            constraints=limits,
            method=method,  # type: ignore[arg-type]  # drawn from the two names
            objective=objective,
            gap=1e-4,
            time_limit=5.0,
        )
    except ef.InfeasibleError:
        assert limits
        return
    chosen = menu.options.loc[list(plan.chosen)]
    assert chosen["eval"].is_unique
    for name, amount in budget.items():
        assert chosen[name].sum() <= amount * (1 + 1e-9)
    assert plan.status in STATUSES | {"greedy"}
    assert plan.value <= plan.bound * (1 + 1e-12)
    if plan.status == "certified":
        assert plan.gap is not None
        # What no option moves by more than rounding is worth nothing, to the floor that the gap
        # is told against: 1e-12 of perfect information (a tail of losses 1 to 1e6 left 1.2e-13).
        assert plan.gap <= 1e-4 or plan.bound - plan.value <= 1e-12 * plan.evpi
    if any(isinstance(limit, Mandatory) for limit in limits):
        assert "e0" in set(chosen["eval"])
    assert "e1" not in set(chosen["eval"]) or not any(isinstance(x, Forbidden) for x in limits)
    deep = chosen[chosen["domain"] == "d0"]
    for limit in limits:
        if isinstance(limit, MaxEvals):
            assert len(chosen) <= 1
        elif isinstance(limit, Excludes):
            assert not {"e0", "e1"} <= set(chosen["eval"])
        elif isinstance(limit, Ceiling):
            assert deep["staff_hours"].sum() <= 2.0 * (1 + 1e-9)
        elif isinstance(limit, ZeroOrAtLeast):
            assert not len(deep) or deep["staff_hours"].sum() >= 2.5 * (1 - 1e-9)
        elif isinstance(limit, MinEvals):
            assert len(deep)
