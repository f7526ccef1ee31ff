"""JSON of Whisper and its relatives: openai-whisper, WhisperX, whisper.cpp, faster-whisper, transformers, and OpenAI's endpoint.

Shapes: https://github.com/openai/whisper (`whisper/utils.py`, `WriteJSON`), https://github.com/m-bain/whisperX, whisper.cpp's
`examples/cli/cli.cpp` (`output_json`), https://github.com/SYSTRAN/faster-whisper (`Segment`, as objects or arrays), the chunks of
transformers' pipeline, and `verbose_json` and `diarized_json` of https://platform.openai.com/docs/api-reference/audio.
In memory as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diasum.dialogue.cues import Spoken
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation
from diasum.dialogue.formats.recognised import conversation, most_common_speaker, objects, of_text, spoken, time
from diasum.dialogue.formats.source import Source
from diasum.json_lines import is_json_lines

_SPEAKER = re.compile(r"^\s*[(\[]\s*speaker[ _]?(\?|\d+)\s*[)\]]:?\s*", re.I)  # whisper.cpp with --diarize
_TURN = re.compile(r"\s*\[SPEAKER_TURN\]\s*")  # whisper.cpp with --tinydiarize: somebody else goes on
_LONG_TEXT = re.compile(r'^\s*\{\s*"text"\s*:\s*"')
_SEGMENT = 5  # first values of faster-whisper's Segment as an array: id, seek, start, end, text


def recognises(head: Head) -> Evidence | None:
    """By the segments of each program."""
    if head.members or is_json_lines(head.text):
        return None
    if reason := _reason(head.tree):
        return Evidence(Strength.CERTAIN, reason)
    if not head.whole and not head.tree and _LONG_TEXT.match(head.text):
        return Evidence(Strength.POSSIBLE, "Whisper JSON")
    return None


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of the file.

    Raises:
        DiasumError: it is no JSON, or holds no transcript.
    """
    tree = source.json()
    reason = _reason(tree) or "Whisper JSON"
    parts = list(_parts(tree))
    if parts:
        yield conversation(source, parts, reason)
    else:
        yield of_text(source, tree.get("text", "") if isinstance(tree, dict) else "" if tree == [] else None, reason)


def _reason(tree: Any) -> str | None:
    """Which program wrote it; None where no part has both times and words."""
    if isinstance(tree, list):
        return "faster-whisper JSON" if tree and (_is_array(tree[0]) or _is_whispers(tree[0])) else None
    if not isinstance(tree, dict):
        return None
    if isinstance(tree.get("transcription"), list) and not tree.keys().isdisjoint(
        ("systeminfo", "model", "params", "result")
    ):
        return "whisper.cpp JSON"
    if any("timestamp" in chunk and "text" in chunk for chunk in objects(tree.get("chunks"))):
        return "JSON of transformers' speech recognition"
    first = next(objects(tree.get("segments")), None)
    if first is None or not {"start", "end", "text"} <= first.keys():
        return None
    if isinstance(tree.get("word_segments"), list) or ("words" in first and "seek" not in first):
        return "WhisperX JSON"
    return "Whisper JSON"


def _is_whispers(item: Any) -> bool:
    return (
        isinstance(item, Mapping)
        and {"start", "end", "text"} <= item.keys()
        and not item.keys().isdisjoint(("avg_logprob", "no_speech_prob", "compression_ratio", "seek"))
    )


def _is_array(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) > _SEGMENT
        and isinstance(item[_SEGMENT - 1], str)
        and all(isinstance(value, int | float) for value in item[: _SEGMENT - 1])
    )


def _parts(tree: Any) -> Iterator[Spoken]:
    if isinstance(tree, list):
        for number, item in enumerate(tree, 1):
            if _is_array(item):
                yield spoken(None, item[4], time(item[2]), time(item[3]), number)
            elif isinstance(item, Mapping):
                yield _segment(item, number)
    elif isinstance(tree, dict):
        for number, item in enumerate(objects(tree.get("transcription")), 1):
            yield _of_cpp(item, number)
        chunks = tree.get("speakers") if any(objects(tree.get("speakers"))) else tree.get("chunks")
        for number, item in enumerate(objects(chunks), 1):
            start, end = (
                (item.get("timestamp") or [None, None])[:2] if _is_pair(item.get("timestamp")) else (None, None)
            )
            yield spoken(item.get("speaker"), item.get("text"), time(start), time(end), number)
        for number, item in enumerate(objects(tree.get("segments")), 1):
            yield _segment(item, number)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _segment(item: Mapping[str, Any], number: int) -> Spoken:
    speaker = item.get("speaker")
    speaker = most_common_speaker(item.get("words")) if speaker is None else speaker
    return spoken(speaker, item.get("text"), time(item.get("start")), time(item.get("end")), number)


def _of_cpp(item: Mapping[str, Any], number: int) -> Spoken:
    text, speaker = item.get("text"), item.get("speaker")
    if isinstance(text, str):
        text = _TURN.sub(" ", text)
        if marked := _SPEAKER.match(text):
            text, speaker = text[marked.end() :], marked[1] if speaker is None else speaker
    offsets = item.get("offsets")
    offsets = offsets if isinstance(offsets, Mapping) else {}
    return spoken(
        None if speaker == "?" else speaker,
        text,
        time(offsets.get("from"), 1e-3),
        time(offsets.get("to"), 1e-3),
        number,
    )
