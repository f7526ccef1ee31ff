"""Transcripts of Deepgram as JSON: utterances, paragraphs or words, of one channel or several.

Shape: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded. In memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diasum.dialogue.cues import Spoken
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation
from diasum.dialogue.formats.recognised import by_words, conversation, objects, of_text, spoken, time
from diasum.dialogue.formats.source import Source
from diasum.json_lines import is_json_lines

_REASON = "Deepgram transcript"


def recognises(head: Head) -> Evidence | None:
    """By channels among its results."""
    if head.members or is_json_lines(head.text) or "results" not in head.keys:
        return None
    results = head.tree["results"]
    return Evidence(Strength.CERTAIN, _REASON) if isinstance(results, dict) and "channels" in results else None


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of the file.

    Raises:
        DiasumError: it is no JSON, or holds no transcript.
    """
    tree = source.json()
    results = tree.get("results") if isinstance(tree, dict) else None
    results = results if isinstance(results, dict) else {}
    channels = list(objects(results.get("channels")))
    parts = [
        _utterance(item, number, len(channels)) for number, item in enumerate(objects(results.get("utterances")), 1)
    ]
    if not parts:
        parts = [
            part for number, channel in enumerate(channels) for part in _of_channel(channel, number, len(channels))
        ]
        if len(channels) > 1:
            parts.sort(key=lambda part: part.start or 0.0)
    if parts:
        yield conversation(source, parts, _REASON)
    else:
        texts = [alternative.get("transcript") for channel in channels for alternative in _alternatives(channel)]
        yield of_text(source, next((text for text in texts if isinstance(text, str)), None), _REASON)


def _utterance(item: Mapping[str, Any], number: int, channels: int) -> Spoken:
    speaker = _name(item.get("speaker"), item.get("channel"), channels)
    return spoken(speaker, item.get("transcript"), time(item.get("start")), time(item.get("end")), number)


def _of_channel(channel: Mapping[str, Any], number: int, channels: int) -> Iterator[Spoken]:
    """The paragraphs of a channel's best alternative, or else its words as turns."""
    best = next(_alternatives(channel), {})
    paragraphs = best.get("paragraphs")
    parts = list(objects(paragraphs.get("paragraphs"))) if isinstance(paragraphs, Mapping) else []
    for place, part in enumerate(parts, 1):
        text = " ".join(str(sentence.get("text") or "") for sentence in objects(part.get("sentences")))
        yield spoken(
            _name(part.get("speaker"), number, channels), text, time(part.get("start")), time(part.get("end")), place
        )
    if not parts:
        for one in by_words(objects(best.get("words")), ("punctuated_word", "word")):
            yield one._replace(speaker=one.speaker or _name(None, number, channels) or "")


def _alternatives(channel: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return objects(channel.get("alternatives"))


def _name(speaker: Any, channel: Any, channels: int) -> Any:
    """A speaker, or the channel where there are several and nobody is told apart in it."""
    if channels > 1:
        return f"Channel {channel}" if speaker is None else f"Channel {channel}, speaker {speaker}"
    return speaker
