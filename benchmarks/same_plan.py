"""Whether another seed of the fit gives the same plan: values, rows, and what is said of them.

    python benchmarks/same_plan.py CATALOGUE OBSERVATIONS... --out DIR [--seeds 10] [--name NAME]

Fits the catalogue's observations once for each seed (the posteriors are kept in DIR, so that a
second start goes on; with --stored also those that other code made), plans each with its own draws
and compares every pair of plans: rows called firm and in how many plans they are; the share of the
money that goes to the same evals and tiers; the same with rows declared exchangeable, for which
something is named that may stand in their place; the values against their stated noise. The figures
are kept in DIR/figures.json; --before takes those of another run for a column of their own. With
--name the table goes into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from tables import circumstances, table, write_section

from evalbayes import Menu
from evalbayes.catalogue import Catalogue, read_catalogue
from evalbayes.halves import T_95
from evalbayes.menus import build_menu
from evalbayes.model.fit import fit
from evalbayes.observations import read_observations
from evalbayes.posterior.posterior import Posterior
from evalfolio.plans.firm_rows import Row, firm_rows, rows_of
from evalfolio.recommendations.recommender import question_of
from evalfolio.search.certified import Certified


@dataclass(frozen=True)
class Made:
    """One seed's plan: usd by row (eval, tier), and what it says of itself."""

    value: float
    noise: float | None
    usd: dict[Row, float]
    firm: frozenset[Row]
    exchangeable: frozenset[Row]
    named: frozenset[Row]


def made(menu: Menu, catalogue: Catalogue) -> Made:
    """Return the plan of a menu; without replicates it says nothing of its noise."""
    question, method = question_of(catalogue, menu), Certified()
    found = firm_rows(question, method)
    answer = method.find(question) if found is None else found.answer
    x, value = answer.x, answer.value
    usd = dict(zip(rows_of(menu, x), menu.options["usd"].to_numpy()[x > 0.5].tolist(), strict=True))
    return Made(
        value,
        None if found is None else found.noise,
        usd,
        frozenset(found.firm if found else ()),
        frozenset(row for row, ways in found.instead.items() if ways) if found else frozenset(),
        frozenset(
            row for ways in (found.instead.values() if found else ()) for way in ways for row in way
        ),
    )


def shared(one: Made, other: Made, *, declared: bool) -> float:
    """Share of one plan's money on rows the other has too, or that may be exchanged."""
    same = sum(
        usd
        for row, usd in one.usd.items()
        if row in other.usd or (declared and row in one.exchangeable)
    )
    return same / max(sum(one.usd.values()), 1e-300)


def foreseen(one: Made, other: Made) -> float:
    """Share of the other plan's money on rows that one plan has or names as a substitute."""
    met = sum(usd for row, usd in other.usd.items() if row in one.usd or row in one.named)
    return met / max(sum(other.usd.values()), 1e-300)


def summary(plans: list[Made]) -> list[tuple[str, str]]:
    """Return what a table says of plans of several seeds."""
    values = np.array([plan.value for plan in plans])
    pairs = list(permutations(plans, 2))
    raw = [shared(a, b, declared=False) for a, b in pairs]
    told = [shared(a, b, declared=True) for a, b in pairs]
    counts = [sum(row in other.usd for other in plans) for plan in plans for row in plan.firm]
    mixes = [tuple(sorted(plan.usd)) for plan in plans]
    most = max(mixes.count(mix) for mix in mixes)
    sd = values.std(ddof=1)
    rows = [
        (
            "value, mean and sd over seeds",
            f"{values.mean():.3f}, {sd:.3f} ({sd / values.mean():.2%})",
        ),
        ("seeds that agree on every eval and tier", f"{most} of {len(plans)}"),
        ("evals in a plan", f"{min(map(len, mixes))} to {max(map(len, mixes))}"),
        ("money on the same evals and tiers, least of all pairs", f"{min(raw):.0%}"),
        ("the same, mean", f"{np.mean(raw):.0%}"),
    ]
    noises = [plan.noise for plan in plans if plan.noise is not None]
    if not noises:
        return [*rows, *[(word, "not said") for word in SAID]]
    inside = [
        abs(plan.value - values.mean()) <= T_95 * plan.noise
        for plan in plans
        if plan.noise is not None
    ]
    said = (
        f"{min(told):.0%}",
        f"{min(foreseen(a, b) for a, b in pairs):.0%}",
        f"{min(map(len, (p.firm for p in plans)))} to {max(map(len, (p.firm for p in plans)))}",
        f"{min(counts)} of {len(plans)}" if counts else "none is firm",
        f"± {T_95 * np.mean(noises):.3f}",
        f"{sum(inside)} of {len(plans)}",
    )
    return [*rows, *zip(SAID, said, strict=True)]


SAID = (
    "money on the same or on rows declared exchangeable, least of all pairs",
    "money of the other plan on rows that the one has or names, least of all pairs",
    "rows called firm",
    "plans that a firm row is in, least",
    "stated noise of the value (95 %)",
    "seeds whose stated noise holds the mean value",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("observations", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--stored", action="store_true", help="take fits in DIR as they are")
    parser.add_argument("--before", type=Path, help="figures.json of an earlier run")
    parser.add_argument("--name", help="section of benchmarks/README.md to write")
    args = parser.parse_args()
    catalogue = read_catalogue(args.catalogue)
    observations = read_observations(args.observations, catalogue)
    args.out.mkdir(parents=True, exist_ok=True)
    plans = []
    for seed in range(args.seeds):
        path = args.out / f"{seed}.nc"
        if args.stored and path.is_file():
            posterior = Posterior.load(path)
        else:
            posterior = fit(catalogue, observations, seed=seed, keep=path)
            posterior.save(path)
        plans.append(made(build_menu(posterior, catalogue, seed=seed)[0], catalogue))
        firm = ", ".join(f"{e} {t}" for e, t in sorted(plans[-1].firm))
        print(f"seed {seed}: {plans[-1].value:.4f} ± {plans[-1].noise}; firm: {firm}", flush=True)
    figures = dict(summary(plans))
    (args.out / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    before = {} if args.before is None else json.loads(args.before.read_text("utf-8"))
    head = ("", "before", "now") if before else ("", "now")
    rows = [
        (name, *((before.get(name, "not said"),) if before else ()), figure)
        for name, figure in figures.items()
    ]
    body = table(head, rows)
    print(body)
    if args.name:
        made_on = circumstances(0, ("evalfolio", "nutpie", "numba"))
        text = f"{made_on} Seeds of the fit: 0 to {args.seeds - 1}."
        if before:
            text += " *Before*: the same seeds under earlier code, which said nothing of noise."
        text += f"\n\n{body}"
        write_section(args.name, f"The same plan from {args.seeds} seeds: {args.name}", text)


if __name__ == "__main__":
    main()
