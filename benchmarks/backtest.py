"""The back-test of the cyber runs, and of METR's with best of four attempts as elicitation.

Run with ``python -m benchmarks.backtest FOLDER [REPETITIONS [OF_OTHERS]]``; it writes
``benchmarks/backtest.md`` and the picture, and keeps finished AI models in FOLDER, so that it can
be stopped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cyber_runs import RELEASED, cyber_runs
from benchmarks.luck_floor import floor_of
from benchmarks.tables import circumstances

from evalfolio.backtests.findings import scored
from evalfolio.backtests.market import Staged
from evalfolio.backtests.page import svg_of, text_of
from evalfolio.backtests.record import Record, record_of
from evalfolio.backtests.replay import Backtest, backtest
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.trial import Setting, trials_of
from evalfolio.sensitivities.sweep import Sweep

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "shared" / "data"
REPETITIONS, SEED, ATTEMPTS = (50, 12), 0, 4
LENGTHS = {"under 4 min": 4, "4 to 15 min": 15, "15 to 60 min": 60, "1 to 4 h": 240}
BELOW = 0.95  # of the time limit: METR's other limits end runs before it
NOTE = """\
Lower caps are counterfactual: a run is taken to go as it went until the cap stops it, though an AI
model told of a smaller cap might pace itself otherwise. GPT-5.5 was run on a non-random half of the
cyber tasks. METR's task families are put together by length, as 36 families of two tasks are no
evals a plan could split; spend is hours of wall clock, a task is solved when any of its first
{attempts} attempts succeeds, and a failure before the time limit counts as given up. evalfolio
plans every stage by what the next task of each eval, to each cap, would tell for its money; tasks
stand in random order and none is passed over. *uniform random* stops at the first task that does
not fit; *uniform, filled* goes on to the next that does. *screen, then deep* runs every task at the
lowest cap and carries random ones on. What evalfolio promises is the plan's for the whole budget,
made before anything is bought. That it buys in stages was decided where the response model is true
(README.md, *Buying in stages*), but not blindly: a study of 25 repetitions at 10 % of the cyber
runs had been seen. That tasks come in random order was decided on these very runs: three draws at
1, 10 and 30 % of the cyber bill gave RMSE 0.56, 0.40 and 0.22 (90, 87 and 83 % held by 90 %),
orders spread evenly over difficulty 0.77, 0.37 and 0.26 (90, 93 and 93 %), and a plan free to
choose its tasks 0.83, 0.55 and 0.23 (67, 73 and 60 %): it buys the cheap ones, and what these show
of the others is not what the response model says. Six looks in place of two changed nothing at 10
and 30 % (0.38 and 0.16 against 0.34 and 0.16, two draws). WeirdML's runs, with no human times and
spends as means of an AI model only, are in README.md, *The belief about a new AI model, pooled*. A
new AI model's capability is foretold on a line of the history's against their release dates (three
or more of them, else their mean): its prior was set beside 90 % intervals and losses of these very
AI models, after a first one with twice the guess of its variance, worth one observation, and half
the sd of the growth: interval scores before any run 8.04, 11.28 and 6.09 on the cyber, METR's and
WeirdML's runs, now 8.01, 10.78 and 6.01; without dates 9.44, 17.82 and 6.02.

Why lines fail. *0.6 of uniform random's up to 10 %*: at a tenth of the cyber bill random tasks are
near the luck that no plan of whole runs saves (The floor), and at 0.3 to 3 % of METR's any plan
buys a few runs. *0.12 doublings at 10 %*: that is below the floor, 0.17. *Baselines that lose less
by wrong calls*: one of 65 comparisons at 2.5 % each, where 1.6 come by chance. *The best baseline
at 30 %, on the cyber runs by either slope and on METR's*: fluid read by its own model; that items
differ in discrimination, which we have alike in an eval, is a part of it at most. *At 0.3 % of the
cyber bill with earlier AI models only*: fluid, per cost, spent 2.4 times the budget. *METR's with
earlier AI models only, coverage too*: GPT-4 Turbo is read one to three doublings off up to a tenth
of the bill, and GPT-4 0314, foretold from davinci-002 and gpt-3.5-turbo-instruct alone, which solve
no long task, is four off.
*The promise, its slope, and EVPI with earlier AI models only*: since release dates tell where a new
AI model lies, little is lost without any run (0.10 a threshold on the cyber runs, 0.38 before), and
of ten AI models none departs far from the trend, though the belief allows for it (its 90 %
intervals hold nine of the ten). From two to nine earlier AI models a trend is known badly, and it
says so. *The promise of each stage*: later ones promise little; a promise counts the variance that
goes, and few calls change after the first stage.

What was tried after the rival's reading. Discrimination by item, ln α + κ·δ with κ by empirical
Bayes (found 0.2 to 0.3), foretells tasks not bought no better: log scores by strategy and budget
are the same to 0.005 on the cyber and METR's runs. Runs as bought, fluid's are read to 0.35 and
0.20 at 10 and 30 % of the cyber bill (0.42 and 0.24), to 1.21 and 0.36 of METR's (1.16 and 0.42),
evalfolio's on the cyber runs to 0.37 and 0.20 (0.34 and 0.21). The fit of tasks' effects matters
more: at the joint mode their sd is found 1.57 where it is 2.0 (twelve worlds of seven AI models),
and by a normal there tasks that no AI model of the history solved have a chance of 0.13 where 0.05
came (cyber, fluid's runs at 10 %). With effects integrated out and drawn from their own posterior
the sd is 1.98, and log scores are better on every strategy's runs at every budget of both, by 0.007
to 0.03; fluid's are read to 0.31 and 0.20, METR's to 1.08 and 0.19. That is not taken as yet:
evalfolio's own errors with it, at 0.3 to 30 % and over six draws, were 0.65, 0.58, 0.44, 0.37 and
0.25 on the cyber runs (now 0.58, 0.49, 0.45, 0.36 and 0.25, the table's; its first two draws alone
had 0.47, 0.47, 0.38, 0.34 and 0.21), 1.91, 1.68, 1.30, 0.88 and 0.49 on METR's (now 2.00, 1.72,
1.42, 0.91 and 0.58), and a history takes two to three times as long to fit. A plan free to choose
its tasks, on METR's runs, had 1.54, 0.49 and 0.17 at 1, 10 and 30 % where random order had 1.66,
0.67 and 0.43 (two draws; 81, 88 and 88 % held); with effects integrated out 1.41, 0.32 and 0.14
(88, 94 and 100 %), but on the cyber runs 0.75, 0.34 and 0.21 with 70, 55 and 60 % held: not to be
taken there.

Attribution of the cyber runs: Payne, J., Miller, J., Peters, S. (2026), Offensive Cyber Task
Horizons, Lyptus Research, github.com/lyptus-research/cyber-task-horizons-data, CC BY 4.0 / MIT (c)
2026 Lyptus Research; rows selected, columns renamed, summaries added. Of METR's: METR (2025),
Measuring AI Ability to Complete Long Tasks, arXiv:2503.14499, github.com/METR/eval-analysis-public,
MIT (c) 2025 METR; rows selected, columns renamed, summaries added."""


def metr_runs(path: Path) -> pd.DataFrame:
    """Read METR's runs, evals by length of task, spend and cap in hours."""
    runs = pd.read_csv(path)
    bucket = np.digitize(runs["human_minutes"], list(LENGTHS.values()))
    eval_of = np.where(
        runs["source"] == "RE-Bench", "RE-Bench", np.array([*LENGTHS, "over 4 h"])[bucket]
    )
    cap = runs["time_limit_seconds"] / 3600.0
    spend = np.clip(runs["wall_minutes"] / 60.0, 1.0 / 60.0, cap)
    failed = np.where(spend >= BELOW * cap, "stopped_by_cap", "gave_up")
    return runs.assign(
        eval=eval_of,
        cap=cap,
        spend=spend,
        outcome=np.where(runs["success"] == 1, "success", failed),
        attempt=runs.groupby(["ai_model", "task"]).cumcount() + 1,
    )[
        [
            "eval", "task", "ai_model", "outcome", "spend", "cap", "human_minutes",
            "release_date", "attempt",
        ]
    ]  # fmt: skip


def cyber_record() -> Record:
    """Return the cyber runs, dated, as a record."""
    return record_of(cyber_runs(DATA / "cyber_runs.csv.gz"), released=RELEASED, source="cyber runs")


def metr_record(attempts: int) -> Record:
    """Return METR's runs, so many attempts at a task, as a record."""
    return record_of(metr_runs(DATA / "metr_runs.csv.gz"), attempts=attempts, source="METR runs")


def kept_trials(
    record: Record,
    compared: Mapping[str, Strategy | Staged],
    setting: Setting,
    ai_models: Sequence[str],
    stem: Path,
    finished: bool,
) -> pd.DataFrame:
    """Return the scored trials of some AI models, each kept once it is made, or of those kept."""
    frames = []
    for ai_model in ai_models:
        out = stem.with_name(f"{stem.name}-{ai_model.replace('/', '_').replace(' ', '_')}.json")
        if not out.exists():
            if finished:
                continue
            rows = pd.DataFrame(trials_of(record, compared, setting, ai_model))
            rows.to_json(out.with_suffix(".partial"), orient="records", double_precision=15)
            out.with_suffix(".partial").replace(out)
            print(stem.name, ai_model, flush=True)
        frames.append(pd.read_json(out, orient="records"))
    return scored(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame()


@dataclass(frozen=True)
class Study:
    """One back-test: what is replayed, with which history and horizon, how often."""

    record: Record
    history: str
    slope: str
    repetitions: int


def studies(often: int, seldom: int) -> dict[str, Study]:
    """Return the back-tests by heading."""
    cyber, metr = cyber_record(), metr_record(ATTEMPTS)
    best = f"METR runs, best of {ATTEMPTS}, history: "
    return {
        "Cyber runs, history: all other AI models": Study(cyber, "others", "common", often),
        "Cyber runs, history: earlier AI models only": Study(cyber, "earlier", "common", seldom),
        "Cyber runs, each AI model's own slope": Study(cyber, "others", "own", seldom),
        f"{best}all other AI models": Study(metr, "others", "common", seldom),
        f"{best}earlier AI models only": Study(metr, "earlier", "common", seldom),
    }


def main() -> None:
    """Replay and write the note and the picture."""
    if len(sys.argv) < 2:
        raise SystemExit("usage: python -m benchmarks.backtest FOLDER [REPETITIONS [OF_OTHERS]]")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    given = [int(text) for text in sys.argv[2:4]]
    often, seldom = (*given, *REPETITIONS[len(given) :])
    made = circumstances(SEED, ["numpy", "scipy", "highspy"])
    found: dict[str, Backtest] = {}
    for number, (name, study) in enumerate(studies(often, seldom).items()):
        started = time.perf_counter()
        found[name] = backtest(
            study.record,
            repetitions=study.repetitions,
            history=study.history,
            slope=study.slope,
            seed=SEED,
            sweep=Sweep(1, checkpoint=folder / f"{number}.checkpoint"),
        )
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    first = next(iter(found))
    floor = floor_of(found[first].record, found[first].setting)
    said = NOTE.format(attempts=ATTEMPTS)
    text = f"{text_of(found)}\n{floor}\n{said}\n\n{made} By `python -m benchmarks.backtest`.\n"
    shown = {name: each for name, each in found.items() if each.setting.slope == "common"}
    picture = HERE.parent / "docs" / "figures" / "backtest.svg"
    for path, content in ((HERE / "backtest.md", text), (picture, svg_of(shown))):
        partial = path.with_suffix(".partial")
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)


if __name__ == "__main__":
    main()
