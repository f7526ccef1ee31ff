"""Writing that leaves no half-written file: next to the target, then moved into place."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from diasum.errors import DiasumError


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write a UTF-8 file whole or not at all.

    Args:
        path: where to.
        text: what is in it.
        mode: its permissions, from the moment it is there; what the user's umask leaves when None.

    Raises:
        DiasumError: the disk is full or read-only, or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask() if mode is None else mode)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def write_json(path: Path, value: Any, *, mode: int | None = None) -> None:
    """Write JSON, indented, whole or not at all; permissions and errors as `write_text`."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", mode=mode)


def write_json_lines(path: Path, values: Iterable[Any]) -> None:
    """Write one JSON value a line, whole or not at all; raises as `write_text`."""
    write_text(path, "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values))


def check_writable(folder: Path) -> None:
    """Before long work: that files can be written to a folder, which need not be there yet; raises as `write_text`."""
    with disk_errors(folder):
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        with tempfile.TemporaryFile(dir=there):
            pass


@contextlib.contextmanager
def folder_in_place(path: Path) -> Iterator[Path]:
    """Fill a folder next to the target, which appears complete or not at all; an older one of that name is replaced.

    Raises:
        DiasumError: as `write_text`.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        os.chmod(temporary, 0o777 & ~_umask())
        old = temporary.with_name(temporary.name + ".old")
        try:
            yield temporary
            if path.exists():
                os.rename(path, old)
            os.rename(temporary, path)
        finally:
            if old.exists() and not path.exists():  # stopped between the two
                os.rename(old, path)
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write into errors a user can act on."""
    hints = {
        errno.ENOSPC: "Free some space, or choose a folder on another disk; existing files are unharmed.",
        errno.EDQUOT: "Your quota is used up: free some space, or choose a folder elsewhere; existing files are unharmed.",
        errno.EROFS: "The file system is read-only: choose another folder.",
        errno.EACCES: "You are not permitted to write there: choose another folder or change its permissions.",
        errno.EPERM: "You are not permitted to write there: choose another folder or change its permissions.",
        errno.ENOTDIR: "Part of that path is a file, not a folder.",
        errno.EEXIST: "A file is in the way of a folder: choose another name.",
        errno.ENAMETOOLONG: "Choose a shorter name.",
    }
    try:
        yield
    except DiasumError:
        raise
    except OSError as error:
        if error.errno not in hints:
            raise
        raise DiasumError(f"Cannot write {path}: {error.strerror}.", hint=hints[error.errno]) from None
    except Exception:
        # torch and safetensors report a full disk as errors of their own kinds.
        if not _is_full(path):
            raise
        raise DiasumError(f"Cannot write {path}: No space left on device.", hint=hints[errno.ENOSPC]) from None


def _is_full(path: Path) -> bool:
    folder = next(parent for parent in (path, *path.absolute().parents) if parent.is_dir())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 18))
            file.flush()
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
