"""The five shapes of observations, told apart by their columns, and how a run may end."""

from collections.abc import Iterable
from dataclasses import dataclass

from evalbayes.errors import InputError
from evalbayes.names import nearest

OUTCOMES = {
    "success": "it succeeded, also a little past the cap",
    "gave_up": "it submitted a wrong answer or stopped by itself",
    "stopped_by_cap": "the cap on spend stopped it",
    "stopped_otherwise": "a limit on time or messages, or an operator, stopped it",
    "spurious": "a broken environment, a refusal or formatting stopped it, found on review",
    "excluded": "an error or a reward hack: counted, never used",
}
CENSORED_ELSEWHERE = ("stopped_otherwise", "spurious")  # censored at the run's own spend
UNTOLD = ("spurious", "excluded")  # say nothing of whether the task can be solved
OVERSHOOT = 1.1  # caps are checked between calls, so real runs pass them by up to a tenth


SIMILAR = 0.8  # columns at least this alike are taken for a slip of the pen


@dataclass(frozen=True)
class Shape:
    """Columns of one shape: those it must have, those it may have, and those no other has."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    telling: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All known columns, in order."""
        return self.required + self.optional


RUNS = Shape(
    "runs",
    ("eval", "task", "ai_model", "outcome", "spend", "cap"),
    ("human_minutes", "effort", "attempt", "reviewed", "score", "date", "spend_unit"),
    telling=("task",),
)
LN_SPENDS = tuple(f"{of}_ln_spend_{way}" for way in ("success", "gave_up") for of in ("mean", "sd"))
CELLS = Shape(
    "cells",
    ("eval", "ai_model", "n_success", "n_gave_up", "n_stopped_by_cap", *LN_SPENDS, "cap"),
    ("human_minutes", "effort", "n_runs", "spend_unit"),
    telling=("n_gave_up", "n_stopped_by_cap", "mean_ln_spend_success", "mean_ln_spend_gave_up"),
)
COUNTS = Shape(
    "counts",
    ("eval", "ai_model", "cap", "n_runs", "n_success"),
    ("human_minutes", "effort", "run_set", "spend_unit"),
    telling=("n_success",),
)
SCORES = Shape(
    "scores",
    ("eval", "ai_model", "cap", "score", "standard_error"),
    ("human_minutes", "effort", "n_runs", "run_set", "spend_unit"),
    telling=("standard_error",),
)
ARMS = "participants_with participants_without successes_with successes_without"
FOUND = ("reading", "sd", "effect", *ARMS.split(), "date")
STUDIES = Shape("studies", ("study", "ai_model"), FOUND, telling=("study",))
SHAPES = (CELLS, SCORES, RUNS, COUNTS, STUDIES)  # from the most telling columns to the least


def shape_of(columns: Iterable[str], source: str) -> Shape:
    """Return the shape that columns have.

    >>> shape_of(["eval", "ai_model", "cap", "n_runs", "n_success", "seed"], "runs.csv").name
    'counts'
    """
    got = list(columns)
    shape = _likeliest(got, source)
    for column in got:
        if column in shape.columns:
            continue
        near = nearest(column, [name for name in shape.columns if name not in got], cutoff=SIMILAR)
        if near:
            raise InputError(
                f"{source}: columns of {shape.name} must be spelt as they are known, got "
                f"{column!r}; did you mean {near!r}? Rename it, e.g. by "
                f"{_renaming(shape, near, column)}"
            )
    for column in got:
        twin = nearest(column, shape.columns, cutoff=1.0)
        if twin not in (None, column):
            raise InputError(
                f"{source}: every column must have a name of its own, got {column!r} beside "
                f"{twin!r}; rename or drop one"
            )
    missing = [column for column in shape.required if column not in got]
    if missing:
        raise InputError(
            f"{source}: {shape.name} must have a column {missing[0]!r}, got {', '.join(got)}; "
            f"{_cure(missing[0], shape, got)}"
        )
    return shape


def _cure(missing: str, shape: Shape, got: list[str]) -> str:
    """Return how to come by a column: by a column's name that begins like it, if there is one."""
    free = [column for column in got if column not in shape.columns]
    if missing == "outcome" and "success" in free:
        return "`evalfolio import table` works it out from success and stopped_by_cap"
    alike = [column for column in free if column.startswith(missing)]
    near = alike[0] if alike else nearest(missing, free)
    if near:
        return f"if {near!r} is it, use {_renaming(shape, missing, near)}"
    return f"{shape.name} need {', '.join(shape.required)}"


def _renaming(shape: Shape, known: str, theirs: str) -> str:
    """Return how to give a column its known name; `evalfolio backtest` reads runs alone."""
    also = ", or that --map with `evalfolio backtest`" if shape is RUNS else ""
    return f"`evalfolio import table --map {known}={theirs}`{also}"


def _likeliest(got: list[str], source: str) -> Shape:
    """Return the shape with all its columns there, else with a telling one, or nearly one."""
    for shape in SHAPES:
        if all(column in got for column in shape.required):
            return shape
    for cutoff in (1.0, SIMILAR):
        for shape in SHAPES:
            if any(nearest(column, got, cutoff) is not None for column in shape.telling):
                return shape
    share, found = max(
        ((sum(c in got for c in shape.required) / len(shape.required), shape) for shape in SHAPES),
        key=lambda pair: pair[0],
    )
    if share > 0.5:
        return found
    shapes = "; ".join(f"{shape.name} have {', '.join(shape.required)}" for shape in SHAPES)
    raise InputError(
        f"{source}: columns must be those of runs, cells, counts, scores or studies, got "
        f"{', '.join(got)}; rename them by `evalfolio import table`, where {shapes}"
    )
