"""A programme: what was asked at its start, what has come in since, and every step on the way.

A folder of a programme is a plan's, with `programme.json` (the log), `start.nc` (the belief that
the programme began with) and `results/` (every file of results, as it was given): each step can be
repeated from it.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evalbayes.catalogue import Catalogue
from evalbayes.observations import read_observations
from evalbayes.posterior.posterior import Posterior
from evalfolio.errors import InputError
from evalfolio.limits.limit import Limit
from evalfolio.limits.table import made_again
from evalfolio.record.plain import fault
from evalfolio.record.provenance import file_hash
from evalfolio.record.record import Record

LOG, START, RESULTS, CATALOGUE = "programme.json", "start.nc", "results", "catalogue.json"
FORMAT: Literal[1] = 1
Kind = TypeVar("Kind", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


class _Foretold(_Strict):
    """What a step said of a decision."""

    p_exceeds: float
    call_now: str
    p_missed_expected: float
    p_needless_expected: float
    p_call_changes: float
    posterior_sd: float
    evsi: float


class _Step(_Strict):
    step: int
    date: str
    results: list[dict[str, str]]
    belief: str
    paid: dict[str, float]
    options: list[str]
    value: float
    usd: float
    decisions: dict[str, _Foretold]


class _Asked(_Strict):
    budget: dict[str, float]
    kept_back: dict[str, float]
    limits: list[dict[str, Any]]
    seed: int


class _Log(_Strict):
    """What a programme's log must hold."""

    format: Literal[1]
    asked: _Asked
    steps: list[_Step] = Field(min_length=1)


@dataclass(frozen=True, eq=False)  # eq=False: posteriors are not compared
class Programme:
    """Where a programme stands; `load` reads it from a plan's folder.

    Parameters
    ----------
    catalogue, start
        As the first plan had them: what could be run, and the belief before any result.
    budget, kept_back
        Stated at the start, and the shares kept back, by resource.
    constraints
        Limits asked for beside the catalogue's.
    last
        The record of the plan made last.
    files
        Of results so far, in the order in which they came, each with the step it came in.
    steps
        The log, one mapping per step.
    seed
        Of the first plan.
    """

    catalogue: Catalogue
    start: Posterior
    budget: Mapping[str, float]
    kept_back: Mapping[str, float]
    constraints: tuple[Limit, ...]
    last: Record
    files: tuple[tuple[int, Path], ...]
    steps: tuple[Mapping[str, Any], ...]
    seed: int

    @classmethod
    def load(cls, plan: str | Path) -> "Programme":
        """Read the folder of a plan, or of a programme's last step.

        InputError if it is none, or lacks what later versions write.
        """
        folder = Path(plan)
        record = Record.load(folder)
        begun = (folder / LOG).is_file()
        start = folder / (START if begun else "posterior.nc")
        for needed in (folder / CATALOGUE, start):
            if not needed.is_file():
                raise InputError(
                    f"{folder}: must be a folder that `evalfolio recommend` of this version wrote, "
                    f"but it has no {needed.name}; make the plan again"
                )
        asked: dict[str, Any] = {
            "budget": record.budget,
            "kept_back": record.kept_back,
            "limits": [dict(row) for row in record.limits],
            "seed": record.provenance.seed,
        }
        steps = [step_of(0, record, {}, "fit", ())]
        if begun:
            found = _whole(folder / LOG, _Log).model_dump(exclude_unset=True)
            asked, steps = found["asked"], found["steps"]
        files = sorted((folder / RESULTS).iterdir()) if (folder / RESULTS).is_dir() else []
        for path in files:
            if not path.name[:3].isdecimal() or path.name[3:4] != "-":
                raise InputError(
                    f"{path}: {RESULTS}/ must hold only results that `evalfolio replan` took in, "
                    "as in 001-00-runs.csv; move it away, and give it to `replan` if it is new"
                )
        own = [row for row in asked["limits"] if row.get("by") != "catalogue"]
        return cls(
            _whole(folder / CATALOGUE, Catalogue),
            Posterior.load(start),
            asked["budget"],
            asked["kept_back"],
            tuple(made for row in own if (made := made_again(row))),
            record,
            tuple((int(path.name[:3]), path) for path in files),
            tuple(steps),
            asked["seed"],
        )

    def paths(self, new: Sequence[Path] = (), *, until: int | None = None) -> list[Path]:
        """Return the files of all results: the programme's, up to a step if one is given, then new.

        InputError if a new file's results, in whatever format, are in the programme already, or are
        given twice.
        """

        def told(path: Path) -> str:
            found = read_observations([path], self.catalogue)
            # a workbook keeps one digit less than a table of text
            spend = found.runs["spend"].astype(np.float32).astype(np.float64)
            return replace(found, runs=found.runs.assign(spend=spend)).hash

        known = {told(path): f"at step {step}" for step, path in self.files} if new else {}
        for path in new:
            if (when := known.get(told(path))) is not None:
                raise InputError(
                    f"{path}: results must be new, but these came in {when} already; give each "
                    "file once, and only what has come in since"
                )
            known[told(path)] = "with this step"
        old = [path for step, path in self.files if until is None or step <= until]
        return [*old, *new]

    def write(self, folder: Path, new: Sequence[Path], step: Mapping[str, Any]) -> None:
        """Write log, first belief and files of results into a folder, with a further step."""
        asked = {
            "budget": dict(self.budget),
            "kept_back": dict(self.kept_back),
            "limits": [dict(row) for row in self.last.limits if row.by != "catalogue"],
            "seed": self.seed,
        }
        log = {"format": FORMAT, "asked": asked, "steps": [*self.steps, step]}
        (folder / LOG).write_text(json.dumps(log, indent=2) + "\n", encoding="utf-8")
        self.start.save(folder / START)
        (folder / RESULTS).mkdir()
        for _, path in self.files:
            shutil.copyfile(path, folder / RESULTS / path.name)
        for k, path in enumerate(new):
            shutil.copyfile(path, folder / RESULTS / f"{step['step']:03d}-{k:02d}-{path.name}")


def step_of(
    number: int,
    record: Record,
    used: Mapping[str, float],
    belief: str,
    files: Sequence[Path],
    **more: Any,
) -> dict[str, Any]:
    """Return a step as the log keeps it."""
    return {
        "step": number,
        "date": datetime.now(UTC).date().isoformat(),
        "results": [{"name": path.name, "sha256": file_hash(path)} for path in files],
        "belief": belief,
        "paid": dict(used),
        "options": [row.option for row in record.choices],
        "value": record.value.evsi,
        "usd": record.money.expected,
        "decisions": {
            row.name: {key: getattr(row, key) for key in _Foretold.model_fields}
            for row in record.domains
        },
        **more,
    }


def _whole(path: Path, kind: type[Kind]) -> Kind:
    """Return what a file of a programme holds; InputError if it is not what evalfolio wrote."""
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: must be as evalfolio of this version wrote it, but {fault(error)}; put "
            "the folder back from a copy, or plan again"
        ) from error
