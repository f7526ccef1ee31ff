"""Account and identity numbers: by what they are called in the talk, and by the form of those that have one of their own.

Without its name, "4482-99031" may be anything; so numbers count that are said to be an account, a passport, a policy and the like, and
those of national schemes whose letters or check digits leave little doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diasum.redaction.cues import names_account, topic
from diasum.redaction.spans import Said, Span

_WRITTEN = re.compile(
    r"(?<![A-Za-z0-9_@.,/-])[A-Za-z]{0,6}[-. ]?"
    r"\d[A-Za-z0-9]{0,40}(?:[-./ ](?=[A-Za-z]{0,3}\d)[A-Za-z0-9]{1,40}|[ -][A-Z](?![A-Za-z])){0,12}"
    r"(?![A-Za-z0-9_])(?!\s?[%€$£])"
)
_PREFIX = re.compile(r"[A-Za-z]+[. ]+")
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_OWN_FORMS = {
    "US social security": re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
    "UK national insurance": re.compile(r"(?<!\w)[A-CEGHJ-PQR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"),
    "Spanish DNI or NIE": re.compile(r"(?<!\w)(?:\d{8}|[XYZ]\d{7})-?[A-Z](?!\w)"),
    "Italian codice fiscale": re.compile(r"(?<!\w)[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z](?!\w)", re.I),
    "Brazilian CPF": re.compile(r"(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)"),
    "Mexican CURP": re.compile(r"(?<!\w)[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d(?!\w)"),
    "Indian PAN": re.compile(r"(?<!\w)[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z](?!\w)"),
    "Swedish personnummer": re.compile(
        r"(?<![\w-])(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[-+]\d{4}(?![\w-])"
    ),
    "Belgian register": re.compile(r"(?<![\w.])\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\w)"),
}
_LABELS = ("ID", "No", "NO", "Nr", "NR", "Id")
_SORT_CODE = re.compile(r"\bsort\s?code\W{1,3}(?:is\s)?$", re.I)
_YEAR_OR_TIME = re.compile(r"(?:19|20)\d\d|\d{1,2}[.:]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")


def accounts(said: Said) -> Iterator[Span]:
    """Numbers called accounts or identity numbers, and those of national schemes."""
    for match in _WRITTEN.finditer(said.text):
        start = match.start()
        prefix = _PREFIX.match(match[0])
        if prefix and (
            len(prefix[0].strip(". ")) > 3
            or prefix[0].islower()
            or prefix[0].strip(". ") in _LABELS
            or names_account(prefix[0])
        ):
            start += prefix.end()  # a word ahead, no part of the number
        written = said.text[start : match.end()]
        digits = sum(map(str.isdigit, written))
        other = _YEAR_OR_TIME.fullmatch(written) and not _SORT_CODE.search(said.text[:start])
        if digits >= 4 and not other and topic(said, start) == "account":
            yield Span(start, match.end(), "account")
    for name, pattern in _OWN_FORMS.items():
        for match in pattern.finditer(said.text):
            if topic(said, match.start()) != "other" and _checks(name, match[0]):
                yield Span(match.start(), match.end(), "account")


def _checks(name: str, written: str) -> bool:
    if name == "Spanish DNI or NIE":
        compact = written.replace("-", "")
        number = compact[:-1].translate(str.maketrans("XYZ", "012"))
        return _DNI_LETTERS[int(number) % 23] == compact[-1]
    if name == "Brazilian CPF":
        digits = [int(c) for c in written if c.isdigit()]
        return all(sum(d * (n + 1 - i) for i, d in enumerate(digits[:n])) * 10 % 11 % 10 == digits[n] for n in (9, 10))
    return True
