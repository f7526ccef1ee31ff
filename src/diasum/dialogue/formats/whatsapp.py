"""WhatsApp's exported chats."""

from __future__ import annotations

from collections.abc import Iterator

from diasum.dialogue.formats.head import Evidence, Head
from diasum.dialogue.formats.messages import Conversation
from diasum.dialogue.formats.source import Source


def recognises(head: Head) -> Evidence | None:
    """Not yet."""


def read(source: Source) -> Iterator[Conversation]:
    """Not yet."""
    yield from ()
