"""What `diasum summarize --check` prints of a summary: each sentence with its verdict, the reasons, and the turns that it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from diasum.wording import counted

if TYPE_CHECKING:
    from diasum.data.summary import Summary
    from diasum.dialogue import Dialogue

_LONGEST = 200  # characters of a turn


def check_lines(summary: Summary, dialogue: Dialogue) -> Iterator[str]:
    """A line for the whole, then for each sentence its verdict, reasons and turns, which count from 1."""
    if not summary.sentences:
        yield "Nothing to check: the summary is empty."
        return
    yield _whole(summary)
    turns = {turn.id: (number, turn) for number, turn in enumerate(dialogue.turns, 1)}
    for sentence in summary.sentences:
        yield f"[{sentence.verdict}] {' '.join(sentence.text.split())}"
        for reason in sentence.reasons:
            yield f"    {reason}"
        for number, turn in (turns[one] for one in sentence.turns if one in turns):
            text = str(turn)
            yield f"    turn {number}: {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"


def _whole(summary: Summary) -> str:
    if summary.review is None:
        return " ".join(summary.not_checked or ("Not checked.",))
    flagged = sum(one.verdict in ("check", "unsupported") for one in summary.sentences)
    checked = sum(one.verdict != "not checked" for one in summary.sentences)
    notes = " ".join(summary.not_checked or ())
    return (
        f"Review flag {summary.review:.0%}: {flagged} of {counted(checked, 'checked sentence')} should be looked at. "
        f"“Supported” means that nothing was found against a sentence, not that it is true. {notes}"
    ).rstrip()
