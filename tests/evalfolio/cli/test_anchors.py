"""What cannot be held against its threshold is said first, and no probability of it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest
from tests.evalfolio.cli.sentences import one_sentence
from tests.once import once

if TYPE_CHECKING:
    from tests.evalfolio.cli.conftest import Run

DOMAINS = """
[portfolio]
ai_model = "Next"
[budget]
usd = 2_000
staff_hours = 300
[[domain]]
name = "cyber"
threshold_human_time = "8 h"
[[domain]]
name = "bio"
threshold = 2.0
unit = "sd of experts"
"""
EVALS = """
[[eval]]
name = "ctf"
domain = "cyber"
tasks = 40
human_minutes = 40
usd_per_run = [2, 9]
[[eval]]
name = "mcq"
domain = "bio"
tasks = 200
guessing = 0.25
usd_per_run = [0.1, 0.2]
[[eval]]
name = "protocols"
domain = "bio"
tasks = 30
usd_per_run = [5, 9]
mandatory = true
"""
BEGINS = "no anchor: nothing ties the scale of 'bio' to a threshold"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan for two domains, one of which has no anchor, from priors alone."""

    def make(folder: Path) -> None:
        from evalbayes.catalogue import read_catalogue
        from evalbayes.model.fit import fit
        from evalbayes.observations import Observations
        from evalfolio.export import write_all
        from evalfolio.recommendations.recommender import recommend

        (folder / "c.toml").write_text(DOMAINS + EVALS)
        catalogue = read_catalogue(folder / "c.toml")
        posterior = fit(catalogue, Observations(), draws=500)
        write_all(recommend(catalogue, None, posterior, frontier_points=3), folder / "plan")

    return once(tmp_path_factory, "unanchored-plan", make)


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
@pytest.mark.parametrize("command", ["recommend", "sensitivity"])
def test_a_table_without_human_minutes_gives_no_probability(
    run: Run, monkeypatch: pytest.MonkeyPatch, ending: str, command: str
) -> None:
    def fit(*_: object, **__: object) -> None:
        raise AssertionError("what is missing is told before the long work")

    monkeypatch.setattr("evalbayes.model.fit.fit", fit)
    runs = pd.DataFrame({"task": list("abcdefgh"), "outcome": ["success", "gave_up"] * 4})
    runs = runs.assign(eval="ctf", ai_model="M", spend=[5.0 + k for k in range(8)], cap=99.0)
    writer = {"csv": runs.to_csv, "parquet": runs.to_parquet, "xlsx": runs.to_excel}[ending]
    writer(f"runs.{ending}", index=False)  # type: ignore[operator]  # three signatures
    assert run("init", "c.toml", "--from", f"runs.{ending}").code == 0
    assert "# no anchor: no result has human minutes" in Path("c.toml").read_text()
    checked = run("check", "c.toml", f"runs.{ending}")
    assert (checked.code, checked.out.startswith("no anchor: ")) == (0, True)
    asked = json.loads(run("check", "c.toml", f"runs.{ending}", "--json").out)
    assert asked["lines"][0] == asked["no_anchor"]["main"]
    for flags in ((), ("--json",)):
        result = run(command, "c.toml", f"runs.{ending}", "--out", "out", *flags)
        assert (result.code, result.out) == (2, "")
        assert one_sentence(result.err).startswith("error: no anchor: ")
    assert not Path("out").exists()


def test_commands_that_decide_nothing_say_it_first_and_go_on(
    run: Run, posterior_file: Path
) -> None:
    text = posterior_file.with_name("catalogue.toml").read_text()
    Path("c.toml").write_text(text.replace("human_minutes", "# human_minutes"))
    result = run("capability", "c.toml", "--posterior", posterior_file)
    assert result.code == 0, result.err
    assert result.out.startswith("no anchor: ")
    assert "elicitation gap" in result.out
    for made_up in ("chance to exceed", "horizon", "to threshold", "completion"):
        assert made_up not in result.out
    told = json.loads(run("capability", "c.toml", "--posterior", posterior_file, "--json").out)
    assert list(told["no_anchor"]) == ["cyber"]
    result = run("recommend", "c.toml", "--posterior", posterior_file, "--out", "out")
    assert result.code == 2
    assert one_sentence(result.err).startswith("error: no anchor: ")


def test_human_minutes_of_the_observations_stay_with_the_posterior(
    run: Run, tmp_path: Path
) -> None:
    from dataclasses import replace

    from evalbayes.catalogue import parse_catalogue
    from evalbayes.model.fit import fit
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior

    row = {"name": "a", "domain": "d", "tasks": 5, "usd_per_run": [1, 2]}
    catalogue = parse_catalogue({"domain": [{"name": "d", "threshold": 9.0}], "eval": [row]})
    posterior = replace(fit(catalogue, Observations(), draws=100), human_minutes={"a": 30.0})
    assert Posterior.load(posterior.save(tmp_path / "p.nc")).human_minutes == {"a": 30.0}
    Path("c.toml").write_text(
        '[[domain]]\nname = "d"\nthreshold = 9.0\n'
        '[[eval]]\nname = "a"\ndomain = "d"\ntasks = 5\nusd_per_run = [1, 2]\n'
    )
    result = run("capability", "c.toml", "--posterior", "p.nc")
    assert "no anchor" not in result.out
    assert "chance to exceed" in result.out


def test_fit_and_horizons_say_it_first(run: Run) -> None:
    Path("c.toml").write_text(DOMAINS + EVALS)
    result = run("fit", "c.toml", "--out", "p.nc")
    assert (result.code, result.out.startswith(BEGINS)) == (0, True)
    assert json.loads(run("fit", "c.toml", "--out", "p.nc", "--json").out)["no_anchor"]["bio"]
    assert run("horizons", "c.toml").out.startswith(BEGINS)


def test_the_other_domains_are_planned_for_and_it_is_said_first(run: Run, planned: Path) -> None:
    result = run("recommend", planned / "c.toml", "--out", "plan")
    assert result.code == 0, result.err
    assert result.out.startswith(BEGINS)
    assert result.out.count("no anchor") == 1
    plan = json.loads(Path("plan/plan.json").read_text())
    (row,) = plan["no_anchor"]
    assert (row["name"], row["p_exceeds"], row["evals"]) == ("bio", None, ["mcq", "protocols"])
    assert [each["name"] for each in plan["domains"]] == ["cyber"]
    assert {"bio", "cyber"} >= {each["domain"] for each in plan["choices"]}
    # What must be run is run and paid for; nothing else is bought for no call.
    assert [each["eval"] for each in plan["choices"] if each["domain"] == "bio"] == ["protocols"]
    assert [each["reason"] for each in plan["not_chosen"] if each["eval"] == "mcq"] == [
        "would turn no call, as bio has no anchor"
    ]
    assert "it has no anchor, so no call can rest on it" in json.dumps(plan["not_covered"])
    again = run("recommend", planned / "c.toml", "--out", "plan", "--json")
    assert json.loads(again.out)["no_anchor"] == [row]


def test_report_and_workbook_begin_with_it(planned: Path) -> None:
    page = (planned / "plan" / "report.html").read_text()
    alarm = page.index("No anchor: nothing ties the scale of &#39;bio&#39;")
    assert alarm < page.index('<p class="lead">')
    assert "No decision below is about bio." in page
    book = openpyxl.load_workbook(planned / "plan" / "plan.xlsx")
    assert str(book["Summary"]["A3"].value).startswith(f"N{BEGINS[1:]}")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (("score", "{}/mix.csv", "--plan", "{}"), "This mix of"),
        (("explain", "mcq", "--plan", "{}"), "its best option would turn no call"),
        (("explain", "protocols", "--plan", "{}"), "no decision is about its domain"),
        (("require", "{}", "--wrong-call", "cyber=0.4"), "The target needs"),
    ],
)
def test_what_reads_a_plan_says_it_first(
    run: Run, planned: Path, command: tuple[str, ...], answer: str
) -> None:
    result = run(*(word.format(planned / "plan") for word in command))
    assert result.code == 0, result.err
    assert result.out.startswith(BEGINS)
    assert answer in result.out
    asked = run(*(word.format(planned / "plan") for word in command), "--json")
    assert BEGINS in json.loads(asked.out).get("text", json.dumps(json.loads(asked.out)))


def test_a_standard_for_a_domain_without_an_anchor_is_refused(run: Run, planned: Path) -> None:
    result = run("require", planned / "plan", "--wrong-call", "bio=0.1")
    assert result.code == 2
    assert one_sentence(result.err).startswith(f"error: {BEGINS}")


def test_an_eval_of_another_domain_is_explained_without_it(run: Run, planned: Path) -> None:
    assert "no anchor" not in run("explain", "ctf", "--plan", planned / "plan").out


def test_figures_of_a_domain_without_an_anchor_are_not_moved(planned: Path) -> None:
    from evalbayes.catalogue import read_catalogue
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.sensitivities.assumed import assumptions_of

    catalogue = read_catalogue(planned / "c.toml")
    posterior = Posterior.load(planned / "plan" / "posterior.nc")
    moved = {each.domain for each in assumptions_of(catalogue, posterior)}
    assert moved == {"", "cyber"}
