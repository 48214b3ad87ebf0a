"""Menus with skewed gaps, small enough to enumerate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu

STATES = ("cyber.shown", "cyber.gap", "bio.shown", "bio.gap", "slope")


def skewed_menu(seed: int, n_evals: int = 5, n_draws: int | None = None) -> Menu:
    """Return evals of two domains, each at plateau level or deep, with the gaps skewed."""
    rng = np.random.default_rng(seed)
    rows, information = [], []
    for position in range(n_evals):
        name, first = "abcdefgh"[position], 2 * (position % 2)
        domain = ("cyber", "bio")[position % 2]
        slope, floor = rng.normal(0, 0.5), rng.uniform(0.3, 1.0)
        for tier, effort, price in (("plateau", 0.0, 1.0), ("max-elicitation", 0.8, 6.0)):
            efforts = [0.0] if effort == 0 else [0.0, effort]
            h = np.zeros((len(efforts), len(STATES)))
            h[:, first], h[:, first + 1], h[:, 4] = 1.0, efforts, slope
            noise = floor * np.ones((len(efforts),) * 2) + 0.3 * np.outer(efforts, efforts)
            noise += rng.uniform(0.1, 0.5) * np.eye(len(efforts))
            k = h.T @ np.linalg.solve(noise, h)
            information.append((k + k.T) / 2)
            usd = float(np.round(rng.lognormal(2.0, 0.5) * price, 2))
            rows.append((f"{name} {tier}", name, domain, tier, usd))
    options = pd.DataFrame(rows, columns=["option", "eval", "domain", "tier", "usd"])
    covariance = np.diag(rng.uniform([0.8, 0.3, 0.8, 0.3, 0.1], [2.0, 1.2, 2.0, 1.2, 0.2]))
    covariance[0, 2] = covariance[2, 0] = 0.3  # the domains' shown capabilities
    ratio = 10 ** rng.uniform(-0.5, 1.5, 2)
    decisions = tuple(
        Decision(name, row, float(7.0 + rng.normal(1.0, 0.8)), float(ratio[d]), 1.0, 0.3, 0.2)
        for d, (name, row) in enumerate(
            zip(("cyber", "bio"), np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0.0]]), strict=True)
        )
    )
    stacked = np.array(information)
    factor = rng.lognormal(-0.05, 0.3, (n_draws or 1, len(rows), 1, 1))
    return Menu(
        options.set_index("option"),
        ("usd",),
        stacked,
        STATES,
        np.array([6.0, 1.0, 6.0, 0.8, 0.0]),
        covariance,
        decisions,
        information_draws=stacked * factor if n_draws else None,
        skewed=("cyber.gap", "bio.gap"),
    )


def left_by(menu: Menu, options: list[str]) -> np.ndarray:
    """Return the covariance of the states that options leave, were all normal."""
    rows = menu.options.index.get_indexer(pd.Index(options))
    precision = np.linalg.inv(menu.prior_covariance) + menu.information[rows].sum(axis=0)
    return np.asarray(np.linalg.inv(precision))
