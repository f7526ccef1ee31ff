"""Summaries of windows put together: one text, each sentence with the turns it rests on, and a house form kept once.

In: what was written of each window, in order. Out: the summary of the whole. Where summaries are told in labelled parts (``Gist: ...
Next: ...``, or a last line ``Still open: ...``), the parts of one label stand together under it, so that the label comes once; a part
that says "nothing" is left out beside one that says something, and so is what was said already.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from diasum.data.summary import Sentence
from diasum.data.turns_read import words_of

_LABEL = re.compile(r"(?:^|(?<=[.!?…。！？]\s)|(?<=\n))[ \t]*([^\W\d_][\w'’-]*(?: [\w'’-]+){0,2}):(?=\s)")
_NOTHING = frozenset(("nothing", "none", "no", "n/a", "-", "nothing open", "nichts", "rien", "nada", "niente", "niets"))


@dataclass(frozen=True, slots=True)
class TextOfTurns:
    """A text that a model wrote.

    Attributes:
        text: without white space around it.
        turns: ids of the turns that it rests on, in order.
        cut: it reached the length limit before it ended.
        sources: the summaries that it was written from, where it was.
    """

    text: str
    turns: tuple[int, ...]
    cut: bool = False
    sources: tuple[TextOfTurns, ...] = ()

    def turns_of(self, text: str) -> tuple[int, ...]:
        """Those that a stretch of it rests on."""
        return nearest(text, self.sources) if self.sources else self.turns


@dataclass(slots=True)
class JoinedText:
    """A text put together from parts.

    Attributes:
        text: the whole.
        stretches: start and end of each part in it.
    """

    text: str = ""
    stretches: list[tuple[int, int, TextOfTurns]] = field(default_factory=list)

    def add(self, part: TextOfTurns, *, before: str = "", label: str = "") -> None:
        """Put a part at the end, behind its label if it has one."""
        self.text += before if self.text else ""
        start = len(self.text)
        self.text += f"{label} {part.text}" if label else part.text
        self.stretches.append((start, len(self.text), part))

    def sentences(self, split: Iterable[Sentence]) -> tuple[Sentence, ...]:
        """The sentences of the text, each with the turns that it rests on."""
        return tuple(replace(one, turns=self._turns(one.start, one.end)) for one in split)

    def _turns(self, start: int, end: int) -> tuple[int, ...]:
        inside = [(max(start, begin), min(end, stop), part) for begin, stop, part in self.stretches]
        return _together(part.turns_of(self.text[first:last]) for first, last, part in inside if first < last)


def join(parts: Sequence[TextOfTurns], *, closing: str | None = None, speakers: Collection[str] = ()) -> JoinedText:
    """Put the summaries of windows together.

    Args:
        parts: in the order of the windows.
        closing: how a last line begins that they all have (`generate.closing`).
        speakers: labels that are speakers', not those of a form.

    Returns:
        The text, which tells the turns of any stretch of it.
    """
    labels = house_labels([part.text for part in parts], closing=closing, speakers=speakers)
    sections: dict[str, list[TextOfTurns]] = {"": []}
    line_break = {label: any(f"\n{label}" in part.text for part in parts) for label in labels}
    for part in parts:
        for label, text in _sections(part.text, labels):
            sections.setdefault(label, []).append(replace(part, text=text))
    joined = JoinedText()
    for label in ("", *sorted(sections.keys() - {""}, key=labels.index)):
        _add(joined, label, _telling(sections[label]), "\n" if line_break.get(label) else " ")
    return joined


def house_labels(texts: Sequence[str], *, closing: str | None = None, speakers: Collection[str] = ()) -> list[str]:
    """Labels with their colon that at least half of several texts have before a part, in the order of the first text that has most."""
    counts: Counter[str] = Counter()
    orders = []
    for text in texts:
        there = [f"{match[1]}:" for match in _LABEL.finditer(text) if match[1] not in speakers]
        if closing and closing in text and closing not in there:
            there.append(closing)
        orders.append(list(dict.fromkeys(there)))
        counts.update(orders[-1])
    kept = {label for label, count in counts.items() if count > 1 and 2 * count >= len(texts)}
    fullest = max(orders, key=lambda order: len(kept.intersection(order)), default=[])
    ordered = [label for label in dict.fromkeys([*fullest, *counts]) if label in kept]
    return sorted(ordered, key=lambda label: label == closing)  # a closing line is the last


def without_labels(text: str, labels: Sequence[str]) -> str:
    """A text whose parts stand as sentences, for a model that will put the labels in again."""
    return " ".join(part for _, part in _sections(text, labels))


def nearest(text: str, parts: Sequence[TextOfTurns]) -> tuple[int, ...]:
    """The turns of those parts that share the most with a text written from them: at least half as many words as the nearest one."""
    shares = [recall(text, part.text) for part in parts]
    least = max(shares, default=0) / 2
    return _together(part.turns for part, share in zip(parts, shares, strict=True) if share >= least)


def recall(reference: str, text: str) -> float:
    """The mean of ROUGE-1 and ROUGE-2 recall, 0 to 1, over words of any script in lower case: how much of a reference a text holds."""
    wanted, there = words_of(reference.lower()), words_of(text.lower())
    shares = []
    for n in (1, 2):
        of_reference, of_text = (
            Counter(zip(*(words[i:] for i in range(n)), strict=False)) for words in (wanted, there)
        )
        total = of_reference.total()
        if total:
            shares.append((of_reference & of_text).total() / total)
    return sum(shares) / len(shares) if shares else 0.0


def _sections(text: str, labels: Sequence[str]) -> list[tuple[str, str]]:
    """The parts of a text with their labels, the first one without; empty ones are left out."""
    if not labels:
        return [("", text.strip())] if text.strip() else []
    split = re.split(rf"(?:^|(?<=\s))({'|'.join(map(re.escape, labels))})(?=\s|$)", text)
    pairs = [("", split[0]), *zip(split[1::2], split[2::2], strict=True)]
    return [(label, part.strip()) for label, part in pairs if part.strip()]


def _telling(parts: Sequence[TextOfTurns]) -> list[TextOfTurns]:
    """Without repeated ones, and without those that say "nothing" where another says something; the turns of all count for what stays."""
    by_text: dict[str, TextOfTurns] = {}
    for part in parts:
        key = _bare(part.text)
        before = by_text.get(key, part)
        if part is not before:
            part = replace(before, turns=_together((before.turns, part.turns)), sources=())
        by_text[key] = part
    telling = {key: part for key, part in by_text.items() if key not in _NOTHING}
    return list((telling or by_text).values())


def _add(joined: JoinedText, label: str, parts: Sequence[TextOfTurns], before: str) -> None:
    phrases = bool(label) and len(parts) > 1 and all(part.text[:1].islower() for part in parts)
    for i, part in enumerate(parts):
        if phrases and i < len(parts) - 1:
            part = replace(part, text=part.text.rstrip(" .") + ";")
        if i == 0:
            joined.add(part, before=before, label=label)
        else:
            joined.add(part, before="\n" if "\n" in parts[i - 1].text and not label else " ")


def _bare(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .!;")


def _together(turns: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted({turn for some in turns for turn in some}))
