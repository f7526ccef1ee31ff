"""Which labels name people, and where those people are named in what is said.

Labels such as `Agent`, `Speaker 2` or `#Person1#` are no names. A speaker is also named by one part of the label ("Maria" of "Maria
Keller"), without accents, and in another case, unless that would be an ordinary word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from diasum.claims.lexicon import words
from diasum.dialogue.roles import TITLES, is_role
from diasum.redaction.common_words import ALSO_WORDS
from diasum.redaction.names import surname_end
from diasum.redaction.spans import Said, Span

# Roles as exports and transcripts in other languages name them; English ones are in `diasum.dialogue.roles`.
_ROLES = words(
    "assistant system user bot unknown moderator kunde kundin berater beraterin mitarbeiter mitarbeiterin anrufer anruferin "
    "patient patientin arzt ärztin verkäufer verkäuferin sprecher sprecherin conseiller conseillère client cliente agente "
    "operatore operatrice médecin vendeur vendeuse intervenant atendente operador operadora médico médica vendedor vendedora "
    "medico paziente commesso klant medewerker arts patiënt verkoper spreker klient konsultant lekarz pacjent kund läkare säljare "
    "lege pasient läge asiakas myyjä müşteri temsilci doktor hasta клиент оператор врач пациент "
    "ασθενής πελάτης 客服 客户 顧客 お客様 店員 医者 "
    "医生 고객 상담원 의사 everyone me you i teacher speaker person participant voice channel narrator interviewer host guest support rep "
    "caller agent customer ops dev"
)
_NUMBERED = re.compile(r"#.*#|(?:[^\W\d_]+[\s_-]*)?\d{1,4}|[A-Za-z]|\W*")
_SYLLABIC = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts without spaces, or with endings written to a name
_DOES = re.compile(
    r"\s+(?!this\b)(?:[a-z]+s|and|will|would|can|could|might|said|told|asked|agreed|thought|called|wanted)\b"
)

_A_THING = re.compile(r"\b(?:the|an?|my|your|our|any|no)\s+$", re.I)  # ahead of a word in lower case


def is_name(label: str) -> bool:
    """Whether a speaker's label names a person."""
    bare = label.strip()
    return not (
        _NUMBERED.fullmatch(bare) or is_role(bare) or bare.lower() in _ROLES or bare.lower().split()[-1] in _ROLES
    )


class Speakers:
    """The named speakers of a conversation, to be looked for in text.

    Args:
        labels: of all speakers.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        self.names = tuple(label for label in labels if label and is_name(label))
        self._of: dict[str, str] = {}
        for label in self.names:
            self._of.setdefault(_plain(label), label)
        for part, label in _parts(self.names).items():
            self._of.setdefault(part, label)
        longest = sorted(self._of, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_bounded, longest)), re.I) if longest else None

    def mentions(self, said: Said) -> Iterator[Span]:
        """Where they are named in a turn, and surnames behind names that the labels lack."""
        if self._pattern is None:
            return
        text = _without_accents(said.text)
        informal = said.text == said.text.lower()
        for match in self._pattern.finditer(text):
            if _plain(match[0]) not in self._of or not _is_meant(match, said.text, informal):
                continue
            yield Span(match.start(), match.end(), "speaker")
            surname = surname_end(said.text, match.end())
            if surname > match.end() and not self._pattern.search(text, match.end(), surname):
                yield Span(match.end() + 1, surname, "name")

    def label_of(self, mention: str) -> str:
        """The label of the speaker whom a mention names."""
        return self._of[_plain(mention)]


def _parts(labels: Iterable[str]) -> dict[str, str]:
    """Each part of a label of several words that only one speaker has."""
    owners: dict[str, set[str]] = {}
    for label in labels:
        split = [part.strip(".,()") for part in label.split()]
        for part in split if len(split) > 1 else ():
            if len(part) > 2 and part[0].upper() == part[0] and part.lower() not in TITLES and not part.isdigit():
                owners.setdefault(_plain(part), set()).add(label)
    return {part: next(iter(label)) for part, label in owners.items() if len(label) == 1}


def _plain(text: str) -> str:
    return _without_accents(text).lower()


def _without_accents(text: str) -> str:
    """As long as before; of Latin letters only, since elsewhere marks make letters of their own."""
    return "".join(
        unicodedata.normalize("NFD", c)[0] if "\u00c0" <= c <= "\u024f" or "\u1e00" <= c <= "\u1eff" else c
        for c in text
    )


def _bounded(name: str) -> str:
    letters = rf"[^\W{_SYLLABIC}]"
    ahead = rf"(?<!{letters})" if re.match(letters, name) else ""
    behind = rf"(?!{letters})" if re.match(letters, name[-1]) else ""
    return f"{ahead}{re.escape(name)}{behind}"


def _is_meant(match: re.Match[str], text: str, informal: bool) -> bool:
    """Whether a word that is spelt like a name is one here."""
    written, key = text[match.start() : match.end()], _plain(match[0])
    if key in ALSO_WORDS:
        if not written[0].isupper():
            return False
        ahead = text[: match.start()].rstrip()
        begins = not ahead or ahead[-1] in ".!?:"
        return not begins or not re.match(r"\s+[a-z]", text[match.end() :]) or bool(_DOES.match(text, match.end()))
    if written[0] == written[0].lower() != written[0].upper():
        if _A_THING.search(text[: match.start()]):
            return False
        return len(key) > (2 if informal else 3)
    return True
