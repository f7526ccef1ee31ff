"""Which language each dialogue is in, and whether its summaries are in the same.

Text that is clearly English by its common words is told by `diasum.claims.language`; the rest by py3langid (Barbaresi's port of Lui and
Baldwin 2012, "langid.py"), which is in the extra `check`. Without it, there is English and the unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import islice
from typing import Any

from diasum.claims.language import FEWEST_WORDS, english_share, script_of
from diasum.data.checks.findings import Finding
from diasum.data.checks.words import words_of
from diasum.data.pairs import Pair

UNKNOWN = "und"  # ISO 639-2 for undetermined
_NO_LANGUAGE = "zxx"  # py3langid's answer for text that is none
_LOOKED_AT = 300  # characters
_FEWEST_LETTERS = 20
_SURE = 0.9  # probability
_ENGLISH = 0.3  # of the words; half of running English, a tenth at most of other languages


def can_tell_languages() -> bool:
    """Whether the extra for languages is installed."""
    return find_spec("py3langid") is not None


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_of(text: str) -> str:
    """The ISO 639-1 code of a text's language; `UNKNOWN` where too little is written or it is not clear."""
    words = words_of(text[: 2 * _LOOKED_AT])
    if len(words) >= FEWEST_WORDS and english_share(words) >= _ENGLISH:
        return "en"
    beginning = text[:_LOOKED_AT]
    letters = [letter for letter in beginning if letter.isalpha()]
    dense = sum(not letter.isascii() and script_of(letter) != "Latin" for letter in letters) > len(letters) / 2
    if len(letters) < _FEWEST_LETTERS / (2 if dense else 1) or not can_tell_languages():
        return UNKNOWN
    language, probability = _identifier().classify(beginning)
    return str(language) if probability >= _SURE and language != _NO_LANGUAGE else UNKNOWN


def dialogue_language(pair: Pair) -> str:
    """Of what is said, without labels."""
    length, texts = 0, []
    for turn in pair.dialogue.turns:
        texts.append(turn.text)
        length += len(turn.text)
        if length > 2 * _LOOKED_AT:
            break
    return language_of(" ".join(texts))


def language_name(code: str) -> str:
    """In English, as far as it has a name there."""
    from babel import Locale
    from babel.core import UnknownLocaleError

    if code == UNKNOWN:
        return "unknown"
    try:
        return str(Locale.parse(code).get_display_name("en") or code)
    except (UnknownLocaleError, ValueError):
        return code


def language_findings(
    split: str, pairs: Sequence[Pair], languages: Sequence[str], usual: str | None
) -> Iterator[Finding]:
    """Dialogues in another language than most, and summaries in another one than their dialogue.

    Args:
        split: name.
        pairs: of the split.
        languages: of each dialogue.
        usual: the corpus's most frequent one; None where none is known.
    """
    other = [(pair.id, code) for pair, code in zip(pairs, languages, strict=True) if code not in (usual, UNKNOWN)]
    if usual and other:
        counts = Counter(code for _, code in other)
        listed = ", ".join(f"{language_name(code)} {count}" for code, count in islice(counts.most_common(), 5))
        message = (
            f"{len(other)} of {len(pairs)} dialogues of `{split}` are in another language than most, "
            f"which are in {language_name(usual)}: {listed}."
        )
        yield Finding("other_language", "info", message, split, len(other), tuple(name for name, _ in other))
    differing = []
    for pair, code in zip(pairs, languages, strict=True):
        if code != UNKNOWN and any(_differs(text, code) for text in pair.references):
            differing.append(pair.id)
    if differing:
        message = f"{len(differing)} of {len(pairs)} dialogues of `{split}` have a summary in another language."
        yield Finding("summary_language", "warning", message, split, len(differing), tuple(differing))


def _differs(text: str, code: str) -> bool:
    """Whether a text is clearly in another language than that."""
    words = words_of(text[: 2 * _LOOKED_AT])
    if code == "en" and words and english_share(words) >= _ENGLISH / 2:
        return False  # also where it is too short to tell what it is
    return language_of(text) not in (code, UNKNOWN)


def usual_language(languages: Sequence[str]) -> str | None:
    """The most frequent one that is known."""
    known = Counter(code for code in languages if code != UNKNOWN)
    return known.most_common(1)[0][0] if known else None
