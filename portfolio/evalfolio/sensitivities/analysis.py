"""The whole sensitivity analysis of a plan: budgets, assumptions, stability and regret."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.catalogue import Catalogue
from evalbayes.observations import Observations
from evalbayes.posterior.posterior import Posterior
from evalbayes.whole import whole_file
from evalfolio.errors import InputError
from evalfolio.narrative import percent, two_digits, words
from evalfolio.plans.plan import Plan
from evalfolio.plans.rivals import rival_plans
from evalfolio.record.plain import plain
from evalfolio.record.record import Account, AccountTable
from evalfolio.search import Certified
from evalfolio.sensitivities.assumed import Assumed, assumptions_of
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.frontiers import Frontier, entries, frontier
from evalfolio.sensitivities.mixes import (
    Stability,
    Tornado,
    stability_over_assumptions,
    stability_over_draws,
    stability_over_observations,
    tornado,
)
from evalfolio.sensitivities.pilots import pilot_first
from evalfolio.sensitivities.robust import (
    RobustMix,
    best_under,
    regret_table,
    robust_mix,
    scenarios_of,
    worth_of_knowing,
)
from evalfolio.sensitivities.sobol import sobol_of_plan
from evalfolio.sensitivities.sweep import Sweep

LISTS = ("options", "enters", "leaves")
ANY = ": any eval"  # how entries of domains end
MOST = 12  # rows of a table


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Sensitivity:
    """How much a plan depends on what was assumed.

    Parameters
    ----------
    frontiers
        By resource, best mixes over a range of it.
    entries
        By resource, the amount from which each domain, and depth in it, is worth its price.
    tornado
        Every assumed figure moved to either end of its range.
    regret
        Regret of mixes (rows) under scenarios (columns), and the largest.
    least_regret, cautious
        The mix of least largest regret, and the one best in the worst fifth of the scenarios.
    over_draws
        Stability over posterior draws; None where the menu has none.
    over_assumptions
        Stability over the assumed figures.
    knowing
        What it is worth to know each figure before spending.
    pilots
        What it is worth to run a max-elicitation option first and split the rest on its result.
    sobol
        Sobol indices; None where not asked for.
    over_observations
        Stability when the results are drawn again; None where not asked for.
    """

    frontiers: Mapping[str, Frontier]
    entries: Mapping[str, pd.DataFrame]
    tornado: Tornado
    regret: pd.DataFrame
    least_regret: RobustMix
    cautious: RobustMix
    over_draws: Stability | None
    over_assumptions: Stability
    knowing: pd.DataFrame
    pilots: pd.DataFrame
    sobol: pd.DataFrame | None = None
    over_observations: Stability | None = None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name, as it is written."""
        out: dict[str, pd.DataFrame] = {}
        for resource, line in self.frontiers.items():
            out[f"frontier_{resource}"] = _joined(line.points)
            out[f"kinks_{resource}"] = pd.DataFrame({"change": line.kinks()}, dtype=object)
        for resource, table in self.entries.items():
            out[f"entries_{resource}"] = table
        out["tornado"] = self.tornado.rows
        out["regret"] = self.regret.rename_axis("mix").reset_index()
        out["robust"] = pd.DataFrame([self.least_regret.record(), self.cautious.record()])
        for name, found in (
            ("draws", self.over_draws),
            ("observations", self.over_observations),
            ("assumptions", self.over_assumptions),
        ):
            if found is not None:
                out[f"stability_{name}"] = found.evals.reset_index()
                out[f"options_{name}"] = (
                    found.options.rename("included").rename_axis("option").reset_index()
                )
        out["knowing"] = self.knowing
        out["pilots"] = _joined(self.pilots)
        if self.sobol is not None:
            out["sobol"] = self.sobol
        return out

    def write(self, folder: str | Path) -> Path:
        """Write every table as CSV into a folder; return it."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables().items():
            with whole_file(folder / f"{name}.csv") as partial:
                table.to_csv(partial, index=False)
        with whole_file(folder / "summary.txt") as partial:
            partial.write_text(str(self) + "\n", encoding="utf-8")
        return folder

    def sentences(self) -> list[str]:
        """Return what was found, a sentence or two each."""
        said = [str(line) for line in self.frontiers.values()]
        for resource, table in self.entries.items():
            said += _entry_sentences(table, resource)
        said.append(str(self.tornado))
        first = self.tornado.find_out_first()
        if len(first):
            told = [
                f"{name} ({ask})" for name, ask in zip(first["name"], first["ask"], strict=True)
            ]
            said.append(f"Of what nobody gave, find out first: {'; '.join(told)}.")
        for lead, found in (
            ("Results yet to come", self.over_draws),
            ("Other results of the same kind", self.over_observations),
            ("Assumptions", self.over_assumptions),
        ):
            if found is not None:
                text = str(found)
                said.append(f"{lead}: {text[0].lower()}{text[1:]}")
        said.append(
            "The mix of least regret gives up "
            f"{percent(max(self.least_regret.price, 0.0))} of the value as assumed."
        )
        if len(self.knowing) and self.knowing["worth"].iloc[0] > 0:
            known = self.knowing.iloc[0]
            said.append(
                f"Most worth knowing before spending: {known['name']} "
                f"({percent(known['share'])} of the plan's value)."
            )
        if len(self.pilots):
            best = self.pilots.iloc[0]
            if best["worth_low"] > 0:
                said.append(
                    f"Pilot first: run {best['option']} and split the rest on its result; that is "
                    f"worth {percent(best['share'])} more than to split at once."
                )
            elif best["worth_high"] <= 0:
                said.append("No pilot tried is worth waiting for.")
        if self.sobol is not None:
            most = _sobol_of(self.sobol, "value").iloc[0]
            said.append(
                f"Over all assumptions together {most.name} accounts for most of the value's "
                f"variance: {percent(max(most['total'], 0.0))}, ± {percent(most['total_ci'])}."
            )
        return said

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def _entry_sentences(table: pd.DataFrame, resource: str) -> list[str]:
    """Say from where the first deep run pays, and where the whole programme is saturated."""
    said = []
    unit = words(resource)
    for what, at, why in zip(table["what"], table["at"].tolist(), table["why"], strict=True):
        if what == "max elicitation anywhere":
            text = "Max elicitation does not pay at any amount."
            if why != "never":
                text = f"The first max-elicitation run pays from about {two_digits(at)} {unit}."
            said.append(text)
        elif why == "pays" and str(what).endswith(ANY):
            said.append(f"{str(what).removesuffix(ANY)} pays from about {two_digits(at)} {unit}.")
    return said


def _joined(points: pd.DataFrame) -> pd.DataFrame:
    """Return a table with lists of options as text."""
    table = points.copy()
    for column in LISTS:
        if column in table:
            table[column] = ["; ".join(names) for names in table[column]]
    return table


def firmness(found: Sensitivity) -> Account:
    """Return the sentences and tables that report and workbook show."""
    value = max(found.tornado.value, 1e-300)
    first, knowing, pilots = found.tornado.find_out_first(), found.knowing, found.pilots
    tables = [_evals(found)]
    if len(first):
        title = "Figures that nobody gave, by how far their ranges move the plan"
        heads = ("Figure", "From", "To", "Moves the plan by", "How to find out")
        tables.append(_table("find_out_first", title, heads, *(first[key] for key in first)))
    for resource, table in found.entries.items():
        title = f"From how many {words(resource)} it pays"
        heads = ("What", "Not yet at", "Pays at", "Lost without it", "Why")
        told = (table[key] for key in ("what", "below", "at", "adds", "why"))
        tables.append(_table(f"entries_{resource}", title, heads, *told))
    regret = found.regret[~found.regret.index.astype(str).str.startswith("best for ")]
    mixes = (found.least_regret, found.cautious)
    tables += [
        _table(
            "regret",
            "Regret of mixes, as shares of the plan's value",
            ("Mix", "As assumed", "Largest", "Where"),
            regret.index.astype(str),
            regret.iloc[:, 0] / value,
            regret["largest"] / value,
            regret.drop(columns="largest").idxmax(axis=1),
        ),
        _table(
            "robust",
            "Robust mixes and their certificates, as shares of the plan's value",
            ("Mix", "Score", "No mix better than", "Given up as assumed"),
            ("least largest regret", "best mean over the worst fifth"),
            [mix.score / value for mix in mixes],
            [mix.bound / value for mix in mixes],
            [max(mix.price, 0.0) for mix in mixes],
        ),
    ]
    title = "What it is worth to know a figure before spending, as a share of the plan's value"
    most = knowing["worth_high"] / value
    columns: tuple[Iterable[object], ...] = (knowing["name"], knowing["share"], most)
    tables.append(_table("knowing", title, ("Figure", "Worth", "At most"), *columns))
    if len(pilots):
        title = "A pilot first, the rest split on its result, as a share of the plan's value"
        heads = ("Pilot", "Worth", "At least", "At most", "Changes the mix with probability")
        ends = (pilots["worth_low"] / value, pilots["worth_high"] / value)
        columns = (pilots["option"], pilots["share"], *ends, pilots["changes"])
        tables.append(_table("pilots", title, heads, *columns))
    if found.sobol is not None:
        title = "Total Sobol indices over all assumptions together, with 95 % half-widths"
        heads = ("Figure", "Of the value", "±", "Of the share on depth", "± there")
        own = _sobol_of(found.sobol, "value")
        deep = _sobol_of(found.sobol, "share on max elicitation").reindex(own.index).fillna(0.0)
        columns = (own["total"], own["total_ci"], deep["total"], deep["total_ci"])
        tables.append(_table("sobol", title, heads, own.index.astype(str), *columns))
    return Account(sentences=tuple(found.sentences()), tables=tuple(tables))


def _sobol_of(table: pd.DataFrame, answer: str) -> pd.DataFrame:
    """Return what accounts for one answer, the most first."""
    own = table[table["answer"] == answer].set_index("name")
    return own.sort_values("total", ascending=False, kind="stable")


def _evals(found: Sensitivity) -> AccountTable:
    """How often each eval stays in the mix, under draws and under assumptions."""
    over = found.over_assumptions.evals
    draws = found.over_draws.evals["included"] if found.over_draws is not None else None
    names = [str(name) for name in over.index]
    names += [] if draws is None else [str(name) for name in draws.index if name not in over.index]
    rows = over.reindex(names)
    kept = [None if draws is None else draws.get(name, 0.0) for name in names]
    core = np.where(rows["core"].eq(other=True), "core", "fringe")
    heads = ("Eval", "Kept over assumptions", "Kept over draws", "Run deep", "Core or fringe")
    columns = (names, rows["included"].fillna(0.0), kept, rows["deep"].fillna(0.0), core)
    title = "How often each eval stays in the mix"
    return _table("evals", title, heads, *columns, most=40)


def _table(
    name: str, title: str, heads: tuple[str, ...], *columns: Iterable[object], most: int = MOST
) -> AccountTable:
    """Return a table of columns under their headings."""
    rows = zip(*columns, strict=True)
    cells = [tuple(None if cell == "" else plain(cell) for cell in row) for row in rows]
    return AccountTable(name=name, title=title, columns=heads, rows=tuple(cells[:most]))


def sensitivity(
    plan: Plan,
    catalogue: Catalogue | None = None,
    posterior: Posterior | None = None,
    *,
    assumptions: Sequence[Assumed] | None = None,
    points: int = 20,
    samples: int = 64,
    sobol: int = 0,
    pilots: int = 3,
    observations: Observations | None = None,
    resamples: int = 0,
    mixes: Mapping[str, Sequence[str]] | None = None,
    vary: Sequence[str] | None = None,
    seed: int = 0,
    method: Certified = Certified(gap=2e-3),
    sweep: Sweep | None = None,
) -> Sensitivity:
    """Return how a plan's value and mix depend on budget, assumptions and posterior draws.

    InputError if neither a catalogue with its posterior nor assumptions are given.

    Parameters
    ----------
    plan
        The plan; menu, budgets and limits of the analysis are those of its question.
    catalogue, posterior
        What its menu was built from; with them figures that ask for a new menu vary too.
    assumptions
        The assumed figures; by default those of the catalogue.
    points
        Amounts on each frontier.
    samples
        Mixes for stability, over draws and over assumptions each.
    sobol
        Base samples of the Sobol indices, a power of 2; 0 for none. From 128 on the intervals are
        narrow enough to rank the figures; each sample is some fifteen certified plans.
    pilots
        How many max-elicitation options to try as a pilot whose result is awaited; 0 for none.
    observations, resamples
        What the posterior was fitted to, and how many times to draw it again and fit anew; 0 for
        not at all, as each takes minutes.
    mixes
        Mixes of your own to judge by regret, e.g. last year's, beside the plan's rivals.
    vary
        Resources to draw a frontier of; by default usd and all whose shadow price is above 0.
    seed
        Of samples, and of menus that are built again.
    method
        Of every plan.
    sweep
        Workers and progress; its checkpoint is a folder, with a file for each part.
    """
    if assumptions is None:
        if catalogue is None or posterior is None:
            raise InputError(
                "sensitivity: there must be assumptions, or a catalogue and a posterior to take "
                "them from, got neither; give one of the two"
            )
        assumptions = assumptions_of(catalogue, posterior)
    question = plan.question
    basis = Basis(question, catalogue, posterior, seed)
    run, draws = sweep or Sweep(), plan.menu.information_draws

    def of(part: str) -> dict[str, Any]:
        return {"method": method, "sweep": run.part(part)}

    lines = {
        name: frontier(question, resource=name, points=points, **of(f"frontier_{name}"))
        for name in (_varied(plan) if vary is None else vary)
    }
    tipped = tornado(basis, assumptions, plan=plan, **of("tornado"))
    several = scenarios_of(basis, assumptions)
    settled = best_under(several, question, **of("scenarios"))
    least, cautious = (
        robust_mix(several, question, criterion=by, settled=settled, method=method)
        for by in ("regret", "cvar")
    )
    named = {
        "this plan": plan.chosen,
        **rival_plans(plan.question),
        **dict(mixes or {}),
        "least regret": least.options,
        "best of the worst fifth": cautious.options,
    }
    on_menu = set(next(iter(several.menus.values())).options.index)
    named = {name: tuple(o for o in mix if o in on_menu) for name, mix in named.items()}
    over_draws = over_observations = by_sobol = None
    if draws is not None and len(draws):
        over_draws = stability_over_draws(question, most=samples, **of("draws"))
    if resamples and catalogue is not None and observations is not None:
        drawn_again = {"resamples": resamples, "seed": seed, **of("observations")}
        over_observations = stability_over_observations(
            question, catalogue, observations, **drawn_again
        )
    if sobol:
        by_sobol = sobol_of_plan(basis, assumptions, samples=sobol, seed=seed, **of("sobol"))
    return Sensitivity(
        frontiers=lines,
        entries={name: entries(lines[name], **of(f"entries_{name}")) for name in list(lines)[:1]},
        tornado=tipped,
        regret=regret_table(several, named, question, settled=settled, method=method),
        least_regret=least,
        cautious=cautious,
        over_draws=over_draws,
        over_observations=over_observations,
        over_assumptions=stability_over_assumptions(
            basis, assumptions, samples=samples, seed=seed, **of("assumptions")
        ),
        knowing=worth_of_knowing(basis, assumptions, **of("knowing")),
        pilots=pilot_first(question, most=pilots, **of("pilots")),
        sobol=by_sobol,
    )


def _varied(plan: Plan) -> list[str]:
    """Return the resources whose budget matters: usd first, then those with a shadow price."""
    limited = [name for name, amount in plan.budget.items() if 0 < amount < np.inf]
    priced = [name for name in limited if plan.shadow_prices.get(name, 0.0) > 0]
    return [name for name in ("usd",) if name in limited] + [n for n in priced if n != "usd"]
