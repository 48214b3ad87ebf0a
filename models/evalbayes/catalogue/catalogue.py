"""The catalogue: the AI model, the budget, the domains with their decisions, and the evals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from evalbayes.catalogue.ai_model import AiModelSpec
from evalbayes.catalogue.assumptions import Assumption
from evalbayes.catalogue.budget import BudgetSpec
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.catalogue.portfolio import PortfolioSpec
from evalbayes.catalogue.spec import Spec
from evalbayes.errors import InputError
from evalbayes.names import nearest


class Catalogue(Spec):
    """Everything a plan rests on but the results: validated, with every default filled in.

    Parameters
    ----------
    portfolio, budget
        Tables [portfolio] and [budget].
    domains, evals
        The [[domain]] and [[eval]] tables, in the order given.
    ai_models
        The [[ai_model]] tables: release dates and lineages.
    points
        Whether stakes were given as a probability, so that values are in points, not USD.
    assumptions
        Every default that was used.
    """

    portfolio: PortfolioSpec
    budget: BudgetSpec
    domains: tuple[DomainSpec, ...]
    evals: tuple[EvalSpec, ...]
    ai_models: tuple[AiModelSpec, ...] = ()
    points: bool
    assumptions: tuple[Assumption, ...] = ()

    def domain(self, name: str) -> DomainSpec:
        """Return the domain of that name.

        Raises
        ------
        InputError
            If there is none; the nearest name is given.
        """
        for spec in self.domains:
            if spec.name == name:
                return spec
        raise _missing("domain", name, [spec.name for spec in self.domains])

    def eval(self, name: str) -> EvalSpec:
        """Return the eval of that name.

        Raises
        ------
        InputError
            If there is none; the nearest name is given.
        """
        for spec in self.evals:
            if spec.name == name:
                return spec
        raise _missing("eval", name, [spec.name for spec in self.evals])

    def assumed(self, where: str, key: str) -> bool:
        """Whether a figure is a default, e.g. `assumed("eval 'cybench'", "staff_hours")`."""
        return any(each.where == where and each.key == key for each in self.assumptions)

    @property
    def known_models(self) -> Mapping[str, AiModelSpec]:
        """The [[ai_model]] tables by name."""
        return {spec.name: spec for spec in self.ai_models}

    @property
    def skills(self) -> tuple[str, ...]:
        """Skills the staff hours are split by, in the order first named; empty if they are not."""
        tables = [self.budget.staff_hours]
        tables += [spec.staff_hours for spec in self.evals]
        tables += [spec.staff_hours_repair for spec in self.evals]
        tables += [spec.staff_hours_elicitation for spec in self.evals]
        return tuple(dict.fromkeys(s for table in tables if isinstance(table, dict) for s in table))

    @property
    def hash(self) -> str:
        """SHA-256 of what the catalogue says, whatever file it came from."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def _missing(kind: str, name: str, known: list[str]) -> InputError:
    near = nearest(name, known)
    cure = f"did you mean {near!r}?" if near else f"there are {', '.join(sorted(known))}"
    return InputError(f"catalogue: the {kind} must be one of its own, got {name!r}; {cure}")
