"""Read conversations to summarise: files of any of the formats, or standard input.

In: paths or a stream. Out: dialogues with unique ids, in the order given.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from diasum.dialogue.files.rows import unique
from diasum.dialogue.formats import Source
from diasum.dialogue.formats.source import standard_input
from diasum.dialogue.nonspeech import left_out_in_words
from diasum.dialogue.read import ReadDialogue, Reading, check_aliases, read_source
from diasum.errors import DiasumError

_FILE_NAME = re.compile(
    r"\S+\.(txt|md|log|vtt|srt|csv|tsv|json|jsonl|ndjson|parquet|zip|eml|mbox|docx|xlsx)(\.gz)?", re.I
)

_AS_FOUND = Reading()


def is_file(value: Any) -> bool:
    """Whether a value stands for a file of conversations: a `Path`, or a text of one line that names something that is there.

    A single word that ends like a file name (``chatx.txt``) is taken for one, too, so that a typing mistake is reported.
    """
    if isinstance(value, os.PathLike):
        return True
    if not isinstance(value, str) or "\n" in value:
        return False
    return os.path.exists(value) or _FILE_NAME.fullmatch(value) is not None


def read_conversations(
    files: Sequence[Path], stream: IO[bytes] | None = None, reading: Reading = _AS_FOUND
) -> list[ReadDialogue]:
    """Read all files, or standard input when there are none.

    Ids are unique. Those of a table are the ones that a corpus reader gives, so that summaries can be scored against it: a table whose
    rows have none has none here, and its summaries are matched by their order. Beside others they are ``FILE-1``, ``FILE-2``. For the
    sake of that order, empty conversations stay among others.

    Args:
        files: files and folders.
        stream: standard input.
        reading: what the user says of how they are read.

    Raises:
        DiasumError: nothing given, a missing or unreadable file, a broken line, empty conversations only (file and line are named).
    """
    if not files and (stream is None or stream.isatty()):
        raise DiasumError(
            "There is nothing to summarise.",
            hint="Give files, or pipe a conversation in: cat chat.txt | diasum summarize",
        )
    if stream is None or files:
        parts = [
            (_stem(file), list(read_source(Source.of_path(file, reading.names), reading))) for file in map(Path, files)
        ]
    else:
        parts = [("conversation", list(read_source(standard_input(stream, reading.names), reading)))]
    dialogues = [one for _, part in parts for one in part]
    check_said(dialogues)
    check_aliases(reading, dialogues)
    if len(parts) == 1 and all(one.id is None for one in parts[0][1]):
        return parts[0][1]
    identified = [
        one if one.id is not None else replace(one, id=f"{stem}-{number}")
        for stem, part in parts
        for number, one in enumerate(part, 1)
    ]
    names = unique([str(one.id) for one in identified])
    return [replace(one, id=name) for one, name in zip(identified, names, strict=True)]


def check_said(conversations: Sequence[ReadDialogue]) -> None:
    """Refuse conversations in none of which anything is said.

    Raises:
        DiasumError: with what was left out of them.
    """
    if not all(one.dialogue.is_empty for one in conversations):
        return
    first = conversations[0].where
    left_out = left_out_in_words(sum((one.left_out for one in conversations), Counter[str]()))
    only = f" Nothing in it is speech: {left_out} left out." if left_out else ""
    raise DiasumError(
        f"{first} is empty.{only}"
        if len(conversations) == 1
        else f"All conversations are empty, starting with {first}.{only}",
        hint="Expected text such as `Anna: Are you coming?`, one turn per line.",
    )


def _stem(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).stem
