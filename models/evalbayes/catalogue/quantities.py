"""Kinds of figures a catalogue holds, each with its rule and the sentence said when it breaks.

The sentences begin after the name of the key: "must be above 0, got -3; ...". Whoever reads a table
puts the place and the key before them.
"""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from numbers import Real
from typing import Annotated, Any

from pydantic import BeforeValidator

from evalbayes.decision import State
from evalbayes.names import cure
from evalbayes.tables.numerals import NotANumber, numeral

PROMISE = ("tasks", "tier", "attempts", "to", "note")
TIERS = ("sweet-spot", "plateau", "max-elicitation")


def number(value: Any) -> float:
    """Return a finite number.

    >>> number("12")
    Traceback (most recent call last):
    ValueError: must be a number, got the text '12'; write it without quotes, or, in a ...
    """
    if isinstance(value, str):
        raise ValueError(f"must be a number, got the text {value!r}; {_as_number(value)}")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"must be a number, got {value!r}; write one number")
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number, got {value}; write a number or leave it out")
    return float(value)


def _as_number(words: str) -> str:
    """Return how text is made a number, in TOML and in a spreadsheet."""
    try:
        numeral(words)
        cure = "write it"
    except NotANumber as error:
        cure = f"{error.cure},"
    return (
        f"{cure} without quotes, or, in a spreadsheet, as a number and not as text, with the "
        "decimal sign of its language"
    )


def _numbers(
    holds: Callable[[float], bool], rule: str, cure: str, read: Callable[[Any], float] = number
) -> Callable[[Any], float]:
    """Return a reader of the numbers for which a rule holds."""

    def ruled(value: Any) -> float:
        got = read(value)
        if not holds(got):
            raise ValueError(f"must {rule}, got {got:g}; {cure}")
        return got

    return ruled


UNKNOWN = "leave it out where it is not known"
positive = _numbers(lambda x: x > 0, "be above 0", UNKNOWN)
not_negative = _numbers(lambda x: x >= 0, "be 0 or more", UNKNOWN)
one_or_more = _numbers(lambda x: x >= 1, "be 1 or more", "1 lets gains simply add up")
share = _numbers(lambda x: 0 <= x <= 1, "be a share from 0 to 1", "write 0.25 for 25 %")
positive_share = _numbers(lambda x: x > 0, "be above 0, up to 1", UNKNOWN, share)
inner_share = _numbers(lambda x: 0 < x < 1, "lie strictly between 0 and 1", "write 0.1 for 10 %")
guessing = _numbers(
    lambda x: x < 1, "be below 1", "write 0.25 where one answer in four is right", share
)
kept_share = _numbers(lambda x: x < 1, "be below 1", "all of the budget would be kept back", share)
count = _numbers(lambda x: x >= 0 and x.is_integer(), "be a whole number, 0 or more", "round it")
positive_count = _numbers(
    lambda x: x >= 1 and x.is_integer(), "be a whole number, 1 or more", "round it"
)


def text(value: Any) -> str:
    """Return text that is not blank, without blanks around it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a name in quotes, got {value!r}; write some text")
    return value.strip()


def domain_name(value: Any) -> str:
    """Return a name that no knot of another domain can have: states are named "cyber@5.4.gap"."""
    name = text(value)
    if State(name, "gap").domain != name:
        raise ValueError(
            f"must not end in @ and a number, as places on a scale do, got {name!r}; rename it"
        )
    return name


def yes_or_no(value: Any) -> bool:
    """Return true or false; yes and no, 1 and 0 count too, as spreadsheets write them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("yes", "no"):
        return value.strip().lower() == "yes"
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise ValueError(f"must be true or false, got {value!r}; write one of the two")


def promised(value: Any) -> bool | dict[str, Any]:
    """Return whether an eval is mandatory, or what is promised of it.

    A promise is a table of `tasks` ("all", or the least number), `tier`, `attempts` (least, a
    task), `to` (whom) and `note`.

    >>> promised({"tasks": "all", "attempts": 4.0, "to": "the board"})
    {'tasks': 'all', 'attempts': 4, 'to': 'the board'}
    """
    if not isinstance(value, Mapping):
        return yes_or_no(value)
    if not value:
        raise ValueError("must say what is promised, got an empty table; write true")
    found: dict[str, Any] = {}
    for key, given in value.items():
        if key not in PROMISE:
            raise ValueError(f"must hold {', '.join(PROMISE)}, got {key!r}; {cure(key, PROMISE)}")
        number = isinstance(given, int | float) and not isinstance(given, bool)
        if key in ("tasks", "attempts") and not (key == "tasks" and given == "all"):
            if not number or given < 1 or not float(given).is_integer():
                other = ' or "all"' if key == "tasks" else ""
                raise ValueError(
                    f"must have {key} as a whole number from 1{other}, got {given!r}; mend {key}"
                )
            found[key] = int(given)
        elif not isinstance(given, str) or not given.strip():
            raise ValueError(f"must have {key} as text, got {given!r}; mend {key} or leave it out")
        elif key == "tier" and given not in TIERS:
            raise ValueError(
                f"must have a tier of {', '.join(TIERS)}, got {given!r}; {cure(given, TIERS)}"
            )
        else:
            found[key] = given.strip()
    return found


def noise(value: Any) -> str:
    """Return how a mean score scatters: "normal" or "beta"."""
    if value not in NOISES:
        raise ValueError(
            f'must be "normal" or "beta", got {value!r}; beta keeps scores that crowd at an end of '
            "their scale inside it"
        )
    return str(value)


def day(value: Any) -> date:
    """Return a date; text as 2025-08-07 counts too.

    >>> day("2025-08-07")
    datetime.date(2025, 8, 7)
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise ValueError(f"must be a date, got {value!r}; write it as 2025-08-07") from None


NOISES = ("normal", "beta")

Number = Annotated[float, BeforeValidator(number)]
Positive = Annotated[float, BeforeValidator(positive)]
NotNegative = Annotated[float, BeforeValidator(not_negative)]
OneOrMore = Annotated[float, BeforeValidator(one_or_more)]
Share = Annotated[float, BeforeValidator(share)]
PositiveShare = Annotated[float, BeforeValidator(positive_share)]
InnerShare = Annotated[float, BeforeValidator(inner_share)]
Guessing = Annotated[float, BeforeValidator(guessing)]
Count = Annotated[int, BeforeValidator(count)]
PositiveCount = Annotated[int, BeforeValidator(positive_count)]
Text = Annotated[str, BeforeValidator(text)]
DomainName = Annotated[str, BeforeValidator(domain_name)]
Noise = Annotated[str, BeforeValidator(noise)]
Day = Annotated[date, BeforeValidator(day)]
YesOrNo = Annotated[bool, BeforeValidator(yes_or_no)]


def hours_by_skill(value: Any) -> float | dict[str, float] | None:
    """Read hours as one number or as a table by skill; None stays None.

    >>> hours_by_skill({"bio": 120, "cyber": 40})
    {'bio': 120.0, 'cyber': 40.0}
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return not_negative(value)
    if not value:
        raise ValueError("must name at least one skill, got an empty table; give a number instead")
    return {text(skill): not_negative(hours) for skill, hours in value.items()}


def kept_back(value: Any) -> float | dict[str, float]:
    """Read the share of the money that is kept back, or a table of shares by resource.

    >>> kept_back(0.1), kept_back({"usd": 0.1, "staff_hours": {"bio": 0.05}})
    (0.1, {'usd': 0.1, 'staff_hours.bio': 0.05})
    """
    if not isinstance(value, Mapping):
        return kept_share(value)
    shares: dict[str, float] = {}
    for resource, share in value.items():
        # staff_hours.bio = 0.05 is a table inside the table, where no quotes say otherwise
        skills = share if isinstance(share, Mapping) else {"": share}
        for skill, own in skills.items():
            shares[f"{text(resource)}.{text(skill)}" if skill else text(resource)] = kept_share(own)
    if not shares:
        raise ValueError("must name at least one resource, got an empty table; give a share")
    return shares


KeptBack = Annotated[float | dict[str, float], BeforeValidator(kept_back)]


def total_hours(hours: float | Mapping[str, float]) -> float:
    """Return all hours together."""
    return sum(hours.values()) if isinstance(hours, Mapping) else float(hours)


def split_hours(
    hours: float | Mapping[str, float],
    skills: tuple[str, ...],
    domain: str,
    like: Mapping[str, float] | None = None,
    *,
    given: bool = True,
) -> Any:
    """Return `hours` in the form of the budget: by skill where there are skills, else one number.

    One number goes to the only skill, or to the one that has the name of the eval's domain; failing
    that, or where nobody gave it, to skills in the proportions of `like`.
    """
    if not skills:
        return total_hours(hours)
    if isinstance(hours, Mapping):
        return dict(hours)
    if len(skills) == 1:
        return {skills[0]: float(hours)}
    if domain in skills and (given or not like):
        return {domain: float(hours)}
    if like:
        whole = sum(like.values())
        return {skill: float(hours) * part / whole for skill, part in like.items()}
    raise ValueError(
        f"must be split by skill, as the catalogue's staff hours are, got {hours:g}; "
        f"write for example {{{skills[0]} = {hours:g}}}, one of: {', '.join(sorted(skills))}"
    )
