"""Tasks without a key: a solver that solves, gives up and spends tokens by curves written here."""

import random

from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import solver

# By eval: samples, plateau, and how many tokens a run takes in the middle, whichever way it ends.
CURVES = {
    "ctf": (30, 0.6, 400_000),
    "exploits": (12, 0.3, 1_500_000),
    "chores": (30, 0.4, 600_000),
}


@solver
def by_curve(name: str, effort: float):
    """Solve a share `plateau` of the samples, more of them with effort, at a lognormal spend."""
    _, plateau, middle = CURVES[name]

    async def solve(state, generate):
        luck = random.Random(f"{name} {state.sample_id} {state.epoch} {effort}")
        solved = luck.random() < plateau + effort * (1 - plateau) / 2
        tokens = round(middle * luck.lognormvariate(0, 1))

        def answer(*args, **more):
            usage = ModelUsage(output_tokens=tokens, total_tokens=tokens)
            output = ModelOutput.from_content("mockllm/model", "yes" if solved else "no")
            return output.model_copy(update={"usage": usage})

        # one call for the whole run: a run that wants more than its cap is stopped by Inspect
        tokens = min(tokens, round(1.01 * (state.token_limit or tokens)))
        model = get_model("mockllm/model", custom_outputs=answer, memoize=False)
        state.output = await model.generate("go on")
        return state

    return solve


def task_of(name: str):
    """Return a function of `effort`, as `evalfolio run` asks for."""

    def task(effort: float) -> Task:
        samples = [Sample(id=k, input="go", target="yes") for k in range(CURVES[name][0])]
        return Task(dataset=samples, solver=by_curve(name, effort), scorer=match(), name=name)

    return task


TASKS = {name: task_of(name) for name in CURVES}
