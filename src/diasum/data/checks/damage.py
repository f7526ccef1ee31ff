"""Text that was damaged on its way: read in the wrong encoding (`schÃ¶n`), letters replaced (`�`), control characters.

ftfy tells what was read in the wrong encoding and mends it (Speer 2019, "ftfy", https://ftfy.readthedocs.io); only texts with letters
beyond ASCII are shown to it. It is in the extra `check`; without it the other two kinds are found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec

from diasum.data.checks.findings import Finding
from diasum.data.pairs import Pair

REPLACED = "\ufffd"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MESSAGES = {
    "misread": "have text that was read in the wrong encoding",
    "replaced": f"have letters that were lost ({REPLACED})",
    "control": "have control characters",
}


def can_mend() -> bool:
    """Whether the extra for misread text is installed."""
    return find_spec("ftfy") is not None


@cache
def _misread() -> tuple[Callable[[str], bool], Callable[[str], str]]:
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return is_bad, fix_encoding


def damages(text: str) -> Iterator[str]:
    """The kinds of damage that a text shows."""
    if _CONTROL.search(text):
        yield "control"
    if text.isascii():
        return
    if REPLACED in text:
        yield "replaced"
    if can_mend():
        is_bad, mend_encoding = _misread()
        if is_bad(text) and mend_encoding(text) != text:
            yield "misread"


def mend(text: str) -> str:
    """The text read in the right encoding, and without control characters; as it is where nothing is to be mended."""
    if can_mend() and not text.isascii():
        text = _misread()[1](text)
    return _CONTROL.sub("", text)


def damage_findings(split: str, pairs: list[Pair]) -> Iterator[Finding]:
    """What to tell of damaged text in dialogues, labels and references."""
    ids: dict[str, list[str]] = {kind: [] for kind in _MESSAGES}
    for pair in pairs:
        whole = "\n".join((pair.dialogue.text, *pair.references))
        if whole.isascii() and not _CONTROL.search(whole):
            continue
        texts = [*{turn.speaker for turn in pair.dialogue.turns}, *(turn.text for turn in pair.dialogue.turns)]
        for kind in {kind for text in (*texts, *pair.references) for kind in damages(text)}:
            ids[kind].append(pair.id)
    for kind, concerned in ids.items():
        if concerned:
            message = f"{len(concerned)} of {len(pairs)} dialogues of `{split}` {_MESSAGES[kind]}."
            yield Finding(f"damaged_{kind}", "warning", message, split, len(concerned), tuple(concerned))
