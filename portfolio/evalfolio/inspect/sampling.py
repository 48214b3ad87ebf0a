"""One eval that stops by itself: a `SampleSource` that asks a rule after every few samples.

`Worth` stops when what more samples tell the decisions is not worth their price; `Width`, for
comparison, at an interval's width, whatever the decisions, as TensorZero's evaluations do.
"""

from collections.abc import Callable, Iterable
from math import isnan, sqrt
from pathlib import Path
from typing import Any

import pandas as pd

from evalbayes.menus import build_menu
from evalbayes.observations import observations_of
from evalfolio.errors import InputError
from evalfolio.inspect.meter import usage_of
from evalfolio.inspect.running import hooks
from evalfolio.narrative import two_digits
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.standing import Standing
from evalfolio.programmes.stopping import most_per_usd
from evalfolio.readers.prices import Prices, default_prices

Z = 1.959964  # of a 95 % interval
CAPS = ("token", "cost", "working")  # of Inspect's limits: those that are caps of spend
Rule = Callable[[pd.DataFrame], str]
"""Why to stop, or nothing: of a row per sample with task, outcome, usd, tokens and hours."""


class Worth:
    """Stops when no number of further samples is worth what it costs.

    After the samples so far the belief of the plan is moved as `replan` moves it. Every number of
    new tasks as they come that the menu then has of the eval, alone, is held against its price:
    it stops where EVSI · `point_usd` ÷ usd is below 1 for all.

    InputError if the plan has no such eval, or no price of a point is known.

    Parameters
    ----------
    plan
        Folder that `evalfolio recommend` or `replan` wrote: its belief, catalogue and losses.
    name
        The eval.
    cap
        Of a sample, in the eval's spend unit: what Inspect limits it to.
    point_usd
        What a point of value is worth, where losses are not in USD.
    """

    def __init__(
        self, plan: str | Path, name: str, cap: float, point_usd: float | None = None
    ) -> None:
        start = Programme.load(Path(plan))
        self.start, self.spec, self.cap = start.start, start.catalogue.eval(name), cap
        self.catalogue = start.catalogue.model_copy(update={"evals": (self.spec,)})
        self.point_usd = point_usd if start.catalogue.points else 1.0
        if not (self.point_usd or 0.0) > 0:
            raise InputError(
                f"point_usd: must be the USD above 0 that a point is worth, got {point_usd}; the "
                f"losses of {plan} are in points, so that nothing else tells when to stop"
            )

    def __call__(self, rows: pd.DataFrame) -> str:
        """Return why to stop, or nothing."""
        model, spend = self.catalogue.portfolio.ai_model, rows[self.spec.spend_unit]
        own: dict[str, Any] = {"eval": self.spec.name, "ai_model": model, "cap": self.cap}
        runs = rows[["task", "outcome"]].assign(spend=spend.clip(lower=1e-9), **own)
        results = observations_of(runs, self.catalogue)
        now = Standing.after(results, self.catalogue, self.start, budget={}, kept_back={})
        menu, _ = build_menu(now.belief, self.catalogue, with_draws=False, done=now.done)
        plain = (menu.options["effort"] == 0) & (menu.options["attempts"] == 1)
        more = [o for o in menu.options.index[plain] if "once more" not in str(o)]
        returns = most_per_usd(menu, [[str(o)] for o in more], {}) * (self.point_usd or 0.0)
        if returns >= 1.0:
            return ""
        told = f"the next dollar returns ${two_digits(returns)} at best" if returns else "none does"
        return f"More samples of {self.spec.name} are not worth their price: {told}."


class Width:
    r"""Stops when the 95 % Wilson interval of the share solved is narrow.

    Its half-width is z/(1 + z²/n)·√(p(1 − p)/n + z²/(4n²)), p the share of n samples.

    >>> Width(0.1, least=20)(pd.DataFrame({"outcome": ["success", "gave_up"] * 50}))
    'The share solved is 50 % ± 9.6 %.'

    InputError if the half-width is not a share between 0 and 1.

    Parameters
    ----------
    half
        Half-width at which it stops, as a share.
    least
        Samples before it may.
    """

    def __init__(self, half: float, least: int = 20) -> None:
        if not 0 < half < 1:
            raise InputError(f"half must be a share between 0 and 1, got {half}; 0.1 is ± 10 %")
        self.half, self.least = half, least

    def __call__(self, rows: pd.DataFrame) -> str:
        """Return why to stop, or nothing."""
        n, p = len(rows), float((rows["outcome"] == "success").mean())
        half = Z / (1 + Z**2 / n) * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        if n < self.least or half > self.half:
            return ""
        return f"The share solved is {100 * p:.2g} % ± {100 * half:.2g} %."


def sample_source(
    samples: Iterable[Any],
    rule: Rule,
    *,
    at_once: int = 4,
    prices: Prices | None = None,
    tell: Callable[[str], None] = print,
) -> Any:
    """Return an Inspect `SampleSource` that runs samples until a rule stops it, or all have run.

    It is the `dataset` of a `Task`. A sample that ends in an error or without a score tells
    nothing, and one that its cap stopped was not solved.

    InputError if Inspect is missing, or of a version without the hooks, or `at_once` is below 1.

    Parameters
    ----------
    samples
        Inspect's samples, in the order in which they are run: a random one.
    rule
        `Worth`, `Width`, or one of your own.
    at_once
        Samples between two looks.
    prices
        Of tokens, by AI model; None: the shipped table. What is in no table is as the log bills it.
    tell
        Is given the reason for the end.
    """
    import anyio

    if at_once < 1:
        raise InputError(f"at_once must be 1 or more, got {at_once}; a look comes after so many")

    inspect, table, rows = hooks(), prices or default_prices(), []
    left = list(samples)

    async def complete(sample: Any) -> None:
        if row := run_of(sample, table):
            rows.append(row)

    async def more() -> list[Any] | None:
        nonlocal left
        why = await anyio.to_thread.run_sync(rule, pd.DataFrame(rows)) if rows else ""
        if why or not left:
            tell(why or "All samples have run.")
            return None
        batch, left = left[:at_once], left[at_once:]
        return batch

    return inspect.SampleSource.from_samples([], next_samples=more, sample_complete=complete)


def run_of(sample: Any, prices: Prices) -> dict[str, Any]:
    """Return an `EvalSample` as a run: task, outcome, usd, tokens, hours; empty without a result.

    The first score counts: 1 or above is a success.
    """
    from inspect_ai.scorer import value_to_float

    scores = list((sample.scores or {}).values())
    stopped = sample.limit is not None and sample.limit.type in CAPS
    if sample.error is not None or not (stopped or scores):
        return {}
    won = bool(scores) and value_to_float()(scores[0].value) >= 1.0
    outcome = "success" if won else "stopped_by_cap" if stopped else "gave_up"
    usd, tokens = usage_of(sample, prices)
    hours = max(sample.working_time or 0.0, 0.0) / 3600
    return {"task": str(sample.id), "outcome": outcome, "tokens": tokens, "hours": hours,
            "usd": 0.0 if isnan(usd) else usd}  # fmt: skip
