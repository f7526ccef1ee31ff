"""Word documents: transcripts that Teams, Meet and Zoom save as `.docx`, or any conversation that somebody keeps in one.

Read by `python-docx` (https://python-docx.readthedocs.io), which comes with the extra `formats`: paragraphs and tables become lines, and
these are read as whichever format of text they are in. In memory as a whole.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from diasum.dialogue.files.sheets import check_unpacked
from diasum.dialogue.formats.documents import is_document
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation
from diasum.dialogue.formats.source import MOST_BYTES, Source
from diasum.dialogue.formats.transcript_lines import time_of
from diasum.errors import DiasumError, MissingExtraError


def recognises(head: Head) -> Evidence | None:
    """By the parts of the archive."""
    return Evidence(Strength.CERTAIN, "Word document") if is_document(head, ".docx", "word/") else None


def read(source: Source) -> Iterator[Conversation]:
    """The conversations of its text.

    Raises:
        DiasumError: it is damaged or too large.
        MissingExtraError: `python-docx` is not installed.
    """
    from diasum.dialogue.formats import choose, format_named

    text = "\n".join(_lines(source))
    inner = Source.of_bytes(
        text.encode("utf-8", "surrogatepass"), source.where, f"{source.stem or 'document'}.txt", source.names
    )
    name, evidence = choose(inner)
    for conversation in format_named(name).read(inner):
        conversation.reason = f"Word document: {conversation.reason or evidence.reason}"
        yield conversation


def _lines(source: Source) -> Iterator[str]:
    try:
        from docx import Document
        from docx.opc.exceptions import OpcError
        from docx.table import Table
    except ImportError:
        raise MissingExtraError("Reading Word documents (.docx)", "formats") from None
    with source.open() as handle:
        content = handle.read()
    check_unpacked(content, source.where, "Word document", MOST_BYTES)
    try:
        document = Document(io.BytesIO(content))
        for block in document.iter_inner_content():
            yield from _rows(block) if isinstance(block, Table) else block.text.split("\n")
    # python-docx has no error of its own for parts that are missing or malformed; lxml's is a SyntaxError
    except (
        OpcError,
        SyntaxError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        AttributeError,
        IndexError,
        OSError,
    ) as error:
        raise DiasumError(
            f"{source.where} is not a readable Word document: {error}.",
            hint="Open it in a word processor and save it again, or save it as text.",
        ) from None


def _rows(table: Any) -> Iterator[str]:
    """Lines of a table: a name and words in two cells are ``Ana: words``, with a time in the first of three."""
    for row in table.rows:
        cells = [" ".join(cell.text.split()) for cell in row.cells]
        if len(cells) == 3 and time_of(cells[0]):
            yield f"[{cells[0]}] {cells[1]}: {cells[2]}"
        else:
            yield ": ".join(cell for cell in cells if cell)
