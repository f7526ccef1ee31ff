"""Given names of people who are talked of, with the surname that follows.

In: a turn. A word with a capital is a name if a list of given names has it (that of `faker`, some 80 countries), unless it is also an
ordinary word, a month or a place; such a one, and a name on no list, counts only after "my name is", "my sister", "Dr." and the like.
The price: names in lower case, surnames alone and rare names are not found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from diasum.claims.lexicon import COMMON_CAPITALS, GIVEN_NAMES, NATIONALITIES, PLACES, SENTENCE_WORDS
from diasum.claims.spoken_numbers import MONTHS, WEEKDAYS
from diasum.redaction.common_words import ALSO_WORDS, PLACES_AND_MONTHS
from diasum.redaction.spans import Said, Span

_WORD = re.compile(r"[^\W\d_]+(?:['’-](?=[^\W\d_]{2})(?!s\b)[^\W\d_]+)*")
_NOT_NAMES = COMMON_CAPITALS | NATIONALITIES | PLACES | SENTENCE_WORDS | set(MONTHS) | set(WEEKDAYS)
_SPELT = re.compile(r"\b[A-Za-z]\s+(?:as\s+in|for|wie|comme|de|come)\s+$")
_SAINT = re.compile(r"\b(?:St|Saint|San|Santa|São)\b\.?\s+$")
_ARTICLE = re.compile(
    r"\b(?:the|an|this|that|das|der|den|dem|ein|eine|mein|kein|el|los|un|une|le|les|il|lo|uno|het|een|ett|en)\b\.?\s+$",
    re.I,
)
# Lists that hold many ordinary words, or names of many countries: what only these have is doubtful.
_WIDE = ("en", "is_IS", "id_ID", "or_IN")
_CALLED = re.compile(
    r"(?:\b(?:my|his|her|their|our|your)\s+(?:\w+\s)?(?:name\s+is|name['’]s|sister|brother|son|daughter|husband|wife|mother|father|mom|mum|dad|uncle|aunt|"
    r"cousin|friend|boss|partner|neighbou?r|colleague|boyfriend|girlfriend|nephew|niece|doctor|teacher)"
    r"|\b(?:called|named|this\s+is|I['’]m|I\s+am|am|hi|hello|hey|dear|thanks|sincerely|regards)"
    r"|\b(?:mr|mrs|ms|miss|dr|prof|sir|madam|frau|herr|mme|monsieur|madame|señora?|sra?|dott|signora?|uncle|aunt|auntie)\b\.?"
    r"|\b(?:mein\s+name\s+ist|ich\s+heiße|ich\s+bin|je\s+m['’]appelle|je\s+suis|me\s+llamo|mi\s+nombre\s+es|soy|mi\s+chiamo|sono|o?\s*meu\s+nome\s+é|"
    r"me\s+chamo|mijn\s+naam\s+is|ik\s+ben|ik\s+heet|nazywam\s+się|mam\s+na\s+imię|jag\s+heter|jeg\s+heter|меня\s+зовут))[\s,]+$",
    re.I,
)
_NAMED = re.compile(  # what a name on no list may follow, too
    r"(?:\bname\s+is|\bname['’]s|\b(?:mein\s+name\s+ist|ich\s+heiße|je\s+m['’]appelle|me\s+llamo|mi\s+nombre\s+es|mi\s+chiamo|meu\s+nome\s+é|"
    r"me\s+chamo|mijn\s+naam\s+is|ik\s+heet|nazywam\s+się|mam\s+na\s+imię|jag\s+heter|jeg\s+heter|меня\s+зовут|(?:called|named)))\s+$",
    re.I,
)
_PERSON_DOES = re.compile(
    r"['’]s\b|\s+(?:said|says|told|tells|asked|asks|called|calls|wants|wanted|thinks|came|comes|went|is\s+coming|was\s+late|and\s+I)\b"
)


def given_names(said: Said) -> Iterator[Span]:
    """Names of people, each with its surname."""
    text = said.text
    end = -1
    for match in _WORD.finditer(text):
        if match.start() >= end and _may_be(match, text) and _is_name(match, text):
            end = surname_end(text, match.end())
            yield Span(match.start(), end, "name")


def _may_be(match: re.Match[str], text: str) -> bool:
    """A word of two letters or more, with a capital where its script has them, that is no part of an address."""
    word = match[0]
    if len(word) < 2 or (word.isupper() and word.isascii() and len(word) < 4):
        return False
    if text[match.start() - 1 : match.start()] in tuple("/_@#.\\") or text[match.end() : match.end() + 1] in tuple(
        "/_@\\"
    ):
        return False
    return word[0].isupper() or word[0].lower() == word[0].upper()


def _is_name(match: re.Match[str], text: str) -> bool:
    key, ahead = match[0].casefold(), text[max(0, match.start() - 60) : match.start()]
    if key in _NOT_NAMES or key in NATIONALITIES:
        return key in GIVEN_NAMES and bool(_NAMED.search(ahead))
    if _NAMED.search(ahead):
        return True
    lists = _lists_with(key)
    if lists is None or _SPELT.search(ahead) or _SAINT.search(ahead):
        return False
    begins = not ahead.strip() or ahead.rstrip()[-1] in ".!?:"
    if key in PLACES_AND_MONTHS or lists == 0 or (begins and (key in ALSO_WORDS or lists < 2)):
        return bool(_CALLED.search(ahead)) or (not begins and bool(_PERSON_DOES.match(text, match.end())))
    if _CALLED.search(ahead) or (lists > 1 and key not in ALSO_WORDS):
        return True
    return not _ARTICLE.search(ahead) and (key not in ALSO_WORDS or not _describes(text, match.end()))


def _describes(text: str, end: int) -> bool:
    """Whether an ordinary word with a capital stands before what it describes: "Frank opinions"."""
    following = re.compile(r"[ \u00a0]([^\W\d_]+)").match(text, end)
    return bool(following and following[1].islower() and following[1] not in SENTENCE_WORDS)


def _lists_with(key: str) -> int | None:
    """How many lists have a name, 0 where only a wide one has, None where none; a double name has as many as the rarer of its parts."""
    counts = [_listed().get(part) for part in re.split(r"[-’']", key) if part]
    return None if None in counts else min((count for count in counts if count is not None), default=None)


def surname_end(text: str, end: int) -> int:
    """Where one or two words with a capital end that follow a given name directly; the given name's own end where none does."""
    for _ in range(2):
        following = re.compile(r"[ \u00a0](?:(?:van|von|de|der|den|del|la|da|dos|di)\s+){0,2}").match(text, end)
        word = _WORD.match(text, following.end()) if following else None
        if word is None or not word[0][0].isupper() or word[0].isupper() or word[0].casefold() in _NOT_NAMES:
            break
        end = word.end()
    return end


@cache
def _listed() -> dict[str, int]:
    """Given names in lower case, from every list of `faker` that is one, to the number of those lists."""
    import faker.providers.person as people

    counts: Counter[str] = Counter()
    wide: set[str] = set()
    for module in iter_modules(people.__path__):
        provider = import_module(f"{people.__name__}.{module.name}").Provider
        names: set[str] = set()
        for attribute in ("first_names", "first_names_male", "first_names_female", "first_names_nonbinary"):
            listed = getattr(provider, attribute, ())
            if isinstance(listed, tuple | list | dict):
                names.update(part for name in listed for part in name.casefold().split())
        if module.name in _WIDE:
            wide |= names
        else:
            counts.update(names)
    counts.update(dict.fromkeys(GIVEN_NAMES, 2))
    return {name: counts[name] for name in wide | counts.keys() if len(name) > 1}
