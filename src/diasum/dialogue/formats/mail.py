"""E-mail threads: mbox files, as Gmail's Takeout, Thunderbird and Apple Mail write them, single messages (eml), and folders of these.

Messages that answer each other are one conversation, by the ids that they refer to (RFC 5322, section 3.6.4) or by their subject, in the
order of time. Quotes and signatures are left out and counted; where a thread has but its last message, its earlier ones are taken from the
quotes. Texts of all messages are in memory; what is attached is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from diasum.dialogue.files.times import in_time
from diasum.dialogue.formats.archive import is_readable
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.mail_messages import Mail, is_separator, mails
from diasum.dialogue.formats.mail_text import MailPart, parts_of, signatures_and_quotes
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.source import Source
from diasum.wording import counted

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60}):(?:\s|$)")
_KNOWN = frozenset(
    (
        *(
            "from",
            "to",
            "cc",
            "date",
            "subject",
            "message-id",
            "received",
            "mime-version",
            "return-path",
            "delivered-to",
        ),
        *("content-type", "in-reply-to", "references", "reply-to", "sender", "dkim-signature", "x-mailer"),
    )
)


def recognises(head: Head) -> Evidence | None:
    """By the line above each message of an mbox, or by the fields of a message; of a folder or archive, by what it holds."""
    if head.members:
        readable = [name for name in head.members if is_readable(name)]
        are_mails = bool(readable) and all(name.lower().endswith(".eml") for name in readable)
        return Evidence(Strength.CERTAIN, "e-mails (eml)") if are_mails else None
    content = head.content.removeprefix(b"\xef\xbb\xbf")
    first, _, rest = content.partition(b"\n")
    if is_separator(first) and _FIELD.match(rest.decode("latin-1")):
        return Evidence(Strength.CERTAIN, "e-mails (mbox)")
    names = _fields(head.text.lstrip("\ufeff"))
    if "from" in names and len(names & _KNOWN) >= 3:
        return Evidence(Strength.CERTAIN, "e-mail")
    return None


def read(source: Source) -> Iterator[Conversation]:
    """A conversation a thread.

    Raises:
        DiasumError: a message is far too large.
        MissingExtraError: `mail-parser-reply` is not installed.
    """
    stored = _stored(source)
    threads = _threads(stored)
    for thread in threads:
        topic = thread[0].topic
        identifier = source.stem if len(threads) == 1 else topic or f"message {thread[0].number}"
        where = source.where if len(stored) == 1 else f"{source.where}, message {thread[0].number}"
        yield _conversation(thread, where, identifier)
    if not threads:
        yield Conversation((), source.where, source.stem)


def _stored(source: Source) -> list[Mail]:
    """The messages of a file, or of a folder's or archive's files, numbered through."""
    if not source.is_container:
        with source.readable(), source.open() as handle:
            return list(mails(handle, source.where))
    members = (member for member in source.members if is_readable(member.within))
    messages = (mail for member in members for mail in _stored(member))
    return [replace(mail, number=number) for number, mail in enumerate(messages, 1)]


def _fields(text: str) -> set[str]:
    """Names of the fields that a text begins with; none where other lines stand among them."""
    names: set[str] = set()
    for line in text.splitlines():
        if not line.strip():
            return names
        if line[0] in " \t" and names:
            continue
        match = _FIELD.match(line)
        if match is None:
            return set()
        names.add(match[1].lower())
    return names


def _threads(stored: list[Mail]) -> list[list[Mail]]:
    """Messages that belong together, in the order of their first ones, each in the order of time."""
    root: dict[str, str] = {}

    def find(key: str) -> str:
        while root.setdefault(key, key) != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    keys = [mail.id or f"number {mail.number}" for mail in stored]
    for mail, key in zip(stored, keys, strict=True):
        for parent in mail.parents:
            root[find(parent)] = find(key)
    by_topic: dict[str, str] = {}
    for mail, key in zip(stored, keys, strict=True):
        topic = mail.topic.casefold()
        if topic and mail.is_answer and not mail.parents and topic in by_topic:
            root[find(key)] = find(by_topic[topic])
        by_topic.setdefault(topic, key)
    threads: dict[str, list[Mail]] = {}
    for mail, key in zip(stored, keys, strict=True):
        threads.setdefault(find(key), []).append(mail)
    return [in_time(thread) for thread in threads.values()]


def _conversation(thread: list[Mail], where: str, identifier: str | None) -> Conversation:
    names: dict[str, str] = {}
    for mail in thread:
        if mail.address:
            names.setdefault(mail.address, mail.name)
    conversation = Conversation((), where, identifier, f"e-mail thread of {counted(len(thread), 'message')}")
    conversation.messages = _alone(thread[0], names, conversation) if len(thread) == 1 else _said(thread, names)
    return conversation


def _said(thread: list[Mail], names: dict[str, str]) -> Iterator[Message]:
    """Messages of a thread without what they quote of each other."""
    for mail in thread:
        newest, *earlier = parts_of(mail.text)
        quotes = tuple(Aside("quote", part.text) for part in earlier)
        yield _message(mail, newest, names, quotes)


def _alone(mail: Mail, names: dict[str, str], conversation: Conversation) -> Iterator[Message]:
    """One message, and before it those that it quotes, the oldest first."""
    newest, *earlier = parts_of(mail.text)
    if earlier:
        conversation.notes.append(
            f"{conversation.where}: {counted(len(earlier), 'earlier message')} taken from what the e-mail quotes."
        )
    for part in reversed(earlier):
        asides = tuple(Aside(kind, text) for kind, text in signatures_and_quotes(part))
        yield Message(
            names.get(part.address) or part.speaker or part.address.partition("@")[0],
            part.text,
            source=_place(mail),
            asides=asides,
        )
    yield _message(mail, newest, names, ())


def _message(mail: Mail, part: MailPart, names: dict[str, str], quotes: tuple[Aside, ...]) -> Message:
    asides = (*(Aside(kind, text) for kind, text in signatures_and_quotes(part)), *quotes, *mail.asides)
    kind = None if part.text or asides else "empty"
    return Message(names.get(mail.address, mail.name), part.text, kind, mail.time, source=_place(mail), asides=asides)


def _place(mail: Mail) -> str:
    return f"message {mail.number}"
