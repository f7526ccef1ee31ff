"""One training at a time in a run directory: a second one would rotate away the first one's checkpoints.

In: a run. Out: a lock of the operating system's on a file there, which goes with the process that holds it, however that ends.
"""

from __future__ import annotations

import errno

from filelock import FileLock, Timeout

from diasum.errors import DiasumError
from diasum.files import disk_errors
from diasum.training.run import Run

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)  # errors of a file system without locks


class Lock:
    """Not held until taken; `close` gives it back. Its file stays, since removing it would let two hold the lock."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = FileLock(run.lock_file, timeout=0)

    def take(self) -> None:
        """Hold the lock from now on.

        Raises:
            DiasumError: another training holds it, in this process or another one; or the folder cannot be written.
        """
        with disk_errors(self.run.lock_file):
            self.run.path.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire()
            except Timeout:
                raise DiasumError(
                    f"{self.run.path} is being trained at this moment, by another process or elsewhere in this one.",
                    hint="Let that training end, or stop it, before you resume the run; or start a new run under another name.",
                ) from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise

    def close(self) -> None:
        """Give the lock back, where it is held."""
        self._lock.release()
