"""How commands come by a posterior: from the observations, or from a stored fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalfolio.cli.console import say, shown, step, warn
from evalfolio.errors import FitError, InputError

if TYPE_CHECKING:
    from evalbayes.catalogue import Catalogue
    from evalbayes.observations import Observations
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.limits.budget import Contingency
    from evalfolio.limits.limit import Limit
    from evalfolio.record.record import Record
    from evalfolio.search import Question


def read_inputs(
    catalogue_path: Path, observation_paths: list[Path] | None
) -> tuple[Catalogue, Observations]:
    """Read and check the catalogue and the observations, and that every eval is covered."""
    from evalbayes.catalogue import read_catalogue

    catalogue = read_catalogue(catalogue_path)
    return catalogue, _observed(catalogue, observation_paths)


def _observed(catalogue: Catalogue, paths: list[Path] | None) -> Observations:
    from evalbayes.inputs import check_covered
    from evalbayes.observations import read_observations

    observations = read_observations(paths or [], catalogue)
    check_covered(catalogue, observations)
    return observations


def asked_catalogue(
    path: Path,
    settings: Sequence[str] | None,
    budgets: Mapping[str, float],
    contingency: Contingency | None = None,
    rules: Sequence[Limit] = (),
) -> Catalogue:
    """Read the catalogue with figures set; what it does not have is refused before the long work.

    That is a budget, a contingency or a limit of an unknown name, and a budget set there and given
    beside it too.
    """
    from evalbayes.catalogue import read_catalogue
    from evalbayes.menus.costs import staff_columns
    from evalfolio.limits.budget import budgets_of
    from evalfolio.limits.table import catalogue_table
    from evalfolio.limits.vocabulary import check_names
    from evalfolio.recommendations.alternatives import refuse_budget_twice

    refuse_budget_twice(settings or (), budgets)
    catalogue = read_catalogue(path, settings or ())
    if budgets or contingency is not None:
        resources = ("usd", *staff_columns(catalogue), "agent_hours")
        budgets_of(budgets, contingency or 0.0, resources)
    if stated := (*catalogue_table(catalogue), *rules):
        check_names(stated, catalogue)
    return catalogue


def plan_folder(folder: Path, needed: str = "plan.json") -> Path:
    """Return the folder of a plan."""
    from evalfolio.export.folder import finish_move

    finish_move(folder)
    if not (folder / needed).exists():
        found = f"it has no {needed}" if folder.is_dir() else "there is no such folder"
        raise InputError(
            f"{folder}: must be a folder that `evalfolio recommend` wrote, but {found}; "
            "check its name"
        )
    return folder


def asked(
    plan: Path,
    settings: list[str] | None = None,
    catalogue: Path | None = None,
    posterior: Path | None = None,
) -> Question:
    """Return the question that a plan in a folder answers; of a menu alone, one without limits.

    With figures of its catalogue set: that of the same posterior (PLAN/posterior.nc) under these.
    """
    if settings or catalogue or posterior:
        return _asked_anew(plan, settings, catalogue, posterior)
    from evalbayes import Menu
    from evalfolio.record.record import Record
    from evalfolio.search import Question

    if (plan / "menu.json").is_file():
        return Question(Menu.load(plan))
    menu = Menu.load(plan_folder(plan, "menu") / "menu")
    if not (plan / "plan.json").exists():
        return Question(menu)
    record = Record.load(plan)
    limits = asked_limits(record, catalogue=True)
    return Question(menu, record.budget, limits, contingency=record.kept_back)


def _asked_anew(
    plan: Path, settings: list[str] | None, path: Path | None, stored: Path | None
) -> Question:
    from evalbayes.catalogue import read_catalogue
    from evalbayes.catalogue.settings import SET_BY
    from evalbayes.menus import build_menu
    from evalbayes.posterior.posterior import Posterior
    from evalfolio.limits.budget import catalogue_budget
    from evalfolio.recommendations.recommender import question_of
    from evalfolio.record.provenance import file_hash
    from evalfolio.record.record import Record
    from evalfolio.sensitivities.basis import believed

    if not settings or path is None:
        raise InputError(
            "--set and --catalogue must stand together, with --posterior where it is not in the "
            f"plan's folder, got {'--set' if settings else 'no --set'} alone; give both"
        )
    record, stored = Record.load(plan_folder(plan)), stored or plan / "posterior.nc"
    if file_hash(path) not in {each.sha256 for each in record.provenance.inputs}:
        raise InputError(
            f"{path}: must be the catalogue that {plan} was made from, but its bytes are others; "
            "give that one, or plan again"
        )
    if not stored.is_file():
        raise InputError(f"{stored}: there must be the plan's posterior; give it as --posterior")
    # what was set when it was planned stays set
    own = [a.reason.removeprefix(SET_BY) for a in record.assumptions if a.reason.startswith(SET_BY)]
    before, after = read_catalogue(path, own), read_catalogue(path, [*own, *settings])
    menu, _ = build_menu(
        believed(Posterior.load(stored), before, after),
        after,
        seed=record.provenance.seed,
        with_draws=False,
    )
    stated = catalogue_budget(before)
    typed = {
        name: amount
        for name, amount in record.budget.items()
        if stated.get(name) != amount and name in menu.resources
    }
    return question_of(
        after, menu, budget=typed, contingency=record.kept_back, constraints=asked_limits(record)
    )


def asked_limits(record: Record, *, catalogue: bool = False) -> list[Limit]:
    """Return the limits that a plan was asked to keep, its catalogue's own where these are too."""
    from evalfolio.limits.table import made_again

    rows = [row for row in record.limits if catalogue or row.by != "catalogue"]
    return [made for row in rows if (made := made_again(dict(row)))]


def fitted(
    catalogue: Catalogue,
    observations: Observations,
    *,
    seed: int,
    draws: int | None = None,
    keep: Path | None = None,
) -> Posterior:
    """Sample the posterior, with progress; one stored at `keep` from the same inputs will do."""
    from evalbayes.model.fit import DRAWS, fit

    with step("fitting the posterior, unless nothing has changed"):
        return fit(catalogue, observations, seed=seed, draws=draws or DRAWS, keep=keep)


def posterior_of(
    catalogue: Catalogue,
    observation_paths: list[Path] | None,
    posterior_path: Path | None,
    *,
    seed: int,
    draws: int | None = None,
    keep: Path | None = None,
    anchored: Callable[[Mapping[str, float]], object] | None = None,
    unset: Path | None = None,
) -> tuple[Observations | None, Posterior]:
    """Return the observations (None beside a stored fit) and the posterior.

    What is to be said or refused for want of an anchor is, before the long work, by `anchored`: it
    is given the human minutes of the observations by eval. Where figures of the catalogue are set,
    `unset` is its file, and a stored posterior follows them.
    """
    if posterior_path is None:
        observations = _observed(catalogue, observation_paths)
        if anchored is not None:
            anchored(observations.human_minutes)
        return observations, fitted(catalogue, observations, seed=seed, draws=draws, keep=keep)
    if draws is not None:
        raise InputError(
            f"give --draws {draws} or --posterior, not both; a stored posterior holds the draws it "
            "has, so fit again for more"
        )
    if observation_paths:
        raise InputError(
            "give observations or --posterior, not both; a stored posterior already holds its "
            f"observations, so drop {observation_paths[0]}"
        )
    if not posterior_path.is_file():
        raise InputError(
            f"{posterior_path}: must be a posterior.nc that `evalfolio fit` wrote, but there is no "
            "such file; check its name"
        )
    from evalbayes.posterior.posterior import Posterior

    posterior = Posterior.load(posterior_path)
    if anchored is not None:
        anchored(posterior.human_minutes)
    from evalbayes.catalogue import read_catalogue
    from evalfolio.sensitivities.basis import believed

    before = catalogue if unset is None else read_catalogue(unset)
    return None, believed(posterior, before, catalogue)


def say_unanchored(sentences: Mapping[str, str]) -> None:
    """Say first which domains have no anchor, by domain."""
    for sentence in sentences.values():
        say(shown(sentence))


def tell_anchors(
    catalogue: Catalogue, *, deciding: bool
) -> Callable[[Mapping[str, float]], dict[str, str]]:
    """Return what says first which domains have no anchor, given human minutes by eval.

    It refuses to go on where something is to be decided and no domain has one.
    """
    from evalbayes.catalogue.anchors import check_anchored, without_anchor

    def tell(human_minutes: Mapping[str, float]) -> dict[str, str]:
        found = (check_anchored if deciding else without_anchor)(catalogue, human_minutes)
        say_unanchored(found)
        return found

    return tell


def enforce_gate(posterior: Posterior, *, allowed: bool) -> None:
    """Refuse to end well on a fit that failed its gate.

    Called last, after everything is written, so that a failing fit can be looked at.
    """
    diagnostics = posterior.diagnostics
    if diagnostics is None or diagnostics.passed:
        return
    reasons = "; ".join(diagnostics.reasons)
    if allowed:
        warn(f"the fit fails its gate: {reasons}")
        return
    times, chains = diagnostics.times_the_draws, posterior.provenance.get("chains", 1)
    cure = f"fit again with --draws {times * diagnostics.draws // chains} ({times} times as many), "
    raise FitError(
        f"the fit fails its gate: {reasons}; what was written says so in its first line; "
        f"{cure if times > 1 else ''}give more or cleaner observations, or --allow-failed-fit"
    )
