"""A made-up menu: eleven evals in two domains at three tiers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu

EVALS = (  # name, domain, family, difficulty, usd per plateau-level run of every task, hours
    ("cvebench", "cyber", "exploits", 6.0, 900.0, 6.0),
    ("cybergym", "cyber", "exploits", 7.0, 2_400.0, 8.0),
    ("cybench", "cyber", "ctf", 5.5, 700.0, 4.0),
    ("nyuctf", "cyber", "ctf", 4.8, 500.0, 4.0),
    ("intercode_ctf", "cyber", "ctf", 2.0, 60.0, 3.0),
    ("nl2bash", "cyber", "shell", -1.0, 4.0, 2.0),
    ("cyber_range", "cyber", "range", 9.7, 5_200.0, 24.0),
    ("re_bench", "autonomy", "research", 8.9, 3_100.0, 12.0),
    ("hcast", "autonomy", "software", 6.4, 2_900.0, 16.0),
    ("swaa", "autonomy", "software", -2.0, 12.0, 2.0),
    ("mle_bench", "autonomy", "research", 7.8, 6_500.0, 20.0),
)


def made_menu(rename: Callable[[str], str], scale: float) -> Menu:
    families = sorted({row[2] for row in EVALS})
    domains = ("cyber", "autonomy")
    states = [f"{rename(d)}.{part}" for d in domains for part in ("shown", "gap")]
    states += ["slope", *(f"family.{rename(f)}" for f in families)]
    at = {name: i for i, name in enumerate(states)}
    mean = np.zeros(len(states))
    sd = np.full(len(states), 0.6)
    for domain, shown, gap in (("cyber", 8.0, 1.1), ("autonomy", 9.4, 0.9)):
        mean[at[f"{rename(domain)}.shown"]], sd[at[f"{rename(domain)}.shown"]] = shown, 1.2
        mean[at[f"{rename(domain)}.gap"]], sd[at[f"{rename(domain)}.gap"]] = gap, 0.7
    mean[at["slope"]], sd[at["slope"]] = 0.0, 0.15
    correlation = np.eye(len(states))
    shown_at = [at[f"{rename(d)}.shown"] for d in domains]
    correlation[np.ix_(shown_at, shown_at)] += 0.5 * (1 - np.eye(2))
    rows, information = [], []
    for name, domain, family, difficulty, usd, hours in EVALS:
        for tier, effort, cap, price, work, tasks in (
            ("sweet-spot", 0.0, 3e5, 0.25, 0.6, 10),
            ("plateau", 0.0, 2e6, 1.0, 1.0, 40),
            ("max-elicitation", 0.8, 1e7, 9.0, 14.0, 40),
        ):
            readings = [0.0] if effort == 0 else [0.0, effort]
            h = np.zeros((len(readings), len(states)))
            for reading, depth in zip(h, readings, strict=True):
                reading[at[f"{rename(domain)}.shown"]] = 1
                reading[at[f"{rename(domain)}.gap"]] = depth
                reading[at["slope"]] = 0.5 * (mean[shown_at[domain == "autonomy"]] - difficulty)
                reading[at[f"family.{rename(family)}"]] = 1
            sampling = 20.0 / tasks if tier == "sweet-spot" else 8.0 / tasks
            noise = 0.8**2 * np.ones((len(readings),) * 2)
            noise += 0.5**2 * np.outer(readings, readings) + sampling * np.eye(len(readings))
            information.append(h.T @ np.linalg.solve(noise, h))
            rows.append(
                {
                    "option": f"{rename(name)} {tier}",
                    "eval": rename(name),
                    "domain": rename(domain),
                    "tier": tier,
                    "cap": cap,
                    "cap_unit": "tokens",
                    "attempts": 4 if effort else 1,
                    "tasks": tasks,
                    "effort": effort,
                    "runs": tasks * (4 if effort else 1),
                    "usd": scale * usd * price,
                    "usd_p90": scale * usd * price * 1.3,
                    "usd_ceiling": scale * usd * price * 2.1,
                    "staff_hours": hours * work,
                    "agent_hours": tasks * 1.5,
                }
            )
    symmetric = [0.5 * (k + k.T) for k in information]
    return Menu(
        pd.DataFrame(rows).set_index("option"),
        ("usd", "staff_hours", "agent_hours"),
        np.array(symmetric),
        tuple(states),
        mean,
        correlation * np.outer(sd, sd),
        tuple(
            Decision(
                rename(domain),
                np.array([float(s.startswith(f"{rename(domain)}.")) for s in states]),
                threshold,
                9.0 * loss,
                loss,
                0.4,
                0.3,
            )
            for domain, threshold, loss in (("cyber", 9.9, 2_000.0), ("autonomy", 11.2, 1_000.0))
        ),
    )
