"""The date and time that a line of an exported chat begins with: digits of any script, day periods of any language, any order.

In: lines. Out: a `Stamp` with the parts as numbers, and `Order`, which decides over a whole file whether the day or the month comes first.
Names of day periods are those of the Unicode CLDR, by `babel` (https://babel.pocoo.org), which is loaded where AM and PM do not do.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

# Marks of writing direction, and spaces of all kinds, which exports put into dates
_MARKS = dict.fromkeys([0x061C, 0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_SPACES = dict.fromkeys([0x00A0, 0x2007, 0x2009, 0x202F, 0x3000], " ")
_PLAIN = _MARKS | _SPACES | {ord("،"): ",", ord("٬"): ",", ord("٫"): "."}

_DATE = (
    r"(?P<a>\d{1,4})(?P<by> ?[./\-] ?|年|년 ?)(?P<b>\d{1,2})(?:(?P=by)|月|월 ?)(?P<c>\d{1,4})(?:日|일|\.)?(?: ?г\.?)?"
)
_PERIOD = r"[^\W\d_][^\d\[\]:,]{0,22}?"
_CLOCK = rf"(?:(?P<before>{_PERIOD}) ?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?:[:.](?P<second>\d{{2}}))?(?: ?(?P<after>{_PERIOD}))?"
# "[12/05/2024, 10:32:11] Ana: Hi", "12/05/24, 10:32 - Ana: Hi", "2016-06-27, 8:04:08 AM: Neil: Hi"
_STAMP = re.compile(
    rf"^(?P<open>\[)?{_DATE}(?: (?:at|um|à|klo|kl\.|alle|a las|às|om|o|в) | ?, ?| |T)?{_CLOCK}"
    r"(?(open)(?P<end> ?\] ?)|(?P<close> [-–—] ?(?!\d{{1,2}}[:.]\d{{2}}\b)|: |-(?= )))"
)
# "[10:32, 12/05/2024] Ana: Hi", as copied from the web version
_CLOCK_FIRST = re.compile(rf"^(?P<open>\[){_CLOCK}, ?{_DATE}(?P<close>\] ?)")

_LONGEST = 120  # letters that a stamp and its marks take
_USUAL = 45  # the same in ASCII
_ODD = re.compile(f"[{''.join(map(chr, _PLAIN))}]|(?![0-9])\\d")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")


class Stamp(NamedTuple):
    """What a line begins with.

    Attributes:
        numbers: the three numbers of the date, as they stand.
        clock: hour (of 24), minute and second.
        form: what all stamps of one export have in common.
        end: where the stamp ends in the line as `plain` gives it.
    """

    numbers: tuple[int, int, int]
    clock: tuple[int, int, int]
    form: str
    end: int


def plain(line: str) -> str:
    """A line with ASCII digits and ordinary spaces, without marks of direction; of the same meaning, not of the same length."""
    if line.isascii() or not _ODD.search(line):
        return line
    return _OTHER_DIGIT.sub(lambda match: str(unicodedata.digit(match[0], 0)), line.translate(_PLAIN))


def as_written(line: str, end: int) -> str:
    """What follows the first `end` letters that a line has in its plain form, with its marks and digits as they are written."""
    if line.isascii() or (line.isprintable() and not _ODD.search(line, 0, end)):
        return line[end:]
    place = seen = 0
    while seen < end and place < len(line):
        seen += ord(line[place]) not in _MARKS
        place += 1
    return line[place:]


def stamped(line: str) -> tuple[Stamp, str] | None:
    """The stamp that a line begins with, and what follows it as it is written; None of a line that begins with none."""
    if line[:_USUAL].isascii():
        text = line.lstrip()
        stamp = stamp_of(text)
        if stamp is None or stamp.end < _USUAL:
            return None if stamp is None else (stamp, text[stamp.end :])
    head = plain(line[:_LONGEST])
    text = head.lstrip()
    stamp = stamp_of(text)
    return None if stamp is None else (stamp, as_written(line, len(head) - len(text) + stamp.end))


def stamp_of(line: str) -> Stamp | None:
    """The stamp that a line begins with; None where it begins with none.

    Args:
        line: as `plain` gives it.
    """
    if not line or not (line[0] == "[" or line[0].isdigit()):
        return None
    match = _STAMP.match(line) or _CLOCK_FIRST.match(line)
    if match is None:
        return None
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    period = (match["before"] or match["after"] or "").strip()
    if match["before"] and match["after"]:
        return None
    if period:
        shifted = _shifted(hour, period)
        if shifted is None:
            return None
        hour = shifted
    if hour > 24 or minute > 59 or second > 60:
        return None
    numbers = int(match["a"]), int(match["b"]), int(match["c"])
    closed = match["end"] if "end" in match.re.groupindex and match["end"] else match["close"]
    web = "w" if match.re is _CLOCK_FIRST else ""
    form = f"{match['open'] or ''}{match['by'].strip()}{match['second'] is not None:d}{closed.strip()}{web}"
    return Stamp(numbers, (hour % 24, minute, min(second, 59)), form, match.end())


class Order:
    """Which of a date's numbers is the day: decided by all dates of a file, which stand in the order of time.

    Give it every stamp (`see`), then `decide`; from then on it tells times.

    Attributes:
        name: ``day first``, ``month first`` or ``year first``.
        decided: whether the dates say so, or what they leave open makes no difference.
    """

    def __init__(self) -> None:
        self.name = "day first"
        self.decided = True
        self._invalid: Counter[str] = Counter()
        self._backwards: Counter[str] = Counter()
        self._last: dict[str, tuple[int, int, int]] = {}
        self._months_may_be_first = True
        self._differ = False
        self._numbers: tuple[int, int, int] | None = None

    def see(self, stamp: Stamp, line: str) -> None:
        """Take a date into account; `line` is what it begins."""
        if stamp.numbers == self._numbers:
            return
        self._numbers = stamp.numbers
        for name in self._possible(stamp, line):
            date = _day(stamp, name)
            self._backwards[name] += date < self._last.get(name, date)
        self._last = {name: _day(stamp, name) for name in _ORDERS}

    def see_sequence(self, dates: Sequence[tuple[Stamp, str]]) -> None:
        """Take dates into account that stand in the order of time or against it, as those of a table may; each with its text."""
        for stamp, line in dates:
            self._possible(stamp, line)
        for name in _ORDERS:
            days = [_day(stamp, name) for stamp, _ in dates]
            self._backwards[name] += days not in (sorted(days), sorted(days, reverse=True))

    def _possible(self, stamp: Stamp, line: str) -> list[str]:
        """The orders in which there is such a date; the others are counted."""
        a, b, _ = stamp.numbers
        with_zero = _ZERO.search(line[: stamp.end]) is not None
        self._months_may_be_first = self._months_may_be_first and "/" in stamp.form and not with_zero
        self._differ = self._differ or (a != b and a <= 31)
        possible = []
        for name in _ORDERS:
            year, month, day = _day(stamp, name)
            if year >= 2000 and 1 <= month <= 12 and 1 <= day <= 31:
                possible.append(name)
            else:
                self._invalid[name] += 1
        return possible

    def decide(self) -> None:
        """Choose by all dates seen: fewest that there are not, then fewest that go back in time, then what is usual."""
        usual = ["month first", "day first"] if self._months_may_be_first else ["day first", "month first"]
        self.name = min([*usual, "year first"], key=self._score)
        other = usual[usual.index(self.name) - 1] if self.name in usual else None
        self.decided = not self._differ or other is None or self._score(self.name) < self._score(other)

    def time(self, stamp: Stamp) -> datetime | None:
        """When it was; None where there is no such date."""
        try:
            return datetime(*_day(stamp, self.name), *stamp.clock)
        except ValueError:
            return None

    def _score(self, name: str) -> tuple[int, int]:
        return self._invalid[name], self._backwards[name]


_ZERO = re.compile(r"(?<![\d:.])0\d/|(?<=\d/)0\d/")

# Where day, month and year stand. No country writes months first with dots, dashes, or a zero before a single digit.
_ORDERS = {"day first": (0, 1, 2), "month first": (1, 0, 2), "year first": (2, 1, 0)}


def _day(stamp: Stamp, order: str) -> tuple[int, int, int]:
    """Year, month and day."""
    day, month, year = _ORDERS[order]
    return _year(stamp.numbers[year]), stamp.numbers[month], stamp.numbers[day]


def _year(number: int) -> int:
    """Years of two digits, and those of the Thai calendar, as they are elsewhere."""
    if number < 100:
        return 2000 + number
    return number - 543 if 2400 <= number <= 2700 else number


def _shifted(hour: int, period: str) -> int | None:
    """An hour of a half of the day as one of 24; None where the words name no part of a day."""
    word = _word(period)
    part = "am" if word in ("am", "a") else "pm" if word in ("pm", "p") else _part_of_day(word)
    if part is None:
        return None
    if hour > 12:
        return hour
    if part in ("am", "midnight") or part.startswith("morning"):
        return hour % 12
    if part.startswith("night"):
        return hour % 12 if hour == 12 or hour < 6 else hour + 12
    if part == "noon" and 10 <= hour < 12:
        return hour
    return hour % 12 + 12


def _word(period: str) -> str:
    return re.sub(r"[\s.'\"״׳’”`]", "", period).casefold()


@lru_cache(maxsize=256)
def _part_of_day(word: str) -> str | None:
    return _parts_of_day().get(word)


# Languages of telephones, in order of their speakers: where two share a word, it means what it does in the first.
_LANGUAGES = (
    *(
        "en",
        "zh",
        "zh_Hant",
        "hi",
        "es",
        "es_MX",
        "ar",
        "fr",
        "bn",
        "pt",
        "pt_PT",
        "ru",
        "ur",
        "id",
        "de",
        "ja",
        "mr",
        "te",
        "tr",
    ),
    *(
        "ta",
        "vi",
        "ko",
        "it",
        "th",
        "gu",
        "fa",
        "pl",
        "pa",
        "kn",
        "ml",
        "uk",
        "ms",
        "my",
        "nl",
        "ro",
        "el",
        "hu",
        "cs",
        "sv",
        "az",
    ),
    *(
        "kk",
        "sw",
        "he",
        "ca",
        "bg",
        "sr",
        "sk",
        "da",
        "fi",
        "nb",
        "hr",
        "lt",
        "sl",
        "lv",
        "et",
        "sq",
        "mk",
        "af",
        "ga",
        "fil",
        "uz",
    ),
    *("ka", "hy", "si", "ne", "km", "lo", "mn", "am", "is", "be", "bs", "eu", "gl", "zu"),
)


@lru_cache(maxsize=1)
def _parts_of_day() -> dict[str, str]:
    """The words for parts of the day."""
    from babel import Locale

    parts: dict[str, str] = {}
    for name in _LANGUAGES:
        for widths in Locale.parse(name).day_periods.values():
            for words in widths.values():
                for part, word in words.items():
                    key = _word(str(word))
                    if key and not (key.isascii() and len(key) == 1):
                        parts.setdefault(key, part)
    return parts
