r"""Robust mixes: least regret over scenarios, or best in the worst of them, with certificates.

Both are max over mixes x of min over weights w in Q of Σ_s w_s (V_s(x) − b_s): least regret with
b_s the best value under scenario s and Q all weights that sum to 1; the mean of the worst share α
of scenarios (CVaR) with b_s = 0 and w_s ≤ p_s/α. For any weights in Q the largest weighted sum is
an upper bound, and finding it is one certified solve (`Scenarios.weighted`). Weights come from the
game over the mixes found so far, a linear programme; its best answer joins them, until the bound no
longer falls. Mixes cannot be run in part, so a gap may stay: it is reported, not hidden.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.optimize import linprog

from evalbayes import Menu
from evalbayes.arrays import Array
from evalfolio.errors import InputError, SolverError
from evalfolio.plans.evaluation import searched_value
from evalfolio.search import Certified, Method, Question
from evalfolio.sensitivities.assumed import ON_COSTS, ON_INPUTS, Assumed
from evalfolio.sensitivities.basis import Basis
from evalfolio.sensitivities.sweep import Solution, Sweep, best_at, solve, swept

MAX_ROUNDS = 40
TOLD_APART = 2.0  # gaps: what knowing a figure may be worth at most, below which it is not searched
# Weights of the 5 %, 50 % and 95 % quantiles that give the mean of most distributions: extended
# Pearson-Tukey (Keefer & Bodily 1983, doi:10.1287/mnsc.29.5.595).
WEIGHTS = (0.185, 0.63, 0.185)
COLUMNS = ("name", "worth", "worth_low", "worth_high", "share")


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Scenarios:
    """Named menus of the same options at the same prices.

    InputError if options or prices differ, or the probabilities do not sum to 1.
    """

    # by name, that in use first; beliefs, decisions and information may differ
    menus: Mapping[str, Menu]
    probabilities: tuple[float, ...] = ()  # one for each; equal by default

    def __post_init__(self) -> None:
        if not self.menus:
            raise InputError("scenarios: there must be at least one, got none; give one")
        first = next(iter(self.menus.values()))
        for name, menu in self.menus.items():
            same = menu.options.index.equals(first.options.index)
            if not same or not all(
                np.array_equal(getattr(menu, key), getattr(first, key))
                for key in ("costs_with_shared", "needs")
            ):
                raise InputError(
                    f"scenario {name!r}: all scenarios must have the same options at the same "
                    "prices; leave out figures that change the menu's options or costs"
                )
        if not self.probabilities:
            object.__setattr__(self, "probabilities", (1 / len(self.menus),) * len(self.menus))
        if len(self.probabilities) != len(self.menus) or not np.isclose(
            sum(self.probabilities), 1.0
        ):
            raise InputError(
                "scenarios: there must be one probability for each and they must sum to 1, got "
                f"{list(self.probabilities)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(self.menus)

    def values(self, options: Sequence[str]) -> Array:
        """Return what a mix is worth under every scenario, of shape (n_scenarios,)."""
        return np.array([searched_value(menu, options) for menu in self.menus.values()])

    def weighted(self, weights: Sequence[float]) -> Menu:
        """Return one menu whose value of any mix is the weighted sum over the scenarios.

        Every scenario's states stand beside the others', with its decisions' losses times its
        weight: Σ_s w_s Σ_d G_sd(v_sd(x)) is of the form every menu has, so the weighted problem is
        solved, and certified, like any other. Scenarios of the same belief share their states.
        """
        used = [(menu, w) for menu, w in zip(self.menus.values(), weights, strict=True) if w > 0]
        blocks: list[Menu] = []
        place = []
        for menu, _ in used:
            alike = (k for k, block in enumerate(blocks) if same_belief(block, menu))
            place.append(next(alike, len(blocks)))
            blocks += [menu] if place[-1] == len(blocks) else []
        first, n = blocks[0], len(blocks[0].states)
        own = np.eye(len(blocks))
        decisions = (
            replace(
                decision,
                name=f"{s} {decision.name}",
                contrast=np.kron(own[k], decision.contrast),
                loss_missed=decision.loss_missed * w,
                loss_false_alarm=decision.loss_false_alarm * w,
            )
            for s, ((menu, w), k) in enumerate(zip(used, place, strict=True))
            for decision in menu.decisions
        )
        information = np.zeros((len(first), n * len(blocks), n * len(blocks)))
        for k, block in enumerate(blocks):
            information[:, k * n : (k + 1) * n, k * n : (k + 1) * n] = block.information
        return Menu(
            first.options,
            first.resources,
            information,
            tuple(f"{k} {name}" for k in range(len(blocks)) for name in first.states),
            np.concatenate([block.prior_mean for block in blocks]),
            block_diag(*(block.prior_covariance for block in blocks)),
            tuple(decisions),
            shared=first.shared,
            tariffs=first.tariffs,
            skewed=tuple(f"{k} {name}" for k, block in enumerate(blocks) for name in block.skewed),
        )


def same_belief(one: Menu, other: Menu) -> bool:
    """Whether two menus differ in their decisions only.

    >>> from evalfolio.examples import small_menu
    >>> same_belief(small_menu(), small_menu())
    True
    """
    return one.skewed == other.skewed and all(
        np.array_equal(getattr(one, key), getattr(other, key))
        for key in ("prior_mean", "prior_covariance", "information")
    )


def scenarios_of(basis: Basis, assumptions: Sequence[Assumed]) -> Scenarios:
    """Return the menu in use and, for every figure, the menus at either end of its range.

    Figures that change costs or the options themselves are left out, and so are, without a
    catalogue and posterior, those that ask for a new menu. See `at_costs_of` for the others.
    """
    menus = {"as assumed": basis.lean}
    for assumed in held_costs(basis, assumptions):
        for word, level in (("low", assumed.low), ("high", assumed.high)):
            menus[f"{assumed.name}: {word}"] = basis.menu_under({assumed: level})
    return Scenarios(at_costs_of(menus))


def held_costs(basis: Basis, assumptions: Sequence[Assumed]) -> list[Assumed]:
    """Return the figures under which a mix can be held against others at the same costs."""
    whole = basis.catalogue is not None and basis.posterior is not None
    return [a for a in assumptions if a.kind not in ON_COSTS and (whole or a.kind not in ON_INPUTS)]


def at_costs_of(menus: Mapping[str, Menu]) -> dict[str, Menu]:
    """Return menus with the options that all have, at the costs of the first.

    A larger gap or validity error moves what runs are expected to spend a little; which mix to
    choose before that is known is a question at the costs as assumed.
    """
    first = next(iter(menus.values()))
    common = first.options.index
    for menu in menus.values():
        common = common[common.isin(menu.options.index)]
    if len(common) == len(first) and all(menu.options is first.options for menu in menus.values()):
        return dict(menus)
    costs, fewer = first.subset(first.options.index.isin(common)), {}
    for name, menu in menus.items():
        told = menu.information[menu.options.index.get_indexer(costs.options.index)]
        fewer[name] = replace(
            menu, options=costs.options, resource_draws=costs.resource_draws, information=told
        )
    return fewer


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class RobustMix:
    """A mix that is good whichever scenario holds."""

    criterion: str  # "regret" or "cvar"
    options: tuple[str, ...]
    score: float  # its largest regret, or its mean value over the worst scenarios
    bound: float  # no mix has a smaller largest regret, or a larger mean
    weights: dict[str, float]  # of the scenarios, that prove the bound
    values: dict[str, float]  # of the mix under every scenario
    price: float  # share of the first scenario's best value that the mix gives up there

    def record(self) -> dict[str, Any]:
        """Return its certificate as a row: weights are those that prove the bound."""
        weights = "; ".join(f"{n} {w:.3f}" for n, w in self.weights.items() if w > 0)
        keys = ("criterion", "score", "bound", "gap", "price")
        told = {key: getattr(self, key) for key in keys}
        return told | {"options": "; ".join(self.options), "weights": weights}

    @property
    def gap(self) -> float:
        """Distance of score and bound, in the unit of the losses."""
        return abs(self.score - self.bound)


def regret_table(
    scenarios: Scenarios,
    mixes: Mapping[str, Sequence[str]],
    question: Question,
    *,
    method: Method = Certified(),
    settled: Sequence[Solution] | None = None,
) -> pd.DataFrame:
    """Return the regret of every mix (rows) under every scenario (columns), and the largest.

    Regret is the best value there less the mix's, in the unit of the losses. The best mix of every
    scenario is a row of its own, named after it. `settled` is what `best_under` returns, where it
    has been worked out already.
    """
    if settled is None:
        settled = best_under(scenarios, question, method=method)
    best = np.array([s.value for s in settled])
    own = {f"best for {n}": s.options for n, s in zip(scenarios.names, settled, strict=True)}
    rows = {**own, **dict(mixes)}
    names = list(scenarios.names)
    values = np.array([scenarios.values(mix) for mix in rows.values()])
    table = pd.DataFrame(np.maximum(best, values.max(axis=0)) - values, list(rows), names)
    return table.assign(largest=table.max(axis=1))


def robust_mix(
    scenarios: Scenarios,
    question: Question,
    *,
    criterion: str = "regret",
    tail: float = 0.2,
    method: Certified = Certified(),
    settled: Sequence[Solution] | None = None,
) -> RobustMix:
    """Return the mix of least largest regret, or of the best mean over the worst scenarios.

    InputError if the criterion or the tail is not what it must be. The criterion is "regret" or
    "cvar", the tail α the probability of the worst scenarios that CVaR averages over; `settled` is
    what `best_under` returns, where it has been worked out already.

    >>> from dataclasses import replace
    >>> from evalfolio.examples import small_menu
    >>> menu = small_menu()
    >>> calm = replace(menu, prior_covariance=np.diag([1.5, 0.01, 1.2]))
    >>> both = Scenarios({"as assumed": menu, "small gap": calm})
    >>> mix = robust_mix(both, Question(menu, {"usd": 10_000.0}))
    >>> bool(mix.score >= mix.bound >= 0)
    True
    """
    if criterion not in ("regret", "cvar"):
        raise InputError(f"criterion must be regret or cvar, got {criterion!r}")
    if not 0 < tail <= 1:
        raise InputError(
            f"tail must be a probability above 0, got {tail:g}; 0.2 is the worst fifth"
        )
    if settled is None:
        settled = best_under(scenarios, question, method=method)
    best = np.array([s.value for s in settled])
    regret = criterion == "regret"
    most = np.ones(len(best)) if regret else np.array(scenarios.probabilities) / tail
    mixes = list(dict.fromkeys(s.options for s in settled))
    values = [scenarios.values(mix) for mix in mixes]
    # values found along the way may beat a scenario's own best within its gap
    top = np.maximum(best, np.max(values, axis=0)) if regret else np.zeros(len(best))
    bound, proof = np.inf, np.full(len(best), np.nan)
    for _ in range(MAX_ROUNDS):
        weights, game = _weights(np.array(values) - top, most)
        answer = solve(question.on(scenarios.weighted(weights.tolist())), method)
        reach = answer.bound - float(weights @ top)
        if reach < bound:
            bound, proof = reach, weights
        if answer.options in mixes or reach - game <= method.gap * max(abs(game), 1e-12):
            break
        mixes.append(answer.options)
        values.append(scenarios.values(answer.options))
    table = np.array(values) - top
    scores = [_least(row, most) for row in table]
    chosen = int(np.argmax(scores))
    score = scores[chosen]
    bound = max(bound, score)
    first = max(float(best[0]), float(np.array(values)[:, 0].max()))
    return RobustMix(
        criterion=criterion,
        options=mixes[chosen],
        score=-score if regret else score,
        bound=max(-bound, 0.0) if regret else bound,
        weights=dict(zip(scenarios.names, proof.tolist(), strict=True)),
        values=dict(zip(scenarios.names, values[chosen].tolist(), strict=True)),
        price=1 - float(values[chosen][0]) / first if first > 0 else 0.0,
    )


def best_under(
    scenarios: Scenarios,
    question: Question,
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> list[Solution]:
    """Return the certified choice under every scenario, in their order."""
    return best_at(_asked, scenarios.names, scenarios, question, method=method, sweep=sweep)


def _asked(scenarios: Scenarios, question: Question, name: str) -> Question:
    return question.on(scenarios.menus[name])


def _weights(table: Array, most: Array) -> tuple[Array, float]:
    """Return the weights in Q that make the best of the known mixes worst, and that value.

    min over w of t with table·w ≤ t for every mix, Σw = 1, 0 ≤ w ≤ most.
    """
    scale = max(float(np.abs(table).max()), 1e-300)
    n_mixes, n = table.shape
    result = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.column_stack([table / scale, -np.ones(n_mixes)]),
        b_ub=np.zeros(n_mixes),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=np.ones(1),
        bounds=[*((0.0, float(top)) for top in most), (None, None)],
        method="highs",
    )
    if result.x is None or result.fun is None:
        raise SolverError(f"the weights of the scenarios could not be found: {result.message}")
    weights = np.maximum(result.x[:n], 0.0)
    weights[weights < 1e-9] = 0.0
    return weights / weights.sum(), float(result.fun) * scale


def _least(row: Array, most: Array) -> float:
    """Return the least weighted sum over Q: the worst scenarios filled up first.

    >>> _least(np.array([3.0, 1.0, 2.0]), np.ones(3))
    1.0
    >>> _least(np.array([3.0, 1.0, 2.0]), np.full(3, 0.5))
    1.5
    """
    left, total = 1.0, 0.0
    for k in np.argsort(row):
        share = min(left, float(most[k]))
        total += share * float(row[k])
        left -= share
    return total


def worth_of_knowing(
    basis: Basis,
    assumptions: Sequence[Assumed],
    *,
    method: Method = Certified(),
    sweep: Sweep | None = None,
) -> pd.DataFrame:
    """Return what knowing each figure would add to the plan, the others as assumed.

    E_φ[max_x V(x, φ)] − max_x E_φ[V(x, φ)] over the low end, the level in use and the high end,
    both sides certified: the EVPPI of the assumption for the choice of the mix. It counts what a
    better-chosen mix is worth, not what knowing the figure would do for the decisions themselves.
    Figures that change costs are left out (see `at_costs_of`). Where a level's best mix serves all
    levels to within two gaps of what the search allows, it stands for the mix for all.

    One row per figure, the one most worth knowing first: name, worth, worth_low, worth_high (what
    the gaps of the solves leave open), share (of the value planned without knowing).
    """
    figures = tuple(held_costs(basis, assumptions))
    rows = swept(_worth, range(len(figures)), basis, figures, method, sweep=sweep)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values("worth", ascending=False, kind="stable").reset_index(drop=True)


def _worth(
    basis: Basis, figures: tuple[Assumed, ...], method: Method, place: int
) -> dict[str, Any]:
    assumed = figures[place]
    levels = {"mid": assumed.mid, "low": assumed.low, "high": assumed.high}
    menus = at_costs_of({word: basis.menu_under({assumed: v}) for word, v in levels.items()})
    weights = (WEIGHTS[1], WEIGHTS[0], WEIGHTS[2])
    settled = [solve(basis.question.on(menu), method) for menu in menus.values()]
    several = Scenarios(menus, weights)
    most = sum(w * s.bound for w, s in zip(weights, settled, strict=True))
    one = max(settled, key=lambda s: float(several.values(s.options) @ weights))
    one = replace(one, value=float(several.values(one.options) @ weights), bound=most)
    apart = TOLD_APART * getattr(method, "gap", 0.0) * most
    if most - one.value > apart:  # else no search tells it from nothing
        one = solve(basis.question.on(several.weighted(weights)), method)
    # the mix for all levels may serve one of them better than that level's own search found
    held = several.values(one.options)
    knowing = sum(
        w * max(s.value, float(v)) for w, s, v in zip(weights, settled, held, strict=True)
    )
    ends = (knowing - one.value, knowing - one.bound, most - one.value)
    worth = (max(end, 0.0) for end in ends)
    share = max(knowing / one.value - 1, 0.0) if one.value > 0 else 0.0
    return dict(zip(COLUMNS, (assumed.name, *worth, share), strict=True))
