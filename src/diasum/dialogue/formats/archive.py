"""What is inside of folders and zip archives, as sources of their own: bounded, checked, and never unpacked to disk.

Members are read in place, one at a time. Refused are archives whose members would lie outside of the folder that they are
unpacked to, that are cut off or encrypted, and members that unpack to a multiple of their size that no text does (zip bombs). Archives in
archives are not opened.
"""

from __future__ import annotations

import contextlib
import re
import struct
import weakref
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from diasum.dialogue.files.decoding import MIB
from diasum.errors import DiasumError
from diasum.wording import size

if TYPE_CHECKING:
    from diasum.dialogue.formats.source import Source

MOST_FILES = 200_000
# Of a member: exports of chats pack to a twentieth, the most repetitive of texts to a hundredth.
MOST_TIMES_PACKED = 200
SMALL = 16 * MIB  # of a member, which may be as repetitive as it likes
MOST_UNPACKED = 64 * 1024 * MIB

# What may hold a conversation, by the name; files of other kinds in a folder or an archive are not read, and counted
READABLE = frozenset(
    (
        *("", ".txt", ".md", ".log", ".vtt", ".srt", ".sbv", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet"),
        *(".xlsx", ".docx", ".eml", ".mbox", ".mbx", ".weechatlog"),
    )
)
_DAMAGED = (ValueError, IndexError, EOFError, struct.error)  # of which zipfile checks but some
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"


def members_of_folder(folder: Path) -> list[tuple[str, Path]]:
    """The files of a folder and the folders below it, by path within it; hidden ones, and links that lead out of it, are left out."""
    root = folder.resolve()
    members: list[tuple[str, Path]] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if _is_hidden(name) or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        members.append((name, path))
        if len(members) > MOST_FILES:
            raise DiasumError(f"{folder} holds more than {MOST_FILES:,} files.", hint="Give a folder further down.")
    return members


class Archive:
    """An open zip archive.

    Args:
        open_raw: opens its bytes.
        where: what to call it in messages.

    Raises:
        DiasumError: it is damaged, or a member's path leads out of it.
    """

    def __init__(self, open_raw: Callable[[], IO[bytes]], where: str) -> None:
        self.where = where
        handle = open_raw()
        weakref.finalize(self, handle.close)
        with _refusing(where):
            self._zip = zipfile.ZipFile(handle)
            self.infos = {name: info for info in self._zip.infolist() if (name := self._name(info)) is not None}
        if len(self.infos) > MOST_FILES:
            raise DiasumError(f"{where} holds more than {MOST_FILES:,} files.", hint="Unpack what you need of it.")
        if sum(info.file_size for info in self.infos.values()) > MOST_UNPACKED:
            raise DiasumError(
                f"{where} would unpack to more than {size(MOST_UNPACKED)}.", hint="Unpack what you need of it."
            )

    def open(self, name: str) -> IO[bytes]:
        """A member's content.

        Raises:
            DiasumError: it is encrypted, damaged, or a zip bomb.
        """
        info = self.infos[name]
        if info.file_size > SMALL and info.file_size > MOST_TIMES_PACKED * max(info.compress_size, 1):
            raise DiasumError(
                f"{self.where}: {name} would unpack from {size(info.compress_size)} to {size(info.file_size)}, as no export does.",
                hint="It looks like a zip bomb and was not opened. If it is none, unpack it yourself and give the file.",
            )
        with _refusing(f"{self.where}: {name}"):
            return self._zip.open(info)

    def _name(self, info: zipfile.ZipInfo) -> str | None:
        """The member's path within the archive; None of folders and of what the packing system leaves behind."""
        name = info.filename.replace("\\", "/")
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":" or "\0" in name:
            raise DiasumError(
                f"{self.where}: the path of {info.filename!r} leads out of the archive.",
                hint="No export has such paths: do not unpack it, and ask whoever sent it.",
            )
        return None if info.is_dir() or _is_hidden(name) else path.as_posix()


def refusal(error: Exception, where: str) -> DiasumError | None:
    """What to tell where a zip archive cannot be read; None of errors that are not about that."""
    if isinstance(error, (zipfile.BadZipFile, zipfile.LargeZipFile, *_DAMAGED)):
        return DiasumError(
            f"{where} is a damaged or incomplete zip archive: {error}.", hint="Export or download it again."
        )
    if (
        isinstance(error, NotImplementedError) and re.search("compress|encrypt|version", str(error))
    ) or "password" in str(error):  # zipfile raises RuntimeError
        return DiasumError(
            f"{where} is encrypted, or packed in a way that is not read here: {error}.",
            hint="Unpack it and give the folder.",
        )
    return None


@contextlib.contextmanager
def _refusing(where: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, *_DAMAGED) as error:
        if refused := refusal(error, where):
            raise refused from None
        raise


def is_readable(name: str) -> bool:
    """Whether a member's name is that of something that may hold conversations."""
    return PurePosixPath(name.lower().removesuffix(".gz")).suffix in READABLE


def not_read(names: Iterable[str]) -> str:
    """``12 files (.jpg, .opus)``; empty where there are none."""
    endings = Counter(PurePosixPath(name).suffix.lower() for name in names)
    if not endings:
        return ""
    shown = ", ".join(ending for ending, _ in endings.most_common(5))
    return (
        f"{endings.total():,} file{'s' if endings.total() > 1 else ''} ({shown}{', ...' if len(endings) > 5 else ''})"
    )


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def sources_in(source: Source) -> tuple[Source, ...]:
    """The members of a folder or an archive, as sources."""

    def of_file(name: str, path: Path) -> Source:
        return replace(
            source, where=str(path), open_raw=lambda: path.open("rb"), path=path, name=path.name, within=name
        )

    def of_member(archive: Archive, name: str) -> Source:
        where, last = f"{source.where}: {name}", PurePosixPath(name).name
        return replace(source, where=where, open_raw=lambda: archive.open(name), path=None, name=last, within=name)

    if source.path is not None and source.path.is_dir():
        return tuple(of_file(name, path) for name, path in members_of_folder(source.path))
    archive = Archive(source.open_raw, source.where)
    return tuple(of_member(archive, name) for name in sorted(archive.infos))
