"""Stages: a mix now, what its results release, and what the whole of it is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evalfolio.errors import InputError
from evalfolio.limits.budget import MONEY
from evalfolio.objectives import evsi
from evalfolio.objectives.valuation import perfect_value
from evalfolio.programmes.further import parts_of
from evalfolio.programmes.policy import Frame, Policy, days_of
from evalfolio.programmes.release import Block, Branch, reservation_price
from evalfolio.programmes.screening import best_programme, programme_of
from evalfolio.programmes.sequential import sequential_bound
from evalfolio.programmes.simulation import Paths, Played, play
from evalfolio.search import Certified, Question
from evalfolio.value.skew.calls import calls_of

PLAYED = 13  # paths on which a programme is played, as a power of two
EVEN = 12_001  # means of a decision at which its releases are told


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class Stages:
    """A programme in stages: the rule, what it is worth and what it spends; printing it says it.

    Parameters
    ----------
    programme
        The rule itself.
    stages
        How many there are, the mix of now counted.
    value, error
        What it is worth, in the unit of the losses, and the standard error of that: 0 where it is
        worked out by quadrature (normal beliefs, and releases that all fit together).
    at_once, plan
        What the best plan at once with the same expected budget is worth by the same measure, and
        its options.
    bound, looks
        What no programme can pass: if `looks`, one that looks after every purchase (decisions that
        are not tied, of six options at most), else perfect information.
    evpi
        What perfect information would be worth.
    played, plan_played
        The programme and the plan, each on the same simulated states.
    """

    programme: Policy
    stages: int
    value: float
    error: float
    at_once: float
    plan: tuple[str, ...]
    bound: float
    looks: bool
    evpi: float
    played: Played
    plan_played: Played

    @property
    def question(self) -> Question:
        """What it answers."""
        return self.programme.frame.question

    @property
    def now(self) -> tuple[str, ...]:
        """The options that are run now."""
        return self.programme.options

    @property
    def price(self) -> float:
        """λ: what one more unit of expected budget is worth, in the unit of the losses."""
        return self.programme.price

    @property
    def priced(self) -> str | None:
        """The resource that is priced; None where nothing limits one in expectation."""
        frame = self.programme.frame
        return None if frame.priced is None else self.question.menu.resources[frame.priced]

    @property
    def skewed(self) -> tuple[str, ...]:
        """Decisions valued by their skewed belief; all others by the normal one."""
        menu = self.question.menu
        return tuple(each.name for each in menu.decisions if calls_of(menu, each) is not None)

    @cached_property
    def releases(self) -> pd.DataFrame:
        """One row per release that is ever made.

        Columns: stage, after (what was released before it), decision, options, when (stretches of
        the mean of y, in its unit, in which it is worth most), alone_from and alone_to (between
        which it is worth its price by itself), probability, days, use of every resource.
        """
        rows = [
            self._row(block, first, parent, branch)
            for block, first in zip(self.programme.frame.blocks, self.programme.first, strict=True)
            for parent in first.all()
            for branch in parent.later
        ]
        columns = ["stage", "after", "decision", "options", "when", "alone_from", "alone_to"]
        columns += ["probability", "days", *self.question.menu.resources]
        frame = pd.DataFrame(rows, columns=columns)
        return frame[frame["probability"] > 0].reset_index(drop=True)

    def _row(self, block: Block, root: Branch, parent: Branch, branch: Branch) -> dict[str, Any]:
        line, prices = block.line, self.programme.prices
        at = block.line.value.distance + np.linspace(-1.0, 1.0, EVEN) * line.reach
        place = list(self.programme.frame.blocks).index(block)
        nets = self.programme.nets(place, parent, parent.later, at)
        mine = nets[1 + parent.later.index(branch)]
        edges = np.flatnonzero(np.diff(np.pad(mine >= nets.max(axis=0), 1).astype(int)))
        edges = edges.reshape(-1, 2) - np.array([0, 1])
        threshold, cost = float(block.decision.threshold), float(branch.cost @ prices)
        peak = float(at[np.argmax(mine)])

        def end(way: float) -> float:
            def falls(z: float) -> float:  # to either side as E(X − z)⁺ does
                return float(np.interp(peak + way * z, at, mine + cost))

            return threshold + peak + way * reservation_price(cost, falls, most=2 * line.reach)

        by_quadrature = self.error == 0 and parent is root
        chance = self.programme.chances.get(branch) if by_quadrature else None
        return {
            "stage": len(branch.days),
            "after": parent.options if parent is not root else (),
            "decision": block.decision.name,
            "options": branch.options,
            "when": [(threshold + float(at[a]), threshold + float(at[b])) for a, b in edges],
            "alone_from": end(-1.0),
            "alone_to": end(1.0),
            "probability": float(self.played.released[branch].mean()) if chance is None else chance,
            "days": branch.days[-1],
            **dict(zip(self.question.menu.resources, branch.cost.tolist(), strict=True)),
        }

    @cached_property
    def spend(self) -> pd.DataFrame:
        """Use of every resource: now, expected, p90, most, and limit (what is never passed)."""
        programme, spend = self.programme, self.played.spend
        expected, priced, hard = spend.mean(axis=0), programme.frame.priced, programme.frame.hard
        if self.error == 0 and priced is not None:
            expected[priced] = programme.now[priced] + programme.judged()[1]
        columns = {"now": programme.now, "expected": expected}
        columns |= {
            "p90": np.quantile(spend, 0.9, axis=0),
            "most": spend.max(axis=0),
            "limit": hard,
        }
        return pd.DataFrame(columns, index=pd.Index(self.question.menu.resources, name="resource"))

    @property
    def days(self) -> dict[str, float]:
        """Calendar days: of the stage now; expected, p90 and most of all stages."""
        days = self.played.days
        p90, most = float(np.quantile(days, 0.9)), float(days.max())
        now = days_of(self.programme.first)
        return {"now": now, "expected": float(days.mean()), "p90": p90, "most": most}

    def __str__(self) -> str:
        from evalfolio.programmes.told import told

        return "\n".join(told(self).sentences)


def stages(
    question: Question,
    stages: int = 2,
    *,
    expected: Mapping[str, float] | None = None,
    days: float | None = None,
    at_once: Sequence[str] | None = None,
    method: Certified = Certified(),
    seed: int = 0,
) -> Stages:
    """Return a programme in stages: what to run first, and which results release what else.

    The first mix is run now. When its results are in, the mean of every decision's y says which
    further options are released: those worth more than λ times their price, the value of one more
    unit of *expected* budget, so that the expected spend meets what may be spent in expectation.
    The budget as stated, all other budgets, calendar and limits hold whatever comes out.

    Parameters
    ----------
    question
        Menu, budgets, contingency and limits. Of money the budget less contingency is what may be
        spent in expectation, the budget what is never passed; of the rest the former is.
    stages
        2, or 3: a screen, what goes further, and what goes deep.
    expected
        Another expected budget, of one resource, which is then the one that is priced; else usd.
    days
        Calendar days of all stages together; they follow one another.
    at_once
        The best plan at once, where it is known.
    method
        Of the plan at once.
    seed
        Of the simulated paths.

    Raises
    ------
    InputError
        If there are neither 2 nor 3 stages, the objective is not `evsi`, or the expected budget is
        of several resources, of one without a budget, or not from 0 to the budget stated.
    InfeasibleError
        If no choice meets all limits.

    Examples
    --------
    >>> from evalfolio.examples import small_menu
    >>> found = stages(Question(small_menu(), {"usd": 10_000.0, "staff_hours": 90.0}))
    >>> found.at_once <= found.value <= found.bound
    True
    """
    if stages not in (2, 3):
        raise InputError(f"stages must be 2 or 3, got {stages!r}; 2 looks at results once")
    if question.objective != evsi():
        raise InputError(
            f"stages must be planned for evsi, got the objective {question.objective}; leave it out"
        )
    asked, frame = _framed(question, dict(expected or {}), np.inf if days is None else days)
    if at_once is None or asked is not question:
        at_once = method.find(asked).chosen
    plan = programme_of(frame, at_once, 1, seed)
    assert plan is not None  # it is within every limit
    # what fewer stages do is open to more of them too
    tried = [plan] + [best_programme(frame, at_once, k, seed) for k in range(2, stages + 1)]
    exact = all(each.points is None for each in tried)
    played = [_played(each, seed) for each in tried]
    worth = [each.value for each in (tried if exact else played)]
    k = int(np.argmax(worth))
    value, error, plain = worth[k], 0.0 if exact else played[k].error, worth[0]
    bound, evpi = sequential_bound(frame), perfect_value(question.menu)
    least = evpi if bound is None else min(max(bound, value), evpi)  # a grid may round it below
    figures = (value, error, plain, tuple(at_once), least, bound is not None, evpi)
    return Stages(tried[k], stages, *figures, played[k], played[0])


def _framed(question: Question, expected: dict[str, float], days: float) -> tuple[Question, Frame]:
    """Return the question of the plan at once with the expected budget, and the frame."""
    menu, budgets = question.menu, question.budgets
    for name, amount in expected.items():
        if len(expected) > 1 or name not in budgets or not 0 <= amount <= budgets[name].stated:
            raise InputError(
                "expected must be of one resource with a budget, from 0 to that budget, got "
                f"{expected}; write expected={{'usd': 50_000}}"
            )
    name, asked = next(iter(expected), MONEY if MONEY in budgets else ""), question
    if expected:
        asked = question.within(**{name: budgets[name].stated_for(expected[name])})
    hard = [
        np.inf if r not in budgets else budgets[r].stated if r == name else budgets[r].spendable
        for r in menu.resources
    ]
    priced = menu.resources.index(name) if name else None
    parts = [Block(menu, part, priced) for part in parts_of(menu)]
    parts.sort(key=lambda b: -b.line.value.evpi)
    room = asked.budgets[name].spendable if name else np.inf
    return asked, Frame(question, parts, np.array(hard), priced, room, days)


def _played(programme: Policy, seed: int) -> Played:
    """Play a programme on fresh paths, at the price by which the expected budget holds there."""
    blocks, first, priced = programme.frame.blocks, programme.first, programme.frame.priced
    paths = Paths(programme.frame.question.menu, blocks, first, 2**PLAYED, seed + 1)
    if programme.points is None:
        return play(programme, paths)
    programme.points, less = np.column_stack([paths.read[branch].t for branch in first]), 0.0
    while True:  # what later looks release comes out only when they are played
        played = play(programme.priced(less), paths)
        used = 0.0 if priced is None else played.spend[:, priced].mean()
        if used <= programme.frame.expected * (1 + 1e-9) or less > programme.room:
            return played
        less += 1.2 * float(used - programme.frame.expected)
