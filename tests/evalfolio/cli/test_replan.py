"""A programme: replanned after results, repeated from its log, and concluded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.evalfolio.cli.conftest import CATALOGUE, CELLS, Run

import evalfolio as ef
from evalbayes.posterior.posterior import Posterior
from evalfolio.errors import InputError
from evalfolio.examples import small_menu
from evalfolio.export import write_all
from evalfolio.export.report import report
from evalfolio.programmes.concluding import conclude, write_conclusion
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.replanning import Replanned, replan
from evalfolio.programmes.standing import standing_of
from evalfolio.programmes.stopping import next_dollar
from evalfolio.record.record import Record
from evalfolio.search.certified import Certified

QUICK = Certified(gap=5e-3, time_limit=5.0)


def results_of(
    plan: Path, out: Path, evals: Sequence[str] | None = None, solve: float = 0.5
) -> Path:
    """Write runs of everything a plan buys (of some evals), solved as often as asked."""
    rows: list[tuple[object, ...]] = []
    for k, row in enumerate(Record.load(plan).choices):
        if evals is not None and row.eval not in evals:
            continue
        assert row.tasks is not None
        assert row.cap is not None
        rng, most = np.random.default_rng(k), row.effort or 0.0
        for effort in dict.fromkeys([0.0, most]):
            won = rng.random(row.tasks) < solve + effort * (1 - solve) / 2
            spend = np.minimum(np.exp(rng.normal(12.0, 1.0, row.tasks)), 0.9 * row.cap)
            for task, (success, spent) in enumerate(zip(won, spend, strict=True)):
                outcome = "success" if success else "gave_up"
                rows.append((row.eval, f"t{task}", "Next", outcome, spent, row.cap, effort))
    columns = ["eval", "task", "ai_model", "outcome", "spend", "cap", "effort"]
    pd.DataFrame(rows, columns=columns).to_csv(out, index=False)
    return out


def stepped(plan: Path, out: Path, *new: Path) -> Replanned:
    """Replan in Python and write it."""
    programme = Programme.load(plan)
    made = replan(programme, new, method=QUICK, frontier_points=0)
    write_all(made.recommendation, out, programme=lambda f: programme.write(f, new, made.step))
    return made


def test_without_results_nothing_changes(plan_folder: Path, run: Run, tmp_path: Path) -> None:
    done = run("replan", plan_folder, "--out", tmp_path / "next", "--quiet")
    assert done.code == 0, done.err
    assert "no result has come in; the plan stands as it was" in done.out
    old, new = (pd.read_csv(folder / "mix.csv") for folder in (plan_folder, tmp_path / "next"))
    pd.testing.assert_frame_equal(new, old)


def test_with_every_bought_run_returned_none_is_bought_again(
    plan_folder: Path, tmp_path: Path
) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv")
    made = stepped(plan_folder, tmp_path / "next", file)
    bought = {row.eval: row for row in Record.load(plan_folder).choices}
    of = {spec.name: spec.tasks for spec in made.recommendation.catalogue.evals}
    for name, row in made.recommendation.menu.options.iterrows():
        if row["eval"] in bought and row["tasks"] and "once more" not in str(name):
            assert row["tasks"] + row["tasks_done"] <= of[row["eval"]]
            if row["effort"] == 0:
                assert row["tasks_done"] == bought[row["eval"]].tasks
    runs = pd.read_csv(file)
    price = made.recommendation.catalogue.eval(runs["eval"][0]).usd_per_unit.lognormal_mean
    assert made.paid["usd"] == pytest.approx(runs["spend"].sum() * price, rel=1e-6)
    before, left = Record.load(plan_folder), made.recommendation.record
    assert left.spendable["usd"] == pytest.approx(before.spendable["usd"] - made.paid["usd"])
    assert left.programme is not None
    assert "have come in and used" in left.programme.sentences[0]


@pytest.mark.slow  # a plan replanned six ways
def test_batches_and_order_end_in_the_same_belief_and_the_log_repeats_every_step(
    plan_folder: Path, tmp_path: Path
) -> None:
    one = results_of(plan_folder, tmp_path / "one.csv", ["ctf"])
    two = results_of(plan_folder, tmp_path / "two.csv", ["exploits"], solve=0.3)
    both = stepped(plan_folder, tmp_path / "both", two, one)
    first = stepped(plan_folder, tmp_path / "first", one)
    then = stepped(tmp_path / "first", tmp_path / "then", two)
    for name in ("p_exceeds", "capability_mean", "prior_sd"):
        ends = [
            [getattr(row, name) for row in m.recommendation.record.domains] for m in (both, then)
        ]
        np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)
    assert both.step["options"] == then.step["options"]
    programme = Programme.load(tmp_path / "then")
    steps = json.loads((tmp_path / "then" / "programme.json").read_text())["steps"]
    assert [step["step"] for step in steps] == [0, 1, 2]
    for step, made in ((1, first), (2, then)):
        files = programme.paths(until=step)
        again = replan(Programme.load(plan_folder), files, method=QUICK, frontier_points=0)
        assert again.step["options"] == steps[step]["options"] == made.step["options"]
    with pytest.raises(InputError, match="these came in at step 1 already"):
        programme.paths([one])
    three = results_of(plan_folder, tmp_path / "three.csv", ["ctf"], solve=0.9)
    with pytest.raises(InputError, match=r"came in with this step already; give each file once"):
        programme.paths([three, three])


def test_a_programme_says_when_to_stop(plan_folder: Path, tmp_path: Path) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv", ["exploits"])  # hours are left
    programme = Programme.load(plan_folder)
    dear, cheap = (
        replan(programme, [file], method=QUICK, frontier_points=0, point_usd=price).next_dollar
        for price in (1e-6, 1e9)
    )
    assert dear.stop is True
    assert str(dear).startswith("The next dollar returns $")
    assert str(dear).endswith("at best: stop here.")
    assert cheap.stop is False
    assert str(cheap).endswith("go on.")
    assert dear.rate == pytest.approx(cheap.rate)


def test_how_it_ended(plan_folder: Path, run: Run, tmp_path: Path) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv", solve=0.02)
    done = run("conclude", plan_folder, file, "--out", tmp_path / "end", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    first = Record.load(plan_folder).domains[0]
    row = told["decisions"][0]
    assert (row["call_before"], row["p_missed_promised"]) == (
        first.call_now,
        first.p_missed_expected,
    )
    assert row["p_exceeds"] < first.p_exceeds
    assert told["surprises"]
    assert "less than the" in told["surprises"][0]
    assert (tmp_path / "end" / "history" / "results.csv").read_bytes() == file.read_bytes()
    page = (tmp_path / "end" / "conclusion.html").read_text()
    assert "What the evals say of Next" in page
    assert told["surprises"][0] in page.replace("&#39;", "'")


def test_what_is_concluded_is_what_replanning_believes(plan_folder: Path, tmp_path: Path) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv")
    made = stepped(plan_folder, tmp_path / "next", file)
    programme = Programme.load(tmp_path / "next")
    found = conclude(programme)
    for row, same in zip(found.decisions, made.recommendation.record.domains, strict=True):
        assert row["p_exceeds"] == pytest.approx(same.p_exceeds)
        assert row["call"] == same.call_now
    folder = write_conclusion(found, programme, (), tmp_path / "end")
    assert json.loads((folder / "conclusion.json").read_text())["ai_model"] == "Next"
    with pytest.raises(InputError, match="there must be results to conclude from"):
        conclude(Programme.load(plan_folder))


def test_a_log_is_not_lost_to_another_command(plan_folder: Path, run: Run, tmp_path: Path) -> None:
    stepped(plan_folder, tmp_path / "next", results_of(plan_folder, tmp_path / "results.csv"))
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)
    (tmp_path / "cells.csv").write_text(CELLS)
    done = run("recommend", "catalogue.toml", "cells.csv", "--out", tmp_path / "next")
    assert done.code == 2
    assert "the plan there is of `evalfolio replan`" in done.err
    assert (tmp_path / "next" / "programme.json").is_file()


def test_a_resource_that_was_paid_must_be_known(plan_folder: Path) -> None:
    with pytest.raises(InputError, match=r"paid: a resource must be one of .* got 'eur'"):
        replan(Programme.load(plan_folder), used={"eur": 3.0}, method=QUICK)


@pytest.mark.parametrize("amount", [-1.0, np.inf, np.nan])
def test_what_was_paid_is_an_amount(plan_folder: Path, amount: float) -> None:
    with pytest.raises(InputError, match=r"paid: usd must be 0 or more, got"):
        replan(Programme.load(plan_folder), used={"usd": amount}, method=QUICK)


def test_what_was_really_paid_is_kept_for_later_steps_and_the_conclusion(
    plan_folder: Path, tmp_path: Path
) -> None:
    one = results_of(plan_folder, tmp_path / "one.csv", ["ctf"])
    two = results_of(plan_folder, tmp_path / "two.csv", ["exploits"])
    told = standing_of(Programme.load(plan_folder), [one]).paid["usd"]
    programme = Programme.load(plan_folder)
    made = replan(programme, [one], used={"usd": told + 500.0}, method=QUICK, frontier_points=0)
    assert made.paid["usd"] == pytest.approx(told + 500.0)
    log = partial(programme.write, new=[one], step=made.step)
    write_all(made.recommendation, tmp_path / "step", programme=log)
    later = standing_of(Programme.load(tmp_path / "step"), [two])
    both = standing_of(Programme.load(plan_folder), [one, two])
    assert later.paid["usd"] == pytest.approx(both.paid["usd"] + 500.0)
    assert later.budget["usd"] == pytest.approx(both.budget["usd"] - 500.0)
    ended = conclude(Programme.load(tmp_path / "step"), [two])
    assert ended.paid["usd"]["paid"] == pytest.approx(later.paid["usd"])


def test_where_nothing_is_left_the_page_says_so_and_names_no_rival(
    plan_folder: Path, tmp_path: Path
) -> None:
    programme = Programme.load(plan_folder)
    new = [results_of(plan_folder, tmp_path / "results.csv")]
    made = replan(programme, new, used=programme.budget, method=QUICK, frontier_points=0)
    record = made.recommendation.record
    assert record.to_run == ()
    assert record.words.firm == ""
    why = {row.reason for row in record.not_covered if " / " not in row.name}
    assert "nothing more of it runs; its call rests on what has been run" in why
    page = report(made.recommendation)
    assert "Run nothing on Next" in page
    assert "Less money, fewer hours" not in page


def test_simulated_and_replayed_programmes_ask_what_replan_asks(
    plan_folder: Path, tmp_path: Path
) -> None:
    programme = Programme.load(plan_folder)
    new = [results_of(plan_folder, tmp_path / "results.csv", ["ctf"])]
    made = replan(programme, new, method=QUICK, frontier_points=0).recommendation
    asked = standing_of(programme, new).question(made.menu, programme.constraints)
    assert asked.spendable == pytest.approx(made.plan.question.spendable)
    assert list(map(str, asked.limits)) == list(map(str, made.plan.question.limits))


def test_a_plan_of_an_earlier_version_is_refused(plan_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes((plan_folder / "plan.json").read_bytes())
    with pytest.raises(InputError, match=r"has no catalogue\.json; make the plan again"):
        Programme.load(tmp_path)


def test_several_ai_models_share_one_budget(
    files: tuple[Path, Path], posterior_file: Path, run: Run, tmp_path: Path
) -> None:
    words = ("recommend", files[0], "--posterior", posterior_file, "--ai-model", "Next")
    done = run(*words, "--ai-model", "C", "--out", tmp_path / "both")
    assert done.code == 0, done.err
    assert "Next gets $" in done.out
    assert " and C gets $" in done.out
    record = Record.load(tmp_path / "both")
    assert {row.name for row in record.domains} == {"Next: cyber", "C: cyber"}
    assert record.spend["usd"] <= record.spendable["usd"]
    for others, said in (
        (("--ai-model", "nobody"), "nobody"),
        ((), "two or more, each once"),
        (("--ai-model", "C", "--scenarios", "s.csv"), "not both"),
    ):
        wrong = run(*words, *others, "--out", tmp_path / "none")
        assert wrong.code == 2
        assert said in wrong.err


def test_the_same_runs_in_another_format_are_not_new(plan_folder: Path, tmp_path: Path) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv")
    pd.read_csv(file).to_excel(tmp_path / "same.xlsx", index=False)
    programme = Programme.load(plan_folder)
    with pytest.raises(InputError, match="these came in with this step already"):
        programme.paths([file, tmp_path / "same.xlsx"])


def test_results_of_another_ai_model_are_not_paid(plan_folder: Path, tmp_path: Path) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv")
    pd.read_csv(file).assign(ai_model="C").to_csv(tmp_path / "other.csv", index=False)
    made = stepped(plan_folder, tmp_path / "next", tmp_path / "other.csv")
    assert made.paid["usd"] == 0
    assert made.recommendation.record.programme is not None
    said = made.recommendation.record.programme.sentences
    assert "0 runs of 0 evals have come in and used 0 of $20,000" in said[0]
    assert "runs of C tell of Next what AI models have in common" in said[1]


def test_a_conclusion_from_a_failed_fit_says_so_first(
    plan_folder: Path, run: Run, tmp_path: Path
) -> None:
    file = results_of(plan_folder, tmp_path / "results.csv")
    shutil.copytree(plan_folder, tmp_path / "poor")
    start = Posterior.load(tmp_path / "poor" / "posterior.nc")
    table = start.diagnostics.quantities.assign(r_hat=1.2)
    poor = replace(start, diagnostics=replace(start.diagnostics, quantities=table))
    poor.save(tmp_path / "poor" / "posterior.nc")
    done = run("conclude", tmp_path / "poor", file, "--out", tmp_path / "end")
    assert done.code == 4
    assert done.out.startswith("THE FIT FAILED ITS GATE: R-hat must be at most 1.01")
    assert "The fit failed its gate." in (tmp_path / "end" / "conclusion.html").read_text()
    allowed = ("conclude", tmp_path / "poor", file, "--out", tmp_path / "end", "--allow-failed-fit")
    assert run(*allowed).code == 0


def test_what_is_free_and_tells_something_is_no_reason_to_stop() -> None:
    menu = small_menu()
    free = replace(menu, options=menu.options.assign(usd=0.0))
    plan = ef.optimise(free, budget={"usd": 10.0, "staff_hours": 90.0})
    dollar = next_dollar(plan, plan.record, point_usd=1.0)
    assert dollar.stop is False


def test_what_no_hours_are_left_for_is_nothing_to_go_on_with() -> None:
    plan = ef.optimise(small_menu(), budget={"usd": 10_000.0, "staff_hours": 0.0})
    dollar = next_dollar(plan, plan.record, point_usd=1e6)
    assert dollar.stop is True
    assert str(dollar) == "Nothing that can still be bought would turn a call: stop here."
