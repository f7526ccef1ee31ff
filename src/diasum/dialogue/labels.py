"""What may stand before a colon as the name of who speaks, judged by its form and by its use in the whole conversation."""

from __future__ import annotations

import re

# At most five words before a colon that ends the word: "https://" and "9:30" are no labels. Names may hold emoji.
EMOJI = r"\u200d\ufe0f\u2600-\u27bf\U0001f000-\U0001faff"
_LETTERS = rf"\w.'’&/@()\-{EMOJI}"
LABEL = re.compile(rf"^@?(?:[^\W_]|[{EMOJI}])[{_LETTERS}]*(?: (?!\(?\d+[:./\-]\d)[{_LETTERS}]+){{0,4}}")
# Who is no saved contact: a telephone number, or the name that its owner gave it (~Max)
PHONE = re.compile(r"^\+\(?\d(?:[ ()./\-\u2010\u2011]*\d){6,14}")
COLON = re.compile(r"^ ?(?::(?: |$)|：)")
# Words that stand before a colon in the middle of what somebody says, and small words inside a name.
_NOT_NAMES = frozenset(
    ("note", "notes", "nb", "ps", "pps", "tip", "warning", "example", "fyi", "todo", "re", "also", "remember")
)
_PARTICLES = frozenset(("and", "of", "the", "de", "da", "van", "von", "der", "al", "bin", "la"))
_LONG = 6  # labelled lines from which a label used only once needs to look like a name


def is_name(label: str, count: int, labelled: int, *, stamped: bool = False) -> bool:
    """Whether text before a colon names a speaker.

    Args:
        label: the text.
        count: lines of the conversation that begin with it.
        labelled: lines that begin with any label.
        stamped: whether a time stands before it.
    """
    if label.startswith(("#", "@")):
        return True
    if PHONE.match(label):
        return stamped or count > 1 or labelled < _LONG
    words = label.split()
    if label.lower().rstrip(".") in _NOT_NAMES or any(word.endswith(".") and len(word) > 5 for word in words[:-1]):
        return False
    return looks_like_a_name(label) or count > 1 or (labelled < _LONG and len(words) <= 2)


def looks_like_a_name(label: str) -> bool:
    """Whether it is written as names are: capital letters, but for small words between."""
    return (
        label[0].isalpha()
        and not label[0].islower()
        and all(not word[0].islower() or word in _PARTICLES for word in label.split())
    )
