"""What summarises in a bulk job: a run or model, loaded as everywhere else, and what its summaries depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from diasum.bulk.job import Advance, Worker
from diasum.bulk.portions import Portion, Waiting, Written, written
from diasum.data.summary import Summary
from diasum.dialogue import Dialogue
from diasum.resolve import Given
from diasum.summarization import load
from diasum.summarization.trained import Trained


def engine_worker(run: str | Path, *, base: str | None, settings: Given) -> Worker:
    """Load what summarises in this process; arguments and errors as `diasum.summarization.load`."""
    trained = load(run, base=base, settings=settings).trained

    def write(waiting: Waiting, advance: Advance) -> Iterator[Written]:
        return (written_by(trained, portion, advance) for portion in waiting)

    return Worker(identity(trained), write, trained.notes)


def written_by(trained: Trained, portion: Portion, advance: Advance | None = None) -> Written:
    """Summarise a portion; sampling begins anew with each, so that it does not matter what was summarised before by this process."""

    def summarize(dialogues: Sequence[Dialogue]) -> Sequence[Summary]:
        return trained.summarize(dialogues, progress=advance)

    if trained.generate.do_sample:
        import torch

        torch.manual_seed(portion.rows[0].number)
    return written(portion, summarize)


def identity(trained: Trained) -> dict[str, Any]:
    """What summaries depend on: the weights by their hashes, and every setting as it is used."""
    dtype, _ = trained.computes_in(trained.generate)
    engine = trained.engine(trained.generate).engine.name
    used = trained.generate.model_copy(update={"dtype": dtype, "engine": engine})
    return {
        "model": trained.weights().to_json(),
        "generate": used.model_dump(mode="json"),
        **({"judge": trained.judge.weights} if trained.judge else {}),
        "prompt": trained.encoder.settings.model_dump(mode="json"),
        "about": {"run": trained.source, "base": trained.base.id},
    }
