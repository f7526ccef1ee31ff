"""How far a long job is: a bar in a terminal; elsewhere (a file, ``nohup``) a plain line at least every half minute.

Both go to the console they are given, which is standard error. Standard output is left alone: what is printed there meanwhile is results.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from diasum.wording import duration

LINE_SECONDS = 30.0  # between two plain lines, at most
ProgressCallback = Callable[[str, int, int], None]  # what is being done, done, of how many


@dataclass(slots=True)
class _Task:
    """One kind of work: when it began and with how much done, when it was last heard of, and when a line about it was last printed."""

    began: float
    began_with: int
    heard: float
    printed: float
    bar: Any = None


class Bars:
    """A bar, or lines, for each kind of work that is reported; quiet where the console is.

    Args:
        console: where it is shown.
        shown: False where results are printed in the same terminal.
        clock: seconds; another one in tests.
    """

    def __init__(self, console: Console, *, shown: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._shown = shown and not console.quiet
        self._live = self._shown and console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}", markup=False),
            console=console,
            redirect_stdout=False,  # or rich would print results here, among the bars
            disable=not self._live,
        )
        self._tasks: dict[str, _Task] = {}
        self._last = clock()  # when anything was last reported: a new kind of work began then

    def __enter__(self) -> Bars:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop drawing; what is drawn stays."""
        self._bar.stop()

    def __call__(
        self, what: str, done: int, total: int, *, unit: str = "", more: str = "", left: float | None = None
    ) -> None:
        """Report how far some work is.

        Args:
            what: the work, such as ``summarising (adapter)``; the same text each time.
            done: how many are done, of `total`.
            total: how many there are.
            unit: what is counted, in the singular, such as ``step``.
            more: further figures for the end.
            left: seconds, where more is known than that the rest takes as long as what is done.
        """
        now = self._clock()
        task = self._tasks.get(what)
        if task is None:
            # Reported before any of it is done, it begins now; otherwise a part of it was done since the last report.
            began = now if done == 0 else self._last
            task = self._tasks[what] = _Task(began, 0, heard=began, printed=began)
            if self._live:
                task.bar = self._bar.add_task(what, total=total, more="")
        gap, task.heard, self._last = now - task.heard, now, now
        if not self._shown:
            return
        rate, rest = _speed(done - task.began_with, now - task.began, total - done, left)
        details = [detail for detail in (rate, more, rest) if detail]
        if self._live:
            self._bar.update(task.bar, completed=done, more=", ".join(details))
        # The next report may come as late again: a line later would leave more than half a minute without one.
        elif now - task.printed + gap > LINE_SECONDS or (done >= total and task.printed > task.began):
            task.printed = now
            name = f"{unit} " if unit else ""
            share = f" ({done / total:.0%})" if total else ""
            self._print(", ".join([f"{what}: {name}{done:,} of {total:,}{share}", *details]))

    def resume(self, what: str, done: int, total: int) -> None:
        """Begin work of which a part was done before, by an earlier session say: it does not count for the rate."""
        now = self._clock()
        task = self._tasks[what] = _Task(now, done, heard=now, printed=now)
        self._last = now
        if self._live:
            task.bar = self._bar.add_task(what, total=total, completed=done, more="")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)


def _speed(done: int, seconds: float, remaining: int, left: float | None) -> tuple[str, str]:
    """Rate and time left, in words; nothing of what is not known yet."""
    if done <= 0 or seconds <= 0:
        return "", ""
    rate = done / seconds
    spoken = f"{rate:,.1f} a second" if rate >= 1 else f"{60 * rate:,.1f} a minute"
    return spoken, f"about {duration(remaining / rate if left is None else left)} left" if remaining > 0 else ""
