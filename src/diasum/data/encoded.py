"""What `diasum.data.encoding` makes of dialogues and pairs, and its account of what was cut."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from diasum.data.turns_read import Reading
from diasum.data.windows import TurnWindow
from diasum.wording import counted


@dataclass(frozen=True, slots=True)
class EncodedSource:
    """One prompt as tokens.

    Attributes:
        input_ids: with the tokenizer's special tokens, at most `max_source_tokens`.
        reading: which turns are in it.
        tokens_cut: tokens that are missing.
        tokens_total: tokens of the whole prompt, before cutting.
    """

    input_ids: list[int]
    reading: Reading
    tokens_cut: int
    tokens_total: int

    @property
    def is_cut(self) -> bool:
        """Whether any of it is missing."""
        return self.tokens_cut > 0 or not self.reading.whole


@dataclass(frozen=True, slots=True)
class EncodedTarget:
    """One reference as tokens.

    Attributes:
        ids: at most `max_target_tokens`, the end token last.
        is_cut: whether there were more.
    """

    ids: list[int]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """A prompt and its first reference."""

    source: EncodedSource
    target: EncodedTarget

    @property
    def feature(self) -> dict[str, list[int]]:
        """For training: unpadded, labels ending in the end token."""
        return {"input_ids": self.source.input_ids, "labels": self.target.ids}


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One of the prompts in which a long dialogue is read.

    Attributes:
        input_ids: with the tokenizer's special tokens, at most `max_source_tokens`.
        window: the turns in it.
        whole: whether each of them is there in full.
    """

    input_ids: list[int]
    window: TurnWindow
    whole: bool

    @property
    def text(self) -> str:
        """What is said in it, as the model reads it."""
        return "\n".join(map(str, self.window.turns))


@dataclass(frozen=True, slots=True)
class EncodingReport:
    """What encoding did to a split.

    Attributes:
        n: dialogues.
        cut: dialogues that lost turns.
        turns_cut: turns missing in all, whole or in part.
        tokens: source tokens before cutting.
        tokens_cut: source tokens missing.
        targets_cut: reference summaries that were cut.
        source_median, source_max: source tokens after cutting.
        target_median, target_max: label tokens after cutting; 0 when no targets were encoded.
        lost: characters that the tokenizer cannot represent, with their number of occurrences.
        in_windows: dialogues that are examples by window (`diasum.data.long_pairs`).
        windows: of these.
        windows_left_out: those of them that no reference sentence belongs to.
    """

    n: int
    cut: int
    turns_cut: int
    tokens: int
    tokens_cut: int
    targets_cut: int
    source_median: float
    source_max: int
    target_median: float = 0
    target_max: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    in_windows: int = 0
    windows: int = 0
    windows_left_out: int = 0

    @classmethod
    def of(
        cls, sources: Sequence[EncodedSource], lost: dict[str, int], targets: Sequence[EncodedTarget] = ()
    ) -> EncodingReport:
        """Of a split; `lost` as above."""
        lengths = [len(source.input_ids) for source in sources]
        labels = [len(target.ids) for target in targets]
        return cls(
            n=len(sources),
            cut=sum(source.is_cut for source in sources),
            turns_cut=sum(source.reading.turns_cut for source in sources),
            tokens=sum(source.tokens_total for source in sources),
            tokens_cut=sum(source.tokens_cut for source in sources),
            targets_cut=sum(target.is_cut for target in targets),
            source_median=statistics.median(lengths) if lengths else 0,
            source_max=max(lengths, default=0),
            target_median=statistics.median(labels) if labels else 0,
            target_max=max(labels, default=0),
            lost=lost,
        )

    def sentence(self) -> str:
        """For example ``7 of 500 dialogues cut, 1.2% of tokens``."""
        share = 100 * self.tokens_cut / self.tokens if self.tokens else 0.0
        parts = [f"{self.cut} of {self.n} dialogues cut, {share:.1f}% of tokens"]
        if self.in_windows:
            parts.append(
                f"{counted(self.in_windows, 'dialogue')} read in {self.windows} windows, {self.windows_left_out} of them left out, "
                "without a reference sentence"
            )
        if self.targets_cut:
            parts.append(f"{counted(self.targets_cut, 'reference summary', 'reference summaries')} cut")
        if self.lost:
            shown = ", ".join(f"{name_character(c)} ({count}x)" for c, count in list(self.lost.items())[:5])
            more = f" and {len(self.lost) - 5} more" if len(self.lost) > 5 else ""
            parts.append(f"characters this tokenizer loses: {shown}{more}")
        return "; ".join(parts)


def name_character(character: str) -> str:
    """A character as a reader can see it: in backquotes, or its code point."""
    names = {"\n": "line break", "\t": "tab"}
    return names.get(character) or (f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}")
