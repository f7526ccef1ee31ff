"""The text of an e-mail: what its sender wrote, what is quoted of earlier ones, and the signature.

Lines that introduce quotes and begin signatures are found by `mail-parser-reply` (https://github.com/alfonsrv/mail-parser-reply), which
knows those of mail programs in thirteen languages and comes with the extra `formats`. What it takes for a signature is one only where it is
short and stands at the end: a sentence such as "Thanks, that works." would be lost otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from diasum.errors import MissingExtraError

_LANGUAGES = ("en", "de", "cs", "da", "es", "fr", "it", "ja", "ko", "nl", "pl", "sv", "zh")
_QUOTE = re.compile(r"^[ \t]*>[> \t]*")
_LONG_LINE = 500  # characters: the patterns need time that grows with the square of it
_LONG_TEXT = 200_000
_MARK = "\ue000{}\ue001"
_SIGNATURES_TRIED = 8
_SIGNATURE_LINES, _SIGNATURE_SIZE, _CLOSING = 12, 600, 60
_ADDRESS = re.compile(
    r"<(?:mailto:)?(?P<address>[^<>\s@]{1,100}@[^<>\s@]{1,100})>|\[mailto:(?P<other>[^\]\s]{1,200})\]"
)
_FROM = re.compile(
    r"^[*\s>]*(?:From|Von|De|Da|Van|Od|Från|Fra|差出人|发件人|寄件者|보낸 사람)\s*[:：][*\s]*(?P<who>.{1,200}?)\s*$",
    re.M,
)
_WORDS = re.compile(
    r"^(?:(?:wrote|schrieb|a écrit|ha scritto|escribió|schreef|napisał\(?a?\)?|skrev|um|at|le)\b|[\d:.,\sAPMapm]+\b)[\s,]*"
)
_AFTER = re.compile(
    r"\s*(?:wrote|schrieb|a écrit|ha scritto|escribió|schreef|napisał\(?a?\)?|skrev|skrifaði)?\s*[:：]?\s*$"
)


class MailPart(NamedTuple):
    """One of the messages that the text of an e-mail holds, the newest first.

    Attributes:
        speaker: who wrote it, by the line that introduces it; empty for the newest, and where that names nobody.
        address: likewise, the e-mail address in lower case.
        text: what is said.
        quotes: passages that are quoted within it.
        signature: below it; empty where there is none.
    """

    speaker: str
    address: str
    text: str
    quotes: tuple[str, ...] = ()
    signature: str = ""


def parts_of(text: str) -> list[MailPart]:
    """The newest message and those that it quotes as a whole.

    Raises:
        MissingExtraError: `mail-parser-reply` is not installed.
    """
    text = "\n".join(line.strip() for line in re.split(r"\r\n|\r|\n", text))
    if len(text) > _LONG_TEXT:
        return [_part("", text, "", newest=True)]
    marked, lines = _without_long_lines(text)
    blocks = _blocks(marked)
    if "".join("".join(block[1] for block in blocks).split()) != "".join(marked.split()):
        blocks = [("", marked, "")]  # nothing may be lost or said twice
    parts = [
        _part(*(_with_long_lines(part, lines) for part in block), newest=number == 0)
        for number, block in enumerate(blocks)
    ]
    if text.strip() and not any(part.text or part.quotes for part in parts):
        return [MailPart("", "", text.strip())]  # what looks like the fields of an earlier message is all there is
    return [part for number, part in enumerate(parts) if part.text or number == 0]


def _blocks(text: str) -> list[tuple[str, str, str]]:
    """Header, content and signature of the newest message and of those below it, as the library sees them."""
    try:
        from mailparser_reply import EmailMessage
    except ImportError:
        raise MissingExtraError("Reading e-mail", "formats") from None
    blocks: list[tuple[str, str, str]] = []
    for reply in EmailMessage(text=text, languages=list(_LANGUAGES), keep_hyphen_lists=True).read().replies:
        block = (reply.headers or "", reply.content, reply.signatures or "")
        if blocks and len(blocks[-1][1]) < len(blocks[-1][0]) and blocks[-1][0].startswith(blocks[-1][1]):
            header, content, _ = blocks.pop()  # some languages' headers are found again within themselves
            block = (header, f"{content} {block[1]}", block[2])
        blocks.append(block)
    return blocks


def _without_long_lines(text: str) -> tuple[str, list[str]]:
    lines: list[str] = []

    def mark(match: re.Match[str]) -> str:
        lines.append(match[0])
        return _MARK.format(len(lines) - 1)

    return re.sub(rf"^.{{{_LONG_LINE},}}$", mark, text.replace("\ue000", " ").replace("\ue001", " "), flags=re.M), lines


def _with_long_lines(text: str, lines: list[str]) -> str:
    return re.sub("\ue000(\\d+)\ue001", lambda match: lines[int(match[1])], text) if lines else text


def _part(header: str, content: str, signature: str, *, newest: bool) -> MailPart:
    above = re.match(r"\s+".join(map(re.escape, header.split())), content) if header else None
    body = content[above.end() :] if above else content
    if not newest:
        body = _unquoted(body)
        signature = _unquoted(signature)
    body, signature = _cut(body, signature)
    words, quotes = _said_and_quoted(body) if newest else (body, ())
    speaker, address = _author(header)
    return MailPart(speaker, address, words.strip(), tuple(quotes), signature)


def _unquoted(text: str) -> str:
    return "\n".join(_QUOTE.sub("", line) for line in text.split("\n"))


def _cut(body: str, signature: str) -> tuple[str, str]:
    """The text without its signature: what the library takes for one, or a later part of it."""
    body, signature = body.strip(), signature.strip()
    for _ in range(_SIGNATURES_TRIED):
        if not signature or not body.endswith(signature):
            break
        if _is_signature(body, signature):
            return body[: len(body) - len(signature)].strip(), signature
        below = signature.partition("\n")[2]
        signature = _blocks(f"\n{below}")[0][2].strip() if below.strip() else ""
    return body, ""


def _is_signature(body: str, signature: str) -> bool:
    above = body[: len(body) - len(signature)].strip()
    lines = [line for line in signature.split("\n") if line.strip()]
    is_marked = lines[0] in ("--", "__")
    is_short = len(signature) <= _SIGNATURE_SIZE and len(lines) <= _SIGNATURE_LINES
    is_from_device = (
        lines[0].lower().startswith(("sent from", "get outlook", "von meinem", "envoyé de", "enviado desde"))
    )
    has_quotes = any(_QUOTE.match(line) for line in lines)
    return bool(above) and is_short and not has_quotes and (is_marked or is_from_device or _is_closing(lines[0]))


def _is_closing(line: str) -> bool:
    """Whether a line is "Best regards" or "Thanks, Ana", and not "Thanks, that works."."""
    words = line.split()
    _, comma, name = line.partition(",")
    is_sentence = re.search(r"[.?!] ?\S|\?$", line) is not None or (line.endswith(".") and len(words) > 2)
    return len(line) <= _CLOSING and len(words) <= 5 and not is_sentence and not (comma and name.strip()[:1].islower())


def _said_and_quoted(body: str) -> tuple[str, list[str]]:
    words: list[str] = []
    quotes: list[str] = []
    is_quoted = False
    for line in body.split("\n"):
        if match := _QUOTE.match(line):
            text = line[match.end() :]
            if is_quoted:
                quotes[-1] = f"{quotes[-1]}\n{text}".strip()
            else:
                quotes.append(text)
            is_quoted = True
        elif line.strip() or not is_quoted:
            words.append(line)
            is_quoted = False
    return "\n".join(words), quotes


def _author(header: str) -> tuple[str, str]:
    """Name and address in the line, or the lines, above a quote."""
    header = _unquoted(header)
    if sender := _FROM.search(header):
        line = sender["who"]
        address = _ADDRESS.search(line)
        name = line[: address.start()] if address else line
    else:
        line = " ".join(header.split())
        address = _ADDRESS.search(line)
        name = _AFTER.sub("", line[: address.start()] if address else line)
        name = re.split(r"[:,]|\d\d?[.:]\d\d|\b[AaPp]\.?[Mm]\b", name)[-1]
        before = None
        while name != before:
            before, name = name, _WORDS.sub("", name.strip())
    written = (address["address"] or address["other"]) if address else ""
    name = name.strip(" \"'*<>[](),;")
    if "@" in name and not written:
        written, name = name, ""
    return name, written.lower()


def signatures_and_quotes(part: MailPart) -> Iterator[tuple[str, str]]:
    """Kind and text of what is not said in a part."""
    yield from (("quote", quote) for quote in part.quotes)
    if part.signature:
        yield "signature", part.signature
