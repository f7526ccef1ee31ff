"""A cleaned copy of a corpus: what is surely wrong is mended or left out, and each change is listed.

Mended: text read in the wrong encoding, control characters. Left out: dialogues without words; those without a summary where others
have one; repetitions of a dialogue in one split, whose summaries go to the first one; and dialogues that are, or nearly are, in
another split, from the one that trains rather than from the one that tests. What needs a human's judgement (copied or long summaries,
unsupported claims, other languages, lost letters) stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from diasum.data.checks.damage import mend
from diasum.data.checks.duplicates import find_duplicates
from diasum.data.checks.words import normalized, words_of
from diasum.data.pairs import Corpus, Pair
from diasum.data.writing import write_corpus
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError
from diasum.files import write_json_lines
from diasum.wording import counted

_LAST_TO_LOSE = ("test", "validation")  # splits that keep a dialogue which another one has, too


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a cleaned corpus has otherwise.

    Attributes:
        split, id: of the dialogue.
        change: ``mended`` or ``left out``.
        kind: as that of the finding.
        reason: one sentence.
    """

    split: str
    id: str
    change: str
    kind: str
    reason: str


def clean_corpus(corpus: Corpus) -> tuple[Corpus, list[Change]]:
    """A cleaned copy.

    Args:
        corpus: stays as it is.

    Returns:
        The copy and its changes, split by split.

    Raises:
        DiasumError: nothing would be left of a split.
    """
    changes: list[Change] = []
    splits: dict[str, list[Pair]] = {}
    for split, pairs in corpus.splits.items():
        mended = [_mended(split, pair, changes) for pair in pairs]
        splits[split] = _without_empty(split, mended, changes)
    splits = _without_duplicates(splits, changes)
    for split, pairs in splits.items():
        if not pairs and corpus.splits[split]:
            raise DiasumError(
                f"Nothing would be left of `{split}`: all its dialogues are empty or in another split.",
                hint="Look at `diasum data check` without --fix; nothing was written.",
            )
    order = list(corpus.splits)
    changes.sort(key=lambda change: order.index(change.split))
    return replace(corpus, splits=splits), changes


def write_cleaned(corpus: Corpus, changes: Sequence[Change], out: Path, source: Path | None) -> list[str]:
    """Write what `clean_corpus` returned, and the list of changes beside it (``OUT-changes.jsonl``).

    Args:
        corpus: the copy.
        changes: its changes.
        out: as `write_corpus`; a folder must be new or empty.
        source: where the corpus was read from, if that is here.

    Returns:
        What was written, one sentence each.

    Raises:
        DiasumError: something is there already, or `out` is in the folder of the corpus itself.
    """
    check_place(out, source)
    lines = write_corpus(corpus, out)
    write_json_lines(changes_file(out), map(asdict, changes))
    return [*lines, f"{counted(len(changes), 'change')} listed in {changes_file(out)}"]


def check_place(out: Path, source: Path | None) -> None:
    """Before long work: that a cleaned copy can be written; raises as `write_cleaned`."""
    beside = changes_file(out)
    if taken := next((path for path in (out, beside) if path.exists() and not _is_empty_folder(path)), None):
        raise DiasumError(f"{taken} exists already.", hint="Choose another name; nothing was written.")
    if source is not None and source.is_dir() and source.resolve() in out.resolve().parents:
        raise DiasumError(
            f"{out} lies in {source}, which it is a cleaned copy of.",
            hint="Choose a place outside of it; nothing was written.",
        )


def changes_file(out: Path) -> Path:
    """Where the changes to a copy are listed: beside it, so that nobody reads them as a split."""
    return out.with_name(f"{out.name.removesuffix('.jsonl')}-changes.jsonl")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _mended(split: str, pair: Pair, changes: list[Change]) -> Pair:
    turns = tuple(replace(turn, speaker=mend(turn.speaker), text=mend(turn.text)) for turn in pair.dialogue.turns)
    better = replace(pair, dialogue=Dialogue(turns), references=tuple(map(mend, pair.references)))
    if better == pair:
        return pair
    reason = "Text that was read in the wrong encoding, or control characters."
    changes.append(Change(split, pair.id, "mended", "damaged", reason))
    return better


def _without_empty(split: str, pairs: list[Pair], changes: list[Change]) -> list[Pair]:
    have_summaries = any(pair.references for pair in pairs)
    kept = []
    for pair in pairs:
        if not words_of(pair.dialogue.text):
            changes.append(Change(split, pair.id, "left out", "empty_dialogue", "No words in the dialogue."))
        elif have_summaries and not any(map(words_of, pair.references)):
            changes.append(Change(split, pair.id, "left out", "no_summary", "No summary, while others have one."))
        else:
            kept.append(pair)
    return kept


def _without_duplicates(splits: dict[str, list[Pair]], changes: list[Change]) -> dict[str, list[Pair]]:
    order = sorted(splits, key=lambda name: _LAST_TO_LOSE.index(name) if name in _LAST_TO_LOSE else len(_LAST_TO_LOSE))
    places = [(split, pair) for split in order for pair in splits[split]]
    duplicates = find_duplicates(normalized(pair) for _, pair in places)
    equals: defaultdict[int, list[int]] = defaultdict(list)  # by the first one, itself included
    for i in range(len(places)):
        equals[duplicates.same.get(i, i)].append(i)
    dropped: dict[int, tuple[int, str]] = {}  # position to that of what it repeats, and the kind
    more: defaultdict[int, list[str]] = defaultdict(list)
    for first, members in equals.items():
        for i in members[1:]:
            same_split = places[i][0] == places[first][0]
            dropped[i] = first, "duplicate" if same_split else "overlap"
            if same_split:
                more[first] += places[i][1].references
    for one, other in duplicates.near:
        for i in equals[other]:
            leak = next((j for j in equals[one] if j not in dropped and places[j][0] != places[i][0]), None)
            if leak is not None and i not in dropped:
                dropped[i] = leak, "near_duplicate"
    kept: dict[str, list[Pair]] = {name: [] for name in splits}
    for i, (split, pair) in enumerate(places):
        if i in dropped:
            first, kind = dropped[i]
            what = "nearly the same" if kind == "near_duplicate" else "the same words"
            reason = f"`{places[first][1].id}` of `{places[first][0]}` has {what}."
            changes.append(Change(split, pair.id, "left out", kind, reason))
        else:
            references = tuple(dict.fromkeys((*pair.references, *more[i])))
            kept[split].append(pair if references == pair.references else replace(pair, references=references))
    return kept
