"""The record of a plan: what `plan.json` holds and every other export is written from.

Numbers are plain Python numbers, finite or None; None says "not known", never 0. Money is in the
catalogue's one currency, written `usd`. Where the stakes were given as `mitigate_above` and
`weight`, values are in points and every `*_usd` field is None.
"""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

FORMAT = 1

_closed = with_config(ConfigDict(extra="forbid", use_attribute_docstrings=True))
_open = with_config(ConfigDict(extra="allow", use_attribute_docstrings=True))


@_closed
class Words(TypedDict):
    """The recommendation in sentences."""

    mix: str
    """The mix in words: how much goes to how many evals at which tier. The first line."""
    hangs_on: str
    """What the mix hangs on: the belief that would change it. The second line."""
    next_step: NotRequired[str]
    """What the nearest step beyond the mix would need more of each budget, and add."""


@_closed
class Subject(TypedDict):
    """What the plan is about."""

    ai_model: str
    """The AI model under test."""
    horizon_months: float
    """How long the decision stands."""


@_closed
class Money(TypedDict):
    """What the mix will cost, in usd."""

    expected: float
    p90: float
    """Spend that is exceeded with probability 0.1."""
    ceiling: float
    """Spend if every run hits its cap."""
    p_overspend: float | None
    """Probability that the spend exceeds the whole budget; None without a budget in usd."""
    contingency: float
    """Share of the budget kept back."""


@_closed
class ValueDraws(TypedDict):
    """Value of the mix over posterior draws of what its options tell."""

    mean: float
    q05: float
    q95: float


@_closed
class Value(TypedDict):
    """Expected value of the information the mix buys."""

    evsi: float
    """Expected value of sample information at mean information, in `unit`."""
    evsi_usd: float | None
    bound: float
    """No mix on this menu within these limits is worth more."""
    gap: float | None
    """(bound - evsi) / bound; None when the plan is not certified."""
    evpi: float
    """What perfect information about every domain would be worth."""
    unit: str
    """usd or points."""
    status: str
    """certified, uncertified, ... as the optimiser ended."""
    draws: ValueDraws | None


@_open
class Choice(TypedDict):
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


@_closed
class NotChosen(TypedDict):
    """An eval left out."""

    eval: str
    reason: str
    cost_to_enter: float | None
    """Price in usd at which its best option would enter the mix."""


@_closed
class NotCovered(TypedDict):
    """Something the plan leaves unread: a domain, a part of one, or an assumption untested."""

    name: str
    reason: str


@_closed
class Domain(TypedDict):
    """What is believed of one domain now, and what the mix is expected to change."""

    name: str
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
    p_wrong_call_now: float
    p_wrong_call_expected: float
    """The same after the results, averaged over them."""
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


@_open
class Comparison(TypedDict):
    """The value of another way to spend the same budget. The first row is this plan."""

    plan: str
    """This plan, greedy, even split, all plateau, all maximum, ..."""
    usd: float
    value: float
    share_of_evpi: float | None


@_closed
class Assumption(TypedDict):
    """A figure nobody gave: its default, and why that one."""

    where: str
    """The eval, domain or table it belongs to."""
    key: str
    value: Any
    reason: str


@_closed
class InputFile(TypedDict):
    """A file the plan was made from."""

    name: str
    sha256: str


@_open
class Provenance(TypedDict):
    """What is needed to make the plan again. Further keys may be added."""

    inputs: list[InputFile]
    seed: int
    versions: dict[str, str]
    """Versions of evalfolio, Python and the packages that shaped the result."""


@_open
class FrontierPoint(TypedDict):
    """The best mix at one budget in usd, the other budgets held."""

    usd: float
    """The budget."""
    value: float
    bound: float
    gap: float | None
    options: list[str]
    """The chosen options of the menu."""


@_open
class SensitivityRow(TypedDict):
    """What one input would change, moved to either end of its range."""

    name: str
    """The input in words, e.g. cyber: elicitation gap."""
    low: float | None
    high: float | None
    """Ends of the range tried."""
    value_low: float
    value_high: float
    """Value of the best mix at either end, in the plan's unit."""
    deep_low: NotRequired[float | None]
    deep_high: NotRequired[float | None]
    """Share of its usd on maximum elicitation."""


@_closed
class AccountTable(TypedDict):
    """One table of an account."""

    name: str
    """A word, e.g. regret."""
    title: str
    columns: list[str]
    rows: list[list[str | float | bool | None]]


@_closed
class Account(TypedDict):
    """What another command found, in sentences and tables."""

    sentences: list[str]
    tables: list[AccountTable]


@_closed
class SpendFamily(TypedDict):
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


@_closed
class CapabilityFigure(TypedDict):
    """A figure of the AI model's capability in one domain, with a 90 % interval."""

    domain: str
    figure: str
    """Shown capability, horizons, completion shares, distance, chances to exceed, buffers."""
    unit: str
    median: float
    """The figure itself where it has no interval."""
    low: float | None
    high: float | None


@_closed
class Record(TypedDict):
    """Everything a plan says, as `plan.json` holds it."""

    format: int
    words: Words
    portfolio: Subject
    budget: dict[str, float]
    """Limit of each limited resource, before the contingency is kept back."""
    spend: dict[str, float]
    """Expected use of each resource, limited or not."""
    money: Money
    value: Value
    choices: list[Choice]
    not_chosen: list[NotChosen]
    not_covered: list[NotCovered]
    domains: list[Domain]
    comparisons: list[Comparison]
    shadow_prices: dict[str, float]
    """Value of one more unit of each limited resource, in the unit of value."""
    diagnostics: dict[str, Any]
    """The gate of the fit: `passed` (bool) and its figures by name."""
    warnings: list[str]
    assumptions: list[Assumption]
    provenance: Provenance
    spend_families: NotRequired[list[SpendFamily]]
    """Which family of spend, and why; empty where none was compared."""
    capability: NotRequired[list[CapabilityFigure]]
    """What `evalfolio capability` tells of the AI model under test."""
    frontier: NotRequired[list[FrontierPoint]]
    sensitivity: NotRequired[list[SensitivityRow]]
    firmness: NotRequired[Account]
    """How firm the mix is: what `evalfolio sensitivity` found beside the tornado."""
    backtest: NotRequired[Account]
    """What `evalfolio backtest` found of this way to plan on runs that were made anyway."""
