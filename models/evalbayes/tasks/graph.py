"""The task-level model in PyMC: one vector, its density one operation with its own gradient.

logit A[j,m] = a[m]·(θ[m] + u[i,m] + ψ[m]·x[j] − b[j]), b[j] = β[i] + λ[i]·w[j] + ε[j],
ε ~ N(0, τ[i]²), with x and w log2 human minutes about the centre and about the eval's level. ln T
of a success is normal about location[i,m] + c·w[j] + σ[j], σ[j] = φ·ε[j] + ζ[j], ζ ~ N(0, ν[i]²),
and of giving up about location'[i,m] + c'·w[j] + ρ·σ[j]. Departures of difficulty and of location
average 0 over the evals, ε and ζ over the tasks of an eval, which fixes where θ, speed, β and the
cells lie: β[i] is the mean difficulty of the tasks there are.

Sampled are sums, since runs tell them and not their parts: difficulty and place of an eval with
what human time says of them, σ[j] with φ·ε[j] in it, and ε[j] given σ[j]; and levels in units of
how flat their eval's tasks make them (`Layout.task_scales`). On the cyber runs
4,000 draws have a least effective sample size of 728 (R-hat 1.008); with all runs cut at a tenth
of their cap, which leaves plateaus and spends hard to tell apart, 150 (1.026), which fails the
gate.

The likelihood is the joint model's, run by run. Written as one loop it takes a fraction of the
time of as many array operations, and most of a fit would otherwise be their compilation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.model.sampling import pm, pt, pytensor  # isort: skip  # sets PyTensor up
from pytensor.link.numba.dispatch import basic

from evalbayes.tasks.density import log_density
from evalbayes.tasks.layout import Layout, predictors
from evalbayes.tasks.runs import TaskRuns

Array = NDArray[np.float64]

NAMES = (
    "sizes",
    "positions",
    "mean_columns",
    "mean_weights",
    "mean_constant",
    "ln_sd",
    "sd_entry",
    "sd_weight",
    "stretch",
    "columns",
    "weights",
    "constant",
    "eval_of",
    "within",
    "task",
    "model",
    "kind",
    "ln",
)


def data_of(lay: Layout, runs: TaskRuns, model: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Everything `density.log_density` reads but the vector, by name."""
    table = lay.table
    singles = ("slope_mean", "minutes_mean", "spend_by_effect", "gave_up_loading")
    by_eval = ("difficulty", "eval_location")
    by_task = ("task_effect", "task_spend", "task_sd", "task_spend_sd")
    values = (
        np.array([len(table.evals), len(table), lay.n_models]),
        np.array([lay.spans[name][0] for name in (*singles, *by_eval, *by_task)]),
        *lay.means.arrays(),
        np.array(lay.ln_sd),
        np.array(lay.sd_entry),
        np.array(lay.sd_weight),
        np.array(lay.stretch),
        *predictors(lay).arrays(),
        table.eval_of,
        table.within,
        runs.task,
        model,
        runs.kind,
        runs.ln,
    )
    return dict(zip(NAMES, values, strict=True))


def build(lay: Layout, data: dict[str, NDArray[Any]]) -> Any:
    """Return the PyMC model; its data may be exchanged for others of the same sizes."""
    with pm.Model(check_bounds=False) as model:
        given = [pm.Data(name, data[name]) for name in NAMES]
        x = pm.Flat("x", shape=len(lay), initval=data["mean_constant"])
        value, _ = LogDensity()(x, *given)
        pm.Potential("density", value)
    return model


class LogDensity(pytensor.graph.op.Op):  # type: ignore[misc]  # PyTensor has no types
    """`density.log_density` as an operation: the value, and the gradient as a second output."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Any:
        """Take the vector, then data."""
        given = [pt.as_tensor_variable(value) for value in inputs]
        return pytensor.graph.basic.Apply(self, given, [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Sequence[Any], outputs: Any) -> None:
        """Work both out."""
        outputs[0][0], outputs[1][0] = log_density(*inputs)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient in the vector; data have none."""
        nothing = [pytensor.gradient.DisconnectedType()() for _ in inputs[1:]]
        return [cotangents[0] * outputs[1], *nothing]

    L_op = pullback  # its name in earlier versions of PyTensor

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Only the vector is connected, and only to the value."""
        return [[True, False], *([[False, False]] * (len(node.inputs) - 1))]


@basic.numba_funcify.register(LogDensity)  # type: ignore[untyped-decorator]
def _called_by_numba(op: Any, **_: Any) -> Any:
    """Have PyTensor's numba backend call the loop itself.

    Without a key for PyTensor's cache on disk, which would outlive changes of the loop.
    """
    return log_density
