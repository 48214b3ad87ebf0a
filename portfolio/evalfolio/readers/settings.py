"""Configurations: what tells the runs of one AI model on one task apart, and names for it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from evalbayes.names import refuse_other

Header = Mapping[str, Any]
TASK_ARGS = "task_args"  # stands for all arguments of a task
_UNSET = "not set"
_SHOWN = 4  # values of a setting that a note names


def named_by(header: Header, by: Sequence[str], kind: str) -> str:
    """Return what a name gets added where settings keep runs apart, such as ` (level=hard)`.

    Of the kind "task" are settings that make another task of it, for the name of the eval; of
    "agent" those that make another elicitation of it, for the name of the AI model.

    >>> header = {"settings": {"task": {"level": "hard"}, "agent": {"solver": "react"}}}
    >>> named_by(header, ["level", "solver"], "task"), named_by(header, ["solver"], "agent")
    (' (level=hard)', ' (solver=react)')
    """
    given = header["settings"][kind]
    asked = [*given] if kind == "task" and TASK_ARGS in by else []
    asked += [key for key in by if key in given and key not in asked]
    told = ", ".join(f"{key}={given[key]}" for key in asked)
    return f" ({told})" if told else ""


def check_by(by: Sequence[str], headers: Sequence[Header]) -> None:
    """Refuse a setting that no log has."""
    known = {TASK_ARGS: None, "solver": None, "reasoning_effort": None}
    for header in headers:
        known |= dict.fromkeys([*header["settings"]["task"], *header["settings"]["agent"]])
    for name in by:
        refuse_other(name, known, "by must name settings that the logs have")


def effort_of(header: Header, given: Mapping[str, float]) -> float | None:
    """Return the effort given for an eval, or for a setting as `reasoning_effort:high`."""
    if header["eval"] in given:
        return given[header["eval"]]
    for kind in header["settings"].values():
        for key, value in kind.items():
            if f"{key}:{value}" in given:
                return given[f"{key}:{value}"]
    return None


def unmet_efforts(given: Mapping[str, float], headers: Sequence[Header]) -> list[str]:
    """Return the evals and settings that efforts were given for and that no log has."""
    met = {header["eval"] for header in headers}
    for header in headers:
        met |= {f"{k}:{v}" for kind in header["settings"].values() for k, v in kind.items()}
    return [key for key in given if key not in met]


def notes_on_settings(headers: Sequence[Header]) -> list[str]:
    """Return which configurations stand under one eval, AI model and effort, one line each.

    Such runs count as attempts at the same tasks by the same AI model. So is said where tasks of
    several packages share a name.
    """
    groups: dict[tuple[Any, ...], list[Header]] = defaultdict(list)
    for header in headers:
        if header["samples"] and not header["human"]:
            groups[header["eval"], header["named"], str(header["effort"])].append(header)
    notes = []
    for (eval_name, ai_model, _), logs in groups.items():
        for kind in ("task", "agent") if len(logs) > 1 else ():
            differing = _differing(logs, kind)
            if not differing:
                continue
            told = "; ".join(f"{key} {_told(counts)}" for key, counts in differing.items())
            by = ",".join(differing)
            note = (
                f"{eval_name} by {ai_model}: {len(logs):,} logs with other "
                f"{'task arguments' if kind == 'task' else 'settings'} count as attempts at the "
                f"same tasks ({told}): keep them apart by --by {by}"
            )
            if kind == "agent":
                key, counts = next(iter(differing.items()))
                value = next(value for value in counts if value != _UNSET)
                note += f", or give each its effort, as in --effort {key}:{value}=0.3"
            notes.append(f"{note}.")
        tasks = list(dict.fromkeys(log["task"] for log in logs))
        if len(tasks) > 1 and all(task.endswith(eval_name) for task in tasks):
            told = ", ".join(tasks[:_SHOWN])
            notes.append(
                f"{eval_name} by {ai_model}: tasks of {len(tasks):,} packages count as one eval "
                f"({told}): if they are not one, import with --eval '{tasks[-1]}=another name'."
            )
    return notes


def _differing(logs: Sequence[Header], kind: str) -> dict[str, Counter[str]]:
    """Return the settings that differ among logs: how many samples have which value, or none."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key in dict.fromkeys(key for log in logs for key in log["settings"][kind]):
        for log in logs:
            counts[key][log["settings"][kind].get(key, _UNSET)] += log["samples"]
    return {key: values for key, values in counts.items() if len(values) > 1}


def _told(counts: Counter[str]) -> str:
    shown = [f"{value}: {n:,}" for value, n in counts.most_common(_SHOWN)]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
