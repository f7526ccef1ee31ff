"""Telephone numbers, as written in any country.

In: a turn. A number with a country's code counts where phonenumbers calls it possible. One without counts where the talk says that it
is a telephone's, or where it is valid in a country and grouped as that country writes its own, or begins with the 0 that is dialled first
there, which few order numbers and prices do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from diasum.redaction.cues import called_telephone_after, topic
from diasum.redaction.spans import Said, Span

_SPACE = "[ \u00a0\u202f]"
_BETWEEN = (
    rf"(?:{_SPACE}?\(0\){_SPACE}?|\){_SPACE}?[-./]?{_SPACE}?|{_SPACE}?[-/\u2010-\u2013]{_SPACE}?|\.|{_SPACE}{{1,2}}\(?)"
)
_WRITTEN = re.compile(
    rf"(?<![A-Za-z0-9_])(?<!\d[.,/#-])(?<![#-])\+?\(?\+?\d{{1,15}}(?:{_BETWEEN}\d{{1,11}}){{0,8}}"
    rf"(?P<extension>{_SPACE}?(?:ext\.?|x|extension|durchwahl|poste){_SPACE}?\d{{1,5}})?(?![A-Za-z0-9_])(?![.,/-]\d)",
    re.I,
)
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}([-./ ])\d{1,2}\1(?:\d{4}|\d{2})")
_YEARS = re.compile(r"(?:1[89]|20)\d\d\s?[-/–]\s?(?:1[89]|20)\d\d")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[ .\u00a0\u202f]\d{3})+")
_BOOK = re.compile(r"97[89]\d{10}")
_MONEY_AHEAD = re.compile(r"[$€£¥₹]\s?$")
_MONEY_BEHIND = re.compile(
    r"\s?(?:[$€£¥₹%]|(?:euros?|dollars?|pounds?|francs?|kronor|kroner|yen|pesos?|reais|rupees|usd|eur|gbp|chf)\b)", re.I
)
# Whose own way of grouping is known by: those of phonenumbers with the most speakers of the languages that bases read.
_COUNTRIES = (
    *("US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "AT", "CH", "PT", "BR", "MX", "AR", "PL", "CZ"),
    *("SK", "HU", "RO", "GR", "SE", "NO", "DK", "FI", "IE", "TR", "RU", "UA", "IN", "PK", "JP", "KR"),
    *("CN", "HK", "SG", "AU", "CA", "NZ", "ZA", "NG", "KE", "AE", "IL", "PH", "ID"),
)


def telephones(said: Said) -> Iterator[Span]:
    """Telephone numbers written in digits, with an extension."""
    for match in _WRITTEN.finditer(said.text):
        if _is_telephone(match, said):
            yield Span(match.start(), match.end(), "telephone")


def _is_telephone(match: re.Match[str], said: Said) -> bool:
    written = match[0].removesuffix(match["extension"] or "")
    digits = re.sub(r"\D", "", written.replace("(0)", ""))
    if not 6 < len(digits) < 16 or len(set(digits)) < 3:
        return False
    if international := _international(written, digits):
        return _possible(f"+{international}", None)
    if _DATE.fullmatch(written) or _YEARS.fullmatch(written) or _BOOK.fullmatch(digits):
        return False
    if _MONEY_AHEAD.search(said.text[: match.start()]) or _MONEY_BEHIND.match(said.text, match.end()):
        return False
    about = topic(said, match.start())
    if about == "telephone" or (about is None and called_telephone_after(said, match.end())):
        return any(_possible(digits, country) for country in _COUNTRIES)
    if about is not None or _THOUSANDS.fullmatch(written):
        return False
    return _written_as_at_home(written, digits) or (digits[0] == "0" and _dialled_at_home(digits))


def _international(written: str, digits: str) -> str | None:
    """The number behind ``+`` or ``00``, country's code first."""
    if written.lstrip("(").startswith("+"):
        return digits
    return digits[2:] if digits.startswith("00") and len(digits) > 10 else None


@lru_cache(maxsize=4096)
def _possible(number: str, country: str | None) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return False
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    return reason in (phonenumbers.ValidationResult.IS_POSSIBLE, phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


@lru_cache(maxsize=4096)
def _written_as_at_home(written: str, digits: str) -> bool:
    """Whether it is valid in a country and has the groups in which that country writes it; digits without groups never have."""
    import phonenumbers

    groups = re.findall(r"\d+", written)
    if len(groups) < 2:
        return False
    for country in _COUNTRIES:
        try:
            number = phonenumbers.parse(digits, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, country):
            home = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            if _same_groups(groups, re.findall(r"\d+", home)):
                return True
    return False


@lru_cache(maxsize=4096)
def _dialled_at_home(digits: str) -> bool:
    """Whether ten or eleven digits with the 0 that a country dials first are valid there, in whatever groups; little else begins so."""
    import phonenumbers

    if not 10 <= len(digits) <= 11:
        return False
    for country in _COUNTRIES:
        if phonenumbers.ndd_prefix_for_region(country, False) != "0":
            continue
        try:
            number = phonenumbers.parse(digits, country)
        except phonenumbers.NumberParseException:
            continue
        if number.national_number == int(digits) and phonenumbers.is_valid_number_for_region(number, country):
            return True
    return False


def _same_groups(groups: list[str], home: list[str]) -> bool:
    """Also without the 0 with which a country dials itself, or with the 1 that Americans put first."""
    if groups[0] == "1" and len(groups) > 3:
        groups = groups[1:]
    return groups == home or groups == [home[0].lstrip("0"), *home[1:]] or [groups[0].lstrip("0"), *groups[1:]] == home
