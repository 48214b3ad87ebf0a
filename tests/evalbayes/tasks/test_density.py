"""The task-level density: against its parts from scipy, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm
from tests.evalbayes.tasks import simulated

from evalbayes.tasks.density import log_density
from evalbayes.tasks.graph import NAMES, data_of
from evalbayes.tasks.layout import Layout, layout_of
from evalbayes.tasks.prior import prior_vectors
from evalbayes.tasks.runs import TaskRuns
from evalbayes.tasks.table import table_of

Array = NDArray[np.float64]
MODELS = 2


@pytest.fixture(scope="module")
def case() -> tuple[Layout, TaskRuns, NDArray[np.int64], Array]:
    table = table_of(simulated.tasks(3, 4))
    lay = layout_of(table, MODELS, 10.0, [0, 2, 9])
    rng = np.random.default_rng(0)
    n = 60
    runs = TaskRuns(rng.integers(0, 12, n), rng.integers(0, 5, n), rng.normal(10.0, 1.5, n))
    model = rng.integers(0, MODELS, n)
    return lay, runs, model, prior_vectors(lay, 1, rng)[0]


def value_of(
    lay: Layout, runs: TaskRuns, model: NDArray[np.int64], x: Array
) -> tuple[float, Array]:
    data = data_of(lay, runs, model)
    value, gradient = log_density(x, *(data[name] for name in NAMES))
    return float(value), gradient


def test_gradient_is_that_of_central_differences(
    case: tuple[Layout, TaskRuns, NDArray[np.int64], Array],
) -> None:
    lay, runs, model, x = case
    _, gradient = value_of(lay, runs, model, x)
    for k in range(len(x)):
        step = np.zeros_like(x)
        step[k] = 1e-5
        up, down = value_of(lay, runs, model, x + step)[0], value_of(lay, runs, model, x - step)[0]
        assert gradient[k] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-3), k


def test_likelihood_is_that_of_the_formula(
    case: tuple[Layout, TaskRuns, NDArray[np.int64], Array],
) -> None:
    """Value with runs less value without is Σ log L, from the named quantities."""
    lay, runs, model, x = case
    none = np.zeros(0, bool)
    empty = TaskRuns(runs.task[:0], runs.kind[:0], runs.ln[:0])
    found = value_of(lay, runs, model, x)[0] - value_of(lay, empty, model[: len(none)], x)[0]
    d, table = lay.draws(x), lay.table
    of, w = table.eval_of, table.within
    slope = np.exp(d["slope_mean"])

    def centred(values: Array) -> Array:
        means = np.bincount(of, values) / np.bincount(of)
        return values - means[of]

    effect = centred(d["task_effect"])
    spend = centred(d["task_spend"])
    difficulty = (slope * d["minutes_mean"] + d["minutes_offset"])[of] * w + effect
    total = 0.0
    for j, kind, ln, m in zip(runs.task, runs.kind, runs.ln, model, strict=True):
        cell = of[j] * MODELS + m
        reach = d["level"][cell] + d["length_slope"][m] * w[j] - difficulty[j]
        a = expit(np.exp(d["slope_offset"][m]) * reach)
        f, h = (
            norm(
                d[f"{name}_location"][cell] + d[f"{name}_within"] * w[j] + factor * spend[j],
                np.exp(d[f"{name}_scale"][of[j]]),
            )
            for name, factor in (("success", 1.0), ("gave_up", d["gave_up_loading"]))
        )
        total += np.log(
            [
                a * f.pdf(ln),
                (1 - a) * h.pdf(ln),
                a * f.sf(ln) + (1 - a) * h.sf(ln),
                a * f.cdf(ln),
                1 - a * f.cdf(ln),
            ][kind]
        )
    assert found == pytest.approx(total, rel=1e-8)


def test_prior_of_levels_and_locations_has_its_parts(
    case: tuple[Layout, TaskRuns, NDArray[np.int64], Array],
) -> None:
    """Moving one level alone changes the value by its normal about θ + ψ·length − β."""
    lay, runs, model, x = case
    empty = TaskRuns(runs.task[:0], runs.kind[:0], runs.ln[:0])
    d, table = lay.draws(x), lay.table
    length = table.eval_level - table.centre
    difficulty = d["difficulty"] - d["difficulty"].mean()
    for i, m in ((0, 0), (2, 1)):
        mean = d["shown"][m] + d["length_slope"][m] * length[i] - difficulty[i]
        sd = np.exp(d["validity_sd"])
        other = x.copy()
        k = lay.at("level", i * MODELS + m)
        other[k] += 0.7
        moved = lay.draws(other)["level"][i * MODELS + m]
        found = value_of(lay, empty, model[:0], other)[0] - value_of(lay, empty, model[:0], x)[0]
        expected = norm.logpdf(moved, mean, sd) - norm.logpdf(d["level"][i * MODELS + m], mean, sd)
        assert found == pytest.approx(float(expected), rel=1e-7)


def test_prior_of_a_tasks_effects_is_that_of_a_spend_about_what_difficulty_explains(
    case: tuple[Layout, TaskRuns, NDArray[np.int64], Array],
) -> None:
    """In ε and σ: ε ~ N(0, τ²) and σ ~ N(φ·ε, ν²), the change of variables taken out."""
    lay, runs, model, x = case
    empty = TaskRuns(runs.task[:0], runs.kind[:0], runs.ln[:0])

    def density(x: Array, j: int) -> float:
        d, i = lay.draws(x), lay.table.eval_of[j]
        effect, spend = d["task_effect"][j], d["task_spend"][j]
        return float(
            norm.logpdf(effect, 0.0, np.exp(d["task_sd"][i]))
            + norm.logpdf(spend, d["spend_by_effect"] * effect, np.exp(d["task_spend_sd"][i]))
        )

    for j in (1, 7, 11):  # of evals with no, some and many runs a task
        other = x.copy()
        other[lay.at("task_spend", j)] += 0.4
        other[lay.at("task_effect", j)] -= 0.3
        found = value_of(lay, empty, model[:0], other)[0] - value_of(lay, empty, model[:0], x)[0]
        assert found == pytest.approx(density(other, j) - density(x, j), rel=1e-7)


def test_prior_does_not_depend_on_how_it_is_sampled(
    case: tuple[Layout, TaskRuns, NDArray[np.int64], Array],
) -> None:
    """At the same quantities, log densities differ by the log Jacobian of the entries alone."""
    lay, runs, model, x = case
    empty = TaskRuns(runs.task[:0], runs.kind[:0], runs.ln[:0])
    plain = layout_of(lay.table, MODELS, 10.0)
    scale = np.concatenate([x, lay.task_scales(x)[0]])[np.array(lay.sd_entry)]
    weight, other = np.array(lay.sd_weight), np.array(plain.sd_weight)
    moved = x * np.exp((other - weight) * scale)
    for name, value in lay.draws(x).items():
        assert plain.draws(moved)[name] == pytest.approx(value, rel=1e-12)
    jacobian = ((other - weight) * scale).sum()
    one, two = value_of(lay, empty, model[:0], x), value_of(plain, empty, model[:0], moved)
    assert one[0] == pytest.approx(two[0] + jacobian, rel=1e-9)
