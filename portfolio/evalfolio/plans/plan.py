"""A plan: the chosen options, their value, and how near the best it is proved to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.names import ONCE
from evalfolio.limits.limit import Limit
from evalfolio.narrative import amount, at_tier, counted, listing, percent, two_digits, words
from evalfolio.objectives.valuation import valuation
from evalfolio.plans.evaluation import choice_vector
from evalfolio.search import Question, Status
from evalfolio.search.box import Branch
from evalfolio.value.knowledge import skewed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from evalfolio.plans.firm_rows import FirmRows
    from evalfolio.plans.judge import Score
    from evalfolio.record.record import Record

LEAD = ("eval", "domain", "tier", "cap", "cap_unit", "attempts", "tasks")


@dataclass(frozen=True, eq=False, repr=False)  # frames have no single truth value, nor a short text
class Plan:
    """What `optimise` returns.

    Parameters
    ----------
    question
        What it answers: menu, budgets, contingency, limits and objective.
    chosen
        Names of the chosen options, in the menu's order.
    value
        Expected value of the results, at mean information, in the unit of the losses; where a gap
        is skewed, integrated under that belief.
    bound
        No choice on this menu within these limits is worth more. Where a gap is skewed the search
        goes by a stand-in: the value, and the most that any choice adds by it; see `apart`.
    gap
        (bound − value)/max(|bound|, 1e-12·EVPI), 0 if both are 0; None where the bound's checks
        failed.
    status
        How the search ended; see `Status` for what each means and what to do about it.
    spend
        Expected use of every resource of the menu.
    shadow_prices
        Value of one more unit of each limited resource, from the relaxation.
    evpi
        Value of perfect information about every decision.
    choices
        One row per chosen option: the menu's columns, share_of_usd, value_if_dropped.
    domains
        One row per decision: belief now and expected after, see `decision_outlook`.
    not_chosen
        One row per eval left out: reason, cost_to_enter (usd; None if at no price).
    next_steps
        One row per single change that would add value, nearest to affordable first, see
        `evalfolio.plans.left_out.next_steps`.
    shared
        The shared purchases it makes, paid once each; see `evalfolio.plans.left_out.shared_rows`.
    note
        What to know first, e.g. the least useful budget when nothing is chosen; may be empty.
    split
        What `Convex` buys in part: the share of every option it takes; None by other methods.
    firm
        Which rows other posterior draws would keep, and the noise of the value; None where the
        menu has no replicates, or it was not asked.
    told
        The record, of a plan that was recommended or read: more than its menu tells.
    tree
        The parts of the menu that prove its bound, where they are few enough.
    """

    question: Question
    chosen: tuple[str, ...]
    value: float
    bound: float
    gap: float | None
    status: Status
    spend: dict[str, float]
    shadow_prices: dict[str, float]
    evpi: float
    choices: pd.DataFrame
    domains: pd.DataFrame
    not_chosen: pd.DataFrame
    next_steps: pd.DataFrame
    shared: pd.DataFrame = field(default_factory=pd.DataFrame)
    note: str = ""
    split: pd.Series | None = None
    firm: FirmRows | None = None
    told: Record | None = None
    tree: Branch | None = None

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan from the folder it was written into, or from its `plan.json` there.

        InputError if there is no plan that can be read, or its menu is not the one it was made
        from.
        """
        from evalfolio.plans.recording import load_plan

        return load_plan(path)

    @cached_property
    def record(self) -> Record:
        """All that is known of the plan, as `plan.json` and every export have it."""
        from evalfolio.plans.recording import record_of

        return self.told or record_of(self)

    @cached_property
    def proof(self) -> dict[str, Any]:
        """What `certificate.json` holds: value and bound with a proof, or why not."""
        from evalfolio.certificates.recording import certificate

        x, bound = choice_vector(self.menu, self.chosen), self.searched + self.bound - self.value
        return certificate(self.question.lean, x, bound, self.tree)

    @property
    def menu(self) -> Menu:
        """The menu it was chosen from."""
        return self.question.menu

    @property
    def budget(self) -> Mapping[str, float]:
        """Ceiling on each limited resource, as stated: what is kept back included."""
        return self.question.budget

    @property
    def objective(self) -> str:
        """What the choice was made for; value, bound and evpi are in its unit."""
        return self.told.value.objective if self.told else repr(self.question.objective)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Limits it was made under beside the budget."""
        return tuple(self.question.limits)

    @property
    def unlimited(self) -> tuple[str, ...]:
        """Resources of the menu without a budget."""
        return tuple(name for name in self.menu.resources if name not in self.budget)

    @property
    def left_over(self) -> dict[str, float]:
        """What the mix, of whole runs, leaves of what may be spent of each limited resource."""
        return {name: most - self.spend[name] for name, most in self.question.spendable.items()}

    @cached_property
    def _by_stand_in(self) -> Array | None:
        """What the search makes of the mix for every decision; None where that is its value."""
        if self.objective != "evsi" or not skewed(self.menu):
            return None
        return valuation(self.menu).gains(choice_vector(self.menu, self.chosen))

    @property
    def searched(self) -> float:
        """The value by the stand-in for skewed gaps that the search goes by."""
        return self.value if self._by_stand_in is None else float(self._by_stand_in.sum())

    @property
    def apart(self) -> float | None:
        """How far stand-in and value lie apart, summed over decisions, as a share of evpi.

        None where no gap is skewed: the search then goes by the value itself.
        """
        if self._by_stand_in is None:
            return None
        far = float(np.abs(self._by_stand_in - self.domains["evsi"].to_numpy()).sum())
        return far / self.evpi if self.evpi > 0 else 0.0

    @property
    def share_of_evpi(self) -> float:
        """Value as a share of what perfect information is worth."""
        return self.value / self.evpi if self.evpi > 0 else 0.0

    def to_frame(self) -> pd.DataFrame:
        """Return the mix, one row per chosen option, indexed by option."""
        return self.choices.copy()

    def to_json(self) -> str:
        """Return the text of `plan.json`."""
        return self.record.to_json()

    def to_excel(self, path: str | Path) -> Path:
        """Write the plan as a workbook that recalculates; return its path."""
        from evalfolio.export.workbook import write_workbook

        return write_workbook(self, path)

    def to_html(self, path: str | Path) -> Path:
        """Write the plan as one self-contained page; return its path."""
        from evalfolio.export.report import write_report

        return write_report(self, path)

    def score(self, mix: str | Path) -> Score:
        """Value a mix in a file on the plan's menu, see `score_mix`."""
        from evalfolio.plans.judge import score_mix

        return score_mix(mix, self)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the expected USD of every chosen eval, coloured by tier; return the axes."""
        from evalfolio.export.plots import plot_mix

        return plot_mix(self.choices, ax)

    def _repr_html_(self) -> str:
        """Return the plan for a notebook: its sentence, its mix and its decisions as tables."""
        return plan_in_html(self)

    def __repr__(self) -> str:
        return f"<Plan: {self}>"

    def __str__(self) -> str:
        if not self.chosen:
            return f"Run nothing. {self.note}".strip()
        spend = listing([amount(used, name) for name, used in self.spend.items()])
        tiers = [
            at_tier(listing(rows["eval"].astype(str).tolist()), str(tier), len(rows))
            for tier, rows in self.choices.groupby("tier", sort=False)
        ]
        lines = self.shared.get("told", pd.Series(ONCE, self.shared.index))
        names = list(self.shared.index[lines == ONCE])
        once = f"; bought once: {listing(names)}" if names else ""
        ways = f"{'; '.join(tiers)}{once}. {self.certificate()}"
        return f"Run {counted(self.choices['tier'])} for {spend}: {ways}"

    def certificate(self) -> str:
        """Return value, bound and gap in a sentence."""
        of_all = f" ({percent(self.share_of_evpi)} of perfect information)"
        unit = "" if self.objective == "evsi" else f" in {self.objective}"
        share = "" if self.evpi == float("inf") else of_all
        noise = "" if self.firm is None else f" ± {two_digits(self.firm.half_width)}"
        worth = f"It is worth {self.value:.4g}{noise}{unit}{share}"
        if self.gap is None:
            return f"{worth}, bound {self.bound:.4g}: {self.status.meaning}."
        proof = f"bound {self.bound:.4g}, gap {self.gap:.2g}"
        if self.apart is not None:
            proof += (
                ", by the stand-in for skewed gaps that the search goes by, "
                f"{percent(self.apart)} of perfect information off on this plan"
            )
        if self.firm is not None and self.firm.gap is not None:
            proof += f"; {self.firm.gap:.2g} with the noise of the draws"
        if self.status == Status.CERTIFIED:
            return f"{worth}; no mix on this menu within these limits beats it by more ({proof})."
        return f"{worth} ({proof}), {self.status}: {self.status.meaning}."


def plan_in_html(plan: Plan) -> str:
    """Return the plan as HTML; names from catalogues are only text."""
    parts = [f"<p>{escape(str(plan))}</p>"]
    if len(plan.choices):
        costs = [name for name in plan.menu.resources if name in plan.choices]
        columns = [c for c in LEAD if c in plan.choices] + costs
        mix = plan.choices[columns].rename(columns={name: words(name) for name in costs})
        shown = mix.assign(share=[percent(s) for s in plan.choices["share_of_usd"]])
        parts.append(_table(shown, "Mix"))
    names = {
        "p_exceeds": "P(exceeds)",
        "p_missed_now": "P(danger missed) now",
        "p_missed_expected": "... after the plan",
        "p_needless_now": "P(needless mitigation) now",
        "p_needless_expected": "... after it",
        "prior_sd": "sd now",
        "posterior_sd": "sd after the plan",
    }
    parts.append(_table(plan.domains.reindex(columns=list(names)).rename(columns=names), "Domains"))
    return "\n".join(parts)


def _table(frame: pd.DataFrame, caption: str) -> str:
    text = frame.reset_index(drop=caption == "Mix").rename(columns={"index": "domain"})
    html = text.to_html(
        index=False, border=0, justify="left", na_rep="", float_format=two_digits, escape=True
    )
    return html.replace("<thead>", f"<caption>{caption}</caption><thead>", 1)
