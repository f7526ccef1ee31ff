"""Subtitles of recordings: WebVTT of Teams, Zoom, Meet and YouTube, SubRip, and SBV of YouTube and Meet's chat.

Shapes: WebVTT (https://www.w3.org/TR/webvtt1), with the voices that Teams writes (https://learn.microsoft.com/graph/api/resources/calltranscript,
`text/vtt`), the labels in the text of Zoom (https://support.zoom.com, "Using audio transcription for cloud recordings") and the rolling
captions of YouTube. Read by `diasum.dialogue.cues`; a stream.
"""

from __future__ import annotations

from collections.abc import Iterator

from diasum.dialogue.cues import Survey, spoken, survey, times_of
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation, Message
from diasum.dialogue.formats.source import Source


def recognises(head: Head) -> Evidence | None:
    """By WebVTT's first line, or by the times of captions: SubRip and SBV have nothing else."""
    if head.members:
        return None
    lines = head.lines
    if not lines:
        return None
    if lines[0].lstrip("\ufeff").startswith("WEBVTT"):
        return Evidence(Strength.CERTAIN, "WebVTT subtitles")
    times = next((line for line in lines[:3] if times_of(line)), None)
    if times is None:
        return None
    return Evidence(Strength.CERTAIN, "SubRip subtitles" if "-->" in times else "SBV subtitles")


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of the file; a turn a caption and speaker, or a sentence where captions break it."""
    surveyed = survey(source.lines)
    conversation = Conversation((), source.where, source.stem, _reason(source.head, surveyed), may_split=False)
    conversation.messages = (
        Message(one.speaker, one.text, "sound" if one.is_sound else None, None, one.start, one.end, one.number)
        for one in spoken(source.lines, surveyed)
    )
    yield conversation


def _reason(head: Head, surveyed: Survey) -> str | None:
    evidence = recognises(head)
    if evidence is None:
        return None
    if surveyed.voices:
        return f"{evidence.reason} with voices"
    if surveyed.rolling:
        return f"{evidence.reason} that roll, each line once"
    return (
        f"{evidence.reason} with names"
        if surveyed.names() or surveyed.names_above
        else f"{evidence.reason} without speakers"
    )
