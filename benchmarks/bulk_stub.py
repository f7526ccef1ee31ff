"""A bulk job with something in the place of the model that takes no time, to measure and to kill: its own reading, writing and journal.

    python -m benchmarks.bulk_stub FILE [FILE ...] --out OUT [--pause SECONDS]

Prints when the first record was on the disk, how long all took and the peak of memory, as JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from diasum.bulk.inputs import Shard
from diasum.bulk.job import Advance, Job, Worker
from diasum.bulk.portions import Waiting, Written, written
from diasum.data.summary import Sentence, Summary
from diasum.dialogue import Dialogue
from diasum.dialogue.read import Reading


def summarize(dialogues: Sequence[Dialogue]) -> list[Summary]:
    """The first turn of each; nothing of it is looked at."""
    texts = [one.turns[0].text for one in dialogues]
    return [
        Summary(text=text, sentences=(Sentence(text, 0, len(text)),), finish_reason="stop", engine="stub")
        for text in texts
    ]


def stub_worker(pause: float = 0.0, **identity: object) -> Worker:
    """What stands in the place of an engine.

    Args:
        pause: seconds for each portion.
        identity: what its summaries depend on.
    """

    def write(waiting: Waiting, advance: Advance) -> Iterator[Written]:
        for portion in waiting:
            time.sleep(pause)
            yield written(portion, summarize)

    return Worker({"generate": identity}, write)


def job(files: Sequence[Path], out: Path, console: Console | None = None, **options: object) -> Job:
    """A job with the usual settings but for `options`."""
    usual = {"reading": Reading(), "shard": Shard(), "restart": False, "strict": False}
    return Job(files, out, console=console or Console(quiet=True), **{**usual, **options})  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds for each portion")
    given = parser.parse_args()
    worker = stub_worker(given.pause)
    began = time.monotonic()
    first: list[float] = []

    def write(waiting: Waiting, advance: Advance) -> Iterator[Written]:
        for one in worker.write(waiting, advance):
            yield one
            if not first:
                first.append(time.monotonic() - began)

    result = job(given.files, given.out).run(lambda: Worker(worker.identity, write))
    figures = {
        "rows": result.summaries + result.set_aside,
        "seconds_to_first": first[0] if first else None,
        "seconds": time.monotonic() - began,
        "processor_seconds": time.process_time(),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
