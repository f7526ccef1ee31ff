"""Dialogues whose summaries were written for this project: what `mini` is taught by.

In: `written/` (everyday conversations) and `summaries/` (dialogues and parts of dialogues of the public corpora), each row with a
summary of one to three sentences and a brief of one; `short_chats.txt`. Out: `Written` dialogues, speakers numbered as `mini` reads
them, and training examples drawn from them.

A part is held out by dialogue (`HELD_OUT`), and what comes near to a dialogue that is held out or measured on elsewhere is left out.
A small model keeps close to the words where it can and invents where it cannot, so examples are drawn the more often the more words of
a summary stand in its dialogue, and half as often where it says he or she of people whose gender the dialogue does not tell.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from diasum.claims.sentences import split_sentences
from diasum.data.speakers import NumberedSpeakers
from diasum.dialogue import parse_dialogue
from pretraining.corpora import make_turn, read_json_lines, shared_words, word_stems

FILES = ("written/conversations.jsonl.gz", "summaries/summaries.jsonl.gz")
SHORT = Path(__file__).with_name("short_chats.txt")
BRIEFLY = "Summarize the following conversation in one short sentence."  # what asks for a brief

HELD_OUT = 25  # one dialogue in so many is held out,
HELD_OUT_SHORT = 8  # of the short chats one in so many
NEAR = 0.4  # share of a dialogue's five-word runs that also stand in another: from here on the two are near-duplicates
# Of a hundred examples: dialogues with their summary or their brief; two short dialogues of one kind, one after the other, with both
# summaries; what begins in the middle of a dialogue; a summary's sentences for turns, as windows are read again, with the brief.
# Where one cannot be had of what was drawn, the whole.
FORMS = {"whole": 64, "brief": 20, "joined": 6, "fragment": 6, "merged": 4}
LEFT = 0.8  # share of a sentence's longer words from its dialogue that a fragment must hold, or it does not tell that sentence
# of the examples, by where the dialogue is from: everyday talk first, which is what people bring
KINDS = {"written": 45, "sgd": 13, "crd3": 12, "star": 8, "mts": 7, "qmsum": 6, "taskmaster4": 5, "short": 4}
LEAST_TURNS = 4  # of which a fragment is made, so that it has at least two of its own
LABEL = re.compile(r"#Person\d+#")
_SPEAKER = re.compile(rf"^{LABEL.pattern}", re.M)
PRONOUN = re.compile(r"(?:He|She|It|They|This|That|His|Her|Their)\b")
GENDER = re.compile(r"\b(?:he|she|his|hers?|him)\b", re.I)


@dataclass(frozen=True, slots=True)
class Written:
    """A dialogue with its summary and brief; `words` counts its words, `weight` says how often it is drawn, against others of its kind."""

    id: str
    kind: str
    body: str
    summary: str
    brief: str
    words: int
    weight: float


def group(row: dict[str, Any]) -> str:
    """What is held out together: a conversation; all parts of one meeting or one session of play."""
    name = str(row["id"])
    return name.rpartition("/")[0] if row.get("source") in ("crd3", "qmsum") else name


def is_held_out(row: dict[str, Any]) -> bool:
    """Decided by a hash, so that it stays so when rows are added."""
    share = HELD_OUT_SHORT if row.get("source") == "short" else HELD_OUT
    return int(hashlib.sha256(group(row).encode()).hexdigest(), 16) % share == 0


def is_in_share(row: dict[str, Any], share: float) -> bool:
    """Whether a row is in the first `share` (0 to 1) of what there is, by a hash: a smaller share is a part of every larger one."""
    digest = hashlib.sha256(f"share/{group(row)}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def prepare(row: dict[str, Any]) -> Written:
    """A row as `mini` reads it: `#Person1#` and so on for the speakers, in turns, summary and brief."""
    numbers = NumberedSpeakers(parse_dialogue(row["dialogue"]))
    turns = tuple(make_turn(t.speaker, t.text) for t in numbers.dialogue.turns if t.text.strip())
    body = "\n".join(f"{t.speaker}: {t.text}" for t in turns)
    summary, brief = numbers.hide(row["summary"]), numbers.hide(row["brief"])
    weight = min(1.0, max(0.3, shared_words(summary, turns) / 0.6))
    if GENDER.search(summary) and not GENDER.search(body):
        weight /= 2
    return Written(row["id"], row.get("source", "written"), body, summary, brief, body.count(" ") + len(turns), weight)


def runs(text: str, length: int = 5) -> set[tuple[str, ...]]:
    """The runs of `length` words in what is said."""
    words = re.findall(r"[a-z0-9']+", re.sub(r"^[^:\n]{1,40}:", "", text, flags=re.M).lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def near_duplicates(texts: Sequence[str], others: Iterable[str]) -> set[int]:
    """The indices of those `texts` of which, or in which, a share of `NEAR` of some other dialogue's five-word runs stands."""
    there: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes = []
    for k, other in enumerate(others):
        found = runs(other)
        sizes.append(len(found))
        for run in found:
            there[run].append(k)
    near = set()
    for i, text in enumerate(texts):
        mine = runs(text)
        counts = Counter(k for run in mine for k in there.get(run, ()))
        if any(n >= NEAR * max(1, min(len(mine), sizes[k])) for k, n in counts.items()):
            near.add(i)
    return near


def measured_on(data_dir: Path) -> list[str]:
    """Dialogues that models are measured on: the sample and everyday conversations, DialogSum."""
    sample = Path(__file__).resolve().parents[1] / "src" / "diasum" / "assets" / "sample"
    folders = (sample, data_dir / "everyday", data_dir / "dialogsum")
    files = [file for folder in folders for file in sorted(folder.glob("*.jsonl"))]
    return [json.loads(line)["dialogue"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def short_chats(path: Path = SHORT) -> list[dict[str, Any]]:
    """Chats of two to five turns: turns line by line, then the summary after "= ", then an empty line. Its only sentence is the brief, too.

    The id is a hash of the dialogue, so that what is held out stays held out when chats are added.
    """
    rows = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        dialogue, _, summary = block.rpartition("\n= ")
        name = "short-" + hashlib.sha256(dialogue.encode()).hexdigest()[:12]
        rows.append({"id": name, "source": "short", "dialogue": dialogue, "summary": summary, "brief": summary})
    return rows


def load(data_dir: Path, *, held_out: bool, share: float = 1.0) -> list[Written]:
    """The dialogues to train on (only a `share` of them, where less than 1), or those held out (always all).

    Raises:
        DiasumError: a file is absent.
    """
    rows = [row for file in FILES for row in read_json_lines(data_dir / file)] + short_chats()
    kept = [row for row in rows if is_held_out(row)]
    if not held_out:
        measured = measured_on(data_dir) + [row["dialogue"] for row in kept]
        rows = [row for row in rows if not is_held_out(row) and is_in_share(row, share)]
        near = near_duplicates([row["dialogue"] for row in rows], measured)
        kept = [row for i, row in enumerate(rows) if i not in near]
    return [prepare(row) for row in kept]


@dataclass(frozen=True, slots=True)
class Asked:
    """One example: the turns, whether a brief is asked for, what is to be written, the task's name."""

    body: str
    brief: bool
    target: str
    task: str


class WrittenSummaries:
    """Draws examples from written summaries.

    Args:
        dialogues: from `load`.
    """

    def __init__(self, dialogues: Sequence[Written]) -> None:
        self.dialogues = sorted(dialogues, key=lambda d: d.words)
        self._words = [d.words for d in self.dialogues]
        totals: dict[str, float] = defaultdict(float)
        for d in self.dialogues:
            totals[d.kind] += d.weight
        self._weights = list(accumulate(d.weight * KINDS[d.kind] / totals[d.kind] for d in self.dialogues))

    def draw(self, rng: random.Random, max_words: int) -> Asked | None:
        """One example whose dialogue has at most `max_words` words; None where there is none."""
        one = self._one(rng, max_words)
        if one is None:
            return None
        family = f"written/{one.kind}"
        form = rng.choices(list(FORMS), list(FORMS.values()))[0]
        if form == "brief":
            return Asked(one.body, True, one.brief, f"{family}-brief")
        if form == "joined" and (other := self._like(rng, one, max_words - one.words)):
            return Asked(f"{one.body}\n{other.body}", False, f"{one.summary} {other.summary}", f"{family}-joined")
        if form == "fragment" and (part := fragment(rng, one)):
            return Asked(part[0], False, part[1], f"{family}-fragment")
        if form == "merged" and len(sentences := split_sentences(one.summary)) > 1:
            return Asked("\n".join(sentences), True, one.brief, f"{family}-merged")
        return Asked(one.body, False, one.summary, family)

    def _one(self, rng: random.Random, max_words: int) -> Written | None:
        end = bisect_right(self._words, max_words)
        if not end:
            return None
        return self.dialogues[bisect_right(self._weights, rng.random() * self._weights[end - 1])]

    def _like(self, rng: random.Random, one: Written, max_words: int) -> Written | None:
        """Another dialogue of the same kind with as many speakers."""
        for _ in range(5):
            other = self._one(rng, max_words)
            if other and other.kind == one.kind and other.id != one.id and speakers(other) == speakers(one):
                return other
        return None


def speakers(dialogue: Written) -> set[str]:
    """The labels of a dialogue."""
    return set(_SPEAKER.findall(dialogue.body))


def fragment(rng: random.Random, dialogue: Written) -> tuple[str, str] | None:
    """What is left of a dialogue without its first turns, and the sentences of its summary that this still tells; None where it tells none.

    Speakers are numbered anew. No sentence begins with a pronoun whose noun is left out.
    """
    turns = dialogue.body.split("\n")
    if len(turns) < LEAST_TURNS:
        return None
    body = "\n".join(turns[rng.randrange(1, len(turns) - 2) :])
    said, whole, people = _stems(body), _stems(dialogue.body), set(LABEL.findall(body))
    told: list[str] = []
    before_is_told = True
    for sentence in split_sentences(dialogue.summary):
        needed = _stems(sentence) & whole
        is_here = (
            bool(needed) and len(needed & said) >= LEFT * len(needed) and people.issuperset(LABEL.findall(sentence))
        )
        before_is_told = is_here and (before_is_told or not PRONOUN.match(sentence))
        if before_is_told:
            told.append(sentence)
    order = dict.fromkeys([*_SPEAKER.findall(body), *LABEL.findall(body)])
    numbers = {label: f"#Person{k}#" for k, label in enumerate(order, 1)}
    target = " ".join(told)
    return (_renumbered(body, numbers), _renumbered(target, numbers)) if told else None


def _stems(text: str) -> set[str]:
    return word_stems(LABEL.sub(" ", text))


def _renumbered(text: str, numbers: Mapping[str, str]) -> str:
    return LABEL.sub(lambda match: numbers[match[0]], text)
