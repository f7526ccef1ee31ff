"""What the JSON of speech recognisers has in common: segments or words with times and, where voices were told apart, speakers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diasum.dialogue.cues import Spoken, is_sound, joined
from diasum.dialogue.formats.messages import Conversation, Message
from diasum.dialogue.formats.source import Source
from diasum.dialogue.text import parse_dialogue, seconds
from diasum.errors import DiasumError

_ENDED = re.compile(r"[.!?…。！？][\"”»)]?$")
_PAUSE = 2.0  # seconds between words after which a new turn begins


def speaker_name(value: Any) -> str:
    """A speaker as recognisers name them: numbers and single letters are ``Speaker 0``, ``Speaker A``; none are empty."""
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    return f"Speaker {text}" if text.isdigit() or (len(text) == 1 and text.isalpha()) else text


def time(value: Any, unit: float = 1.0) -> float | None:
    """Seconds of a number or a text such as ``00:00:03,500``; None where it is no time."""
    result = seconds(value)
    return None if result is None or result != result or result < 0 or result == float("inf") else result * unit


def spoken(speaker: Any, text: Any, start: float | None, end: float | None, number: int) -> Spoken:
    """A segment; `number` is its place, counted from 1."""
    words = text.strip() if isinstance(text, str) else ""
    return Spoken(speaker_name(speaker), words, start, end, number, is_sound(words))


def most_common_speaker(words: Any) -> Any:
    """Who says most of a segment's words; None where none of them has a speaker."""
    counts = Counter(str(word["speaker"]) for word in objects(words) if word.get("speaker") is not None)
    return counts.most_common(1)[0][0] if counts else None


def by_words(words: Iterable[Mapping[str, Any]], keys: tuple[str, ...], unit: float = 1.0) -> Iterator[Spoken]:
    """Turns of words: a new one where the speaker changes, a sentence ends or there is a pause.

    Args:
        words: objects with ``start``, ``end`` and ``speaker``.
        keys: of the word itself, the preferred one first.
        unit: of times, in seconds.
    """
    turn: Spoken | None = None
    for number, word in enumerate(words, 1):
        text = next((str(word[key]) for key in keys if word.get(key)), "")
        one = spoken(word.get("speaker"), text, time(word.get("start"), unit), time(word.get("end"), unit), number)
        pause = one.start is not None and turn is not None and turn.end is not None and one.start - turn.end > _PAUSE
        if turn and turn.speaker == one.speaker and not pause and not _ENDED.search(turn.text):
            turn = turn._replace(
                text=f"{turn.text} {one.text}".strip(), end=one.end if one.end is not None else turn.end
            )
            continue
        if turn:
            yield turn
        turn = one
    if turn:
        yield turn


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; nothing of other values."""
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def conversation(source: Source, parts: Iterable[Spoken], reason: str) -> Conversation:
    """The conversation of segments; those that go on in the middle of a sentence are one turn."""
    turns = [part for part in joined(parts) if part.text]
    named = "with speakers" if any(part.speaker for part in turns) else "without speakers"
    messages = [
        Message(
            one.speaker, one.text, "sound" if one.is_sound else None, None, one.start, one.end, f"segment {one.number}"
        )
        for one in turns
    ]
    return Conversation(messages, source.where, source.stem, f"{reason} {named}", may_split=False)


def of_text(source: Source, text: Any, reason: str) -> Conversation:
    """The conversation of a transcript that has no segments; raises DiasumError where there is none."""
    if not isinstance(text, str):
        raise DiasumError(
            f"{source.where}: no transcript was found in it, though it looks like {reason}.",
            hint="Expected segments, utterances or words with text. `--format table` reads other JSON.",
        )
    messages = [Message(turn.speaker, turn.text) for turn in parse_dialogue(text).turns]
    return Conversation(messages, source.where, source.stem, f"{reason} without times", may_split=False)
