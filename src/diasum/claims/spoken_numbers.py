"""Numbers, times and dates in what people say: every reading that makes sense.

"nine thirty" is 9:30, 930 and 9.30, since for the checks built on this a wrong alarm costs more than a missed one. English only. Times
are minutes on a twelve-hour clock, so that 21:30 and "half past nine" agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

UNIT_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNIT_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth"
)
_TEN_ORDINALS = "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"
SCALES = {
    "hundred": 100,
    "hundredth": 100,
    "thousand": 1000,
    "k": 1000,
    "grand": 1000,
    "million": 10**6,
    "billion": 10**9,
}
ORDINALS = {word: value for value, word in enumerate(_UNIT_ORDINALS.split(), 1)} | {
    word: 10 * value for value, word in enumerate(_TEN_ORDINALS.split(), 2)
}
CARDINALS = (
    {"zero": 0, "oh": 0}
    | {word: value for value, word in enumerate(UNIT_WORDS.split(), 1)}
    | {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), 2)}
    | {"fourty": 40, "dozen": 12}
)
SPOKEN = CARDINALS | ORDINALS | {word.replace("y", "ies"): 10 * n for n, word in enumerate(_TEN_WORDS.split(), 2)}
_MONTHS = "january february march april may june july august september october november december"
MONTHS = {name: number for number, month in enumerate(_MONTHS.split(), 1) for name in (month, month[:3])} | {"sept": 9}
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
WEEKDAYS = {name: number for number, day in enumerate(_WEEKDAYS.split()) for name in (day, day[:3])} | {
    "tues": 1, "weds": 2, "thur": 3, "thurs": 3,
}  # fmt: skip


@dataclass(slots=True)
class SpokenValues:
    """Every reading of the numbers in a text; times in minutes, modulo twelve hours; months 1 to 12, weekdays 0 to 6."""

    numbers: set[float] = field(default_factory=set)
    times: set[int] = field(default_factory=set)
    months: set[int] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)

    def supports(self, kind: str, value: float) -> bool:
        """Whether a part of a fact was said in any reading."""
        if kind == "month":
            return value in self.months
        if kind == "weekday":
            return value in self.weekdays
        if kind == "year":
            return not self.numbers.isdisjoint((value, value % 100, 1900 + value % 100, 2000 + value % 100))
        if kind == "time":
            return value in self.times
        return value in self.numbers or (kind == "amount" and value * 100 in self.numbers)


def number(text: str) -> float | None:
    """The value of a number as written or spelt: ``2,000``, ``$40``, ``2 million``, ``twenty-five``, ``two dozen``; None if none."""
    return spell(atoms(text.lower()))


_TOKEN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?k?\b|\d+(?:,\d{3})*(?:\.\d+)?|[a-z]+")
_CURRENCY_WORD = "dollars?|bucks?|euros?|pounds?|yuan|yen"
_GAP = re.compile(
    rf"(?:[ \-:.,/$]{{0,3}}|(?:st|nd|rd|th)(?: of)?,? |,? and (?:a )?| point | (?:{_CURRENCY_WORD})(?:,? and)? |s )\Z"
)
_PAST_GAP = re.compile(r" ?(?:minutes? )?(past|after|to|before|till|of) \Z")
_HALF = re.compile(r"\b(half|quarter)(?: (past|after|to|before|till|of))? ([a-z]+|\d+)")
_EXTRA: dict[str, tuple[float, ...]] = {  # what other words may stand for
    "half": (0.5,), "quarter": (0.25,), "third": (33,), "thirds": (33, 66), "couple": (2,), "both": (2,), "pair": (2,),
    "twice": (2,), "double": (2, 200), "twins": (2,), "once": (1,), "single": (1,), "a": (1,), "an": (1,), "triple": (3,), "all": (100,),
    "fortnight": (2, 14), "free": (0,), "dozen": (12,), "noon": (12,), "midday": (12,), "midnight": (12,),
}  # fmt: skip
# "Half an hour" is 30 and "half the price" is 50, but "half past nine" is neither; quarters alike.
_PARTS = (
    (re.compile(r"half (?:an |of an |a )?hour|hours? and a half"), (30, 90)),
    (re.compile(r"half[ -](?:of|the|price|off|my|our|your)\b"), (50,)),
    (re.compile(r"half a dozen"), (6,)),
    (re.compile(r"quarters? of an hour"), (15, 45)), (re.compile(r"\bquarters? (?:of|the)\b"), (25, 75)),
)  # fmt: skip
_UNIT_AFTER = re.compile(r"[\s-]*(?:an? )?(?:and a half )?(weeks?|years?|hours?|days?|months?|dozens?|cents?)\b")
_FACTORS = {"week": 7, "year": 12, "hour": 60, "day": 24, "month": 30, "dozen": 12, "cent": 0.01}
_LATE_HOUR = re.compile(r"\b(1[3-9]|2[0-4])(?:[.:]00\b|\s?h\b|\s?o['’]?\s?clock)")
_SLASHED = re.compile(r"\b(\d{1,2})[/-](\d{1,2})(?:[/-](\d{2,4}))?\b")


def spoken_values(text: str) -> SpokenValues:
    """Every number, time, month and weekday that a dialogue's text may be read to mention."""
    lower = text.lower()
    tokens = list(_TOKEN.finditer(lower))
    words = {match.group() for match in tokens}
    result = SpokenValues()
    for run in _runs(lower, tokens, result):
        _read_run(run, result, decimal="point" in words)
    for word in words & _EXTRA.keys():
        result.numbers.update(_EXTRA[word])
    if words & {"half", "quarter"}:
        for match in _HALF.finditer(lower):
            _add_past(30.0 if match[1] == "half" else 15.0, match[2] or "past", number(match[3]), result)
        for pattern, values in _PARTS:
            if pattern.search(lower):
                result.numbers.update(values)
    result.times.update(60 * int(hour) % 720 for hour in _LATE_HOUR.findall(lower))
    if words & {"noon", "midday", "midnight"}:
        result.times.add(0)
    result.months.update(MONTHS[word] for word in words & MONTHS.keys())
    days = {word.removesuffix("s") if word.endswith("days") else word for word in words}
    result.weekdays.update(WEEKDAYS[word] for word in days & WEEKDAYS.keys())
    if result.weekdays and words & {"tomorrow", "yesterday"}:
        result.weekdays |= {(day + step) % 7 for day in result.weekdays for step in (-1, 1)}
    if "/" in lower or "-" in lower:
        for a, b, _ in _SLASHED.findall(lower):
            result.months.update(month for month in (int(a), int(b)) if 1 <= month <= 12)
    return result


def _add_past(minutes: float, word: str, hour: float | None, into: SpokenValues) -> None:
    if hour is not None and 1 <= hour <= 24 and minutes < 60:
        into.times.add(int(60 * hour + (minutes if word in ("past", "after") else -minutes)) % 720)


Atom = tuple[str, float]


def atoms(text: str) -> list[Atom]:
    """The numbers and number words of a lower-case text, each with its value."""
    return [atom for match in _TOKEN.finditer(text) for atom in _atom(match.group())]


@lru_cache(maxsize=8192)
def _atom(word: str) -> tuple[Atom, ...]:
    """A token as parts of a number; empty where it is none ("oh" and "grand" are, as they may be)."""
    if word[0].isdigit():
        value = (word.rstrip("k"), float(word.rstrip("k").replace(",", "")))
        return (value, ("k", 1000.0)) if word[-1] == "k" else (value,)
    if word in SCALES:
        return ((word, float(SCALES[word])),) if word != "k" else ()
    return ((word, float(SPOKEN[word])),) if word in SPOKEN else ()


def _runs(lower: str, tokens: list[re.Match[str]], into: SpokenValues) -> Iterator[list[Atom]]:
    """Numbers that stand next to one another and may be one; a unit after a run adds its conversion as a run of its own."""
    run: list[Atom] = []
    end = 0
    for match in tokens:
        atoms = _atom(match.group())
        if not atoms:
            continue
        if run:
            gap = lower[end : match.start()]
            if not _GAP.match(gap):
                if past := _PAST_GAP.match(gap):
                    _add_past(_value(run), past[1], atoms[0][1], into)
                yield from _with_unit(run, lower, end)
                run = []
        run.extend(atoms)
        end = match.end()
    if run:
        yield from _with_unit(run, lower, end)


def _value(run: list[Atom]) -> float:
    return spell(groups(run)[-1]) or 0.0


def _with_unit(run: list[Atom], lower: str, end: int) -> Iterator[list[Atom]]:
    yield run
    unit = _UNIT_AFTER.match(lower, end)
    if not unit and lower.startswith(" and a half", end):
        yield [("", _value(run) + 0.5)]
    if unit:
        value, factor = _value(run), _FACTORS[unit[1].rstrip("s")]
        halves = (0.0, 0.5) if "half" in lower[end : end + 25] else (0.0,)
        into = {(value + half) * f for half in halves for f in (1, factor)}
        yield from ([("", round(number, 4))] for number in into)


def _read_run(run: list[Atom], into: SpokenValues, *, decimal: bool) -> None:
    into.numbers.update(value for word, value in run if word not in SCALES)
    cut = groups(run)
    values = [value for group in cut if (value := spell(group)) is not None]
    into.numbers.update(values)
    for value in values:
        if 1 <= value <= 12:  # a bare 20 is not an hour: "$20" does not support "8 pm"
            into.times.add(int(60 * value) % 720)
        if 100 <= value <= 2400 and value % 100 < 60:
            into.times.add(int(value // 100 * 60 + value % 100) % 720)
        hour, minute = divmod(round(value * 100), 100)
        if value != int(value) and 1 <= hour <= 24 and minute < 60:
            into.times.add((60 * hour + minute) % 720)
    if len(values) < 2 and not decimal:
        return
    for a, b in pairwise(values):
        if a == int(a) and b == int(b) and 0 <= b < 100:
            into.numbers.update((a * 100 + b, round(a + b / (10 if b < 10 else 100), 4)))
            if 0 <= a <= 24 and b < 60:
                into.times.add(int(60 * a + b) % 720)
    digits = [_digits(group) for group in cut]
    for i, first in enumerate(digits):
        joined = first
        for j, part in enumerate(["", *digits[i + 1 : i + 12]]):
            joined += part
            if len(joined) > 15 or not joined.isdigit():
                break
            if j:
                into.numbers.add(float(joined))
            if decimal:
                into.numbers.update(
                    float(f"{whole}.{joined}") for whole in ("0", *digits[i - 1 : i]) if whole.isdigit()
                )


def _digits(group: list[Atom]) -> str:
    if len(group) == 1 and group[0][0].isdigit():
        return group[0][0]
    value = spell(group)
    return f"{value:.0f}" if value is not None else ""


def groups(run: list[Atom]) -> list[list[Atom]]:
    """Cut a run into the longest groups that spell one number: nine | thirty, twenty-five, two hundred and fifty | three."""
    grouped: list[list[Atom]] = []
    for atom in run:
        if grouped and spell([*grouped[-1], atom]) is not None:
            grouped[-1].append(atom)
        else:
            grouped.append([atom])
    return grouped


def spell(run: list[Atom]) -> float | None:
    """The value of number words by the grammar of English numerals; None where they are not one number."""
    if not run:
        return None
    total = 0.0
    current: float | None = None
    for word, value in run:
        if word in SCALES or word == "dozen":
            if word in ("hundred", "hundredth", "dozen"):
                if current is not None and (current >= 100 or current == 0):
                    return None
                current = (1 if current is None else current) * value
            else:
                if total and value >= total:
                    return None
                total += (1 if current is None else current) * value
                current = None
            continue
        if current is None:
            if total and (value >= 1000 or (word[:1].isdigit() and total < 1000)):
                return None
            current = value
        elif word[:1].isdigit() or not value or word == "":
            return None
        elif (current % 100 == 0 and current and value < 100) or (
            current % 100 >= 20 and current % 10 == 0 and 0 < value < 10
        ):
            current += value
        else:
            return None
    return total + (current or 0.0)
