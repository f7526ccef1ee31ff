"""Which column is which, and rows to pairs.

In: a `Table` and the data settings. Out: pairs in the table's order, and notes on what a user should know (rows skipped, ids changed,
rows joined to one dialogue with several references).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from diasum.config import DataSettings
from diasum.data.joining import join_messages
from diasum.data.pairs import Pair, Rows
from diasum.dialogue import as_dialogue
from diasum.dialogue.files.rows import Table, cell_texts, one_line, unique
from diasum.dialogue.forms import NoConversation, columns_of_turns, conversation_in
from diasum.dialogue.names import DIALOGUE_NAMES, ID_NAMES, SUMMARY_NAMES, TEXT_KEYS, as_name, find_name
from diasum.errors import DiasumError, near_misses, nearest
from diasum.wording import counted

TIME_NAMES = ("began", "date", "datetime", "date_time", "time", "timestamp", "created_at", "started_at", "start_time")
TOPIC_NAMES = ("topic", "topic1", "section_header", "category", "domain", "label")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names as the table has them; `summaries` and the optional ones may be empty.

    `dialogue_named` says whether the user named the column of the conversation; rows are then read from no other.
    """

    dialogue: str
    dialogue_named: bool
    summaries: tuple[str, ...]
    id: str | None
    topic: str | None


def find_columns(table: Table, settings: DataSettings, *, need_summaries: bool = True) -> Columns:
    """Take the columns that the settings name, and find the others by their usual names, whatever their case.

    Raises:
        DiasumError: a column is missing; the message has the columns found, and the likely one.
    """
    names = table.names
    known = {as_name(name): name for name in reversed(names)}
    named = _mapped(settings.dialogue_column, "data.dialogue_column", known, table)
    dialogue = named or find_name(names, DIALOGUE_NAMES) or _texts_of_turns(table)
    if dialogue is None:
        raise _missing("conversation", "dialogue_column", DIALOGUE_NAMES, names, table)
    rest = {key: name for key, name in known.items() if name != dialogue}
    summaries = _summaries(settings, rest, table)
    if not summaries and need_summaries:
        raise _missing("summary", "summary_columns", SUMMARY_NAMES, names, table)
    return Columns(
        dialogue=dialogue,
        dialogue_named=named is not None,
        summaries=summaries,
        id=_mapped(settings.id_column, "data.id_column", known, table) or find_name(rest.values(), ID_NAMES),
        topic=_mapped(settings.topic_column, "data.topic_column", known, table)
        or find_name([name for name in rest.values() if name not in summaries], TOPIC_NAMES),
    )


def _texts_of_turns(table: Table) -> str | None:
    """The column of texts, where the rows have their turns in columns: a list of speakers and a list of texts."""
    return next((find_name(row, TEXT_KEYS) for row in table.rows if columns_of_turns(row) is not None), None)


def to_pairs(
    table: Table, split: str, settings: DataSettings, *, need_summaries: bool = True
) -> tuple[list[Pair], list[str], Rows]:
    """Make the pairs of one split.

    Rows that follow each other with the same dialogue, or whose ids differ only in a number at the end (``test_0_1``, ``test_0_2``),
    are one pair with several references.

    Returns:
        The pairs, the notes, and what became of the rows.

    Raises:
        DiasumError: columns are missing, a row is not a conversation, rows are empty and `on_empty` is
            "refuse", or all are.
    """
    known = {as_name(name): name for name in reversed(table.names)}
    read = table.notes
    table, joined = join_messages(table, settings, _summaries(settings, known, table))
    columns = find_columns(table, settings, need_summaries=need_summaries)
    rows = [_pair(row, index, table, split, columns) for index, row in enumerate(table.rows)]
    row_ids = unique([row.id for row in rows])
    used, empty = [], []
    for index, row in enumerate(rows):
        if row.dialogue.is_empty or (need_summaries and not row.references):
            empty.append(f"{row.id} in {table.place(index)}")
        else:
            used.append(index)
    notes = [*read, *joined, *_note_empty(empty, split, table, settings, need_summaries)]
    if not used:
        raise DiasumError(
            f"{table.source}: none of the {len(table.rows)} rows of `{split}` can be used; all are empty."
        )
    groups = _groups(rows, used)
    pairs = [_merge([rows[i] for i in group], row_ids[group[0]]) for group in groups]
    if len(pairs) < len(used):
        most = max(len(pair.references) for pair in pairs)
        notes.append(f"The {len(used)} rows of `{split}` are {len(pairs)} dialogues with up to {most} references.")
    pairs = [replace(pair, id=name) for pair, name in zip(pairs, unique([pair.id for pair in pairs]), strict=True)]
    notes += _note_repeated([(rows[group[0]].id, row_ids[group[0]]) for group in groups], split)
    pair_of: dict[str, str | None] = dict.fromkeys(row_ids)
    pair_of |= {row_ids[i]: pair.id for pair, group in zip(pairs, groups, strict=True) for i in group}
    return pairs, notes, Rows(len(rows), len(empty), pair_of)


def _mapped(wanted: str | None, setting: str, known: dict[str, str], table: Table) -> str | None:
    if wanted is None:
        return None
    if as_name(wanted) not in known:
        raise DiasumError(
            f"{table.source} has no column `{wanted}`, which {setting} names.", hint=near_misses(wanted, known.values())
        )
    return known[as_name(wanted)]


def _summaries(settings: DataSettings, known: dict[str, str], table: Table) -> tuple[str, ...]:
    if settings.summary_columns:
        columns = [known[as_name(name)] for name in settings.summary_columns if as_name(name) in known]
        if not columns:  # a list may name the columns of all splits: `summary` in train, `summary1` in test
            _mapped(settings.summary_columns[0], "data.summary_columns", known, table)
        return tuple(dict.fromkeys(columns))
    for base in SUMMARY_NAMES:
        if base in known:
            return (known[base],)
        numbered = sorted(
            (int(m[1]), name) for key, name in known.items() if (m := re.fullmatch(rf"{base}_?(\d+)", key))
        )
        if numbered:
            return tuple(name for _, name in numbered)
    return ()


def _missing(what: str, setting: str, valid: Sequence[str], names: Sequence[str], table: Table) -> DiasumError:
    close = next((near for word in valid if (near := nearest(word, names))), None)
    meant = (
        f" Did you mean `{close}`? Then: --set data.{setting}={f'[{close}]' if 'columns' in setting else close}"
        if close
        else ""
    )
    return DiasumError(
        f"{table.source} has no column that looks like the {what}: expected one of {', '.join(valid[:9])}; "
        f"found {', '.join(names[:12]) or 'none'}{f' and {len(names) - 12} more' if len(names) > 12 else ''}.",
        hint=f"Name it with data.{setting}.{meant}",
    )


def _pair(row: dict[str, Any], index: int, table: Table, split: str, columns: Columns) -> Pair:
    conversation = row.get(columns.dialogue) if columns.dialogue_named else _conversation(row, columns)
    name = f"{table.where(index)}: the conversation in `{columns.dialogue}`"
    dialogue = as_dialogue(conversation, name, may_be_empty=True)
    references = tuple(text for name in columns.summaries for text in cell_texts(row.get(name)))
    identifier = one_line(row.get(columns.id)) if columns.id else ""
    topic = one_line(row.get(columns.topic)) if columns.topic else ""
    return Pair(identifier or f"{split}_{index}", dialogue, references, topic or None, _began(row))


def _began(row: dict[str, Any]) -> datetime | None:
    """When a row's conversation began, by a column with a usual name: ISO 8601, or seconds or milliseconds since 1970."""
    name = find_name(row, TIME_NAMES)
    value = row[name] if name is not None else None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d{9,13}(\.\d+)?", value.strip()):
            return datetime.fromisoformat(value.strip())
        number = float(value)  # type: ignore[arg-type]
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC) if number > 1e8 else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _conversation(row: dict[str, Any], columns: Columns) -> Any:
    """What a row holds as its conversation, which may have another of the usual names than in other rows; None if there is nothing."""
    try:
        return conversation_in({name: cell for name, cell in row.items() if name not in columns.summaries})
    except NoConversation:
        return None


def _note_empty(empty: list[str], split: str, table: Table, settings: DataSettings, need_summaries: bool) -> list[str]:
    if not empty:
        return []
    what = "dialogue or summary is" if need_summaries else "dialogue is"
    listed = f"{', '.join(empty[:5])}{', ...' if len(empty) > 5 else ''}"
    if settings.on_empty == "refuse":
        raise DiasumError(
            f"{table.source}: in {len(empty)} of {len(table.rows)} rows of `{split}` the {what} empty ({listed}).",
            hint="Fix or remove them, or skip them with --set data.on_empty=skip.",
        )
    return [f"{len(empty)} of {len(table.rows)} rows of `{split}` were skipped because the {what} empty ({listed})."]


def _groups(rows: Sequence[Pair], used: Iterable[int]) -> list[list[int]]:
    """Which of the rows are one pair."""
    groups: list[list[int]] = []
    at: dict[tuple[str, str], int] = {}
    previous = None
    for i in used:
        text = rows[i].dialogue.text
        key = (_stem(rows[i].id), text)
        index = len(groups) - 1 if text == previous else at.get(key)
        if index is None:
            at[key] = index = len(groups)
            groups.append([])
        groups[index].append(i)
        previous = text
    return groups


def _stem(identifier: str) -> str:
    """``test_0_1`` belongs to ``test_0``; ids with one number (``train_12``) stand for themselves."""
    match = re.fullmatch(r"(.*\d)[_\-.]\d+", identifier)
    return match[1] if match else identifier


def _merge(group: list[Pair], row_id: str) -> Pair:
    """One pair of rows that belong together; `row_id` is the first one's."""
    stems = {_stem(row.id) for row in group}
    name = stems.pop() if len(group) > 1 and len(stems) == 1 else row_id
    references = tuple(text for row in group for text in row.references)
    topic = next((row.topic for row in group if row.topic), None)
    return Pair(name, group[0].dialogue, references, topic, group[0].began)


def _note_repeated(ids: Iterable[tuple[str, str]], split: str) -> list[str]:
    """Notes about ids that had to be changed, from (original id, final id)."""
    repeated = [original for original, name in ids if original != name]
    listed = ", ".join(list(dict.fromkeys(repeated))[:5])
    return (
        [f"{counted(len(repeated), 'repeated id')} of `{split}` made unique by an added number ({listed})."]
        if repeated
        else []
    )
