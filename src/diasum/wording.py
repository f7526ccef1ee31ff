"""Amounts in words, as they stand in sentences: rounded to what a reader needs, in the singular where it is one."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 thread``, ``2 threads``, ``1,200 turns``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def with_article(name: str) -> str:
    """``a Linear``, ``an Embedding``; by the first letter, as it is written."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def size(count: float) -> str:
    """Bytes: ``3.1 GB``, ``88 MB``, ``12 kB``; never none of a larger unit."""
    for unit, factor, digits in (("GB", 1e9, 1), ("MB", 1e6, 0)):
        if count >= factor:
            return f"{count / factor:.{digits}f} {unit}"
    return f"{max(count, 0) / 1e3:.0f} kB"


def duration(seconds: float) -> str:
    """``1 second``, ``45 seconds``, ``12 minutes``, ``1.5 hours``; a second at least."""
    amount, unit = _rounded(seconds, _unit(seconds))
    return f"{amount} {unit if amount == '1' else f'{unit}s'}"


def duration_range(least: float, most: float) -> str:
    """``2 to 9 minutes``, ``40 seconds to 2 minutes``; one duration where both are the same in words."""
    unit = _unit(most)
    if unit == "second" or least >= 0.75 * _UNITS[unit]:
        amount, longest = _rounded(least, unit)[0], _rounded(most, unit)[0]
        return duration(most) if amount == longest else f"{amount} to {longest} {unit}s"
    return f"{duration(least)} to {duration(most)}"


_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


def _unit(seconds: float) -> str:
    return "second" if seconds < 90 else "minute" if seconds < 5400 else "hour"


def _rounded(seconds: float, unit: str) -> tuple[str, str]:
    amount = seconds / _UNITS[unit]
    return (f"{amount:.1f}" if unit == "hour" else f"{max(1, round(amount))}"), unit
