"""The formats that conversations are kept in, one module each, and which of them a file is in.

A format module has two functions:

    recognises(head: Head) -> Evidence | None     from the beginning of the content; imports nothing heavy
    read(source: Source) -> Iterator[Conversation]   its conversations, as streams of `Message`

The content decides, the name only where the content leaves it open. The strongest evidence wins; a tie is the user's to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Protocol, cast

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Aside, Conversation, Message, messages_of
from diasum.dialogue.formats.source import Names, Source
from diasum.errors import DiasumError, near_misses

__all__ = [
    "FORMATS",
    "MEMBERS",
    "Aside",
    "Conversation",
    "Evidence",
    "Format",
    "Head",
    "Message",
    "Names",
    "Source",
    "Strength",
    "choose",
    "format_named",
    "messages_of",
]

# The name that `--format` takes, and what it stands for in words; the module has the same name. The order is that of lists shown to users.
FORMATS: Mapping[str, str] = {
    "plain": "plain text, a turn a line",
    "table": "a table or JSON with a conversation a row",
    "whatsapp": "WhatsApp export",
    "slack": "Slack export",
    "telegram": "Telegram export (JSON)",
    "discord": "Discord export (DiscordChatExporter, JSON)",
    "irc": "IRC log",
    "line": "LINE export",
    "subtitles": "subtitles: WebVTT, SubRip, SBV",
    "transcript": "transcript or chat copied from a window",
    "zoom_chat": "Zoom meeting chat",
    "docx": "Word document with a conversation",
    "whisper": "JSON of Whisper, WhisperX, whisper.cpp, faster-whisper",
    "assemblyai": "AssemblyAI transcript",
    "deepgram": "Deepgram transcript",
    "helpdesk": "tickets of Zendesk and conversations of Intercom (JSON)",
    "assistant": "export of conversations with ChatGPT or Claude",
    "mail": "e-mail threads: mbox, eml",
}


MEMBERS = "members"


class Format(Protocol):
    """What a format module offers."""

    def recognises(self, head: Head) -> Evidence | None: ...
    def read(self, source: Source) -> Iterator[Conversation]: ...


def format_named(name: str) -> Format:
    """The module of a format.

    Raises:
        DiasumError: there is none of that name.
    """
    if name not in FORMATS:
        raise DiasumError(f"There is no format `{name}`.", hint=near_misses(name, ["auto", *FORMATS], listed=40))
    return cast(Format, import_module(f"{__name__}.{name}"))


def choose(source: Source) -> tuple[str, Evidence]:
    """The format that a source is in.

    Returns:
        Its name and the evidence; `MEMBERS` for a folder or an archive whose files are to be looked at one by one.

    Raises:
        DiasumError: two formats fit equally well, or none does.
    """
    head = source.head
    if source.is_container and not head.members:
        raise DiasumError(f"{source.where} is empty.", hint="Give a file, or a folder or archive with files.")
    answers = {name: evidence for name in FORMATS if (evidence := format_named(name).recognises(head))}
    if not answers and head.members:
        return MEMBERS, Evidence(Strength.FALLBACK, "files of several formats")
    if not answers:
        raise DiasumError(
            f"{source.where}: no format that is read here was recognised.",
            hint=f"Name it with --format if it is one of {', '.join(FORMATS)}.",
        )
    strongest = max(evidence.strength for evidence in answers.values())
    best = {name: evidence for name, evidence in answers.items() if evidence.strength == strongest}
    if len(best) > 1:
        readings = " or as ".join(f"{name} ({evidence.reason})" for name, evidence in best.items())
        raise DiasumError(
            f"{source.where} can be read as {readings}.",
            hint=f"Say which: {' or '.join(f'--format {name}' for name in best)}.",
        )
    return next(iter(best.items()))
