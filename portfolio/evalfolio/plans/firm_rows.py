r"""Which rows of a plan other draws would keep, and which rows are as good in their place.

Another fit has its own luck: a mix's value, the fall d from the best mix to another, and what
options cost, which decides whether a mix fits its budget at all. With σ the paired noise of d:

- the mix taken is the simplest among those no worse than the best by more than the zone, 2.1 σ or
  the gap asked for, whichever is more (an indifference zone, Bechhofer 1954): fewest evals at max
  elicitation, as engineers' hours are the scarcest, and of those fewest evals;
- *firm*: a row without which no mix comes near, though budgets be as much wider as other draws may
  make them. Another fit leaves the row out only where d falls into its own zone, or into the gap
  its search leaves: near is the zone, that gap and 2.3 σ, 1.6 standard errors of what two fits
  differ by;
- *exchangeable*: a row in whose place others come near, as far as the search can tell.

Firm is proved: the best mix without the row is a search of its own, and its bound is what counts.
The search ends where that bound is far, or a mix is found that is near: it is named. How much of
the menu all searches may look at is counted, not timed, so that no machine's speed decides.

σ is found by valuing a mix again on the menu of every balanced half of the draws
(`evalbayes.halves`), at the same options, so that the noise of the difference of two mixes is that
of what they do not share. Expected costs have noise too, which moves what a budget buys: a mix that
comes out dearer on a half is charged the difference at the shadow prices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalbayes import Menu
from evalbayes.arrays import Array
from evalbayes.halves import T_95, noise
from evalfolio.errors import InfeasibleError
from evalfolio.limits import Forbidden, MaxEvals, Where
from evalfolio.limits.limit import Limit
from evalfolio.narrative import DEPTH, listing, two_digits
from evalfolio.objectives import evsi
from evalfolio.objectives.valuation import worth_of
from evalfolio.search import Answer, Certified, Problem, Question
from evalfolio.search.branching import MAX_BOXES
from evalfolio.search.changes import NOTHING
from evalfolio.search.exchange import Exchanges, moved
from evalfolio.value.knowledge import Indices
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import calls_of

Row = tuple[str, str]  # eval and tier

MOST_TOLD = 8  # rows that are not firm which a sentence goes through
BETWEEN_FITS = 2.33  # standard errors of one fit: 1.64 of the difference of two
SUBSTITUTES = 3  # told of for one row
FEW = 2  # rows of another mix that are named
STEPS = 4  # exchanges in turn that may mend a mix without a row, before a search is made
WORK = 2_000_000  # options looked at, over all boxes of all searches: about a minute of a processor
SHARE = 0.25  # of the work that is left, for one search


class Replicated:
    """The value of mixes on every replicate of a menu.

    Where a gap is skewed, the value of one mix is worked out exactly on every replicate; that of
    the others stands to it as the whole menu's stand-in says for what they explain there. Prices
    are the value of one more unit of each limited resource; the reference is the mix that is valued
    exactly: those compared with it should explain about as much.
    """

    def __init__(self, menu: Menu, prices: Mapping[str, float], reference: Array) -> None:
        assert menu.replicates is not None  # callers look first
        self.menu, again = menu, menu.replicates
        self.prices = np.array([prices.get(name, 0.0) for name in menu.resources])
        self.indices = Indices(menu)
        self.worths = [worth_of(menu, decision) for decision in menu.decisions]
        self.dearer = again.costs - menu.costs
        covariances = np.concatenate([menu.prior_covariance[None], again.prior_covariance])
        self._precisions = np.linalg.inv(covariances)
        lines = self.indices.contrasts
        self._prior = ((lines @ covariances) * lines).sum(axis=-1)
        few = np.arange(len(menu)) == 0  # beliefs alone: what options tell is read from the arrays
        bare = replace(menu, information_draws=None, resource_draws=None, replicates=None)
        means = [menu.prior_mean, *again.prior_mean]
        beliefs = [
            replace(bare.subset(few), prior_mean=mean, prior_covariance=covariance)
            for mean, covariance in zip(means, covariances, strict=True)
        ]
        left = np.linalg.inv(self._precision(reference))
        exact = np.zeros((len(beliefs), len(menu.decisions)))
        for own, m, after in zip(exact, beliefs, left, strict=True):
            for d, decision in enumerate(m.decisions):
                if (calls := calls_of(m, decision)) is not None:
                    own[d] = calls.value(calls.contrasts @ after @ calls.contrasts.T)
        stand_in = self._gains(self._explained(reference))
        ratio = np.divide(exact, stand_in, out=np.ones_like(exact), where=stand_in * exact > 0)
        self._scales = ratio[1:] / ratio[0]
        plain = [d for d, place in enumerate(self.indices.places) if place is None]
        self._plain = [{d: DecisionValue.of(m, m.decisions[d]) for d in plain} for m in beliefs[1:]]
        self._own = self.of(reference)

    def of(self, x: Array) -> tuple[Array, float]:
        """Return the value of a mix on every replicate, (n_replicates,), and on the whole menu."""
        explained = self._explained(x)
        whole, *each = self._gains(explained)
        gains = np.array(each) * self._scales
        for own, parts, plain_of in zip(gains, explained[1:], self._plain, strict=True):
            for d, plain in plain_of.items():
                own[d] = plain.gain(parts[d])
        dearer = self.dearer.transpose(0, 2, 1) @ x @ self.prices
        return np.asarray(gains.sum(axis=1) - dearer), float(whole.sum())

    def noise(self, x: Array) -> float:
        """Return the Monte Carlo standard error of a mix's value, in the unit of the losses."""
        return float(noise(*self.of(x)))

    def paired(self, x: Array) -> float:
        """Return the standard error of the difference in value from the reference."""
        (values, value), (others, other) = self._own, self.of(x)
        return float(noise(values - others, value - other))

    def _gains(self, explained: Array) -> Array:
        """Return every decision's value by the whole menu's stand-ins, as `_explained` is."""
        parts = self.indices.of(explained, self._prior)
        return np.stack([g.gain(parts[:, d]) for d, g in enumerate(self.worths)], axis=1)

    def _precision(self, x: Array) -> Array:
        """Return the states' precisions after a mix: on the menu, then on the replicates."""
        used = np.flatnonzero(x)
        assert self.menu.replicates is not None  # callers of the class look first
        own, again = self.menu.information, self.menu.replicates.information
        told = np.zeros_like(self._precisions)
        for o in used:
            told += x[o] * np.concatenate([own[None, o], again[:, o]])
        return np.asarray(self._precisions + (told + np.swapaxes(told, -1, -2)) / 2)

    def _explained(self, x: Array) -> Array:
        """Return the variances explained of all contrasts, on the menu and then replicates."""
        lines = self.indices.contrasts
        left = np.linalg.solve(self._precision(x), lines.T[None])
        return np.asarray(np.maximum(self._prior - np.einsum("ls,nsl->nl", lines, left), 0.0))


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class FirmRows:
    """A mix chosen for its simplicity among equals, and how firm its rows are."""

    answer: Answer  # the mix, with the bound of the search for the best one
    noise: float  # one Monte Carlo standard error of its value, in the unit of the losses
    apart: float  # the largest such error of the difference to a mix that was looked at
    given_up: float  # value, against the best mix found; the noise cannot tell it from none
    firm: tuple[Row, ...]  # rows (eval, tier) that no mix as good is without
    # For every other row what may stand in its place: sets of rows, any one of them; an empty set
    # where the row may be left out. No set where a search ended before its proof.
    instead: Mapping[Row, tuple[tuple[Row, ...], ...]]

    @property
    def half_width(self) -> float:
        """How far the value may lie from that of endless draws, with 95 % probability."""
        return T_95 * self.noise

    @property
    def gap(self) -> float | None:
        """The gap that is claimed with the noise in it; None without a certificate."""
        bound = self.answer.bound
        if self.answer.gap is None:
            return None
        return self.answer.gap + T_95 * self.apart / max(abs(bound), 1e-300)

    def ways(self, row: Row) -> tuple[str, ...]:
        """Return what may stand in a row's place, each in words."""
        return tuple(_way(way) or "nothing" for way in self.instead.get(row, ()))

    def sentence(self, worth: float | None = None) -> str:
        """Return what a reader needs to know of it, the value as given or as the search has it."""
        value = two_digits(self.answer.value if worth is None else worth)
        told = [f"The draws leave the value at {value} ± {two_digits(self.half_width)} (95 %)."]
        if self.firm:
            told.append(f"Firm, whatever the draws: {listing([_words(r) for r in self.firm])}.")
        if len(self.instead) > MOST_TOLD:
            told.append(
                f"{len(self.instead)} other rows are not, or not proved so: each row of the mix "
                "says what is as good in its place."
            )
            return " ".join(told)
        alike: dict[str, list[str]] = {}  # rows by what is said of them
        for row in self.instead:
            ways = self.ways(row)
            said = f"Exchangeable, each by itself, with {'; or '.join(ways)}"
            if "nothing" in ways:
                said = "May each be left out, as the draws cannot tell the difference"
            alike.setdefault(said if ways else "Not proved firm", []).append(_words(row))
        told += [f"{said}: {listing(rows)}." for said, rows in alike.items()]
        return " ".join(told)


def firm_rows(question: Question, method: Certified, work: float = WORK) -> FirmRows | None:
    """Return the simplest of the best mixes, and how firm each of its rows is.

    InfeasibleError if no choice meets all limits. None comes back for a menu without replicates, a
    question not of value (evsi), and where nothing is worth running. `method` finds the best mix;
    rivals are searched to its gap, all of them within so much `work`, boxes looked at times options
    of the menu. What comes after is neither searched for nor proved firm.
    """
    menu = question.menu
    if menu.replicates is None or question.objective != evsi():
        return None
    left = work / len(menu)

    def best(
        asked: Question, *more: Limit, ends: Callable[[Array, float], bool] | None = None
    ) -> Answer | None:
        nonlocal left
        boxes = int(min(np.ceil(SHARE * left), MAX_BOXES))
        try:
            how = replace(method, time_limit=None, boxes=boxes, ends=ends)
            answer = how.find(asked.under(*more))
        except InfeasibleError:
            return None
        left -= max(answer.rounds, 1)
        mixes.append(answer.x)
        return answer

    found = method.find(question)
    if not found.x.any():
        return None
    top, value, slack = found.x, found.value, method.gap * abs(found.value)
    mixes = [top]
    again, seen = Replicated(menu, found.prices, top), {top.tobytes(): 0.0}

    def apart(x: Array) -> float:
        key = x.tobytes()
        if key not in seen:
            seen[key] = again.paired(x)
        return seen[key]

    def zone(sd: float) -> float:
        return max(T_95 * sd, slack)

    def far(sd: float) -> float:
        return zone(sd) + slack + BETWEEN_FITS * sd

    def first_near(mixes: list[Array], more: float = 0.0) -> Array | None:
        worth = found.problem.value
        return next((y for y in mixes if value - worth(y) <= far(apart(y)) + more), None)

    def told(y: Array, bound: float) -> bool:
        reach = far(apart(y))
        return bool(value - found.problem.value(y) <= reach or value - bound > reach)

    x, kept = top, list[Limit]()
    deep = (menu.options["tier"] == DEPTH).to_numpy()
    for group, counted, least in ((Where(tier=DEPTH), deep, 0), ("everything", deep | True, 1)):
        while (count := round(float(x[counted].sum()))) > least and left > 0:
            fewer = best(question, *kept, MaxEvals(group, count - 1))
            if fewer is None or not fewer.x.any() or value - fewer.value > zone(apart(fewer.x)):
                break
            x = fewer.x
        if deep.any():
            kept.append(MaxEvals(group, count))
    wider, problem = _wider(question, again, x), found.problem
    exchanges = problem.once(Exchanges, lambda: Exchanges(problem))
    firm: list[Row] = []
    instead: dict[Row, tuple[tuple[Row, ...], ...]] = {}
    rows = rows_of(menu, x)
    for row, option in zip(rows, np.flatnonzero(x > 0.5), strict=True):
        ways = _exchanges(found.problem, x, int(option), lambda y: value - far(apart(y)))
        rivals = [] if ways else _mended(exchanges, x, int(option), mixes)
        near = first_near(rivals)
        if near is None and not ways and left > 0:
            barring = Forbidden(Where(eval=row[0], tier=row[1]))
            # A mix that is near says enough, and so does a bound that is far.
            without = best(wider, barring, ends=told)
            reach = 0.0 if without is None else far(apart(without.x))
            if without is None or value - without.bound > reach:
                firm.append(row)  # also where a limit asks for it
                continue
            rivals = [without.x]
            if without.x.sum() > len(rows):
                tidy = best(wider, barring, MaxEvals("everything", len(rows)), ends=told)
                rivals = [without.x] if tidy is None else [tidy.x, without.x]
            near = first_near(rivals, slack)
        if near is not None:
            ways.append(tuple(each for each in rows_of(menu, near) if each not in rows))
        instead[row] = tuple(ways)
    worth = found.problem.value(x)
    return FirmRows(
        answer=replace(found, x=x, value=worth),
        noise=again.noise(x),
        apart=max(seen.values()),
        given_up=value - worth,
        firm=tuple(firm),
        instead=instead,
    )


def rows_of(menu: Menu, x: Array) -> list[Row]:
    """Return eval and tier of every chosen option."""
    part = menu.options.loc[x > 0.5, ["eval", "tier"]].astype(str)
    return [(str(e), str(t)) for e, t in part.itertuples(index=False)]


def _wider(question: Question, again: Replicated, x: Array) -> Question:
    """Return the question with budgets as much wider as other draws may make a mix cheaper."""
    budgets = {}
    for k, name in enumerate(question.menu.resources):
        own = question.budgets.get(name)
        if own is not None and 0 < own.spendable < np.inf:
            more = BETWEEN_FITS * float(noise(again.dearer[:, :, k] @ x, 0.0))
            budgets[name] = own.stated * (1.0 + more / own.spendable)
    return question.within(**budgets)


def _exchanges(
    problem: Problem, x: Array, old: int, least: Callable[[Array], float]
) -> list[tuple[Row, ...]]:
    """Return what may take an option's place by itself, the best first; () for nothing."""
    menu = problem.menu
    rows = menu.options[["eval", "tier"]].astype(str)
    own = (rows["eval"].iloc[old], rows["tier"].iloc[old])
    free = ~rows["eval"].isin(rows["eval"][x > 0.5]).to_numpy()
    free |= ((rows["eval"] == own[0]) & (rows["tier"] != own[1])).to_numpy()
    new = np.append(np.flatnonzero(free), NOTHING)
    values = problem.values_of(problem.explained.exchanged(x, np.full(len(new), old), new))
    ways: list[tuple[Row, ...]] = []
    for k in np.argsort(-values, kind="stable"):
        at = int(new[k])
        way = () if at == NOTHING else ((rows["eval"].iloc[at], rows["tier"].iloc[at]),)
        trial = moved(x, option=at, without=old)
        if way in ways or not problem.met(trial):
            continue
        if len(ways) == SUBSTITUTES or values[k] < least(trial):
            break
        ways.append(way)
    return ways


def _mended(exchanges: Exchanges, x: Array, old: int, others: Sequence[Array]) -> list[Array]:
    """Return mixes without an option's eval and tier, made of its own or others, likest first."""
    problem, rows = exchanges.problem, exchanges.problem.menu.options[["eval", "tier"]].astype(str)
    own = (rows == rows.iloc[old]).all(axis=1).to_numpy()
    mixes = [each for each in others if not each[own].any()]
    trial = moved(x, option=NOTHING, without=old)
    for _ in range(STEPS):
        trial, _ = exchanges.climb(trial, np.flatnonzero(~own), 1)
        if problem.met(trial):
            mixes.append(trial)
    return sorted(mixes, key=lambda y: (y.sum() > x.sum(), np.abs(y - x).sum()))


def _way(rows: Sequence[Row]) -> str:
    """Rows of another mix in words; of many only the first, as they would fill a table's cell."""
    names = [_words(row) for row in rows]
    if len(names) > FEW:
        return f"another mix, with {', '.join(names[:FEW])} and {len(names) - FEW} more"
    return listing(names)


def _words(row: Row) -> str:
    return f"{row[0]} ({row[1]})"
