"""Which texts of a WhatsApp export are speech, and which stand for a file, a deleted message or an event."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from diasum.dialogue.formats import whatsapp_notices as notices
from diasum.dialogue.formats import whatsapp_phrases as phrases
from diasum.dialogue.formats.messages import Aside
from diasum.dialogue.formats.whatsapp_phrases import any_of, compiled

_MARK = "\u200e"  # before what an iPhone writes by itself
_UNSEEN = dict.fromkeys([0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_UNSEEN |= dict.fromkeys([0x00A0, 0x202F], " ")
_FILE = r"[^\n<>:\"/\\|?*]{1,200}?\.[A-Za-z0-9]{2,5}"
# WhatsApp's own names of files: IMG-20240512-WA0001.jpg, 00000012-PHOTO-2024-05-12-10-32-11.jpg
_OWN_FILE = r"(?:[A-Z]{3,4}-\d{8}-WA\d+|\d{8}-[A-Z_]+-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)\.[A-Za-z0-9]{2,5}"
_ATTACHED = re.compile(rf"({_OWN_FILE}) \([^()\n]{{3,40}}\)$|({_FILE}) \((?:{any_of(phrases.ATTACHED)})\)$", re.I)
_ATTACHED_IPHONE = re.compile(rf"<[^<>:\n]{{2,30}} ?: ?({_FILE})>$")
_ATTACHED_INLINE = re.compile(rf"(<[^<>:\n]{{2,30}} ?: ?{_FILE}>) ?([^\s<].*)$", re.S)
# `Project: Alpha: ` and what the telephone wrote: the name of a group, with a colon in it
_UNDER_GROUP = re.compile(rf"[^\n]{{1,100}}?: [^\n]{{0,100}}?: ?{_MARK}(?!<|[^\n]{{0,40}}\b(?:omitted|weggelassen)\b)")
_BARE_FILE = re.compile(_FILE + "$")
_DOCUMENT = re.compile(r".*• ?\d.*$", re.S)  # Plan.pdf • 3 pages document omitted
_MEDIA = compiled(rf"<? ?(?:{any_of(phrases.MEDIA)}) ?\.?>?")
_OMITTED = compiled(
    "|".join(
        rf"(?:.*• ?\d[^\n]{{0,20}} )?(?:{things})(?: (?:{done})|(?:{done}))\.?"
        for things, done in phrases.OMITTED.values()
    )
    + r"|gif\b.{0,20}"
)
_STICKER = re.compile(
    r"sticker|stiker|figurinha|naklejk|стикер|çıkartma|ملصق|סטיקר|מדבקה|स्टिकर|贴图|貼圖|スタンプ|ステッカー|스티커|klistermärke",
    re.I,
)
_DELETED = compiled(rf"[⊘🚫]? ?(?:{any_of(phrases.DELETED)}) ?[.。]?")
_EDITED = compiled(rf"<(?:{any_of(phrases.EDITED)})[.。]?>$")
_LONGEST_EDIT = 120  # letters of the mark of an edit
_NOTICE = compiled(any_of(notices.NOTICES))
_CALL = compiled(rf"(?:{any_of(notices.CALLS)})(?P<rest>.{{0,80}})$")
_CALL_ENDS = re.compile(r"[\s.,:;•\-–]|\d|$")
_JOIN = compiled(any_of(notices.JOINS))
_QUOTING = compiled(rf"[^:\n]{{1,80}} ?(?:{notices.QUOTING})[^:\n]{{0,60}}[\"“”„«»「『']")
_QUOTE = re.compile("[\"“”„«»「『']")
_LOCATION = compiled(
    rf"(?:{notices.LOCATION}) ?: ?https?://\S+|.{{0,60}}https://maps\.google\.com/\?q=\S+|live location shared"
)
_POLL = compiled(rf"(?:{notices.POLL}) ?: ?\n")
_CONTACT = re.compile(r"[^\n]{1,120}\.vcf(?: \([^()\n]{3,40}\))?$", re.I)
_PLACEHOLDER = re.compile(r"<(?P<words>[^<>=/\n]{4,60})>")


class Told(NamedTuple):
    """What a text is: speech, or something of a kind, and what comes with it."""

    text: str
    kind: str | None = None
    asides: tuple[Aside, ...] = ()


def repeated_placeholder(text: str) -> bool:
    """Whether a text may be a placeholder in a language that is not known here: words in angle brackets and nothing else.

    It is one where it comes again in the file.
    """
    match = _PLACEHOLDER.fullmatch(text.strip())
    return match is not None and (" " in match["words"].strip() or not match["words"].isascii())


def notice_of(text: str, *, named: bool) -> Told | None:
    """A line between messages: who comes and goes, what is encrypted; None of a message.

    Args:
        text: what stands after the time.
        named: whether it may begin with a sender; what has none is a notice of some kind.
    """
    seen = _unmarked(text).strip()
    if named and _UNDER_GROUP.match(text):
        return Told(text, "join" if _JOIN.search(seen) and not _NOTICE.search(seen) else "notice")
    if not named:
        if _CALL.match(seen):
            return Told(text, "call")
        return Told(text, "join" if _JOIN.search(seen) and not _NOTICE.match(seen) else "notice")
    if _QUOTE.search(seen, 0, 200) and _QUOTING.match(seen):
        return Told(text, "notice")
    # A group may be named `Project: Alpha`, and an encryption notice may have a colon of its own.
    places = [0, *(match.end() for match in re.finditer(": ?", seen[:200]))]
    return Told(text, "notice") if any(_NOTICE.match(seen, place) for place in places) else None


def classified(text: str, placeholders: frozenset[str], *, marked: bool) -> Told:
    """What somebody sent.

    Args:
        text: after the sender.
        placeholders: texts that stand for media in this file.
        marked: whether the export marks what the telephone wrote by itself.
    """
    own = marked and text.lstrip().startswith(_MARK)
    asides: list[Aside] = []
    seen = _unmarked(text).strip()
    if edited := _EDITED.search(seen, max(0, len(seen) - _LONGEST_EDIT)):
        asides.append(Aside("edit", edited[0].strip()))
        seen = seen[: edited.start()].strip()
        text = seen
    if kind := _whole(seen, placeholders):
        return Told(text, kind, tuple(asides))
    if inline := _ATTACHED_INLINE.match(seen):  # a caption in the line of its file
        return Told(inline[2].strip(), None, (Aside(_file_kind(inline[1], inline[1]), inline[1]), *asides))
    first, _, rest = seen.partition("\n")
    if kind := _file_of(first.strip(), placeholders):
        rest = rest.strip()
        if not rest or ("\n" not in rest and _BARE_FILE.match(rest)):
            return Told(text, kind, tuple(asides))
        return Told(rest, None, (Aside(kind, first.strip()), *asides))
    if own and not edited:
        return Told(text, _own(seen), tuple(asides))
    return Told(text if seen else "", None if seen else "empty", tuple(asides))


def _unmarked(text: str) -> str:
    """A text without marks that no reader sees."""
    return text if text.replace("\n", "").isprintable() else text.translate(_UNSEEN)


@lru_cache(maxsize=4096)
def _whole(text: str, placeholders: frozenset[str]) -> str | None:
    """The kind of a text that is no speech as a whole."""
    if text == "null":
        return "media"
    if len(text) > 400:
        return "poll" if _POLL.match(text) else None
    if _DELETED.fullmatch(text):
        return "deleted"
    if (call := _CALL.match(text)) and _CALL_ENDS.match(call["rest"]) and _is_call(call["rest"]):
        return "call"
    if _LOCATION.fullmatch(text):
        return "location"
    if _POLL.match(text):
        return "poll"
    if _CONTACT.match(text):
        return "contact"
    return None


def _is_call(rest: str) -> bool:
    """Whether what follows a call's name is what a telephone writes: nothing, a duration, "Tap to call back"."""
    rest = rest.strip(" .,:;•-–")
    return (
        not rest
        or bool(re.match(r"\d", rest))
        or bool(re.fullmatch(r"[^.!?\n]{0,30}", rest) and len(rest.split()) <= 5 and "?" not in rest)
    )


def _file_of(line: str, placeholders: frozenset[str]) -> str | None:
    """The kind of the file that a line stands for; None where it stands for none."""
    if line in placeholders or _MEDIA.fullmatch(line) or _ATTACHED_IPHONE.match(line) or _OMITTED.fullmatch(line):
        name = line
    elif attached := _ATTACHED.match(line):
        name = attached[1] or attached[2]
    else:
        return None
    return _file_kind(name, line)


def _file_kind(name: str, line: str) -> str:
    if name.lower().endswith(".vcf"):
        return "contact"
    return "sticker" if _STICKER.search(line) or name.startswith("STK-") or ".webp" in name else "media"


def _own(text: str) -> str:
    """The kind of what an iPhone wrote by itself, in a language that is not known here."""
    if re.search(r"https?://", text):
        return "location"
    if _DOCUMENT.match(text) or _BARE_FILE.match(text):
        return "media"
    return "join" if _JOIN.search(text) else "notice"
