"""What a mix makes of each decision, worked out as the workbook's formulas do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalfolio.export.workbook.contents import Contents
from evalfolio.objectives.knowledge import Indices
from evalfolio.value.sample_information import DecisionValue
from evalfolio.value.skew.calls import SeveralGaps, calls_of
from evalfolio.value.skew.stand_in import StandIn

STEPS = 400
PATH = np.geomspace(1e-4, 1e4, 49)  # times the information of the mix shown; 1 is among them
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Belief:
    """One decision after a mix: what its formulas on the sheet Calculation give."""

    most: float
    """cᵀΣc, the most variance that results could explain."""
    explained: float
    angle: float
    """Where the tables are read: the angle, in right angles, whose sine squared is what is known,
    the share explained or u of an index. Even steps of it are fine near nothing and near all, where
    gains are steep."""
    shares: Floats
    """Shares explained that the index is of; none where the share explained serves."""
    value: float
    missed: float
    """Chance of danger missed."""
    needless: float
    """Chance of needless mitigation."""
    sd: float
    """Sd of y after the results, later gain included."""


def gain_tables(contents: Contents) -> tuple[Floats, Floats, Floats]:
    """Return G, P(danger missed) and P(needless mitigation) at even steps of the angle known.

    With a skewed gap neither value nor chances of wrong calls are functions of the index alone;
    they are taken along the way from nothing to the mix shown and on, so that they are exact for
    that mix: the value as what it is to the stand-in's.

    Returns
    -------
    tuple
        Three arrays of shape (STEPS + 1, n_decisions).
    """
    known = np.sin(np.linspace(0.0, np.pi / 2, STEPS + 1)) ** 2
    gains, wrong = [], []
    indices = Indices(contents.menu)
    for d, (decision, stand_in) in enumerate(
        zip(contents.menu.decisions, indices.stand_ins, strict=True)
    ):
        if stand_in is not None:
            ratio, *calls = _along_the_way(contents, d, indices, stand_in, known)
            gains.append(stand_in.worth.gain(known) * ratio)
            wrong.append(np.array(calls))
            continue
        value = DecisionValue.of(contents.menu, decision)
        explained = known * _most(contents, decision.contrast)
        gains.append(value.gain(explained))
        wrong.append(value.wrong_calls(explained))
    missed, needless = np.moveaxis(np.array(wrong), 1, 0)
    return np.array(gains).T, missed.T, needless.T


def _along_the_way(
    contents: Contents, d: int, indices: Indices, stand_in: StandIn, known: Floats
) -> Floats:
    """Return value over the stand-in's, P(danger missed) and P(needless mitigation), (3, n)."""
    menu = contents.menu
    decision = menu.decisions[d]
    calls, place = calls_of(menu, decision), indices.places[d]
    if calls is None or place is None:
        raise ValueError(f"{decision.name} has a stand-in, so it has a skewed gap")
    rows = [i - 1 for i in contents.plans[contents.own].rows] or slice(None)
    lines, prior = indices.contrasts[place], menu.prior_covariance
    precision, information = np.linalg.inv(prior), menu.information[rows].sum(axis=0)
    path = PATH[::4] if isinstance(calls, SeveralGaps) else PATH  # 1 is among both
    left = [np.linalg.inv(precision + t * information) for t in path]
    whole = np.einsum("ki,ij,kj->k", lines, prior, lines)
    shares = 1.0 - np.einsum("ki,nij,kj->nk", lines, np.array(left), lines) / whole
    u = stand_in.index.of(np.clip(shares, 0.0, 1.0))
    p = calls.p_exceeds
    after = [calls.after(each) for each in left]
    told = np.array([(outcome.value, outcome.p_missed, outcome.p_needless) for outcome in after])
    gains = np.asarray(stand_in.worth.gain(u))
    told[:, 0] = np.divide(told[:, 0], gains, out=np.ones_like(gains), where=gains * told[:, 0] > 0)
    now = (told[0, 0], 0.0, 1.0 - p) if calls.mitigates else (told[0, 0], p, 0.0)
    at = np.concatenate([[0.0], u])
    return np.stack([np.interp(known, at, kind) for kind in np.vstack([now, told]).T])


def mix_belief(contents: Contents, rows: Iterable[int]) -> list[Belief]:
    """Return the belief about every decision after the options in these menu rows, from 1."""
    menu = contents.menu
    chosen = [i - 1 for i in rows]
    precision = np.linalg.inv(menu.prior_covariance) + menu.information[chosen].sum(axis=0)
    posterior = np.linalg.inv(precision)
    tables = contents.tables
    indices = Indices(menu)
    steps = np.linspace(0.0, 1.0, STEPS + 1)
    beliefs = []
    for d, decision in enumerate(menu.decisions):
        most = _most(contents, decision.contrast)
        left = float(decision.contrast @ posterior @ decision.contrast)
        explained = min(max(most - left, 0.0), most)
        known, shares = explained / most if most > 0 else 0.0, np.zeros(0)
        stand_in, place = indices.stand_ins[d], indices.places[d]
        if stand_in is not None and place is not None:
            lines = indices.contrasts[place]
            before, after = (
                np.einsum("ki,ij,kj->k", lines, c, lines)
                for c in (menu.prior_covariance, posterior)
            )
            shares = np.clip(1.0 - after / before, 0.0, 1.0)
            known = float(stand_in.index.of(shares))
        angle = float(np.arcsin(min(known, 1.0) ** 0.5) / (np.pi / 2))
        value, missed, needless = (float(np.interp(angle, steps, t[:, d])) for t in tables)
        sd = float((most - explained + decision.later_gain_sd**2) ** 0.5)
        beliefs.append(Belief(most, explained, angle, shares, value, missed, needless, sd))
    return beliefs


def _most(contents: Contents, contrast: Floats) -> float:
    return float(contrast @ contents.menu.prior_covariance @ contrast)
