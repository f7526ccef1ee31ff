"""The names under which people keep conversations and turns: of columns in tables, of keys in objects."""

from __future__ import annotations

import re
from collections.abc import Iterable

SPEAKER_KEYS = ("speaker", "role", "from", "author", "name", "user", "participant", "speaker_name", "sender")
TEXT_KEYS = ("text", "content", "utterance", "message", "body", "value", "sentence", "parts")
START_KEYS = ("start", "start_time", "begin", "offset", "timestamp")
END_KEYS = ("end", "end_time", "stop", "stop_time")
# In order of preference: with both `dialogue` and `text`, the dialogue is meant.
UNMISTAKABLE_NAMES = (
    *("dialogue", "dialog", "conversation", "transcript", "turns", "messages", "utterances", "dialogues", "chat"),
    *("meeting_transcripts", "conversations"),
)
DIALOGUE_NAMES = (*UNMISTAKABLE_NAMES, "log", "text", "document", "article", "source", "input")
SUMMARY_NAMES = (
    *("summaries", "summary", "highlights", "section_text", "abstract", "note", "tldr", "recap", "minutes"),
    *("references", "reference", "target", "output"),
)
ID_NAMES = ("id", "fname", "dialogue_id", "dialog_id", "conversation_id", "meeting_id", "guid", "uid")
TABLE_KEYS = ("data", "rows", "examples", "items", "records", "samples", "pairs", "dialogues", "conversations")


def find_name(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    """The first of the wanted names that is there, whatever its case, as it is written there."""
    known = {as_name(str(name)): name for name in reversed(list(names))}
    return next((known[name] for name in wanted if name in known), None)


def as_name(name: str) -> str:
    """A column's name as it is compared with others."""
    return re.sub(r"[\s\-]+", "_", name.strip().lower())
