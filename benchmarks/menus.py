"""Menus to measure on: evals of all prices in several domains, from sweet spot to the deepest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu

TIERS = ("sweet-spot", "plateau", "max-elicitation")


def random_menu(n_evals: int, n_options: int, n_domains: int, seed: int = 0) -> Menu:
    """Return a menu with a validity floor per eval, an elicitation floor per domain.

    States are shown capability (correlated between domains) and gap of every domain; option k of
    an eval is deeper, dearer and less noisy than option k - 1; one eval in five loads on a second
    domain; losses are up to 30:1 either way.
    """
    rng = np.random.default_rng([seed, n_evals, n_options, n_domains])
    n_states = 2 * n_domains
    rows: list[tuple[str, str, str, str, float, float]] = []
    information = np.zeros((n_evals * n_options, n_states, n_states))
    for number in range(n_evals):
        domain, second = number % n_domains, int(rng.integers(n_domains))
        validity, departure = rng.uniform(0.5, 1.5) ** 2, rng.uniform(0.3, 0.8) ** 2
        price, staff, loads_twice = rng.lognormal(6, 1.2), rng.uniform(2, 10), rng.random() < 0.2
        for k in range(n_options):
            depth = k / max(n_options - 1, 1)
            effort = max(0.0, 0.8 * (2 * depth - 1))
            reading = np.zeros(n_states)
            reading[[2 * domain, 2 * domain + 1]] = 1.0, effort
            if loads_twice:
                reading[[2 * second, 2 * second + 1]] += 0.3, 0.3 * effort
            noise = validity + rng.uniform(0.5, 3) / (1 + 3 * depth) + effort**2 * departure
            information[len(rows)] = np.outer(reading, reading) / noise
            tier = TIERS[min(int(3 * depth), 2)]
            usd, hours = price * (1 + 6 * depth) ** 1.5, staff * (1 + 10 * effort)
            rows.append((f"e{number}.{k}", f"e{number}", f"d{domain}", tier, usd, hours))
    options = pd.DataFrame(
        rows, columns=["option", "eval", "domain", "tier", "usd", "staff_hours"]
    ).set_index("option")
    mixing = 0.3 * rng.normal(size=(n_domains, n_domains))
    shared = np.eye(n_domains) + mixing @ mixing.T
    size = np.sqrt(np.diag(shared))
    covariance = np.zeros((n_states, n_states))
    covariance[::2, ::2] = 2.25 * shared / np.outer(size, size)
    covariance[1::2, 1::2] = np.diag(rng.uniform(0.5, 0.9, n_domains) ** 2)
    decisions = tuple(
        Decision(
            name=f"d{d}",
            contrast=np.repeat(np.eye(n_domains)[d], 2),
            threshold=float(7 + 1.8 * rng.normal()),
            loss_missed=float(rng.lognormal(0, 1) * rng.choice([1, 4, 9, 30])),
            loss_false_alarm=float(rng.lognormal(0, 1)),
            later_gain_mean=0.3,
            later_gain_sd=0.3,
        )
        for d in range(n_domains)
    )
    states = tuple(f"d{d}.{kind}" for d in range(n_domains) for kind in ("shown", "gap"))
    mean = np.tile([6.0, 1.0], n_domains)
    return Menu(options, ("usd", "staff_hours"), information, states, mean, covariance, decisions)


def budget_share(menu: Menu, share: float) -> dict[str, float]:
    """Return a share of what the deepest option of every eval uses, of every resource."""
    most = menu.options.groupby("eval")[list(menu.resources)].max().sum()
    return {name: float(share * most[name]) for name in menu.resources}
