"""A bulk job on Ray Data (https://docs.ray.io/en/latest/data/data.html): engines in processes of their own, here or on other machines.

One task on this machine reads the files into portions, as a job without Ray does; they flow to the engines, which Ray starts again, with
their portion, where one is killed; and what is written of them comes back in order to this process, which alone writes the output and
its journal. So the output is the same, and a job can be begun with Ray and go on without it. A row of the data set is a portion.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from diasum.bulk.engine import identity, written_by
from diasum.bulk.job import Advance, Worker
from diasum.bulk.portions import Waiting, Written
from diasum.errors import DiasumError, MissingExtraError
from diasum.resolve import Given
from diasum.summarization import load


def ray_worker(run: str | Path, *, base: str | None, settings: Given, engines: int) -> Worker:
    """Engines on Ray: on the cluster that `RAY_ADDRESS` names or this process is connected to, else on this machine.

    Args:
        run, base, settings: as `diasum.summarization.load`; what they name must be there for every engine.
        engines: how many, each on one core.

    Raises:
        MissingExtraError: Ray is not installed.
        DiasumError: as `diasum.summarization.load`, or there are fewer cores than engines.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it tells of what it mends
    try:
        import ray.data
    except ImportError:
        raise MissingExtraError("A bulk job on Ray", "ray") from None
    close = _connect()
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < engines:
            raise DiasumError(
                f"{engines} engines need as many cores, and Ray has {cores}.",
                hint="Ask for fewer, or connect to a larger cluster (RAY_ADDRESS).",
            )
        loading = {"source": str(run), "base": base, "settings": settings}
        with _own_errors():
            known, notes = ray.get(ray.remote(_known).remote(loading))
    except BaseException:
        close()
        raise
    return Worker(known, partial(_write, loading, engines), notes, close)


class Engine:
    """Summarises one portion after the other, in a process of its own."""

    def __init__(self, loading: dict[str, Any]) -> None:
        self.trained = load(**loading).trained

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        written = written_by(self.trained, pickle.loads(row["portion"]))  # pickled by `_reading`, for this process
        return {"written": json.dumps(asdict(written))}


def _known(loading: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What summaries depend on, and notes for the user; in a process of Ray's."""
    trained = load(**loading).trained
    return identity(trained), trained.notes


def _write(loading: dict[str, Any], engines: int, waiting: Waiting, advance: Advance) -> Iterator[Written]:
    from ray.data import ActorPoolStrategy, DataContext, read_datasource

    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # a portion goes on its way as soon as it is read
    context.raise_original_map_exception = True
    context.enable_progress_bars = context.print_on_execution_start = False
    with DataContext.current(context), _own_errors():
        # Of other means than the engines, or Ray would let one of them read and summarise all by itself.
        portions = read_datasource(_reading(waiting), override_num_blocks=1, num_cpus=0)
        compute = ActorPoolStrategy(size=engines)
        for row in portions.map(Engine, fn_constructor_args=[loading], compute=compute, num_cpus=1).iter_rows():
            yield Written(**json.loads(row["written"]))


def _reading(waiting: Waiting) -> Any:
    """The portions as a `ray.data.Datasource`, read by one task on this machine, where the files are."""
    import pyarrow as pa
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    def read() -> Iterator[Any]:
        for portion in waiting:
            yield pa.table({"portion": pa.array([pickle.dumps(portion)], pa.large_binary())})

    class Portions(Datasource):
        supports_distributed_reads = False

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
            return [ReadTask(read, BlockMetadata(None, None, None, None))]

    return Portions()


def _connect() -> Callable[[], None]:
    """Connect to Ray, or start it here, where it talks to nobody outside; what to call at the end."""
    import ray

    if ray.is_initialized():
        return lambda: None
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if "RAY_ADDRESS" not in os.environ:
        quiet |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    before = signal.getsignal(signal.SIGTERM)
    closed = contextlib.ExitStack()
    closed.enter_context(contextlib.redirect_stdout(sys.stderr))  # where Ray prints that it mends something
    closed.callback(ray.shutdown)
    with _silent():
        ray.init(**quiet)
    with contextlib.suppress(ValueError):  # another thread than the main one has no say
        signal.signal(signal.SIGTERM, before)  # Ray puts its own in place
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return closed.close


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Within it, standard error goes nowhere: Ray's own code writes there what it was told by the environment. Errors are raised."""
    nowhere, kept = os.open(os.devnull, os.O_WRONLY), os.dup(2)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    """A `DiasumError` of a process of Ray's is raised as it is."""
    from ray.exceptions import RayError

    try:
        yield
    except RayError as error:
        cause: Any = error
        while cause is not None and not isinstance(cause, DiasumError):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is None:
            raise
        raise DiasumError(cause.message, hint=cause.hint) from None
