"""`evalfolio prior` and the pictures of `evalfolio fit`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run


def test_the_priors_are_told_beside_what_was_seen(run: Run, files: tuple[Path, Path]) -> None:
    wide = ("--model", "gains", "--model", "pairs")
    alone = run("prior", files[0], *wide)
    assert alone.code == 0, alone.err
    assert "gains: gain in 6 months, doublings is expected from" in alone.out
    assert "nothing was seen of it" in alone.out
    assert "What the priors say of what nothing was seen of" in alone.out
    told = json.loads(run("prior", *files, "--model", "curves", "--draws", 200, "--json").out)
    shares = {row["of"]: row for row in told["figures"] if row["figure"] == "success share"}
    assert shares["ctf by A"]["seen"] == pytest.approx(10 / 40)
    assert 0 < shares["ctf by A"]["probability"] < 1
    quiet = run("prior", files[0], *wide, "--quiet")
    assert quiet.out.splitlines() == alone.out.splitlines()[: len(quiet.out.splitlines())]


def test_an_unknown_model_of_the_priors_is_refused(run: Run, files: tuple[Path, Path]) -> None:
    refused = run("prior", files[0], "--model", "curvs")
    assert refused.code == 2
    assert "models must be among curves, responses, repeats" in refused.err


def test_a_fit_draws_a_picture_of_every_eval(
    run: Run, files: tuple[Path, Path], posterior_file: Path
) -> None:
    shutil.copy(posterior_file, "posterior.nc")  # of the same inputs, so that it is kept
    result = run("fit", *files, "--seed", 1, "--plots", "pictures", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert [Path(path).name for path in told["plots"]] == ["01_ctf.png", "02_exploits.png"]
    for path in told["plots"]:
        assert Path(path).read_bytes().startswith(b"\x89PNG")
