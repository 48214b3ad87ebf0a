"""Prove a certificate's value and bound again, by Python's standard library alone.

``python verifier.py certificate.json`` does so without the rest of evalfolio;
docs/explanation/certificate.md has the mathematics. Numbers have 80 digits, and each result is
widened by 1e-60 of what went into it, which the roundings of any proof are far below.
"""

import hashlib
import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, localcontext
from functools import cache, cached_property, lru_cache
from itertools import accumulate, pairwise
from math import comb
from operator import mul
from pathlib import Path
from typing import Any, TypeAlias

FORMAT = 1
DIGITS, WIDER = 80, Decimal("1e-60")
SMALL = Decimal("1e-90")  # terms of a series below it, and all after them, are rounding
FAR = 23  # sds, beyond which a normal's tail is below 1e-110
ROUGH = 17  # digits of what only says where to look
MISSED = Decimal("1e-9")  # of a limit's size, by which a choice may miss it by rounding
NARROW = Decimal("1e-36")
ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
Data: TypeAlias = dict[str, Any]
Vector: TypeAlias = Sequence[Decimal]
Cells: TypeAlias = list[tuple[Decimal, Decimal, list[Decimal]]]  # from, to, Bernstein coefficients


class Refused(ValueError):
    """What a certificate says is not proved by it."""


def require(holds: object, text: str) -> None:
    """Refuse a certificate unless something holds."""
    if not holds:
        raise Refused(text)


@contextmanager
def reading() -> Iterator[None]:
    """Refuse what is damaged, whatever Python makes of it."""
    try:
        yield
    except Exception as error:  # anyone may have written it
        require(isinstance(error, Refused), f"it is damaged ({type(error).__name__}: {error})")
        raise


def numbers(values: Iterable[float]) -> list[Decimal]:
    """Return floats as they are, to the last digit."""
    return [Decimal(value) for value in values]


def dot(a: Iterable[Decimal], b: Iterable[Decimal]) -> Decimal:
    """Return the scalar product."""
    return sum(map(mul, a, b), ZERO)


def atan(a: Decimal) -> Decimal:
    """Return the arc tangent of -1 <= a <= 1, by thrice atan a = 2 atan(a/(1 + sqrt(1 + a²)))."""
    for _ in range(3):
        a = a / (1 + (1 + a * a).sqrt())
    total, power, n = ZERO, a, 1
    while abs(power) > SMALL:
        total, power, n = total + power / n, -power * a * a, n + 2
    return 8 * total


with localcontext(prec=DIGITS + 9):
    PI = 4 * atan(ONE)
    ROOT = (2 * PI).sqrt()


def density(z: Decimal) -> Decimal:
    """Return the standard normal density."""
    return (-z * z / 2).exp() / ROOT


@lru_cache(1000)  # half of the calls are at a decision's own threshold
def cdf(z: Decimal) -> Decimal:
    """Return the normal distribution function, ½ + φ(z)·(z + z³/3 + z⁵/15 + ...)."""
    if z < 0 or z > FAR:
        return 1 - cdf(-z) if z < 0 else ONE
    total, term, n = ZERO, z, 1
    while term > SMALL:
        total, n = total + term, n + 2
        term *= z * z / n
    return HALF + density(z) * total


def owen(h: Decimal, q: Decimal) -> Decimal:
    """Return Owen's T(h, q/h); h = 0 counts as above 0.

    2πT(h, a) = atan a − Σ_j (−1)^j p_j a^(2j+1)/(2j+1) for |a| <= 1, p_j the chance that a Poisson
    variable of mean h²/2 is above j.
    """
    if h < 0:
        return -owen(-h, q)
    if q < 0:
        return -owen(h, -q)
    if q > h:
        return (cdf(h) + cdf(q)) / 2 - cdf(h) * cdf(q) - owen(q, h)
    if h > FAR:
        return ZERO
    a, mean = q / h if h else ZERO, h * h / 2
    total, power, chance, j = atan(a), a, (-mean).exp(), 0
    above = 1 - chance
    while above > WIDER / 10**12 or j < mean:
        total, power, j = total - above * power / (2 * j + 1), -power * a * a, j + 1
        chance *= mean / j
        above -= chance
    return total / (2 * PI)


class Normal:
    """G(v): what explaining the variance v of y ~ N(d, S) is worth at linear losses."""

    def __init__(self, contrast: Vector, whole: Decimal, data: Data) -> None:
        self.top, self.s = whole, whole + Decimal(data["later_gain_sd"]) ** 2
        later = Decimal(data["later_gain_mean"]) - Decimal(data["threshold"])
        self.d = dot(contrast, numbers(data["mean"])) + later
        losses = numbers([data["loss_missed"], data["loss_false_alarm"]])
        self.missed, self.needless = (Decimal(data["weight"]) * loss for loss in losses)
        require(self.missed > 0 and self.needless > 0 and self.s > 0, "losses must be above 0")
        self.sd, self.k = self.s.sqrt(), ZERO
        near, off = Decimal("1e-65"), self._imbalance
        for _ in range(99):  # Newton's steps to the root of missed·ψ(k) = needless·ψ(−k)
            step = off(self.k) / self._steep(self.k)
            self.k -= step
            if abs(step) < near / 10:
                break
        require(off(self.k - near) < 0 < off(self.k + near), "indifference is not bracketed")
        self.kappa = self._steep(self.k)  # κ = L_m Φ(k) + L_f Φ(−k)
        self.off = WIDER * (self.missed + self.needless) * (self.sd + abs(self.d))
        z = self.d / self.sd
        above = self.d * cdf(z) + self.sd * density(z)
        self.before = min(self.missed * above, self.needless * (above - self.d))

    def _steep(self, k: Decimal) -> Decimal:
        return self.missed * cdf(k) + self.needless * cdf(-k)

    def _imbalance(self, k: Decimal) -> Decimal:
        low = self.needless * (density(k) - k * cdf(-k))
        return self.missed * (density(k) + k * cdf(k)) - low

    def gain(self, v: Decimal) -> Decimal:
        """Return G(v), the least expected loss before the results less that after them."""
        if v <= 0:
            return ZERO
        rest, root, below = max(self.s - v, ZERO).sqrt(), v.sqrt(), -self.d / self.sd
        at, turned = (self.k * rest - self.d) / root, (self.k * self.s - self.d * rest) / root
        turned /= self.sd
        peak = self.missed * cdf(turned) + self.needless * cdf(-turned)
        lost = self.sd * density(below) * peak - root * density(at) * self.kappa
        both = self.missed * cdf(at) - self.needless * cdf(below)
        if self.missed != self.needless:
            shared = (cdf(below) + cdf(at)) / 2 - owen(below, turned) - owen(at, -self.k)
            shared -= HALF if (below < 0) != (at < 0) else ZERO
            both += (self.needless - self.missed) * shared
        return self.before - lost - self.d * both

    def slope(self, v: Decimal) -> Decimal:
        """Return G′(v) = κ/(2√v)·φ((k√(S − v) − d)/√v)."""
        root, rest = v.sqrt(), max(self.s - v, ZERO).sqrt()
        return self.kappa / (2 * root) * density((self.k * rest - self.d) / root)

    def place(self, r: Decimal) -> Decimal:
        """Return v = S − r²."""
        return self.s - r * r if r < self.sd else ZERO

    def bends(self, ceiling: Decimal) -> Cells:
        """Return what has the sign of G's curvature in the odds, for r from 0 to √S.

        P(r)(C − S + r²) − 4r(S − r²)² with P = r³ − dkr² + (k²S + d² − S)r − dkS.
        """
        dk, s, far = self.d * self.k, self.s, ceiling - self.s
        own = [-dk * s, self.k**2 * s + self.d**2 - s, -dk, ONE]
        takes = [ZERO, 4 * s * s, ZERO, -8 * s, ZERO, 4 * ONE]
        each = zip([*own, ZERO, ZERO], [ZERO, ZERO, *own], takes, strict=True)
        power = [(a * far + b - c) * self.sd**j for j, (a, b, c) in enumerate(each)]
        power = power if dk else power[1:]  # then r times the rest
        n = len(power) - 1
        bernstein = ([comb(i, j) / Decimal(comb(n, j)) for j in range(i + 1)] for i in range(n + 1))
        return [(ZERO, self.sd, [dot(shares, power) for shares in bernstein])]


class Sloped:
    """G(u) whose slope is straight between knots: the stand-in for a skewed gap's."""

    def __init__(self, data: Data) -> None:
        self.knots, self.slopes = numbers(data["knots"]), numbers(data["slopes"])
        self.top, self.off = self.knots[-1], WIDER * sum(self.slopes)
        rising = all(low < high for low, high in pairwise(self.knots))
        require(rising and self.knots[0] == 0 <= min(self.slopes), "a stand-in must rise")
        each = zip(pairwise(self.knots), pairwise(self.slopes), strict=True)
        areas = ((high - low) * (a + b) / 2 for (low, high), (a, b) in each)
        self.areas = [*accumulate(areas, initial=ZERO)]

    def _cell(self, u: Decimal) -> int:
        return min(bisect_right(self.knots, u), len(self.knots) - 1) - 1

    def slope(self, u: Decimal) -> Decimal:
        """Return G′(u)."""
        k = self._cell(u)
        share = (u - self.knots[k]) / (self.knots[k + 1] - self.knots[k])
        return self.slopes[k] + (self.slopes[k + 1] - self.slopes[k]) * min(share, ONE)

    def gain(self, u: Decimal) -> Decimal:
        """Return G(u)."""
        k, most = self._cell(u), min(u, self.top)
        inside = (self.slopes[k] + self.slope(u)) * (most - self.knots[k]) / 2
        return self.areas[k] + inside + (u - most) * self.slopes[-1]

    def place(self, u: Decimal) -> Decimal:
        """Return u."""
        return u

    def bends(self, ceiling: Decimal) -> Cells:
        """Return what has the sign of G's curvature in the odds, G″(C − u) − 2G′."""
        found = []
        for (low, high), (a, b) in zip(pairwise(self.knots), pairwise(self.slopes), strict=True):
            rise = (b - a) / (high - low)
            ends = [rise * (ceiling - u) - 2 * g for u, g in ((low, a), (high, b))]
            found.append((low, high, ends))
        return found


class Decision:
    """What choices let one know of one decision, u, and what that is worth, G(u).

    u = C − margin − Σ_j a_j/(m_j/N_j − e_j), N_j what is left of the variance of contrast j.
    """

    def __init__(self, prior: Sequence[Vector], options: Sequence[Any], data: Data) -> None:
        self.prior, self.options, self.margin = prior, options, Decimal(data["margin"])
        self.contrasts = [numbers(c) for c in data.get("contrasts", [data["contrast"]])]
        whole = [dot(c, self._times(c)) for c in self.contrasts]
        self.curve: Normal | Sloped
        if "slopes" not in data:
            self.curve = Normal(self.contrasts[0], whole[0], data)
            self.terms, self.top = [(ONE, ONE, 0)], whole[0]
        else:
            self.curve = Sloped(data)
            shares, bends = numbers(data["shares"]), numbers(data["bends"])
            each = zip(shares, bends, whole, strict=True)
            self.terms, self.top = [(w * r, (1 + r) * v, 1) for w, r, v in each], sum(shares, ZERO)
            require(min(*shares, *bends, *whole) > 0, "an index must have shares and bends above 0")
        require(self.margin > 0 and self.top > 0, "a margin must be above 0")
        self.ceiling = self.top + self.margin
        self.gain = cache(lambda u: self.curve.gain(u) + self.curve.off)
        self.most = cache(self._most)

    def _times(self, w: Vector) -> list[Decimal]:
        return [dot(row, w) for row in self.prior]

    def worth(self, left: Sequence[Vector]) -> Decimal:
        """Return a number at or below what it is worth that so much is left of the covariance."""
        rest = [dot(c, [dot(row, c) for row in left]) for c in self.contrasts]
        u = self.top - sum(a / (m / n - e) for (a, m, e), n in zip(self.terms, rest, strict=True))
        return self.curve.gain(max(u - WIDER * self.ceiling, ZERO)) - self.curve.off

    def odds(self, u: Decimal) -> Decimal:
        """Return s = C/(C − u)."""
        return self.ceiling / (self.ceiling - u)

    def tangent(self, vectors: Sequence[Any]) -> tuple[Decimal, list[Decimal]]:
        """Return constant and weights of a linear function of the choice that is at or above s."""
        free, constant, weights = ONE, ZERO, [ZERO] * len(self.options)
        for c, (a, m, e), vector in zip(self.contrasts, self.terms, vectors, strict=True):
            w = numbers(vector)
            z = self._times(w)
            t, at, each = dot(c, z), z.__getitem__, self.ceiling * m / a
            free, constant = free - t, constant + (m * dot(w, z) - e * t * t) / a
            for o, columns in enumerate(self.options):
                for places, f in columns:
                    seen = dot(f, map(at, places))
                    weights[o] += each * seen * seen
        return self.ceiling * (free * free / self.margin + constant), weights

    @cached_property
    def parts(self) -> list[tuple[Decimal, Decimal, int]]:
        """Intervals of u and how G bends in the odds: 1 convex, -1 concave, 0 not told, but narrow.

        A polynomial between its Bernstein coefficients has the sign that they share.
        """
        found: list[tuple[Decimal, Decimal, int]] = []
        todo = self.curve.bends(self.ceiling)
        while todo:
            start, end, own = todo.pop()
            size = WIDER * max(map(abs, own))
            bend = 1 if min(own) > size or not any(own) else -1 if max(own) < -size else 0
            require(len(found) < 10_000, "a curve has no clear bends")
            if bend or end - start <= NARROW * self.ceiling.sqrt():
                low, high = sorted(map(self.curve.place, (start, end)))
                if bend and found and found[-1][2] == bend:
                    low, high = min(low, found[-1][0]), max(high, found.pop()[1])
                found.append((low, high, bend))
                continue
            first, last, middle = [], [], (start + end) / 2
            while own:
                first.append(own[0])
                last.append(own[-1])
                own = [(a + b) / 2 for a, b in pairwise(own)]
            todo += [(start, middle, first), (middle, end, last[::-1])]
        return found

    def _most(self, price: Decimal, low: Decimal, high: Decimal) -> Decimal:
        """Return a number at or above G(u) − price·s(u) for every u from low to high."""
        last = self.gain(high) - price * self.odds(min(high, self.curve.top))
        best = max(self.gain(low) - price * self.odds(low), last)
        for start, end, bend in self.parts if price else ():
            start, end = max(start, low), min(end, high)
            if start < end:
                best = max(best, self.gain(end) - price * self.odds(end))
                most = self.gain(end) - price * self.odds(start)
                if bend < 1 and most > best:
                    best = max(best, self._under_tangent(price, start, end)) if bend else most
        return best

    def _under_tangent(self, price: Decimal, start: Decimal, end: Decimal) -> Decimal:
        def steep(u: Decimal) -> Decimal:
            return self.curve.slope(u) * (self.ceiling - u) ** 2 / self.ceiling

        low, high = start, end
        with localcontext(prec=ROUGH):
            for _ in range(16):
                middle = (low + high) / 2
                low, high = (middle, high) if steep(middle) > price else (low, middle)
            low = low or high / 2
            a, b = low, high
            for _ in range(5):  # secants, to the last digit: a looser bound would refuse old files
                first, last = steep(a) - price, steep(b) - price
                at = b - (b - a) * last / ((last - first) or ONE)
                a, b = b, min(max(at, low), high)
        at = min(max(b, start), end)
        rises = [(steep(at) - price) * (self.odds(u) - self.odds(at)) for u in (start, end)]
        return self.gain(at) - price * self.odds(at) + max(rises)


class Problem:
    """The menu and the question of a certificate: limits, decisions, and what its prices prove."""

    def __init__(self, data: Data) -> None:
        menu, question, self.data = data["menu"], data["question"], data
        self.options, owners, shared = menu["options"], menu["evals"], menu["shared"]
        n = self.n = len(self.options)
        self.prior = [numbers(row) for row in menu["covariance"]]
        self.columns = [
            [([place for place, _ in f], numbers(x for _, x in f)) for f in own]
            for own in menu["information"]
        ]
        self.decisions = [
            # the menu, whose hash is known, counts before what a question says of a decision
            Decision(self.prior, self.columns, {**each, **menu, **menu["decisions"][each["of"]]})
            for each in question["decisions"]
        ]
        count = {each["of"] % len(menu["decisions"]) for each in question["decisions"]}
        require(len(count) == len(self.decisions), "a decision counts twice")
        use = [numbers(own) for own in [*menu["use"], *(each["use"] for each in shared)]]
        require(all(x >= 0 for own in use for x in own), "an option uses less than nothing")
        needed = list(enumerate((each["needed_by"] for each in shared), n))
        self.needs = [[s for s, options in needed if o in options] for o in range(n)]
        evals = {name: [-1] for name in owners}
        budgets = {menu["resources"].index(k): Decimal(x) for k, x in question["budgets"].items()}
        self.rows: list[tuple[list[tuple[int, Decimal]], Decimal | None, Decimal | None]] = [
            ([*enumerate(own[k] for own in use)], None, most) for k, most in budgets.items()
        ]
        for o, name in enumerate(owners):
            alone = [use[o], *(use[s] for s in self.needs[o])]
            if all(sum(own[k] for own in alone) <= (1 + MISSED) * m for k, m in budgets.items()):
                evals[name].append(o)
        for s, options in needed:
            for name in evals:
                if own := [(o, ONE) for o in options if owners[o] == name]:
                    self.rows.append(([*own, (s, -ONE)], None, ZERO))
            self.rows.append(([(s, ONE), *((o, -ONE) for o in options)], None, ZERO))
        ours = [question["variables"], *(c for row in question["limits"] for c, _ in row["terms"])]
        require(min(ours) >= 0 and ours[0] < len(ours), "a limit is of a column that is not there")
        for row in question["limits"]:
            low, high = (None if x is None else Decimal(x) for x in row["sides"])
            self.rows.append(([(c, Decimal(x)) for c, x in row["terms"]], low, high))
        self.n_columns = n + len(shared) + question["variables"]
        # What every eval may run, and then every shared purchase and variable; -1 is nothing.
        self.ways = [*evals.values(), *([-1, column] for column in range(n, self.n_columns))]
        self.priced, self.tangent = cache(self._priced), cache(self._tangent)

    def _tangent(self, label: int) -> tuple[int, Decimal, list[Decimal]]:
        d, *vectors = self.data["tangents"][label]
        constant, weights = self.decisions[d].tangent(vectors)
        return d, constant, weights + [ZERO] * (self.n_columns - self.n + 1)

    def value(self, names: Sequence[str], variables: Sequence[int]) -> Decimal:
        """Return a number at or below what a choice is worth, once it is seen to be one."""
        chosen = set(map({name: o for o, name in enumerate(self.options)}.__getitem__, names))
        ones = {*chosen, *variables, *(s for o in chosen for s in self.needs[o])}
        held = [own for own in self.ways if ones & {*own}]
        require(len(held) == len(ones), "the choice runs an eval twice, or what does not fit")
        for terms, low, high in self.rows:
            total = sum((x for c, x in terms if c in ones), ZERO)
            slack = MISSED * max(map(abs, (*(x for _, x in terms), low or ZERO, high or ZERO)))
            met = (low is None or total >= low - slack) and (high is None or total <= high + slack)
            require(met, "the choice breaks a limit")
        left = self.prior  # S - S f f'S/(1 + f'S f), reading by reading
        for places, f in (each for o in chosen for each in self.columns[o]):
            seen = [dot(f, map(row.__getitem__, places)) for row in left]
            noise = 1 + dot(f, map(seen.__getitem__, places))
            pairs = zip(left, seen, strict=True)
            left = [[a - b * c / noise for a, c in zip(row, seen, strict=True)] for row, b in pairs]
        return sum((each.worth(left) for each in self.decisions), ZERO)

    def _priced(self, label: int) -> tuple[Decimal, list[Decimal], list[Decimal]]:
        """Return what prices add up to, what they take of every column and of the odds."""
        prices = self.data["prices"][label]
        total, adds = ZERO, [ZERO] * (self.n_columns + 1)  # the last is of nothing
        for r, price in prices["rows"]:
            (terms, low, high), paid = self.rows[r], Decimal(price)
            side = high if paid > 0 else low
            require(side is not None, "a price is of a side that its limit does not have")
            total += paid * (side or 0)
            for column, x in terms:
                adds[column] -= paid * x
        odds = [ZERO] * len(self.decisions)
        for row, price in prices["tangents"]:
            (d, constant, weights), paid = self.tangent(row), Decimal(price)
            require(paid >= 0, "a tangent's price is negative")
            odds[d] += paid
            total += paid * constant
            adds = [a + paid * x for a, x in zip(adds, weights, strict=True)]
        return total, adds, odds

    def bound(self, ways: Sequence[Any], spans: Sequence[Any], label: int) -> Decimal | None:
        """Return a number at or above the value of all in a box, or None where nothing is."""
        if not all(ways) or any(low > high for low, high in spans):
            return None
        total, adds, odds = self.priced(label)
        size = total = total + sum(max([adds[way] for way in own]) for own in ways)
        empty = self.data["prices"][label].get("empty")
        for price, decision, (low, high) in zip(odds, self.decisions, spans, strict=True):
            least = -price * decision.odds(low)
            total += least if empty else decision.most(price, low, high)
            size += abs(least)
        total += WIDER * (abs(size) + sum(map(abs, adds)))
        require(not empty or total < 0, "a part that is said to be empty is not proved to be")
        return None if empty else total

    def cover(self) -> Decimal:
        """Return a bound of every choice's value, from the tree of boxes in its order."""
        proved, todo = ZERO, [(self.ways, [(ZERO, each.top) for each in self.decisions])]
        for kind, *node in self.data["tree"]:
            require(todo and node[0] >= 0, "the tree goes on where nothing is left")
            ways, spans = todo.pop()
            if kind == "leaf":
                proved = max(proved, self.bound(ways, spans, *node) or proved)
            elif kind == "part":
                e, held = node
                for inside in (False, True):  # what comes last is next
                    own = [way for way in ways[e] if (way in held) == inside]
                    todo.append(([*ways[:e], own, *ways[e + 1 :]], spans))
            elif kind == "half":
                d, at = node[0], Decimal(node[1])
                low, high = spans[d]
                for span in ((max(low, at), high), (low, min(high, at))):
                    todo.append((ways, [*spans[:d], span, *spans[d + 1 :]]))
            else:
                require(kind == "cap", f"the tree holds an unknown {kind!r}")
                d, constant, weights = self.tangent(*node)
                most = constant + sum(max((weights[w] for w in own), default=0) for own in ways)
                ceiling, (low, high) = self.decisions[d].ceiling, spans[d]
                high = min(high, ceiling - ceiling / max(most, ONE) + WIDER * ceiling)
                todo.append((ways, [*spans[:d], (low, high), *spans[d + 1 :]]))
        require(not todo, "the tree of boxes does not cover every choice")
        return proved


def digest(menu: Data) -> str:
    """Return the hash of what a certificate holds of a menu."""
    text = json.dumps(menu, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@reading()
def proof(data: Data) -> tuple[Decimal, Decimal]:
    """Return a number at or below the choice's value, and one at or above every choice's.

    What the certificate claims of them, if anything, is held to that; `Refused` if it is no proof.
    """
    require("not_verifiable" not in data, data.get("not_verifiable", ""))
    made = data["format"]
    require(made == FORMAT, f"its format is {made!r}, which a verifier of {FORMAT} cannot read")
    require(digest(data["menu"]) == data["menu_hash"], "its menu does not have the stated hash")
    with localcontext(prec=DIGITS):
        problem, claim = Problem(data), data["claim"]
        value = problem.value(claim["choice"], claim["variables"])
        bound = max(problem.cover(), value)
        least, most = claim.get("value", value), claim.get("bound", bound)
        require(least <= value, f"it claims a value of {least}, and proves {value:.17g}")
        require(most >= bound, f"it claims a bound of {most}, and proves {bound:.17g}")
        return value, bound


@reading()
def verify(data: Data) -> str:
    """Return what a certificate proves, in words; `Refused` if it does not prove its claim."""
    proof(data)
    claim, asked, named = data["claim"], data["question"], data["menu"]["decisions"]
    within = [f"{name} at most {most:g}" for name, most in asked["budgets"].items()]
    within += dict.fromkeys(row["name"] for row in asked["limits"])
    counts = (f"{named[d['of']]['name']} × {d['weight']:g}" for d in asked["decisions"])
    skewed = any("slopes" in each for each in asked["decisions"])
    told = " by the stand-in for skewed gaps that it carries as data" if skewed else ""
    return (
        f"Proved{told}: {', '.join(claim['choice']) or 'nothing'} is worth "
        f"{claim['value']:.12g} or more, and no choice within its limits "
        f"over {claim['bound']:.12g} (limits: {'; '.join(within) or 'none'}; "
        f"decisions: {', '.join(counts)})."
    )


if __name__ == "__main__":
    try:
        print(verify(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    except (OSError, RecursionError, ValueError) as refused:
        sys.exit(f"Not proved: {refused}.")
