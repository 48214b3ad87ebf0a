r"""What no programme can pass, however often it looks: decisions apart, options bought one by one.

With decisions that nothing ties, and a budget to be met in expectation alone, the best a programme
can do is at most min over λ ≥ 0 of λB + Σ_d V_d(λ): V_d is what buying options of decision d one by
one is worth over λ times their price, looking after each. What has been bought and the mean of y
are its whole state, as how far the mean moves depends on what is bought alone: V_d is a dynamic
programme over these, solved exactly (after Xie & Frazier 2013).
"""

import numpy as np
from scipy.optimize import minimize_scalar

from evalbayes.arrays import Array
from evalfolio.programmes.policy import Frame
from evalfolio.programmes.release import Block, Branch
from evalfolio.value.skew.calls import calls_of

Held = frozenset[tuple[str, ...]]  # of every eval run: its name, and its options in turn
Steps = dict[Held, list[tuple[Array, float, float, Held]]]  # gain, how far m moves, cost, to

MOST_OPTIONS = 6  # of one decision: 64 sets of them where each is of an eval of its own


def sequential_bound(frame: Frame) -> float | None:
    """Return the bound; None where decisions are tied, skewed or have too many options.

    Hard limits are left out, so it holds with them too.
    """
    for block in frame.blocks:
        several = len(block.lines) > 1 or not block.apart or len(block.menu) > MOST_OPTIONS
        if several or calls_of(block.whole, block.decision) is not None:
            return None
    ways = [(block, _ways(block)) for block in frame.blocks]

    def at(price: float) -> float:
        worth = sum(_worth(block, steps, price) for block, steps in ways)
        return worth + (price * frame.expected if price > 0 else 0.0)

    every = [step for _, steps in ways for after in steps.values() for step in after]
    high = max((float(gain.max()) / cost for gain, _, cost, _ in every if cost > 0), default=0.0)
    if high <= 0 or not np.isfinite(frame.expected):
        return at(0.0)
    best = minimize_scalar(at, bounds=(0.0, high), method="bounded", options={"maxiter": 40})
    return min(at(0.0), float(best.fun))


def _ways(block: Block) -> Steps:
    """Return the next steps from every set of options that can be bought."""
    steps: Steps = {}
    stack: list[tuple[Held, Branch]] = [(frozenset(), block.nothing)]
    while stack:
        held, branch = stack.pop()
        if held in steps:
            continue
        steps[held] = []
        for name, owner in branch.menu.options["eval"].items():
            then = block.bought(branch, [str(name)])
            runs = next((each for each in held if each[0] == owner), (str(owner),))
            after = held - {runs} | {(*runs, str(name))}
            cost = 0.0 if block.priced is None else float(then.cost[block.priced])
            moves = max(block.own(then) - block.own(branch), 0.0)
            steps[held].append((then.gain, moves, cost, after))
            stack.append((after, then))
    return steps


def _worth(block: Block, steps: Steps, price: float) -> float:
    """Return V(λ) from nothing bought and the mean as it is believed now."""
    line, tables = block.line, dict[Held, Array]()
    for held in sorted(steps, key=lambda each: -sum(len(runs) - 1 for runs in each)):
        nets = [
            gain + line.ahead(tables[to], moves) - price * cost
            for gain, moves, cost, to in steps[held]
        ]
        tables[held] = np.max([np.zeros_like(line.means), *nets], axis=0)
    return float(np.interp(line.value.distance, line.means, tables[frozenset()]))
