"""A bulk job from its files to its output.

In: files of conversations, and what summarises. Out: one file with a record for each, in the order of the input, another with the rows
that could not be summarised, and a journal (`diasum.bulk.journal`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console

import diasum
from diasum.bulk.inputs import Inputs, Shard
from diasum.bulk.journal import Done, Output
from diasum.bulk.parquet import to_parquet
from diasum.bulk.portions import Waiting, Written
from diasum.dialogue.read import Reading
from diasum.errors import DiasumError
from diasum.files import check_writable
from diasum.progress import Bars
from diasum.wording import counted

FORMATS = (".jsonl", ".parquet")
SUMMARISING = "summarising"

Advance = Callable[[int], None]  # called with the number of conversations done
Tell = Callable[[int, int], None]  # rows dealt with, and how many of them were set aside


@dataclass(frozen=True, slots=True)
class Worker:
    """What summarises portions.

    Attributes:
        identity: what its summaries depend on, as plain data for the journal.
        write: what is written of each portion, in order; the second argument may be called while one is in work.
        notes: what a user should know, each one sentence.
        close: called at the end, however the job ends.
    """

    identity: Mapping[str, Any]
    write: Callable[[Waiting, Advance], Iterable[Written]]
    notes: Sequence[str] = ()
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What a job did.

    Attributes:
        out: the file with the summaries.
        summaries: in it.
        cut: of them, those that reached their length limit before they ended.
        set_aside: rows that could not be summarised.
        rejected: the file with these; None where there are none.
        done_before: rows that an earlier process had dealt with.
        seconds: that the rest took.
    """

    out: Path
    summaries: int
    cut: int
    set_aside: int
    rejected: Path | None
    done_before: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for, but for the model.

    Attributes:
        files: files and folders, or one binary stream.
        out: the file to write, ``.jsonl`` or ``.parquet``.
        reading: how the files are read.
        shard: the part of the rows.
        restart: begin anew, whatever is there.
        strict: end at the first row that cannot be summarised.
        console: where progress and notes are shown.
    """

    files: Sequence[Path | IO[bytes]]
    out: Path
    reading: Reading
    shard: Shard
    restart: bool
    strict: bool
    console: Console

    def run(self, prepare: Callable[[], Worker]) -> BulkResult:
        """Do it, or what is left of it.

        Args:
            prepare: loads what summarises, once nothing else can be refused.

        Raises:
            DiasumError: an input or the output is not fit for it, another process is at it, it is another job than the journal tells of,
                no row could be summarised, or the disk is full.
        """
        self._check()
        with Bars(self.console) as bars, contextlib.ExitStack() as closed:
            inputs = Inputs(self.files, self.reading)
            with Output(self.out, to_parquet if self.out.suffix.lower() == ".parquet" else None) as output:
                fingerprints = inputs.fingerprints(lambda done, total: bars("checking the input (MiB)", done, total))
                estimate = self.shard.share(inputs.estimate())
                worker = prepare()
                closed.callback(worker.close)
                self._say(f"note: {note}" for note in worker.notes)
                if self.restart:
                    self._say(f"Discards {found}." for found in output.there())
                before = output.begin(self._header(fingerprints, worker), restart=self.restart)
                self._say(_what_is_done(self.out, before))
                began = time.monotonic()
                if not before.complete:
                    self._summarize(inputs, worker, output, _told_in(bars, before.rows, estimate))
                    self._check_summarized(output)
                output.put_in_place()
        done = output.done
        rejected = output.rejected if done.set_aside else None
        seconds = time.monotonic() - began
        return BulkResult(self.out, done.summaries, done.cut, done.set_aside, rejected, before.rows, seconds)

    def _summarize(self, inputs: Inputs, worker: Worker, output: Output, tell: Tell) -> None:
        done = output.done.rows

        def advance(count: int) -> None:
            nonlocal done
            done += count
            tell(done, output.done.set_aside)

        waiting = Waiting(inputs, self.shard, output.done.row, output.done.portions, self.strict)
        told: set[str] = set()
        renamed: set[str] = set()
        for one in worker.write(waiting, advance):
            output.commit(one.lines, one.rejected, one.row, one.cut)
            self._say(f"read as: {reading}" for reading in one.readings if reading not in told)
            told.update(one.readings)
            renamed.update(one.renamed)
            advance(output.done.rows - done)
        inputs.check_unchanged()
        if waiting.whole:  # else the labels may be in what is not read here
            self._say(
                f"note: no speaker has the label `{label}`, for which an alias is given."
                for label in sorted(self.reading.aliases.keys() - renamed)
            )

    def _check_summarized(self, output: Output) -> None:
        """Raises DiasumError where every row was set aside."""
        if output.done.summaries or not output.done.set_aside:
            return
        output.give_up()
        raise DiasumError(
            f"None of the {counted(output.done.set_aside, 'row')} could be summarised; {output.rejected} says why.",
            hint="Expected conversations, such as lines `Anna: Are you coming?` under the key `dialogue`.",
        )

    def _check(self) -> None:
        if not self.files:
            raise DiasumError("There is nothing to summarise.", hint="Give files, or pipe conversations in.")
        if self.out.suffix.lower() not in FORMATS:
            raise DiasumError(
                f"The output must end in {' or '.join(FORMATS)}; {self.out.name} does not.",
                hint=f"For example {self.out.with_suffix('.jsonl').name}",
            )
        if self.out.is_dir():
            raise DiasumError(f"{self.out} is a folder.", hint="Give the name of the file to write.")
        for file in self.files:
            if isinstance(file, Path) and file.resolve() in (self.out.resolve(), *self.out.resolve().parents):
                raise DiasumError(f"The output {self.out} lies in the input {file}.", hint="Write it elsewhere.")
        check_writable(self.out.parent)

    def _header(self, fingerprints: Sequence[Mapping[str, Any]], worker: Worker) -> dict[str, Any]:
        names, pause = self.reading.names, self.reading.split_pause
        return {
            "diasum": diasum.__version__,
            "shard": str(self.shard),
            "reading": {
                "format": self.reading.format,
                "dialogue_column": names.dialogue,
                "id_column": names.id,
                "group_by": names.group,
                "split_pause": None if pause is None else pause.total_seconds(),
                "aliases": dict(self.reading.aliases),
                "keep_nonspeech": self.reading.keep_nonspeech,
            },
            **worker.identity,
            "inputs": list(fingerprints),
        }

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)


def _told_in(bars: Bars, before: int, estimate: int) -> Tell:
    """What shows rows dealt with of about so many, and how many of them were set aside."""
    bars.resume(SUMMARISING, before, max(before, estimate))

    def tell(done: int, set_aside: int) -> None:
        bars(SUMMARISING, done, max(done, estimate), more=f"{set_aside:,} set aside" if set_aside else "")

    return tell


def _what_is_done(out: Path, done: Done) -> Iterator[str]:
    if done.complete:
        yield f"{out} is complete: nothing is left to do."
    elif done.portions:
        yield f"Goes on after {counted(done.rows, 'conversation')}."
