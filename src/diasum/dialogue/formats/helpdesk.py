"""Tickets with their comments and conversations with their parts, as the interfaces and JSON exports of Zendesk and Intercom give them.

    {"id": 35, "comments": [{"author_id": 11, "body": "Late", "created_at": "..."}]}      Zendesk; names beside it or under `users`
    {"id": "5", "source": {"body": "<p>Hi</p>", "author": {...}}, "conversation_parts": {"conversation_parts": [...]}}     Intercom

One object, a list of them, a line each, or under `tickets` or `conversations`; a stream but for the one object.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments,
https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diasum.dialogue.files.rows import one_line
from diasum.dialogue.files.times import Times, in_time
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.json_stream import items, names_of
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.recognised import objects
from diasum.dialogue.formats.source import Source
from diasum.dialogue.markup import is_html, text_of_html
from diasum.json_lines import is_json_lines, json_lines

_LISTS = ("tickets", "conversations", "data", "results")
_TEXTS = ("plain_body", "body", "html_body")
_NAMES = ("name", "display_name", "email")
_TIMES = Times([])  # both write times that nobody can mistake


def recognises(head: Head) -> Evidence | None:
    """By tickets with comments, or conversations with parts."""
    if head.members:
        return None
    records = list(_sample(head.tree))
    if any(_is_intercoms(record) for record in records):
        return Evidence(Strength.CERTAIN, "Intercom conversations (JSON)")
    if any(map(_is_zendesks, records)):
        return Evidence(Strength.CERTAIN, "Zendesk tickets with their comments (JSON)")
    return None


def read(source: Source) -> Iterator[Conversation]:
    """A conversation a ticket.

    Raises:
        DiasumError: it is no JSON, or ends early.
    """
    beside = isinstance(source.head.tree, Mapping) and not is_json_lines(source.head.text)
    users = items(source, ["users"]) if beside else ()
    names = {str(user["id"]): name for user in users if (name := _name(user))}
    for number, record in enumerate(_records(source), 1):
        if isinstance(record, Mapping):
            yield _conversation(record, names, source, number)


def _sample(tree: Any) -> Iterator[Mapping[str, Any]]:
    """The records that a file begins with."""
    if isinstance(tree, Mapping):
        yield tree
        for key in _LISTS:
            yield from objects(tree.get(key))
    yield from objects(tree)


def _is_zendesks(record: Mapping[str, Any]) -> bool:
    comments = objects(record.get("comments"))
    return any(not {"author_id", "author"}.isdisjoint(one) and not one.keys().isdisjoint(_TEXTS) for one in comments)


def _is_intercoms(record: Mapping[str, Any]) -> bool:
    return "conversation_parts" in record or (record.get("type") == "conversation" and "source" in record)


def _records(source: Source) -> Iterator[Any]:
    if is_json_lines(source.head.text):
        yield from (value for _, value in json_lines(source.lines(), source.where))
    elif isinstance(tree := source.head.tree, Mapping) and not any(isinstance(tree.get(key), list) for key in _LISTS):
        yield source.json()
    else:
        yield from items(source, ["", *_LISTS])


def _conversation(record: Mapping[str, Any], names: Mapping[str, str], source: Source, number: int) -> Conversation:
    known = {**names, **_people(record)}
    where = f"{source.where}, item {number}"
    conversation = Conversation((), where, one_line(record.get("id")) or source.stem, may_split=False)
    records = list(_parts(record))
    conversation.messages = in_time([_message(one, known) for one in records])
    if any(one.get("public") is False or one.get("part_type") == "note" for one in records):
        conversation.notes.append(f"{source.where}: notes that customers do not see are read, too.")
    return conversation


def _people(record: Mapping[str, Any]) -> dict[str, str]:
    """The names in a record's own fields, by id: of a requester, an assignee, its users."""
    people = [value for value in record.values() if isinstance(value, Mapping)]
    people += objects(record.get("users"))
    return {str(one["id"]): name for one in people if (name := _name(one))}


def _name(person: Any) -> str:
    return names_of(person, *_NAMES) if isinstance(person, Mapping) and person.get("id") is not None else ""


def _parts(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    first = record.get("source")
    if isinstance(first, Mapping) and "conversation_parts" in record:
        yield {"created_at": record.get("created_at"), **first}
    parts = record.get("conversation_parts")
    yield from objects(parts.get("conversation_parts") if isinstance(parts, Mapping) else parts)
    yield from objects(record.get("comments"))


def _message(part: Mapping[str, Any], names: Mapping[str, str]) -> Message:
    text = names_of(part, *_TEXTS)
    text = text_of_html(text) if is_html(text) else text
    asides = tuple(
        Aside("file", names_of(one, "file_name", "name") or "file") for one in objects(part.get("attachments"))
    )
    kind = None
    if not text.strip() and not asides and part.get("part_type"):
        kind, text = "notice", str(part["part_type"])
    return Message(
        _speaker(part, names),
        text,
        kind,
        _TIMES.time(part.get("created_at")),
        source=one_line(part.get("id")),
        asides=asides,
    )


def _speaker(part: Mapping[str, Any], names: Mapping[str, str]) -> str:
    author = part.get("author")
    if isinstance(author, Mapping):
        identity = " ".join(filter(None, (one_line(author.get("type")), one_line(author.get("id")))))
        return names_of(author, *_NAMES) or names.get(one_line(author.get("id")), identity)
    identity = one_line(part.get("author_id"))
    return one_line(author) or names.get(identity, f"user {identity}" if identity else "")
