"""The numbers, times, dates and amounts that a summary states, each in the one way it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diasum.claims.spoken_numbers import (
    CARDINALS,
    MONTHS,
    ORDINALS,
    SPOKEN,
    UNIT_WORDS,
    WEEKDAYS,
    atoms,
    groups,
    number,
    spell,
)  # fmt: skip

# Measures: a count before one of these is a quantity somebody said; a small count before other words may be the writer's own.
MEASURES = (
    "second|minute|min|hour|day|night|week|month|year|semester|dollar|buck|cent|pound|euro|yuan|rmb|yen|mile|kilometer|kilometre|km|"
    "meter|metre|foot|feet|inch|inches|kilo|kilogram|gram|mg|ml|ounce|gallon|liter|litre|degree|time|percent|star|"
    "point|bedroom|pack|tablet|pill|dose|page|credit|grade|floor|child|children|kid|block|stop"
)
_MEASURE = re.compile(rf"[\s-]+(?:more |other |extra )?(?:{MEASURES})s?\b", re.I)
_CURRENCY = r"dollars?|bucks?|cents?|pounds?|quid|euros?|yuan|rmb|yen|usd|percent|per\s?cent|pct|%"

_WORD_NUMBER = "|".join(sorted([*CARDINALS, "hundred", "thousand", "million", "billion"], key=len, reverse=True))
_ORDINAL_WORD = "|".join(sorted(ORDINALS, key=len, reverse=True))
_DIGITS = r"\d+(?:,\s?\d{3})*(?:\.\d+)?"
_NUM = rf"(?:{_DIGITS}(?:\s?(?:hundred|thousand|million|billion|k)\b)?|(?:{_WORD_NUMBER})(?:(?:\s|-|\sand\s)(?:{_WORD_NUMBER}))*\b)"
_ORD = rf"(?:\d+(?:st|nd|rd|th)\b|(?:(?:twenty|thirty)[\s-])?(?:{_ORDINAL_WORD})\b)"
_AMPM = r"[ap]\.?\s?m\b\.?"
_MONTH = r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|aug|sept|oct|nov|dec)\b\.?"
_WEEKDAY = r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:tues|thurs?)\b"
_QUANTITY = re.compile(
    rf"""(?<![\w#.$£€])(?<!\d[,:/])(?<![A-Za-z]-)(?:
      (?P<time>(?:half|(?:a\s)?quarter|{_NUM}(?:\sminutes?)?)\s(?:past|to|after)\s(?P<hour>{_NUM})(?:\so['’]?\s?clock|\s?{_AMPM})?
        |\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?{_AMPM})?
        |\d{{1,2}}\.\d{{2}}\s?{_AMPM}
        |{_NUM}\s?(?:{_AMPM}|o['’]?\s?clock)
        |(?:at|until|till|before|after|by|around)\s(?P<spoken>(?:{UNIT_WORDS.replace(" ", "|")})\s(?:{_NUM}))
          (?=[\s.,;]*(?:$|[.,;]|and\b|on\b|in\b|to\b))
        |noon|midnight|midday)\b
      |(?P<date>\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}-\d{{1,2}}-\d{{4}}|(?:{_ORD}|\d{{1,2}})(?:\sof)?\s{_MONTH}(?:,?\s\d{{4}})?
        |{_MONTH}(?:\sthe)?\s(?:{_ORD}|\d{{1,2}})\b(?:,?\s\d{{4}})?|{_MONTH}(?:\sof)?(?:,?\s\d{{4}})?|{_WEEKDAY}
        |(?:1[89]|20)\d\ds?\b(?!\s(?:{_CURRENCY})))
      |(?P<amount>[$£€¥]\s?{_DIGITS}(?:\s?(?:hundred|thousand|million|billion|k)\b)?|{_NUM}(?:\s|-)?(?:{_CURRENCY})(?!\w))
      |(?P<ratio>(?:\d+[\s-])?\d+/\d+)
      |(?P<ordinal>\d+(?:st|nd|rd|th)\b|(?:(?:twenty|thirty)[\s-])?(?:{_ORDINAL_WORD})\b)
      |(?P<number>{_NUM}(?:\sdozens?)?))""",
    re.I | re.X,
)  # fmt: skip
_DIGIT = re.compile(r"\d(?!#)")  # not that of #Person1#
_LETTERS = re.compile(r"[a-z]+")
_QUANTITY_WORDS = frozenset(
    CARDINALS.keys() | ORDINALS.keys() | MONTHS.keys() | WEEKDAYS.keys() | {f"{day}s" for day in WEEKDAYS}
    | {"hundred", "thousand", "million", "billion", "noon", "midnight", "midday", "half", "quarter"}
)  # fmt: skip
# Digits joined by marks, with what is glued to them, and those of them that are a time, a decimal or a number in groups of three.
_JOINED = re.compile(r"(?<![\w#.,:/$£€¥-])\d+(?:[:.,]\d+)+\w*")
_WELL_FORMED = re.compile(
    r"""\d{1,2}[:.]\d{2}(?::\d{2})?(?:[ap]m?|h|hrs?)?
      |\d+\.\d+[a-z]*
      |\d{1,3}(?:,\d{3})+(?:\.\d+)?[a-z]*
      |\d{1,2}\.\d{1,2}\.(?:\d{2}|\d{4})  # a date""",
    re.I | re.X,
)
_LIST_MARK = re.compile(r"(?:^|[.:;]\s+)$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, time, date or amount in a summary.

    Attributes:
        kind: ``number``, ``amount``, ``time`` or ``date``.
        start, end: character offsets in the summary.
        text: as written.
        parts: what the dialogue must say, each a ``(type, value)``: all of them for the quantity to be supported.
        small: a small count that may be the writer's own ("two friends"), checked only against a different count of the same noun.
        noun: the word after a small count.
        spliced: digits that form no number or time, as ``20:00123``; only the same characters in the dialogue support it.
    """

    kind: str
    start: int
    end: int
    text: str
    parts: tuple[tuple[str, float], ...]
    small: bool = False
    noun: str = ""
    spliced: bool = False


def quantities(summary: str) -> list[Quantity]:
    """The numbers, times, dates and amounts that a summary states, in order; "one" and "first" state none."""
    if not _DIGIT.search(summary) and _QUANTITY_WORDS.isdisjoint(_LETTERS.findall(summary.lower())):
        return []
    spliced = [
        Quantity("number", match.start(), match.end(), match[0], (), spliced=True)
        for match in _JOINED.finditer(summary)
        if not _WELL_FORMED.fullmatch(match[0])
    ]
    matched = [quantity for match in _QUANTITY.finditer(summary) if (quantity := _quantity(match, summary)) is not None]
    whole = [
        quantity
        for quantity in matched
        if not any(quantity.start < one.end and one.start < quantity.end for one in spliced)
    ]
    return sorted([*whole, *spliced], key=lambda quantity: quantity.start)


def _quantity(match: re.Match[str], summary: str) -> Quantity | None:
    kind = match.lastgroup
    for name in ("time", "date", "amount", "ratio", "ordinal", "number"):
        if match[name] is not None:
            kind = name
            break
    text, (start, end) = match[kind or 0], match.span(kind or 0)
    if kind == "time":
        if match["spoken"]:
            text, (start, end) = match["spoken"], match.span("spoken")
        clock = _clock(text.lower(), match["hour"])
        if clock is not None:
            return Quantity("time", start, end, text, (("time", clock),))
        value = number(match["spoken"]) if match["spoken"] else None
        return None if value is None else Quantity("number", start, end, text, (("number", value),))
    if kind == "date":
        if text == "may" or (text.lower() in ("may", "march") and not _inside(summary, start)):
            return None
        text = text.rstrip(".")
        end = start + len(text)
        return Quantity("date", start, end, text, parts) if (parts := _date_parts(text.lower())) else None
    if kind == "ratio":  # 120/80 is two numbers; 1/2 and 9/03 are read in too many ways
        if dated := re.fullmatch(r"(\d{1,2})/((?:19|20)\d\d)", text):
            return Quantity("date", start, end, text, (("month", int(dated[1])), ("year", int(dated[2]))))
        pair = [float(part) for part in text.split("/")] if re.fullmatch(r"\d{2,}/\d+", text) else []
        return Quantity("number", start, end, text, tuple(("number", part) for part in pair)) if pair else None
    if kind == "ordinal":
        value = float(re.sub(r"\D", "", text) or 0) or spell(atoms(text.lower()))
        if not value or (value <= 3 and not text[0].isdigit()):
            return None
        return Quantity("number", start, end, text, (("number", value),))
    value = number(text)
    if value is None or (_LIST_MARK.search(summary[:start]) and re.match(r"[.)]\s+[A-Z#]", summary[end:])):
        return None
    if kind == "amount":
        return Quantity("amount", start, end, text, (("amount", value),))
    measured = _MEASURE.match(summary, end)
    if value == 0 or text.lower() == "one" or (value == 1 and not text[0].isdigit() and not measured):
        return None
    after = re.match(r"[\s-]+([A-Za-z]+)", summary[end : end + 30])
    small = 1 < value <= 3 and not measured and not text[0].isdigit()
    return Quantity("number", start, end, text, (("number", value),), small, after[1].lower() if after else "")


def _inside(summary: str, start: int) -> bool:
    """Whether a word stands inside a sentence, not at its beginning."""
    return bool(start) and summary[:start].rstrip()[-1:] not in (".", "!", "?", "")


def _clock(text: str, hour: str | None) -> int | None:
    if text in ("noon", "midnight", "midday"):
        return 0
    if hour is not None:
        at = number(hour)
        amount = text.split()[0] if not text.startswith("a ") else "quarter"
        minutes = {"half": 30.0, "quarter": 15.0}.get(amount) or number(amount)
        if at is None or minutes is None or not 1 <= at <= 24 or minutes > 59:
            return None
        before = re.search(r"\sto\s", text) is not None
        if before and amount not in ("half", "quarter") and "minute" not in text:
            return None  # "ten to twelve people"
        return int(60 * at - minutes if before else 60 * at + minutes) % 720
    digits = re.match(r"(\d{1,2})[:.](\d{2})", text)
    if digits:
        return (60 * int(digits[1]) + int(digits[2])) % 720 if int(digits[2]) < 60 else None
    values = [value for value in map(spell, groups(atoms(text))) if value is not None]
    if len(values) == 1 and 0 <= values[0] <= 24:
        return int(60 * values[0]) % 720
    if len(values) == 2 and 0 < values[0] <= 24 and values[1] < 60:
        return int(60 * values[0] + values[1]) % 720
    return None


def _date_parts(text: str) -> tuple[tuple[str, float], ...]:
    slashed = re.fullmatch(r"(\d{1,4})[/-](\d{1,2})[/-](\d{1,4})", text)
    if slashed:
        a, b, c = (int(part) for part in slashed.groups())
        if a > 31:
            return ("month", b), ("number", c), ("year", a)
        month, day = (a, b) if a <= 12 else (b, a)
        return ("month", month), ("number", day), ("year", c)
    parts: list[tuple[str, float]] = []
    for word in re.findall(r"[a-z]+|\d+", text):
        if word.isdigit():
            parts.append(("year" if len(word) == 4 else "number", int(word)))
        elif word.removesuffix("s") in WEEKDAYS:
            parts.append(("weekday", WEEKDAYS[word.removesuffix("s")]))
        elif word in MONTHS:
            parts.append(("month", MONTHS[word]))
    spelt = [word for word in re.findall(r"[a-z]+", text) if word in SPOKEN and word not in MONTHS]
    if spelt and (value := spell([(word, float(SPOKEN[word])) for word in spelt])) is not None:
        parts.append(("number", value))
    return tuple(parts)
