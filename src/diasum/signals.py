"""Being told to stop: Ctrl-C, a polite kill (SIGTERM), or a terminal that is closed (SIGHUP)."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

INTERRUPT, TERMINATE = signal.SIGINT, signal.SIGTERM
HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # not on Windows


class Stopped(BaseException):
    """A signal asked the process to end: `finally` blocks run, and no handler of errors takes it for one.

    Attributes:
        number: of the signal; the process ends with 128 more.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextlib.contextmanager
def handled(numbers: list[signal.Signals | None], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within this context, `handler` takes these signals; one that the process was started to ignore (`nohup`) stays ignored.

    Signals are the main thread's: in another one the caller's own handling stays.
    """
    terminals = [descriptor for descriptor in (1, 2) if _is_terminal(descriptor)]

    def take(number: int, frame: FrameType | None) -> None:
        _leave(terminals)
        handler(number, frame)

    before: dict[int, Any] = {}
    for number in numbers:
        if number is None or (number == HANG_UP and signal.getsignal(number) == signal.SIG_IGN):
            continue
        with contextlib.suppress(ValueError):
            before[number] = signal.signal(number, take)
    try:
        yield
    finally:
        for known, old in before.items():
            signal.signal(known, old)


def stop_at_once(number: int, frame: FrameType | None) -> None:
    """A handler that raises `Stopped`, once: a closed terminal tells twice, and what unwinds then is not to be disturbed."""
    for other in (TERMINATE, HANG_UP):
        if other is not None:
            signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)


def _leave(terminals: list[int]) -> None:
    """What would be written to a terminal that is gone goes nowhere, instead of ending the work with an error."""
    for descriptor in terminals:
        if not _is_terminal(descriptor):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
