"""The likelihood of one AI model's runs: against the joint model's formula, and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logsumexp
from scipy.stats import norm

from evalbayes.tasks.forecast import grouped
from evalbayes.tasks.kernel import evaluate
from evalbayes.tasks.prediction import predict

Array = NDArray[np.float64]
N_EVALS, N_TASKS, N_DRAWS, N_NODES = 2, 6, 3, 3


@pytest.fixture
def case() -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(1)
    weight = rng.dirichlet(np.ones(N_NODES), (N_DRAWS, N_TASKS))
    return {
        "task": np.array([0, 1, 1, 2, 3, 4, 4, 4, 5, 5]),
        "kind": np.array([0, 1, 2, 3, 4, 2, 0, 1, 3, 2]),
        "ln": rng.normal(1.0, 1.0, 10),
        "eval_of": np.array([0, 0, 0, 1, 1, 1]),
        "within": rng.normal(0, 2, N_TASKS),
        "difficulty": rng.normal(0, 1, (N_DRAWS, N_TASKS)),
        "node": rng.normal(0, 1.5, (N_DRAWS, N_TASKS, N_NODES)),
        "log_weight": np.log(weight),
        "spend": rng.normal(0, 0.5, (N_DRAWS, N_TASKS, N_NODES, 2)),
        "scale": rng.uniform(0.5, 2.0, (N_DRAWS, N_TASKS, N_NODES, 2)),
        "local": rng.normal(0, 0.7, (N_DRAWS, N_EVALS, 5)),
    }


def by_hand(case: dict[str, NDArray[np.generic]], local: Array, d: int) -> float:
    """Sum over nodes of the product over a task's runs, from scipy's distributions."""
    c = case
    total = 0.0
    for j in np.unique(c["task"]):
        i = c["eval_of"][j]
        own = local[i]
        terms = []
        for k in range(N_NODES):
            reach = own[0] + own[2] * c["within"][j] - c["difficulty"][d, j] - c["node"][d, j, k]
            a = expit(np.exp(own[1]) * reach)
            f, g = (
                norm(own[3 + o] + c["spend"][d, j, k, o], c["scale"][d, j, k, o]) for o in range(2)
            )
            term = c["log_weight"][d, j, k]
            for kind, ln in zip(c["kind"][c["task"] == j], c["ln"][c["task"] == j], strict=True):
                term += np.log(
                    [
                        a * f.pdf(ln),
                        (1 - a) * g.pdf(ln),
                        a * f.sf(ln) + (1 - a) * g.sf(ln),
                        a * f.cdf(ln),
                        1 - a * f.cdf(ln),
                    ][kind]
                )
            terms.append(term)
        total += logsumexp(terms)
    return float(total)


def run(case: dict[str, NDArray[np.generic]], local: Array) -> tuple[Array, ...]:
    own, start, order = grouped(case["task"].astype(np.int64))
    rest = {k: v for k, v in case.items() if k not in ("task", "kind", "ln", "local")}
    found: tuple[Array, ...] = evaluate(
        np.arange(N_DRAWS),
        local,
        own,
        start,
        case["kind"][order],
        case["ln"][order],
        **rest,
        derivatives=True,
        posterior=True,
    )
    return found


def test_likelihood_is_the_sum_over_effects_of_the_product_over_runs(
    case: dict[str, NDArray[np.generic]],
) -> None:
    local = case["local"].astype(float)
    value, *_ = run(case, local)
    expected = [by_hand(case, local[d], d) for d in range(N_DRAWS)]
    np.testing.assert_allclose(value, expected, rtol=1e-10)


def test_derivatives_are_those_of_central_differences(
    case: dict[str, NDArray[np.generic]],
) -> None:
    local = case["local"].astype(float)
    _, first, second, _ = run(case, local)
    step = 1e-5
    for i in range(N_EVALS):
        for c in range(5):
            shift = np.zeros_like(local)
            shift[:, i, c] = step
            up, down = run(case, local + shift), run(case, local - shift)
            np.testing.assert_allclose(
                (up[0] - down[0]) / (2 * step), first[:, i, c], rtol=1e-5, atol=1e-7
            )
            np.testing.assert_allclose(
                (up[1][:, i] - down[1][:, i]) / (2 * step), second[:, i, c], rtol=1e-5, atol=1e-6
            )


def test_success_of_a_run_that_goes_on_is_the_conditional_probability(
    case: dict[str, NDArray[np.generic]],
) -> None:
    c, at = case, np.arange(N_TASKS)
    rest = {k: v for k, v in c.items() if k not in ("task", "kind", "ln", "local", "log_weight")}

    def foretold(passed: float, cap: float, log_weight: Array) -> tuple[Array, Array]:
        found: tuple[Array, Array] = predict(
            np.arange(N_DRAWS),
            c["local"],
            at,
            np.full(N_TASKS, cap),
            np.full(N_TASKS, passed),
            log_weight,
            np.zeros_like(c["scale"]),
            False,
            **rest,
        )
        return found

    # One node, so that weights need no updating: P(c) = P(t) + P(still at t)·P(c | still at t).
    one = np.where(np.arange(N_NODES) == 0, 0.0, -np.inf) + np.zeros((N_DRAWS, N_TASKS, 1))
    early, late = foretold(-np.inf, 0.5, one)[0], foretold(-np.inf, 2.5, one)[0]
    going = foretold(0.5, 2.5, one)[0]
    still = np.exp(
        [
            [
                by_hand(
                    {**c, "task": np.array([j]), "kind": np.array([2]), "ln": np.array([0.5]),
                     "log_weight": one},
                    c["local"][d].astype(float),
                    d,
                )
                for j in at
            ]
            for d in range(N_DRAWS)
        ]
    )  # fmt: skip
    np.testing.assert_allclose(late, early + still * going, rtol=1e-9)


def test_expected_spend_is_the_integral_of_survival(case: dict[str, NDArray[np.generic]]) -> None:
    c, at = case, np.arange(N_TASKS)
    rest = {k: v for k, v in c.items() if k not in ("task", "kind", "ln", "local", "log_weight")}
    one = np.where(np.arange(N_NODES) == 0, 0.0, -np.inf) + np.zeros((N_DRAWS, N_TASKS, 1))
    nothing = np.full(N_TASKS, -np.inf)
    ln_cap = np.full(N_TASKS, 2.0)
    apart = np.zeros_like(c["scale"])
    rows = np.arange(N_DRAWS)
    _, spend = predict(rows, c["local"], at, ln_cap, nothing, one, apart, False, **rest)
    ln = np.linspace(-8.0, 2.0, 161)  # ∫ S(t) dt = ∫ S(e^y) e^y dy, S = 1 below
    for d in range(N_DRAWS):
        for j in at:
            run = {**c, "task": np.array([j]), "kind": np.array([2]), "log_weight": one}
            still = np.exp(
                [by_hand({**run, "ln": np.array([x])}, c["local"][d].astype(float), d) for x in ln]
            )
            expected = np.trapezoid(still * np.exp(ln), ln) + np.exp(ln[0])
            assert spend[d, j] == pytest.approx(expected, rel=2e-3)
