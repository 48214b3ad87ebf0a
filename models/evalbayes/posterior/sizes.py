"""Signs and sizes of what a posterior holds: beyond them no fit goes, and no arithmetic of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.errors import InputError


@dataclass(frozen=True)
class Sizes:
    """The numbers that a quantity may hold: from `least` to `most`, `above` the least, `whole`."""

    least: float
    most: float
    above: bool = False
    whole: bool = False

    def check(self, name: str, values: NDArray[Any]) -> None:
        """Refuse an array with another number in it.

        InputError naming the quantity, its sizes and what came.

        Examples
        --------
        >>> POSITIVE.check("validity_sd", np.array([0.4, -0.4]))
        Traceback (most recent call last):
          ...
        evalbayes.errors.InputError: posterior: validity_sd must be finite numbers above 0 and at...
        """
        if values.dtype.kind not in "fiu":
            raise InputError(f"posterior: {name} must be {self}, got {values.dtype}")
        if not values.size:
            return
        for end in (float(values.min()), float(values.max())):  # either is NaN where one is
            enough = self.least < end if self.above else self.least <= end
            if not enough or not end <= self.most or not math.isfinite(end):
                raise InputError(f"posterior: {name} must be {self}, got {end:g}")
        if self.whole and values.dtype.kind == "f" and (values != np.round(values)).any():
            raise InputError(f"posterior: {name} must be {self}, got decimals")

    def __str__(self) -> str:
        what = "whole numbers" if self.whole else "finite numbers"
        low = f"above {self.least:g}" if self.above else f"from {self.least:g}"
        return f"{what} {low} {'and at most' if self.above else 'to'} {self.most:g}"


ANY = Sizes(-1e6, 1e6)  # in a domain's unit: doublings of time span some 20
POSITIVE = Sizes(0.0, 1e6, above=True)
LN_SPEND = Sizes(-100.0, 100.0)  # e^100 tokens are more than were ever computed
SHARE = Sizes(0.0, 1.0)
COUNT = Sizes(0, 1e12, whole=True)

# Draws by name: axes after the first, and sizes.
QUANTITIES: dict[str, tuple[tuple[str, ...], Sizes]] = {
    "shown": (("knot", "ai_model"), ANY),
    "gap": (("knot", "ai_model"), POSITIVE),
    "slope": (("domain", "ai_model"), POSITIVE),
    "difficulty": (("eval",), ANY),
    "family_error": (("family", "ai_model"), ANY),
    "private_error": (("eval", "ai_model"), ANY),
    "validity_sd": (("domain",), POSITIVE),
    "family_sd": (("domain",), POSITIVE),
    "walk_sd": (("domain",), Sizes(0.0, 1e6)),
    "gap_range": (("domain",), POSITIVE),
    "gap_departure": (("eval", "ai_model"), ANY),
    "gap_departure_sd": (("domain",), POSITIVE),
    "success_location": (("eval", "ai_model"), LN_SPEND),
    "gave_up_location": (("eval", "ai_model"), LN_SPEND),
    "success_scale": (("eval",), POSITIVE),
    "spend_width": (("eval", "ai_model"), POSITIVE),
    "spend_tail": (("eval", "ai_model"), POSITIVE),
    "spend_family": (("eval", "ai_model"), Sizes(0, math.inf, whole=True)),
    "gave_up_scale": (("eval",), POSITIVE),
    "task_sd": (("eval",), POSITIVE),
}
