"""Single pairs that are odd: empty, copied, too long, without or dominated by a speaker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from diasum.data.checks.findings import Finding, Severity
from diasum.data.checks.words import words_of
from diasum.data.pairs import Pair, Rows
from diasum.wording import counted

SHORT, LONG = 10, 3000  # words in a dialogue
MANY_EMPTY = 0.1  # of the rows
MANY_REFERENCES = 10  # of one dialogue; corpora with several have two to five
LONG_SUMMARY = 0.5  # of the dialogue's words
DOMINATED = 0.9  # of the words, by one of several speakers

_MESSAGES: dict[str, tuple[Severity, str]] = {
    "empty_dialogue": ("error", "have no words in the dialogue"),
    "no_summary": ("error", "have no summary"),
    "repeated_dialogue": (
        "warning",
        f"have more than {MANY_REFERENCES} summaries, as if rows repeated one conversation",
    ),
    "copied": ("warning", "have a summary that only repeats the dialogue"),
    "summary_longer": ("warning", "have a summary longer than the dialogue"),
    "summary_long": ("info", f"have a summary of more than {LONG_SUMMARY:.0%} of the dialogue's words"),
    "short": ("info", f"have fewer than {SHORT} words"),
    "long": ("info", f"have more than {LONG} words"),
    "one_speaker": ("info", "have one speaker"),
    "no_speakers": ("info", "have no speaker labels"),
    "dominated": ("info", f"have a speaker who says {DOMINATED:.0%} of the words or more"),
}


@dataclass(frozen=True, slots=True)
class PairWords:
    """What the tests of a pair need of its dialogue.

    Attributes:
        normalized: its words in lower case, labels included.
        length: its runs of non-space, labels included.
        talk_share: the share of words of the most talkative speaker; None with fewer than two speakers, or without words.
    """

    normalized: str
    length: int
    talk_share: float | None

    @classmethod
    def of(cls, pair: Pair) -> PairWords:
        """Counted once for all tests."""
        text = pair.dialogue.text
        words: Counter[str] = Counter()
        for turn in pair.dialogue.turns:
            if turn.speaker:
                words[turn.speaker] += turn.text.count(" ") + 1 if turn.text else 0
        total = words.total()
        share = max(words.values()) / total if len(words) > 1 and total else None
        return cls(" ".join(words_of(text)), len(text.split()), share)


def kinds_of(pair: Pair, words: PairWords, *, may_lack_summary: bool) -> Iterator[str]:
    """What is odd about one pair, as kinds of findings."""
    if not words.normalized:
        yield "empty_dialogue"
    summaries = [summary for text in pair.references if (summary := words_of(text))]
    if not summaries and not may_lack_summary:
        yield "no_summary"
    if len(pair.references) > MANY_REFERENCES:
        yield "repeated_dialogue"
    if is_copy(pair, words.normalized, summaries):
        yield "copied"
    longest = max((len(text.split()) for text in pair.references), default=0)
    if longest > words.length:
        yield "summary_longer"
    elif longest >= SHORT and longest > LONG_SUMMARY * words.length:
        yield "summary_long"
    if 0 < words.length < SHORT:
        yield "short"
    elif words.length > LONG:
        yield "long"
    speakers = {turn.speaker for turn in pair.dialogue.turns if turn.speaker}
    if len(speakers) < 2:
        yield "one_speaker" if speakers else "no_speakers"
    elif words.talk_share is not None and words.talk_share >= DOMINATED:
        yield "dominated"


def is_copy(pair: Pair, normalized: str, summaries: list[list[str]]) -> bool:
    """Whether one of the summaries (as words) stands in the dialogue as it is, with or without labels."""
    if not summaries:
        return False
    known = set(normalized.split())
    summaries = [summary for summary in summaries if known.issuperset(summary)]
    if not summaries:
        return False
    unlabelled = " ".join(words_of(" ".join(turn.text for turn in pair.dialogue.turns)))
    return any(f" {' '.join(summary)} " in f" {text} " for summary in summaries for text in (normalized, unlabelled))


def row_findings(split: str, pairs: list[Pair], words: list[PairWords]) -> Iterator[Finding]:
    """What to tell of a split's pairs."""
    without_summaries = not any(pair.references for pair in pairs)
    ids: dict[str, list[str]] = {kind: [] for kind in _MESSAGES}
    for pair, its_words in zip(pairs, words, strict=True):
        for kind in kinds_of(pair, its_words, may_lack_summary=without_summaries):
            ids[kind].append(pair.id)
    for kind, concerned in ids.items():
        if concerned:
            severity, what = _MESSAGES[kind]
            message = f"{len(concerned)} of {len(pairs)} dialogues of `{split}` {what}."
            yield Finding(kind, severity, message, split, len(concerned), tuple(concerned))
    repeated = [name for name, count in Counter(pair.id for pair in pairs).items() if count > 1]
    if repeated:
        message = f"{counted(len(repeated), 'id')} of `{split}` used more than once."
        yield Finding("duplicate_id", "error", message, split, len(repeated), tuple(repeated))


def skipped_rows(split: str, rows: Rows | None) -> Iterator[Finding]:
    """Rows that reading left out, where there are so many that another column may be meant."""
    if rows and rows.empty >= MANY_EMPTY * rows.read:
        ids = tuple(name for name, pair in rows.pair_of.items() if pair is None)
        yield Finding(
            kind="skipped",
            severity="warning",
            message=f"{rows.empty} of {rows.read} rows of `{split}` are empty where a conversation was expected: is it in another column?",
            split=split,
            count=rows.empty,
            ids=ids,
        )
