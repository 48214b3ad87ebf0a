"""A made-up recommendation in the shape of a real one, its values by direct integration."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from evalbayes import Decision, Menu
from evalfolio.recommendation import Recommendation

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
NASTY = (
    "<script>document.title='owned'</script>",
    "=cmd|' /C calc'!A0",
    "+1+\"quoted\" & 'single'",
    "@emoji 🧪 ∑",
    "-dash",
    "n" * 300,
    "{{ 7 * 7 }} </style>",
)


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


CHOSEN = {
    "cvebench": "max-elicitation",
    "nyuctf": "max-elicitation",
    "cybergym": "plateau",
    "cybench": "sweet-spot",
    "cyber_range": "sweet-spot",
    "re_bench": "plateau",
    "hcast": "plateau",
    "swaa": "plateau",
    "mle_bench": "sweet-spot",
}


def made_record(worth: Worth, chosen: list[str], budget: dict[str, float], points: bool) -> Any:
    menu = worth.menu
    value, evpi = worth.value(chosen), 0.0
    before, after = worth.by_decision([]), worth.by_decision(chosen)
    assert before == [0.0] * len(before)
    everything = worth.explained(list(menu.options.index[menu.options["tier"] != "sweet-spot"]))
    plateau = worth.explained(list(menu.options.index[menu.options["tier"] == "plateau"]))
    spend = {r: float(menu.options.loc[chosen, r].sum()) for r in menu.resources}
    domains = []
    for i, d in enumerate(menu.decisions):
        total, distance = worth.spread(d)
        perfect = worth.gain(d, total - d.later_gain_sd**2)
        evpi += perfect
        left = total - worth.explained(chosen)[i]
        domains.append(
            {
                "name": d.name,
                "unit": "doublings of human task time",
                "threshold": d.threshold,
                "capability_mean": d.threshold + distance,
                "call_now": "mitigate",
                "p_exceeds": float(norm.cdf(distance / np.sqrt(total))),
                "p_wrong_call_now": 0.31,
                "p_wrong_call_expected": 0.19,
                "p_call_changes": 0.27,
                "upper95_now": d.threshold + distance + 1.645 * total**0.5,
                "upper95_expected": d.threshold + distance + 1.645 * left**0.5,
                "prior_sd": total**0.5,
                "posterior_sd": left**0.5,
                "elicitation_floor_sd": (total - plateau[i]) ** 0.5,
                "validity_floor_sd": (total - everything[i]) ** 0.5,
                "evsi": after[i],
                "share_of_evpi": after[i] / perfect,
                "minimum_effort_usd": 1_200.0,
                "funded": i == 0,
                "buffer": 1.4,
                "doublings_to_threshold": -distance,
                "reason": "its threshold lies within reach of the AI model under test",
            }
        )
    rows = menu.options.loc[chosen].reset_index().to_dict("records")
    total_usd = sum(row["usd"] for row in rows) or 1.0
    for row in rows:
        without = [o for o in chosen if o != row["option"]]
        row["share_of_usd"] = row["usd"] / total_usd
        row["value_if_dropped"] = value - worth.value(without)
        row["reason"] = "reads shown capability near this eval's plateau"
    skipped = sorted(set(menu.options["eval"]) - {row["eval"] for row in rows})
    return {
        "format": 1,
        "words": {
            "mix": f"Run {len(rows)} evals on GPT-5.5 for an expected $27,000: two of them with "
            "maximum elicitation (74 % of the money), the others near their plateau.",
            "hangs_on": "It hangs on the prior range of the elicitation gap, as no elicited run is "
            "among the observations, and on the limits on usd and staff hours.",
        },
        "portfolio": {"ai_model": "GPT-5.5", "horizon_months": 6.0},
        "budget": budget,
        "spend": spend,
        "money": {
            "expected": spend["usd"],
            "p90": spend["usd"] * 1.1,
            "ceiling": sum(row["usd_ceiling"] for row in rows),
            "p_overspend": 0.06,
            "contingency": 0.1,
        },
        "value": {
            "evsi": value,
            "evsi_usd": None if points else value,
            "bound": value * 1.0004,
            "gap": 0.0004,
            "evpi": evpi,
            "unit": "points" if points else "usd",
            "status": "certified",
            "draws": {"mean": value * 0.93, "q05": value * 0.6, "q95": value * 1.2},
        },
        "choices": rows,
        "not_chosen": [
            {"eval": e, "reason": "others tell the same for less", "cost_to_enter": 310.0}
            for e in skipped
        ],
        "not_covered": [
            {"name": domains[1]["name"], "reason": "no deep run reads its elicitation gap"}
        ],
        "domains": domains,
        "comparisons": [
            {"plan": name, "usd": usd, "staff_hours": 200.0, "value": v, "share_of_evpi": v / evpi}
            for name, usd, v in (
                ("this plan", spend["usd"], value),
                ("greedy", spend["usd"] * 0.98, value * 0.95),
                ("even split", spend["usd"] * 0.8, value * 0.62),
                ("all plateau", spend["usd"] * 0.6, value * 0.55),
                ("all maximum", spend["usd"] * 1.0, value * 0.41),
            )
        ],
        "shadow_prices": {"usd": value / 1e5, "staff_hours": value / 1e3},
        "diagnostics": {"passed": True, "rhat_max": 1.004, "ess_bulk_min": 812.0, "divergences": 0},
        "warnings": ["The gap's prior rests on no elicited run."],
        "assumptions": [
            {
                "where": row[0],
                "key": "effort_max",
                "value": 0.8,
                "reason": "two to three engineer-weeks",
            }
            for row in EVALS
        ],
        "provenance": {
            "inputs": [{"name": "catalogue.toml", "sha256": "ab" * 32}],
            "seed": 0,
            "versions": {"evalfolio": "0.1.0", "python": "3.11.7"},
        },
    }


def made_frontier(worth: Worth, chosen: list[str]) -> list[Any]:
    """Nested plans at rising budgets, the cheapest options first; not optimal, only consistent."""
    prices = worth.menu.options["usd"]
    by_price = sorted(chosen, key=lambda option: float(prices[option]))
    points = []
    for n in range(len(by_price) + 1):
        options = by_price[:n]
        value = worth.value(options)
        budget = round(float(prices[options].sum()) / 0.9 + 1.0, 2)
        points.append(
            {
                "usd": budget,
                "value": value,
                "bound": value * 1.0005,
                "gap": 5e-4,
                "options": options,
            }
        )
    everything = [*chosen, "intercode_ctf plateau", "nl2bash plateau"]
    if set(everything) <= set(prices.index):
        value = worth.value(everything)
        points.append(
            {"usd": 40_000.0, "value": value, "bound": value, "gap": 0.0, "options": everything}
        )
    return points


def made_sensitivity(value: float) -> list[Any]:
    return [
        {
            "name": name,
            "low": low,
            "high": high,
            "value_low": value * at_low,
            "value_high": value * at_high,
        }
        for name, low, high, at_low, at_high in (
            ("cyber: elicitation gap", 0.2, 2.5, 0.6, 1.3),
            ("=autonomy: threshold <b>", 9.0, 12.0, 1.2, 0.7),
            ("validity error", 0.4, 1.4, 1.05, 0.9),
            ("price of a token", 4e-6, 9e-6, 1.02, 0.99),
        )
    ]


def made_curves(menu: Menu) -> tuple[pd.DataFrame, pd.DataFrame]:
    caps = np.geomspace(1e3, 2e7, 40)
    rows, grid = [], []
    classes = ["plateau", "saturating", "not yet levelling", "floor", "unknown"]
    for i, name in enumerate(menu.options["eval"].unique()):
        top, middle = 0.9 - 0.06 * i, 6e4 * 1.6**i
        reached = norm.cdf(np.log(caps / middle) / 1.3)
        kind = classes[i % len(classes)]
        inner = kind in ("plateau", "saturating")
        rows.append(
            {
                "eval": name,
                "plateau": top,
                "plateau_low": top - 0.12,
                "plateau_high": min(top + 0.08, 1.0),
                "success_at_max_cap": top * reached[-1],
                "spend_unit": "tokens",
                "sweet_spot": middle * 0.6 if inner else np.nan,
                "sweet_spot_low": middle * 0.4 if inner else np.nan,
                "sweet_spot_high": middle * 0.9 if inner else np.nan,
                "saturation_elasticity": middle * 6 if inner else np.nan,
                "saturation_95": middle * 8 if inner else np.nan,
                "class": kind,
                "p_levelled": 0.9 if kind == "plateau" else 0.4,
                "reason": "" if inner else "no inner maximum below max_cap",
            }
        )
        spend = np.concatenate([[0], np.cumsum(np.diff(caps) * (1 - top * reached[1:]))])
        grid.append(
            pd.DataFrame(
                {
                    "eval": name,
                    "cap": caps,
                    "success": top * reached,
                    "success_low": (top - 0.12) * reached,
                    "success_high": min(top + 0.08, 1.0) * reached,
                    "expected_spend": caps[0] + spend,
                }
            )
        )
    return pd.DataFrame(rows), pd.concat(grid, ignore_index=True)


class FakePosterior:
    def save(self, path: str | Path) -> Path:
        Path(path).write_bytes(b"posterior")
        return Path(path)


def made(
    rename: Callable[[str], str] = str,
    *,
    points: bool = False,
    scale: float = 1.0,
    swept: bool = False,
) -> Recommendation:
    menu = made_menu(rename, scale)
    worth = Worth(menu)
    budget = {"usd": 30_000.0 * scale, "staff_hours": 240.0}
    chosen = [f"{rename(name)} {tier}" for name, tier in CHOSEN.items()]
    record = made_record(worth, chosen, budget, points)
    if swept:
        record["frontier"] = made_frontier(worth, chosen)
        record["sensitivity"] = made_sensitivity(record["value"]["evsi"])
    curves, grid = made_curves(menu)
    catalogue = SimpleNamespace(
        evals=tuple(
            SimpleNamespace(
                name=name, tasks=40, task_names=[f"task {i}" for i in range(40)] if n < 2 else None
            )
            for n, name in enumerate(menu.options["eval"].unique())
        ),
        points=points,
    )
    unread: Any = None
    fake: Any = FakePosterior()
    described: Any = catalogue
    return Recommendation(
        catalogue=described,
        observations=None,
        posterior=fake,
        menu=menu,
        plan=unread,
        curves=curves,
        curve_grid=grid,
        comparisons=pd.DataFrame(record["comparisons"]),
        record=record,
    )


def nasty_names() -> Callable[[str], str]:
    known: dict[str, str] = {}

    def rename(name: str) -> str:
        return known.setdefault(name, f"{NASTY[len(known) % len(NASTY)]}{len(known)}")

    return rename


@pytest.fixture(scope="session")
def recommendation() -> Recommendation:
    return made()


@pytest.fixture(scope="session")
def nasty() -> Recommendation:
    return made(nasty_names(), swept=True)


@pytest.fixture(scope="session")
def renamed() -> Recommendation:
    """Return what `nasty` is, under names that are only new."""
    return made(lambda name: f"another {name}", swept=True)


@pytest.fixture(scope="session")
def swept() -> Recommendation:
    return made(swept=True)


@pytest.fixture(scope="session")
def pointed() -> Recommendation:
    return made(points=True)


@pytest.fixture(scope="session")
def worth() -> Callable[[Recommendation], Worth]:
    return lambda recommendation: Worth(recommendation.menu)


@pytest.fixture(scope="session")
def real() -> Recommendation:
    """Recommend from the template's catalogue, with the frontier, by the recommender itself."""
    from evalbayes.catalogue import parse_catalogue, toml_template
    from evalbayes.fit import fit
    from evalbayes.observations import Observations
    from evalfolio.recommender import recommend

    catalogue = parse_catalogue(tomllib.loads(toml_template()), "template")
    posterior = fit(catalogue, Observations(), seed=3)  # the prior alone: nothing is sampled
    return recommend(catalogue, None, posterior, gap=1e-4, frontier_points=10)
