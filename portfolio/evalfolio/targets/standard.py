"""Standards: what a framework or a policy asks of evals, clause by clause, in a TOML file.

A clause says one demand at most; one without any is not answered by a plan. Clauses that stand in
no level are of every level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from evalbayes import Menu
from evalbayes.names import cure, refuse_unknown
from evalbayes.tables.numerals import NotANumber, numeral
from evalbayes.tables.toml import read_toml
from evalfolio.errors import EvalfolioError, InputError
from evalfolio.limits import Forbidden, Limit, Mandatory, MinEvals, Where
from evalfolio.narrative import STUDY, listing
from evalfolio.targets.stated import DEEP, KINDS, deep_rows, gap_correlations

PRESETS = {"eu-cop": "eu_cop.toml"}
COUNTS = ("evals", "deep_evals", "studies", "working_days")
NAMED = ("all_tasks", "run_by")
TIERS = {"evals": "", "deep_evals": DEEP, "studies": STUDY}  # what is counted, of which tier
DEMANDS = (*KINDS, *COUNTS, *NAMED)
NEAR = "gap_correlation"  # beside deep_evals: which count
CLAUSE_KEYS = ("clause", "asks", "domain", "reading", NEAR, *DEMANDS)
ONE_LEVEL = "standard"  # what the level of a file without levels is called


@dataclass(frozen=True, eq=False)  # eq=False: a clause is itself, also beside one of the same words
class Clause:
    """One clause of a standard."""

    number: str  # number, asks: its number and words in the source
    asks: str
    # what is asked of a plan: danger_missed, needless, wrong_call (most probability), posterior_sd
    # (most sd left, in the domain's unit), evals, deep_evals, studies (least number in a domain;
    # evals counts studies too, deep_evals those that reach half of the gap), all_tasks (evals that
    # are run on every task), working_days (least of the calendar, five in seven days) or run_by
    # (who alone may run evals and studies); empty: not answered by a plan
    demand: str = ""
    # what is demanded, by domain or decision ("" for each there is); of all_tasks by eval
    amounts: Mapping[str, Any] = field(default_factory=dict)
    run_by: tuple[str, ...] = ()  # by whom the evals counted are run
    # how a plan is held to it, where that is our reading of the words; of a clause without a demand
    # what in the plan speaks to it, which a reader has to judge
    reading: str = ""
    # of deep evals: only evals count whose elicitation gap correlates by at least so much with that
    # at a threshold of their domain, 0 to 1; 0: every one
    gap_correlation: float = 0.0
    place: str = ""  # where it stands: file, level and clause

    def near(self, menu: Menu, domain: str) -> list[str]:
        """Return the evals of a domain whose depth counts."""
        found = gap_correlations(menu, domain)
        return [name for name, near in found.items() if near >= self.gap_correlation]

    def limits(self, menu: Menu) -> tuple[Limit, ...]:
        """Return the clause as limits; none where it asks nothing of a mix.

        InputError if it names a domain, decision or eval that the menu has not.
        """
        domains = list(dict.fromkeys(menu.options["domain"]))
        decisions = {each.name: set(each.domains(menu.states)) for each in menu.decisions}
        found: list[Limit] = []
        for name, amount in self.amounts.items():
            known = list(menu.options["eval"]) if self.demand == "all_tasks" else domains
            known = [*known, *decisions, *menu.no_anchor] if self.demand in KINDS else known
            if name and name not in known:
                raise InputError(
                    f"{self.place}: {self.demand} must name what is on the menu, got "
                    f"{name!r}; {cure(name, set(known))}"
                )
            if self.demand in KINDS:
                about = [n for n, of in decisions.items() if name in ("", n) or of == {name}]
                found += [KINDS[self.demand](each, amount) for each in about]
            elif self.demand == "all_tasks":
                found.append(Mandatory(name, tasks="all"))
            elif self.demand in TIERS:
                who: dict[str, Any] = {"run_by": self.run_by} if self.run_by else {}
                who |= {"tier": tier} if (tier := TIERS[self.demand]) else {}
                deep = menu.options[deep_rows(menu)] if tier == DEEP else menu.options[:0]
                for each in [name] if name else domains:
                    near: dict[str, Any] = {}
                    if STUDY in set(deep["tier"][deep["domain"] == each]):
                        near = {"tier": (DEEP, STUDY), "eval": self.near(menu, each)}
                    elif self.gap_correlation:
                        near = {"eval": self.near(menu, each)}
                    found.append(MinEvals(Where(domain=each, **who | near), amount))
            elif self.demand == "run_by":
                within = menu.options if not name else menu.options[menu.options["domain"] == name]
                others = sorted(set(map(str, within["run_by"])) - set(self.run_by))
                where = {"domain": name} if name else {}
                found += [Forbidden(Where(run_by=others, **where))] if others else []
        return tuple(found)


@dataclass(frozen=True)
class Standard:
    """Levels of assurance by name, each with its clauses."""

    name: str
    levels: Mapping[str, tuple[Clause, ...]]
    source: str = ""


def read_standard(source: str | Path | Mapping[str, Any]) -> Standard:
    """Return a standard: a TOML file, the name of a preset (eu-cop), or tables as TOML gives them.

    Top level: name, source, [[clause]] and [level.NAME], which holds demands by themselves or
    [[level.NAME.clause]]. A clause has clause (its number), asks (its words), domain (one or
    several; every one where left out), reading, and at most one demand; see `Clause`. InputError if
    the file is no such table: place and clause are named.

    >>> found = read_standard({"level": {"basic": {"danger_missed": "20 %", "evals": 2}}})
    >>> [(each.number, dict(each.amounts)) for each in found.levels["basic"]]
    [('danger_missed', {'': 0.2}), ('evals', {'': 2})]
    """
    if isinstance(source, Mapping):
        where, data = "standard", dict(source)
    elif str(source) in PRESETS:
        where = str(source)
        path = files("evalfolio.targets") / PRESETS[where]
        data = read_toml(Path(str(path)), "a standard", "install evalfolio again")
    else:
        path, where = Path(source), str(source)
        if not path.exists():
            raise InputError(
                f"{where}: a standard must be a TOML file or one of {', '.join(PRESETS)}, and "
                f"there is no such file; {cure(where, PRESETS)}"
            )
        data = read_toml(path, "a standard in TOML", "see docs/how-to/policy.md for an example")
    refuse_unknown(where, data, ("name", "source", "level", "clause", *DEMANDS))
    levels = data.get("level", {})
    if not isinstance(levels, Mapping) or not all(isinstance(v, Mapping) for v in levels.values()):
        raise InputError(
            f"{where}: level must be a table for each level, got {levels!r}; write [level.basic]"
        )
    common = _clauses({k: v for k, v in data.items() if k in ("clause", *DEMANDS)}, where)
    found = {}
    for name, level in levels.items():
        place = f"{where}: [level.{name}]"
        refuse_unknown(place, level, ("clause", *DEMANDS))
        found[str(name)] = (*common, *_clauses(level, place))
    found = found or {ONE_LEVEL: tuple(common)}
    for name, clauses in found.items():
        if not clauses:
            raise InputError(f"{where}: a standard must have clauses, got none of {name}; add some")
    return Standard(str(data.get("name", where)), found, str(data.get("source", "")))


def read_standards(sources: Sequence[str | Path]) -> Standard:
    """Return several standards as one, their levels side by side; see `read_standard`."""
    read = [read_standard(each) for each in sources]
    if len(read) == 1:
        return read[0]
    levels: dict[str, tuple[Clause, ...]] = {}
    for each, source in zip(read, sources, strict=True):
        for level, clauses in each.levels.items():
            name = each.name if level == ONE_LEVEL else f"{each.name}: {level}"
            if name in levels:
                raise InputError(
                    f"{source}: a standard must have a name of its own beside others, got "
                    f"{each.name!r} twice; change its name or give it once"
                )
            levels[name] = clauses
    return Standard(listing([each.name for each in read]), levels)


def _clauses(table: Mapping[str, Any], where: str) -> list[Clause]:
    """Return the clauses of one table: demands by themselves, then those written out."""
    rows = table.get("clause", [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError(f"{where}: clause must be a list of tables; write [[clause]]")
    alone = [{"clause": key, key: value} for key, value in table.items() if key != "clause"]
    return [_clause(row, where, k + 1) for k, row in enumerate([*alone, *rows])]


def _clause(row: Mapping[str, Any], where: str, place: int) -> Clause:
    number = str(row.get("clause", "")).strip()
    where = f"{where}: clause {number or f'number {place}'}"
    refuse_unknown(where, row, CLAUSE_KEYS)
    if not number:
        raise InputError(f'{where}: it must have its number, got none; add clause = "3.2"')
    given = [key for key in DEMANDS if key in row]
    run_by = _names(row["run_by"], f"{where}: run_by") if "run_by" in row else ()
    if run_by and len(given) > 1:
        given.remove("run_by")
        if given[0] not in TIERS:
            raise InputError(
                f"{where}: run_by must stand alone or beside {', '.join(TIERS)}, got {given[0]}; "
                "write two clauses"
            )
    if len(given) > 1:
        raise InputError(
            f"{where}: a clause must say one demand, got {listing(given)}; write a clause for each"
        )
    demand = given[0] if given else ""
    amounts: dict[str, Any] = {}
    if demand:
        amounts = _amounts(row, demand, run_by, f"{where}: {demand}")
    near = row.get(NEAR, 0.0)
    if NEAR in row and demand != "deep_evals":
        raise InputError(f"{where}: {NEAR} must stand beside deep_evals, got {demand or 'none'}")
    if isinstance(near, bool) or not isinstance(near, (int, float)) or not 0 <= near <= 1:
        raise InputError(f"{where}: {NEAR} must be a number from 0 to 1, got {near!r}")
    asks = str(row.get("asks", "")).strip() or (demand or "nothing of a plan").replace("_", " ")
    reading = str(row.get("reading", ""))
    return Clause(number, asks, demand, amounts, run_by, reading, float(near), where)


def _amounts(row: Mapping[str, Any], demand: str, run_by: Any, where: str) -> dict[str, Any]:
    """Return what is demanded, by domain."""
    value, places = row[demand], _names(row["domain"], where) if "domain" in row else ("",)
    if demand == "all_tasks" or (demand == "working_days" and "domain" in row):
        if "domain" in row:
            raise InputError(f"{where} must stand without domain, got {row['domain']!r}; drop it")
        return dict.fromkeys(_names(value, where), "all")
    if isinstance(value, Mapping) and demand in (*KINDS, *TIERS):
        if "domain" in row or not value:
            raise InputError(
                f"{where} must name domains in one place, got {value!r} and domain = "
                f"{row.get('domain')!r}; write {demand} = {{cyber = 1}}, or domain and a number"
            )
        return {str(name): _amount(each, demand, where) for name, each in value.items()}
    one = run_by if demand == "run_by" else _amount(value, demand, where)
    return dict.fromkeys(places, one)


def _amount(value: Any, demand: str, where: str) -> float | int:
    """Return one amount, checked by the rule of the limit it becomes."""
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise InputError(f"must be a number, got {value!r}; write for example {demand} = 2")
        amount = numeral(value, percent=True) if isinstance(value, str) else value
        if demand in KINDS:
            KINDS[demand]("", float(amount))
        elif amount <= 0 or not float(amount).is_integer():
            raise InputError(f"must be a whole number from 1, got {value!r}; round it up")
    except NotANumber as error:
        raise InputError(f"{where} {error}") from None
    except EvalfolioError as error:
        raise InputError(f"{where} {str(error).rpartition('at_most ')[2]}") from None
    return float(amount) if demand in KINDS else int(amount)


def _names(value: Any, where: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(n, str) and n.strip() for n in names):
        return tuple(dict.fromkeys(name.strip() for name in names))
    raise InputError(f'{where} must be a name or a list of names, got {value!r}; write ["cyber"]')
