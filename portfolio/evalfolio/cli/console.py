"""What commands print with: colour off when piped, errors on stderr, progress where it helps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.progress import TaskID

PIPED_WIDTH = 240
PIPED_EVERY = 10.0  # seconds
ASKED = SimpleNamespace(quiet=False, json=False)  # of the command that runs


def console(*, stderr: bool = False) -> "Console":
    """Return a console; rich turns colour off by itself where the output is no terminal.

    It prints what it is given as it stands: what a user or a file said may look like markup
    (`[map]`) or like the code of a picture (`ops:key:store`), and is neither.

    Piped, a table takes the width it needs: rich would squeeze it into 80 columns, and a program
    that reads it could not tell a name cut short from a whole one.
    """
    import os

    from rich.console import Console

    out = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = PIPED_WIDTH
    return out


def detailed() -> bool:
    """Whether a command tells more than its result: with neither --quiet nor --json."""
    return not (ASKED.quiet or ASKED.json)


def say(text: object) -> None:
    """Print what a command says, in lines as long as the sentence; nothing beside JSON."""
    if not ASKED.json:
        console().print(str(text), soft_wrap=True)


def shown(text: str) -> str:
    r"""Return text with control characters as their codes: none reaches the terminal raw.

    >>> shown("no file a\x1b[31m.csv")
    'no file a\\x1b[31m.csv'
    """
    from evalbayes.names import control_character

    return "".join(ascii(c)[1:-1] if control_character(c) else c for c in text)


def warn(text: str, head: str = "warning", colour: str = "yellow") -> None:
    """Say on stderr what to know before trusting the output, or as an error why there is none."""
    from rich.text import Text

    said = Text.assemble((f"{head}: ", f"bold {colour}"), shown(text))
    console(stderr=True).print(said, soft_wrap=True)


@contextmanager
def step(text: str, *, so_far: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Show that work goes on, and how long it took; on stderr, so that output can be piped.

    Where stderr is no terminal a line every ten seconds says so, and what `so_far` tells.
    """
    import threading
    import time

    if not detailed():
        yield
        return
    from rich.text import Text

    out = console(stderr=True)
    start = time.perf_counter()
    if out.is_terminal:
        with out.status(text):
            yield
    else:
        done = threading.Event()

        def beat() -> None:
            while not done.wait(PIPED_EVERY):
                out.print(f"{text}: {time.perf_counter() - start:.0f} s so far{so_far()}")

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
    out.print(Text.assemble(text, (f" ({time.perf_counter() - start:.1f} s)", "dim")))


@contextmanager
def counted(text: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """Show how far sweeps are, on stderr: a bar each, or where it is no terminal as `step` does.

    Gives what `Sweep.progress` takes; None where nothing is to be shown.
    """
    if not detailed():
        yield None
        return
    out = console(stderr=True)
    if not out.is_terminal:
        reached: dict[str, str] = {}

        def note(name: str, done: int, total: int) -> None:
            reached[name] = f"{name.replace('_', ' ')} {done} of {total}"

        with step(text, so_far=lambda: "".join(f", {each}" for each in [*reached.values()][-1:])):
            yield note
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with step(text), Progress(*columns, console=out, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tick(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name.replace("_", " "), total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield tick


def print_json(value: object = None, **fields: object) -> None:
    """Print a value or fields as JSON where that is asked for; text, which is JSON, as it is."""
    import json

    if ASKED.json:
        if not isinstance(told := fields if value is None else value, str):
            told = json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False, default=str)
        print(told)


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a table as JSON has it: one object per row, null where not known."""
    import json

    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows


def print_table(frame: "pd.DataFrame", title: str = "") -> None:
    """Print a frame as a table: numbers to the right with at most three significant digits.

    Where it is wider than the terminal its heads are folded before any name is. JSON has none.
    """
    if ASKED.json:
        return
    from rich import box
    from rich.table import Table

    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    numeric = frame.dtypes.map(lambda dtype: dtype.kind in "iuf")
    for column in frame.columns:
        # A name that does not fit goes on in the next line: cut short, it would name another.
        table.add_column(
            str(column), justify="right" if numeric[column] else "left", overflow="fold"
        )
    columns = [[cell(value) for value in frame.iloc[:, k]] for k in range(frame.shape[1])]
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    out = console()
    if out.measure(table, options=out.options.update(width=10_000)).maximum > out.width:
        for head, cells in zip(table.columns, columns, strict=True):
            head.header = folded(str(head.header), max(map(len, cells), default=0))
    out.print(table)


def folded(words: str, width: int) -> str:
    r"""Return words broken into lines of a width, or as wide as the longest of them.

    >>> folded("tasks × attempts", 7)
    'tasks ×\nattempts'
    """
    import textwrap

    widest = max([width, *map(len, words.split())])
    return textwrap.fill(words, widest, break_long_words=False, break_on_hyphens=False)


def cell(value: object) -> str:
    """Return a table's text for a value: empty where it is not known.

    >>> cell(1234567.0), cell(0.123456), cell(None), cell(float("nan")), cell(0.0)
    ('1,230,000', '0.123', '', '', '0')
    """
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if value != value:
        return ""
    return f"{float(f'{value:.3g}'):,.0f}" if not 0 < abs(value) < 100 else f"{value:.3g}"
