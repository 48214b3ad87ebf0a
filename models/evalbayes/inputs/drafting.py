"""A first catalogue from a table of observations: what the rows say, and what is still to say."""

import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from evalbayes.catalogue.workbook import workbook_of
from evalbayes.catalogue.writing import explanations, write_either
from evalbayes.errors import InputError
from evalbayes.observations.observations import FRAMES, Observations

# Nobody works through a task in a thousand hours, and no AI model solves one with fewer tokens.
FEWEST_TOKENS = 1_000.0
FILL_IN = "assumption, FILL IN"

# The head, and what stands below it without an anchor, which is left out rather than filled in: a
# made-up anchor would be a made-up answer.
_HEAD, _NO_ANCHOR = files(__package__).joinpath("draft.txt").read_text("utf-8").split("\f")


@dataclass(frozen=True)
class Seen:
    """What the observations say about one eval; None where they do not."""

    name: str
    tasks: int
    tasks_named: bool
    human_minutes: float | None
    largest_cap: float | None
    unit: str | None  # of spend
    scores: tuple[float, float] | None  # ends of a scale other than 0 to 1

    @property
    def spend_unit(self) -> str:
        """Unit of spend: as it was said, else guessed from the size of the caps."""
        if self.unit is not None:
            return self.unit
        return "tokens" if (self.largest_cap or 0.0) >= FEWEST_TOKENS else "hours"


def draft(
    observations: Observations, sources: str = "observations", *, spend_unit: str | None = None
) -> str:
    """Return a catalogue of the observed evals as TOML that passes `evalfolio check`.

    InputError if nothing was observed.

    Parameters
    ----------
    observations
        Results so far.
    sources
        Where they come from, as the head of the draft says it.
    spend_unit
        Unit of every spend; by default the one that the observations state.
    """
    if not observations.evals:
        raise InputError(
            f"{sources}: must hold results of at least one eval, got none; give observations, or "
            "leave --from out"
        )
    for name, unit in observations.spend_units.items():
        if spend_unit is not None and unit != spend_unit:
            raise InputError(
                f"{sources}: the spend unit must be what the observations say, {unit} for {name}, "
                f"got {spend_unit}; leave it out, or import them again in that unit"
            )
    every = [seen_of(observations, name, spend_unit) for name in observations.evals]
    models = observations.ai_models
    known = f"; observed so far: {', '.join(models)}" if len(models) <= 12 else ""
    head = _HEAD.format(sources=_one_line(sources), fill=FILL_IN, seen=_one_line(known))
    if not any(seen.human_minutes for seen in every):
        head += _NO_ANCHOR
    return "\n".join([head, *(_entry(seen) for seen in every)])


def write_draft(
    observations: Observations,
    path: str | Path,
    sources: str = "observations",
    *,
    spend_unit: str | None = None,
) -> Path:
    """Write the draft to a file ending in .toml or .xlsx, whole or not at all; return its path."""
    text = draft(observations, sources, spend_unit=spend_unit)
    told = explanations(text)
    return write_either(text, Path(path), lambda: workbook_of(tomllib.loads(text), told))


def seen_of(observations: Observations, name: str, spend_unit: str | None = None) -> Seen:
    """Return what the observations say about one eval; the unit of spend where they do not."""
    every = (getattr(observations, key) for key in FRAMES)
    cells, runs, counts, scores = (frame[frame["eval"] == name] for frame in every)
    tasks = runs.drop_duplicates("task")  # those run more often do not count for more
    times = pd.concat([frame["human_minutes"].astype(float) for frame in (tasks, cells, counts)])
    times = times[np.isfinite(times) & (times > 0)].to_numpy()
    caps = pd.concat([frame["cap"].astype(float) for frame in (cells, runs, counts, scores)])
    caps = caps[np.isfinite(caps)]
    # Where tasks are unnamed, the most runs any AI model has at one cap are all that is known.
    together = cells[["n_success", "n_gave_up", "n_stopped"]].sum(axis=1)
    runs_of_one = int(max([1, *together, *counts["n_runs"]]))
    low = min([0.0, *np.floor(scores["score"].astype(float))])
    high = max([1.0, *np.ceil(scores["score"].astype(float))])
    return Seen(
        name=name,
        tasks=len(tasks) or runs_of_one,
        tasks_named=bool(len(tasks)),
        human_minutes=float(np.exp(np.log(times).mean())) if len(times) else None,
        largest_cap=float(caps.max()) if len(caps) else None,
        unit=observations.spend_units.get(name, spend_unit),
        scores=None if (low, high) == (0.0, 1.0) else (low, high),
    )


def _entry(seen: Seen) -> str:
    tasks = f"{FILL_IN}: this is the most runs of one AI model in a row of observations"
    if seen.tasks_named:
        tasks = "different tasks in the observations"
    minutes = "# human_minutes = 60  # FILL IN: human time of a task; unknown without it"
    if seen.human_minutes is not None:
        minutes = f"human_minutes = {seen.human_minutes:.6g}  # geometric mean of those observed"
    unit = seen.spend_unit
    guessed = "" if seen.unit else f"  # {FILL_IN}: guessed from the size of the caps"
    price = {"usd": "1", "tokens": "[4e-6, 9e-6]", "hours": "[5, 30]"}.get(unit, "1")
    lines = [
        "[[eval]]",
        f"name = {json.dumps(seen.name, ensure_ascii=False)}",
        f'domain = "main"  # {FILL_IN}: the domain it tells about',
        f"tasks = {seen.tasks}  # {tasks}",
        minutes,
        f"spend_unit = {json.dumps(unit, ensure_ascii=False)}{guessed}",
        f"usd_per_unit = {price}" + f"  # {FILL_IN}: price of one of them" * (unit != "usd"),
    ]
    if seen.largest_cap is not None:
        lines.append(
            f"max_cap = {seen.largest_cap:.12g}  # {FILL_IN}: this is the largest cap observed"
        )
    if seen.scores is not None:
        low, high = seen.scores
        lines.append(f"score_low = {low:.12g}  # {FILL_IN}: the score of a run that shows nothing")
        lines.append(f"score_high = {high:.12g}  # {FILL_IN}: of one that shows everything")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """Return text that cannot end the comment it stands in."""
    return "".join(c if c.isprintable() else " " for c in text)
