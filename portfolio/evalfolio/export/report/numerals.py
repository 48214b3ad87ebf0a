"""Numbers as people read them: money, shares, caps, times."""

import math

from evalfolio.narrative import decimals_beside, two_digits

DASH = "–"


def money(value: float | None) -> str:
    """Return an amount for a table: whole dollars, cents under ten.

    >>> money(8123.4), money(0.25), money(0.0), money(None), money(0.000012)
    ('$8,123', '$0.25', '$0', '–', '$0.000012')
    """
    if value is None:
        return DASH
    if value and abs(value) < 0.995:
        digits = max(2, 1 - math.floor(math.log10(abs(value))))
        return f"${value:.{digits}f}"
    return f"${value:,.0f}" if abs(value) >= 10 or value == int(value) else f"${value:.2f}"


def about(value: float | None) -> str:
    """Return an amount for a sentence, two significant digits.

    >>> about(8123.4)
    '$8,100'
    """
    return DASH if value is None else f"${two_digits(value)}"


def share(value: float | None, rule: float | None = None) -> str:
    """Return a share as a percentage; what is not quite 0 or 1 does not read so.

    Beside a rule stated for it, it has as many digits as tell on which side it lies.

    >>> share(0.834), share(0.0123), share(0.9996), share(1.0), share(0.0002), share(None)
    ('83 %', '1.2 %', '> 99 %', '100 %', '< 0.1 %', '–')
    >>> share(0.0995, 0.1), share(0.1047, 0.1), share(0.3, 0.1)
    ('9.95 %', '10.5 %', '30 %')
    """
    if value is None:
        return DASH
    if (decimals := decimals_beside(value, rule)) > 0:
        return f"{100 * value:.{decimals}f} %"
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.995 <= value < 1:
        return "> 99 %"
    return f"{two_digits(100 * value)} %"


def figure(value: float | None, digits: int = 2) -> str:
    """Return a number of a domain's unit.

    >>> figure(9.934), figure(-0.0001), figure(None)
    ('9.93', '0.00', '–')
    """
    if value is None:
        return DASH
    return f"{value + 0.0 if abs(value) >= 0.5 * 10**-digits else 0.0:.{digits}f}"


def compact(value: float | None) -> str:
    """Return a cap or a spend in thousands, millions or billions, three digits at most.

    >>> compact(2_000_000), compact(307_500), compact(12.5), compact(0.0), compact(None)
    ('2 M', '308 k', '12.5', '0', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def amount(value: float | None, unit: str) -> str:
    """Return a spend or a cap with its unit: money with cents, hours as people tell time.

    >>> amount(307_500, "tokens"), amount(12.4, "usd"), amount(0.0547, "hours"), amount(10, "hours")
    ('308 k tokens', '$12', '3.3 min', '10 h')
    >>> amount(2e-7, "hours"), amount(2e-7, "usd"), amount(None, "usd")
    ('< 1 s', '< 1 ¢', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    if unit == "usd":
        return "< 1 ¢" if 0 < value < 0.01 else money(value)
    if unit != "hours":
        return f"{compact(value)} {unit}".rstrip()
    for size, letters in ((1.0, "h"), (1 / 60, "min"), (1 / 3600, "s")):
        if value >= 0.995 * size:
            return f"{two_digits(value / size)} {letters}"
    return "< 1 s" if value > 0 else "0 h"


def hours(value: float | None) -> str:
    """Return hours of work for a table.

    >>> hours(206.83), hours(2.4), hours(None)
    ('207', '2.4', '–')
    """
    if value is None:
        return DASH
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def human_time(doublings: float) -> str:
    """Return log2 of human minutes as a time.

    >>> human_time(5.9069), human_time(8.9069), human_time(2.0), human_time(12.0), human_time(-2)
    ('1 h', '8 h', '4 min', '68 h', '15 s')
    """
    minutes = 2.0**doublings
    if minutes < 0.9:
        return f"{two_digits(minutes * 60)} s"
    return f"{two_digits(minutes)} min" if minutes < 59 else f"{two_digits(minutes / 60)} h"
