"""The table of `docs/redaction.md`, from what `benchmarks.redaction` saved."""

from __future__ import annotations

from typing import Any


def redaction_table(results: dict[str, Any]) -> str:
    """Markdown: recall and precision by kind, then what came back and what others' labels say."""
    lines = ["| kind | labels | recall | detections | precision |", "|---|---|---|---|---|"]
    for kind, row in results["found"].items():
        lines.append(
            f"| {kind} | {row['labels']} | {row['recall']:.1%} | {row['detections']} | {row['precision']:.1%} |"
        )
    labelled = results["labelled"]
    notes = [f"`tests/redaction/labelled.jsonl`, {labelled['items']} items (SHA-256 {labelled['sha256'][:12]})."]
    for base, row in results["returned"].items():
        values = row["values_whole_in_summaries"]
        notes.append(
            f"Coming back, `{base}`, {row['conversations']} conversations (`benchmarks/redaction.txt`): {row['restored']} of "
            f"{row['placeholders']} placeholders in its summaries became exactly the value that they stand for; of {values['values']} "
            f"values said, {values['with_redaction']} stand whole in a summary, without redaction {values['without_redaction']}."
        )
    if slots := results["slots"]:
        telephone, address, other = slots["telephone"], slots["address"], slots["other"]
        notes.append(
            f"Labels of others, Schema-Guided Dialogue (test): {telephone['found']} of {telephone['labels']} telephone numbers found, "
            f"{telephone['right']} of {telephone['detections']} detections right; {address['found']} of {address['labels']} addresses "
            f"found whole; {other.get('detections', 0)} detections of other kinds but names, of which it has none."
        )
    return "\n".join([*lines, "", *notes])


def independent_table(results: dict[str, Any], first: dict[str, Any]) -> str:
    """Markdown: recall with its interval and precision by kind on the second set, the first time and now."""
    lines = [
        "| kind | labels | recall, first run (95%) | precision, first run | recall now (95%) | precision now |",
        "|---|---|---|---|---|---|",
    ]
    now = results["independent"]
    for kind, row in first["found"].items():
        after = now["found"][kind]
        lines.append(f"| {kind} | {row['labels']} | {_shares(row)} | {_shares(after)} |")
    note = (
        f"`tests/redaction/independent.jsonl`, {now['items']} items (SHA-256 {now['sha256'][:12]}); the interval is Wilson's. "
        f"First run: rules as of commit {first['commit']}, {first['date']}."
    )
    return "\n".join([*lines, "", note])


def _shares(row: dict[str, Any]) -> str:
    low, high = row["recall_interval"]
    return f"{row['recall']:.1%} ({low:.1%} to {high:.1%}) | {row['precision']:.1%} ({row['right']} of {row['detections']})"
