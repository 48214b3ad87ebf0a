"""Signs and sizes of what a posterior holds: beyond them no fit goes, and no arithmetic of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.curves.law import STACKED
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

DRAWN = {
    "shown": ANY,
    "gap": POSITIVE,
    "slope": POSITIVE,
    "difficulty": ANY,
    "family_error": ANY,
    "private_error": ANY,
    "validity_sd": POSITIVE,
    "family_sd": POSITIVE,
    "walk_sd": Sizes(0.0, 1e6),
    "gap_range": POSITIVE,
    "gap_departure": ANY,
    "gap_departure_sd": POSITIVE,
    "success_location": LN_SPEND,
    "gave_up_location": LN_SPEND,
    "success_scale": POSITIVE,
    "spend_width": POSITIVE,
    "spend_tail": POSITIVE,
    "spend_family": Sizes(0, len(STACKED) - 1, whole=True),
    "gave_up_scale": POSITIVE,
    "task_sd": POSITIVE,
}
