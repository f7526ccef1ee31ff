"""Documents that are zip archives inside, as docx and xlsx files are: what is in them, and whether they are safe to unpack."""

from __future__ import annotations

import zipfile

from diasum.dialogue.files.decoding import MIB
from diasum.dialogue.formats.head import Head
from diasum.dialogue.formats.source import MOST_BYTES, Source
from diasum.errors import DiasumError


def is_document(head: Head, ending: str, folder: str) -> bool:
    """Whether the content is a zip archive of a kind.

    Args:
        head: the beginning of the content.
        ending: that of the kind's names, ``.docx``.
        folder: which its archives have, ``word/``.
    """
    if not head.content.startswith(b"PK\x03\x04"):
        return False
    inside = any(name.startswith(folder) for name in head.members) or folder.encode() in head.content
    return inside or (head.ending == ending and not head.members)


def check_archive(source: Source, kind: str) -> None:
    """Raises DiasumError where the archive is damaged or would be too large when unpacked."""
    try:
        with source.open() as handle, zipfile.ZipFile(handle) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DiasumError(
            f"{source.where} is not a readable {kind}: {error}.",
            hint="It may be incomplete: download or copy it again.",
        ) from None
    if size > MOST_BYTES:
        raise DiasumError(
            f"{source.where} would be {size // MIB:,} MiB when unpacked; at most {MOST_BYTES // MIB} MiB are read.",
            hint="Split it into several documents, or save it as text.",
        )
