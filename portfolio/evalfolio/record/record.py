"""The record of a plan: what `plan.json` holds and every other export is written from.

Numbers are plain Python numbers, finite or None; None says "not known", never 0. Money is in the
catalogue's one currency, written `usd`. Where the stakes were given as `mitigate_above` and
`weight`, values are in points and every `*_usd` field is None.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from evalbayes.names import ONCE
from evalbayes.whole import write_whole
from evalfolio.errors import InputError
from evalfolio.record.plain import fault, plain

FORMAT: Literal[1] = 1
FILE = "plan.json"


class _Part(BaseModel):
    """A part of the record: it cannot be changed, and has no key but those named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, parts: Any) -> Any:
        return plain(parts)


class _Open(_Part):
    """A part that may have further keys."""

    model_config = ConfigDict(extra="allow")


class Words(_Part):
    """The recommendation in sentences."""

    mix: str
    """The mix in words: how much goes to how many evals at which tier. The first line."""
    hangs_on: str
    """What the mix hangs on: the belief that would change it. The second line."""
    next_step: str = ""
    """What the nearest step beyond the mix would need more of each budget, and add."""
    firm: str = ""
    """Which rows other posterior draws would keep; empty where their noise is not known."""


class Subject(_Part):
    """What the plan is about."""

    ai_model: str
    """The AI model under test."""
    horizon_months: float
    """How long the decision stands."""
    calendar_days: float | None = None
    """Days there are for the plan; None where not stated."""


class Money(_Part):
    """What the mix will cost, in usd."""

    expected: float
    p90: float
    """Spend that is exceeded with probability 0.1."""
    ceiling: float
    """Spend if every run hits its cap."""
    p_overspend: float | None
    """Probability that the spend exceeds the whole budget; None without a budget in usd."""
    contingency: float
    """Share of the money kept back."""


class ValueDraws(_Part):
    """Value of the mix over posterior draws of what its options tell."""

    mean: float
    q05: float
    q95: float


class Value(_Part):
    """Expected value of the information the mix buys."""

    evsi: float
    """Expected value of sample information at mean information, in `unit`."""
    evsi_usd: float | None
    bound: float
    """No mix on this menu within these limits is worth more."""
    gap: float | None
    """(bound - evsi) / bound; None when the plan is not certified."""
    stand_in_error: float | None = None
    """How far the stand-in for skewed gaps, by which the mix was found and bound is reckoned, lies
    from evsi, summed over decisions, as a share of evpi; None where no gap is skewed."""
    evpi: float | None
    """What perfect information about every domain would be worth; None where it has no end."""
    unit: str
    """usd or points."""
    status: str
    """certified, uncertified, ... as the optimiser ended."""
    draws: ValueDraws | None
    noise: float | None = None
    """Half-width of a 95 % interval of evsi: what the luck of the posterior draws leaves open."""
    gap_with_noise: float | None = None
    """The gap that may be claimed when that luck is counted too."""
    objective: str = "evsi"
    """What the mix was chosen for; evsi, bound and evpi are in its unit."""

    @property
    def kind(self) -> str:
        """What the plan is called beside its bound."""
        kinds = {"convex": "Near-best", "greedy": "Greedy", "uncertified": "Uncertified"}
        return kinds.get(self.status, "Certified")

    def share(self, amount: float) -> float | None:
        """Return a value as a share of what perfect information would be worth."""
        if self.evpi is None:
            return None
        return amount / self.evpi if self.evpi > 0 else 0.0


class Choice(_Open):
    """One row of the mix. Each resource of the plan other than usd is a further number."""

    option: str
    eval: str
    domain: str
    tier: str
    """sweet-spot, plateau or max-elicitation."""
    cap: float | None
    """Largest spend of one attempt, in `cap_unit`."""
    cap_unit: str | None
    attempts: int | None
    """Attempts per task."""
    tasks: int | None
    effort: float | None
    """Elicitation effort: 0 as it comes, 1 all that a determined team would reach."""
    runs: int | None
    """Tasks times attempts."""
    usd: float
    """Expected spend."""
    usd_p90: float | None
    usd_ceiling: float | None
    """Spend if every run hits its cap."""
    share_of_usd: float
    value_if_dropped: float | None
    """Value lost when only this row is dropped; rows do not sum to the plan's value."""
    reason: str
    firm: bool | None = None
    """Whether any mix as good, the noise of the draws allowed for, has this eval at this tier."""
    instead: tuple[str, ...] = ()
    """What the draws cannot tell from it, any one of these; "nothing" where it may go."""
    mandatory: str = ""
    """Whether a limit asks for it, how and to whom that was promised; empty where none does."""

    @property
    def stands(self) -> str:
        """In words whether it is firm; empty where the noise of the draws is not known."""
        if self.firm is None:
            return ""
        if self.firm or not self.instead:
            return "firm" if self.firm else "not proved firm"
        words = ["may be left out"] if "nothing" in self.instead else []
        others = "; or ".join(each for each in self.instead if each != "nothing")
        return "; or ".join([*words, *([f"exchangeable with {others}"] if others else [])])


class SharedRow(_Open):
    """A purchase that several rows of the mix need and is paid once, such as a scaffold.

    Each resource of the plan other than usd is a further number.
    """

    name: str
    evals: tuple[str, ...]
    """Evals of the mix that need it."""
    domains: tuple[str, ...]
    """Domains of all that could need it; where it is one, its money is part of that domain's."""
    tiers: tuple[str, ...]
    """Likewise tiers."""
    days: float
    """Calendar days it takes, before those that are left per eval."""
    usd: float
    usd_p90: float | None
    usd_ceiling: float | None
    share_of_usd: float
    value_if_dropped: float | None
    """Value lost without it and all rows that need it."""
    told: str = ONCE
    """What stands before its evals; steps of a price (below 0 usd where it falls) say so."""

    @property
    def use(self) -> dict[str, float]:
        """What it uses of every resource."""
        return {"usd": self.usd, **(self.model_extra or {})}


class NotChosen(_Part):
    """An eval left out."""

    eval: str
    reason: str
    cost_to_enter: float | None
    """Price in usd at which its best option would enter the mix."""


class NotCovered(_Part):
    """Something the plan leaves unread: a domain, a part of one, or an assumption untested."""

    name: str
    reason: str


class Domain(_Part):
    """One decision: what is believed of its domain now, and what the mix is expected to change.

    A domain has one row, or one for each of its levels; a decision may weigh several domains.
    """

    name: str
    """Of the decision: its domain's, the domain's with a level, or its own."""
    domains: tuple[str, ...] = ()
    """Whose capability it weighs; empty where it is the domain of its name."""
    mitigate_above: float | None = None
    """The rule that is stated, which the calls follow: mitigate when P(exceeds) is above this."""
    held_against: str = ""
    """The adversary's budget that y is the capability at; empty where it is without limit."""
    unit: str
    """Unit of capability, e.g. doublings of human task time."""
    threshold: float
    """Danger threshold, in the unit."""
    capability_mean: float
    """Mean of y now: fully elicited capability with the gain still to come, in the unit."""
    call_now: str
    """mitigate or do not mitigate."""
    p_exceeds: float
    """Probability now that y exceeds the threshold."""
    p_missed_now: float
    """Danger missed: probability that the call now is not to mitigate and y is above."""
    p_missed_expected: float
    """The same of the call after the results, averaged over them."""
    p_needless_now: float
    """Needless mitigation: probability that the call now is to mitigate and y is below."""
    p_needless_expected: float
    p_wrong_call_now: float
    """Either: p_missed_now + p_needless_now."""
    p_wrong_call_expected: float
    p_call_changes: float
    upper95_now: float
    """Upper bound with 95 % probability of y, in the unit."""
    upper95_expected: float
    prior_sd: float
    """Sd of y now, later gain included."""
    posterior_sd: float
    """The same after the mix's results."""
    elicitation_floor_sd: float | None
    """Sd left after unlimited plateau-level runs of everything on the menu."""
    validity_floor_sd: float | None
    """Sd left after unlimited runs at every tier of the evals on the menu."""
    evsi: float
    """This domain's part of the plan's value."""
    share_of_evpi: float
    """evsi over what perfect information about this domain would be worth."""
    minimum_effort_usd: float | None
    """Least spend at which evals of this domain are worth running; None if unknown."""
    funded: bool
    buffer: float | None
    """How far below the threshold to put the alert, in the unit."""
    doublings_to_threshold: float
    """threshold - capability_mean, in the unit."""
    reason: str

    @property
    def about(self) -> tuple[str, ...]:
        """The domains it is about."""
        return self.domains or (self.name,)


class Unanchored(_Part):
    """A domain that no decision is about: nothing ties its scale to its threshold."""

    name: str
    evals: tuple[str, ...]
    p_exceeds: None = None
    """Not known: the results say nothing of how far the threshold is."""
    reason: str
    """What is missing, and what to give: the first thing every output says."""


class Comparison(_Open):
    """The value of another way to spend the same budget, or half of it. The first is this plan."""

    plan: str
    """This plan, greedy, even split, all plateau, all maximum, half of every budget, ..."""
    usd: float
    value: float
    share_of_evpi: float | None

    @property
    def value_skewed(self) -> float | None:
        """The value with the elicitation gap as skewed as it is believed to be, if worked out."""
        return (self.model_extra or {}).get("value_skewed")


class Assumption(_Part):
    """A figure nobody gave: its default, and why that one."""

    where: str
    """The eval, domain or table it belongs to."""
    key: str
    value: Any
    reason: str


class InputFile(_Part):
    """A file the plan was made from."""

    name: str
    sha256: str


class Provenance(_Open):
    """What is needed to make the plan again. Further keys may be added."""

    inputs: tuple[InputFile, ...]
    seed: int
    versions: Mapping[str, str]
    """Versions of evalfolio, Python and the packages that shaped the result."""


class FrontierPoint(_Open):
    """The best mix at one budget in usd, the other budgets held."""

    usd: float
    """The budget."""
    value: float
    bound: float
    gap: float | None
    options: tuple[str, ...]
    """The chosen options of the menu."""


class SensitivityRow(_Open):
    """What one input would change, moved to either end of its range."""

    name: str
    """The input in words, e.g. cyber: elicitation gap."""
    low: float | None
    high: float | None
    """Ends of the range tried."""
    value_low: float
    value_high: float
    """Value of the best mix at either end, in the plan's unit."""
    deep_low: float | None = None
    deep_high: float | None = None
    """Share of its usd on maximum elicitation."""

    def swing(self, base: float) -> float:
        """Return how far the value reaches, the plan's own among the ends."""
        ends = (self.value_low, self.value_high, base)
        return max(ends) - min(ends)


class AccountTable(_Part):
    """One table of an account."""

    name: str
    """A word, e.g. regret."""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | bool | None, ...], ...]

    @classmethod
    def of(cls, name: str, title: str, frame: pd.DataFrame) -> Self:
        """Return a frame's columns and rows as a table."""
        return cls.told(name, title, frame.columns, plain(frame.to_numpy(dtype=object)))

    @classmethod
    def told(
        cls, name: str, title: str, columns: Iterable[object], rows: Iterable[Iterable[Any]]
    ) -> Self:
        """Return these columns and rows as a table."""
        heads, cells = tuple(map(str, columns)), tuple(map(tuple, rows))
        return cls(name=name, title=title, columns=heads, rows=cells)


class Account(_Part):
    """What another command found, in sentences and tables."""

    sentences: tuple[str, ...]
    tables: tuple[AccountTable, ...]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table by its name, as a data frame."""
        table = next(each for each in self.tables if each.name == name)
        return pd.DataFrame(table.rows, columns=list(table.columns))


class KeptLimit(_Open):
    """A limit the mix was chosen under. Further keys are its own figures, to make it again."""

    text: str
    """The limit in words."""
    by: str
    """catalogue, or constraints where it was asked for."""
    kind: str
    """Its class in `evalfolio.limits`."""


class SpendFamily(_Part):
    """A family of spend in one eval: how well it foretells a left-out run, and its weight."""

    eval: str
    family: str
    runs: int | None
    """Runs the families were compared on; None where nothing was compared."""
    behind: float | None
    """Expected log predictive density below the best family's, in nats (PSIS-LOO)."""
    behind_se: float | None
    """Standard error of `behind`."""
    weight: float
    """Stacking weight: the share of posterior draws of this eval that have the family."""
    reason: str


class CapabilityFigure(_Part):
    """A figure of the AI model's capability in one domain, with a 90 % interval."""

    domain: str
    figure: str
    """Shown capability, horizons, completion shares, distance, chances to exceed, buffers."""
    unit: str
    median: float
    """The figure itself where it has no interval."""
    low: float | None
    high: float | None


class Record(_Part):
    """Everything a plan says, as `plan.json` holds it."""

    format: Literal[1]
    words: Words
    portfolio: Subject
    budget: Mapping[str, float]
    """Limit of each limited resource, before the contingency is kept back."""
    spendable: Mapping[str, float] = {}
    """What may be spent of each: the budget less what is kept back of it."""
    spend: Mapping[str, float]
    """Expected use of each resource, limited or not."""
    money: Money
    value: Value
    choices: tuple[Choice, ...]
    shared: tuple[SharedRow, ...] = ()
    """What is bought once for several rows of the mix; no row's own figures hold it."""
    split: Mapping[str, float] = {}
    """Share of every option in the best split with options bought in part, where the mix is near
    one (status convex)."""
    not_chosen: tuple[NotChosen, ...]
    not_covered: tuple[NotCovered, ...]
    domains: tuple[Domain, ...]
    no_anchor: tuple[Unanchored, ...] = ()
    """Domains of which no probability of exceeding can be told."""
    comparisons: tuple[Comparison, ...]
    shadow_prices: Mapping[str, float]
    """Value of one more unit of each limited resource, in the unit of value."""
    diagnostics: Mapping[str, Any]
    """The gate of the fit: `passed` (bool) and its figures by name."""
    warnings: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    provenance: Provenance
    limits: tuple[KeptLimit, ...] = ()
    """What the mix was chosen under beside the budgets."""
    spend_families: tuple[SpendFamily, ...] = ()
    """Which family of spend, and why; empty where none was compared."""
    capability: tuple[CapabilityFigure, ...] = ()
    """What `evalfolio capability` tells of the AI model under test."""
    frontier: tuple[FrontierPoint, ...] = ()
    sensitivity: tuple[SensitivityRow, ...] = ()
    firmness: Account | None = None
    """How firm the mix is: what `evalfolio sensitivity` found beside the tornado."""
    stages: Account | None = None
    """What to run first instead, and which results release what else, where it was asked."""
    programme: Account | None = None
    """Where a programme stands: what results changed, what they cost, and whether to go on."""
    backtest: Account | None = None
    """What `evalfolio backtest` found of this way to plan on runs that were made anyway."""
    outlook: Account | None = None
    """What evaluations will cost in years, and what drives it: `evalfolio forecast`."""
    schedule: Account | None = None
    """How often to look and how deep, and when levels are crossed: `evalfolio schedule`."""
    humans: Account | None = None
    """How long tasks take people, and what AI models score beside them, where runs were given."""

    def usd_of(self, domains: Sequence[str], tier: str | None = None) -> float:
        """Return the money of domains at a tier: of rows, and of what only such rows could need."""
        rows = [row for row in self.choices if row.domain in domains and tier in (None, row.tier)]
        own = [
            each
            for each in self.shared
            if set(each.domains) <= set(domains) and (tier is None or set(each.tiers) == {tier})
        ]
        return sum(row.usd for row in rows) + sum(each.usd for each in own)

    @property
    def to_run(self) -> tuple[Choice, ...]:
        """Rows of the mix with something to run; what has been run already may stand there too."""
        return tuple(row for row in self.choices if row.tasks != 0)

    @property
    def points(self) -> tuple[FrontierPoint, ...]:
        """The frontier by rising budget in usd, the plan's own budget among its points."""
        usd, worth = self.budget.get("usd"), self.value
        own = FrontierPoint.model_construct(  # not checked: usd is None where it has no limit
            usd=usd,
            value=worth.evsi,
            bound=worth.bound,
            gap=worth.gap,
            options=tuple(row.option for row in self.choices),
        )
        others = [] if usd is None else [point for point in self.frontier if point.usd != usd]
        return tuple(sorted((own, *others), key=lambda point: point.usd or 0.0))

    @classmethod
    def of(cls, parts: Mapping[str, Any], where: str | Path = "plan record") -> Self:
        """Return the record of these parts, numpy's numbers made Python's and NaN None.

        InputError if a key is missing, unknown or of a wrong type; `where` and the key are named.

        Examples
        --------
        >>> Record.of({"format": 1})
        Traceback (most recent call last):
          ...
        evalbayes.errors.InputError: plan record: 'words' must be there and valid, got Field requ...
        """
        try:
            return cls.model_validate(dict(parts))
        except (RecursionError, ValidationError) as error:
            deep = isinstance(error, RecursionError)
            why = "its lists and tables are nested too deep" if deep else fault(error)
            raise InputError(f"{where}: {why}; make the plan again with this version") from error

    @classmethod
    def load(cls, plan: str | Path) -> Self:
        """Return the record in a plan's folder, or in a `plan.json`.

        InputError if there is none that can be read, or it lacks something; it is named.
        """
        path = Path(plan) / FILE if Path(plan).is_dir() else Path(plan)
        try:
            parts = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(parts, dict):
                raise ValueError("it is no JSON object")
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise InputError(
                f"{path}: must be a plan's record, but it cannot be read ({why}); "
                "give the folder that `evalfolio recommend` wrote"
            ) from error
        return cls.of(parts, path)

    def may_spend(self, resource: str) -> float:
        """Return what may be spent of a limited resource: its budget less what is kept back."""
        stated = self.budget[resource] * (1.0 - self.money.contingency)
        return self.spendable.get(resource, stated)

    @property
    def kept_back(self) -> dict[str, float]:
        """Share of every limited resource's budget that is kept back, to twelve places."""
        return {
            name: round(1.0 - self.may_spend(name) / stated, 12) if 0 < stated < math.inf else 0.0
            for name, stated in self.budget.items()
        }

    def replace(self, **parts: Any) -> Self:
        """Return a new record with other parts, checked as a whole.

        InputError as `of`.
        """
        kept = {name: getattr(self, name) for name in self.model_fields_set}
        return self.of({**kept, **parts})

    def to_json(self) -> str:
        """Return the text of `plan.json`: no number in it is NaN or infinite."""
        body = self.model_dump(mode="json", exclude_unset=True)
        return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False)

    def write(self, path: str | Path) -> Path:
        """Write `plan.json`, whole or not at all; return its path."""
        return write_whole(Path(path), f"{self.to_json()}\n".encode())
