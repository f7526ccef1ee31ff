"""The table of `docs/bulk.md`, from what `benchmarks.bulk` saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diasum.wording import counted, duration, size


def bulk_table(results: Mapping[str, Any]) -> str:
    """Markdown: time and memory of each job, and what came of those that were killed."""
    lines = [
        "| what summarises | conversations | first record after | in all | of a processor | a second of that | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for part, name in (("mini", "`mini`"), ("rows", "a stub that takes no time")):
        for run in _runs(results.get(part, {})):
            cells = [
                *(name, f"{run['rows']:,}", f"{run['seconds_to_first']:.1f} s", duration(run["seconds"])),
                *_of_a_processor(run),
                size(run["peak_memory_bytes"]),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_sentences(results)]) if len(lines) > 2 else "Not measured yet."


def _of_a_processor(run: Mapping[str, Any]) -> tuple[str, str]:
    seconds = run.get("processor_seconds")
    return (duration(seconds), f"{run['rows'] / seconds:,.1f}") if seconds else ("", "")


def _runs(part: Mapping[str, Any]) -> list[Any]:
    return list(part.get("runs", [part] if part else []))


def _sentences(results: Mapping[str, Any]) -> Iterator[str]:
    if mini := results.get("mini"):
        yield (
            f"Made-up dialogues of {mini['words']} words on average. `mini` with its own settings, loading included, engine "
            f"`{mini['engine']}`, one thread; {_conditions(mini)}."
        )
    if rows := results.get("rows"):
        yield f"The stub shows what reading, writing and the journal take; {_conditions(rows)}."
    if kills := results.get("kills"):
        stub, mini = kills["stub"], kills["mini"]
        equal = "were equal, byte for byte," if stub["equal"] and mini["equal"] else "were NOT all equal"
        yield (
            f"Killed at {stub['kills']} random moments (four of five times by SIGKILL, else SIGTERM; seed {kills['seed']}) in "
            f"{counted(stub['jobs'], 'job')} with the stub, and at {mini['kills']} in {counted(mini['jobs'], 'job')} with `mini`, the "
            f"outputs {equal} to those of jobs that nobody killed (`python -m benchmarks.bulk kills`)."
        )


def _conditions(part: Mapping[str, Any]) -> str:
    conditions = part["conditions"]
    return f'class "{conditions["processor"]}", load average {conditions["load_average"]} at the end'
