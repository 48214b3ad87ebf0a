"""The certified optimum by branch and bound on the few explained variances and on the options.

A box holds an interval for every v_d, measured by its odds (see `odds`), and says which options are
still free. Its linear programme over-estimates every choice in it (see `Programme`). Where the hull
of an S-shaped G is what keeps bound and value apart, the box is split at v_d, and both halves'
hulls touch G there; where parts of options do, an eval's options are split in two. A box whose
bound is within the gap of the best value is done, and so is one whose choices can be listed. Bounds
are proved from row prices, so no tolerance of a solver can make one false.
"""

import heapq
import itertools
from collections.abc import Callable

import numpy as np

from evalbayes.arrays import Array, Flags
from evalfolio.search.box import Box, Branch, Step, Trail, shaved
from evalfolio.search.enumeration import FEW, MANY, Enumeration
from evalfolio.search.incumbent import WHOLE, Incumbent
from evalfolio.search.menu_relaxation import MenuRelaxation
from evalfolio.search.problem import Problem
from evalfolio.search.programme import Relaxed

MAX_BOXES = 200_000
MOST_TOLD = 5_000  # boxes; a proof of more is too long to be written down
CAPPED = 0.1  # of an interval: a cap that takes off less is not worth a tangent
ROOT_ROUNDS, BOX_ROUNDS = 60, 8
OUT = 0.72  # of the way from one round's tangents to the next point, at the root
LONG = 100  # boxes; a search of more lists choices also where many are left
OFTEN = 1.2  # times as many boxes: how often the options free in none of them are looked for
SHAVINGS = 6  # rounds of shaving at the root
LOOSE = 0.1  # of what is still to be closed: hulls looser than that are shaved
ROUNDING = 1e-12  # of the largest explained variance
AIM = 0.2  # of bound less value: tangents that could lower a bound by less are not added
ALIKE = 1e-6  # relative; options that add as much but for rounding
HULLS = 0.6  # of what is to be closed: hulls looser than that in sum are split before options


class Search:
    """The state of one search: open boxes, the best choice, the bound of what is done."""

    proving = False  # the bound is known, nothing better is looked for

    def __init__(
        self,
        problem: Problem,
        *,
        gap: float,
        deadline: float | None,
        seed: int,
        boxes: int = MAX_BOXES,
        ends: Callable[[Array, float], bool] | None = None,
    ) -> None:
        self.problem, self.gap, self.most_boxes, self.ends = problem, gap, boxes, ends
        self.relaxation = MenuRelaxation(problem, gap=gap, deadline=deadline, seed=seed)
        self.programme, self.scales = self.relaxation.programme, self.relaxation.scales
        self.incumbent = Incumbent(problem)
        self.enumeration = Enumeration(self.scales, self.relaxation.above, self.incumbent)
        self.centre = problem.evenly()  # where the root's last tangents touch
        self.done = -np.inf  # largest bound of a finished box, scaled
        self.n_boxes = 0
        self.tree: Branch | None = None  # how it is all proved
        self._order, self._narrow_at = itertools.count(), 2.0
        self._known: tuple[Relaxed | None, Trail] = None, Trail(np.zeros(0), [], False)
        self._open: list[tuple[float, int, Box]] = []

    def run(self) -> None:
        """Search until the bound meets the best value, or time runs out."""
        self.programme.add_tangents(self.centre)
        whole = self.relaxation.whole_menu()
        self.tree, self._open = whole.told, [(-np.inf, next(self._order), whole)]
        while self._open and not self.relaxation.out_of_time() and self.n_boxes < self.most_boxes:
            _, _, box = heapq.heappop(self._open)
            if self.near_enough(box.bound):
                self.done = max(self.done, box.bound)
                continue
            if self.n_boxes and self.settled(max(box.bound, self.done)):
                self.done = max(self.done, box.bound)
                break
            self.n_boxes += 1
            self.tree = self.tree if self.n_boxes <= MOST_TOLD else None
            self.enumeration.most = FEW if self.n_boxes < LONG else MANY
            if self.n_boxes >= self._narrow_at:
                self._narrow_at = OFTEN * self.n_boxes
                self.programme.narrow(self._free(box))
            for child in self.process(box):
                heapq.heappush(self._open, (-child.bound, next(self._order), child))

    @property
    def bound(self) -> float:
        """A bound on every choice's value, scaled."""
        return max(self.incumbent.value, self.proved)

    @property
    def proved(self) -> float:
        """The largest bound of any box, done or open: below a known value it would be false."""
        return max([self.done, *(box.bound for _, _, box in self._open)])

    def _free(self, box: Box) -> Flags:
        """Return which options are free in a box or another that is still open."""
        left = [each for _, _, each in self._open if not self.near_enough(each.bound)]
        most = np.max([each.x_high for each in (box, *left)], axis=0)
        return np.asarray(most[: self.problem.n_options] > 0.5)

    def near_enough(self, bound: float) -> bool:
        """Whether nothing under this bound beats the best value by more than the gap."""
        return bound < np.inf and bound - self.incumbent.value <= self.gap * abs(bound)

    def settled(self, bound: float) -> bool:
        """Whether whoever asked needs no more than the best choice so far and this bound."""
        if self.ends is None or self.incumbent.value == -np.inf:
            return False
        return self.ends(self.incumbent.x, bound * self.problem.scale)

    def _trail(self, relaxed: Relaxed) -> Trail:
        """Return the prices of a programme, and where its tangents touch."""
        if self._known[0] is relaxed:
            return self._known[1]
        limits, cut = np.split(relaxed.prices, [self.programme.matrix.shape[0]])
        of, points = self.programme.tangents.of, self.programme.points
        tangents = [(int(of[t]), float(cut[t]), points[t]) for t in np.flatnonzero(cut > 0)]
        limits = limits[: self.problem.matrix.shape[0]].copy()
        self._known = relaxed, Trail(limits, tangents, relaxed.bound == -np.inf)
        return self._known[1]

    def process(self, box: Box) -> list[Box]:
        """Bound a box; return its halves, or nothing when it is done."""
        is_root = box.bound == np.inf
        if not self._tighten(box):
            return []
        self.programme.forget()
        relaxed = self._relax(box, ROOT_ROUNDS if is_root else BOX_ROUNDS, is_root)
        if relaxed is None:
            return []
        if relaxed.x is None:
            return self._split_blindly(box)
        if not self.proving:
            self.incumbent.round(relaxed, thorough=is_root or self.n_boxes % 10 == 0)
        if self.near_enough(box.bound):
            self.done = max(self.done, box.bound)
            return []
        self._fix(box, relaxed)
        if is_root:
            relaxed = self._shave(box, relaxed)
            if relaxed is None:
                return []
            if relaxed.x is None:  # the solver gave up on what shaving left: no point to go by
                return self._split_blindly(box)
        if self.enumeration.settled(
            box, relaxed, self.programme, lambda: self._target, lambda: self._trail(relaxed)
        ):
            self.done = max(self.done, self._target)
            return []
        return self._split(box, relaxed)

    def _shave(self, box: Box, relaxed: Relaxed) -> Relaxed | None:
        """Narrow a box from below where its hulls are loose; None when that settles it."""
        for _ in range(SHAVINGS):
            before, target = box.bound, self._target
            bent = self.relaxation.bent(box, relaxed)
            for d in np.argsort(-bent):
                if bent[d] < LOOSE * (before - target) or self.relaxation.out_of_time():
                    break
                for cap in shaved(box, int(d), float(relaxed.v[d]), target, self._bound_of):
                    box.told.steps.append(Step("half", int(d), cap, self._trail(self.last)))
                    box.low = box.low.copy()
                    box.low[d] = cap
                    self.done = max(self.done, target)  # what was cut off may be worth that much
            again = self._relax(box, BOX_ROUNDS, False)
            if again is None or again.x is None:
                return again
            relaxed = again
            self.incumbent.round(relaxed, thorough=True)
            if self.near_enough(box.bound):
                self.done = max(self.done, box.bound)
                return None
            if before - box.bound < 0.1 * (before - self._target) or self.relaxation.out_of_time():
                break
        return relaxed

    def _bound_of(self, box: Box) -> float:
        """Return what the programme proves of a box as it stands, without further tangents."""
        self.programme.enter(box)
        self.last = self.programme.solve()
        return self.last.bound

    def _tighten(self, box: Box) -> bool:
        """Cap what is explained at what all free options explain; say whether anything is left."""
        most = self.scales.at(box.x_high[: self.problem.n_options]) * (1 + ROUNDING) + ROUNDING
        shut = np.flatnonzero(most < box.high - CAPPED * (box.high - box.low))
        box.told.steps += [Step("cap", int(d), box.x_high) for d in shut]
        box.high = box.high.copy()
        box.high[shut] = most[shut]
        if (box.low > box.high + 1e-9).any():
            box.bound, box.told.trail = -np.inf, None
            return False  # a half of a split that its options cannot reach
        box.high = np.maximum(box.low, box.high)
        box.near = np.clip(box.near, box.low, box.high)
        return True

    def _relax(self, box: Box, rounds: int, is_root: bool) -> Relaxed | None:
        """Tighten the box's programme until it says little more; None when the box is done."""
        relaxed, before, n = None, np.inf, self.problem.n_options
        for _ in range(rounds):
            self.programme.enter(box)
            self.last = relaxed = self.programme.solve(self.relaxation.time_left())
            if relaxed.bound < box.bound:
                box.told.trail = self._trail(relaxed)
            if relaxed.x is None:
                return None if relaxed.bound == -np.inf else relaxed
            box.bound = min(box.bound, relaxed.bound)
            if self.relaxation.cut(relaxed.x) and not self.near_enough(box.bound):
                continue
            if self.near_enough(box.bound):
                self.done = max(self.done, box.bound)
                return None
            loose, wanted = self.relaxation.loose(box, relaxed)
            slack = min(max(box.bound - self.incumbent.value, 0.0), box.bound)
            aim = max(AIM * slack, 0.03 * self.gap * box.bound)
            if is_root:
                aim, self.relaxation.near = 0.2 * self.gap * box.bound, relaxed.v
                box.near = relaxed.v
            if loose <= aim or (before - box.bound < 0.05 * aim and not is_root):
                break
            before = box.bound
            if self.relaxation.out_of_time():
                break
            x = relaxed.x[:n]
            if is_root:  # a programme's point lies far out, tangents on the way to it cut deeper
                x = self.centre = OUT * x + (1 - OUT) * self.centre
            self.programme.add_tangents(x, wanted)
        return relaxed

    @property
    def _target(self) -> float:
        """What choices are worth at most that need not be found.

        A hair within the gap, so that a bound of just this counts as near enough.
        """
        return max(self.incumbent.value, 0.0) / (1 - 0.999 * self.gap)

    def _fix(self, box: Box, relaxed: Relaxed) -> None:
        """Fix options that no choice better than the best can have, or can lack."""
        n, target = self.problem.n_options, self._target
        # Reduced costs go with the bound of the programme they are from, not the box's best.
        room = relaxed.bound - target
        reduced = relaxed.reduced[:n]
        assert relaxed.x is not None
        out = (reduced < -room - 1e-9) & (box.x_low[:n] == 0)
        inside = (reduced > room + 1e-9) & (box.x_high[:n] == 1)
        self._tell_fixed(box, out, inside, relaxed)
        box.without_options(out, inside)
        if out.any() or inside.any():
            # Boxes dropped here hold nothing above the target.
            self.done = max(self.done, target)

    def _tell_fixed(self, box: Box, out: Flags, inside: Flags, relaxed: Relaxed) -> None:
        """Tell what fixing options cuts off, by eval."""
        codes, free = self.problem.eval_codes, box.x_high[: len(out)] > 0.5
        held = np.zeros(len(box.run), dtype=bool)
        held[codes[box.x_low[: len(out)] > 0.5]] = True
        gone: dict[int, list[int]] = {}
        for o in np.flatnonzero(out & free & ~held[codes]).tolist():
            gone.setdefault(int(codes[o]), []).append(o)
        for o in np.flatnonzero(inside & ~held[codes]).tolist():
            rivals = np.flatnonzero(free & (codes == codes[o])).tolist()
            gone[int(codes[o])] = [*({*rivals} - {o}), *([] if box.run[codes[o]] else [-1])]
        trail = self._trail(relaxed) if gone else None
        box.told.steps += [Step("part", e, sorted(own), trail) for e, own in gone.items() if own]

    def _split(self, box: Box, relaxed: Relaxed) -> list[Box]:
        """Split a box at the quantity or the options that keep its bound up."""
        assert relaxed.x is not None  # boxes without a point are split blindly
        problem, n, box.near = self.problem, self.problem.n_options, relaxed.v
        part = np.abs(relaxed.x - np.round(relaxed.x))
        part[n:][~problem.extra_whole] = 0.0
        fractional = part.max(initial=0.0) > WHOLE
        bent = self.relaxation.bent(box, relaxed)
        d = int(np.argmax(bent))
        loose = box.high[d] - box.low[d] > 1e-9 and bent[d] > 1e-11
        hulls_first = not fractional or bent.sum() > HULLS * (box.bound - self.incumbent.value)
        # A tail has as many intervals as draws, but one option narrows them all.
        if loose and hulls_first and not problem.total.tails:
            return box.halved(d, float(relaxed.v[d]))
        free = box.x_high - box.x_low > 0.5
        free[n:] &= problem.extra_whole
        if not fractional and not (loose and free.any()):
            return box.halved(d, float(relaxed.v[d])) if loose else self._split_blindly(box)
        rise = np.zeros(len(part))
        rise[:n] = self.programme.rise(relaxed) + 1e-12 * problem.scale
        rise[n:] = rise[:n].max(initial=1.0)
        if not fractional:  # of the options that are free, those taken say the most
            part = np.where(free, 0.01 + relaxed.x, 0.0)
            return self._split_option(box, int(np.argmax(part * rise)))
        # The eval whose options, as they are mixed, differ most in what they add (mean absolute
        # deviation, nothing counting as none): what is above their mean, and what below.
        x, codes = relaxed.x[:n], problem.eval_codes
        above = rise[:n] - np.bincount(codes, x * rise[:n], len(problem.evals))[codes]
        wide = np.bincount(codes, x * np.maximum(above, 0.0), len(problem.evals))
        code = int(np.argmax(wide))
        part[n:] *= 1.0 - part[n:]
        if wide[code] < max(ALIKE * rise.max(), (part * rise)[n:].max(initial=0.0)):
            return self._split_option(box, int(np.argmax(part * rise)))
        own = np.flatnonzero((codes == code) & (box.x_high[:n] > 0.5))
        return box.parted(code, own[above[own] <= 0], own[above[own] > 0])

    def _split_option(self, box: Box, option: int) -> list[Box]:
        problem, codes = self.problem, self.problem.eval_codes
        if (own := option - len(codes)) >= 0:
            return box.with_and_without(option, len(problem.evals) + own, np.zeros(0, dtype=int))
        code = int(codes[option])
        return box.with_and_without(option, code, np.flatnonzero(codes == code))

    def _split_blindly(self, box: Box) -> list[Box]:
        """Split where the programme gave no point to split at: at the first free option."""
        n = self.problem.n_options
        free = np.flatnonzero(box.x_high - box.x_low > 0.5)
        free = free[np.append(np.ones(n, dtype=bool), self.problem.extra_whole)[free]]
        if len(free):
            return self._split_option(box, int(free[0]))
        x, box.told.trail = box.x_low[:n], None
        box.told.steps.append(Step("choice", 0, x))
        if self.incumbent.met(x):
            self.incumbent.learn(x)
            # The choice is valued exactly; nothing else is in the box.
            self.done = max(self.done, self.problem.value(x) / self.problem.scale)
            return []
        if self.problem.n_own:
            self.done = max(self.done, box.bound)
        return []
