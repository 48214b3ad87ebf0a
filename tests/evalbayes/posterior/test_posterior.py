"""The posterior: checked at construction, and the same after writing and reading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalbayes.errors import InputError
from evalbayes.posterior.diagnostics import Diagnostics
from evalbayes.posterior.posterior import DIMENSIONS, ONE_IN_A_UNIT, Posterior

LENGTHS = {"domain": 2, "knot": 2, "eval": 3, "ai_model": 2, "family": 1}


def posterior(n_draws: int = 20, **changes: Any) -> Posterior:
    import pandas as pd

    rng = np.random.default_rng(0)
    draws = {
        key: rng.uniform(0.5, 2.0, (n_draws, *(LENGTHS[dim] for dim in dims)))
        for key, dims in DIMENSIONS.items()
    }
    draws["spend_family"] = np.round(draws["spend_family"])
    fields: dict[str, Any] = {
        "domains": ("cyber", "autonomy"),
        "evals": ("a", "b", "c"),
        "ai_models": ("A", "B"),
        "families": ("ctf",),
        "draws": draws,
        "loadings": np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.2]]),
        "family_of": np.array([0, -1, 0]),
        "n_runs": np.array([[3, 0], [0, 0], [0, 9]]),
        "elicited_history": True,
        "diagnostics": Diagnostics(pd.DataFrame(), pd.DataFrame(), 0, n_draws, ("a note",)),
        "provenance": {"seed": 1, "chains": 2},
    }
    return Posterior(**(fields | changes))


def test_plateau_is_the_formula_written_out() -> None:
    belief = posterior()
    d, effort, k, m = belief.draws, 0.8, 2, 1
    reach = 0.8 * (d["shown"][:, 0, m] + effort * d["gap"][:, 0, m])
    reach = reach + 0.2 * (d["shown"][:, 1, m] + effort * d["gap"][:, 1, m])
    reach = reach + effort * d["gap_departure"][:, k, m] - d["difficulty"][:, k]
    reach = reach + d["private_error"][:, k, m] + d["family_error"][:, 0, m]
    expected = 1 / (1 + np.exp(-d["slope"][:, 0, m] * reach))  # its domains are of one unit
    np.testing.assert_allclose(belief.plateau("B", effort)[:, k], expected)
    each = belief.plateau("B", np.array([0.0, 0.0, effort]))
    np.testing.assert_allclose(each[:, k], expected)


@pytest.mark.parametrize("families", [("ctf",), ()])
def test_it_reads_back_as_written_and_arviz_reads_it_too(
    tmp_path: Path, families: tuple[str, ...]
) -> None:
    belief = posterior()
    if not families:
        draws = {**belief.draws, "family_error": np.zeros((20, 0, 2))}
        belief = replace(belief, families=(), family_of=np.full(3, -1), draws=draws)
    path = belief.save(tmp_path / "folder" / "posterior.nc")
    again = Posterior.load(path)
    for key in ("domains", "evals", "ai_models", "families", "elicited_history", "provenance"):
        assert getattr(again, key) == getattr(belief, key)
    for key, draws_ in belief.draws.items():
        np.testing.assert_array_equal(again.draws[key], draws_)
    np.testing.assert_array_equal(again.n_runs, belief.n_runs)
    assert again.diagnostics.notes == ("a note",)
    assert list(tmp_path.joinpath("folder").iterdir()) == [path]

    import xarray as xr

    with xr.open_dataset(path, group="posterior", engine="h5netcdf") as stored:
        assert stored["shown"].dims == ("chain", "draw", "knot", "ai_model")


def test_what_was_written_for_all_units_holds_in_every_domain(tmp_path: Path) -> None:
    """As files were before domains of different units had slopes of their own."""
    belief = posterior()
    shared = {key: belief.draws[key][:, 0] for key in ONE_IN_A_UNIT}
    path = posterior(draws={**belief.draws, **shared}).save(tmp_path / "new.nc")

    import xarray as xr

    with xr.open_dataset(path, group="posterior", engine="h5netcdf") as stored:
        old = stored.load()
    for key in ONE_IN_A_UNIT:
        old[key] = old[key].isel(domain=0, drop=True)
    before = tmp_path / "old.nc"
    with xr.open_dataset(path, engine="h5netcdf") as root:
        root.load().to_netcdf(before, engine="h5netcdf")
    with xr.open_dataset(path, group="constant_data", engine="h5netcdf") as stored:
        stored.load().to_netcdf(before, mode="a", group="constant_data", engine="h5netcdf")
    old.to_netcdf(before, mode="a", group="posterior", engine="h5netcdf")
    again = Posterior.load(before)
    for key in ONE_IN_A_UNIT:
        for i in range(3):
            np.testing.assert_array_equal(again.in_unit_of(i, key), shared[key])


def test_of_one_ai_model_alone_all_is_the_same() -> None:
    whole = posterior()
    name = whole.ai_models[-1]
    alone = whole.about(name)
    assert alone.ai_models == (name,)
    for effort in (0.0, 0.7):
        np.testing.assert_array_equal(alone.plateau(name, effort), whole.plateau(name, effort))
    np.testing.assert_array_equal(alone.n_runs[:, 0], whole.n_runs[:, -1])
    with pytest.raises(InputError, match="ai_model must be one it was fitted with"):
        whole.about("nobody")


def test_fewer_draws_are_evenly_spaced() -> None:
    belief = posterior(n_draws=20)
    few = belief.thinned(5)
    assert few.n_draws == 5
    np.testing.assert_array_equal(few.draws["shown"][-1], belief.draws["shown"][-1])


def test_wrong_draws_are_refused() -> None:
    belief = posterior()
    without = {key: value for key, value in belief.draws.items() if key != "shown"}
    with pytest.raises(InputError, match="draws must hold 'shown'"):
        replace(belief, draws=without)
    with pytest.raises(InputError, match=r"slope must have shape \(20, 2, 2\)"):
        replace(belief, draws={**belief.draws, "slope": np.ones((20, 3))})
    with pytest.raises(InputError, match="gap must be finite numbers above 0 and at most"):
        replace(belief, draws={**belief.draws, "gap": np.full((20, 2, 2), np.nan)})
    with pytest.raises(InputError, match=r"loadings must have shape \(3, 2\)"):
        replace(belief, loadings=np.ones((2, 2)))


def test_an_unknown_ai_model_is_refused_with_those_there() -> None:
    with pytest.raises(InputError, match="ai_model must be one it was fitted with, got 'D'"):
        posterior().plateau("D")


def test_a_file_that_is_no_posterior_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posterior.nc"
    path.write_text("nothing of the kind")
    with pytest.raises(InputError, match="must be a posterior written by `evalfolio fit`"):
        Posterior.load(path)
    with pytest.raises(InputError, match="must be a posterior written by"):
        Posterior.load(tmp_path / "missing.nc")


@pytest.mark.parametrize("made", ["without a draw", "in another format"])
def test_a_posterior_of_another_version_is_refused(tmp_path: Path, made: str) -> None:
    """As written before families of spend: read as zeros, widths would give NaN in a menu."""
    import json

    import xarray as xr

    path, older = posterior().save(tmp_path / "new.nc"), tmp_path / "posterior.nc"
    with xr.open_dataset(path, engine="h5netcdf") as root:
        head = json.loads(root.attrs["evalfolio"])
    if made == "in another format":
        head["format"] = 0
    attributes = {"evalfolio": json.dumps(head)}
    xr.Dataset(attrs=attributes).to_netcdf(older, mode="w", engine="h5netcdf")
    for group in ("posterior", "constant_data"):
        with xr.open_dataset(path, group=group, engine="h5netcdf") as stored:
            part = stored.load().drop_vars("spend_width", errors="ignore")
        part.to_netcdf(older, mode="a", group=group, engine="h5netcdf")
    message = {
        "without a draw": "must hold 'spend_width', which this one lacks: .*; fit again",
        "in another format": "format must be 2, got 0, which an earlier one wrote; fit again",
    }[made]
    with pytest.raises(InputError, match=message):
        Posterior.load(older)


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be a file that can be written, got"):
        posterior().save(tmp_path / "file" / "posterior.nc")
