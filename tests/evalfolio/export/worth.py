"""The value of a choice by quadrature, from the formula and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from evalbayes import Decision, Menu


@dataclass(frozen=True)
class Worth:
    """Value of a choice, by quadrature from DESIGN's formula and by nothing else."""

    menu: Menu

    def explained(self, options: Sequence[str]) -> list[float]:
        rows = self.menu.options.index.get_indexer(pd.Index(list(options)))
        precision = np.linalg.inv(self.menu.prior_covariance)
        posterior = np.linalg.inv(precision + self.menu.information[rows].sum(axis=0))
        return [
            float(d.contrast @ (self.menu.prior_covariance - posterior) @ d.contrast)
            for d in self.menu.decisions
        ]

    def by_decision(self, options: Sequence[str]) -> list[float]:
        return [
            self.gain(d, v)
            for d, v in zip(self.menu.decisions, self.explained(options), strict=True)
        ]

    def value(self, options: Sequence[str]) -> float:
        return sum(self.by_decision(options))

    def gain(self, decision: Decision, explained: float) -> float:
        total, distance = self.spread(decision)

        def psi(z: float) -> float:
            return float(norm.pdf(z) + z * norm.cdf(z))

        missed, alarm = decision.loss_missed, decision.loss_false_alarm
        k = brentq(lambda z: missed * psi(z) - alarm * psi(-z), -8, 8)
        scale = missed * norm.cdf(k) + alarm * norm.cdf(-k)
        area, _ = quad(
            lambda r: norm.pdf((k * np.sqrt(total - r * r) - distance) / r),
            0,
            np.sqrt(max(explained, 0.0)),
        )
        return float(scale * area)

    def spread(self, decision: Decision) -> tuple[float, float]:
        c = decision.contrast
        total = float(c @ self.menu.prior_covariance @ c) + decision.later_gain_sd**2
        mean = float(c @ self.menu.prior_mean) + decision.later_gain_mean
        return total, mean - decision.threshold
