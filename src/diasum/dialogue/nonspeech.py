"""Content of exports that is not speech: its kinds, and the placeholders shared by several formats.

Left out of dialogues and counted by kind; kept as turns where the user asks for that (`data.keep_nonspeech`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Kind to its name in the singular and plural, as a count says it.
KINDS: Mapping[str, tuple[str, str]] = {
    "media": ("media", "media"),
    "file": ("file", "files"),
    "sticker": ("sticker", "stickers"),
    "deleted": ("deleted message", "deleted messages"),
    "edit": ("edit mark", "edit marks"),
    "notice": ("notice", "notices"),
    "join": ("join or leave", "joins and leaves"),
    "call": ("call", "calls"),
    "reaction": ("reaction", "reactions"),
    "poll": ("poll", "polls"),
    "location": ("location", "locations"),
    "contact": ("contact card", "contact cards"),
    "empty": ("message without text", "messages without text"),
    "sound": ("sound", "sounds"),
    "quote": ("quoted text", "quoted texts"),
    "instruction": ("instruction", "instructions"),
    "branch": ("message of another branch", "messages of other branches"),
    "tool": ("call of a tool", "calls of tools"),
    "signature": ("signature", "signatures"),
}


def left_out_in_words(counts: Mapping[str, int]) -> str:
    """``42 media, 3 deleted messages``; empty where nothing was left out."""
    parts = []
    for kind, (one, many) in KINDS.items():
        if number := counts.get(kind, 0):
            parts.append(f"{number:,} {one if number == 1 else many}")
    return ", ".join(parts)


_PLACEHOLDER = re.compile(r"<(?P<words>media|image|video|audio|sticker|gif|document) omitted>", re.I)


def placeholder(text: str) -> str | None:
    """The kind of a placeholder text, which stands for something left out of the export; None for speech.

    For text of any origin: what is written in no sentence. Formats know the placeholders of their own export.
    """
    match = _PLACEHOLDER.fullmatch(text.strip())
    if not match:
        return None
    return "sticker" if match["words"].lower() == "sticker" else "media"
