"""Exports and transcripts as a corpus: whatever `summarize` takes, `data check|stats|convert` and training take, too.

In: a file, folder or archive that is not a table. Out: a `Table` with one dialogue per row, so that all that follows is the same for both.
"""

from __future__ import annotations

from pathlib import Path

from diasum.config import DataSettings
from diasum.dialogue.files.conversations import check_said
from diasum.dialogue.files.rows import Table, unique
from diasum.dialogue.files.tables import UNNAMED, has_data, is_data_file
from diasum.dialogue.formats import MEMBERS, Source, choose
from diasum.dialogue.formats.archive import is_readable
from diasum.dialogue.formats.table import ending_shown
from diasum.dialogue.read import check_aliases, read_source, reading_of, readings
from diasum.errors import DiasumError


def is_export(path: Path, settings: DataSettings) -> bool:
    """Whether what is there is read by a format of exports, and not as a table or a folder of tables."""
    if settings.format != "auto":
        return settings.format != "table"
    try:
        name, _ = choose(source := Source.of_path(path))
    except DiasumError:
        if path.is_dir() or is_data_file(path):  # the readers of tables say what is wrong
            return False
        raise
    if name == MEMBERS and path.is_dir():
        tables = has_data(path) or any(has_data(folder) for folder in path.iterdir() if folder.is_dir())
        others = (Path(member) for member in source.head.members if is_readable(member))
        return not tables and any(not is_data_file(member) for member in others)
    return name not in (("table", "plain") if is_data_file(path) else ("table",))


def table_form(path: Path) -> str | None:
    """The ending that suits the content of a table whose name has another one: ``.csv`` of ``tickets.txt``; None of all else."""
    return None if path.is_dir() or is_data_file(path) else ending_shown(Source.of_path(path).head)


def read_export(path: Path, settings: DataSettings, notes: list[str]) -> dict[str, Table] | None:
    """The dialogues of an export as the rows of a table without splits; None if it is not an export.

    Args:
        path: what is there.
        settings: how it is to be read.
        notes: what is to be told of the reading is added here.

    Raises:
        DiasumError: it cannot be read, or nothing is said in it.
    """
    reading = reading_of(
        settings.format,
        split_pause=settings.split_pause,
        aliases=settings.aliases,
        keep_nonspeech=settings.keep_nonspeech,
    )
    if not is_export(path, settings):
        return None
    dialogues = list(read_source(Source.of_path(path), reading))
    check_said(dialogues)
    check_aliases(reading, dialogues)
    notes += (line.removeprefix("note: ") for line in readings(dialogues))
    names = unique([one.id or f"{path.stem}-{number}" for number, one in enumerate(dialogues, 1)])
    rows = [
        {"id": name, "dialogue": one.dialogue, "began": one.began} for name, one in zip(names, dialogues, strict=True)
    ]
    return {UNNAMED: Table(str(path), rows)}
