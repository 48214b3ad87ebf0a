"""A plan small enough to be run by Inspect in seconds, and tasks that follow known curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.once import once

from evalfolio.search.greedy import Greedy

CATALOGUE = """
[portfolio]
ai_model = "next"
[budget]
usd = 300
agents_in_parallel = 4
[[domain]]
name = "cyber"
threshold_human_time = "4 h"
shown_capability = [4.0, 9.0]
elicitation_gap = [0.01, 0.02]
mitigate_above = 0.3
[[eval]]
name = "ctf"
domain = "cyber"
tasks = 8
human_minutes = 60
spend_unit = "tokens"
usd_per_unit = 8e-6
usd_per_run = [2, 8]
max_cap = 4_000_000
[[eval]]
name = "exploits"
domain = "cyber"
tasks = 6
human_minutes = 240
spend_unit = "tokens"
usd_per_unit = 8e-6
usd_per_run = [10, 30]
max_cap = 12_000_000
[[limit]]
type = "forbidden"
of = "max-elicitation"
"""
CURVES = {"ctf": (8, 0.6, 400_000), "exploits": (6, 0.4, 1_500_000)}
# Warnings of Inspect's own: a retry's argument that is deprecated, streams left to be collected.
INSPECTS = (
    "The 'initial' parameter is deprecated:DeprecationWarning",
    "Unclosed <MemoryObject:ResourceWarning",
    ":pytest.PytestUnraisableExceptionWarning",
)
QUICK: dict[str, Any] = {"method": Greedy(), "tell": lambda _: None}


@pytest.fixture(scope="session")
def small_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan the small catalogue once, in two stages."""

    def make(folder: Path) -> None:
        from evalbayes.catalogue import read_catalogue
        from evalbayes.model.fit import fit
        from evalbayes.observations import Observations
        from evalfolio.export import write_all
        from evalfolio.programmes.told import in_stages
        from evalfolio.recommendations.recommender import recommend

        (folder / "catalogue.toml").write_text(CATALOGUE)
        catalogue = read_catalogue(folder / "catalogue.toml")
        belief = fit(catalogue, Observations(), draws=400, seed=1)
        made = recommend(catalogue, None, belief, method=Greedy(), frontier_points=0)
        write_all(in_stages(made, 2), folder / "plan")

    return once(tmp_path_factory, "inspect-plan", make) / "plan"


def by_curve(
    times: float = 1.0,
    fails: Callable[[str, str], str] = lambda name, sample: "",
    pause: float = 0.0,
    started: Callable[[], None] = lambda: None,
) -> dict[str, Callable[..., Any]]:
    """Return tasks whose runs are solved and spend tokens by CURVES.

    `times` is how much dearer than said; `fails` says how a sample goes wrong: "errors",
    "refuses" (before anything was spent) or "unscored".
    """
    import anyio
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import Score, Target, accuracy, scorer
    from inspect_ai.solver import Generate, TaskState, solver

    @solver  # type: ignore[untyped-decorator]  # the package is not followed by mypy
    def spending(name: str, effort: float) -> Any:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            _, plateau, middle = CURVES[name]
            place = list(CURVES).index(name)
            rng = np.random.default_rng([place, int(state.sample_id), state.epoch])
            won, spend = rng.random() < plateau, middle * float(np.exp(rng.standard_normal()))
            cap = float(state.token_limit or np.inf)
            tokens = round(min(spend, 1.001 * cap + 1))

            def answer(*args: Any, **more: Any) -> ModelOutput:
                out = ModelOutput.from_content("mockllm/model", "yes" if won else "no")
                usage = ModelUsage(output_tokens=tokens, total_tokens=tokens)
                usage.total_cost = tokens * 8e-6 * times if times != 1 else None
                out.usage = usage
                return out

            started()
            await anyio.sleep(pause)
            if fails(name, str(state.sample_id)) == "refuses":
                raise RuntimeError("429: the provider refuses")
            state.output = await get_model(
                "mockllm/model", custom_outputs=answer, memoize=False
            ).generate("go on")
            if fails(name, str(state.sample_id)) == "errors":
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
        def task(effort: float) -> Any:
            samples = [Sample(id=k, input="go", target="yes") for k in range(CURVES[name][0])]
            return Task(
                dataset=samples, solver=spending(name, effort), scorer=said(name), name=name
            )

        return task

    return {name: maker(name) for name in CURVES}
