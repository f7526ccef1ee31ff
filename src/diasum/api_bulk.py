"""Bulk jobs as Python functions, as `diasum.api` has the other commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from diasum.calls import checked_call
from diasum.config import Settings
from diasum.errors import DiasumError, check_keywords
from diasum.resolve import SUMMARIZE, Given

if TYPE_CHECKING:
    from rich.console import Console

    from diasum.bulk import BulkResult

File = str | Path | IO[bytes]
_NAMES = ("dialogue_column", "id_column", "group_by")
_READING = ("format", *_NAMES, "split_pause", "aliases", "keep_nonspeech")


@checked_call(SUMMARIZE.uses)
def summarize_files(
    files: File | Sequence[File],
    out: str | Path,
    run: str | Path = "mini",
    *,
    settings: Given = (),
    base: str | None = None,
    shard: str | None = None,
    restart: bool = False,
    strict: bool = False,
    ray: int | None = None,
    console: Console | None = None,
    **reading: Any,
) -> BulkResult:
    """Summarise files of any number of conversations into one file, in the order of the input (docs/bulk.md).

    Interrupted in whatever way, the same call goes on where it was. Rows that cannot be summarised are set aside in
    ``OUT.rejected.jsonl``, with reasons.

    Args:
        files: files and folders of any format that is read, or a binary stream.
        out: the file to write, ``.jsonl`` or ``.parquet``.
        run: a run directory, adapter or model folder, hub id, or ``mini``.
        settings: as `load`.
        base: where the adapter's base is, if it has moved.
        shard: ``"2/8"`` for the second of eight parts of the rows, for as many machines.
        restart: begin anew, whatever is there.
        strict: end at the first row that cannot be summarised.
        ray: summarise by so many engines on Ray Data (extra `ray`), on the cluster that RAY_ADDRESS names or on this machine.
        console: where progress and notes are shown.
        reading: `format`, `split_pause`, `aliases` and `keep_nonspeech` as `iter_dialogues`; `dialogue_column`, `id_column` and
            `group_by`, columns of tables.

    Raises:
        DiasumError: as `load`; a file cannot be read; the output exists, is being written, or was begun with other input, settings or
            weights; or no row could be summarised.
    """
    check_keywords(
        "summarize_files",
        reading,
        ["files", "out", "run", "settings", "base", "shard", "restart", "strict", "ray", "console", *_READING],
    )
    from rich.console import Console

    from diasum.bulk.engine import engine_worker
    from diasum.bulk.inputs import Shard
    from diasum.bulk.job import Job
    from diasum.dialogue.formats.source import Names
    from diasum.dialogue.read import reading_of

    given = list(files) if isinstance(files, Sequence) and not isinstance(files, str) else [files]
    names = Names(*(reading.pop(name, None) for name in _NAMES))
    job = Job(
        files=[Path(one) if isinstance(one, str) else one for one in given],  # type: ignore[misc]
        out=Path(out),
        reading=reading_of(reading.pop("format", None), names, **reading),
        shard=Shard.parse(shard),
        restart=restart,
        strict=strict,
        console=console or Console(quiet=True),
    )
    if ray is None:
        return job.run(lambda: engine_worker(run, base=base, settings=settings))
    if ray < 1 or not all(isinstance(one, Path) for one in job.files):
        raise DiasumError(
            "On Ray, at least one engine summarises what is in files.",
            hint="For example --ray 4; save what you pipe in.",
        )
    from diasum.bulk.ray import ray_worker

    kept = settings if isinstance(settings, Settings | Mapping | str) else list(settings)  # for several processes
    return job.run(lambda: ray_worker(run, base=base, settings=kept, engines=ray))
