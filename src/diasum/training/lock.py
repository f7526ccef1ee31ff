"""One training at a time in a run directory: a second one would rotate away the first one's checkpoints.

In: a run. Out: a lock of the operating system's on a file there, which goes with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
import os

from diasum.errors import DiasumError
from diasum.files import disk_errors
from diasum.training.run import Run

try:
    import fcntl
except ImportError:  # not on Windows: there runs are not locked
    fcntl = None  # type: ignore[assignment]


class Lock:
    """Not held until taken; `close` gives it back, and removes its file."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._handle: int | None = None

    def take(self) -> None:
        """Hold the lock from now on.

        Raises:
            DiasumError: another training holds it, in this process or another one; or the folder cannot be written.
        """
        if fcntl is None:
            return
        with disk_errors(self.run.lock_file):
            self.run.path.mkdir(parents=True, exist_ok=True)
            self._handle = self._locked()
            if not os.fstat(self._handle).st_nlink:  # removed meanwhile by a training that has just ended
                os.close(self._handle)
                self._handle = self._locked()

    def close(self) -> None:
        """Give the lock back, where it is held."""
        if self._handle is None:
            return
        if os.fstat(self._handle).st_nlink:  # otherwise a file of that name is another training's
            with contextlib.suppress(OSError):
                self.run.lock_file.unlink()
        os.close(self._handle)
        self._handle = None

    def _locked(self) -> int:
        handle = os.open(self.run.lock_file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DiasumError(
                f"{self.run.path} is being trained at this moment, by another process or elsewhere in this one.",
                hint="Let that training end, or stop it, before you resume the run; or start a new run under another name.",
            ) from None
        except OSError:
            pass  # a file system without locks
        return handle
