"""What a sensitivity analysis found: its tables, its sentences, and what a record keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evalfolio.narrative import percent, two_digits, words
from evalfolio.record.plain import plain
from evalfolio.record.record import Account, AccountTable
from evalfolio.sensitivities.frontiers import Frontier
from evalfolio.sensitivities.mixes import Stability
from evalfolio.sensitivities.robust import RobustMix
from evalfolio.sensitivities.tornado import Tornado

LISTS = ("options", "enters", "leaves")
ANY = ": any eval"  # how entries of domains end


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
        from evalbayes.whole import whole_file

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
            first = self.knowing.iloc[0]
            said.append(
                f"Most worth knowing before spending: {first['name']} "
                f"({percent(first['share'])} of the plan's value)."
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
            said.append(_sobol_sentence(self.sobol))
        return said

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def _entry_sentences(table: pd.DataFrame, resource: str) -> list[str]:
    """Say from where the first deep run pays, and where the whole programme is saturated."""
    said = []
    unit = words(resource)
    for what, at, why in zip(table["what"], table["at"].tolist(), table["why"], strict=True):
        if what == "max elicitation anywhere":
            said.append(
                "Max elicitation does not pay at any amount."
                if why == "never"
                else f"The first max-elicitation run pays from about {two_digits(at)} {unit}."
            )
        elif why == "pays" and str(what).endswith(ANY):
            said.append(f"{str(what).removesuffix(ANY)} pays from about {two_digits(at)} {unit}.")
    return said


def _sobol_sentence(table: pd.DataFrame) -> str:
    own = table[table["answer"] == "value"].sort_values("total", ascending=False, kind="stable")
    first = own.iloc[0]
    return (
        f"Over all assumptions together {first['name']} accounts for most of the value's variance: "
        f"{percent(max(first['total'], 0.0))}, ± {percent(first['total_ci'])}."
    )


def _joined(points: pd.DataFrame) -> pd.DataFrame:
    """Return a table with lists of options as text."""
    table = points.copy()
    for column in LISTS:
        if column in table:
            table[column] = ["; ".join(names) for names in table[column]]
    return table


Cell = str | float | bool | None
MOST = 12  # rows of a table


def firmness(found: Sensitivity) -> Account:
    """Return the sentences and tables that report and workbook show."""
    value = max(found.tornado.value, 1e-300)
    tables = [_evals(found)]
    for resource, table in found.entries.items():
        tables.append(
            _table(
                f"entries_{resource}",
                f"From how many {words(resource)} it pays",
                ("What", "Not yet at", "Pays at", "Lost without it", "Why"),
                table[["what", "below", "at", "adds", "why"]].itertuples(index=False),
            )
        )
    regret = found.regret[~found.regret.index.astype(str).str.startswith("best for ")]
    worst = regret.drop(columns="largest").idxmax(axis=1)
    tables.append(
        _table(
            "regret",
            "Regret of mixes, as shares of the plan's value",
            ("Mix", "As assumed", "Largest", "Where"),
            zip(
                regret.index.astype(str),
                regret.iloc[:, 0] / value,
                regret["largest"] / value,
                worst,
                strict=True,
            ),
        )
    )
    tables.append(
        _table(
            "robust",
            "Robust mixes and their certificates, as shares of the plan's value",
            ("Mix", "Score", "No mix better than", "Given up as assumed"),
            (
                (name, mix.score / value, mix.bound / value, max(mix.price, 0.0))
                for name, mix in (
                    ("least largest regret", found.least_regret),
                    ("best mean over the worst fifth", found.cautious),
                )
            ),
        )
    )
    tables.append(
        _table(
            "knowing",
            "What it is worth to know a figure before spending, as a share of the plan's value",
            ("Figure", "Worth", "At most"),
            zip(
                found.knowing["name"],
                found.knowing["share"],
                found.knowing["worth_high"] / value,
                strict=True,
            ),
        )
    )
    if len(found.pilots):
        tables.append(
            _table(
                "pilots",
                "A pilot first, the rest split on its result, as a share of the plan's value",
                ("Pilot", "Worth", "At least", "At most", "Changes the mix with probability"),
                zip(
                    found.pilots["option"],
                    found.pilots["share"],
                    found.pilots["worth_low"] / value,
                    found.pilots["worth_high"] / value,
                    found.pilots["changes"],
                    strict=True,
                ),
            )
        )
    if found.sobol is not None:
        tables.append(_sobol(found.sobol))
    return Account(sentences=tuple(found.sentences()), tables=tuple(tables))


def _evals(found: Sensitivity) -> AccountTable:
    """How often each eval stays in the mix, under draws and under assumptions."""
    over = found.over_assumptions.evals
    draws = found.over_draws.evals["included"] if found.over_draws is not None else None
    rows: list[tuple[Cell, ...]] = []
    names = [str(name) for name in over.index]
    if draws is not None:
        names += [str(name) for name in draws.index if name not in over.index]
    for name in names:
        inside = name in over.index
        rows.append(
            (
                name,
                float(over["included"].get(name, 0.0)),
                None if draws is None else float(draws.get(name, 0.0)),
                float(over["deep"].get(name, 0.0)),
                "core" if inside and bool(over["core"].get(name)) else "fringe",
            )
        )
    columns = ("Eval", "Kept over assumptions", "Kept over draws", "Run deep", "Core or fringe")
    return _table("evals", "How often each eval stays in the mix", columns, rows, most=40)


def _sobol(table: pd.DataFrame) -> AccountTable:
    value = table[table["answer"] == "value"].set_index("name")
    deep = table[table["answer"] == "share on max elicitation"].set_index("name")
    order = value["total"].sort_values(ascending=False, kind="stable").index
    return _table(
        "sobol",
        "Total Sobol indices over all assumptions together, with 95 % half-widths",
        ("Figure", "Of the value", "±", "Of the share on depth", "± there"),
        (
            (
                str(name),
                float(value["total"].get(name, 0.0)),
                float(value["total_ci"].get(name, 0.0)),
                float(deep["total"].get(name, 0.0)),
                float(deep["total_ci"].get(name, 0.0)),
            )
            for name in order
        ),
    )


def _table(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    most: int = MOST,
) -> AccountTable:
    cells = [tuple(None if cell == "" else plain(cell) for cell in row) for row in rows]
    return AccountTable(name=name, title=title, columns=tuple(columns), rows=tuple(cells[:most]))
