"""How a file was read, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from diasum.wording import counted

if TYPE_CHECKING:
    from diasum.dialogue import Turn
    from diasum.dialogue.read import ReadDialogue


def record(one: ReadDialogue) -> dict[str, Any]:
    """A dialogue and how it was read, as one JSON object."""
    return {
        "id": one.id,
        "where": one.where,
        "format": one.format,
        "read_as": one.reason,
        "began": one.began.isoformat() if one.began else None,
        "speakers": list(one.dialogue.speakers),
        "left_out": dict(one.left_out),
        "notes": list(one.notes),
        "turns": [
            {"speaker": turn.speaker, "text": turn.text, "start": turn.start, "end": turn.end, "source": turn.source}
            for turn in one.dialogue.turns
        ],
    }


def drawn(dialogues: Sequence[ReadDialogue], most: int, turns: int) -> Iterator[str]:
    """Lines that show the first conversations with their first and last turns."""
    from diasum.dialogue.nonspeech import left_out_in_words

    for number, one in enumerate(dialogues[:most], 1):
        if number > 1:
            yield ""
        yield f"{one.id or number}  ({one.where})"
        yield f"  read as: {one.reason}"
        words = Counter(turn.speaker for turn in one.dialogue.turns)
        speakers = [f"{name} ({words[name]:,})" for name in one.dialogue.speakers]
        yield f"  {counted(len(one.dialogue), 'turn')}; speakers: {', '.join(speakers[:20]) or 'none found'}" + (
            f" and {len(speakers) - 20} more" if len(speakers) > 20 else ""
        )
        if one.began:
            yield f"  began: {one.began:%Y-%m-%d %H:%M}"
        yield f"  left out: {left_out_in_words(one.left_out) or 'nothing'}"
        yield from (f"  note: {note}" for note in one.notes)
        yield from _turns(one.dialogue.turns, turns)


def _turns(all_of_them: Sequence[Turn], shown: int) -> Iterator[str]:
    skipped = len(all_of_them) - 2 * shown
    for index, turn in enumerate(all_of_them):
        if shown <= index < len(all_of_them) - shown and skipped > 0:
            if index == shown:
                yield f"    ... {counted(skipped, 'turn')} ..."
            continue
        place = "" if turn.source is None else f"{turn.source}: "
        yield f"    {place}{turn}"
