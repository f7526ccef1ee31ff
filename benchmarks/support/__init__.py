"""Test sets for what a dialogue supports: sentences that it does and does not support, and the turns that sentences rest on.

`sentences` gives those of ``sentences.jsonl``, `evidence` those of ``evidence.jsonl``, each with its dialogue; README.md beside them says
how they were written. Dialogues of corpora that may not be committed are read from ``DIASUM_DATA`` (`benchmarks.corpora`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpora import DATA, dialogsum, mts_dialog, qmsum
from diasum.config import DataSettings
from diasum.data import Pair, load_corpus
from diasum.dialogue import Dialogue

HERE = Path(__file__).resolve().parent
UNSUPPORTED = ("invented", "reversed", "boilerplate", "relation", "negation", "number")
BUNDLED = "sample"
FOLDERS = ("dialogsum", "mts_dialog", "qmsum")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about a dialogue, with what a reader of the dialogue says of it.

    Attributes:
        id: unique in the set.
        corpus: ``sample`` or a folder of ``DIASUM_DATA``; its test split is meant.
        dialogue_id: the dialogue's id in that split; for ``qmsum`` as `benchmarks.corpora.qmsum` counts.
        dialogue: the dialogue itself.
        text: the sentence.
        supported: whether the dialogue says so.
        kind: one of `UNSUPPORTED`, or ``supported``.
        turns: ids of the turns that a supported sentence rests on; empty for the others.
    """

    id: str
    corpus: str
    dialogue_id: str
    dialogue: Dialogue
    text: str
    supported: bool
    kind: str
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MarkedReference:
    """The first reference of a bundled sample conversation, sentence by sentence.

    Attributes:
        id: the conversation's.
        dialogue: the conversation.
        sentences: they are the reference when joined by blanks.
        turns: for each sentence, the ids of the turns that it rests on; empty where it says that nothing is open, which no turn says.
    """

    id: str
    dialogue: Dialogue
    sentences: tuple[str, ...]
    turns: tuple[tuple[int, ...], ...]


def corpora() -> tuple[str, ...]:
    """The corpora of the set whose dialogues can be read here: the bundled one and those that are in ``DIASUM_DATA``."""
    return (BUNDLED, *(folder for folder in FOLDERS if (DATA / folder).is_dir()))


def sentences(names: Iterable[str]) -> list[Sentence]:
    """The sentences about dialogues of the corpora named, in the order of the file.

    Raises:
        KeyError: a dialogue is not in its corpus.
        FileNotFoundError: a corpus is not in ``DIASUM_DATA``.
    """
    dialogues = {name: {pair.id: pair.dialogue for pair in READERS[name]()} for name in dict.fromkeys(names)}
    return [_sentence(row, dialogues[row["corpus"]]) for row in _rows("sentences") if row["corpus"] in dialogues]


def evidence() -> list[MarkedReference]:
    """The marked references, in the order of the file."""
    dialogues = {pair.id: pair.dialogue for pair in sample()}
    return [
        MarkedReference(
            row["id"],
            dialogues[row["id"]],
            tuple(one["text"] for one in row["sentences"]),
            tuple(tuple(one["turns"]) for one in row["sentences"]),
        )
        for row in _rows("evidence")
    ]


def sample() -> Iterator[Pair]:
    """The test split of the bundled sample conversations."""
    settings = DataSettings(path=BUNDLED)
    yield from load_corpus(settings, purpose="evaluate", split="test").splits["test"]


READERS: dict[str, Callable[[], Iterator[Pair]]] = {
    BUNDLED: sample,
    "dialogsum": lambda: dialogsum("test"),
    "mts_dialog": lambda: mts_dialog("test"),
    "qmsum": lambda: qmsum("test"),
}


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (HERE / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _sentence(row: dict[str, Any], dialogues: dict[str, Dialogue]) -> Sentence:
    return Sentence(
        row["id"],
        row["corpus"],
        row["dialogue"],
        dialogues[row["dialogue"]],
        row["sentence"],
        row["label"] == "supported",
        row["kind"],
        tuple(row.get("turns", ())),
    )
