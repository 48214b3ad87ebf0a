"""A bed for plans that Inspect runs: a small catalogue, and tasks that come out as told.

Tasks are of mockllm: a solver solves, gives up and spends tokens as a function says, one call for
a run, so that neither key nor network is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evalbayes.catalogue import Catalogue, read_catalogue

Outcome = Callable[[str, str, float, int], tuple[bool, float]]
"""Of an eval's sample, at an effort and attempt: whether it is solved, and the tokens it takes."""

HEAD = """
[portfolio]
ai_model = "next"
[budget]
usd = {usd}
agents_in_parallel = 4
[[limit]]
type = "forbidden"
of = "max-elicitation"
"""
DOMAIN = """
[[domain]]
name = "{name}"
threshold_human_time = "{threshold}"
shown_capability = {shown}
elicitation_gap = [0.01, 0.02]
mitigate_above = 0.3
"""
EVAL = """
[[eval]]
name = "{name}"
domain = "{domain}"
tasks = {tasks}
human_minutes = {minutes}
usd_per_run = {usd}
spend_unit = "tokens"
usd_per_unit = 8e-6
max_cap = {cap}
"""
DOMAINS = {"cyber": ("4 h", [4.0, 9.0]), "autonomy": ("2 h", [3.0, 8.0])}
EVALS: dict[str, tuple[str, int, list[int], int]] = {
    "ctf": ("cyber", 60, [2, 8], 4_000_000),
    "exploits": ("cyber", 240, [10, 30], 12_000_000),
    "chores": ("autonomy", 90, [4, 12], 4_000_000),
}


def catalogue_in(folder: Path, usd: float, tasks: Mapping[str, int]) -> Catalogue:
    """Write the catalogue of some evals, each of so many tasks, into a folder, and return it."""
    domains = dict.fromkeys(EVALS[name][0] for name in tasks)
    parts = [HEAD.format(usd=usd)]
    for name in domains:
        threshold, shown = DOMAINS[name]
        parts.append(DOMAIN.format(name=name, threshold=threshold, shown=shown))
    for name, n in tasks.items():
        domain, minutes, price, cap = EVALS[name]
        parts.append(
            EVAL.format(name=name, domain=domain, tasks=n, minutes=minutes, usd=price, cap=cap)
        )
    path = folder / "catalogue.toml"
    path.write_text("".join(parts), encoding="utf-8")
    return read_catalogue(path)


def simulated(
    outcome: Outcome,
    samples: Mapping[str, list[str]],
    *,
    price: float | None = None,
    fails: Callable[[str, str], str] = lambda name, sample: "",
    started: Callable[[], None] = lambda: None,
    pause: float = 0.0,
) -> dict[str, Callable[..., Any]]:
    """Return Inspect tasks by eval, with these sample ids, whose runs come out as said.

    `price` is what a token is billed at; None: no bill. `fails` says how a sample goes wrong:
    "errors" (once it was paid), "refuses" (before) or "unscored". `started` is called and `pause`
    seconds go by before every run. A run that wants more than its cap is stopped by Inspect.
    """
    import anyio
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import Score, Target, accuracy, scorer
    from inspect_ai.solver import Generate, TaskState, solver

    @solver  # type: ignore[untyped-decorator]  # the package is not followed by mypy
    def steps(name: str, effort: float) -> Any:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            sample = str(state.sample_id)
            won, spend = outcome(name, sample, effort, state.epoch)
            cap = float(state.token_limit or (state.cost_limit or np.inf) / (price or 1.0))
            tokens = max(round(min(spend, 1.001 * cap + 1)), 1)

            def answer(*args: Any, **more: Any) -> ModelOutput:
                out = ModelOutput.from_content("mockllm/model", "yes" if won else "no")
                usage = ModelUsage(output_tokens=tokens, total_tokens=tokens)
                usage.total_cost = None if price is None else tokens * price
                out.usage = usage
                return out

            started()
            await anyio.sleep(pause)
            if fails(name, sample) == "refuses":
                raise RuntimeError("429: the provider refuses")
            model = get_model("mockllm/model", custom_outputs=answer, memoize=False)
            state.output = await model.generate("go on")
            if fails(name, sample) == "errors":
                raise RuntimeError("the sandbox is gone")
            return state

        return solve

    @scorer(metrics=[accuracy()])  # type: ignore[untyped-decorator]  # as above
    def said(name: str) -> Any:
        async def score(state: TaskState, target: Target) -> Score | None:
            if fails(name, str(state.sample_id)) == "unscored":
                return None
            return Score(value=1.0 if state.output.completion == "yes" else 0.0)

        return score

    def maker(name: str) -> Callable[..., Any]:
        def task(effort: float = 0.0) -> Any:
            own = [Sample(id=each, input="go", target="yes") for each in samples[name]]
            return Task(dataset=own, solver=steps(name, effort), scorer=said(name), name=name)

        return task

    return {name: maker(name) for name in samples}


def numbered(sizes: Mapping[str, int]) -> dict[str, list[str]]:
    """Return sample ids "0", "1", ... by eval."""
    return {name: [str(k) for k in range(n)] for name, n in sizes.items()}
