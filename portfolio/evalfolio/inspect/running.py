"""A programme that Inspect runs: what a step buys, what came in, and what is bought next.

`run/` in a plan's folder holds `steps/`, a folder of `replan` for every look, `logs/`, Inspect's
own, from which all results are read back, and in the end `conclusion/`. Nothing else is remembered:
killed at whatever moment, a run is carried on from there and ends with the purchases it would have
had. With `log_buffer=1` logs are whole after every sample: no more is lost than those in flight.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.catalogue import Catalogue
from evalbayes.catalogue.interval import Interval
from evalbayes.menus.offer import way_of
from evalbayes.names import refuse_unknown
from evalbayes.whole import whole_file
from evalfolio.errors import InfeasibleError, InputError
from evalfolio.export import write_all
from evalfolio.inspect.meter import METERED, Gate, Meter, amounts_of
from evalfolio.inspect.settings import inspect_settings
from evalfolio.narrative import STUDY, listing
from evalfolio.programmes.concluding import conclude, write_conclusion
from evalfolio.programmes.programme import Programme
from evalfolio.programmes.replanning import replan
from evalfolio.programmes.told import in_stages
from evalfolio.readers import read_inspect_logs
from evalfolio.readers.prices import Prices, default_prices
from evalfolio.record.record import Record
from evalfolio.search import Certified, Method

HOOKS = "0.3.285"  # the first version of Inspect with them
STEP = " @ step "  # between an option and the step it was bought at, in the metadata of logs
ROWS = ["eval", "task", "effort", "epoch", "outcome", "reason", "option", "step", "log", *METERED]
SETTINGS = ["eval", "tier", "cap", "cap_unit", "attempts", "tasks", "effort"]
LIMITS = ("token_limit", "cost_limit", "working_limit")


def hooks() -> Any:
    """Return inspect_ai; InputError if it is missing, or of a version without the hooks."""
    try:
        import inspect_ai
    except ImportError as error:
        raise InputError(
            "plans are run by inspect_ai, which is not installed; install it with "
            'pip install "evalfolio[inspect]"'
        ) from error
    if not hasattr(inspect_ai, "TaskSource"):
        raise InputError(
            f"plans are run by inspect_ai {HOOKS} or later, which asks for its next tasks, got "
            f"{inspect_ai.__version__}; upgrade it, or take the script of `evalfolio harness`"
        )
    return inspect_ai


class Running:
    """A programme with Inspect as its hands, new or carried on.

    InputError if tasks and catalogue do not match, the run is of another plan, or Inspect has no
    hooks.

    Parameters
    ----------
    plan
        Folder that `evalfolio recommend` or `replan` wrote; the run is kept in its `run/`.
    tasks
        By eval, a function that makes its Inspect task at an `effort`, 0 as it comes to 1: it
        chooses solver and reasoning effort by that.
    limits
        Of all samples together, of `usd` (else the budget as stated), `tokens`, `hours`.
    at_once
        Samples of an eval that are bought between two looks at most; None: as many as planned. Few
        stop an eval as soon as more of it is not worth its price, and look oftener.
    point_usd, method
        As `replan` has them.
    model, prices
        The AI model as Inspect names it, needed where caps are in usd, and the price table.
    tell
        Is given every sentence about how it goes.
    reading
        Settings of `read_inspect_logs`, such as `success` and `scorer`.
    """

    def __init__(
        self,
        plan: str | Path,
        tasks: Mapping[str, Callable[..., Any]],
        *,
        limits: Mapping[str, float] | None = None,
        at_once: int | None = None,
        point_usd: float | None = None,
        method: Method = Certified(time_limit=60.0),
        model: str = "",
        prices: Prices | None = None,
        tell: Callable[[str], None] = print,
        **reading: Any,
    ) -> None:
        self.folder, self.tasks, self.tell, self.model = Path(plan) / "run", tasks, tell, model
        self.logs, self.prices = self.folder / "logs", prices or default_prices()
        self.reading, self.at_once = reading, at_once
        self.asked: dict[str, Any] = {"point_usd": point_usd, "method": method}
        hooks()
        self._stand(Path(plan))
        begun = self.programme.steps[0]
        if steps := sorted(self.folder.glob("steps/*/programme.json")):
            self._stand(steps[-1].parent)
        if any(self.programme.steps[0][key] != begun[key] for key in ("options", "value")):
            raise InputError(f"{self.folder}: must be a run of the plan beside it, but began with "
                             "another; move it away")  # fmt: skip
        self.limits = {"usd": self.programme.budget.get("usd", np.inf), **(limits or {})}
        refuse_unknown("tasks", tasks, [each.name for each in self.catalogue.evals], what="eval")
        names = self.menu.options.query("tier != @STUDY")["eval"].unique()  # Inspect runs none
        self.orders = {str(name): self._order(str(name)) for name in names}
        self.reason = str(self.programme.steps[-1].get("stopped", ""))
        self.batch = self._batch()

    def _stand(self, folder: Path) -> None:
        """Stand at a step: its programme, menu and catalogue, whose prices are those paid."""
        self.programme, self.menu = Programme.load(folder), Menu.load(folder / "menu")
        self.catalogue, self.step = self.programme.catalogue, len(self.programme.steps) - 1

    def _made(self, name: str, effort: float) -> tuple[Any, dict[str, Any]]:
        """Return an eval's Inspect task, and its samples by id."""
        task = self.tasks[name](effort=effort)
        for k, sample in enumerate(task.dataset):
            sample.id = k + 1 if sample.id is None else sample.id
        return task, {str(sample.id): sample for sample in task.dataset}

    def _order(self, name: str) -> list[str]:
        """Return an eval's sample ids in the order in which they are bought."""
        if name not in self.tasks or "effort" not in signature(self.tasks[name]).parameters:
            raise InputError(
                f"tasks: every eval on the menu must have a function of `effort` that makes its "
                f"Inspect task, got none for {name!r}; add it, or forbid the eval in the plan"
            )
        ids, asked = list(self._made(name, 0.0)[1]), self.catalogue.eval(name).tasks
        if len(ids) < asked:
            raise InputError(
                f"{name}: its Inspect task must have the {asked} samples that the catalogue says, "
                f"got {len(ids)}; mend `tasks` there, or the dataset"
            )
        place = [spec.name for spec in self.catalogue.evals].index(name)
        rng = np.random.default_rng([self.programme.seed, place])
        return [ids[k] for k in rng.permutation(len(ids))[:asked]]

    def read(self) -> pd.DataFrame:
        """Return every sample that the logs hold: its run, step, and what it used of `METERED`."""
        frames = [pd.DataFrame(columns=ROWS)]
        specs = {spec.name: spec for spec in self.catalogue.evals}
        for unit in {s.spend_unit for s in specs.values()} if any(self.logs.glob("*.eval")) else ():
            ask = {"spend": unit, "workers": 1, "prices": self.prices, **self.reading}
            found = read_inspect_logs(self.logs, **ask)
            for each in found.errors.itertuples():
                self.tell(f"{each.log} cannot be read and is left out: {each.message}")
            ours = found.runs["option"].fillna("").str.contains(STEP)
            of = found.runs["eval"].map({n: s.spend_unit for n, s in specs.items()}) == unit
            frames.append(found.runs[ours & of])
        runs = pd.concat([f for f in frames if len(f)] or frames, ignore_index=True)
        runs = runs[~runs["reason"].fillna("").str.startswith(("duplicate", "cancelled"))]
        if runs.empty:
            return runs
        parts, hours = runs["option"].str.partition(STEP), runs["total_hours"].clip(lower=0.0)
        price = runs["eval"].map({n: s.usd_per_unit.lognormal_mean for n, s in specs.items()})
        told = price * runs["spend"].where(runs["outcome"] != "stopped_by_cap", runs["cap"])
        return runs.assign(
            option=parts[0], step=parts[2].astype(int), log=[Path(p).name for p in runs["log"]],
            ai_model=self.catalogue.portfolio.ai_model, told=told, paid=runs["usd"],
            usd=runs["usd"].fillna(told).fillna(0.0), tokens=runs["tokens"].fillna(0.0),
            hours=hours.fillna(0.0),
        )  # fmt: skip

    def purchases(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Return what the last step buys: rows of settings, `ids` the samples, one or more.

        These are samples that have not been run that way, or where it buys that, ones that have,
        once more. A deep run comes with the run as it comes that it is held against, of samples
        without one.
        """
        before = rows[rows["step"] < self.step]
        failed = before["outcome"] == "excluded"
        had, broken = self._ways(before[~failed]), self._ways(before[failed])
        found: list[dict[str, Any]] = []
        for option, row in bought(self.programme.last, self.menu).iterrows():
            name, effort, again = str(row["eval"]), float(row["effort"]), "once more" in str(option)
            way = way_of(self.catalogue.eval(name), effort)
            able = [i for i in self.orders[name] if ((name, way, i) in had) == again]
            bare = {i for i in able if (name, "plain", i) not in had} if effort > 0 else set()
            able.sort(key=lambda i: ((name, way, i) in broken, i in bare))
            mine = {"option": f"{option}{STEP}{self.step}", **row[SETTINGS]}
            mine["ids"] = ids = able[: min(int(row["tasks"]), self.at_once or len(able))]
            base = {"tier": "plateau", "cap": row["baseline_cap"], "attempts": 1, "effort": 0.0}
            if row["baseline_runs"] > 0:
                found.append({**mine, **base, "ids": [i for i in ids if i in bare]})
            found.append(mine)
        return [each for each in found if each["ids"]]

    def _ways(self, rows: pd.DataFrame) -> set[tuple[str, str, str]]:
        """Return the eval, way and sample of runs."""
        of = zip(rows["eval"], rows["effort"].fillna(0.0).astype(float), rows["task"], strict=True)
        return {(name, way_of(self.catalogue.eval(name), e), str(task)) for name, e, task in of}

    def _batch(self) -> list[Any]:
        """Return the Inspect tasks of the next samples, having looked as often as it takes."""
        while True:
            rows, self.meter, self.ended = self.read(), Meter(self.limits), 0
            for name, *used in rows[["eval", *METERED]].itertuples(index=False):
                self.meter.ends(None, name, np.array(used, np.float64))
            if self.reason:
                return []
            buys = self.purchases(rows)
            tasks = [task for each in buys if (task := self._task(each, rows)) is not None]
            if tasks:
                self.samples = sum(len(task.dataset) * task.epochs for task in tasks)
                said = [f"{b['eval']} ({b['tier']}, {len(b['ids'])} samples)" for b in buys]
                self.tell(f"Step {self.step} runs {listing(said)}; {self.meter}.")
                return tasks
            self._look(rows)

    def _task(self, row: dict[str, Any], rows: pd.DataFrame) -> Any:
        """Return the Inspect task of a purchase, without what has been run; None where all has."""
        from inspect_ai import Epochs, task_with
        from inspect_ai.model import ModelCost, ModelInfo, get_model_info, set_model_info

        own = rows[rows["option"] + STEP + rows["step"].astype(str) == row["option"]]
        own = own[own["effort"].fillna(0.0).astype(float) == row["effort"]]
        had = set(zip(own["task"], own["epoch"].astype(int), strict=True))
        ids = [i for i in row["ids"] if sum(sample == i for sample, _ in had) < row["attempts"]]
        if not ids:
            return None
        frame, drawn = pd.DataFrame([{**row, "tasks": len(ids)}]), {row["option"]: ids}
        settings = inspect_settings(frame, model=self.model, sample_ids=drawn, prices=self.prices)
        for name, cost in settings["model_costs"].items():
            info = get_model_info(name) or ModelInfo()
            set_model_info(name, info.model_copy(update={"cost": ModelCost(**cost)}))
        asked = settings["runs"][0]["run_config"]
        config = asked["eval_config"]
        task, samples = self._made(row["eval"], row["effort"])
        return task_with(
            task,
            dataset=[samples[i] for i in ids],
            epochs=Epochs(config["epochs"], config.get("epochs_reducer")),
            fail_on_error=False,
            early_stopping=Gate(self.meter, self.catalogue.eval(row["eval"]), row["cap"], had),
            metadata={**(task.metadata or {}), **asked["metadata"]},
            **{key: config[key] for key in LIMITS if key in config},
        )

    def _look(self, rows: pd.DataFrame) -> None:
        """Plan on after what came in, and write the step; or end."""
        counted = rows[rows["outcome"] != "excluded"]
        if len(counted) <= self.programme.steps[-1].get("runs", 0):
            return self._end("No sample that was bought last gave a result.")
        with whole_file(file := self.folder / "results.csv") as partial:
            # a task may be run at several steps, and a result that came in late once more
            told = counted.assign(attempt=counted.groupby(["eval", "task"]).cumcount() + 1)
            told.drop(columns=["told", "paid"]).to_csv(partial, index=False)
        *before, last = self.programme.steps
        lost = {"usd": float(rows.loc[rows["outcome"] == "excluded", "usd"].sum())}
        steps = (*before, {**last, "corrected": lost})  # samples without a result are paid too
        now = self._repriced(rows)  # results are told whole: what comes in late is not lost
        programme = replace(self.programme, catalogue=now, files=(), steps=steps)
        try:
            made = replan(programme, [file], frontier_points=0, **self.asked)
        except InfeasibleError as error:
            return self._end(f"What is left cannot keep the limits: {error}.", programme, file)
        result, step = made.recommendation, {**made.step, "runs": len(counted)}
        if self.programme.last.stages is not None:
            result = in_stages(result, 2, seed=programme.seed)
        if made.next_dollar.stop:
            step["stopped"] = str(made.next_dollar)
        elif bought(result.record, result.menu).empty:
            step["stopped"] = "Nothing that is left is worth its price."
        folder = self.folder / "steps" / f"{self.step + 1:03d}"
        write_all(result, folder, programme=lambda f: programme.write(f, [file], step))
        self._stand(folder)
        self.tell(str(made))
        for row in made.step["changes"]:
            self.tell(f"{row['eval']}: {row['why']}.")
        return self._end(step["stopped"]) if "stopped" in step else None

    def _repriced(self, rows: pd.DataFrame) -> Catalogue:
        """Return the catalogue with what a unit of spend has cost where that is known."""
        known = rows[rows["paid"].notna() & (rows["told"] > 0)]
        specs = {spec.name: spec for spec in self.catalogue.evals}
        for name, paid, told in known.groupby("eval")[["paid", "told"]].sum().itertuples():
            price = specs[name].usd_per_unit.lognormal_mean * paid / told
            specs[name] = specs[name].model_copy(update={"usd_per_unit": Interval(price, price)})
            if not 0.5 < paid / told < 2.0:
                self.tell(f"{name}: runs cost {paid / told:.2g} times what was expected.")
        return self.catalogue.model_copy(update={"evals": tuple(specs.values())})

    def _end(self, reason: str, programme: Programme | None = None, *new: Path) -> None:
        """Say why the programme ends, and write how it ended where anything came in."""
        programme, self.reason = programme or self.programme, reason
        self.tell(reason)
        if programme.files or new:
            found = conclude(programme, new)
            write_conclusion(found, programme, new, self.folder / "conclusion")
            self.tell(str(found))

    async def _next(self) -> list[Any] | None:
        self._look(self.read())
        return self._batch() or None

    async def _ended(self, sample: Any, task: Any) -> None:
        gate = task.early_stopping
        gate.ended(sample.id, sample.epoch, amounts_of(sample, gate.spec, self.prices))
        self.ended += 1
        if self.ended * 5 // self.samples > (self.ended - 1) * 5 // self.samples:
            self.tell(f"{self.ended} of {self.samples} samples; {self.meter}.")

    async def _abandoned(self, sample: Any, epoch: int, task: Any) -> None:
        task.early_stopping.ended(sample.id, epoch, np.zeros(len(METERED)))

    def source(self) -> Any:
        """Return the `TaskSource` that asks it; InputError if the programme has ended."""
        if not self.batch:
            raise InputError(
                f"{self.folder}: the programme must go on to be run, but it ended: {self.reason}"
            )
        ask = {"sample_complete": self._ended, "sample_abandoned": self._abandoned}
        return hooks().TaskSource.from_tasks(self.batch, next_tasks=self._next, **ask)

    def run(self, model: Any, max_samples: int | None = None) -> None:
        """Let Inspect run it to its end; by default as many samples at a time as agents."""
        most = max_samples or int(self.catalogue.budget.agents_in_parallel or 0) or None
        if self.batch:
            hooks().eval(self.source(), model, log_dir=str(self.logs), log_buffer=1,
                         display="none", max_samples=most)  # fmt: skip


def bought(record: Record, menu: Menu) -> pd.DataFrame:
    """Return the runs that a step buys: its mix, or where it has stages what is run now."""
    names = [row.option for row in record.to_run]
    if record.stages is not None:
        now = next(table for table in record.stages.tables if table.name == "now")
        names = [str(row[0]) for row in now.rows]
    mix = menu.options.loc[names]
    return mix[(mix["tasks"] > 0) & (mix["tier"] != STUDY)]


def plan_source(plan: str | Path, tasks: Mapping[str, Callable[..., Any]], **settings: Any) -> Any:
    """Return an Inspect `TaskSource` that runs a plan, looks at what came in, and plans on.

    Hand it to `inspect_ai.eval` with `log_dir=f"{plan}/run/logs"` and `log_buffer=1`. Parameters
    and errors are those of `Running`; InputError too if the programme has ended.
    """
    return Running(plan, tasks, **settings).source()
