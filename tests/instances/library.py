"""Frozen menus with proved optima: patterns (one shape, benign to pathological), models, faults.

A pattern is a shape with one figure that gets worse; a model is a shape that grows; `broke/` holds
the menus that once broke the search, as files. Patterns and models are made by the functions here
and held to `frozen.json`: a hash of every menu and question (figures to seven digits, so that no
library's last digit moves it) and the optimum, listed where there are few choices and else proved.
``python -m tests.instances.freeze`` freezes new ones; those that are there it does not touch.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.menus import budget_share, random_menu
from tests.instances.files import read, written

from evalbayes import Decision, Menu, SharedPurchase
from evalfolio.certificates.recording import ROUNDING, certificate, hold
from evalfolio.certificates.verifier import verify
from evalfolio.limits import MinEvals, ZeroOrAtLeast
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question

HERE = Path(__file__).parent
FROZEN, BROKE = HERE / "frozen.json", HERE / "broke"
GAP = 1e-3
Make = Callable[[Any], Question]


def digits(values: Any, n: int = 4) -> Any:
    """Return figures rounded to so many digits."""
    return np.vectorize(lambda value: float(f"{value:.{n}g}"), otypes=[float])(values)


def shape(
    seed: int = 0, evals: int = 5, depths: int = 3, domains: int = 2, gap_sd: float = 0.7
) -> Menu:
    """Return evals of some domains, each at several depths; figures have four digits."""
    rng = np.random.default_rng([seed, evals, depths, domains])
    rows, readings, noises = [], [], []
    for e in range(evals):
        usd, hours, noise = rng.lognormal(6, 1), rng.uniform(2, 10), rng.uniform(0.5, 2)
        for k in range(depths):
            depth = k / max(depths - 1, 1)
            reading = np.zeros(2 * domains)
            reading[2 * (e % domains) : 2 * (e % domains) + 2] = 1.0, digits(0.8 * depth)
            readings.append(reading)
            noises.append(float(digits(noise / (1 + 2 * depth))))
            price = digits([usd * (1 + 6 * depth), hours * (1 + 5 * depth)]).tolist()
            rows.append((f"e{e}.{k}", f"e{e}", f"d{e % domains}", "plateau", *price))
    columns = ["option", "eval", "domain", "tier", "usd", "staff_hours"]
    covariance = np.diag(np.tile([2.25, float(digits(gap_sd**2))], domains))
    covariance[::2, ::2] += 0.5 * (1 - np.eye(domains))
    decisions = tuple(
        Decision(
            f"d{d}",
            np.repeat(np.eye(domains)[d], 2),
            float(digits(rng.normal(7.0, 1.5))),
            float(digits(rng.lognormal(1, 1))),
            1.0,
            0.3,
            0.3,
        )
        for d in range(domains)
    )
    return Menu(
        pd.DataFrame(rows, columns=columns).set_index("option"),
        ("usd", "staff_hours"),
        np.array([np.outer(h, h) / noise for h, noise in zip(readings, noises, strict=True)]),
        tuple(f"d{d}.{kind}" for d in range(domains) for kind in ("shown", "gap")),
        np.tile([6.0, 1.0], domains),
        covariance,
        decisions,
    )


def asked(menu: Menu, share: float = 0.25, *limits: Any) -> Question:
    """Return the question of a menu with a share of what the deepest options use."""
    budget = {name: float(digits(x)) for name, x in budget_share(menu, share).items()}
    return Question(menu, budget, limits)


def deciding(menu: Menu, **changes: Any) -> Menu:
    """Return a menu whose decisions are changed."""
    return replace(menu, decisions=tuple(replace(d, **changes) for d in menu.decisions))


def away(sds: float) -> Question:
    """Thresholds so many prior sds from what is expected, above and below by turns."""
    menu, signs = shape(1), (1.0, -1.0)
    decisions = [
        replace(d, threshold=float(digits(7.3 + s * sds * 1.66, 6)))
        for d, s in zip(menu.decisions, signs, strict=True)
    ]
    return asked(replace(menu, decisions=tuple(decisions)))


def prices(decades: float) -> Question:
    """Prices over so many decades."""
    menu = shape(2, evals=6)
    rank = np.repeat([3, 0, 5, 1, 4, 2], 3) / 5 - 0.5
    usd = digits(menu.options["usd"].to_numpy() * 10 ** (decades * rank))
    options = menu.options.assign(usd=usd)
    return Question(replace(menu, options=options), {"usd": float(digits(np.median(usd) * 4))})


def ties(copies: int) -> Question:
    """Every eval there is so often, alike in all but its name."""
    menu = shape(3, evals=3)
    parts = [
        menu.options.assign(eval=menu.options["eval"] + f".{k}").rename("{}".format)
        for k in range(copies)
    ]
    options = pd.concat(
        [part.set_index(part.index + f".{k}") for k, part in enumerate(parts)]
    ).rename_axis("option")
    return asked(
        replace(menu, options=options, information=np.tile(menu.information, (copies, 1, 1)))
    )


def losses(ratio: float) -> Question:
    """Danger missed costs so many times what needless mitigation does."""
    return asked(deciding(shape(4), loss_missed=ratio))


def singular(apart: float) -> Question:
    """Two domains whose capabilities are one but for this share of their variance."""
    menu = shape(5)
    covariance = menu.prior_covariance.copy()
    covariance[0, 2] = covariance[2, 0] = 2.25 * (1 - apart)
    return asked(replace(menu, prior_covariance=covariance))


def telling(scale: float) -> Question:
    """Options that tell so many times as much."""
    menu = shape(6)
    return asked(replace(menu, information=menu.information * scale))


def skewed(sd: float) -> Question:
    """Elicitation gaps of this sd, lognormal."""
    menu = shape(7, evals=4, gap_sd=sd)
    return asked(replace(menu, skewed=("d0.gap", "d1.gap")))


def edge(over: float) -> Question:
    """A budget at the price of the best three options, but for this share of it."""
    menu = shape(8)
    price = float(menu.options["usd"].iloc[[3, 11, 12]].sum())
    return Question(menu, {"usd": price * (1 + over), "staff_hours": 58.84})


def currency(unit: float) -> Question:
    """Prices and losses in another currency."""
    menu = shape(9)
    options = menu.options.assign(usd=menu.options["usd"] * unit)
    menu = deciding(replace(menu, options=options), loss_missed=9.0 * unit, loss_false_alarm=unit)
    return asked(menu)


def ranks(rank: int) -> Question:
    """Options that read so many directions."""
    menu, rng = shape(10), np.random.default_rng(10)
    information = menu.information.copy()
    for _ in range(rank - 1):
        for k in range(len(menu)):
            reading = digits(rng.normal(0, 0.4, 4))
            information[k] += np.outer(reading, reading)
    return asked(replace(menu, information=information))


def purchases(number: int) -> Question:
    """So many purchases, each needed by every third option."""
    menu = shape(11)
    names = list(menu.options.index)
    shared = tuple(
        SharedPurchase(f"tool{k}", {"usd": 300.0 * (k + 1)}, tuple(names[k % 3 :: 3]))
        for k in range(number)
    )
    return asked(replace(menu, shared=shared))


def must(number: int) -> Question:
    """At least so many evals must run, of five that the budget just pays for."""
    return asked(shape(12), 0.3, *([MinEvals("everything", number)] if number else []))


def nothing_or(amount: float) -> Question:
    """One domain gets nothing or at least so much money, prices in proportion."""
    menu = shape(13)
    options = menu.options.assign(usd=menu.options["usd"] * amount)
    return asked(replace(menu, options=options), 0.3, ZeroOrAtLeast("d0", 2500.0 * amount))


def later(sd: float) -> Question:
    """What later elicitation gains is known to this sd."""
    return asked(deciding(shape(14), later_gain_sd=sd))


def levels(number: int) -> Question:
    """So many decisions about one capability, at thresholds apart."""
    menu = shape(15, domains=1)
    first = menu.decisions[0]
    decisions = tuple(
        replace(first, name=f"level{k}", threshold=5.0 + k, loss_missed=2.0 + k)
        for k in range(number)
    )
    return asked(replace(menu, decisions=decisions))


def model(size: tuple[int, int, int, float]) -> Question:
    """Evals × options × domains of `benchmarks/menus.py`, a share of their price."""
    evals, options, domains, share = size
    menu = random_menu(evals, options, domains, seed=0)
    return Question(menu, budget_share(menu, share))


PATTERNS: dict[str, tuple[Make, tuple[Any, ...]]] = {
    "away": (away, (0.0, 1.0, 3.0, 8.0, 12.0, 20.0, 50.0)),
    "prices": (prices, (0, 2, 4, 8, 12)),
    "ties": (ties, (1, 2, 4, 8)),
    "losses": (losses, (1.0, 30.0, 1e3, 1e6)),
    "singular": (singular, (0.5, 1e-3, 1e-6, 1e-9)),
    "telling": (telling, (1.0, 1e-4, 1e-8, 1e-12, 1e6, 1e11)),
    "skewed": (skewed, (0.3, 0.7, 1.2)),
    "edge": (edge, (0.1, 1e-6, 0.0, -1e-11, -1e-6)),
    "currency": (currency, (1.0, 1e-9, 1e9)),
    "ranks": (ranks, (1, 2, 4)),
    "purchases": (purchases, (0, 1, 3, 6)),
    "must": (must, (0, 3, 5)),
    "nothing_or": (nothing_or, (1.0, 1e-6, 1e6)),
    "later": (later, (0.0, 3.0, 100.0)),
    "levels": (levels, (1, 3, 8)),
    "model": (
        model,
        (
            (6, 2, 1, 0.3),
            (12, 3, 2, 0.1),
            (30, 3, 3, 0.1),
            (60, 3, 4, 0.1),
            (120, 3, 6, 0.02),
            (120, 3, 6, 0.1),
            (300, 10, 6, 0.1),
            (1000, 10, 10, 0.1),
        ),
    ),
}


def _named(pattern: str, figure: Any) -> str:
    each = figure if isinstance(figure, tuple) else (figure,)
    return f"{pattern} {' x '.join(f'{part:g}' for part in each)}"


MADE: Mapping[str, Callable[[], Question]] = {
    _named(pattern, figure): functools.partial(make, figure)
    for pattern, (make, figures) in PATTERNS.items()
    for figure in figures
} | {f"broke {file.stem}": functools.partial(read, file) for file in sorted(BROKE.glob("*.json"))}


def fingerprint(question: Question) -> str:
    """Return a hash of a menu and its question, figures to seven digits."""

    def rough(data: Any) -> Any:
        if isinstance(data, float):
            return f"{data:.7g}"
        if isinstance(data, dict):
            return {key: rough(value) for key, value in data.items()}
        return [rough(value) for value in data] if isinstance(data, (list, tuple)) else data

    text = json.dumps(rough(written(question)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check(name: str, frozen: dict[str, Any]) -> dict[str, Any]:
    """Certify an instance, prove its certificate, hold both to what is frozen; return figures."""
    question = MADE[name]()
    assert fingerprint(question) == frozen["hash"], f"{name} is another menu than the frozen one"
    start = time.process_time()
    found = Certified(GAP).find(question)
    data = certificate(found.problem, found.x, found.bound, found.tree)
    took = time.process_time() - start
    assert found.status == "certified", (name, found.status)
    near = 1e-9 * frozen["bound"] + 1e-12 * found.problem.evpi
    assert found.bound >= frozen["value"] - near, (name, found.bound, frozen)
    assert found.value <= frozen["bound"] + near, (name, found.value, frozen)
    assert found.bound - found.value <= GAP * found.bound + near, name
    start = time.process_time()
    verify(json.loads(json.dumps(data)))
    hold(data, question, found.chosen)
    proof = time.process_time() - start
    claim = data["claim"]
    assert claim["bound"] >= frozen["value"] - near, (name, claim, frozen)
    assert claim["value"] <= frozen["bound"] + near, (name, claim, frozen)
    losses = sum(d.loss_missed + d.loss_false_alarm for d in question.menu.decisions)
    wide = claim["bound"] - claim["value"] > near + 2 * ROUNDING * losses  # else both are rounding
    gap = 1 - claim["value"] / claim["bound"] if wide else 0.0
    return {"search": took, "proof": proof, "nodes": len(data["tree"]), "gap": gap} | {
        "boxes": found.rounds
    }
