"""The likelihood of a history's runs as one operation of PyTensor, with its gradient.

It is the same likelihood as that of the joint model, run by run; written as one loop it takes a
fraction of the time of as many array operations, and compiles at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from evalbayes.model.sampling import pt, pytensor
from evalbayes.tasks.kernel import _run

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def value_and_gradient(
    p: Array, sizes: Index, task: Index, model: Index, kind: Index, ln: Array, eval_of: Index,
    length: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Log-likelihood, of shape (), and its gradient in the predictors p: `predictors.PARTS`."""
    n_evals, n_tasks, n_models = sizes[0], sizes[1], sizes[2]
    cells = n_evals * n_models
    slope_at = cells
    length_at = slope_at + n_models
    difficulty_at = length_at + n_models
    location_at = difficulty_at + n_tasks  # success, then giving up
    shift_at = location_at + 2 * cells
    scale_at = shift_at + 2 * n_tasks
    value = np.zeros(())
    gradient = np.zeros(len(p))
    g, h = np.zeros(3), np.zeros((3, 3))
    for r in range(len(task)):
        j, m = task[r], model[r]
        i = eval_of[j]
        cell = i * n_models + m
        slope = np.exp(p[slope_at + m])
        reach = p[cell] + p[length_at + m] * length[j] - p[difficulty_at + j]
        at = (
            p[location_at + cell] + p[shift_at + j],
            p[location_at + cells + cell] + p[shift_at + n_tasks + j],
        )
        sd = (np.exp(p[scale_at + i]), np.exp(p[scale_at + n_evals + i]))
        g[:] = 0.0
        value[()] += _run(kind[r], ln[r], slope * reach, at, sd, g, h)
        gradient[cell] += g[0] * slope
        gradient[slope_at + m] += g[0] * slope * reach
        gradient[length_at + m] += g[0] * slope * length[j]
        gradient[difficulty_at + j] -= g[0] * slope
        for k in range(2):
            gradient[location_at + k * cells + cell] += g[1 + k]
            gradient[shift_at + k * n_tasks + j] += g[1 + k]
            # μ and σ enter by z = (ln − μ)/σ: d/d ln σ = z·σ·d/dμ, less 1 for a density
            by_scale = g[1 + k] * (ln[r] - at[k])
            if kind[r] == k:
                by_scale -= 1.0
            gradient[scale_at + k * n_evals + i] += by_scale
    return value, gradient


class RunsLogLikelihood(pytensor.graph.op.Op):  # type: ignore[misc]  # PyTensor has no types
    """Log-likelihood of runs and its gradient in the predictors, as two outputs."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Any:
        """Predictors first, then data."""
        given = [pt.as_tensor_variable(x) for x in inputs]
        return pytensor.graph.basic.Apply(self, given, [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Sequence[Any], outputs: Any) -> None:
        """Work both out."""
        value, gradient = value_and_gradient(*inputs)
        outputs[0][0], outputs[1][0] = np.asarray(value), gradient

    def infer_shape(self, fgraph: Any, node: Any, shapes: Any) -> Any:
        """Shape of both outputs."""
        return [(), shapes[0]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient of the log-likelihood; data have none."""
        nothing = [pytensor.gradient.DisconnectedType()() for _ in inputs[1:]]
        return [cotangents[0] * outputs[1], *nothing]

    L_op = pullback  # its name before PyTensor 2.38

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Only predictors are connected, and only to the value."""
        return [[True, False], *([[False, False]] * (len(node.inputs) - 1))]


def _register() -> None:
    """Tell PyTensor's numba backend to call the loop itself."""
    from pytensor.link.numba.dispatch import basic

    def funcify(op: Any, **_: Any) -> Any:
        return value_and_gradient

    register = getattr(basic, "register_funcify_default_op_cache_key", None)
    if register is None:
        register = basic.numba_funcify.register
    register(RunsLogLikelihood)(funcify)


_register()
