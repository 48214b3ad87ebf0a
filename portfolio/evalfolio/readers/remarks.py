"""Notes on an import: for how many runs something holds, and AI models under several names."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files
from pathlib import PurePath

import pandas as pd

WORDS = tomllib.loads(files(__package__).joinpath("remarks.toml").read_text("utf-8"))


class Remarks:
    """Notes on runs, one sentence each, in the words of `remarks.toml`; of no run none is made.

    `runs` has columns eval, task and log, one row per run; `line` too where a file is read by
    lines. `reader` is whose words they are, before those of all.

    >>> runs = pd.DataFrame({"eval": "ctf", "task": ["a", "b"], "log": "logs/1.eval"})
    >>> remarks = Remarks(runs, "logs")
    >>> remarks("nothing", runs["task"].eq("b"))
    >>> remarks.notes
    ['1 runs have neither spend nor cap and are excluded (first: ctf b in 1.eval): give a cap.']
    """

    def __init__(self, runs: pd.DataFrame, reader: str) -> None:
        self.runs, self.words = runs, WORDS["both"] | WORDS[reader]
        self.notes: list[str] = []

    def __call__(self, kind: str, which: pd.Series, detail: str = "", **told: object) -> None:
        """Add `n words (first: …, detail): cure.` if it holds for any run."""
        n = int(which.sum())
        if n:
            words, cure = (each.format(**told) for each in (*self.words[kind], "")[:2])
            first = self.first(which) + (f", {detail}" if detail else "")
            self.notes.append(f"{n:,} {words} (first: {first}){f': {cure}' if cure else ''}.")

    def first(self, which: pd.Series) -> str:
        """Name the first run it holds for: eval, task, file and line."""
        run = self.runs[which].iloc[0]
        task, name = str(run["task"]), str(run["eval"])
        task = task if task.startswith(f"{name}/") else f"{name} {task}"
        line = f", line {int(run['line'])}" if "line" in self.runs else ""
        return f"{task} in {PurePath(str(run['log'])).name}{line}"


DATE = re.compile(r"[-@](\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
CLOUD = re.compile(r"^(?:[a-z]{2,6}\.)?(?:anthropic|meta|mistral|amazon)\.|-v\d+(?::\d+)?$")
_ROUTE = re.compile(r":(?:free|nitro|floor|beta|extended|online)$")  # who serves it, not what it is


def bare_name(model: str) -> str:
    """Return a name in lower case without provider, cloud affix, route and blanks, dots as dashes.

    >>> bare_name("openrouter/anthropic/claude-opus-4.1:beta")
    'claude-opus-4-1'
    >>> bare_name("anthropic/bedrock/us.anthropic.claude-opus-4-1-20250805-v1:0")
    'claude-opus-4-1-20250805'
    """
    name = _ROUTE.sub("", model.strip().lower().rsplit("/", 1)[-1])
    name = CLOUD.sub("", CLOUD.sub("", name))
    return re.sub(r"[\s_]+", "-", re.sub(r"(?<=\d)\.(?=\d)", "-", name))


def notes_on_spellings(names: Iterable[str]) -> list[str]:
    """Return which names look like one AI model, and how to count them as one.

    Names with different dates are different AI models; one without a date may be either.
    """
    undated: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        undated[DATE.sub("", bare_name(name))].append(name)
    notes = []
    for bare, alike in undated.items():
        dates: dict[str, list[str]] = defaultdict(list)
        for name in alike:
            found = DATE.search(bare_name(name))
            dates[found[1].replace("-", "") if found else ""].append(name)
        dated = [day for day in dates if day not in ("", "latest")]
        for group in [alike] if len(dated) <= 1 else dates.values():
            if len(group) > 1:
                renames = " ".join(f"--ai-model '{name}={bare}'" for name in group)
                notes.append(
                    f"{' and '.join(group)} look like one AI model and count as {len(group)}: "
                    f"if they are one, import with {renames}."
                )
    return notes
