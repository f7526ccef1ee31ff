"""How much of what is private is found, and how many placeholders in summaries come back.

    python -m benchmarks.redaction

Finding: on `tests/redaction/labelled.jsonl`, which was written and frozen before there was a rule; its README says how is counted. Coming
back: `benchmarks/redaction.txt`, conversations in which such values are what is talked of, summarised by a base that reads
placeholders. And, where it is there (``DIASUM_DATA``), on the test split of Schema-Guided Dialogue, whose slots name telephones and
addresses. Saves ``benchmarks/results/redaction.json``.

Finding on a second set, too: `tests/redaction/independent.jsonl`, by someone who had not seen the rules. What it said the first time
stays in ``redaction-first-run.json``; ``--only-finding`` measures both sets and leaves all else as it was saved.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import DATA
from benchmarks.machine import RESULTS
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.evaluation.statistics.bootstrap import interval, share_interval
from diasum.files import write_json
from diasum.redaction.detect import detect
from diasum.redaction.placeholders import WORDS, Form
from diasum.redaction.speakers import Speakers
from diasum.summarization import load
from diasum.versions import versions

HERE = Path(__file__).parent
LABELLED = HERE.parent / "tests" / "redaction" / "labelled.jsonl"
INDEPENDENT = LABELLED.with_name("independent.jsonl")
CONVERSATIONS = HERE / "redaction.txt"
SLOTS = DATA / "sgd" / "test.jsonl.gz"
# What measurements count together: other people's names and speakers' are one kind to whoever reads.
SCORED_AS = {"speaker": "name"}


class Found:
    """Labels found and detections right, by kind."""

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        self.labels_found: Counter[str] = Counter()
        self.detections: Counter[str] = Counter()
        self.detections_right: Counter[str] = Counter()
        self.wrong: list[str] = []

    def add(self, row: dict[str, Any]) -> None:
        """Detect in one row of the labelled file."""
        texts = [turn["text"] for turn in row["turns"]]
        speakers = Speakers(dict.fromkeys(turn["speaker"] for turn in row["turns"]))
        for number, (text, spans) in enumerate(zip(texts, detect(texts, speakers, names=True), strict=True)):
            labels = [
                (SCORED_AS.get(one["kind"], one["kind"]), one["start"], one["end"])
                for one in row["spans"]
                if one["turn"] == number
            ]
            found = [(SCORED_AS.get(one.kind, one.kind), one.start, one.end) for one in spans]
            for kind, start, end in labels:
                self.labels[kind] += 1
                self.labels_found[kind] += self._within(text, (kind, start, end), found, row["id"], "missed")
            for kind, start, end in found:
                self.detections[kind] += 1
                self.detections_right[kind] += self._within(text, (kind, start, end), labels, row["id"], "no")

    def _within(
        self, text: str, one: tuple[str, int, int], others: list[tuple[str, int, int]], identifier: str, problem: str
    ) -> bool:
        """Whether all letters and digits of a stretch lie in others of its kind."""
        kind, start, end = one
        covered = {i for other, a, b in others if other == kind for i in range(a, b)}
        if all(i in covered for i in range(start, end) if text[i].isalnum()):
            return True
        self.wrong.append(f"{identifier}: {problem} {kind}: {text[start:end]}")
        return False

    def record(self) -> dict[str, dict[str, Any]]:
        """Counts, recall and precision by kind."""
        return {
            kind: {
                "labels": self.labels[kind],
                "found": self.labels_found[kind],
                "recall": round(self.labels_found[kind] / self.labels[kind], 4),
                "recall_interval": _bounds(self.labels_found[kind], self.labels[kind]),
                "detections": self.detections[kind],
                "right": self.detections_right[kind],
                "precision": round(self.detections_right[kind] / max(self.detections[kind], 1), 4),
            }
            for kind in WORDS
            if self.labels[kind]
        }


def measure_finding(rows: Iterable[dict[str, Any]]) -> Found:
    """All rows of the labelled file."""
    found = Found()
    for row in rows:
        found.add(row)
    return found


def _bounds(count: int, of: int) -> list[float]:
    """Wilson's 95% interval of a share."""
    band = share_interval(np.repeat([1.0, 0.0], [count, of - count]))
    return [round(band.low, 4), round(band.high, 4)]


def labelled(file: Path = LABELLED) -> list[dict[str, Any]]:
    """The rows of a labelled file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _of_file(file: Path) -> dict[str, Any]:
    return {"items": len(labelled(file)), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def measure_slots(file: Path) -> dict[str, dict[str, int]]:
    """Telephone numbers and addresses that others labelled: slots of the Schema-Guided Dialogue corpus, where they are said with a digit.

    Precision is that of telephones only, since places to go to are addresses under many names of slots; of all other kinds but names,
    which the corpus does not label either, the count of detections tells: it has none of them.
    """
    counts: dict[str, Counter[str]] = {"telephone": Counter(), "address": Counter(), "other": Counter()}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            turns = row["turns"]
            for turn, spans in zip(turns, detect([t["text"] for t in turns], Speakers(()), names=False), strict=True):
                detected: dict[str, list[str]] = {}
                for span in spans:
                    detected.setdefault(span.kind, []).append(turn["text"][span.start : span.end])
                slots = _slots(turn)
                for kind, values in slots.items():
                    counts[kind]["labels"] += len(values)
                    counts[kind]["found"] += sum(any(v in one for one in detected.get(kind, ())) for v in values)
                numbers = detected.get("telephone", [])
                counts["telephone"]["detections"] += len(numbers)
                counts["telephone"]["right"] += sum(any(one in v for v in slots["telephone"]) for one in numbers)
                counts["other"]["detections"] += sum(
                    len(texts) for kind, texts in detected.items() if kind not in slots
                )
    return {kind: dict(of_kind) for kind, of_kind in counts.items()}


def _slots(turn: dict[str, Any]) -> dict[str, set[str]]:
    """Values of a turn's slots for telephones and addresses that it says."""
    values: dict[str, set[str]] = {"telephone": set(), "address": set()}
    for act in turn.get("acts", []):
        slot = act.get("slot") or ""
        kind = "telephone" if "phone" in slot else "address" if "address" in slot else None
        if kind:
            values[kind] |= {v for v in act["values"] if v in turn["text"] and re.search(r"\d", v)}
    return values


def conversations() -> list[Dialogue]:
    """Those of `redaction.txt`, which blank lines divide."""
    text = CONVERSATIONS.read_text(encoding="utf-8")
    return [parse_dialogue(part) for part in text.split("\n\n") if part.strip()]


def written_placeholders(form: Form, summary: str) -> list[str]:
    """Whatever in a summary is a placeholder or was meant for one, but speakers' numbers: one of its words with a number or a sign."""
    kinds = "|".join(word for kind, word in WORDS.items() if kind != "speaker")
    before = re.escape(form.before)
    meant = re.compile(
        rf"(?:{before}\s?)?\b(?:{kinds})s?\s?_?\d+[\w{re.escape(form.after)}]*|{before}(?:{kinds})\b", re.I
    )
    return [match[0] for match in meant.finditer(summary)]


def measure_return(source: str) -> dict[str, Any]:
    """Of the placeholders that a base writes into its summaries, how many become the value that they stand for and nothing else."""
    trained = load(source, settings={"prompt.redact": "names"}).trained
    encoder = trained.encoder
    dialogues = conversations()
    raw: list[str] = []
    finish = encoder.finish

    def keep(dialogue: Dialogue, summary: str) -> str:
        raw.append(summary)
        return finish(dialogue, summary)

    encoder.finish = keep  # type: ignore[method-assign]
    summaries = trained.summarize(dialogues)
    plain = load(source).trained.summarize(dialogues)
    shares, failed, with_any = [], [], 0
    whole: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for dialogue, text, with_values, other in zip(dialogues, raw, summaries, plain, strict=True):
        redacted = encoder.redacted(dialogue)
        assert redacted is not None
        hidden.update(redacted.counts)
        vault = redacted.vault
        for kind, value in vault.items():
            if kind != "speaker":
                whole["values"] += 1
                whole["with_redaction"] += value in with_values.text
                whole["without_redaction"] += value in other.text
        written = written_placeholders(vault.form, text)
        back = [vault.restore(one) in vault.values.values() for one in written]
        failed += [one for one, exact in zip(written, back, strict=True) if not exact]
        kinds.update(re.sub(r"[\W\d_]", "", one).lower() for one in written)
        with_any += bool(written)
        shares.append((sum(back), len(back)))
    restored = sum(exact for exact, _ in shares)
    total = sum(count for _, count in shares)
    per_dialogue = np.array([exact / count for exact, count in shares if count])
    bounds = interval(per_dialogue, resamples=2000, seed=0)
    return {
        "conversations": len(dialogues),
        "hidden": dict(hidden),
        "summaries_with_placeholders": with_any,
        "placeholders": total,
        "by_word": dict(kinds),
        "values_whole_in_summaries": dict(whole),
        "restored": restored,
        "share": round(restored / max(total, 1), 4),
        "share_by_summary": {"mean": round(bounds.mean, 4), "low": round(bounds.low, 4), "high": round(bounds.high, 4)},
        "not_restored": failed,
        "first": [{"written": text, "shown": one.text} for text, one in zip(raw, summaries, strict=True)][:3],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="mini")
    parser.add_argument("--only-finding", action="store_true", help="keep what was saved of all else")
    arguments = parser.parse_args()
    finding = measure_finding(labelled())
    independent = measure_finding(labelled(INDEPENDENT))
    for line in (*finding.wrong, *independent.wrong):
        print(line)
    saved = RESULTS / "redaction.json"
    rest: dict[str, Any]
    if arguments.only_finding:
        rest = json.loads(saved.read_text(encoding="utf-8"))
    else:
        rest = {
            "returned": {arguments.base: measure_return(arguments.base)},
            "slots": measure_slots(SLOTS) if SLOTS.is_file() else None,
            "versions": versions(),
        }
    write_json(
        saved,
        {
            **rest,
            "labelled": _of_file(LABELLED),
            "found": finding.record(),
            "independent": _of_file(INDEPENDENT) | {"found": independent.record(), "wrong": independent.wrong},
        },
    )
    print(saved.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
