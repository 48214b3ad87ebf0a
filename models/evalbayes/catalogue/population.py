"""The population prior of the elicitation gap: the small table that ships, read without a fit.

`evalfolio gains` makes it from published measurements, by the random-effects model of
`evalbayes.elicitation.population`.
"""

import math
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from evalbayes.catalogue.interval import Interval
from evalbayes.errors import InputError

EVERYWHERE = "all domains"
MEASURED = {  # what a domain is called, and the measured one that is
    "cyber": r"\bcyber|\bhack|\bctf|\bexploit|\bvulnerab|\boffensive security",
    "AI R&D": r"\bai ?r ?(n ?|and )?d\b|\bai research|\bml research|\bself improve|"
    r"\bautomated r|\bml engineering",
    "bio": r"\bbio|\bvirolog|\bpathogen|\bcbrn\b",
    "software": r"\bsoftware|\bcoding\b|\bswe\b|\bprogramming\b",
    "autonomy": r"\bautonom|\bself prolif|\breplicat|\bagentic",
    "science": r"\bscien",
    "maths": r"\bmath",
    "reasoning": r"\breasoning\b",
}
ATTEMPTS = 8  # of an actor with a verifier, as the table was made


@dataclass(frozen=True)
class PopulationGap:
    """The gap of a new AI model in a domain, in doublings."""

    domain: str  # the measured domain, or "all domains" for one that nobody measured
    interval: Interval  # interval, median: its 90 % interval, and its middle
    median: float
    studies: int  # studies, measurements: how many it rests on
    measurements: int
    # verifier, tools: whether the actor can tell a success and try again; whether the baseline
    # agent has tools
    verifier: bool
    tools: bool

    def __str__(self) -> str:
        wide = f"median {self.median:.2g}, 90 % {self.interval.low:.2g} to {self.interval.high:.2g}"
        own = f"in {self.domain}" if self.domain != EVERYWHERE else f"over {EVERYWHERE}"
        also = " and best of 8 attempts" * self.verifier + ", from a baseline without tools" * (
            not self.tools
        )
        return f"population prior of {self.studies} studies {own}{also}: {wide}"


def measured(name: str) -> str | None:
    """Return the measured domain that a name means, None where nobody measured it.

    >>> measured("ai_rnd"), measured("Biosecurity"), measured("chem")
    ('AI R&D', 'bio', None)
    """
    plain = re.sub(r"[\W_]+", " ", name.casefold())
    return next((key for key, words in MEASURED.items() if re.search(words, plain)), None)


def population_gap(name: str, *, verifier: bool = False, tools: bool = True) -> PopulationGap:
    """Return the population prior of a domain by its name; of all domains where none fits.

    >>> population_gap("Cyber offence").domain, population_gap("persuasion").domain
    ('cyber', 'all domains')
    """
    rows = {
        row["domain"]: row
        for row in _shipped()["gap"]
        if row["verifier"] == verifier and row["tools"] == tools
    }
    row = rows[measured(name) or EVERYWHERE]
    return PopulationGap(
        row["domain"],
        Interval(row["low"], row["high"]),
        row["median"],
        row["studies"],
        row["measurements"],
        verifier,
        tools,
    )


def effort_of(hours: float) -> float:
    """Share of the staff-driven gap that hours reach: h/(h + H), with diminishing returns.

    >>> 0.1 < effort_of(16) < 0.3 < effort_of(100) < 0.8
    True
    """
    return hours / (hours + effort_half())


def effort_share(effort: float, attempts: float) -> float:
    """Share of a gap that holds what attempts add, reached by effort and k attempts.

    Levers combine as √(S² + B²), some 0.7 of the sum of equal ones (0.5 to 0.9 is published):
    √((W·e)² + B(k)²)/√(W² + B(8)²), B(k) ∝ (log₂ k)^q.

    >>> effort_share(1.0, 8), effort_share(0.6, 1) < effort_share(0.6, 4) < 1
    (1.0, True)
    """
    whole = population_gap("").median

    def added(k: float) -> float:
        power = axis("power of further attempts")[1]
        return axis("doublings of a second attempt")[1] * math.log2(k) ** power if k > 1 else 0.0

    reached = math.hypot(whole * effort, added(attempts)) / math.hypot(whole, added(ATTEMPTS))
    return min(reached, 1.0)


def effort_half() -> float:
    """Staff hours H that reach half of the gap."""
    return axis("hours to half of the gap")[1]


def axis(figure: str) -> tuple[float, float, float]:
    """Return low, median and high of a figure of the two axes, a 90 % interval."""
    row = next(each for each in _shipped()["axis"] if each["figure"] == figure)
    return row["low"], row["median"], row["high"]


def spend_gain(multiplier: float, released: float) -> Interval:
    """Doublings that `multiplier` times the tokens add to an AI model's horizon, as 90 % interval.

    By the year of its release, such as 2025.5: newer AI models make more of their tokens.

    >>> spend_gain(1, 2026.0)
    Interval(low=0.0, high=0.0)
    """
    if not 1 <= multiplier < math.inf:
        raise InputError(f"multiplier must be 1 or more, got {multiplier:g}; swap the two budgets")
    if not 2015 < released < 2100:
        raise InputError(f"released must be a year such as 2025.5, got {released:g}; write one")
    low, _, high = axis("doublings per doubling of tokens")
    ups = math.log2(multiplier) * axis("factor on it by year of release")[1] ** (released - 2025.5)
    return Interval(low * ups, high * ups)


@cache
def _shipped() -> dict[str, Any]:
    path = files("evalbayes") / "catalogue" / "population.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
