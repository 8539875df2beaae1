"""Numbers short enough to stand inside a neuron."""

from __future__ import annotations

from math import floor, isfinite, log10


def short(value: float | None, digits: int = 3) -> str:
    """Write a number in few letters, with a real minus sign.

    Examples
    --------
    >>> short(255.0), short(-0.05), short(-1020.0), short(0.138498562), short(1e-7), short(123456.7), short(-0.0)
    ('255', '−0.05', '−1020', '0.138', '1e−7', '1.23e5', '0')
    """
    if value is None:
        return "?"
    if not isfinite(value):
        return str(value).replace("-", "−")
    if value == round(value) and abs(value) < 100_000:
        return str(round(value)).replace("-", "−")
    text = f"{value:.{digits}g}"
    if "e" in text:
        whole, _, power = text.partition("e")
        text = f"{whole}e{int(power)}"
    return text.replace("-", "−")


def alike(value: float, largest: float) -> str:
    """Write a number with as many decimals as its neighbours, three digits for the largest; an exact 0 stays "0".

    Examples
    --------
    >>> alike(0.0123, 1.6), alike(-0.25, 0.42), alike(255, 255), alike(0.0, 1.6), alike(0.0001, 1.6)
    ('0.01', '−0.25', '255', '0', '0.00')
    """
    if value == 0:
        return "0"
    if not isfinite(value) or not 1e-3 < largest < 10_000 or value == round(value):
        return short(value, 2)
    decimals = max(0, min(4, 2 - floor(log10(largest)) - (largest < 1)))
    return f"{value:.{decimals}f}".replace("-", "−")


def counted(n: int, what: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "edge"), counted(4704, "neuron")
    ('1 edge', '4,704 neurons')
    """
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def large(n: int) -> str:
    """A count in few letters, exact below a million.

    Examples
    --------
    >>> large(412960), large(672424832), large(25 * 10**12)
    ('412,960', '672.4 M', '25 T')
    """
    for unit, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if n >= unit:
            return f"{n / unit:.4g} {letter}"
    return f"{n:,}"
