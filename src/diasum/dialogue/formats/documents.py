"""Documents that are zip archives inside, as docx and xlsx files are: which kind one is."""

from __future__ import annotations

from diasum.dialogue.formats.head import Head

_TYPES = "[Content_Types].xml"  # which every document of these kinds has, and other archives do not


def is_document(head: Head, ending: str, folder: str) -> bool:
    """Whether the content is a zip archive of a kind.

    Args:
        head: the beginning of the content.
        ending: that of the kind's names, ``.docx``.
        folder: which its archives have, ``word/``.
    """
    if not head.content.startswith(b"PK\x03\x04"):
        return False
    if head.members:
        return _TYPES in head.members and any(name.startswith(folder) for name in head.members)
    first = _first_name(head.content)
    is_office = first == _TYPES or first.startswith(("_rels/", "docProps/", folder))
    return is_office and (folder.encode() in head.content or head.ending == ending)


def _first_name(content: bytes) -> str:
    """The path of an archive's first member, from the header that stands before it."""
    length = int.from_bytes(content[26:28], "little")
    return content[30 : 30 + length].decode("utf-8", "replace")
