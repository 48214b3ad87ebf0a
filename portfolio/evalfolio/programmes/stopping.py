"""When to stop: what the next dollar returns at best, against what it is worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evalbayes import Menu
from evalfolio.narrative import two_digits
from evalfolio.plans.evaluation import evaluate
from evalfolio.plans.plan import Plan
from evalfolio.record.record import Record

LEAST = 1e-12  # usd: what is free is worth its price


@dataclass(frozen=True)
class NextDollar:
    """What a dollar buys of information from here on."""

    # most value per usd of anything that could be bought with what is left, 0 where nothing is of
    # use: below the price of a point (1 where losses are in usd) no purchase is worth its money
    rate: float
    # what a point of value is worth, where that is stated; 1 where losses are in usd
    point_usd: float | None
    value: float  # value, usd: of the plan of what is left
    usd: float
    before: float  # value per usd that the plan before promised, over all its mix

    @property
    def stop(self) -> bool | None:
        """Whether nothing left is worth its price; None where no price is known."""
        if self.rate <= 0:
            return True
        return None if self.point_usd is None else self.rate * self.point_usd < 1.0

    def __str__(self) -> str:
        if self.rate <= 0:
            return "Nothing that can still be bought would turn a call: stop here."
        if self.point_usd is None:
            per, was = (two_digits(1000 * rate) for rate in (self.value / self.usd, self.before))
            return (
                f"The plan of what is left buys {per} points for $1,000, the plan before {was}; "
                "with a price of a point (--point-usd) it says when to stop."
            )
        if self.stop:
            returns = two_digits(self.rate * self.point_usd)
            return f"The next dollar returns ${returns} at best: stop here."
        worth = two_digits(self.value * self.point_usd)
        return f"What is left to buy is worth ${worth} for ${two_digits(self.usd)}: go on."


def next_dollar(plan: Plan, before: Record, point_usd: float | None) -> NextDollar:
    """Return what the next dollar returns, after a plan of what is left.

    A value may be convex at first, so that one option returns less than several together: single
    options, the plan itself and the mixes of its frontier are looked at.
    """
    record, spent = plan.record, before.money.expected
    mixes = [[str(name)] for name in plan.menu.options.index]
    mixes += [list(plan.chosen), *(list(point.options) for point in record.frontier)]
    return NextDollar(
        most_per_usd(plan.menu, mixes, plan.question.spendable),
        1.0 if record.value.unit == "usd" else point_usd,
        plan.value,
        max(record.money.expected, LEAST),
        before.value.evsi / spent if spent > 0 else 0.0,
    )


def most_per_usd(menu: Menu, mixes: Iterable[Sequence[str]], most: Mapping[str, float]) -> float:
    """Return the most value per usd of mixes of options that use at most so much, 0 of none."""
    found = [evaluate(menu, mix) for mix in mixes]
    able = [each for each in found if all(each.spend[n] <= end for n, end in most.items())]
    return max((each.value / max(each.spend["usd"], LEAST) for each in able), default=0.0)
