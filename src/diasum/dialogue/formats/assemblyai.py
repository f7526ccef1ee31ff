"""Transcripts of AssemblyAI as JSON: utterances where speakers were told apart, else words.

Shape: https://www.assemblyai.com/docs/api-reference/transcripts/get; times are in milliseconds. In memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation
from diasum.dialogue.formats.recognised import by_words, conversation, objects, of_text, spoken, time
from diasum.dialogue.formats.source import Source
from diasum.errors import DiasumError
from diasum.json_lines import is_json_lines

_REASON = "AssemblyAI transcript"
_MS = 1e-3


def recognises(head: Head) -> Evidence | None:
    """By keys that only its answers have."""
    if head.members or is_json_lines(head.text):
        return None
    keys = head.keys
    is_answer = "audio_url" in keys and not keys.isdisjoint(("status", "acoustic_model", "language_model"))
    first = next(objects(head.tree.get("utterances")), {}) if isinstance(head.tree, dict) else {}
    is_dump = {"speaker", "text", "start", "end", "confidence"} <= first.keys()
    return Evidence(Strength.CERTAIN, _REASON) if is_answer or is_dump else None


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of the file.

    Raises:
        DiasumError: it is no JSON, holds no transcript, or the transcription failed.
    """
    tree = source.json()
    tree = tree if isinstance(tree, dict) else {}
    if tree.get("status") in ("error", "queued", "processing"):
        raise DiasumError(
            f"{source.where}: AssemblyAI's transcript is not complete: status `{tree['status']}`"
            f"{f', {error}' if (error := tree.get('error')) else ''}.",
            hint="Save it again when its status is `completed`.",
        )
    utterances = [
        spoken(item.get("speaker"), item.get("text"), time(item.get("start"), _MS), time(item.get("end"), _MS), number)
        for number, item in enumerate(objects(tree.get("utterances")), 1)
    ]
    parts = utterances or list(by_words(objects(tree.get("words")), ("text",), _MS))
    yield conversation(source, parts, _REASON) if parts else of_text(source, tree.get("text"), _REASON)
