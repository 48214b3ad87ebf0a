r"""What results let be bought next: a tree of purchases for each part of the menu.

A part's leading decision, the one most worth knowing, says by the mean t of its y what is released;
the other decisions of the part stand where t leads one to expect them. From a branch with the mean
t, buying F gains G_F(t) = E[ℓ now − ℓ after F | t], costs c_F, and may release more.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.programmes.further import Part, further, left_by
from evalfolio.programmes.line import Line
from evalfolio.search import Greedy, Question
from evalfolio.value.sample_information import DecisionValue

ENUMERATED = 64  # choices of a part up to which all are tried
LOOKS = (-1.0, 0.0, 1.0)  # sds of t at which else the best purchase is sought
SHARES = (0.15, 0.4, 1.0)  # ... with these shares of what is left of every resource
LIKELY = np.linspace(-4.0, 4.0, 65)  # sds of t by which purchases are compared,
RATES = (0.0, 0.01, 0.1)  # ... at these shares of the most that one of them gains per cost
ROUNDING = 1e-11  # of what is at stake
TRIFLE, MATTERS = 1e-7, 2e-4  # of perfect information: least worth of a purchase; of another one


def reservation_price(
    cost: float, excess: Callable[[float], float], *, discount: float = 1.0, most: float = 1e6
) -> float:
    r"""Return Weitzman's index of a box: the z at which opening it and taking z are worth the same.

    It solves (1 − discount)·z + cost = discount·E(X − z)⁺ (Weitzman 1979), `excess` being
    E(X − z)⁺ as a function of z; 0 where even z = 0 is not worth opening for, and `most` at most. A
    purchase is worth its price while the mean of y is nearer than this to where it gains most, X
    what it moves the mean by.

    >>> long_shot = lambda z: 0.2 * max(240 - z, 0)
    >>> round(reservation_price(20, long_shot, discount=1 / 1.1**2), 3)
    58.049
    """

    def over(z: float) -> float:
        return discount * excess(z) - (1.0 - discount) * z - cost

    return 0.0 if over(0.0) <= 0 else most if over(most) >= 0 else float(brentq(over, 0.0, most))


@dataclass(eq=False)  # a branch is itself; its gain may be scaled, see `simulation`
class Branch:
    """A purchase in a part of the menu, and what its results may release."""

    before: Menu
    """What could be bought, by the belief there was."""
    options: tuple[str, ...]
    """What is bought."""
    held: Mapping[str, str]
    """The last option of every eval that has been bought so far."""
    information: Array
    """What it adds."""
    cost: Array
    """Of it, by resource."""
    total: Array
    """... of all up to here."""
    days: tuple[float, ...]
    """Calendar days of every stage up to here."""
    learned: Array
    """Covariance of the decisions' means by now."""
    gain: Array
    """G along the line of the leading decision."""
    later: "tuple[Branch, ...]" = ()

    @cached_property
    def menu(self) -> Menu:
        """What is left to be bought, by the belief the results leave."""
        return further(self.before, self.options)

    def all(self) -> "Iterator[Branch]":
        """Yield the branch and all that grow from it."""
        yield self
        for branch in self.later:
            yield from branch.all()


class Block:
    """A part of a menu, a line for every decision of it, and how branches grow on it."""

    def __init__(self, whole: Menu, part: Part, priced: int | None) -> None:
        self.whole, self.priced = whole, priced
        self.decisions, options, self.apart = part
        mine = tuple(whole.decisions[d] for d in self.decisions)
        lean = replace(
            whole, skewed=(), information_draws=None, resource_draws=None, replicates=None
        )
        self.menu = replace(lean.subset(options), decisions=mine)
        self.contrasts: Array = np.array([each.contrast for each in mine])
        known = np.diag(self.contrasts @ whole.prior_covariance @ self.contrasts.T)
        values = [DecisionValue.of(whole, each) for each in mine]
        self.lines = [Line(value, own) for value, own in zip(values, known, strict=True)]
        self.lead = int(np.argmax([value.evpi for value in values]))
        self.line, self.decision = self.lines[self.lead], mine[self.lead]
        value = self.line.value  # rounding leaves some of the losses themselves
        at_stake = (value.loss_missed + value.loss_false_alarm) * value.sd
        self.trifle = TRIFLE * value.evpi + ROUNDING * at_stake

    def own(self, branch: Branch) -> float:
        """Return the variance of t by a branch."""
        return max(float(branch.learned[self.lead, self.lead]), 0.0)

    def _means(self, learned: Array) -> Array:
        """Return what every decision's mean is expected to be along t, (k, n)."""
        slopes = learned[self.lead] / (learned[self.lead, self.lead] or np.inf)
        slopes[self.lead] = 1.0
        start = np.array([line.value.distance for line in self.lines])
        return np.asarray(start[:, None] + np.outer(slopes, self.line.means - start[self.lead]))

    def _loss(self, learned: Array, then: Array) -> Array:
        """Return what is expected to be lost along t once as much as `then` has been learned."""
        total, own = np.zeros_like(self.line.means), learned[self.lead, self.lead] or np.inf
        for d, means in enumerate(self._means(learned)):
            spread = max(float(then[d, d] - learned[d, self.lead] ** 2 / own), 0.0)
            table = self.lines[d].loss(self.lines[d].value.variance - then[d, d])
            total += self.lines[d].ahead(table, spread, None if d == self.lead else means)
        return total

    @property
    def nothing(self) -> Branch:
        """The branch on which nothing has been bought."""
        n, k, zero = len(self.whole.states), len(self.lines), np.zeros(len(self.whole.resources))
        empty = np.zeros((k, k))
        return Branch(self.menu, (), {}, np.zeros((n, n)), zero, zero, (), empty, zero)

    def bought(self, branch: Branch, options: Sequence[str]) -> Branch:
        """Return the branch of buying options of what is left; it grows nothing yet."""
        menu = branch.menu
        x = menu.options.index.isin(list(options)).astype(float)
        rows = menu.options[x > 0.5]
        information, cost = np.tensordot(x, menu.information, 1), menu.use_of(x)
        left = left_by(menu.prior_covariance, information)
        then = self.contrasts @ (self.whole.prior_covariance - left) @ self.contrasts.T
        days = float(rows["days"].max()) if "days" in rows and len(rows) else 0.0
        return Branch(
            before=menu,
            options=tuple(map(str, rows.index)),
            held={**branch.held, **dict(zip(rows["eval"], map(str, rows.index), strict=True))},
            information=information,
            cost=cost,
            total=branch.total + cost,
            days=(*branch.days, days),
            learned=then,
            gain=self._loss(branch.learned, branch.learned) - self._loss(branch.learned, then),
        )

    def grow(self, branch: Branch, stages: int, most: int, rest: Array) -> None:
        """Let a branch release for more stages what is best at some result, within the rest."""
        if stages < 1 or most < 1 or not len(branch.menu):
            return
        found = [self.bought(branch, names) for names in self._candidates(branch, rest)]
        for each in found:
            self.grow(each, stages - 1, most, rest - each.cost)
        branch.later = self._best(branch, found, most, rest) if found else ()

    def _candidates(self, branch: Branch, rest: Array) -> list[tuple[str, ...]]:
        menu, names = branch.menu, branch.menu.options.index
        groups = list(menu.options.groupby("eval", sort=False).indices.values())
        if np.prod([len(rows) + 1.0 for rows in groups]) <= ENUMERATED:
            picks = itertools.product(*[(-1, *rows) for rows in groups])
            every = [tuple(str(names[i]) for i in pick if i >= 0) for pick in picks]
            used = [menu.use_of(names.isin(each).astype(float)) for each in every]
            return [a for a, u in zip(every, used, strict=True) if a and (u <= rest + 1e-9).all()]
        looks = LOOKS if self.own(branch) > 0 else (0.0,)
        # the belief where t is so many sds from what is expected
        learned = self.whole.prior_covariance - menu.prior_covariance
        moved = learned @ self.contrasts[self.lead] / np.sqrt(self.own(branch) or np.inf)
        found = []
        for look, share in itertools.product(looks, SHARES):
            then = replace(menu, prior_mean=menu.prior_mean + look * moved)
            left = dict(zip(menu.resources, share * np.maximum(rest, 0.0), strict=True))
            found.append(Greedy().find(Question(then, left)).chosen)
        return [each for each in dict.fromkeys(found) if each]

    def _best(
        self, branch: Branch, found: list[Branch], most: int, rest: Array
    ) -> tuple[Branch, ...]:
        """Return those that together are worth most, at several prices of what is left."""
        t = self.line.value.distance + LIKELY * np.sqrt(self.own(branch))
        chance, none = np.exp(-0.5 * LIKELY**2), np.zeros(len(rest))
        size = np.array([float((each.cost / np.maximum(rest, 1e-300)).sum()) for each in found])
        worth = [np.interp(t, self.line.means, self.going(branch, b, none)[0]) for b in found]
        rate = float(np.max(np.max(worth, axis=1) / np.maximum(size, 1e-12)))
        nets = np.array([np.array(worth) - rate * r * size[:, None] for r in RATES])
        best, kept = np.zeros(nets.shape[::2]), list[int]()
        for _ in range(min(most, len(found))):
            adds = np.maximum(nets - best[:, None], 0.0) @ chance
            first = int(np.argmax(adds.sum(axis=0)))
            if adds[:, first].max() <= MATTERS * chance.sum() * self.line.value.evpi:
                break
            kept.append(first)
            best = np.maximum(best, nets[:, first])
        return tuple(found[k] for k in sorted(kept, key=lambda k: size[k]))

    def going(self, branch: Branch, then: Branch, prices: Array) -> tuple[Array, Array]:
        """Return along t what going on to `then` is worth over its price, and what it spends.

        Later releases are counted; spent is the resource that is priced.
        """
        step = max(self.own(then) - self.own(branch), 0.0)
        ahead = [self.line.ahead(table, step) for table in self.released(then, prices)]
        spent = 0.0 if self.priced is None else then.cost[self.priced]
        price = float(then.cost @ prices) + self.trifle
        return then.gain + ahead[0] - price, spent + ahead[1]

    def released(self, branch: Branch, prices: Array) -> tuple[Array, Array]:
        """Return along t what the best release is worth over its price, and what it spends."""
        best, spends = np.zeros_like(self.line.means), np.zeros_like(self.line.means)
        for each in branch.later:
            net, own = self.going(branch, each, prices)
            spends, best = np.where(net > best, own, spends), np.maximum(net, best)
        return best, spends
