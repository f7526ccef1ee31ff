"""Objects with a long list in them, read from JSON as a stream: what stands before the list, then its items one at a time.

By `ijson` (https://pypi.org/project/ijson), so that a file larger than memory can be read. Errors name the file and where in it they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from diasum.dialogue.formats.source import Source
from diasum.errors import DiasumError


class Group(NamedTuple):
    """An object with a list of items.

    Attributes:
        about: its other values that stand before the list and are no lists.
        items: the list's; to be consumed before the next group is asked for.
    """

    about: dict[str, Any]
    items: Iterator[Any]


def groups(source: Source, paths: Sequence[str], key: str) -> Iterator[Group]:
    """The objects at some places of a JSON file that have a list under a key.

    Args:
        source: the file.
        paths: where the objects are, as ijson writes it: ``chats.list.item``; empty for the file's own object.
        key: of the list.

    Raises:
        DiasumError: it is no JSON, or ends early.
    """
    lists = {f"{path}.{key}" if path else key: path for path in paths}
    events = _events(source)
    about: dict[str, Any] = {}
    for prefix, event, value in events:
        if event == "start_map" and prefix in paths:
            about = {}
        elif event == "start_array" and prefix in lists:
            items = _items(events, prefix)
            yield Group(about, items)
            for _ in items:  # what was not consumed
                pass
        elif event in ("start_map", "start_array") and (place := _key_of(prefix, paths)):
            about[place] = _value(events, event)
        elif event not in ("map_key", "end_map", "end_array") and (place := _key_of(prefix, paths)):
            about[place] = value


def items(source: Source, lists: Sequence[str]) -> Iterator[Any]:
    """The items of lists in a JSON file, one at a time.

    Args:
        source: the file.
        lists: where they are, as ijson writes it: ``tickets``; empty for the file's own list.

    Raises:
        DiasumError: it is no JSON, or ends early.
    """
    events = _events(source)
    for prefix, event, _ in events:
        if event == "start_array" and prefix in lists:
            yield from _items(events, prefix)


def _key_of(prefix: str, paths: Sequence[str]) -> str:
    """The key of one of the objects that a place of the file is; empty where it is none."""
    for path in paths:
        rest = prefix.removeprefix(f"{path}.") if path else prefix
        if rest and (rest != prefix or not path) and "." not in rest:
            return rest
    return ""


def _items(events: Iterator[tuple[str, str, Any]], place: str) -> Iterator[Any]:
    """The items of a list whose beginning has been read, until its end has been."""
    for prefix, event, value in events:
        if event == "end_array" and prefix == place:
            return
        yield _value(events, event, value)


_DEEPEST = 200


def _value(events: Iterator[tuple[str, str, Any]], event: str, value: Any = None, depth: int = 0) -> Any:
    """The value whose first event has been read; nothing of what is nested deeper than anybody nests."""
    if depth > _DEEPEST and event in ("start_map", "start_array"):
        _skip(events)
        return None
    if event == "start_map":
        tree: dict[str, Any] = {}
        name = ""
        for _, inner, inside in events:
            if inner == "end_map":
                return tree
            if inner == "map_key":
                name = inside
            else:
                tree[name] = _value(events, inner, inside, depth + 1)
    if event == "start_array":
        items: list[Any] = []
        for _, inner, inside in events:
            if inner == "end_array":
                return items
            items.append(_value(events, inner, inside, depth + 1))
    return value


def _skip(events: Iterator[tuple[str, str, Any]]) -> None:
    """Pass over the rest of an object or list whose beginning has been read."""
    inside = 1
    for _, event, _ in events:
        inside += event.startswith("start_") - event.startswith("end_")
        if not inside:
            return


def _events(source: Source) -> Iterator[tuple[str, str, Any]]:
    import ijson

    handle = source.open_utf8()
    try:
        with source.readable(), handle:
            yield from cast("Iterator[tuple[str, str, Any]]", ijson.parse(handle, use_float=True))
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise DiasumError(
            f"{source.where}: not valid JSON: {' '.join(str(error).split())[:120]}.",
            hint="It may be incomplete: export or copy it again.",
        ) from None


def names_of(record: Mapping[str, Any], *keys: str) -> str:
    """The first of some keys' values that is a name; empty where none is."""
    for key in keys:
        if isinstance(name := record.get(key), str) and name.strip():
            return name.strip()
    return ""
