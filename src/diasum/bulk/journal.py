"""The output of a bulk job and its journal, so that whatever ends the process, the same command goes on where it was.

Beside ``OUT``: ``OUT.part`` and ``OUT.rejected.jsonl.part`` grow by a portion at a time and are flushed to the disk; only then a line in
``OUT.journal`` says how long they are. What lies beyond that length was never finished and is cut off when the job goes on. At the end
they are moved into place. The journal stays: it says what the output was made of and with.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from diasum.bulk.changes import changes
from diasum.errors import DiasumError
from diasum.files import disk_errors
from diasum.wording import counted

_VERSION = 1  # of the journal
_BLOCK = 1 << 20
_ANEW = "To begin anew, add --restart."
_GO_ON = "Then give the same command again: the job goes on where it was."


@dataclass(frozen=True, slots=True)
class Done:
    """How far a job is, as a line of its journal says.

    Attributes:
        portions: finished.
        row: number of the last row in them.
        summaries: written.
        cut: summaries among them that reached their length limit before they ended.
        set_aside: rows that could not be summarised.
        bytes: length of the output so far.
        crc32: of these bytes.
        rejected_bytes: length of the file of rows set aside.
        complete: there are no more rows.
    """

    portions: int = 0
    row: int = 0
    summaries: int = 0
    cut: int = 0
    set_aside: int = 0
    bytes: int = 0
    crc32: int = 0
    rejected_bytes: int = 0
    complete: bool = False

    @property
    def rows(self) -> int:
        """Rows dealt with."""
        return self.summaries + self.set_aside


class Output:
    """The files of one job; used as a context, within which no other process can write them.

    Args:
        out: the file that is to be there at the end.
        convert: makes of ``OUT.part`` (JSON lines) the file that is put in place; None where they are it.

    Raises:
        DiasumError: another process is writing it, or the folder cannot be written.
    """

    def __init__(self, out: Path, convert: Callable[[Path, Path], None] | None = None) -> None:
        self.out = out
        self.part = _beside(out, ".part")
        self.journal = _beside(out, ".journal")
        self.rejected = _beside(out, ".rejected.jsonl")
        self.rejected_part = _beside(out, ".rejected.jsonl.part")
        self.done = Done()
        self._convert = convert
        self._lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=0)  # its file stays, or two could hold it
        self._open = contextlib.ExitStack()
        self._files: dict[Path, IO[bytes]] = {}

    def __enter__(self) -> Output:
        with disk_errors(self.out):
            self.out.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire()
            except Timeout:
                raise DiasumError(
                    f"{self.out} is being written at this moment, by another process or elsewhere in this one.",
                    hint="Let that job end or stop it, or write to another file.",
                ) from None
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()
        self._lock.release()

    def there(self) -> list[str]:
        """What an earlier job left, in words; nothing where nothing is there."""
        found = []
        if self.part.is_file():
            done = Done()
            with contextlib.suppress(DiasumError):  # a damaged journal is no hindrance to beginning anew
                done = self._read_journal()[1] if self.journal.is_file() else done
            found.append(f"{self.part} ({counted(done.summaries, 'summary', 'summaries')} of an unfinished job)")
        if self.out.is_file():
            found.append(f"{self.out} (once the new one is complete)")
        return found

    def begin(self, header: Mapping[str, Any], *, restart: bool = False) -> Done:
        """Begin a job, or go on with the one that the journal tells of.

        Args:
            header: what the output depends on, as plain data; ``about`` in it may change.
            restart: begin anew, whatever is there.

        Returns:
            How far the job is.

        Raises:
            DiasumError: there is a job with another header, which the message compares; there is an output without a journal; or what
                is there is not what the journal says.
        """
        header = {"journal": _VERSION, **header}
        with disk_errors(self.out):
            if restart:
                self._remove()
            known, self.done, length = self._read_journal() if self.journal.is_file() else (None, Done(), 0)
            if known is None:
                self._check_free(restart)
                self._remove()
            elif different := changes(known, header):
                raise DiasumError(
                    f"{self.journal} tells of another job than this one:\n  " + "\n  ".join(different),
                    hint=f"Give what was given then, or write to another file. {_ANEW}",
                )
            if not self.done.complete:
                self._open_at(self.part, self.done.bytes, self.done.crc32)
                self._open_at(self.rejected_part, self.done.rejected_bytes)
            self._open_at(self.journal, length)
            if known is None:
                _add(self._files[self.journal], _encoded([json.dumps(header, ensure_ascii=False)]))
            _sync_folder(self.out.parent)
        return self.done

    def commit(self, lines: Sequence[str], rejected: Sequence[str], row: int, cut: int = 0) -> None:
        """Add a portion: it is on the disk when this returns; where it does not return, no trace of it stays once the job goes on.

        Args:
            lines: records, without line ends.
            rejected: the same of the rows set aside.
            row: number of the portion's last row.
            cut: how many of the summaries reached their length limit before they ended.

        Raises:
            DiasumError: the disk is full, say.
        """
        added, refused = _encoded(lines), _encoded(rejected)
        with self._writing():
            _add(self._files[self.part], added)
            _add(self._files[self.rejected_part], refused)
            self._note(
                Done(
                    portions=self.done.portions + 1,
                    row=row,
                    summaries=self.done.summaries + len(lines),
                    cut=self.done.cut + cut,
                    set_aside=self.done.set_aside + len(rejected),
                    bytes=self.done.bytes + len(added),
                    crc32=zlib.crc32(added, self.done.crc32),
                    rejected_bytes=self.done.rejected_bytes + len(refused),
                )
            )

    def put_in_place(self) -> None:
        """Say that the job is complete, and move its files to where they belong; or do what an interruption left of that.

        Raises:
            DiasumError: the output of a job that was complete before is no longer there, or the disk is full.
        """
        with self._writing():
            if not self.done.complete:
                self._note(replace(self.done, complete=True))
            self._open.close()
            self._put_rejected_in_place()
            if self.part.is_file():
                if self._convert is None:
                    os.replace(self.part, self.out)
                else:
                    self._convert(self.part, self.out)
                    self.part.unlink()
            _sync_folder(self.out.parent)
        if not self.out.is_file():
            raise DiasumError(
                f"{self.journal} says that {self.out} is complete, but it is not there.",
                hint=f"Put it back if you moved it, or write to another file. {_ANEW}",
            )

    def give_up(self) -> None:
        """Leave only the rows set aside, where there is nothing else."""
        with self._writing():
            self._open.close()
            self._put_rejected_in_place()
            self.part.unlink()
            self.journal.unlink()

    def _put_rejected_in_place(self) -> None:
        if self.rejected_part.is_file():
            if self.done.set_aside:
                os.replace(self.rejected_part, self.rejected)
            else:
                self.rejected_part.unlink()
                self.rejected.unlink(missing_ok=True)  # of a job that was begun anew

    def _read_journal(self) -> tuple[dict[str, Any] | None, Done, int]:
        """Its header, how far the job is, and the journal's length without a line that was not written to its end."""
        content = self.journal.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            values = [json.loads(line) for line in whole.splitlines()]
            if not values:
                return None, Done(), 0
            if (version := values[0]["journal"]) != _VERSION:
                raise DiasumError(
                    f"{self.journal} has version {version}; this version of diasum writes {_VERSION}.", hint=_ANEW
                )
            return values[0], Done(**values[-1]) if len(values) > 1 else Done(), len(whole)
        except (ValueError, TypeError, KeyError) as error:
            raise DiasumError(f"{self.journal} is damaged: {error}.", hint=_ANEW) from None

    def _check_free(self, restart: bool) -> None:
        for path in (self.out, self.part):
            if path.is_file() and path.stat().st_size and not restart:
                raise DiasumError(
                    f"{path} is there already, and {self.journal}, which would say what it is, is not.",
                    hint="Write to another file; or, to replace it, add --restart.",
                )

    def _remove(self) -> None:
        """What a job leaves before it is complete."""
        for path in (self.journal, self.part, self.rejected_part):
            path.unlink(missing_ok=True)

    def _open_at(self, path: Path, length: int, crc32: int | None = None) -> None:
        """Open a file for more after that length; what is beyond it is cut off."""
        path.touch()
        # Without a buffer, what a full disk refuses is not tried again on closing.
        file = self._open.enter_context(path.open("r+b", buffering=0))
        found = 0
        for block in _blocks(file, length) if crc32 is not None else ():
            found = zlib.crc32(block, found)
        if file.seek(0, os.SEEK_END) < length or (crc32 is not None and found != crc32):
            raise DiasumError(
                f"{path} is not what {self.journal} says: it was changed, or lost by the disk.", hint=_ANEW
            )
        file.truncate(length)
        file.seek(length)
        self._files[path] = file

    def _note(self, done: Done) -> None:
        _add(self._files[self.journal], _encoded([json.dumps(asdict(done))]))
        self.done = done

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with disk_errors(self.out):
                yield
        except DiasumError as error:
            error.hint = f"{error.hint} {_GO_ON}" if error.hint else _GO_ON
            raise


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(f"{out.name}{ending}")


def _encoded(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")  # a file's name need not be text


def _add(file: IO[bytes], content: bytes) -> None:
    """Write to the disk, not only to the system's memory."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _blocks(file: IO[bytes], length: int) -> Iterator[bytes]:
    while length and (block := file.read(min(_BLOCK, length))):
        length -= len(block)
        yield block


def _sync_folder(folder: Path) -> None:
    """Names of new and moved files reach the disk, too, where a system lets one ask for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
