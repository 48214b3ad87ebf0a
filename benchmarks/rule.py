"""How often the square-root law is right: its mix against the certified optimum.

Run with ``python -m benchmarks.rule [FOLDER]``; it writes its own section of
``benchmarks/README.md`` and keeps finished problems in FOLDER, so that it can be stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from benchmarks.one_domain_problems import COUNT, ENOUGH, SEED, TIE, Problem, problems
from benchmarks.tables import circumstances, table, write_section

import evalfolio as ef
from evalfolio.narrative import DEPTH
from evalfolio.rule.square_root import depth_rule, priced_mix
from evalfolio.search.certified import Certified
from evalfolio.search.question import Question
from evalfolio.sensitivities.sweep import Sweep, solve

GAP = 1e-3
FRESH = 73_519
LIMIT = 2.0  # seconds; a few problems of like evals close their last gap slowly


@dataclass(frozen=True)
class Verdict:
    """How one way to choose fares on one problem, as shares of the certified optimum."""

    share: float
    sees_depth: bool

    @property
    def right(self) -> bool:
        return self.share >= ENOUGH and self.sees_depth


def law_mix(problem: Problem) -> tuple[str, ...]:
    """The law's number of deep runs at the mean price, on the cheapest evals."""
    rule = depth_rule(**figures(problem), budget=problem.budget, evals=len(problem.domain.prices))
    assert rule.deep is not None  # there is a budget
    return filled(problem, rule.deep)


def rule_mix(problem: Problem) -> tuple[str, ...]:
    """The mix of the law with the price list."""
    plateau, deep = priced_mix(problem.domain.prices, problem.budget, **figures(problem))
    return (*(f"{i} plateau" for i in plateau), *(f"{i} deep" for i in deep))


def figures(problem: Problem) -> dict[str, float]:
    names = ("cost_ratio", "validity_sd", "gap_sd", "gap_spread", "shown_sd", "noise_sd", "effort")
    return {name: getattr(problem.domain, name) for name in names}


def filled(problem: Problem, deep: int) -> tuple[str, ...]:
    """So many of the cheapest evals deep, the rest plateau, what is left on further deep runs."""
    prices, ratio = np.array(problem.domain.prices), problem.domain.cost_ratio
    order = np.argsort(prices, kind="stable")
    left, tiers = problem.budget, {}
    for i in order[:deep]:
        if prices[i] * ratio <= left:
            left -= prices[i] * ratio
            tiers[int(i)] = "deep"
    for i in order:
        if int(i) not in tiers and prices[i] <= left:
            left -= prices[i]
            tiers[int(i)] = "plateau"
    for i in order if deep else []:
        if tiers.get(int(i)) == "plateau" and prices[i] * (ratio - 1) <= left:
            left -= prices[i] * (ratio - 1)
            tiers[int(i)] = "deep"
    return tuple(f"{i} {tier}" for i, tier in tiers.items())


def percent(share: float) -> str:
    """A share to a tenth of a percent."""
    return f"{100 * share:.1f} %"


def judge(problem: Problem) -> dict[str, Verdict]:
    menu, budget = problem.domain.menu(), {"usd": problem.budget}
    best = solve(Question(menu, budget), Certified(gap=GAP, time_limit=LIMIT))
    shallow = solve(
        Question(menu, budget, (ef.Forbidden(ef.Where(tier=DEPTH)),)),
        Certified(gap=GAP, time_limit=LIMIT),
    )
    some = solve(
        Question(menu, budget, (ef.Floor(ef.Where(tier=DEPTH), 1, "evals"),)),
        Certified(gap=GAP, time_limit=LIMIT),
    )
    tied = abs(some.value - shallow.value) <= TIE * best.value
    wants_depth = some.value > shallow.value

    def verdict(names: Sequence[str]) -> Verdict:
        value = ef.evaluate(menu, names).value
        deep = any(name.endswith("deep") for name in names)
        share = value / best.value if best.value > 0 else 1.0
        return Verdict(share, tied or deep == wants_depth)

    return {
        "the rule": verdict(rule_mix(problem)),
        "the law at the mean price": verdict(law_mix(problem)),
        "all plateau": verdict(filled(problem, 0)),
        "all deep": verdict(filled(problem, len(problem.domain.prices))),
        "half of the money deep": verdict(
            filled(problem, round(0.5 * problem.budget / problem.domain.cost_ratio))
        ),
    }


def judge_numbered(seed: int, number: int) -> dict[str, dict[str, object]]:
    problem = next(islice(problems(seed=seed), number, None))
    return {name: vars(verdict) for name, verdict in judge(problem).items()}


def judged(seed: int, folder: str | None) -> str:
    cases = list(problems(seed=seed))
    file = None if folder is None else Path(folder) / f"rule_{seed}.jsonl"
    found = Sweep(checkpoint=file).run(partial(judge_numbered, seed), list(range(len(cases))))
    verdicts = [{name: Verdict(**own) for name, own in each.items()} for each in found]
    rows = []
    for name in verdicts[0]:
        own = [verdict[name] for verdict in verdicts]
        shares = np.array([v.share for v in own])
        rows.append(
            [
                name,
                percent(float(np.mean([v.right for v in own]))),
                percent(float(np.mean([v.sees_depth for v in own]))),
                percent(float(np.mean(shares))),
                percent(float(np.quantile(shares, 0.05))),
                percent(float(shares.min())),
            ]
        )
    wrong = [k for k, verdict in enumerate(verdicts) if not verdict["the rule"].right]
    return (
        table(["mix", "right", "depth seen", "mean share", "5 % quantile", "worst"], rows)
        + "\n\nWhere the rule is wrong:\n\n"
        + table(
            ["problem", "evals", "C", "ω", "κ", "σδ", "σs", "t", "budget", "share", "deep seen"],
            [_row(k, cases[k], verdicts[k]["the rule"]) for k in wrong],
        )
    )


def main(folder: str | None = None) -> None:
    body = (
        f"{circumstances(SEED, ['numpy', 'highspy'])}\n\n"
        f"{COUNT} one-domain problems each (`one_domain_problems.py`, fixed before the rule was "
        f"written). *Right*: worth at least {ENOUGH:.0%} of the certified optimum, and deep "
        f"runs where they pay (within {TIE:.0%} of each other, either is right). *The law at "
        "the mean price* is the rule as it was first written; its mistakes on the fixed problems, "
        "nearly all of them budgets of about one deep run, led to *the rule*, which reads the "
        "price list. The second table is of problems that were drawn after that."
        f"\n\nThe fixed problems:\n\n{judged(SEED, folder)}\n\nFresh problems, seed {FRESH}:\n\n"
        f"{judged(FRESH, folder)}"
    )
    write_section("rule", "The rule of thumb", body)
    print(body)


def _row(k: int, case: Problem, verdict: Verdict) -> list[str]:
    domain = case.domain
    return [
        str(k), str(len(domain.prices)), f"{domain.cost_ratio:.2g}", f"{domain.validity_sd:.2g}",
        f"{domain.gap_spread:.2g}", f"{domain.gap_sd:.2g}", f"{domain.shown_sd:.2g}",
        f"{domain.noise_sd:.2g}", f"{case.budget:.3g}", percent(verdict.share),
        "yes" if verdict.sees_depth else "no",
    ]  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:2])
