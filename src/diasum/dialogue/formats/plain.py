"""Plain text: one turn per line, `Name: what they say`, with or without times in the usual places; also text in which nobody is named.

Any text can be read so, which is why no other format loses a tie to it. Read by `diasum.dialogue.text`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation, Message, messages_of
from diasum.dialogue.formats.source import Source
from diasum.dialogue.nonspeech import placeholder
from diasum.dialogue.text import parse_dialogue


def recognises(head: Head) -> Evidence | None:
    """Everything but archives and folders."""
    return None if head.members else Evidence(Strength.FALLBACK, "plain text")


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of the text, as a whole: whether a word before a colon is a name depends on the other lines."""
    messages = [_marked(message) for message in messages_of(parse_dialogue(source.text()))]
    yield Conversation(messages, source.where, source.stem)


def _marked(message: Message) -> Message:
    kind = placeholder(message.text)
    return message if kind is None else replace(message, kind=kind)
