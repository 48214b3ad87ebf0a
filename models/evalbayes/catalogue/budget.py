"""The budget: what may be spent of each resource."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator

from evalbayes.catalogue.quantities import KeptBack, NotNegative, Positive, hours_by_skill, positive
from evalbayes.catalogue.tables import Spec
from evalbayes.errors import InputError
from evalbayes.names import refuse_unknown


class BudgetSpec(Spec):
    """Table [budget]; a resource that is not given is unlimited."""

    usd: NotNegative | None = None  # money, in the one currency of the catalogue
    # hours of staff: one number, or a table by skill such as {bio = 120, cyber = 300}
    staff_hours: Annotated[float | dict[str, float] | None, BeforeValidator(hours_by_skill)] = None
    # what such an hour costs, USD, of all or by skill; no plan reads it, a forecast does
    usd_per_staff_hour: Annotated[
        float | dict[str, float] | None, BeforeValidator(hours_by_skill)
    ] = None
    calendar_days: Positive | None = None  # until the decisions are due
    agents_in_parallel: Positive | None = None  # runs at a time; from `servers` where not given
    servers: Positive | None = None  # of inference
    agents_per_server: Positive | None = None  # that each serves at a time
    # what a server reads and writes in all, over its agents, as the spends count tokens
    tokens_per_second_per_server: Positive | None = None
    # share of the money kept back, from 0 up to, but not, 1; or shares by resource, such as
    # {usd = 0.1, staff_hours = 0.05}
    contingency: KeptBack

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens a second of one agent when all agents of a server are at work.

        8 GH200 at an aggregate 14,800 tokens a second, less a fifth of overhead, serve 127 agents:

        >>> budget = BudgetSpec(agents_per_server=127, tokens_per_second_per_server=11_840,
        ...                     contingency=0.1)
        >>> round(budget.tokens_per_second)
        93
        """
        if self.tokens_per_second_per_server is None or self.agents_per_server is None:
            return None
        return self.tokens_per_second_per_server / self.agents_per_server


def refuse_unkept(where: str, budget: BudgetSpec, skills: Iterable[str]) -> None:
    """Refuse a contingency of what no menu of the catalogue has."""
    if isinstance(budget.contingency, Mapping):
        known = ("usd", "staff_hours", *(f"staff_hours.{skill}" for skill in skills), "agent_hours")
        refuse_unknown(f"{where}: contingency", budget.contingency, known, "resource")


def with_agents(entries: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the entries of [budget] with the agents that its servers carry."""
    filled = dict(entries)
    for key in ("servers", "tokens_per_second_per_server"):
        if key in entries and "agents_per_server" not in entries:
            raise InputError(
                f"{where}: agents_per_server must be given with {key}, got nothing; write how many "
                "agents a server serves at a time"
            )
    if "servers" in entries and "agents_in_parallel" not in entries:
        with suppress(ValueError):  # a wrong figure is told when it is validated
            agents = positive(entries["servers"]) * positive(entries["agents_per_server"])
            filled["agents_in_parallel"] = agents
    return filled
