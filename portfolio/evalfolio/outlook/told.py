"""What outlook and schedule of a plan say: sentences from templates, and tables."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.posterior.placing import placed
from evalbayes.tables.toml import read_toml
from evalfolio.limits.table import made_again
from evalfolio.narrative import lines_of, percent, two_digits
from evalfolio.outlook.crossing import buffers, crossings
from evalfolio.outlook.fleet import fleet
from evalfolio.outlook.forecast import banded, composition, forecast_of
from evalfolio.outlook.lengths import Power, by_length, unfair
from evalfolio.outlook.presets import EXPONENT, Presets, read_presets
from evalfolio.outlook.schedule import schedule_of
from evalfolio.outlook.yearly import mixes
from evalfolio.programmes.programme import Programme
from evalfolio.record.record import Account, AccountTable, Record
from evalfolio.search import Question

FOLDER = Path(__file__).parent / "templates"


def ranged(row: Mapping[str, Any], name: str, kind: str = "two") -> str:
    """Return a figure with its 90 % interval in words.

    >>> ranged({"x": 2.0, "x_low": 1.0, "x_high": 12_345.0}, "x")
    '2 [1, 12,000]'
    """
    say = percent if kind == "share" else two_digits
    return f"{say(row[name])} [{say(row[f'{name}_low'])}, {say(row[f'{name}_high'])}]"


def _told(name: str, tables: Mapping[str, pd.DataFrame], **beside: Any) -> Account:
    """Return tables under their titles, and what a template says of them, a line a sentence."""
    rows = {key: table.to_dict("records") for key, table in tables.items()}
    said = lines_of(FOLDER / f"{name}.txt.j2", **rows, **beside, band=ranged)
    titles = read_toml(FOLDER / "titles.toml", "titles", "install evalfolio again")
    shown = [AccountTable.of(key, titles[key], each) for key, each in tables.items() if len(each)]
    return Account(sentences=tuple(said), tables=tuple(shown))


def _question(plan: str | Path, record: Record) -> Question:
    limits = [made for row in record.limits if (made := made_again(dict(row)))]
    menu = Menu.load(Path(plan) / "menu")
    return Question(menu, record.budget, limits, contingency=record.kept_back)


def forecast(
    plan: str | Path,
    presets: Presets | None = None,
    *,
    years: int = 3,
    draws: int = 4000,
    seed: int = 0,
    fitted: bool = False,
) -> Account:
    """Forecast what the evaluations of a plan cost in the years to come, and what drives it.

    The account's tables are totals, mixes, drivers, costs, scenarios, composition, binding,
    by_eval, exponent, lengths, unfair, fleet and sources.

    InputError if the folder or the years are not what they must be.

    Parameters
    ----------
    plan
        Folder that `evalfolio recommend` wrote.
    presets
        Drivers with their sources, under a scenario; by default those of `read_presets`.
    years, draws, seed
        Of the Monte Carlo.
    fitted
        Whether tokens go with task length as costs do between the evals of the plan's posterior.
    """
    read, programme = presets or read_presets(), Programme.load(plan)
    catalogue, posterior = programme.catalogue, placed(programme.start, programme.catalogue)
    power, none = Power.of(posterior, catalogue, seed=seed), pd.DataFrame()
    how: dict[str, Any] = {"years": years, "n_draws": draws, "seed": seed}
    how["fitted"] = power.exponent if fitted and power is not None else None
    found = forecast_of(programme.last, catalogue, read, **how)
    hours = np.median(found.used("agent_hours"), axis=0)
    tables = {
        "totals": found.totals(),
        "mixes": mixes(_question(plan, programme.last), found, catalogue),
        "drivers": found.drivers(),
        "costs": found.costs(),
        "scenarios": found.scenarios(),
        "composition": composition(read),
        "binding": found.binding() if found.there_is else none,
        "by_eval": found.by_eval(),
        "exponent": none if power is None else power.table,
        "lengths": none if power is None else by_length(posterior, catalogue, power),
        "unfair": unfair(catalogue),
        "fleet": pd.concat(fleet(read, float(hours[k])).assign(year=k) for k in (0, years)),
        "sources": read.sources(),
    }
    prices = ", ".join(two_digits(each) for each in sorted(set(found.hour_usd.values())))
    assumed = ", an assumption" if catalogue.budget.usd_per_staff_hour is None else ""
    share = found.usd["agents"] / found.usd["total"]
    beside: dict[str, Any] = {"rises": float((share[:, -1] > share[:, 0]).mean())}
    beside |= {"scenario": read.scenario, "hour_usd": prices + assumed}
    beside |= {"power": None if power is None else banded("x", power.exponent)}
    return _told("forecast", tables, preset_power=vars(read.driver(EXPONENT)), **beside)


def schedule(
    plan: str | Path, presets: Presets | None = None, *, today: date | None = None, seed: int = 0
) -> Account:
    """Find how often to look at each domain and how deep, and when each level is crossed.

    A year of looks may use what the plan uses, every `horizon_months`. The account's tables are
    best, rules, looks, crossings and buffers.

    InputError if the folder is not what it must be, or no domain can be looked at.

    Parameters
    ----------
    plan
        Folder that `evalfolio recommend` wrote.
    presets
        How capability grows, and rules to compare with; by default those of `read_presets`.
    today, seed
        From when dates are counted; of the draws.
    """
    read, programme = presets or read_presets(), Programme.load(plan)
    record, catalogue, belief = programme.last, programme.catalogue, programme.start
    chosen, question = [row.option for row in record.choices], _question(plan, record)
    tables = schedule_of(question, chosen, catalogue, read, record.shadow_prices)
    tables["crossings"] = crossings(belief, catalogue, read, today=today, seed=seed)
    tables["buffers"] = buffers(belief, catalogue, seed=seed)
    return _told("schedule", tables, unit="$" if record.value.unit == "usd" else "")
