"""Signs and sizes of what a posterior holds: beyond them no fit goes, and no arithmetic of ours."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalbayes.errors import InputError


@dataclass(frozen=True)
class Sizes:
    """The numbers that a quantity may hold: from `least` to `most`, `above` the least, `whole`.

    Positions along an axis (`along`) end with it; `untold`, all may be NaN.
    """

    least: float
    most: float
    above: bool = False
    whole: bool = False
    along: str = ""
    untold: bool = False

    def check(self, name: str, values: NDArray[Any]) -> None:
        """Refuse an array with another number in it."""
        if values.dtype.kind not in "fiu":
            raise InputError(f"posterior: {name} must be {self}, got {values.dtype}")
        if not values.size or (self.untold and np.isnan(values).all()):
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
PLACE = Sizes(-1e6, 1e6, untold=True)
PAIR = ("eval", "ai_model")

# Draws by name: axes after the first, and sizes.
QUANTITIES: dict[str, tuple[tuple[str, ...], Sizes]] = {
    "shown": (("knot", "ai_model"), ANY),
    "gap": (("knot", "ai_model"), POSITIVE),
    "slope": (("domain", "ai_model"), POSITIVE),
    "difficulty": (("eval",), ANY),
    "family_error": (("family", "ai_model"), ANY),
    "private_error": (PAIR, ANY),
    "validity_sd": (("domain",), POSITIVE),
    "family_sd": (("domain",), POSITIVE),
    "walk_sd": (("domain",), Sizes(0.0, 1e6)),
    "gap_range": (("domain",), POSITIVE),
    "gap_departure": (PAIR, ANY),
    "gap_departure_sd": (("domain",), POSITIVE),
    "success_location": (PAIR, LN_SPEND),
    "gave_up_location": (PAIR, LN_SPEND),
    "success_scale": (("eval",), POSITIVE),
    "spend_width": (PAIR, POSITIVE),
    "spend_tail": (PAIR, POSITIVE),
    "spend_family": (PAIR, Sizes(0, math.inf, whole=True, along="spend_family")),
    "gave_up_scale": (("eval",), POSITIVE),
    "task_sd": (("eval",), POSITIVE),
}

SEEN = ("n_success", "n_gave_up", "n_stopped", "largest_cap", "n_late", "n_facing")
# All else by name: axes and sizes.
CONSTANT: dict[str, tuple[tuple[str, ...], Sizes]] = {
    **dict.fromkeys(("n_runs", *SEEN), (PAIR, COUNT)),
    "largest_cap": (PAIR, Sizes(0.0, math.exp(LN_SPEND.most))),
    "loadings": (("eval", "domain"), ANY),
    "knot_domain": (("knot",), Sizes(0, math.inf, whole=True, along="domain")),
    "knot_place": (("knot",), PLACE),
    "reach": (("eval", "knot"), ANY),
    "gap_prior": (("domain", "moment"), ANY),
    "told_at": (("domain", "ai_model"), PLACE),
    "family_of": (("eval",), Sizes(-1, math.inf, whole=True, along="family")),
    "spend_weights": (("eval", "spend_family"), SHARE),
}
