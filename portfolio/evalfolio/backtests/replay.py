"""`backtest`: replay runs that were made anyway, and compare strategies on them."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from evalfolio.backtests import strategies
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.findings import Finding, findings_of, scored, summary
from evalfolio.backtests.fluid import Fluid
from evalfolio.backtests.in_stages import InStages
from evalfolio.backtests.market import Staged
from evalfolio.backtests.programme import AsRun
from evalfolio.backtests.record import Record
from evalfolio.backtests.strategies import Strategy
from evalfolio.backtests.teaching import ResponseModel
from evalfolio.backtests.trial import Setting, trials_of
from evalfolio.errors import InputError
from evalfolio.sensitivities.sweep import Sweep, inputs_hash

OURS, BY_TASK, AT_ONCE = "evalfolio", "evalfolio, by task", "evalfolio, at once"
SLOPES = ("common", "own")
BUDGETS = (0.003, 0.01, 0.03, 0.1, 0.3)
QUICK_MODELS = 6  # AI models in one: one more than a verdict takes


def known_strategies() -> dict[str, Strategy | Staged]:
    """Return the strategies that are compared by default, by name."""
    return {
        OURS: InStages(),
        AT_ONCE: InStages(ends=(1.0,)),
        "uniform random": strategies.uniform,
        "uniform, filled": strategies.uniform_filled,
        "cheapest first": strategies.cheapest,
        "most informative first": strategies.most_informative,
        "all plateau": strategies.all_plateau,
        "all maximum": strategies.all_maximum,
        "screen, then deep": strategies.screen,
        "one flagship": strategies.flagship,
        "as last time": strategies.like_last_time,
        "fluid": Fluid(),
        "fluid, per cost": Fluid(per_cost=True),
    }


def some_of(record: Record, most: int) -> list[str]:
    """Return so many AI models at most, evenly from the first released (or by name) to the last."""
    known = sorted(record.ai_models, key=lambda name: str(record.released.get(name, "")))
    at = np.linspace(0, len(known) - 1, min(most, len(known))).round().astype(int)
    return [known[k] for k in at]


def as_run(folder: Path) -> dict[str, Strategy | Staged]:
    """Return strategies for `extra`: evalfolio as users run it, its own planner under its own name.

    `folder` keeps what the model of `evalfolio fit` learns from a history, a minute or more each.
    """
    return {OURS: InStages(AsRun(folder)), BY_TASK: InStages()}


@dataclass(frozen=True, eq=False)
class Backtest:
    """What strategies concluded, against the full data.

    Parameters
    ----------
    trials
        One row per AI model, strategy, budget and repetition, scored.
    setting
        How they were run.
    record
        What was replayed.
    skipped
        AI models without an earlier one to learn from.
    """

    trials: pd.DataFrame
    setting: Setting
    record: Record
    skipped: tuple[str, ...] = ()

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Every measure by strategy and budget, with 95 % intervals clustered by AI model."""
        return summary(self.trials, self.setting.seed)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What the back-test was to show, and whether it does."""
        return findings_of(self.trials, self.summary, OURS, self.setting.seed)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


def backtest(
    record: Record,
    *,
    budgets: Sequence[float] = BUDGETS,
    repetitions: int = 50,
    ai_models: Sequence[str] | None = None,
    history: str = "others",
    slope: str = "common",
    inference: ResponseModel | None = None,
    extra: Mapping[str, Strategy | Staged] | None = None,
    losses: Losses | None = None,
    seed: int = 0,
    sweep: Sweep | None = None,
) -> Backtest:
    """Let strategies buy runs of every AI model in turn, and judge what they conclude.

    The history is all runs of the other AI models. A strategy sees the history only and buys
    runs (tasks, caps, attempts) that are expected to cost no more than the budget; a staged one,
    such as evalfolio's, sees what the runs bought so far have shown before it buys more. Runs
    bought are seen as they were, as far as the cap paid for lets them; one and the same inference
    turns them into the predictive distribution of the horizon that all runs together show.

    InputError if a budget, a name or the number of repetitions is not what it must be, a strategy
    buys more than it may, or no AI model has a history.

    Parameters
    ----------
    record
        As `record_of` makes it.
    budgets
        Shares of what all runs of the AI model under test spent, between 0 and 1.
    repetitions
        Draws of tasks per AI model, strategy and budget.
    ai_models
        To test; by default all.
    history
        "others", or "earlier": only AI models released before the one tested.
    slope
        Of the horizon, logits lost per doubling of length: "common", the one at which the outcomes
        of the history's AI models are likeliest, or "own", each AI model's, as METR has it.
    inference
        What learns from the history, for all strategies; by default `ResponseModel()`.
    extra
        Further strategies by name, functions as those in `evalfolio.backtests.strategies` or staged
        ones (`evalfolio.backtests.market.Staged`); one named as a known one takes its place.
    losses
        Thresholds and losses of the calls; by default of `Losses.over` the record's tasks.
    seed
        Same record, setting and seed: the same table, on any number of workers.
    sweep
        Workers, checkpoint and progress; a point is one AI model.
    """
    if not budgets or not all(0 < share <= 1 for share in budgets):
        raise InputError(
            f"budgets must be shares of the full bill above 0 and up to 1, got {list(budgets)}"
        )
    if repetitions < 1:
        raise InputError(f"repetitions must be 1 or more, got {repetitions}")
    if slope not in SLOPES:
        raise InputError(f"slope must be one of {', '.join(SLOPES)}, got {slope!r}")
    names = list(record.ai_models if ai_models is None else ai_models)
    for name in names:
        record.of(name)
        record.history(name, history)
    setting = Setting(
        tuple(float(share) for share in budgets),
        repetitions,
        history,
        slope,
        losses or Losses.over(record.tasks["human_minutes"].to_numpy(np.float64)),
        inference or ResponseModel(),
        seed,
    )
    compared = {**known_strategies(), **(extra or {})}
    digest = int(pd.util.hash_pandas_object(record.runs, index=False).to_numpy().sum())
    added = sorted((name, repr(strategy)) for name, strategy in (extra or {}).items())
    found = (sweep or Sweep()).run(
        partial(trials_of, record, compared, setting),
        names,
        inputs=inputs_hash(
            digest,
            sorted(record.released.items()),
            record.attempts,
            setting,
            added,
        ),
    )
    rows = [row for part in found for row in part]
    if not rows:
        raise InputError(
            "backtest: at least one AI model must have a history to learn from, but none has; "
            "give runs of more AI models or check the release dates"
        )
    skipped = tuple(name for name, part in zip(names, found, strict=True) if not part)
    return Backtest(scored(pd.DataFrame(rows)), setting, record, skipped)


def write(found: Mapping[str, Backtest], folder: Path) -> Path:
    """Write the tables, the note and the picture of back-tests by name into a folder.

    Writes backtest.md, backtest.html, and for each back-test trials-NAME.csv.gz and
    summary-NAME.csv; the picture is backtest.svg. The folder is made whole or not at all.
    """
    from evalfolio.backtests.page import page_of, svg_of, text_of

    partial_folder = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial_folder, ignore_errors=True)
    partial_folder.mkdir(parents=True)
    for name, each in found.items():
        lists = ["loss", "value", "promised", "without", "evpi", "stages_promised", "stages_saved"]
        trials = each.trials.drop(columns=lists)
        trials.to_csv(partial_folder / f"trials-{name}.csv.gz", index=False)
        each.summary.to_csv(partial_folder / f"summary-{name}.csv", index=False)
    (partial_folder / "backtest.md").write_text(text_of(found), encoding="utf-8")
    (partial_folder / "backtest.svg").write_text(svg_of(found), encoding="utf-8")
    (partial_folder / "backtest.html").write_text(page_of(found), encoding="utf-8")
    (partial_folder / "findings.json").write_text(
        json.dumps(
            {name: [vars(f) for f in each.findings] for name, each in found.items()},
            indent=2,
            default=lambda value: value.item() if isinstance(value, np.generic) else str(value),
        )
        + "\n",
        encoding="utf-8",
    )
    if folder.exists():
        shutil.rmtree(folder)
    partial_folder.rename(folder)
    return folder
