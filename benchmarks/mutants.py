"""Mutation testing: how many small faults put into the mathematics its quick tests find.

    python -m benchmarks.mutants [AREA ...] [--mutants N] [--seed S]

An area is some modules and the tests of them. Of all places where a fault can be put (a comparison
or an operator swapped, a constant moved, a condition turned, `and` for `or`, a sign lost, a
statement dropped, a call of several arguments replaced by its first) N are drawn by the seed. Each
mutant is a fork in which that one module is compiled from the changed tree; the area's quick tests
and its modules' own examples, those within `--longest` CPU seconds alone, run by rising time until
one fails, within three times what all of them take. Messages and annotations are left alone. What
survives is printed with its line: a test is missing, or is a long one, or the mutant says the same.

It writes its section of benchmarks/README.md: the figures of a whole run, all areas at once.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import importlib.abc
import importlib.util
import json
import math
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from benchmarks.tables import circumstances, table, write_section

ROOT = Path(__file__).parents[1]
VALUE, SEARCH = "portfolio/evalfolio/value", "portfolio/evalfolio/search"
CURVES = "models/evalbayes/curves"
# Modules (a folder is all of it, without the folders in it), and the tests that are held to them.
AREAS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "explained variance": (
        (f"{VALUE}/explained.py", f"{VALUE}/envelope.py"),
        ("tests/evalfolio/value",),
    ),
    "value": (
        (f"{VALUE}/sample_information.py", f"{VALUE}/worth.py", f"{VALUE}/skew"),
        ("tests/evalfolio/value",),
    ),
    "search": ((SEARCH, f"{SEARCH}/convex"), ("tests/evalfolio/search",)),
    "curves": ((CURVES, f"{CURVES}/families"), ("tests/evalbayes/curves",)),
}
OUTCOMES = ("killed", "out of time", "survived")

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module with one fault in it."""

    path: str
    line: int
    fault: str
    tree: ast.Module


def places(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes a fault can be put at: no text of messages, annotation or import."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or isinstance(
                node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise
            ):
                continue
            yield node
            yield from places(node)


def faults(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what each fault at a node is called, and the node that stands there then."""
    if isinstance(node, ast.Compare | ast.BinOp | ast.BoolOp | ast.AugAssign):
        ops = node.ops if isinstance(node, ast.Compare) else [node.op]
        for k, op in enumerate(ops):
            if (other := SWAPS.get(type(op))) is None:
                continue
            changed = copy.deepcopy(node)
            if isinstance(changed, ast.Compare):
                changed.ops[k] = other()  # type: ignore[call-overload]  # of the same kind
            else:
                changed.op = other()  # type: ignore[assignment]  # of the same kind
            yield f"{type(op).__name__} to {other.__name__}", changed
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = not node.value if isinstance(node.value, bool) else node.value + 1
        yield f"{node.value} to {value}", ast.Constant(value)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        changed = copy.deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield "condition turned", changed
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield f"{type(node.op).__name__} lost", node.operand
    if isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "statement dropped", ast.Pass()
    if isinstance(node, ast.Call) and len(node.args) > 1:
        first = node.args[0]
        yield "call lost", first.value if isinstance(first, ast.Starred) else first


class _Put(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old:
            return ast.copy_location(self.new, node)
        self.generic_visit(node)
        return node


Site = tuple[Path, int, int]  # a module, the number of a place in it, and which of its faults


def sites_of(path: Path) -> list[Site]:
    """Return where faults can be put into a module, in the order of its text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (path, number, which)
        for number, node in enumerate(places(tree))
        for which in range(len(list(faults(node))))
    ]


def mutant_at(site: Site) -> Mutant:
    """Return the module with the fault of a site in it."""
    path, number, which = site
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = next(each for k, each in enumerate(places(tree)) if k == number)
    fault, other = list(faults(node))[which]
    changed = ast.fix_missing_locations(_Put(node, other).visit(tree))
    told = f"{fault} in {ast.unparse(node).partition(chr(10))[0][:90]}"
    return Mutant(str(path.relative_to(ROOT)), getattr(node, "lineno", 0), told, changed)


def modules(patterns: Sequence[str]) -> list[Path]:
    return [
        path
        for pattern in patterns
        for path in (
            sorted((ROOT / pattern).glob("*.py")) if (ROOT / pattern).is_dir() else [ROOT / pattern]
        )
    ]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from compiled code in place of its file."""

    def __init__(self, path: Path, code: CodeType) -> None:
        self.path, self.code = path, code
        parts = path.relative_to(ROOT).with_suffix("").parts[1:]
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.name:
            return None
        inside = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=inside
        )

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # the mutant


class _Quick:
    """Takes how long each test takes, and leaves out those known to be long."""

    def __init__(self, took: dict[str, float], longest: float) -> None:
        self.took, self.longest = took, longest

    def pytest_sessionstart(self) -> None:
        for finder in [each for each in sys.meta_path if isinstance(each, _Finder)]:
            sys.meta_path.insert(0, finder)  # before pytest's own, which rewrites what it collects

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        start = time.process_time()
        ended = yield
        self.took[item.nodeid] = time.process_time() - start
        return ended

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = [each for each in items if self.took.get(each.nodeid, 0.0) <= self.longest]
        items[:] = sorted(known, key=lambda each: self.took.get(each.nodeid, 0.0))


def outcome(tests: Sequence[str], quick: _Quick, most: float, put: Mutant | Path) -> str:
    """Run tests in a fork, with a mutant in place, or to write into a file what they took."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (int(most), int(most) + 2))
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            if isinstance(put, Mutant):
                compiled = compile(put.tree, str(ROOT / put.path), "exec")
                sys.meta_path.insert(0, _Finder(ROOT / put.path, compiled))
            from hypothesis import Phase, settings

            settings.register_profile(
                "mutants", phases=[Phase.explicit, Phase.generate], database=None, deadline=None
            )
            settings.load_profile("mutants")
            asked = "-x -q -p no:cacheprovider -p no:xdist --hypothesis-seed=0 -o timeout=3600"
            asked += " -W ignore::pytest.PytestAssertRewriteWarning"  # what was imported before it
            code = int(pytest.main([*asked.split(), *tests], plugins=[quick]))
            if isinstance(put, Path):
                put.write_text(json.dumps([_foreign(), quick.took]))
        except BaseException:  # a mutant that cannot be imported is found too
            code = 3
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what its tests may have started
    if os.WIFSIGNALED(status):
        by = os.WTERMSIG(status)
        return "out of time" if by in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    return "survived" if os.WEXITSTATUS(status) == 0 else "killed"


def _foreign() -> list[str]:
    """Return the imported modules that are not of this repository, in the order of import."""
    return [
        name
        for name, module in list(sys.modules.items())
        if not str(getattr(module, "__file__", None) or ROOT).startswith(str(ROOT))
        and not name.startswith(("_pytest", "pytest", "tests", "conftest"))
    ]


def run(area: str, n: int, seed: int, longest: float) -> tuple[int, list[tuple[Mutant, str]]]:
    """Return how many mutants an area has, and those drawn with their outcomes."""
    sources, tests = AREAS[area]
    every = [site for path in modules(sources) for site in sites_of(path)]
    drawn = [mutant_at(site) for site in random.Random(seed).sample(every, min(n, len(every)))]
    known, asked = ROOT / f".mutants.{os.getpid()}", [*sources, *tests]
    if outcome(asked, _Quick({}, math.inf), 3600, known) != "survived":
        raise SystemExit(f"{area}: its tests must pass on the code as it is; run them")
    foreign, took = json.loads(known.read_text())
    known.unlink()
    for name in foreign:  # so that forks start warm
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    whole = sum(each for each in took.values() if each <= longest)
    long, most = sum(each > longest for each in took.values()), 10 + 3 * whole
    print(
        f"{area}: {len(drawn)} of {len(every)} mutants; {len(took) - long} tests of {whole:.0f} s, "
        f"{long} longer ones left out",
        flush=True,
    )
    found = []
    for k, mutant in enumerate(drawn, 1):
        start = time.monotonic()
        end = outcome(asked, _Quick(took, longest), most, mutant)
        found.append((mutant, end))
        told = f"{mutant.path}:{mutant.line}: {mutant.fault}"
        print(f"{k:4} {end:12} {time.monotonic() - start:6.1f} s  {told}", flush=True)
    return len(every), found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--mutants", type=int, default=50, help="drawn of each area")
    parser.add_argument("--seed", type=int, default=26)
    parser.add_argument("--longest", type=float, default=2.0, help="CPU seconds of a test")
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT / "portfolio"), str(ROOT / "models"), str(ROOT)]
    rows, totals = [], dict.fromkeys(OUTCOMES, 0)
    for area in asked.areas or AREAS:
        size, found = run(area, asked.mutants, asked.seed, asked.longest)
        ends = [end for _, end in found]
        counts = {end: ends.count(end) for end in OUTCOMES}
        totals = {end: totals[end] + counts[end] for end in OUTCOMES}
        share = 1 - counts["survived"] / len(found)
        rows.append(
            [area, f"{size:,}", str(len(found)), *map(str, counts.values()), f"{100 * share:.0f} %"]
        )
    told = table(["area", "mutants", "drawn", *OUTCOMES, "found"], rows)
    print(told)
    if not asked.areas:
        on = circumstances(asked.seed, ["pytest", "hypothesis", "numpy"])
        write_section("mutants", "Faults put into the mathematics", f"{told}\n\n{on}")


if __name__ == "__main__":
    main()
