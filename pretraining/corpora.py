"""Read the corpora that may train the bundled base model, and nothing else.

In: the folder of public corpora (its README names licences). Out: `Talk` objects, one a dialogue, with dialogue acts
or written summaries where the corpus has them. The list of files below is the whole list of what pretraining may see;
the last `HELD_OUT_SHARE` of each corpus (SGD: its own dev split) is kept for validation.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diasum.errors import DiasumError

HELD_OUT_SHARE = 0.03
LEAST_SHARED = (
    0.6  # CRD3's alignment is automatic: a recap that shares fewer of its words with its turns tells of other turns
)
FILES = {
    "sgd": "sgd/train.jsonl.gz",
    "sgd_dev": "sgd/dev.jsonl.gz",
    "crd3": "crd3/crd3.jsonl.gz",
    "mts": "mts_dialog/train.csv",
    "qmsum": "qmsum/train.jsonl.gz",
    "qmsum_val": "qmsum/val.jsonl.gz",
    "taskmaster4": "taskmaster4/taskmaster4.jsonl.gz",
    "star": "star/star.jsonl.gz",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One dialogue act of a turn, as annotated in SGD: `REQUEST city`, `INFORM city [San Jose]`."""

    service: str
    act: str
    slot: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance; `words` is its length in words, its label included."""

    speaker: str
    text: str
    words: int
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """A dialogue: where it comes from, its turns, and what is known of it (written summary, query, domains)."""

    source: str
    id: str
    turns: tuple[Turn, ...]
    summary: str = ""
    query: str = ""
    topics: tuple[str, ...] = ()
    happy: bool = True
    complete: bool = True


def clean(text: str) -> str:
    """Collapse white space: a turn is one line."""
    return " ".join(text.split())


def make_turn(speaker: str, text: str, acts: tuple[Act, ...] = ()) -> Turn:
    text = clean(text)
    return Turn(clean(speaker), text, 1 + text.count(" ") + 1, acts)


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a gzipped JSON-lines file.

    Raises:
        DiasumError: the file is absent.
    """
    if not path.is_file():
        raise DiasumError(f"expected a corpus file at {path}, found none: see the data folder's README")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def as_written(value: str, text: str) -> str:
    """`value` as it is written in `text`, whole words, any case; empty where it does not occur."""
    at = text.find(value)
    if at < 0:
        at = text.lower().find(value.lower())
    end = at + len(value)
    inside_word = (at > 0 and text[at - 1].isalnum()) or text[end : end + 1].isalnum()
    return "" if at < 0 or inside_word or len(value) != end - at else text[at:end]


def read_sgd(path: Path) -> Iterator[Talk]:
    """Dialogues with acts whose values stand as in the text of their turn; other values are left out.

    Values that are no words of the text (intents, True and False, "dontcare") are kept.
    """
    seen: dict[Any, Any] = {}  # acts repeat endlessly: keep one object of each
    for row in read_json_lines(path):
        turns = []
        for turn in row["turns"]:
            acts = []
            text = clean(turn["text"]).replace('"clock', "'clock")
            for a in turn["acts"]:
                values = a["values"]
                if a["slot"] != "intent":
                    spellings = ((v, as_written(v.replace('"clock', "'clock"), text)) for v in values)
                    values = [v if v in ("True", "False", "dontcare") else w for v, w in spellings]
                    values = [v for v in values if v]
                act = Act(a["service"], a["act"], a["slot"], tuple(values))
                acts.append(seen.setdefault(act, act))
            turns.append(make_turn(turn["speaker"], text, tuple(acts)))
        yield Talk("sgd", row["id"], tuple(turns), topics=tuple(row["services"]))


_CONTENT = re.compile(r"[A-Za-z]{4,}")


def word_stems(text: str) -> set[str]:
    """The first five letters of its longer words."""
    return {w[:5].lower() for w in _CONTENT.findall(text)}


def shared_words(summary: str, turns: tuple[Turn, ...]) -> float:
    """The share of the summary's longer words (by their first five letters) that occur in the turns."""
    stems = {stem for t in turns for stem in word_stems(t.text)}
    words = [w[:5].lower() for w in _CONTENT.findall(summary)]
    return sum(w in stems for w in words) / len(words) if words else 0.0


_ASIDE = re.compile(r"\([^()]{1,40}\)|\[[^\[\]]{1,40}\]")  # (laughs), [groaning]


def read_crd3(path: Path) -> Iterator[Talk]:
    for row in read_json_lines(path):
        spoken = [(t["speaker"], _ASIDE.sub("", t["text"])) for t in row["turns"]]
        turns = tuple(make_turn(speaker, text) for speaker, text in spoken if text.strip())
        if turns and row["summary"].strip() and shared_words(row["summary"], turns) >= LEAST_SHARED:
            yield Talk("crd3", row["id"], turns, summary=clean(row["summary"]).strip('"'))


def read_mts(path: Path) -> Iterator[Talk]:
    with path.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            turns = []
            for line in row["dialogue"].splitlines():
                speaker, colon, text = line.partition(":")
                if colon and len(speaker) < 25 and text.strip():
                    turns.append(make_turn(speaker, text))
            if len(turns) >= 2:
                yield Talk("mts", row["ID"], tuple(turns), clean(row["section_text"]), topics=(row["section_header"],))


# what transcribers of the meetings mark: {vocalsound}, {disfmarker}; spaces before punctuation
_MARKS = re.compile(r"\{[a-z]+\}")
_SPACE = re.compile(r" (?=[.,?!;:]|'s\b|'re\b|'ve\b|'ll\b|'m\b|'d\b|n't\b)")


_HESITATION = re.compile(r"(?<![\w'])(?:um+|uh+|er+|erm|mm+|hmm+|mm-hmm|uh-huh)(?![\w'-]),?", re.I)
_LETTERS = re.compile(r"\b(?:[A-Z]_)+(?:[A-Z]\b)?")
_AGAIN = re.compile(r"(?<![\w'])(\w+(?:'\w+)?(?: \w+(?:'\w+)?){0,3}?),?(?: \1(?![\w'])),?", re.I)
_BROKEN = re.compile(
    r"(?<![\w'])(?!(?:a|i|an|so|to|be|no|do|he|we|on|in|the|one|can|may|for)\b)(\w{1,3})(?: (?=\1\w))", re.I
)
_LONE = re.compile(r"(?<![\w'.])[b-hj-z](?= )(?! \d)")


def clean_meeting(text: str) -> str:
    """Without what transcribers mark, and as one would write it down: no hesitation, no word begun twice.

    "And and um th the th this is the R_F_I_D_ one" becomes "And the this is the RFID one".
    """
    text = _LETTERS.sub(lambda m: m[0].replace("_", ""), _MARKS.sub("", text))
    text = _HESITATION.sub("", _SPACE.sub("", clean(text)))
    for _ in range(3):
        text = _BROKEN.sub("", _AGAIN.sub(r"\1", clean(text)))
    return clean(_SPACE.sub("", _LONE.sub("", text)))


def read_qmsum(path: Path) -> Iterator[Talk]:
    for number, row in enumerate(read_json_lines(path)):
        turns = [make_turn(t["speaker"], clean_meeting(t["content"])) for t in row["meeting_transcripts"]]
        for k, query in enumerate(row["specific_query_list"]):
            spans = query.get("relevant_text_span") or []
            picked = [turns[i] for lo, hi in spans for i in range(int(lo), min(int(hi) + 1, len(turns)))]
            picked = [t for t in picked if t.words > 3]
            if picked and sum(t.words for t in picked) <= 700:
                yield Talk(
                    "qmsum", f"{path.name}-{number}-{k}", tuple(picked), clean(query["answer"]), clean(query["query"])
                )
        # the meeting itself, in pieces, for tasks that need no summary
        for start in range(0, len(turns), 20):
            piece = tuple(t for t in turns[start : start + 20] if t.words > 3)
            if len(piece) > 3:
                yield Talk("meeting", f"{path.name}-{number}-at{start}", piece)


def read_taskmaster(path: Path) -> Iterator[Talk]:
    for row in read_json_lines(path):
        turns = tuple(make_turn(t["speaker"], t["text"]) for t in row["turns"] if t["text"].strip())
        if len(turns) >= 2:
            yield Talk("taskmaster4", row["id"], turns, topics=(row["vertical"],))


def read_star(path: Path) -> Iterator[Talk]:
    for row in read_json_lines(path):
        turns = []
        for t in row["turns"]:
            act = (Act("", t["act"], "", ()),) if t.get("act") else ()
            if t["text"].strip():
                turns.append(make_turn(t["speaker"], t["text"], act))
        if len(turns) >= 2:
            topics = tuple(row["domains"])
            done = row["completion"] == "Complete"
            yield Talk("star", str(row["id"]), tuple(turns), topics=topics, happy=row["happy"], complete=done)


def split(talks: list[Talk], held_out: bool) -> list[Talk]:
    """The last `HELD_OUT_SHARE` of `talks`, or all before it."""
    cut = len(talks) - max(1, round(len(talks) * HELD_OUT_SHARE))
    return talks[cut:] if held_out else talks[:cut]


def load(data_dir: Path, *, held_out: bool) -> dict[str, list[Talk]]:
    """All allowed dialogues by source: `sgd crd3 mts qmsum meeting taskmaster4 star`.

    Args:
        data_dir: the folder of corpora.
        held_out: the validation part instead of the training part; the two share no dialogue.

    Raises:
        DiasumError: a corpus file is absent.
    """
    at = {name: data_dir / file for name, file in FILES.items()}
    talks = {
        "sgd": list(read_sgd(at["sgd_dev" if held_out else "sgd"])),
        "crd3": split(list(read_crd3(at["crd3"])), held_out),
        "mts": list(read_mts(at["mts"])),
        "taskmaster4": split(list(read_taskmaster(at["taskmaster4"])), held_out),
        "star": split(list(read_star(at["star"])), held_out),
    }
    talks["mts"] = talks["mts"][-60:] if held_out else talks["mts"][:-60]
    # QMSum is split by meeting: its queries overlap in their turns
    rows = list(read_qmsum(at["qmsum"])) + list(read_qmsum(at["qmsum_val"]))
    held = {"val.jsonl.gz-30", "val.jsonl.gz-31", "val.jsonl.gz-32", "val.jsonl.gz-33", "val.jsonl.gz-34"}
    rows = [t for t in rows if (t.id.rsplit("-", 1)[0] in held) == held_out]
    talks["qmsum"] = [t for t in rows if t.source == "qmsum"]
    talks["meeting"] = [t for t in rows if t.source == "meeting"]
    return talks
