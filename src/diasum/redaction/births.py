"""Dates of birth: a day with its year that the talk says somebody was born on. Other dates stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diasum.claims.spoken_numbers import CARDINALS, ORDINALS
from diasum.redaction.spans import Said, Span, last_end

_NEAR = 50  # characters between "born" and the date
_ANSWER = 15  # an answer begins with its date, but for a few words
_MONTH_NAMES = """
jan(?:uary)? feb(?:ruary)? mar(?:ch)? apr(?:il)? may june? july? aug(?:ust)? sept?(?:ember)? oct(?:ober)? nov(?:ember)? dec(?:ember)?
januar jänner februar märz mai juni juli oktober dezember
janvier février mars avril juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
januari februari maart mei augustus okt(?:ober)?
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
ledna února března dubna května června července srpna září října listopadu prosince
mars augusti desember marts
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
"""
_MONTH = rf"(?:{'|'.join(sorted(set(_MONTH_NAMES.split()), key=len, reverse=True))})"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|º|°|\.)?"
_YEAR = r"(?:(?:18|19|20)\d{2}|['’]\d{2})"
_ORDINAL = "|".join(sorted(ORDINALS, key=len, reverse=True))
_CARDINAL = "|".join(sorted((*CARDINALS, "hundred"), key=len, reverse=True))
_SPOKEN_YEAR = rf"(?:nineteen|twenty|two thousand)(?:[\s-]+(?:and\s+)?(?:{_CARDINAL})){{0,3}}"
_SPOKEN_DAY = rf"(?:the\s+)?(?:(?:twenty|thirty)[\s-]+)?(?:{_ORDINAL})"
_DATE = re.compile(
    rf"""(?<![\w./-])(?:
      \d{{4}}([-./])\d{{1,2}}\1\d{{1,2}}
    | \d{{1,2}}\s?([-./])\s?\d{{1,2}}\s?\2\s?(?:\d{{4}}|\d{{2}})
    | {_MONTH}\.?\s+(?:the\s+)?{_DAY},?\s+(?:of\s+)?{_YEAR}
    | {_DAY}\s+(?:de\s+|of\s+)?{_MONTH}\.?,?\s+(?:de\s+|del\s+)?{_YEAR}
    | {_MONTH}\s+{_SPOKEN_DAY},?\s+(?:{_SPOKEN_YEAR}|{_YEAR})
    | {_SPOKEN_DAY}\s+(?:of\s+)?{_MONTH},?\s+(?:{_SPOKEN_YEAR}|{_YEAR})
    | \d{{4}}\s?[年년]\s?\d{{1,2}}\s?[月월]\s?\d{{1,2}}\s?[日일]
    )(?![\w/-])""",
    re.I | re.X,
)
_BORN = re.compile(
    r"""\b(?:born|birth\s?days?|birth\s?dates?|dates?\s+of\s+birth|dob)\b | \bd\.\s?o\.\s?b\b\.?
    | \b(?:geboren|geburtsdatum|geburtstag) \b | \bgeb\. | \b(?:née?|naissance)\b | \b(?:nac[íi]|nació|nacid[oa]|nacimiento|cumpleaños)\b
    | \b(?:nascita|nat[oa])\b | \b(?:nasci|nasceu|nascid[oa]|nascimento)\b | \bgeboortedatum\b | \burodz\w+ | \bnarozen\w*\b
    | \bfödd?\w*\b | \bfødt\b | \bfødselsda\w+ | \bsyntym\w+ | \bsyntynyt\b | \bdoğum\w*\b | рожд | родил | народ | γενν
    | 生年月日 | 生まれ | 出生 | 생년월일 | 태어""",
    re.I | re.X,
)
_OTHER_DATE = re.compile(
    r"\b(?:bought|purchased?|moved|signed|married|appointment|delivered|since|expir\w+|due|issued|until|seit|gekauft|bezahlt|geliefert)\b",
    re.I,
)


def births(said: Said) -> Iterator[Span]:
    """The date that follows "born", "date of birth" and the like, in the turn or in answer to the turn before."""
    taken = -1  # the word "born" that has its date already
    for match in _DATE.finditer(said.text):
        ahead = said.text[: match.start()]
        cue = last_end(_BORN, ahead)
        if cue > taken and len(ahead) - cue <= _NEAR and not _OTHER_DATE.search(ahead, cue):
            taken = cue
            yield Span(match.start(), match.end(), "birth_date")
        elif cue < 0 and match.start() <= _ANSWER and last_end(_BORN, said.before) > last_end(_OTHER_DATE, said.before):
            yield Span(match.start(), match.end(), "birth_date")
