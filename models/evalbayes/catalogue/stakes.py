"""Stakes: what a missed danger and a false alarm lose, given in USD or as a probability."""

import math

from scipy.special import ndtr, ndtri

from evalbayes.catalogue.tables import Table
from evalbayes.errors import InputError

LOSSES = ("loss_missed", "loss_false_alarm")
ODDS = ("mitigate_above", "weight")


def psi(z: float) -> float:
    """Return ψ(z) = φ(z) + z Φ(z), the mean of the positive part of a normal N(z, 1).

    >>> round(psi(0.0), 6)
    0.398942
    """
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) + z * float(ndtr(z))


def loss_ratio(mitigate_above: float) -> float:
    """Return loss_missed / loss_false_alarm of someone who mitigates above a probability p*.

    With capability normal at distance z = Φ⁻¹(p*) from the threshold, in sd, both acts lose the
    same when loss_missed · ψ(z) = loss_false_alarm · ψ(−z), so the ratio is ψ(−z) / ψ(z).

    >>> round(loss_ratio(0.5), 6), round(loss_ratio(0.1), 1)
    (1.0, 28.1)
    """
    z = float(ndtri(mitigate_above))
    return psi(-z) / psi(z)


def implied_probability(ratio: float) -> float:
    """Return the p* above which a ratio of losses says to mitigate: the inverse of `loss_ratio`.

    >>> round(implied_probability(loss_ratio(0.1)), 6)
    0.1
    """
    from scipy.optimize import brentq  # slow to import and only wanted for words

    # Beyond 8 sd ψ loses all its digits, and no stakes are that lopsided.
    return float(ndtr(brentq(lambda z: psi(-z) - ratio * psi(z), -8.0, 8.0, xtol=1e-12)))


def stakes_in_points(decided: list[Table]) -> bool:
    """Whether stakes are probabilities (the default); both ways in one catalogue are refused."""
    in_usd = [table for table in decided if any(key in table.entries for key in LOSSES)]
    if not in_usd:
        return True
    for table in decided:
        odds = [key for key in ODDS if key in table.entries]
        if odds:
            other = "too" if table in in_usd else f"while {in_usd[0].label} gives losses"
            raise InputError(
                f"{table.where}: stakes must be given in one way in the whole catalogue, got "
                f"{odds[0]} {other}; give every decision loss_missed and loss_false_alarm, "
                "or mitigate_above and weight"
            )
        for key in LOSSES:
            if key not in table.entries:
                raise InputError(
                    f"{table.where}: {key} must be given, got nothing; stakes are in USD in this "
                    f"catalogue, so give every decision {LOSSES[0]} and {LOSSES[1]}"
                )
    return False
