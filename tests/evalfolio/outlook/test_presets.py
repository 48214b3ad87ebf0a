"""Drivers: closed forms of their paths, scenarios, and files that say otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalfolio.errors import InputError
from evalfolio.outlook.presets import OWN, Rate, read_presets


def test_a_rate_that_drifts_has_the_variance_of_its_closed_form() -> None:
    rate, times = Rate(1.5, 0.4, 0.6, 0.3), np.arange(9) / 4
    paths = rate.paths(times, 200_000, np.random.default_rng(1))
    np.testing.assert_allclose(paths.mean(axis=0), 1.5 * times, atol=0.01)
    np.testing.assert_allclose(paths.var(axis=0), rate.variance(times), rtol=0.015, atol=1e-12)
    # a Wiener integral over two steps, not two integrals apart: cov of t and s < t
    drift = Rate(0.0, drift=1.0).paths(times, 200_000, np.random.default_rng(2))
    s, t = times[4], times[8]
    exact = s**2 * (3 * t - s) / 6
    assert np.cov(drift[:, 4], drift[:, 8])[0, 1] == pytest.approx(exact, rel=0.02)


def test_every_figure_has_a_source_or_the_word_assumption() -> None:
    presets = read_presets()
    for scenario in presets.tables["scenario"]:
        sources = presets.under(scenario).sources()
        cited = sources["source"].str.contains(r"assumption|\[V\]|\[X\]|\[C\]")
        assert cited.all(), sources[~cited]
    for name in ("capability", "server", "staff_hour", "composition"):
        assert presets.tables[name]["source"]
    for table in ("rule", "agent"):
        assert all(each["source"] for each in presets.tables[table].values())


def test_scenarios_change_what_they_name_and_nothing_else() -> None:
    base, stalled = read_presets(), read_presets(scenario="RL stalls")
    assert stalled.driver("task_length").high == 5.4 < base.driver("task_length").high
    assert stalled.driver("staff") == base.driver("staff")
    assert read_presets(scenario="pretraining returns").driver("exponent").low == 1.0


def test_a_file_says_some_figures_and_the_rest_is_as_it_comes(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[driver.staff]\nfactor = [1.0, 1.1]\nsource = "our plan of posts"\n')
    presets = read_presets(own)
    staff = presets.driver("staff")
    assert (staff.high, staff.source) == (1.1, "our plan of posts")
    assert presets.driver("money") == read_presets().driver("money")
    copied = tmp_path / "copied.toml"
    copied.write_bytes(OWN.read_bytes())
    assert read_presets(copied).tables == read_presets().tables


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[driver.staff]\nfactor = [2, 1]\n", r"\[driver.staff\]: factor must be \[low, high\]"),
        ("[driver.staff]\nfactor = 2\n", "a list of numbers above 0, got 2"),
        ("[driver.staff]\nfactor = [0, 1]\n", "numbers above 0"),
        ('[driver.staff]\nfactor = ["a", 1]\n', "numbers above 0"),
        ("[driver.staff]\nfactor = [1, 2, 3]\n", r"factor must be \[low, high\]"),
        ('[driver.staff]\nsource = ""\n', "source must be text"),
        ('[driver.staff]\nlow = "x"\n', "got 'low'"),
        ("[driver.staff]\ndrift = nan\n", "drift must be a number above 0, or 0"),
        ("driver = 3\n", "must be a table, got 3"),
        ("[exponent]\nfactor = [3, 1]\n", "factor must be"),
        ("[server]\nyears = 0\n", "years must be a number above 0, got 0"),
        ('[agent.tiny]\nsource = "x"\n', "must have tokens_per_second"),
        ("[agent.tiny]\ntokens_per_second = 3\n", "write assumption"),
        ('[rule.own]\nsource = "x"\ntimes = 4\nfactor = [0.5, 2]\n', "must have months, or times"),
        ("[rule.own]\nmonths = 3\n", "write assumption"),
        ('[cost]\nstudies = ["nothing"]\n', "got 'nothing'"),
        ("[capability]\ngrowth_per_year = [0.5, 0.1]\n", "growth_per_year must be"),
        ("[driver.staf]\nfactor = [1, 2]\n", "staff"),
        ('[scenario."RL stalls"]\ntask_lenght = [1, 2]\n', "task_length"),
        ('default = "RL stall"\n', "RL stalls"),
        ("[drivers.staff]\nfactor = [1, 2]\n", "driver"),
    ],
)
def test_a_wrong_figure_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(InputError, match=said):
        read_presets(own)


def test_a_file_may_add_scenarios_rules_and_agents(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        "[scenario.mine]\nwages = [1, 2]\n"
        '[rule.quarterly]\nmonths = 3\nsource = "assumption"\n'
        '[agent.tiny]\ntokens_per_second = 3\nsource = "assumption"\n'
        "[server]\noverhead = 0\n"
    )
    presets = read_presets(own, "mine")
    assert (presets.driver("wages").low, presets.driver("wages").high) == (1.0, 2.0)
    assert presets.tables["scenario"]["mine"]["words"]
    assert presets.tables["rule"]["quarterly"] == {"months": 3, "source": "assumption"}
    assert presets.driver("staff") == read_presets().driver("staff")
