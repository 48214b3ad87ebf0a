"""What to run first: mixes tried as first stages, and the programme that is worth most."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from evalfolio.programmes.policy import Frame, Policy
from evalfolio.programmes.simulation import Paths
from evalfolio.value.skew.calls import calls_of
from evalfolio.value.skew.gap import even_normals

ENUMERATED = 100  # first mixes up to which all are tried
TRIED = 60  # else changes of the plan at once, eval by eval, until so many have been tried
PATHS = 11  # where releases compete or gaps are skewed, as a power of two
# Alternatives that a block may release, by the number of blocks: all sets of them are looked at.
MOST = {1: 12, 2: 8, 3: 6, 4: 4, 5: 4, 6: 3, 7: 2, 8: 2}
BLOCKS = 12  # that may release anything


def programme_of(frame: Frame, options: Sequence[str], stages: int, seed: int) -> Policy | None:
    """Return the programme that begins with a mix, or None where that breaks a limit by itself."""
    first = [
        block.bought(block.nothing, [name for name in options if name in block.menu.options.index])
        for block in frame.blocks
    ]
    programme, menu = Policy(frame, tuple(options), first), frame.question.menu
    if programme.room < -1e-9 * max(frame.expected, 1.0) or not programme.fits(first):
        return None
    for place, (block, branch) in enumerate(zip(frame.blocks, first, strict=True)):
        most = MOST.get(len(frame.blocks), 1) if place < BLOCKS else 0
        block.grow(branch, stages - 1, most, frame.hard - programme.now)
        alone = [[*first[:place], each, *first[place + 1 :]] for each in branch.later]
        branch.later = tuple(on[place] for on in alone if programme.fits(on))
    luck = None
    if any(calls_of(menu, decision) for decision in menu.decisions):
        read = Paths(menu, frame.blocks, first, 2**PATHS, seed).read
        luck = np.column_stack([read[branch].t for branch in first])
        luck = (luck - luck.mean(axis=0)) / np.maximum(luck.std(axis=0), 1e-9)
    elif programme.competing:
        luck = even_normals(PATHS, len(first), seed=seed)
    if luck is not None:  # mean and sd of what results say are known, of a skewed belief too
        sd = [np.sqrt(b.own(branch)) for b, branch in zip(frame.blocks, first, strict=True)]
        programme.points = np.array([b.line.value.distance for b in frame.blocks]) + luck * sd
    return programme.priced()


def best_programme(frame: Frame, at_once: Sequence[str], stages: int, seed: int) -> Policy:
    """Return the programme worth most of those tried, with the plan at once as first mix too.

    Where first mixes are few all are tried, else changes of the plan at once, eval by eval.
    """
    found: dict[tuple[str, ...], Policy | None] = {}

    def value(options: Sequence[str]) -> float:
        key = tuple(sorted(options))
        if key not in found:
            found[key] = programme_of(frame, key, stages, seed)
        programme = found[key]
        return -np.inf if programme is None else programme.value

    options, best = frame.question.menu.options, list(at_once)
    groups = options.groupby("eval", sort=False).indices.values()
    if np.prod([len(rows) + 1.0 for rows in groups]) <= ENUMERATED:
        picks = itertools.product(*[(-1, *rows) for rows in groups])
        best = max(
            [best, *([str(options.index[i]) for i in p if i >= 0] for p in picks)], key=value
        )
    else:
        costs = options[list(frame.question.menu.resources)]
        size = (costs / costs.max().clip(lower=1e-300)).sum(axis=1).sort_values(kind="stable")
        before: list[str] = []
        while best != before and len(found) < TRIED:
            before = best
            for owner in options["eval"].unique():
                best = max(
                    [best, *_changed(size[options["eval"][size.index] == owner], best)], key=value
                )
    programme = found[tuple(sorted(best))] if value(best) > -np.inf else None
    assert programme is not None  # the plan at once meets every limit
    return programme


def _changed(own: pd.Series, mix: Sequence[str]) -> Iterator[list[str]]:
    """Yield a mix without an eval, with its cheapest option, and the next cheaper and dearer one.

    `own` are the eval's options, by size.
    """
    rest, names = [name for name in mix if name not in own.index], list(map(str, own.index))
    yield rest
    place = next((k for k, name in enumerate(names) if name in mix), -1)
    near = {0} if place < 0 else {0, max(place - 1, 0), min(place + 1, len(names) - 1)} - {place}
    yield from ([*rest, names[k]] for k in sorted(near))
