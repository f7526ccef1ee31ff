"""Documents that are zip archives inside, as docx and xlsx files are: which kind one is."""

from __future__ import annotations

from diasum.dialogue.formats.head import Head


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
