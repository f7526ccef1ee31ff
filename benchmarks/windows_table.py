"""The tables of `docs/long-conversations.md`, from what `benchmarks.windows` saved."""

from __future__ import annotations

from typing import Any

_DATA = {"joins": "everyday conversations joined", "dialogsum": "DialogSum joined", "meetings": "QMSum, whole meetings"}
_METRICS = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeLsum": "ROUGE-Lsum"}


def windows_table(results: dict[str, Any]) -> str:
    """Markdown: windows and cutting on the same dialogues, and the paired difference."""
    if "scores" not in results:
        return "Not measured yet."
    lines = [
        f"| data | | {' | '.join(_METRICS.values())} | words | passes | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for name, row in results["scores"].items():
        for system, scores in row["systems"].items():
            cells = [_band(scores[metric]) for metric in _METRICS]
            cells += [
                f"{scores['summary_words']:.0f}",
                f"{scores['passes']:.1f}",
                f"{scores['processor_seconds']:.1f}",
            ]
            lines.append(f"| {_DATA[name]} | {system} | {' | '.join(cells)} |")
        cells = [_band(row["differences"][metric], "+.1f") for metric in _METRICS]
        lines.append(f"| | **windows minus cut** | {' | '.join(cells)} | | | |")
        notes.append(
            f"{_DATA[name]}: n={row['n']}, {row['words']:,.0f} words on average, references {row['reference_words']:.0f}, protocol "
            f"`{row['protocol']['name']}`."
        )
    base, hardware = results["base"], results["hardware"]
    notes.append(
        f"`{base['id']}` without an adapter (SHA-256 {base['sha256'][:12]}), num_beams={results['beams']}; 95% bootstrap intervals, paired "
        f"for the differences; words of a summary, passes and seconds of processor time for a conversation, {hardware['processor']}, "
        f"threads: {hardware['threads']}."
    )
    return "\n".join([*lines, "", *notes])


def memory_by_length(results: dict[str, Any]) -> str:
    """Markdown: peak memory by words of a conversation."""
    if "memory" not in results:
        return "Not measured yet."
    lines = ["| words | windows | passes | peak memory of the process |", "|---|---|---|---|"]
    for row in results["memory"]:
        lines.append(f"| {row['words']:,} | {row['windows']} | {row['passes']} | {row['peak_bytes'] / 1e6:,.0f} MB |")
    return "\n".join(lines)


def _band(score: dict[str, Any], form: str = ".1f") -> str:
    return f"{score['mean']:{form}} ({score['low']:{form}} to {score['high']:{form}})"
