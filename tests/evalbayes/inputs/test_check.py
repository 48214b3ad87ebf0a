import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalbayes.catalogue import parse_catalogue, read_catalogue
from evalbayes.catalogue.population import population_gap
from evalbayes.inputs import check_inputs
from evalbayes.observations import Observations, Rows, observations_of, read_observations

EXAMPLE = Path(__file__).parents[3] / "examples" / "cyber"


def runs(*changes: dict[str, Any]) -> Observations:
    """Observe one successful run per change."""
    base = {"eval": "cybench", "task": "t", "ai_model": "Model B", "outcome": "success"}
    rows = [{**base, "spend": 5, "cap": 10, "task": str(i), **c} for i, c in enumerate(changes)]
    return observations_of([Rows(pd.DataFrame(rows, dtype=object), "rows")])


def test_spends_all_alike_are_pointed_out(data: dict[str, Any]) -> None:
    """Five give-ups at one spend look like a limit; four, or spends that differ, do not."""
    catalogue = parse_catalogue(data)

    def told(outcome: str, *spends: float) -> list[str]:
        seen = runs(*({"outcome": outcome, "spend": spend, "cap": 99} for spend in spends))
        return [each for each in check_inputs(catalogue, seen).warnings if "exactly" in each]

    assert told("gave_up", *[7.0] * 5) == [
        "all 5 runs of cybench by Model B that gave up spent exactly 7: if a limit stopped them, "
        "write stopped_otherwise in their outcome; if the spend was filled in, leave it out by "
        "giving counts"
    ]
    assert "is a price per run" in told("success", *[7.0] * 6)[0]
    assert not told("gave_up", *[7.0] * 4)
    assert not told("gave_up", *[7.0] * 5, 8.0)
    row = {"eval": "cybench", "ai_model": "Model B", "n_success": 2, "n_gave_up": 9}
    row |= {"n_stopped_by_cap": 0, "cap": 99, "mean_ln_spend_success": 1.0}
    row |= {"sd_ln_spend_success": 0.0, "mean_ln_spend_gave_up": 2.0, "sd_ln_spend_gave_up": 0.0}
    cells = observations_of([Rows(pd.DataFrame([row], dtype=object), "rows")])
    (line,) = [w for w in check_inputs(catalogue, cells).warnings if "exactly" in w]
    assert line.startswith("all 9 runs of cybench by Model B that gave up spent exactly 7.38906")


def test_the_inputs_are_read_back_in_words(data: dict[str, Any]) -> None:
    lines = check_inputs(parse_catalogue(data)).lines
    assert lines[0] == (
        "AI model under test: Model A; 2 domains, 2 evals; decisions stand for 6 months; "
        "all money is in one currency, called usd"
    )
    assert lines[1] == (
        "budget: 1,000 usd of which 10% is kept back, 100 staff hours; "
        "not limited: calendar_days, agents_in_parallel"
    )
    assert lines[2] == (
        "cyber: danger above 8.91 (8 h), in doublings of human task time; mitigate when the "
        "probability of exceeding it is above 0.1, so a missed unit weighs 28 times a false "
        "alarm; weight 1; shown capability learned from the observations; elicitation gap "
        f"by the {population_gap('cyber')}; 1 eval, at least 1 to be run"
    )
    assert "danger above 2, in sd of human persuaders" in lines[3]


def test_losses_are_read_back_as_a_probability(data: dict[str, Any]) -> None:
    for domain in data["domain"]:
        domain |= {"loss_missed": 28.07e6, "loss_false_alarm": 1e6}
    (line,) = (x for x in check_inputs(parse_catalogue(data)).lines if x.startswith("cyber"))
    assert "a missed unit loses 28,070,000 usd and a false alarm 1,000,000" in line
    assert "so mitigate when the probability of exceeding it is above some 0.1" in line


def test_what_rests_on_what_is_said(data: dict[str, Any]) -> None:
    data["eval"][1]["plateau"] = [0.2, 0.6]
    data["eval"].append({"name": "bare", "domain": "cyber", "tasks": 3})
    catalogue = parse_catalogue(data)
    report = check_inputs(catalogue, runs({}, {"ai_model": "Model A", "effort": 0.8}))
    assert report.evals["rests_on"].to_dict() == {
        "cybench": "observations",
        "dialogue": "expert ranges (plateau, usd_per_run)",
        "bare": "nothing",
    }
    seen = report.evals[["runs", "ai_models", "runs_under_test"]].to_numpy()
    assert seen.tolist() == [[2, 2, 1], [0, 0, 0], [0, 0, 0]]
    assert "observations: 2 runs of 1 eval by 2 AI models" in report.lines
    assert "Model A has 1 run among them" in report.lines
    assert "resting on expert ranges alone: dialogue" in report.lines
    assert report.missing[0].startswith("observations or usd_per_run of bare; without them no plan")
    assert not any("no run was elicited" in line for line in report.lines)
    assert report.domains.loc["cyber", "evals"] == 2


def test_without_observations_it_says_so(data: dict[str, Any]) -> None:
    report = check_inputs(parse_catalogue(data))
    assert "observations: none, so everything rests on the catalogue's ranges" in report.lines
    assert any("no run was elicited" in line for line in report.lines)
    assert "without a range of the plateau, taken from the other evals: cybench, dialogue" in str(
        report
    )
    assert report.missing == ()


def test_scores_alone_are_observations(data: dict[str, Any]) -> None:
    row = {"eval": "cybench", "ai_model": "Model B", "cap": 9, "score": 0.3}
    frame = pd.DataFrame([{**row, "standard_error": 0.1}], dtype=object)
    report = check_inputs(parse_catalogue(data), observations_of([Rows(frame, "rows")]))
    assert report.evals.loc["cybench", "rests_on"] == "observations"
    assert any("Model A is not among them" in line for line in report.lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cap": 2e6, "spend": 1e6}, "cybench was observed with a cap of 2,000,000, taken as usd"),
        ({"ai_model": "model-a"}, "the AI model under test is 'Model A', and 'model-a' is obser"),
        ({"human_minutes": 400}, "cybench has human_minutes of 42 in the catalogue and 400 in"),
    ],
)
def test_what_is_probably_not_meant_is_said(
    change: dict[str, Any], message: str, data: dict[str, Any]
) -> None:
    catalogue = parse_catalogue(data)
    assert not check_inputs(catalogue, runs({})).warnings
    (warning,) = check_inputs(catalogue, runs(change)).warnings
    assert warning.startswith(message)


def test_a_domain_with_too_few_evals_is_named(data: dict[str, Any]) -> None:
    data["eval"][0]["forbidden"] = True
    (warning,) = check_inputs(parse_catalogue(data)).warnings
    assert warning == "cyber has min_evals of 1, but only 0 of its evals may be run"


def test_a_budget_by_skill_is_read_back(data: dict[str, Any]) -> None:
    data["budget"] = {"staff_hours": {"cyber": 10, "persuasion": 20}, "calendar_days": 3}
    data["budget"]["agents_in_parallel"] = 4
    line = check_inputs(parse_catalogue(data)).lines[1]
    assert line == (
        "budget: 30 staff hours (10 of cyber, 20 of persuasion), 3 calendar days, "
        "4 agents in parallel; not limited: usd"
    )


def test_assumptions_that_are_alike_are_one_row(data: dict[str, Any]) -> None:
    report = check_inputs(parse_catalogue(data))
    frame = report.to_frame()
    (row,) = frame[frame["key"] == "staff_hours"].to_dict("records")
    assert row["where"] == "eval 'cybench'; eval 'dialogue'"
    assert frame["where"].str.count("'").sum() / 2 + 1 == len(report.assumptions)
    assert report.lines[-1] == (
        f"{len(report.assumptions)} figures assumed, as nobody gave them; `recommend`, and "
        "`check --posterior` of a fit, name the five of them that move the plan most, and whom to "
        "ask"
    )


def test_the_example_is_complete_and_raises_no_suspicion() -> None:
    catalogue = read_catalogue(EXAMPLE / "catalogue.toml")
    files = sorted(EXAMPLE.glob("*.csv"))
    report = check_inputs(catalogue, read_observations(files, catalogue))
    assert report.missing == ()
    assert report.warnings == ()
    assert any(line.startswith("GPT-5.5 is not among them") for line in report.lines)


def test_reading_a_catalogue_loads_nothing_heavy() -> None:
    code = (
        "import sys, evalbayes.catalogue, evalbayes.observations;"
        "heavy = {'pymc', 'arviz', 'matplotlib', 'xlsxwriter', 'openpyxl', 'jinja2', 'cvxpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_odd_spaces_of_a_catalogue_are_said(tmp_path: Path) -> None:
    from evalbayes.catalogue import read_catalogue

    toml = tmp_path / "catalogue.toml"
    text = '[[domain]]\nname = "cyber"\nthreshold = 9\n'
    text += '[[eval]]\nname = "cyb\u200bench"\ndomain = "cyber"\ntasks = 3\nhuman_minutes = 4\n'
    text += 'family = "c\u2009t"\n'
    toml.write_text(text, encoding="utf-8")
    catalogue = read_catalogue(toml)
    note = "catalogue.toml: 2 texts had invisible or odd spaces and are read without them, first "
    (line,) = (each for each in check_inputs(catalogue, None).lines if each.startswith("note: "))
    assert line == f"note: {note}'cyb\\u200bench' as 'cybench'"
    plainly = tmp_path / "plain.toml"
    plainly.write_text(text.replace("\u2009", " ").replace("\u200b", ""), encoding="utf-8")
    assert read_catalogue(plainly).notes == ()
    assert read_catalogue(plainly).hash == catalogue.hash
