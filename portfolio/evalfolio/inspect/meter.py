"""What a run has spent, what is in flight, and whether one more sample still fits its limits."""

from collections.abc import Collection, Mapping
from math import nan
from typing import Any

import numpy as np

from evalbayes.arrays import Array
from evalbayes.catalogue import EvalSpec
from evalfolio.errors import InputError
from evalfolio.narrative import two_digits
from evalfolio.readers.log_header import usage_record
from evalfolio.readers.prices import Prices

METERED = ("usd", "tokens", "hours")  # hours of agents, all samples together


class Meter:
    """Run-wide limits, held before every sample that starts.

    A sample in flight counts as the most it may use: its cap at the catalogue's price, or what the
    dearest sample of its eval has used, if that is more. One starts where what is spent and all in
    flight, itself among them, fit the limits. So no limit is passed by more than what samples in
    flight (at most Inspect's `max_samples`) use beyond that: the last model call of a run stopped
    by its cap, a price that turns out higher.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        if not set(limits) <= set(METERED) or not all(most >= 0 for most in limits.values()):
            raise InputError(
                f"limits must be of {', '.join(METERED)}, each 0 or more, got {dict(limits)}; "
                "write limits={'tokens': 1e9}"
            )
        self.limits = np.array([limits.get(name, np.inf) for name in METERED])
        self.spent = np.zeros(len(METERED))
        self.seen: dict[str, list[Array]] = {}  # what samples of every eval have used
        self.flying: dict[object, Array] = {}

    def starts(self, key: object, name: str, most: Array) -> bool:
        """Count a sample of an eval as in flight if it fits; `most` is by its cap."""
        own = np.max([most, *self.seen.get(name, [])], axis=0)
        used = self.spent + own + sum(self.flying.values(), np.zeros(len(METERED)))
        if fits := bool((used <= self.limits * (1 + 1e-9)).all()):
            self.flying[key] = own
        return fits

    def ends(self, key: object, name: str, used: Array) -> None:
        """Count what a sample of an eval has used."""
        self.flying.pop(key, None)
        self.spent = self.spent + used
        self.seen.setdefault(name, []).append(used)

    def __str__(self) -> str:
        told = [
            f"{two_digits(spent)} of {two_digits(most)} {name} spent"
            for name, spent, most in zip(METERED, self.spent, self.limits, strict=True)
            if np.isfinite(most)
        ]
        return ", ".join(told) or f"{two_digits(self.spent[0])} usd spent"


def amounts_of(sample: Any, spec: EvalSpec, prices: Prices) -> Array:
    """Return what an `EvalSample` has used of `METERED`.

    Money by the price table, else as the log reports it, else spend at the catalogue's price. A
    clock that went back counts as no time.
    """
    usd, tokens = usage_of(sample, prices)
    hours, working = (max(s or 0.0, 0.0) / 3600 for s in (sample.total_time, sample.working_time))
    if np.isnan(usd):
        spend = {"tokens": tokens, "hours": working}.get(spec.spend_unit, 0.0)
        usd = spend * spec.usd_per_unit.lognormal_mean
    return np.array([usd, tokens, hours])


def usage_of(sample: Any, prices: Prices) -> tuple[float, float]:
    """Return USD and tokens of an `EvalSample`: by the price table, else as the log bills it.

    NaN USD where neither knows.
    """
    usage = {model: usage_record(each) for model, each in (sample.model_usage or {}).items()}
    found = {model: prices.find(model) for model in usage}
    usd = sum(p.usd(usage[m]) if p else usage[m].get("cost", nan) for m, p in found.items())
    return usd if usage else nan, sum(each["total"] for each in usage.values())


class Gate:
    """Inspect's `EarlyStopping` of one task: lets a sample start once, and where it fits."""

    def __init__(
        self, meter: Meter, spec: EvalSpec, cap: float, had: Collection[tuple[str, int]]
    ) -> None:
        self.meter, self.spec, self.had = meter, spec, had
        own = [cap * (spec.spend_unit == name) for name in METERED]
        own[0] = cap * spec.usd_per_unit.lognormal_mean
        self.most = np.array(own)

    async def start_task(self, task: Any, samples: list[Any], epochs: int) -> str:
        """Name the manager."""
        return "evalfolio"

    async def schedule_sample(self, id: str | int, epoch: int) -> Any:
        """Let a sample start, wait while it may yet fit, or stop it."""
        import anyio
        from inspect_ai.util import EarlyStop

        key = (str(id), epoch)
        while key not in self.had:
            if self.meter.starts((self, key), self.spec.name, self.most):
                return None
            if not self.meter.flying:
                return EarlyStop(id=id, epoch=epoch, reason="would pass the limits of the run")
            await anyio.sleep(0.05)
        return EarlyStop(id=id, epoch=epoch, reason="has been run already")

    def ended(self, id: str | int, epoch: int, used: Array) -> None:
        """Count a sample that has ended, whether it was scored or not."""
        self.meter.ends((self, (str(id), epoch)), self.spec.name, used)

    async def complete_sample(self, id: str | int, epoch: int, scores: Any) -> None:
        """Do nothing: the source is told of samples without a score too."""

    async def complete_task(self) -> dict[str, Any]:
        """Return nothing to be kept."""
        return {}
