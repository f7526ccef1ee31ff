"""WhatsApp's exported chats, of Android and iPhones, in any of the languages of `whatsapp_phrases`; also messages copied from WhatsApp Web.

    12/05/24, 10:32 AM - Ana: Hi             Android: `WhatsApp Chat with Ana.txt`
    [12/05/2024, 10:32:11] Ana: Hi           iPhone: `_chat.txt`, alone or in a zip archive
    2016-06-27, 8:04:08 AM: Ana: Hi          iPhone, until 2016
    [10:32, 12/05/2024] Ana: Hi              copied from WhatsApp Web

A line without such a stamp continues the message before it. https://faq.whatsapp.com/1180414079177245
The file is read twice: first for the form of its stamps and the order of day and month, then for its messages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation, Message
from diasum.dialogue.formats.source import Source
from diasum.dialogue.formats.whatsapp_texts import Told, classified, notice_of, repeated_placeholder
from diasum.dialogue.stamps import Order, Stamp, as_written, plain, stamp_of, stamped
from diasum.errors import DiasumError

_SENDER = re.compile(r"(?P<name>[^\n]{1,120}?) ?: |(?P<only>[^\n:]{1,120}):$")
_OWN_NAME = re.compile(r"^[~∼] ?")
_LONGEST_HEAD = 160  # letters among which a sender is looked for
_LONGEST_NAME = 60  # of a sender that has but one message; more is a sentence with a colon in it
_SHARE_OF_FORM = 0.3  # of the stamps: others stand in messages that quote a chat


def recognises(head: Head) -> Evidence | None:
    """By lines that begin with date and time as WhatsApp writes them, and name a sender."""
    if head.members:
        return None
    stamped = [(line, stamp) for line in map(plain, head.lines[:200]) if (stamp := stamp_of(line))]
    sent = [stamp for line, stamp in stamped if _SENDER.match(line[stamp.end :])]
    if not sent:
        return None
    first = stamp_of(plain(head.lines[0])) is not None
    if not first and len(stamped) < 2:
        return None
    reason = _kind(Counter(stamp.form for stamp in sent).most_common(1)[0][0])
    return Evidence(
        Strength.LIKELY if first or len(stamped) * 3 >= len(head.lines[:200]) else Strength.POSSIBLE, reason
    )


def read(source: Source) -> Iterator[Conversation]:
    """The one chat of the file.

    Raises:
        DiasumError: no line begins with a date and a time.
    """
    chat = _Chat.of(source)
    reason = f"{_kind(chat.form)}, dates {chat.order.name}"
    conversation = Conversation(chat.messages(source), source.where, source.stem, reason)
    if not chat.order.decided:
        conversation.notes.append(
            f"{source.where}: no date tells whether day or month comes first; read as {chat.order.name}. "
            "Only times and pauses hang on it, not who says what."
        )
    yield conversation


def _kind(form: str) -> str:
    if form.startswith("["):
        return "messages copied from WhatsApp Web" if form.endswith("w") else "WhatsApp export (iPhone)"
    return "WhatsApp export (iPhone, old)" if form.endswith(":") else "WhatsApp export (Android)"


@dataclass(slots=True)
class _Chat:
    """What the first reading of a file finds out.

    Attributes:
        order: of the numbers of a date.
        forms: of the stamps that begin messages.
        form: the most frequent one.
        senders: how many messages each label has, as far as they were counted.
        placeholders: texts in angle brackets that stand for media, as they come again and again.
    """

    order: Order
    forms: frozenset[str]
    form: str
    senders: Counter[str] = field(default_factory=Counter)
    placeholders: frozenset[str] = frozenset()

    @classmethod
    def of(cls, source: Source) -> _Chat:
        forms: Counter[str] = Counter()
        orders: dict[str, Order] = {}
        senders: Counter[str] = Counter()
        bracketed: Counter[str] = Counter()
        for _, line in source.lines():
            begun = stamped(line)
            if begun is None:
                continue
            stamp, rest = begun
            forms[stamp.form] += 1
            orders.setdefault(stamp.form, Order()).see(stamp, line)
            name, words = _split(rest)
            if name and (name in senders or len(senders) < 100_000):
                senders[name] += 1
            if name and repeated_placeholder(words) and len(bracketed) < 10_000:
                bracketed[words.strip()] += 1
        if not forms:
            raise DiasumError(
                f"{source.where}: no line begins with a date and a time, as those of a WhatsApp export do.",
                hint="Leave --format out, or give the file that WhatsApp exported.",
            )
        form, _ = forms.most_common(1)[0]
        order = orders[form]
        order.decide()
        usual = frozenset(one for one, count in forms.items() if count >= _SHARE_OF_FORM * forms.total())
        return cls(order, usual, form, senders, frozenset(text for text, count in bracketed.items() if count > 1))

    def messages(self, source: Source) -> Iterator[Message]:
        """The messages, each with the lines that continue it."""
        begun: _Begun | None = None
        for number, line in source.lines():
            beginning = stamped(line)
            if beginning is not None and beginning[0].form in self.forms:
                if begun is not None:
                    yield self._message(begun)
                begun = _Begun(beginning[0], [beginning[1]], number)
            elif begun is not None:
                begun.lines.append(line)
            elif line.strip():  # before the first stamp: part of a message whose beginning is not there
                yield Message("", line, source=number)
        if begun is not None:
            yield self._message(begun)

    def _message(self, begun: _Begun) -> Message:
        time = self.order.time(begun.stamp)
        first = begun.lines[0]
        name, words = _split(first)
        text = "\n".join(begun.lines)
        if name and not self._is_sender(name):
            name = ""
        told: Told | None = notice_of(text, named=bool(name))
        if told is not None:
            name = ""
        else:
            text = "\n".join([words, *begun.lines[1:]])
            told = classified(text, self.placeholders, marked=self.form.startswith("["))
        return Message(_OWN_NAME.sub("", name), told.text, told.kind, time, source=begun.number, asides=told.asides)

    def _is_sender(self, name: str) -> bool:
        """Whether a label is somebody's name, and not the beginning of a notice with a colon in it."""
        if self.senders[name] > 1:
            return True
        words = name.split()
        if len(name) > _LONGEST_NAME or len(words) > 6 or any(mark in name for mark in '"“„«「'):
            return False
        # "Ana changed this group's description: ..." where Ana writes, too
        begins = any(" ".join(words[:count]) in self.senders for count in range(1, len(words)))
        return not (begins and sum(word[0].islower() for word in words[1:]) > 1)


@dataclass(slots=True)
class _Begun:
    """A message while its lines are read."""

    stamp: Stamp
    lines: list[str]
    number: int


def _split(rest: str) -> tuple[str, str]:
    """Sender and words of what stands after a stamp; no sender where there is no colon after one."""
    head = rest[:_LONGEST_HEAD]
    as_is = head.isprintable()
    match = _SENDER.match(head if as_is else plain(head))
    if match is None:
        return "", rest
    words = rest[match.end() :] if as_is else as_written(rest, match.end())
    return (match["name"] or match["only"]).strip(), words
