"""Sweeps: one function over many points, on any number of workers, with checkpoints.

joblib does the work, so that loky's processes are the default and a Dask cluster that is already
connected serves with `backend="dask"`. Every point is worked out by itself, with one thread for
linear algebra, so results do not depend on the number of workers or on the order they finish in.
A point of most sweeps is a question, and its result the certified choice that answers it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from evalbayes import Menu
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.objectives import evsi
from evalfolio.plans.evaluation import choice_vector
from evalfolio.plans.plan import Plan
from evalfolio.search import Certified, Method, Problem, Question, Status

FORMAT = 1
Point = Any  # whatever JSON can hold: numbers, strings, lists and dicts of them
MOST_SOLVED = 1000  # solutions that are kept, of some kilobytes each
SAME = 1e-9  # relative: values nearer to each other are one value


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

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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

        InputError if the checkpoint belongs to another sweep, or no Dask client is connected.

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
        """
        keys = [json.dumps(point, sort_keys=True) for point in points]
        of = f"{_name(function)} {inputs}"
        kept = self.checkpoint and Checkpoint(self.checkpoint, of)
        with closing(kept) if kept else nullcontext() as stored:
            done: dict[str, Any] = dict(stored.results) if stored else {}
            missing = {k: point for k, point in zip(keys, points, strict=True) if k not in done}
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
            with threadpool_limits(limits=1):
                for key, point in points.items():
                    yield key, function(point)
            return
        import joblib

        settings: dict[str, Any] = {"backend": self.backend, "n_jobs": self.workers}
        if self.backend == "dask":
            _check_client()
        else:
            settings["inner_max_num_threads"] = 1
        with joblib.parallel_config(**settings):
            parallel = joblib.Parallel(return_as="generator_unordered")
            yield from parallel(
                joblib.delayed(_one)(function, key, point) for key, point in points.items()
            )


def _one(function: Callable[[Any], Any], key: str, point: Point) -> tuple[str, Any]:
    """Work out one point with one thread, in a process that may serve other work too."""
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

    >>> from evalfolio.examples import small_menu
    >>> menu_hash(small_menu()) == menu_hash(small_menu())
    True
    """
    digest = hashlib.sha256()
    costs, drawn = menu.costs_with_shared, menu.draws_with_shared  # limits may be of draws
    for array in (menu.information, menu.prior_mean, menu.prior_covariance, costs, menu.needs):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(b"" if drawn is None else drawn.tobytes())
    for decision in menu.decisions:
        numbers = {k: v for k, v in vars(decision).items() if k != "contrast"}
        digest.update(json.dumps(numbers, sort_keys=True, default=float).encode())
        digest.update(decision.contrast.tobytes())
    options = menu.options[["eval", "domain", "tier"]].astype(str)
    digest.update(options.to_csv().encode())
    digest.update(json.dumps([menu.resources, menu.states, menu.skewed]).encode())
    digest.update("".join(map(str, menu.tariffs)).encode())
    return digest.hexdigest()


def inputs_hash(*parts: object) -> str:
    """Return a hash of questions, menus, what holds such, and plain values, for `Sweep.run`."""
    return hashlib.sha256("\n".join(map(_told, parts)).encode()).hexdigest()


def _told(part: object) -> str:
    """Return what a hash is of; of a function its name, of what has a hash of its own that."""
    if isinstance(part, Question):
        asked = (sorted(part.budgets.items()), [str(limit) for limit in part.limits])
        return "\n".join([menu_hash(part.menu), repr(asked), repr(part.objective)])
    if isinstance(part, Menu):
        return menu_hash(part)
    if isinstance(part, tuple):
        return "\n".join(map(_told, part))
    if isinstance(part, FunctionType):
        return _name(part)
    for inner in ("question", "menus", "hash"):
        if hasattr(part, inner):
            held = getattr(part, inner)
            return _told(tuple(held.values()) if inner == "menus" else held)
    return repr(part)


def swept(
    function: Callable[..., Any], points: Sequence[Point], *held: Any, sweep: Sweep | None
) -> list[Any]:
    """Return `function` of what is held and every point; a checkpoint is of what is held too."""
    run = sweep or Sweep()
    return run.run(partial(function, *held), points, inputs=inputs_hash(*held))


@dataclass(frozen=True)
class Solution:
    """The best choice at one point.

    Value, bound, gap and status are as of a `Plan`; infeasible where no choice meets the limits,
    value then 0.
    """

    options: tuple[str, ...]
    value: float
    bound: float
    gap: float | None
    status: Status
    prices: dict[str, float]  # value of one more unit of each limited resource

    @classmethod
    def of(cls, plan: Plan) -> Solution:
        """Return a plan as a point, its value by the stand-in as those of the others are."""
        offset = plan.searched - plan.value
        return cls(
            plan.chosen, plan.searched, plan.bound + offset, plan.gap, plan.status,
            plan.shadow_prices,
        )  # fmt: skip

    @property
    def feasible(self) -> bool:
        """Whether any choice meets the limits."""
        return self.status != Status.INFEASIBLE

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` reads."""
        return {**vars(self), "options": list(self.options)}

    @classmethod
    def of_json(cls, words: Mapping[str, Any]) -> Solution:
        """Read what `to_json` wrote."""
        read = {"options": tuple(words["options"]), "status": Status(words["status"])}
        return cls(**{**words, **read})

    def at_least(self, options: tuple[str, ...], value: float) -> Solution:
        """Return this point with another choice, where that one is worth more."""
        if self.feasible and value <= self.value:
            return self
        bound = max(self.bound, value) if self.feasible else value
        return replace(self, options=options, value=value, bound=bound).with_bound(bound)

    def with_bound(self, bound: float) -> Solution:
        """Return this point with a bound proved elsewhere, if it is tighter, and its gap."""
        bound = max(min(self.bound, bound), self.value)
        if self.gap is None:
            return replace(self, bound=bound)
        gap = (bound - self.value) / bound if bound > 0 else 0.0
        return replace(self, bound=bound, gap=gap)


def solve(
    question: Question, method: Method = Certified(), stay: Solution | None = None
) -> Solution:
    """Return the choice that answers a question, infeasibility being an answer too.

    A choice to `stay` with is kept where it meets all limits and none found is worth more; where
    it is worth just what it was, one must be worth more by the gap: certified no further, the two
    are not told apart.

    >>> from evalfolio.examples import small_menu
    >>> solve(Question(small_menu(), {"usd": 1_200.0})).options
    ('a plateau', 'b plateau')
    """
    (told, searched), menu = _solved(question, method), question.menu
    if stay is not None and told.feasible and set(stay.options) <= set(menu.options.index):
        x, problem = choice_vector(menu, stay.options), searched or Problem(question)
        value = problem.value(x)
        same = np.isclose(value, stay.value, rtol=SAME, atol=0.0)
        value = stay.value if same else value
        enough = told.value * (1 - getattr(method, "gap", 0.0)) if same else told.value
        if value >= enough and problem.completed(x) is not None:
            bound = max(told.bound, value)
            told = replace(told, options=stay.options, value=value, bound=bound).with_bound(bound)
    return told


_SOLVED: dict[Any, Solution] = {}


def _solved(question: Question, method: Method) -> tuple[Solution, Problem | None]:
    """Return the certified choice, and what was searched where it was not known.

    Of a menu without draws of information it is kept, as the analyses of one plan ask much alike,
    and told by what it was found from: the limits themselves, and every figure of the menu. So
    results are those of a search of its own, on any number of workers.
    """
    menu, key = question.menu, None
    if question.objective == evsi() and menu.information_draws is None and menu.replicates is None:
        told = hashlib.sha256(menu.options.to_csv().encode()).hexdigest()
        budgets = tuple(sorted(question.spendable.items()))
        key = (menu_hash(menu), told, budgets, question.limits, method)
        try:
            if key in _SOLVED:
                return _SOLVED[key], None
        except TypeError:  # a limit that is not hashable
            key = None
    try:
        found = method.find(question)
    except InfeasibleError:
        return Solution((), 0.0, 0.0, None, Status.INFEASIBLE, {}), None
    gap = None if found.gap is None else 0.0
    solution = Solution(found.chosen, found.value, found.bound, gap, found.status, found.prices)
    solution = solution.with_bound(found.bound)
    if key is not None:
        while len(_SOLVED) >= MOST_SOLVED:
            del _SOLVED[next(iter(_SOLVED))]
        _SOLVED[key] = solution
    return solution, found.problem


def best_at(
    ask: Callable[..., Question],
    points: Sequence[Point],
    *held: Any,
    method: Method,
    sweep: Sweep | None,
) -> list[Solution]:
    """Return the certified choice that answers `ask` of what is held and every point."""
    found = swept(_best, points, ask, held, method, sweep=sweep)
    return [Solution.of_json(answer) for answer in found]


def _best(
    ask: Callable[..., Question], held: tuple[Any, ...], method: Method, point: Point
) -> dict[str, Any]:
    return solve(ask(*held, point), method).to_json()
