"""The seam: all options of all evals, what each costs and what information each adds."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import ENOTEMPTY
from functools import cached_property
from pathlib import Path
from uuid import uuid4
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd

from evalbayes.arrays import Array, Flags, Positions
from evalbayes.decision import MOST, Decision
from evalbayes.errors import InputError, other_format
from evalbayes.halves import Replicates
from evalbayes.menu.shared import SharedPurchase, check_shared, needs_of
from evalbayes.menu.tariff import Tariff, parts
from evalbayes.names import refuse_other

REQUIRED_COLUMNS = ("eval", "domain", "tier")
FILES = ("menu.json", "options.parquet", "arrays.npz")  # of the folder that holds one
FORMAT = 1
WITH_SHARED = 2  # of menus with shared purchases, which a reader of format 1 would give away
WITH_TARIFFS = 3  # likewise
SHARED_DRAWS = "shared_draws_"

# Arrays of information that a menu has checked, by id while they live: a menu made of another,
# as a search makes by the dozen, takes the same ones or parts of them.
SHARPEST = 1e16  # times as sure: of more, what is left of a variance is rounding
SOUND: WeakValueDictionary[int, Array] = WeakValueDictionary()
FINITE: WeakValueDictionary[int, Array] = WeakValueDictionary()


@dataclass(frozen=True, eq=False, repr=False)  # frames and arrays: no truth value, no short text
class Menu:
    """What can be bought: statistics make it, the optimiser reads it, nothing else crosses.

    Choosing the options x leaves the states with precision
    ``M(x) = inv(prior_covariance) + sum_o x_o information_o``; at most one option per eval.

    InputError if a shape, a name, a sign or positive (semi-)definiteness is wrong; the option or
    the state at fault is named.

    Parameters
    ----------
    options
        One row per option, index "option"; columns eval, domain, tier and one column per
        resource with the expected use. Further columns describe.
    resources
        Names of the resource columns, e.g. ("usd", "staff_hours").
    information
        Posterior mean information of each option, symmetric positive semi-definite, of shape
        (n_options, n_states, n_states), per squared unit of the states.
    states
        Names of the states, e.g. ("cyber.shown", "cyber.gap").
    prior_mean, prior_covariance
        Normal belief about the states before any option, of shapes (n_states,) and
        (n_states, n_states); the covariance is positive definite.
    decisions
        What the results are for.
    information_draws
        The same information under posterior draws, of shape
        (n_draws, n_options, n_states, n_states), or None.
    resource_draws
        Use of the resources under posterior draws, of shape (n_draws, n_options, n_resources),
        or None.
    skewed
        States believed to be lognormal, with the mean and variance that the prior gives them
        (elicitation gaps, which cannot be negative); the others are normal. Readings are normal
        given the states either way.
    replicates
        The menu from halves of the posterior draws, which tell its Monte Carlo noise; None where
        the draws are too few or the menu was not made from draws.
    no_anchor
        Domains that no decision is about, as nothing ties their scale to their threshold, each with
        a sentence: see `evalbayes.catalogue.anchors`.
    shared
        What several options need and is paid once: a choice x also buys every purchase that one of
        its options needs, so it uses ``with_shared(x) @ costs_with_shared`` of the resources.
    tariffs
        Prices that go by steps with the volume of a whole choice; the options' usd hold the list
        price, and the steps' parts follow from a choice as shared purchases do.

    Examples
    --------
    >>> options = pd.DataFrame(
    ...     {"eval": ["a", "b"], "domain": "cyber", "tier": "plateau", "usd": [100.0, 300.0]},
    ...     index=pd.Index(["a plateau", "b plateau"], name="option"),
    ... )
    >>> menu = Menu(
    ...     options, ("usd",), np.array([[[1.0]], [[2.0]]]), ("cyber.shown",),
    ...     np.array([6.0]), np.array([[4.0]]),
    ...     (Decision("cyber", np.array([1.0]), 8.9, 9.0, 1.0),),
    ... )
    >>> print(menu)
    Menu of 2 options of 2 evals: 2 plateau
    an option's use: usd 100 to 300
    decisions: cyber; 1 states; no posterior draws
    """

    options: pd.DataFrame
    resources: tuple[str, ...]
    information: Array
    states: tuple[str, ...]
    prior_mean: Array
    prior_covariance: Array
    decisions: tuple[Decision, ...]
    information_draws: Array | None = None
    resource_draws: Array | None = None
    skewed: tuple[str, ...] = ()
    replicates: Replicates | None = None
    no_anchor: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[SharedPurchase, ...] = ()
    tariffs: tuple[Tariff, ...] = ()

    def __post_init__(self) -> None:
        n_options, n_states = len(self.options), len(self.states)
        for key in ("resources", "states", "decisions", "skewed", "shared", "tariffs"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        shapes: dict[str, tuple[int | None, ...]] = {
            "information": (n_options, n_states, n_states),
            "prior_mean": (n_states,),
            "prior_covariance": (n_states, n_states),
            "information_draws": (None, n_options, n_states, n_states),
            "resource_draws": (None, n_options, len(self.resources)),
        }
        if self.replicates is not None:
            self._check_replicates()
        for key, shape in shapes.items():
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, _finite_array(key, value, shape))
        self._check_options()
        self._check_names()
        for key, blocks in (
            ("information", [self.information]),
            ("information_draws", self.information_draws),
        ):
            if blocks is not None and SOUND.get(id(getattr(self, key))) is None:
                for block in blocks:
                    self._check_information(key, block)
                SOUND[id(getattr(self, key))] = getattr(self, key)
        covariance = self.prior_covariance
        symmetric = np.allclose(covariance, covariance.T, rtol=1e-9, atol=0.0)
        if not symmetric or np.linalg.eigvalsh(covariance).min() <= 0:
            raise InputError(
                f"menu: prior_covariance of the states {self.states} must be symmetric positive "
                "definite; drop a state that is a sum of others, or give every state some variance"
            )
        sharp = np.diagonal(self.information, axis1=1, axis2=2)
        if self.information_draws is not None:
            most = np.diagonal(self.information_draws, axis1=2, axis2=3).max(axis=0, initial=0.0)
            sharp = np.maximum(sharp, most)
        sharp = sharp * np.diag(covariance)
        if sharp.max(initial=0.0) > SHARPEST:
            option, state = divmod(int(sharp.argmax()), len(self.states))
            raise InputError(
                f"option {self.options.index[option]!r}: information times the prior variance of "
                f"{self.states[state]!r} must be at most {SHARPEST:g}, got {sharp.max():.3g}, "
                "which leaves but rounding of it; give less information or a smaller variance"
            )
        check_shared(self.shared, self.options.index, self.resources, self.resource_draws)
        for name in ["usd", *(each.resource for each in self.tariffs)] if self.tariffs else ():
            refuse_other(name, self.resources, "tariffs: usd and volumes must be resources")

    def __len__(self) -> int:
        return len(self.options)

    def __str__(self) -> str:
        evals, use = (
            self.options["eval"].nunique(),
            self.options[list(self.resources)].astype(float),
        )
        prices = [f"{name} {_three(use[name].min())} to {_three(use[name].max())}" for name in use]
        tiers = [f"{count} {tier}" for tier, count in self.options["tier"].value_counts().items()]
        named = [d.name for d in self.decisions]
        between = "; " if any("," in name for name in named) else ", "
        draws = 0 if self.information_draws is None else len(self.information_draws)
        lines = (
            f"Menu of {len(self)} options of {evals} evals: {', '.join(tiers) or 'none'}",
            f"an option's use: {'; '.join(prices) or 'no resource'}" if len(self) else "",
            f"decisions: {between.join(named)}; {len(self.states)} states; "
            f"{draws or 'no'} posterior draws",
            f"shared: {'; '.join(map(str, self.shared))}" if self.shared else "",
            *self.no_anchor.values(),
        )
        return "\n".join(line for line in lines if line)

    def __repr__(self) -> str:
        return f"<{self}>"

    @property
    def costs(self) -> Array:
        """Expected use of every resource by every option, of shape (n_options, n_resources)."""
        return self.options[list(self.resources)].to_numpy(dtype=np.float64)

    @cached_property
    def needs(self) -> Array:
        """1 where an option needs a shared purchase, of shape (n_options, n_shared)."""
        return needs_of(self.shared, self.options.index)

    @cached_property
    def _evals(self) -> Positions:
        return np.asarray(self.options["eval"].factorize()[0])

    @cached_property
    def volumes(self) -> Array:
        """What every option adds to the volume of every tariff, of shape (n_options, n_tariffs)."""
        return self.costs[:, [self.resources.index(each.resource) for each in self.tariffs]]

    @cached_property
    def steps(self) -> list[tuple[Tariff, Array, Array]]:
        """Every tariff with its column of `volumes` and its pieces up to the most of a choice."""
        most = np.zeros((self._evals.max(initial=0) + 1, len(self.tariffs)))
        np.maximum.at(most, self._evals, self.volumes)
        pairs = zip(self.tariffs, self.volumes.T, most.sum(axis=0).tolist(), strict=True)
        return [(each, volume, each.pieces(whole)) for each, volume, whole in pairs]

    @cached_property
    def following(self) -> tuple[SharedPurchase, ...]:
        """What follows from a choice and is paid beside it: purchases, then steps of prices.

        In the order of `with_shared`; of a step it is what its part costs where that is filled.
        """
        names = self.options.index.astype(str)
        lines = [each.lines(pieces, tuple(names[own > 0])) for each, own, pieces in self.steps]
        return (*self.shared, *(line for own in lines for line in own))

    @cached_property
    def whole(self) -> Flags:
        """Which of the options and of what follows from them are 0 or 1, of shape (n_choice,)."""
        shares = [np.arange(2 * len(p) - 1) < len(p) - 1 for _, _, p in self.steps]
        return np.concatenate([np.ones(len(self) + len(self.shared), dtype=bool), *shares])

    @cached_property
    def costs_with_shared(self) -> Array:
        """Expected use by options, then by what follows from them: (n_choice, n_resources)."""
        own = [[each.use.get(name, 0.0) for name in self.resources] for each in self.following]
        return np.vstack([self.costs, np.reshape(own, (len(own), len(self.resources)))])

    @property
    def costs_alone(self) -> Array:
        """Expected use by every option with all that it needs, at list prices, as `costs`."""
        own = self.costs_with_shared[len(self) : len(self) + len(self.shared)]
        return np.asarray(self.costs + self.needs @ own)

    @cached_property
    def draws_with_shared(self) -> Array | None:
        """`resource_draws` of options and then of what follows from them, or None."""
        if self.resource_draws is None or not self.following:
            return self.resource_draws
        expected, n = self.costs_with_shared[len(self) :], len(self.resource_draws)
        own = [
            np.broadcast_to(use, (n, len(use))) if each.draws is None else each.draws
            for each, use in zip(self.following, expected, strict=True)
        ]
        return np.concatenate([self.resource_draws, np.stack(own, axis=1)], axis=1)

    def use_draws_of(self, x: Array, resource: str) -> Array | None:
        """Return what a whole choice uses of a resource under draws, of shape (n_draws,), or None.

        Prices that go by steps go by each draw's own volume and list price.
        """
        drawn, at = self.draws_with_shared, self.resources.index
        if drawn is None:
            return None
        both = np.concatenate([x, self.bought(x)])
        used = np.asarray(drawn[:, : len(both), at(resource)] @ both)
        for each, own, _ in self.steps if resource == "usd" else ():
            mine = np.flatnonzero(x * own)
            usd, volume = (drawn[:, mine, at(name)].sum(axis=1) for name in ("usd", each.resource))
            resets = (self.costs[mine, at("usd")] - each.price * own[mine]).sum()
            used += (usd - resets) / np.maximum(volume, 1e-300) * each.units(volume)
        return used

    def bought(self, x: Array) -> Array:
        """Return which shared purchases a choice needs, of shape (n_shared,).

        Of shares of options it is the least that is bought: the most that any one eval takes of
        the options that need it.
        """
        if not self.shared:
            return np.zeros(0)
        taken = np.zeros((self._evals.max(initial=0) + 1, len(self.shared)))
        np.add.at(taken, self._evals, self.needs * np.asarray(x)[:, None])
        return np.asarray(taken.max(axis=0, initial=0.0))

    def steps_at(self, volumes: Array) -> Array:
        """Return the parts of the steps of prices at volumes of shape (..., n_tariffs)."""
        found = [parts(volumes[..., k], pieces) for k, (_, _, pieces) in enumerate(self.steps)]
        return np.concatenate([np.zeros((*volumes.shape[:-1], 0)), *found], axis=-1)

    def with_shared(self, x: Array) -> Array:
        """Return a choice and then all that follows from it, of shape (n_choice,)."""
        both = np.concatenate([x, self.bought(x)])
        return np.append(both, self.steps_at(x @ self.volumes)) if self.tariffs else both

    def use_of(self, x: Array) -> Array:
        """Return what a choice uses of every resource, shared purchases once, prices by steps."""
        return np.asarray(self.with_shared(x) @ self.costs_with_shared)

    def subset(self, keep: Flags) -> "Menu":
        """Return the menu of the kept options only; `keep` has shape (n_options,)."""
        information, use = self.information_draws, self.resource_draws
        options, mean = self.options.loc[keep], self.information[keep]
        information = None if information is None else information[:, keep]
        SOUND.update((id(each), each) for each in (mean, information) if each is not None)
        return replace(
            self,
            options=options,
            information=mean,
            information_draws=information,
            resource_draws=None if use is None else use[:, keep],
            replicates=None if self.replicates is None else self.replicates.subset(keep),
            shared=tuple(each.among(options.index) for each in self.shared),
        )

    def at_costs(self, options: pd.DataFrame) -> "Menu":
        """Return the menu with other costs of its options, of which draws move in proportion."""
        moved = replace(self, options=options)
        if self.resource_draws is None:
            return moved
        ratio = np.divide(
            moved.costs, self.costs, out=np.ones(self.costs.shape), where=self.costs > 0
        )
        return replace(moved, resource_draws=self.resource_draws * ratio)

    def save(self, folder: str | Path) -> Path:
        """Write the menu into `folder`, whole or not at all, without pickle; return the folder.

        InputError if something else lies in the folder, which would be lost, or it cannot be
        written.
        """
        folder, work, others = Path(folder), Path(), list[str]()
        try:
            with suppress(FileNotFoundError):
                others = [path.name for path in folder.iterdir() if path.name not in FILES]
            if others:
                raise InputError(
                    f"{folder}: a menu must have a folder of its own, got {others[0]!r} in it, "
                    "which would be lost; move it, or give another folder"
                )
            folder.parent.mkdir(parents=True, exist_ok=True)
            # A name of its own: another process may be writing the same menu.
            work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            (partial := work / "new").mkdir()
            self._write(partial)
            while True:  # again where that process puts its own between the two moves
                with suppress(FileNotFoundError):
                    folder.rename(work / uuid4().hex)
                try:
                    partial.rename(folder)
                    return folder
                except OSError as error:
                    if error.errno != ENOTEMPTY:
                        raise
        except OSError as error:
            raise InputError(
                f"{folder}: must be a folder that can be written, got {error.strerror or error}; "
                "give another, or make room"
            ) from error
        finally:
            if work.name:
                shutil.rmtree(work, ignore_errors=True)

    def _write(self, partial: Path) -> None:
        self.options.to_parquet(partial / "options.parquet")
        arrays = {
            "information": self.information,
            "prior_mean": self.prior_mean,
            "prior_covariance": self.prior_covariance,
            "contrasts": np.array([d.contrast for d in self.decisions]).reshape(
                len(self.decisions), len(self.states)
            ),
        }
        for key in ("information_draws", "resource_draws"):
            if getattr(self, key) is not None:
                arrays[key] = getattr(self, key)
        if self.replicates is not None:
            arrays |= self.replicates.arrays()
        for k, each in enumerate(self.shared):
            if each.draws is not None:
                arrays[f"{SHARED_DRAWS}{k}"] = each.draws
        # numpy's stub takes the names for its own keywords
        np.savez_compressed(partial / "arrays.npz", **arrays)  # type: ignore[arg-type]  # see above
        head = {
            "format": WITH_TARIFFS if self.tariffs else WITH_SHARED if self.shared else FORMAT,
            "resources": self.resources,
            "states": self.states,
            "skewed": self.skewed,
            "no_anchor": dict(self.no_anchor),
            "decisions": [
                {key: value for key, value in vars(d).items() if key != "contrast"}
                for d in self.decisions
            ],
            "shared": [
                {"name": s.name, "use": dict(s.use), "needed_by": s.needed_by, "days": s.days}
                for s in self.shared
            ],
        }
        if self.tariffs:
            head["tariffs"] = [vars(each) for each in self.tariffs]
        (partial / "menu.json").write_text(json.dumps(head, indent=2, default=float) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> "Menu":
        """Read a menu that `save` wrote.

        InputError if the folder holds no menu of a format this version reads.
        """
        folder = Path(folder)
        try:
            head = json.loads((folder / "menu.json").read_text(encoding="utf-8"))
            if not isinstance(head, dict):
                raise ValueError("menu.json is no JSON object")
            if other := other_format(head.get("format"), FORMAT, WITH_SHARED, WITH_TARIFFS):
                raise InputError(f"menu {other}; make the menu again with this version")
            options = pd.read_parquet(folder / "options.parquet")
            # NumPy leaves a file that it opened itself open on failure.
            with (
                (folder / "arrays.npz").open("rb") as stream,
                np.load(stream, allow_pickle=False) as stored,
            ):
                arrays = dict(stored)
            contrasts = arrays.pop("contrasts")
            decisions = tuple(
                Decision(contrast=contrast, **row)
                for contrast, row in zip(contrasts, head["decisions"], strict=True)
            )
            shared = tuple(
                SharedPurchase(**row, draws=arrays.pop(f"{SHARED_DRAWS}{k}", None))
                for k, row in enumerate(head.get("shared", ()))
            )
            return cls(
                options=options,
                shared=shared,
                tariffs=tuple(Tariff(**row) for row in head.get("tariffs", ())),
                resources=tuple(head["resources"]),
                states=tuple(head["states"]),
                skewed=tuple(head.get("skewed", ())),
                decisions=decisions,
                replicates=Replicates.taken(arrays),
                no_anchor=head.get("no_anchor", {}),
                **arrays,
            )
        except InputError as error:
            raise InputError(f"{folder}: {error}") from error
        except Exception as error:  # zip, Parquet and JSON fail in dozens of ways, all of them here
            why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(
                f"{folder}: must be a folder written by Menu.save, but it cannot be read "
                f"({why.partition(chr(10))[0]}); give the menu/ folder of a plan"
            ) from error

    def _check_options(self) -> None:
        for column in (*REQUIRED_COLUMNS, *self.resources):
            if column not in self.options.columns:
                raise InputError(
                    f"menu: options must have a column {column!r}, "
                    f"got {sorted(map(str, self.options.columns))}; add it"
                )
        repeated = self.options.index[self.options.index.duplicated()]
        if len(repeated):
            raise InputError(
                f"menu: option names must be unique, but {repeated[0]!r} occurs twice; rename one"
            )
        costs = self.costs
        bad = ~np.isfinite(costs) | (costs < 0)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise InputError(
                f"option {self.options.index[row]!r}: {self.resources[column]} must be a finite "
                f"number, 0 or more, got {costs[row, column]}; mend the cost"
            )

    def _check_names(self) -> None:
        for key, names in (
            ("resources", self.resources),
            ("states", self.states),
            ("decisions", tuple(d.name for d in self.decisions)),
        ):
            for name in names:
                if not isinstance(name, str):
                    raise InputError(f"menu: names of {key} must be text, got {name!r}"[:200])
            if not names and key != "resources":
                raise InputError(f"menu: there must be at least one of {key}, got none; add one")
            if len(set(names)) < len(names):
                raise InputError(f"menu: names of {key} must be unique, got {names}; rename one")
        for name in self.skewed:
            if name in self.states and self.prior_mean[self.states.index(name)] < 1 / MOST:
                raise InputError(
                    f"menu: prior_mean of {name!r}, which is lognormal, must be above 0, got "
                    f"{self.prior_mean[self.states.index(name)]:g}"
                )
            if name not in self.states:
                raise InputError(
                    f"menu: skewed must name states of the menu, got {name!r}; use one of "
                    f"{', '.join(self.states)}"
                )
        for decision in self.decisions:
            if decision.contrast.shape != (len(self.states),):
                raise InputError(
                    f"decision {decision.name!r}: contrast must have one weight for each of the "
                    f"{len(self.states)} states, got {decision.contrast.shape[0]}"
                )
            plain = [name not in self.skewed for name in self.states]
            weights = np.abs(decision.contrast)
            if weights[plain].max(initial=0.0) <= 1e-9 * weights.max():
                raise InputError(
                    f"decision {decision.name!r}: contrast must give weight to a state that is "
                    f"not skewed, got {decision.contrast}"
                )

    def _check_information(self, key: str, information: Array) -> None:
        if not len(information):
            return
        size = np.abs(information).max(axis=(1, 2), initial=0.0)
        skew = np.abs(information - information.transpose(0, 2, 1)).max(axis=(1, 2), initial=0.0)
        slack = np.where(size > 0, 1e-9 * size, 1.0)[:, None, None] * np.eye(len(self.states))
        try:  # a tenth of the time of eigenvalues, which only an error needs
            np.linalg.cholesky(information + slack)
            least = np.zeros(len(information))
        except np.linalg.LinAlgError:
            least = np.linalg.eigvalsh(information).min(axis=1)
        bad = np.flatnonzero((skew > 1e-9 * size) | (least < -1e-9 * size))
        if len(bad):
            raise InputError(
                f"option {self.options.index[bad[0]]!r}: {key} must be symmetric positive "
                f"semi-definite, got a least eigenvalue of {least[bad[0]]:.3g}"
            )

    def _check_replicates(self) -> None:
        assert self.replicates is not None
        n_options, n_states = len(self.options), len(self.states)
        for key, shape in {
            "information": (n_options, n_states, n_states),
            "prior_mean": (n_states,),
            "prior_covariance": (n_states, n_states),
            "costs": (n_options, len(self.resources)),
        }.items():
            for one in getattr(self.replicates, key):  # a copy of all at once would be large
                _finite_array(f"replicates.{key}", one, shape)


def _three(value: float) -> str:
    """Return an amount in three digits.

    >>> _three(104_321.0), _three(0.02171)
    ('104,000', '0.0217')
    """
    return f"{float(f'{value:.3g}'):,.10g}"


def _finite_array(key: str, value: object, shape: tuple[int | None, ...]) -> Array:
    """Return `value` as floats after checking its shape (None: any length) and finiteness."""
    array = np.asarray(value, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        want is None or got == want for got, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = tuple("any" if n is None else n for n in shape)
        raise InputError(f"menu: {key} must have shape {wanted}, got {array.shape}")
    if FINITE.get(id(array)) is array:  # of a menu that another was made from
        return array
    largest = max(array.max(initial=0.0), -array.min(initial=0.0))  # of NaN it is NaN
    if not np.isfinite(largest):
        raise InputError(f"menu: {key} must be finite, but it holds NaN or infinity")
    if largest > MOST:
        raise InputError(
            f"menu: {key} must lie within ±{MOST:g}, got {largest:g}; give it in a larger unit"
        )
    FINITE[id(array)] = array
    return array
