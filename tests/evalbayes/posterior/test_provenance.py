"""A stored posterior is kept only while a fit would give the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.evalbayes.model.simulated import catalogue, observed, runs

from evalbayes.model.completion import prior_base
from evalbayes.model.fit import fit
from evalbayes.observations import Observations


def test_nothing_changed_keeps_the_stored_posterior_and_any_change_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs, path = catalogue(), tmp_path / "posterior.nc"
    stored = fit(specs, Observations(), draws=50, seed=3)
    stored.save(path)
    kept = fit(specs, Observations(), draws=50, seed=3, keep=path)
    np.testing.assert_array_equal(kept.draws["shown"], stored.draws["shown"])
    made: list[int] = []

    def counted(design: object, draws: int, seed: int) -> object:
        made.append(seed)
        return prior_base(design, draws, seed)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr("evalbayes.model.fit.prior_base", counted)
    fit(specs, Observations(), draws=50, seed=3, keep=path)
    assert not made
    fit(specs, Observations(), draws=50, seed=4, keep=path)
    fit(specs, Observations(), draws=51, seed=3, keep=path)
    fit(specs, Observations(), draws=50, seed=3, families=("hill",), keep=path)
    fit(catalogue(threshold_human_time="4 h"), Observations(), draws=50, seed=3, keep=path)
    assert made == [4, 3, 3, 3]


def test_other_observations_have_another_hash() -> None:
    one = observed(runs(catalogue(), n=4))
    other = observed(runs(catalogue(), n=4, seed=1))
    assert one.hash != other.hash == observed(runs(catalogue(), n=4, seed=1)).hash


def test_what_is_no_posterior_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "posterior.nc"
    path.write_text("not a posterior")
    assert fit(catalogue(), Observations(), draws=50, keep=path).n_draws == 50
