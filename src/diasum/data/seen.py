"""Which dialogues a run was trained on and its epoch chosen by, so that an evaluation can tell them from new ones.

In: the corpus of a training. Out: a small file in the run directory with a hash of each dialogue's words (no text), and what it says of
the dialogues of an evaluation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from diasum.data.checks.words import normalized
from diasum.data.pairs import Corpus, Pair
from diasum.errors import DiasumError
from diasum.files import write_json


@dataclass(frozen=True, slots=True)
class Seen:
    """Hashes of dialogues.

    Attributes:
        train: of those trained on.
        validation: of those that chose the best adapter.
    """

    train: frozenset[str]
    validation: frozenset[str]

    @staticmethod
    def of(corpus: Corpus) -> Seen:
        """Those of a training's corpus."""
        return Seen(*(frozenset(map(fingerprint, corpus.split(name))) for name in ("train", "validation")))

    @staticmethod
    def read(file: Path) -> Seen | None:
        """What `write` wrote; None where there is no such file.

        Raises:
            DiasumError: the file is damaged.
        """
        try:
            recorded = json.loads(file.read_text(encoding="utf-8"))
            return Seen(frozenset(recorded["train"]), frozenset(recorded["validation"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DiasumError(
                f"{file} is damaged: {error}",
                hint="Without that file, dialogues trained on cannot be told from new ones.",
            ) from None

    def write(self, file: Path) -> None:
        """Keep them; raises as `write_json`."""
        write_json(file, {"train": sorted(self.train), "validation": sorted(self.validation)})

    def trained_on(self, pair: Pair) -> bool:
        """Whether the pair's dialogue, by its words, was trained on."""
        return fingerprint(pair) in self.train

    def notes(self, pairs: Iterable[Pair]) -> list[str]:
        """What a reader of scores on these pairs must know."""
        hashes = [fingerprint(pair) for pair in pairs]
        trained = sum(one in self.train for one in hashes)
        chosen = sum(one in self.validation and one not in self.train for one in hashes)
        notes = []
        if trained:
            notes.append(
                f"Warning: {trained} of these {len(hashes)} dialogues were trained on; scores on them say nothing about new ones. "
                "data.on_overlap=drop leaves dialogues of other splits out of training."
            )
        if chosen:
            notes.append(
                f"{chosen} of these {len(hashes)} dialogues were used to choose the best adapter during training, "
                "which favours it a little."
            )
        return notes


def fingerprint(pair: Pair) -> str:
    """A hash of a dialogue's words, ignoring case, punctuation and spaces."""
    return hashlib.blake2b(normalized(pair).encode(), digest_size=8).hexdigest()
