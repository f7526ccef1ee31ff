"""Given names of people who are talked of, with the surname that follows.

In: a turn. A word with a capital is a name if a list of given names has it (that of `faker`, some 80 countries), unless it is also an
ordinary word, a month or a place; such a one, and a name on no list, counts only after "my name is", "my sister", "Dr." and the like.
In lower case it counts where people are asked, told or greeted ("ask oliver"), after a sign ("@carlos"), before what people do ("jake
won't") and beside another name. The price: other names in lower case, surnames alone and rare names are not found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from diasum.claims.lexicon import COMMON_CAPITALS, GIVEN_NAMES, NATIONALITIES, PLACES, SENTENCE_WORDS, words
from diasum.claims.spoken_numbers import MONTHS, WEEKDAYS
from diasum.redaction.common_words import ALSO_WORDS, COMPANIES, INSTITUTIONS, PLACES_AND_MONTHS
from diasum.redaction.more_names import DOUBTFUL, ROMANISED
from diasum.redaction.spans import Said, Span

_WORD = re.compile(r"[^\W\d_]+(?:['’-](?=[^\W\d_]{2})(?!s\b)[^\W\d_]+)*")
_NOT_NAMES = COMMON_CAPITALS | NATIONALITIES | PLACES | SENTENCE_WORDS | set(MONTHS) | set(WEEKDAYS)
_SPELT = re.compile(r"\b[A-Za-z]\s+(?:as\s+in|for|wie|comme|de|come)\s+$")
_SAINT = re.compile(r"\b(?:St|Saint|San|Santa|São)\b\.?\s+$")
_ARTICLE = re.compile(
    r"\b(?:the|an|this|that|das|der|den|dem|ein|eine|mein|kein|el|los|un|une|le|les|il|lo|uno|het|een|ett|en)\b\.?\s+$",
    re.I,
)
_VERBS_AND_NAMES = words("will mark bill may")  # of sentences, and of people: "then Will told me"
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

_IS_THERE = re.compile(  # what follows people more often than things, where a sentence begins
    r"\s+(?:will|would|can|could|won['’]t|can['’]t|didn['’]t|doesn['’]t|isn['’]t|hasn['’]t|has|had|is|was|ji|here|there)\b"
)
_DOES_LOWER = re.compile(
    r"\s+(?:said|says|told|tells|asked|asks|wants|wanted|thinks|won['’]?t|didn['’]?t|doesn['’]?t|isn['’]?t|hasn['’]?t|wouldn['’]?t|couldn['’]?t)\b",
    re.I,
)
_ASKED = re.compile(
    r"\b(?:ask|asked|asking|tell|told|telling|text|texted|texting|ping|pinged|hi|hey|hello|thanks|thx|dear|invite|invited|cc)\s+$",
    re.I,
)
_AND = re.compile(r"(?:\s*,|\s*&|\s+(?:and|or|und|oder|et|ou|y|e))\s+", re.I)
_TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme)\b\.?\s+$", re.I)
_MOVES = re.compile(r"\b(?:to|in|from|via|at|near|through|nach|in|à)\s+$", re.I)
_COMPANY = re.compile(rf"\b(?:{COMPANIES})(?!\w)")
_OWNS_OR_DOES = re.compile(  # "Carl's car", "Carl's coming"; not "Wendy's is shut", "Wendy's on Main Street"
    r"\s+(?!(?:and|are|as|at|because|but|by|for|from|had|has|if|in|is|last|near|next|now|on|or|so|than|that|then|this|to|today|tomorrow"
    r"|tonight|was|when|where|which|with|yesterday)\b)[a-z]"
)
_SPEAKS = re.compile(r"\s+(?:speaking|here|is\s+my|will|would|can|could)\b")


def given_names(said: Said) -> Iterator[Span]:
    """Names of people, each with its surname."""
    text = said.text
    companies = [match.span() for match in _COMPANY.finditer(text) if not _is_of_a_person(match, text)]
    end = -1
    for match in _WORD.finditer(text):
        if match.start() < end or any(a <= match.start() < b for a, b in companies):
            continue
        beside = end >= 0 and bool(_AND.fullmatch(text, end, match.start()))
        if _may_be(match, text) and _is_name(match, text):
            following = surname_end(text, match.end())
            if _names_an_institution(text, match.end(), following) and not _acts_as_a_person(
                text, match.start(), following
            ):
                continue
            end = following
        elif _is_name_in_lower_case(match, text, beside):
            end = match.end()
        else:
            continue
        yield Span(match.start(), end, "name")


def _is_of_a_person(match: re.Match[str], text: str) -> bool:
    """Whether somebody is meant who is named like a company: "My name is Edward Jones", "Claire's phone"."""
    if match[0].endswith(("'s", "’s")):
        return _is_addressed(text, match.start()) or bool(_OWNS_OR_DOES.match(text, match.end()))
    return _acts_as_a_person(text, match.start(), match.end())


def _is_addressed(text: str, start: int) -> bool:
    """Whether what is ahead says that a person follows: "my name is", "Dr.", "ask"."""
    ahead = text[max(0, start - 60) : start]
    return any(cue.search(ahead) for cue in (_NAMED, _CALLED, _TITLE, _ASKED))


def _acts_as_a_person(text: str, start: int, end: int) -> bool:
    """Whether what is around a whole name says that it is a person's."""
    return _is_addressed(text, start) or bool(_PERSON_DOES.match(text, end) or _SPEAKS.match(text, end))


def _is_name_in_lower_case(match: re.Match[str], text: str, beside: bool) -> bool:
    """A listed name and nothing else, where something says that it is a person's."""
    word = match[0]
    if len(word) < 3 or word != word.lower() or word in _NOT_NAMES or word in ALSO_WORDS or word in DOUBTFUL:
        return False
    lists = _lists_with(word)
    if lists is None or text[match.end() : match.end() + 1] in tuple("/_@\\"):
        return False
    if re.search(r"(?:^|[\s(,;:/])@$", text[max(0, match.start() - 2) : match.start()]):
        return not re.match(r"\.\w", text[match.end() :])
    if lists < 2 or text[match.start() - 1 : match.start()] in tuple("/_@#.\\-"):
        return False
    ahead = text[max(0, match.start() - 30) : match.start()]
    return beside or bool(_ASKED.search(ahead) or _DOES_LOWER.match(text, match.end()))


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
    begins = not ahead.strip() or ahead.rstrip()[-1] in ".!?:"
    if key in _NOT_NAMES or key in NATIONALITIES:
        if key in _VERBS_AND_NAMES and not begins and _DOES_LOWER.match(text, match.end()):
            return True
        return key in GIVEN_NAMES and bool(_NAMED.search(ahead))
    if _NAMED.search(ahead):
        return True
    if _TITLE.search(ahead) and surname_end(text, match.end()) > match.end():
        return True
    lists = _lists_with(key)
    if lists is None or _SPELT.search(ahead) or _SAINT.search(ahead):
        return False
    if _MOVES.search(ahead) and _beside_a_place(text, match.end()):
        return False
    if begins and lists == 1 and key not in ALSO_WORDS and _IS_THERE.match(text, match.end()):
        return True
    if key in PLACES_AND_MONTHS or lists == 0 or (begins and (key in ALSO_WORDS or lists < 2)):
        return bool(_CALLED.search(ahead)) or (not begins and bool(_PERSON_DOES.match(text, match.end())))
    if _CALLED.search(ahead) or (lists > 1 and key not in ALSO_WORDS):
        return True
    if _ARTICLE.search(ahead):
        return bool(re.search(r"\bthat\s+$", ahead, re.I) and _PERSON_DOES.match(text, match.end()))
    return key not in ALSO_WORDS or not _describes(text, match.end())


def _names_an_institution(text: str, end: int, surname: int) -> bool:
    """Whether a name and what follows it are those of a hospital, a street, a company ..."""
    last = _WORD.match(text, surname + 1)
    behind = [*text[end:surname].split(), *([last[0]] if last and text[surname] == " " else [])]
    return any(word[0].isupper() and word.casefold() in INSTITUTIONS for word in behind)


def _beside_a_place(text: str, end: int) -> bool:
    """Whether a place is named next to a word: "Charlotte or Austin"."""
    joint = _AND.match(text, end) or re.compile(r"\s+to\s+").match(text, end)
    word = _WORD.match(text, joint.end()) if joint else None
    return bool(word and word[0][0].isupper() and word[0].casefold() in PLACES | PLACES_AND_MONTHS)


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
        following = re.compile(
            r"[ \u00a0](?:(?:(?:van|von)(?:\s+(?:der|den|de|dem))?|de\s+la|de|del|la|da|dos|di)\s+)?"
        ).match(text, end)
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
    counts.update(dict.fromkeys(ROMANISED - DOUBTFUL, 2))
    wide |= DOUBTFUL
    return {name: counts[name] for name in wide | counts.keys() if len(name) > 1}
