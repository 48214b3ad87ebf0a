"""Where a programme stands: what results have taught, what was run and paid, what is left.

`replan`, the simulated programmes and the replay of recorded runs all plan from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from evalbayes import Menu
from evalbayes.catalogue import Catalogue
from evalbayes.menus.offer import Done, done_of
from evalbayes.model.updating import updated
from evalbayes.observations import Observations, read_observations
from evalbayes.posterior.posterior import Posterior
from evalfolio.errors import InputError
from evalfolio.limits.budget import Contingency
from evalfolio.limits.limit import AnyLimit
from evalfolio.programmes.ledger import left, paid
from evalfolio.programmes.programme import Programme
from evalfolio.recommendations.recommender import question_of
from evalfolio.search import Question


@dataclass(frozen=True, eq=False)  # eq=False: posteriors are not compared
class Standing:
    """Where a programme stands after some results."""

    catalogue: Catalogue
    belief: Posterior  # moved by all results
    results: Observations
    done: Mapping[str, Done]  # what was run, by eval
    paid: Mapping[str, float]  # what that has used of every resource
    corrected: Mapping[str, float]  # by how much that is more than the runs tell
    budget: Mapping[str, float]  # what is left of the budgets of the start
    kept_back: Contingency  # shares of it

    @classmethod
    def after(
        cls,
        results: Observations,
        catalogue: Catalogue,
        start: Posterior,
        *,
        budget: Mapping[str, float],
        kept_back: Mapping[str, float],
        belief: Posterior | None = None,
        used: Mapping[str, float] | None = None,
        corrected: Mapping[str, float] | None = None,
        seed: int = 0,
    ) -> "Standing":
        """Return where results lead from a first belief, budgets and the shares kept back of them.

        `belief` is that after the results, where they were fitted anew; `used` is what was really
        spent so far of some resources, and `corrected` by how much that was more than the runs
        told when it was last said. InputError if that is of other resources or below 0.
        """
        if belief is None:
            belief = updated(start, catalogue, results, seed=seed)
        spent, more = paid(results, catalogue, belief), dict(corrected or {})
        for name, amount in (used or {}).items():
            if name not in spent:
                raise InputError(
                    f"paid: a resource must be one of {', '.join(sorted(spent))}, got {name!r}; "
                    "check its name"
                )
            if not 0 <= amount < inf:
                raise InputError(
                    f"paid: {name} must be 0 or more, got {amount:g}; give what was spent in all "
                    "since the programme began"
                )
            more[name] = amount - spent[name]
        spent = {name: amount + more.get(name, 0.0) for name, amount in spent.items()}
        done, rest = done_of(results, catalogue), left(budget, kept_back, spent)
        return cls(catalogue, belief, results, done, spent, more, *rest)

    def question(self, menu: Menu, constraints: Sequence[AnyLimit] = ()) -> Question:
        """Return what is asked of a menu of what is left (`build_menu` with `done`)."""
        return question_of(
            self.catalogue,
            menu,
            budget=self.budget,
            constraints=constraints,
            contingency=self.kept_back,
        )


def standing_of(
    programme: Programme,
    new: Sequence[Path] = (),
    history: Sequence[Path] = (),
    *,
    used: Mapping[str, float] | None = None,
    seed: int | None = None,
) -> Standing:
    """Return where a programme stands with new results; with its history all is fitted anew."""
    files, seed = programme.paths(new), programme.seed if seed is None else seed
    belief = None
    if history:
        from evalbayes.model.fit import fit

        everything = read_observations([*history, *files], programme.catalogue)
        belief = fit(programme.catalogue, everything, seed=seed)
    return Standing.after(
        read_observations(files, programme.catalogue),
        programme.catalogue,
        programme.start,
        budget=programme.budget,
        kept_back=programme.kept_back,
        belief=belief,
        used=used,
        corrected=programme.steps[-1].get("corrected"),
        seed=seed,
    )
