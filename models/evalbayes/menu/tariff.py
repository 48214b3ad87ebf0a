"""Tariffs: a price per unit that falls or rises by steps with all the volume that a mix buys."""

from dataclasses import dataclass

import numpy as np

from evalbayes.arrays import Array
from evalbayes.errors import InputError
from evalbayes.menu.shared import SharedPurchase

NEAR = 1e-10  # relative: a volume that near to a step has reached it


@dataclass(frozen=True)
class Tariff:
    r"""What a volume costs where its price goes by steps: p·T(L) for L units at the price p.

    Unit by unit T(L) = ∫₀ᴸ f, with f the factor of the step a unit falls into; for all units
    T(L) = f(L)·L. The options' usd hold p·L, and a choice pays p·(T(L) − L) beside them; where U
    units are used already, p·(T(U + L) − T(U) − L).

    InputError if a figure is negative or not a number, or steps do not rise.

    Parameters
    ----------
    resource
        Resource of the menu that counts the volume.
    price
        Expected usd of a unit at the factor 1, which the options' usd hold.
    steps
        Volumes from which on steps hold, rising, each with its factor; before the first it is 1.
    all_units
        Whether the factor of the step reached holds for the units before it too.
    used
        Volume bought before, which has used up its part of the steps.

    >>> Tariff("tokens", 2.0, ((100.0, 0.5),)).units(np.array([80.0, 300.0]))  # T(L) − L
    array([   0., -100.])
    """

    resource: str
    price: float
    steps: tuple[tuple[float, float], ...]
    all_units: bool = False
    used: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple((float(at), float(f)) for at, f in self.steps))
        figures = np.array([self.price, self.used, *np.ravel(self.steps)])
        rising = all(np.diff([at for at, _ in self.steps]) > 0)
        if not (rising and np.isfinite(figures).all() and (figures >= 0).all()):
            raise InputError(
                f"tariff of {self.resource!r}: price, rising volumes and factors must be finite "
                f"numbers, 0 or more, got {figures.tolist()}; mend them"
            )

    def pieces(self, most: float) -> Array:
        """Return low, width, factor and jump of the pieces of T up to a volume, (n_pieces, 4).

        The jump is what T rises by where a piece begins, both in units.
        """
        starts, factors = np.array(sorted({0.0: 1.0, **dict(self.steps)}.items())).T
        first = int(np.searchsorted(starts, self.used * (1 + NEAR), side="right")) - 1
        low = np.maximum(starts[first:] - self.used, 0.0)
        low = low[: max(int((low < most).sum()), 1)]
        factors = factors[first : first + len(low)]
        width = np.diff(low, append=max(most, low[-1] + 1.0))
        jump = np.diff(factors, prepend=factors[0]) * (low + self.used) * self.all_units
        return np.column_stack([low, width, factors, jump])

    def units(self, volume: Array) -> Array:
        """Return T(L) − L of volumes, in units."""
        pieces = self.pieces(float(np.max(volume, initial=0.0)))
        return np.asarray(parts(volume, pieces) @ unit_costs(pieces))

    def lines(self, pieces: Array, needed_by: tuple[str, ...]) -> list[SharedPurchase]:
        """Return the `parts` as lines of a bill, each with its usd where it is filled."""
        name = self.resource.rpartition(".")[2]
        held = [
            f"{name} from {low + self.used:,.10g} on at {factor:.4g} of the price"
            for low, _, factor, _ in pieces
        ]
        named = [*(f"{line}, those before it" for line in held[1:]), *held]
        costs = [{"usd": float(self.price * units)} for units in unit_costs(pieces)]
        return [
            SharedPurchase(line, usd, needed_by, told="a step in the price of")
            for line, usd in zip(named, costs, strict=True)
        ]


def parts(volume: Array, pieces: Array) -> Array:
    """Return which pieces but the first are reached (1) and what of each is filled, 0 to 1.

    T(L) is linear in them: see `unit_costs`. Of shape (..., 2·n_pieces − 1).
    """
    low, width = pieces[:, 0], pieces[:, 1]
    filled = np.clip((volume[..., None] - low) / width, 0.0, 1.0)
    reached = volume[..., None] >= low[1:] * (1 - NEAR)
    filled[..., :-1] = np.where(reached, 1.0, filled[..., :-1])
    return np.concatenate([reached, filled], axis=-1, dtype=np.float64)


def unit_costs(pieces: Array) -> Array:
    """Return what every part adds to T(L) − L, in units."""
    _, width, factors, jump = pieces.T
    return np.concatenate([jump[1:], (factors - 1.0) * width])


def ties(volume: Array, pieces: Array) -> Array:
    """Return the rows <= 0 of [x; parts] that tie parts to the volume of a choice.

    All of it is in the pieces, and a piece is reached where the one before is full, filled where it
    is reached: of shares it is the convex hull of T.
    """
    reached, filled = np.split(np.eye(2 * len(pieces) - 1), [len(pieces) - 1])
    whole = np.concatenate([volume, 0.0 * pieces[1:, 1], -pieces[:, 1]]) / pieces[:, 1].sum()
    order = np.vstack([reached - filled[:-1], filled[1:] - reached])
    return np.vstack([whole, -whole, np.pad(order, ((0, 0), (len(volume), 0)))])
