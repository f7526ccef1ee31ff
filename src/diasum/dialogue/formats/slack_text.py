"""The names and the words of Slack's messages: ids of users to names, mentions and links to what a reader sees.

https://api.slack.com/reference/surfaces/formatting (mentions, links, entities)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ENTITY = re.compile(r"<([^<>\n]+)>")
_ESCAPED = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


class Names:
    """Who stands behind an id.

    Args:
        users: id to the user's object in ``users.json``.

    Attributes:
        unknown: ids that were asked for and that nothing names.
    """

    def __init__(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        self._names = {identifier: name for identifier, user in users.items() if (name := _name(user))}
        self._tell_apart(users)
        self.unknown: set[str] = set()

    def learn(self, record: Mapping[str, Any]) -> None:
        """Take over a name that a message carries itself."""
        user, profile = record.get("user"), record.get("user_profile")
        if isinstance(user, str) and user not in self._names and isinstance(profile, Mapping):
            name = _name(profile)
            if name:
                self._names[user] = name
                self.unknown.discard(user)

    def of_user(self, identifier: str) -> str:
        """The name, or the id where nothing names it."""
        if identifier == "USLACKBOT":
            return "Slackbot"
        if identifier not in self._names:
            self.unknown.add(identifier)
        return self._names.get(identifier, identifier)

    def speaker(self, record: Mapping[str, Any]) -> str:
        """Who sent a message: a user, or a bot by the name that it gave itself."""
        user, bot = record.get("user"), record.get("bot_profile")
        if record.get("username") and (record.get("bot_id") or not user):
            return str(record["username"])
        if isinstance(user, str) and user:
            return self.of_user(user)
        if isinstance(bot, Mapping) and bot.get("name"):
            return str(bot["name"])
        return str(record.get("bot_id") or "")

    def _tell_apart(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        """Two users of one name are called by their account's, too."""
        by_name: dict[str, list[str]] = {}
        for identifier, name in self._names.items():
            by_name.setdefault(name, []).append(identifier)
        for name, identifiers in by_name.items():
            for identifier in identifiers if len(identifiers) > 1 else ():
                account = str(users[identifier].get("name") or identifier)
                self._names[identifier] = f"{name} ({account})" if account != name else f"{name} ({identifier})"


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile")
    places = [profile, user] if isinstance(profile, Mapping) else [user]
    for key in ("display_name", "real_name", "name"):
        for place in places:
            if isinstance(name := place.get(key), str) and name.strip():
                return name.strip()
    return ""


def text_of(record: Mapping[str, Any], names: Names) -> str:
    """The words of a message, as Slack shows them; those of its blocks or attachments where it has none of its own."""
    text = record.get("text")
    if isinstance(text, str) and text.strip():
        return _shown(text, names)
    parts = [*_texts(record.get("blocks"), names, 0)]
    attachments = record.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        if isinstance(attachment, Mapping):
            keys = ("pretext", "title", "text") if attachment.get("text") or attachment.get("title") else ("fallback",)
            parts += [_shown(str(attachment[key]), names) for key in keys if attachment.get(key)]
    return "\n".join(part for part in parts if part.strip())


def _texts(blocks: Any, names: Names, depth: int) -> Iterator[str]:
    """The texts of blocks, a line each."""
    for block in blocks if isinstance(blocks, list) and depth < 20 else []:
        if not isinstance(block, Mapping):
            continue
        if block.get("type") in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
            yield "".join(
                _piece(element, names) for element in block.get("elements") or () if isinstance(element, Mapping)
            )
        elif isinstance(text := block.get("text"), Mapping) and isinstance(text.get("text"), str):
            yield _shown(text["text"], names)
        elif isinstance(text, str):
            yield _shown(text, names)
        for key in ("elements", "fields"):
            if block.get("type") not in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
                yield from _texts(block.get(key), names, depth + 1)


def _piece(element: Mapping[str, Any], names: Names) -> str:
    kind = element.get("type")
    if kind == "user":
        return f"@{names.of_user(str(element.get('user_id')))}"
    if kind == "emoji":
        return f":{element.get('name')}:"
    if kind == "broadcast":
        return f"@{element.get('range')}"
    if kind == "link":
        return str(element.get("text") or element.get("url") or "")
    return str(element.get("text") or "")


def _shown(text: str, names: Names) -> str:
    shown = _ENTITY.sub(lambda match: _entity(match[1], names), text)
    for escaped, letter in _ESCAPED.items():
        shown = shown.replace(escaped, letter)
    return shown


def _entity(inside: str, names: Names) -> str:
    """What stands between angle brackets: ``@U123``, ``#C123|general``, ``!here``, ``https://x.org|label``."""
    target, bar, label = inside.partition("|")
    if target.startswith("@"):
        name = names.of_user(target[1:])
        return f"@{label if bar and label and name == target[1:] else name}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        if label:
            return label if target.startswith("!date") else f"@{label.lstrip('@')}"
        return f"@{target[1:].partition('^')[0]}"
    address = target.removeprefix("mailto:").removeprefix("tel:")
    if not bar or not label or label in (address, address.partition("://")[2]):
        return address
    return f"{label} ({address})"
