"""From a log made by a real Inspect run on a mock model to a plan."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evalfolio.readers import read_inspect_logs

TOY = Path(__file__).parents[1] / "toy_task.txt"
CATALOGUE = """
[portfolio]
ai_model = "mockllm/model"
horizon_months = 6

[budget]
usd = 1000
staff_hours = 100

[[domain]]
name = "cyber"
threshold_human_time = "8 h"
mitigate_above = 0.1

[[eval]]
name = "toy"
domain = "cyber"
family = "toys"
tasks = 4
human_minutes = 30
spend_unit = "tokens"
usd_per_unit = [1e-3, 2e-3]
"""


@pytest.mark.slow
def test_a_log_goes_through_to_a_plan(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai", reason="a run needs the extra `inspect`")
    from evalbayes.catalogue import read_catalogue
    from evalbayes.model.fit import fit
    from evalbayes.observations import read_observations
    from evalfolio.recommendations.recommender import recommend

    shutil.copy(TOY, tmp_path / "toy.py")
    command = [
        *(sys.executable, "-m", "inspect_ai._cli.main", "eval", "--model", "mockllm/model"),
        *("--epochs", "5", "--token-limit", "1000", "--no-fail-on-error"),
        *("--display", "none", "--log-dir", "logs", "--", "toy.py"),
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)
    catalogue = read_catalogue(tmp_path / "catalogue.toml")
    imported = read_inspect_logs(tmp_path / "logs").write(tmp_path / "observations.csv")
    observations = read_observations([imported], catalogue)
    assert observations.excluded == {"toy": 5}
    posterior = fit(catalogue, observations, draws=200, tune=300, chains=2, seed=1)
    plan = recommend(catalogue, observations, posterior).plan
    assert plan.choices["eval"].tolist() == ["toy"]
    # fifteen runs of half an hour are in: five more of them turn no call about tasks of 8 h
    assert 0 <= plan.value <= plan.bound < plan.evpi
    assert plan.spend["usd"] <= 1000
    # The five runs of the broken sample are not among them.
    assert posterior.n_runs.sum() == 15
