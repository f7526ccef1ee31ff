"""Slack's exports: a workspace (folder or zip archive), the folder of a channel, or the file of a day.

    users.json  channels.json  groups.json  dms.json  mpims.json      who there is, and the names of channels
    general/2024-05-12.json                                           the messages of a day, a JSON array of objects

https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports and https://api.slack.com/events/message (subtypes).
Replies stand under their thread's root. A channel is read twice: first for its replies, which are kept in memory, then for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.slack_text import Names, text_of
from diasum.dialogue.formats.source import Source
from diasum.errors import DiasumError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json$")
_LISTS = ("channels.json", "groups.json", "dms.json", "mpims.json")
_JOINS = frozenset(
    (
        *("channel_join", "channel_leave", "group_join", "group_leave", "bot_add", "bot_remove"),
        *("channel_convert_to_private", "channel_convert_to_public"),
    )
)
_NOTICES = frozenset(
    (
        *(
            "channel_topic",
            "channel_purpose",
            "channel_name",
            "channel_archive",
            "channel_unarchive",
            "channel_posting_permissions",
        ),
        *(
            "group_topic",
            "group_purpose",
            "group_name",
            "group_archive",
            "group_unarchive",
            "pinned_item",
            "unpinned_item",
        ),
        *("reminder_add", "ekm_access_denied", "app_conversation_join", "message_replied", "assistant_app_thread"),
    )
)
_CALLS = frozenset(("huddle_thread", "sh_room_created", "sh_room_shared", "call"))
_DELETED = frozenset(("tombstone", "message_deleted"))


def recognises(head: Head) -> Evidence | None:
    """By the files of an export, or by the keys of messages."""
    if head.members:
        return _container(head.members)
    first = head.tree[0] if isinstance(head.tree, list) and head.tree else None
    if isinstance(head.tree, dict) and isinstance(head.tree.get("messages"), list) and head.tree["messages"]:
        first = head.tree["messages"][0]  # as Slack's API answers conversations.history
    if not isinstance(first, dict) or not isinstance(first.get("ts"), str) or not _is_time(first["ts"]):
        return None
    if first.get("type") == "message" or first.keys() & {"user", "bot_id", "subtype", "client_msg_id"}:
        return Evidence(Strength.CERTAIN, "Slack export (messages of a day)")
    return None


def read(source: Source) -> Iterator[Conversation]:
    """A conversation a channel; that of a day's file on its own.

    Raises:
        DiasumError: a file is not what Slack exports.
    """
    if not source.members:
        yield _channel([source], source.stem, source.where, _names_beside(source))
        return
    root = _root(source)
    names = _names(source.member(f"{root}users.json")) if root is not None else _names_beside(source)
    titles = _titles(source, root or "", names)
    channels: dict[str, list[Source]] = {}
    for member in source.members:
        if _DAY.search(PurePosixPath(member.within).name):
            channels.setdefault(PurePosixPath(member.within).parent.as_posix(), []).append(member)
    for folder, days in sorted(channels.items()):
        name = PurePosixPath(folder).name or source.stem or ""
        days.sort(key=lambda day: PurePosixPath(day.within).name)
        where = f"{source.where}: {folder}" if folder != "." else source.where
        yield _channel(days, titles.get(name, name), where, names)


def _container(members: Sequence[str]) -> Evidence | None:
    days = [name for name in members if _DAY.search(PurePosixPath(name).name)]
    if not days:
        return None
    if any(PurePosixPath(name).name in ("users.json", *_LISTS) for name in members):
        return Evidence(Strength.CERTAIN, "Slack export of a workspace")
    json = [name for name in members if name.endswith(".json")]
    return Evidence(Strength.CERTAIN, "Slack export of a channel") if len(days) == len(json) else None


def _root(source: Source) -> str | None:
    """The path within the source of the folder that has the lists of users and channels, with a slash at its end; None if none has."""
    lists = [one.within for one in source.members if PurePosixPath(one.within).name in ("users.json", *_LISTS)]
    if not lists:
        return None
    parent = PurePosixPath(min(lists, key=lambda name: name.count("/"))).parent.as_posix()
    return "" if parent == "." else f"{parent}/"


def _names_beside(source: Source) -> Names:
    """Of a channel's folder or a day's file: the users that an unpacked export lists in the folder above."""
    if source.path is None:
        return Names({})
    folders = [source.path.parent] if source.path.is_dir() else [source.path.parent, source.path.parent.parent]
    for folder in folders:
        file = Path(folder, "users.json")
        if file.is_file():
            return _names(Source.of_path(file))
    return Names({})


def _names(users: Source | None) -> Names:
    return Names({} if users is None else {str(user.get("id")): user for user in _objects(users)})


def _titles(source: Source, root: str, names: Names) -> dict[str, str]:
    """Folder to the channel's name: their own, but direct messages lie in folders named by ids."""
    titles: dict[str, str] = {}
    for file in _LISTS:
        listed = source.member(f"{root}{file}")
        for channel in _objects(listed) if listed is not None else ():
            folder = str(channel.get("name") or channel.get("id"))
            members = channel.get("members")
            if file in ("dms.json", "mpims.json") and isinstance(members, list):
                titles[folder] = ", ".join(names.of_user(str(member)) for member in members)
            else:
                titles[folder] = folder
    return titles


def _objects(source: Source) -> list[dict[str, Any]]:
    """The objects of a file that holds an array of them, or an answer of the API that does.

    Raises:
        DiasumError: it holds something else.
    """
    tree = source.json()
    if isinstance(tree, dict) and isinstance(tree.get("messages"), list):
        tree = tree["messages"]
    if not isinstance(tree, list):
        raise DiasumError(f"{source.where}: expected a JSON array of objects, as Slack exports them.")
    for number, item in enumerate(tree, 1):
        if not isinstance(item, dict):
            raise DiasumError(f"{source.where}, item {number}: expected an object, found {item!r:.40}.")
    return tree


def _channel(days: Sequence[Source], title: str | None, where: str, names: Names) -> Conversation:
    conversation = Conversation((), where, title)
    conversation.messages = _messages(days, names, conversation)
    return conversation


def _messages(days: Sequence[Source], names: Names, conversation: Conversation) -> Iterator[Message]:
    replies: dict[str, list[dict[str, Any]]] = {}
    roots: set[str] = set()
    for record in _records(days):
        names.learn(record)
        if thread := _thread(record):
            replies.setdefault(thread, []).append(record)
        else:
            roots.add(str(record.get("ts")))
    for record in _records(days):
        time, thread = str(record.get("ts")), _thread(record)
        if thread in roots:
            continue
        yield _message(record, names)
        for reply in sorted(replies.pop(time, ()), key=lambda one: str(one.get("ts"))):
            yield replace(_message(reply, names), reply=True)
    if names.unknown:
        shown = ", ".join(sorted(names.unknown)[:5])
        conversation.notes.append(
            f"{conversation.where}: no users.json names {len(names.unknown)} of the users ({shown}); their ids stand for them."
        )


def _records(days: Iterable[Source]) -> Iterator[dict[str, Any]]:
    """Messages in the order of time; the API gives the latest first."""
    for day in days:
        records = _objects(day)
        if len(records) > 1 and str(records[0].get("ts")) > str(records[-1].get("ts")):
            records.reverse()
        for record in records:
            changed = record.get("message")
            if record.get("subtype") == "message_changed" and isinstance(changed, dict):
                record = {"ts": record.get("ts"), "edited": {}, **changed}
            yield record


def _thread(record: Mapping[str, Any]) -> str | None:
    """The time of its thread's root; None of a message that is no reply."""
    thread = record.get("thread_ts")
    return str(thread) if thread and thread != record.get("ts") else None


def _message(record: Mapping[str, Any], names: Names) -> Message:
    text = text_of(record, names)
    asides = tuple(_asides(record))
    time = str(record.get("ts", ""))
    return Message(
        names.speaker(record),
        text,
        _kind(record, text, asides),
        datetime.fromtimestamp(float(time), UTC) if _is_time(time) else None,
        source=time or None,
        asides=asides,
    )


def _kind(record: Mapping[str, Any], text: str, asides: tuple[Aside, ...]) -> str | None:
    subtype = str(record.get("subtype") or "")
    if subtype in _JOINS:
        return "join"
    if subtype in _DELETED or (record.get("user") == "USLACKBOT" and text == "This message was deleted."):
        return "deleted"
    if subtype in _CALLS or (subtype == "bot_message" and not text and record.get("room")):
        return "call"
    if subtype in _NOTICES or record.get("hidden"):
        return "notice"
    if text.strip():
        return None
    return "media" if asides else "empty"


def _asides(record: Mapping[str, Any]) -> Iterator[Aside]:
    files = record.get("files") or ([record["file"]] if isinstance(record.get("file"), dict) else [])
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict):
            gone = file.get("mode") in ("tombstone", "hidden_by_limit")
            yield Aside("deleted" if gone else "file", str(file.get("title") or file.get("name") or "a file"))
    if isinstance(record.get("edited"), dict):
        yield Aside("edit", "(edited)")
    reactions = record.get("reactions")
    for reaction in reactions if isinstance(reactions, list) else []:
        if isinstance(reaction, dict):
            yield Aside("reaction", f":{reaction.get('name')}: x {reaction.get('count', 1)}")


def _is_time(text: str) -> bool:
    """Whether it is seconds since 1970 with a fraction, as Slack writes times; they are ids, too."""
    return re.fullmatch(r"\d{9,11}(\.\d{1,9})?", text) is not None
