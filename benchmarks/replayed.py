"""`evalfolio replan` on recorded runs: the programme's own steps as a strategy of the back-test.

    python -m benchmarks.replayed FOLDER [REPETITIONS]

Each AI model is hidden in turn. The others' runs are fitted by the model of `evalfolio fit`; a
quarter of the money is planned by `Standing`, the step that `evalfolio replan` takes, its runs are
bought as they were recorded, the belief is moved by the fast update, and what is left is planned
again, at a half and to the end. The back-test judges it as it judges every strategy, by one
inference for all. It writes its section of benchmarks/README.md and keeps finished AI models in
FOLDER, so that it can be stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.backtest import metr_runs
from benchmarks.cyber_runs import RELEASED, cyber_runs
from benchmarks.tables import circumstances, table, write_section

from evalbayes.arrays import Array, Index
from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.menus import build_menu
from evalbayes.model.fit import fit
from evalbayes.observations import Observations, observations_of
from evalbayes.posterior.posterior import Posterior
from evalfolio.backtests.conclusion import Losses
from evalfolio.backtests.findings import scored, summary
from evalfolio.backtests.market import Market, Sight
from evalfolio.backtests.recommended import ENDS, InStages, Recommended
from evalfolio.backtests.record import Design, Record, record_of
from evalfolio.backtests.strategies import all_maximum, uniform
from evalfolio.backtests.trial import Price, Setting, trials_of
from evalfolio.backtests.ways import Way, filled
from evalfolio.programmes.standing import Standing
from evalfolio.search.certified import Certified
from evalfolio.search.greedy import Greedy

DATA = Path(__file__).parents[2] / "shared" / "data"
SEED, REPETITIONS, DRAWS = 0, 1, 2000
BUDGETS = (0.1, 0.3)
BILL = 1000.0  # usd that all runs of a portfolio are taken to cost
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles of the horizon foretold, where a call changes
TESTED = "next"  # the AI model under test, to whom what is bought is not known by name
QUICK = Certified(gap=5e-3, time_limit=10.0)
REPLAN = "replan"
TOLD = ["eval", "task", "ai_model", "outcome", "spend", "cap"]
EVAL = """
[[eval]]
name = "{name}"
domain = "horizon"
tasks = {tasks}
human_minutes = {minutes:.4g}
spend_unit = "spend"
usd_per_unit = {price!r}
max_cap = {cap!r}
staff_hours_elicitation = 9
"""
LEVEL = """
[[level]]
domain = "horizon"
name = "{name}"
threshold = {at:.4f}
mitigate_above = 0.2
"""
HEAD = ["runs", "strategy", "budget", "RMSE, doublings", "90 % holds", "mean loss", "spent"]
SAID = """\
The programme as users run it (`Standing`, the step of `evalfolio replan`: fit of the other AI
models' runs, plan, recorded runs, fast update, plan of what is left, at a quarter, a half and all
of the money) is a strategy of the back-test, judged as all are; draws of tasks for each
AI model: {repetitions}. Budgets are shares of the full bill. *evalfolio in stages* is the
back-test's own planner, on a menu of tasks; METR's runs are the first attempts at every task, AI
models released since {since}. {verdict}
"""


@dataclass(frozen=True)
class Programmes:
    """The programme of the product as a staged strategy of the back-test."""

    folder: Path  # where its catalogues are written

    def stages(
        self, market: Market, budget: float, rng: np.random.Generator
    ) -> Generator[Design, Sight, Design]:
        """Yield what to have bought by the end of every stage; see `Staged`."""
        catalogue, start = market.remembered("start", lambda: begun(market, self.folder))
        positions = market.at
        results, spent, price, held = Observations(), 0.0, market.price, np.array([], np.int64)
        caps = np.array([])
        for k, end in enumerate(ENDS):
            asked = {"usd": end * budget * usd_per_unit(catalogue), "staff_hours": 1.0}
            # What runs have really spent is known to the last unit here, as with --paid.
            now = Standing.after(
                results, catalogue, start, budget=asked, kept_back={},
                used={"usd": spent * usd_per_unit(catalogue)} if k else None, seed=SEED,
            )  # fmt: skip
            rows, at = self._bought(market, now, held, price, end * budget - spent, rng)
            held, caps = np.concatenate([held, rows]), np.concatenate([caps, at])
            design = Design(positions[held], caps)
            if end == ENDS[-1]:
                return design
            sight = yield design
            runs = sight.runs.assign(ai_model=TESTED)
            results, spent = observations_of(runs[TOLD], catalogue), sight.spent
            price = sight.foresight.price
        raise AssertionError("the last stage ends it")

    def _bought(
        self,
        market: Market,
        now: Standing,
        held: Index,
        price: Price,
        money: float,
        rng: np.random.Generator,
    ) -> tuple[Index, Array]:
        """Return rows of the market that the plan of what is left buys, and their caps."""
        menu, _ = build_menu(now.belief, now.catalogue, with_draws=False, done=now.done)
        once = (menu.options["attempts"] == 1) & (menu.options["effort"] == 0)
        menu = menu.subset((once & ~menu.options.index.str.contains("once more")).to_numpy())
        question = now.question(menu)
        answers = [method.find(question) for method in (QUICK, Greedy())]
        mix = menu.options.loc[list(max(answers, key=lambda a: a.value).chosen)]
        fresh = {name: np.setdiff1d(market.of_eval(name), held) for name in market.evals}
        blocks = {name: rows for name, rows in fresh.items() if len(rows)}
        ways = {}
        for row in mix.to_dict("records"):
            share = min(row["cap"] / float(market.caps[market.of_eval(row["eval"])[0]]), 1.0)
            n = int(row["tasks"])
            ways[row["eval"]] = Way(n, share, n if share == 1.0 else 0, 1)
        rest = {name: (ways[name].share if name in ways else 1.0, 1) for name in blocks}
        found = filled(blocks, ways, rest, price, market.luck, money, rng)
        rows = np.array([one.row for one in found], np.int64)
        return rows, np.array([one.share for one in found]) * market.caps[rows]


def usd_per_unit(catalogue: Catalogue) -> float:
    """Return the price of a unit of spend, the same for every eval."""
    return float(catalogue.evals[0].usd_per_unit.lognormal_mean)


def begun(market: Market, folder: Path) -> tuple[Catalogue, Posterior]:
    """Return the catalogue of a market and the belief that its history leaves."""
    low, *levels, high = np.quantile(market.horizons, [0.05, *LEVELS, 0.95])
    bill = float(market.price(1.0, 1).sum())
    text = f"[portfolio]\nai_model = {TESTED!r}\n\n[budget]\nusd = {BILL}\nstaff_hours = 1\n"
    text += (
        '\n[[domain]]\nname = "horizon"\nunit = "doublings of human task time"\n'
        f"shown_capability = [{low:.3f}, {max(high, low + 0.5):.3f}]\n"
        "elicitation_gap = [0.01, 0.02]\n"
    )
    for k, at in enumerate(levels):
        text += LEVEL.format(name=f"level {k}", at=at)
    for name in market.evals:
        rows = market.of_eval(name)
        minutes = np.exp(np.log(market.tasks["human_minutes"].to_numpy(float)[rows]).mean())
        text += EVAL.format(
            name=name,
            tasks=len(rows),
            minutes=minutes,
            price=BILL / bill,
            cap=float(market.caps[rows[0]]),
        )
    path = folder / f"{len(list(folder.iterdir())):03d}.toml"
    path.write_text(text, encoding="utf-8")
    catalogue = read_catalogue(path)
    history = market.history[market.history["eval"].isin(market.evals)]
    history = history[history["attempt"] < market.attempts]
    start = fit(catalogue, observations_of(history[TOLD], catalogue), seed=SEED)
    return catalogue, start.kept(np.linspace(0, start.n_draws - 1, DRAWS).astype(int))


def trials(
    record: Record, ai_models: list[str], name: str, repetitions: int, folder: Path
) -> pd.DataFrame:
    """Return the scored trials of some AI models, each kept once it is made."""
    setting = Setting(
        BUDGETS,
        repetitions,
        losses=Losses.over(record.tasks["human_minutes"].to_numpy(np.float64)),
        seed=SEED,
    )
    strategies = {
        REPLAN: Programmes(folder / "catalogues"),
        "evalfolio in stages": InStages(once=Recommended()),
        "all maximum": all_maximum,
        "uniform random": uniform,
    }
    frames = []
    for ai_model in ai_models:
        out = folder / f"{name}-{ai_model.replace('/', '_').replace(' ', '_')}.json"
        if not out.exists():
            partial = out.with_suffix(".partial")
            rows = trials_of(record, strategies, setting, ai_model)
            pd.DataFrame(rows).to_json(partial, orient="records")
            partial.replace(out)
            print(name, ai_model, flush=True)
        frames.append(pd.read_json(out, orient="records"))
    return scored(pd.concat(frames, ignore_index=True))


METR_LATEST = 5  # AI models of METR's, the latest


def main(folder: Path, repetitions: int) -> None:
    """Replay and write the section."""
    (folder / "catalogues").mkdir(parents=True, exist_ok=True)
    cyber = record_of(
        cyber_runs(DATA / "cyber_runs.csv.gz"), released=RELEASED, source="cyber runs"
    )
    metr = record_of(metr_runs(DATA / "metr_runs.csv.gz"), attempts=1, source="METR runs")
    latest = sorted(metr.released, key=lambda name: metr.released[name])[-METR_LATEST:]
    rows, told = [], []
    for name, record, names in (
        ("cyber", cyber, list(cyber.ai_models)),
        ("METR", metr, latest),
    ):
        found = trials(record, names, name, repetitions, folder)
        figures = summary(found, SEED).set_index(["strategy", "budget"])
        for budget in sorted(found["budget"].unique()):  # JSON keeps a digit less of them
            for strategy, own in found[found["budget"] == budget].groupby("strategy", sort=False):
                of = figures.loc[(strategy, budget)]
                rows.append([
                    name, str(strategy), f"{budget:.0%}",
                    *(f"{of[m]:.3g} [{of[m + '_low']:.2g}, {of[m + '_high']:.2g}]"
                      for m in ("rmse", "coverage_90", "loss")),
                    f"{own['spent'].mean():.2f}",
                ])  # fmt: skip
        by = found.pivot_table(index=["ai_model", "budget"], columns="strategy", values="mean_loss")
        ratio = by[REPLAN].groupby("budget").mean() / by["all maximum"].groupby("budget").mean()
        told.append(
            f"On {name}'s runs replan loses "
            + ", ".join(f"{v:.2f} ({b:.0%})" for b, v in ratio.items())
            + " of what *all maximum* loses."
        )
    said = SAID.format(
        repetitions=repetitions,
        since=metr.released[latest[0]].date().isoformat(),
        verdict=" ".join(told),
    )
    made = circumstances(SEED, ["evalfolio", "numpy", "pymc"])
    write_section(
        "replayed", "replan on recorded runs, judged by the back-test",
        f"{said}\n{table(HEAD, rows)}\n\n{made}",
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else REPETITIONS)
