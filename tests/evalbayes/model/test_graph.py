"""The PyMC model as its user meets it: names, dimensions and coordinates."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks.calibration import complete, design
from tests.evalbayes.model.simulated import log_density

from evalbayes.model.design import design_of
from evalbayes.model.evidence import Evidence, evidence_of


@pytest.fixture(scope="module")
def built() -> tuple[Any, Evidence]:
    """Every part of the model at once."""
    from evalbayes.model.graph import build

    catalogue, observations = complete()
    evidence = evidence_of(observations, catalogue)
    return build(design_of(catalogue, evidence), evidence), evidence


def test_every_quantity_stands_under_its_own_name_with_labels_along_its_axes(built: Any) -> None:
    graph, _ = built
    model = graph.model
    assert model.coords["unit"] == ("doublings of human task time",)
    assert model.coords["condition"][:2] == ("easy, A", "easy, B")
    assert "middle, B, effort 0.8" in model.coords["condition"]
    assert "validity_sd[doublings of human task time]" in model.coords["base_entry"]
    for layout in (graph.base, graph.effects, graph.cells):
        assert len(set(layout.labels)) == len(layout)
        for name, dim in layout.dims.items():
            assert name in model.named_vars
            assert model.named_vars_to_dims.get(name, (None,)) == (dim,)
    assert not set(model.coords) & set(model.named_vars)  # as xarray asks


def test_named_quantities_are_those_that_draws_are_split_into(built: Any) -> None:
    from evalbayes.model import sampling

    graph, _ = built
    vectors = ("base", "effects", "cells")
    names = [each.name for each in graph.model.deterministics]
    drawn = sampling.pm.draw(
        [graph.model[name] for name in (*vectors, *names)],
        draws=5,
        random_seed=1,
        mode="FAST_COMPILE",
    )
    named = graph.named(*drawn[:3])
    for name, values in zip(names, drawn[3:], strict=True):
        if name not in ("margin", "plateau"):  # worked out elsewhere from what is sampled
            np.testing.assert_allclose(values, named[name], rtol=1e-12)


def test_xarray_takes_the_prior_draws_by_name(built: Any) -> None:
    from evalbayes.model import sampling

    graph, _ = built
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the potentials, which a prior leaves out
        drawn = sampling.pm.sample_prior_predictive(5, model=graph.model, random_seed=2)
    plateau = drawn.prior["plateau"].sel(condition="hard, C, effort 0.8")
    assert plateau.shape == (1, 5)
    assert ((plateau > 0) & (plateau < 1)).all()


def test_a_user_adds_to_the_model_and_exchanges_its_data_by_name(built: Any) -> None:
    from evalbayes.model import sampling

    graph, evidence = built
    rng = np.random.default_rng(3)
    point = {key: rng.normal(size=len(getattr(graph, key))) for key in ("base", "effects", "cells")}
    before = log_density(graph.model)(point)
    won = evidence.counts.n_success
    other = replace(evidence, counts=replace(evidence.counts, n_success=won + 1.0))
    assert set(other.data) == {each.name for each in graph.model.data_vars}
    sampling.pm.set_data({"counts_n_success": other.data["counts_n_success"]}, graph.model)
    assert log_density(graph.model)(point) < before
    sampling.pm.set_data({"counts_n_success": evidence.data["counts_n_success"]}, graph.model)
    with graph.model:
        sampling.pm.Potential("mine", -(graph.model["effort_spend"] ** 2))
    effort_spend = point["base"][graph.base.at("effort_spend")]
    after = log_density(graph.model)(point)
    assert before - after == pytest.approx(float(effort_spend**2), rel=1e-9)


def test_a_kind_of_result_without_rows_is_no_data_of_the_model() -> None:
    from pytensor.graph.traversal import graph_inputs

    from evalbayes.model.graph import build

    catalogue, observations = design()
    evidence = evidence_of(observations, catalogue)
    assert not len(evidence.counts)
    model = build(design_of(catalogue, evidence), evidence).model
    used = set(graph_inputs([model.logp()]))  # what can be exchanged once it is compiled
    assert all(each in used for each in model.data_vars)
    assert {each.name for each in model.data_vars} == set(evidence.data)
