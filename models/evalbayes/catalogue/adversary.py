"""Who would do harm, and what they can spend: a threshold holds at an adversary's budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from evalbayes.catalogue.decided import LevelSpec
from evalbayes.catalogue.domain import DomainSpec
from evalbayes.catalogue.eval import EvalSpec
from evalbayes.errors import InputError


@dataclass(frozen=True)
class Adversary:
    """What an adversary may spend in a domain; None: without limit."""

    domain: str  # whose threshold is meant
    spend: float | None  # spend, unit: spend per attempt, and its unit
    unit: str
    usd: float | None  # the same in USD, at the middle price of the domain's evals of that unit
    attempts: int | None  # how many they make, the best of which counts

    def __str__(self) -> str:
        k = self.attempts
        many = "" if k is None else f"{k:,} attempt{'s' * (k > 1)}"
        if self.spend is None:
            return f"{many} at any spend"
        amount = f"{self.spend:,.0f}" if 100 <= self.spend < 1e12 else f"{self.spend:g}"
        amount = f"${amount}" if self.unit == "usd" else f"{amount} {self.unit}"
        return f"{many} at up to {amount} each" if many else f"up to {amount} an attempt"


def adversary_of(
    spec: DomainSpec, level: LevelSpec | None, evals: Sequence[EvalSpec], where: str
) -> Adversary | None:
    """Return who a domain's threshold, or a level of it, is held against; None: without limit."""
    spend, attempts = spec.adversary_spend, spec.adversary_attempts
    if level is not None:
        spend, attempts = level.adversary_spend or spend, level.adversary_attempts or attempts
    if attempts is not None and not spec.adversary_verifier:
        raise InputError(
            f"{where}: adversary_attempts must go with adversary_verifier = true, got "
            f"{attempts} attempts of one who cannot tell a success; set it in the domain, or drop "
            "adversary_attempts"
        )
    if spend is None:
        if spec.adversary_spend_unit is not None:
            raise InputError(
                f"{where}: adversary_spend_unit must go with adversary_spend, got "
                f"{spec.adversary_spend_unit!r} alone; add adversary_spend = ..., or drop it"
            )
        return None if attempts is None else Adversary(spec.name, None, "usd", None, attempts)
    own = [each for each in evals if each.domain == spec.name]
    units = sorted({each.spend_unit for each in own})
    unit = spec.adversary_spend_unit or (units[0] if len(units) == 1 else None)
    if unit is None or unit not in (*units, "usd"):
        known = " and ".join(units) or "none, as it has no evals"
        raise InputError(
            f"{where}: adversary_spend must be in usd or a unit of the domain's evals ({known}), "
            f'got {unit or "none"}; write adversary_spend_unit = "usd" or one of those'
        )
    if not own:
        raise InputError(
            f"{where}: adversary_spend must go with evals whose runs say what tasks take, got none "
            "in the domain; add an eval, or drop it"
        )
    prices = [each.usd_per_unit.mid for each in own if each.spend_unit == unit]
    price = 1.0 if unit == "usd" else median(prices)
    return Adversary(spec.name, spend, unit, spend * price, attempts)
