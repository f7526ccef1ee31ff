"""Readers of the public corpora in ``DIASUM_DATA`` (default ``../shared/data``), for the benchmarks that need dialogues with their ids."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

from diasum.data import Pair
from diasum.dialogue import Dialogue, Turn, parse_dialogue

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DIASUM_DATA", ROOT.parent / "shared" / "data"))


def dialogsum(split: str) -> Iterator[Pair]:
    with (DATA / "dialogsum" / f"dialogsum.{split}.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            references = tuple(row[key] for key in ("summary", "summary1", "summary2", "summary3") if key in row)
            yield Pair(row["fname"], parse_dialogue(row["dialogue"]), references)


def mts_dialog(split: str) -> Iterator[Pair]:
    with (DATA / "mts_dialog" / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Pair(row["ID"], parse_dialogue(row["dialogue"]), (row["section_text"],))


def qmsum(split: str) -> Iterator[Pair]:
    """A span of a meeting with the answer to a query about it; the id: the meeting's and the query's position, counted from 0."""
    with gzip.open(DATA / "qmsum" / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for m, meeting in enumerate(map(json.loads, lines)):
            turns = [Turn(turn["speaker"], turn["content"]) for turn in meeting["meeting_transcripts"]]
            for q, query in enumerate(meeting["specific_query_list"]):
                spans = [turns[int(a) : int(b) + 1] for a, b in query["relevant_text_span"]]
                yield Pair(f"{m}-{q}", Dialogue(tuple(turn for span in spans for turn in span)), (query["answer"],))
