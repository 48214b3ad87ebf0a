"""Sweeps: one function over many points, on any number of workers, with checkpoints.

joblib does the work, so that loky's processes are the default and a Dask cluster that is already
connected serves with `backend="dask"`. Every point is worked out by itself, with one thread for
linear algebra, so results do not depend on the number of workers or on the order they finish in.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.search.question import Question

FORMAT = 1


class Checkpoint:
    """Results of a sweep as they come in, kept on disk and read back by a later run.

    The first line names the sweep, every further line is one finished point. A line is on the disk
    before the next point is taken up; a last line cut short by a kill is dropped, so a point is
    either whole in the file or done again. InputError if the file belongs to another sweep or is no
    checkpoint. `sweep` says what it is of, e.g. a hash of its inputs: results of other inputs are
    not reused.
    """

    def __init__(self, path: str | Path, sweep: str) -> None:
        self.path = Path(path)
        self.results: dict[str, Any] = {}
        whole = self._read(sweep)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            os.truncate(self.path, whole)
        # Appending: a second run with the same file may do points twice, but spoils no line.
        self._file = self.path.open("a", encoding="utf-8")
        if whole == 0:
            self._write({"format": FORMAT, "sweep": sweep})

    def _read(self, sweep: str) -> int:
        """Take in the finished points; return how many bytes of the file are whole lines."""
        if not self.path.exists():
            return 0
        raw = self.path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        try:
            lines = [json.loads(line) for line in raw[:whole].splitlines()]
            head = lines[0] if lines else {}
            points = {line["key"]: line["result"] for line in lines[1:]}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.path}: must be a checkpoint of a sweep, but it cannot be read ({error}); "
                "give another path"
            ) from error
        if lines and (head.get("format") != FORMAT or head.get("sweep") != sweep):
            raise InputError(
                f"{self.path}: must be a checkpoint of this very sweep, but its inputs were "
                "others; delete it or give another path"
            )
        self.results = points
        return whole

    def add(self, key: str, result: Any) -> None:
        """Write one finished point through to the disk."""
        self.results[key] = result
        self._write({"key": key, "result": result})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


Point = Any  # whatever JSON can hold: numbers, strings, lists and dicts of them


@dataclass(frozen=True)
class Sweep:
    """How the points of a sweep are worked out.

    Parameters
    ----------
    workers
        Processes; -1 for one per core. Results are the same for any number.
    backend
        "loky" for processes of this machine, "dask" for the cluster of the `distributed.Client`
        that is connected.
    checkpoint
        File that keeps finished points; a later run with the same inputs goes on from there.
        Of an analysis of several sweeps, see `part`, it is a folder.
    progress
        Called with (name, points finished, points in all) after every point.
    name
        What progress calls the sweep.

    Examples
    --------
    >>> Sweep().run(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    workers: int = 1
    backend: Literal["loky", "dask"] = "loky"
    checkpoint: str | Path | None = None
    progress: Callable[[str, int, int], None] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.workers == 0 or self.workers < -1:
            raise InputError(
                f"workers must be 1 or more, or -1 for one per core, got {self.workers}"
            )
        if self.backend not in ("loky", "dask"):
            raise InputError(f"backend must be loky or dask, got {self.backend!r}")

    def part(self, name: str) -> Sweep:
        """Return one sweep of an analysis of several: its own name, and its own file in a folder.

        Examples
        --------
        >>> Sweep(checkpoint="points").part("tornado").checkpoint
        PosixPath('points/tornado.jsonl')
        """
        folder = self.checkpoint
        return replace(
            self, name=name, checkpoint=None if folder is None else Path(folder) / f"{name}.jsonl"
        )

    def run(
        self, function: Callable[[Any], Any], points: Sequence[Point], *, inputs: str = ""
    ) -> list[Any]:
        """Return `function` of every point, in the order of the points.

        Parameters
        ----------
        function
            Takes a point, returns what JSON can hold. Must not depend on anything but its point
            and what it was made with (`functools.partial`).
        points
            What JSON can hold. Equal points are worked out once.
        inputs
            A hash of all that `function` was made with; a checkpoint made with other inputs is
            refused.

        Raises
        ------
        InputError
            If the checkpoint belongs to another sweep, or no Dask client is connected.
        """
        keys = [json.dumps(point, sort_keys=True) for point in points]
        place = (
            nullcontext()
            if self.checkpoint is None
            else Checkpoint(self.checkpoint, f"{_name(function)} {inputs}")
        )
        with place as stored:
            done: dict[str, Any] = dict(stored.results) if stored else {}
            missing = {
                key: point for key, point in zip(keys, points, strict=True) if key not in done
            }
            finished, total = len(set(keys)) - len(missing), len(set(keys))
            for key, result in self._results(function, missing):
                # Through JSON even without a file: a result is the same fresh and resumed.
                done[key] = json.loads(json.dumps(result))
                if stored:
                    stored.add(key, result)
                finished += 1
                if self.progress:
                    self.progress(self.name, finished, total)
        return [done[key] for key in keys]

    def _results(self, function: Callable[[Any], Any], points: dict[str, Point]) -> Any:
        """Yield (key, result) as they finish."""
        if not points:
            return
        # One thread for linear algebra: sums then do not depend on how many share the cores.
        if self.backend == "loky" and self.workers == 1:
            from threadpoolctl import threadpool_limits

            with threadpool_limits(limits=1):
                for key, point in points.items():
                    yield key, function(point)
            return
        import joblib

        settings: dict[str, Any] = {"backend": self.backend, "n_jobs": self.workers}
        one = _one
        if self.backend == "dask":
            _check_client()
            one = _one_limited
        else:
            settings["inner_max_num_threads"] = 1
        with joblib.parallel_config(**settings):
            parallel = joblib.Parallel(return_as="generator_unordered")
            yield from parallel(
                joblib.delayed(one)(function, key, point) for key, point in points.items()
            )


def _one(function: Callable[[Any], Any], key: str, point: Point) -> tuple[str, Any]:
    return key, function(point)


def _one_limited(function: Callable[[Any], Any], key: str, point: Point) -> tuple[str, Any]:
    """Work out one point with one thread, in a process that serves other work too."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return key, function(point)


def _name(function: Callable[[Any], Any]) -> str:
    inner = getattr(function, "func", function)
    return f"{inner.__module__}.{inner.__qualname__}"


def _check_client() -> None:
    try:
        from distributed import get_client

        get_client()
    except ImportError as error:
        raise InputError(
            'backend "dask" needs the package distributed; install evalfolio[dask]'
        ) from error
    except ValueError as error:
        raise InputError(
            'backend "dask" needs a connected cluster, but there is none; '
            "make a distributed.Client first"
        ) from error


@contextmanager
def connected(scheduler: str | None) -> Iterator[None]:
    """Connect to the Dask scheduler at an address while the block runs; None for no cluster.

    InputError if the package distributed is missing or nothing answers at the address.
    """
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "a scheduler needs the package distributed; install evalfolio[dask]"
        ) from error
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(
            f"scheduler must be the address of a Dask scheduler, got {scheduler!r}, where nothing "
            "answers; start one or check the address"
        ) from error
    with client:
        yield


def menu_hash(menu: Menu) -> str:
    """Return a hash of all that a plan on this menu depends on.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> menu_hash(small_menu()) == menu_hash(small_menu())
    True
    """
    digest = hashlib.sha256()
    costs = menu.costs_with_shared
    for array in (menu.information, menu.prior_mean, menu.prior_covariance, costs, menu.needs):
        digest.update(np.ascontiguousarray(array).tobytes())
    for decision in menu.decisions:
        numbers = {k: v for k, v in vars(decision).items() if k != "contrast"}
        digest.update(json.dumps(numbers, sort_keys=True, default=float).encode())
        digest.update(decision.contrast.tobytes())
    options = menu.options[["eval", "domain", "tier"]].astype(str)
    digest.update(options.to_csv().encode())
    digest.update(json.dumps([menu.resources, menu.states, menu.skewed]).encode())
    return digest.hexdigest()


def inputs_hash(*parts: object) -> str:
    """Return a hash of questions, menus and plain values, for `Sweep.run`."""
    words: list[str] = []
    for part in parts:
        if isinstance(part, Question):
            asked = (sorted(part.budgets.items()), [str(limit) for limit in part.limits])
            words += [menu_hash(part.menu), repr(asked), repr(part.objective)]
        else:
            words.append(menu_hash(part) if isinstance(part, Menu) else repr(part))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
