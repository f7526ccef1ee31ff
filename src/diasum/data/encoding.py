"""From pairs to token ids, with a full account of what was cut.

In: pairs, a tokenizer, prompt settings. Out: ``input_ids`` and ``labels`` lists, unpadded, and an `EncodingReport`. Sources that
are too long lose whole turns, from the end, the start or the middle; the prompt's own words always stay, since a summary prompt
without its "Summary:" is not one. All texts go through the tokenizer in large batches; only the long ones are done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from diasum.config import PromptSettings
from diasum.data.encoded import EncodedPair, EncodedSource, EncodedTarget, EncodedWindow, EncodingReport
from diasum.data.letters import TokenizerLetters
from diasum.data.pairs import Pair
from diasum.data.prompt import Prompt, as_written, choose_placeholders, lost_characters
from diasum.data.speakers import NumberedSpeakers
from diasum.data.tokenizer import Tokenizer
from diasum.data.turns_read import reading
from diasum.data.windows import turn_windows
from diasum.dialogue import Dialogue, Turn
from diasum.errors import DiasumError

if TYPE_CHECKING:
    from diasum.redaction.redactor import Redacted, Redactor

GAP = Turn("", "...")  # stands for the turns left out in the middle (keep="both")
_ATTEMPTS = 4  # at windows in which everything fits
_CHUNK = 1024  # texts in one call of the tokenizer
_REMEMBERED = 4096  # dialogues whose redaction is kept: source, target and summary each ask for it


class PairEncoder:
    """Encodes dialogues and pairs for one tokenizer.

    Raises:
        DiasumError: the prompt alone leaves no room for a conversation in `max_source_tokens`.

    Attributes:
        settings: as given; `PromptSettings.for_base` decides what is `auto` in them, which else counts as `named`.
        prompt: the template with the separator that survives this tokenizer.
        separator_reason: why that separator.
        speakers_reason: how the model reads who speaks, as a sentence.
        redaction_reason: how private values are hidden from the model, as a sentence; empty where they are not.
        letters: tells which letters of a text this tokenizer lacks.
    """

    def __init__(self, tokenizer: Tokenizer, settings: PromptSettings) -> None:
        self.tokenizer = tokenizer
        self.settings = settings
        self.letters = TokenizerLetters(tokenizer)
        self.prompt, self.separator_reason = Prompt.for_tokenizer(tokenizer, settings)
        self._as_written = as_written(tokenizer)
        self._numbered = settings.speakers == "numbered"
        self.speakers_reason = (
            "Speakers are numbered for the model (#Person1# ...); their names are put back into its summaries."
            if self._numbered
            else "Speakers keep their names."
        )
        self._redactor, self.redaction_reason = _redactor(tokenizer, settings)
        self._redacted = lru_cache(maxsize=_REMEMBERED)(self._redact)
        fixed = len(self._ids([self.prompt.render(Dialogue(()))])[0])
        self._room = settings.max_source_tokens - fixed
        if self._room < 1:
            raise DiasumError(
                f"prompt.template alone takes {fixed} tokens, prompt.max_source_tokens is {settings.max_source_tokens}: "
                "no room is left for the conversation.",
                hint="Shorten the template or raise prompt.max_source_tokens.",
            )

    def encode_dialogue(self, dialogue: Dialogue) -> EncodedSource:
        """Encode one prompt, cut at turn boundaries where it is too long.

        A turn is cut inside only where leaving it out would leave more than half of the room unused. With ``keep="both"`` a turn of
        three dots stands for what is missing.
        """
        dialogue = self._plain(dialogue)
        return self._fit(dialogue, self._ids([self.prompt.render(dialogue)])[0])

    def encode_dialogues(self, dialogues: Iterable[Dialogue]) -> tuple[list[EncodedSource], EncodingReport]:
        """Encode many prompts, without targets."""
        dialogues = list(map(self._plain, dialogues))
        texts = [self.prompt.render(dialogue) for dialogue in dialogues]
        sources = [self._fit(dialogue, ids) for dialogue, ids in zip(dialogues, self._ids(texts), strict=True)]
        return sources, EncodingReport.of(sources, lost_characters(self.tokenizer, texts))

    def encode_windows(self, dialogue: Dialogue, *, plain: bool = False) -> list[EncodedWindow]:
        """Encode a dialogue in as many prompts as it takes to read all of it (`diasum.data.windows`).

        Args:
            dialogue: of any length; speakers have one number in all windows.
            plain: it is as the model reads it already: what the model itself wrote.
        """
        turns = (dialogue if plain else self._plain(dialogue)).turns
        room = self._room
        for _ in range(_ATTEMPTS):
            windows = turn_windows(turns, room, self._lengths)
            inside = [Dialogue(window.turns) for window in windows]
            ids = self._ids([self.prompt.render(one) for one in inside])
            # Turns tokenised one by one can come out a little shorter than in their place; then try with less room.
            too_long = max(map(len, ids), default=0) - self.settings.max_source_tokens
            if too_long <= 0:
                break
            room = max(1, self._room // 2, room - too_long)
        sources = [self._fit(*one) for one in zip(inside, ids, strict=True)]  # cuts only what fits no window
        return [
            EncodedWindow(source.input_ids, window, window.whole and source.reading.whole)
            for source, window in zip(sources, windows, strict=True)
        ]

    def encode(self, pairs: Iterable[Pair]) -> tuple[list[dict[str, list[int]]], EncodingReport]:
        """Encode prompts and first references.

        Returns:
            One ``{"input_ids": [...], "labels": [...]}`` a pair in the order given, unpadded, labels ending in eos; and the report.

        Raises:
            DiasumError: a pair has no reference summary.
        """
        encoded, report = self.encode_pairs(pairs)
        return [one.feature for one in encoded], report

    def encode_pairs(self, pairs: Iterable[Pair]) -> tuple[list[EncodedPair], EncodingReport]:
        """As `encode`, with what was cut of each pair."""
        pairs = list(pairs)
        bare = [pair.id for pair in pairs if not pair.references]
        if bare:
            raise DiasumError(
                f"{len(bare)} of {len(pairs)} pairs have no reference summary (first: {', '.join(bare[:5])}).",
                hint="Training and scoring need summaries; `diasum summarize` does not.",
            )
        dialogues = [self._plain(pair.dialogue) for pair in pairs]
        texts = [self.prompt.render(dialogue) for dialogue in dialogues]
        references = [self.target(pair.dialogue, pair.references[0]) for pair in pairs]
        sources = [self._fit(dialogue, ids) for dialogue, ids in zip(dialogues, self._ids(texts), strict=True)]
        targets = self.encode_targets(references)
        report = EncodingReport.of(sources, lost_characters(self.tokenizer, [*texts, *references]), targets)
        return [EncodedPair(*one) for one in zip(sources, targets, strict=True)], report

    def encode_targets(self, texts: Sequence[str]) -> list[EncodedTarget]:
        """Encode texts that `target` wrote, cut where they are too long."""
        return [
            EncodedTarget(self.fit_target(ids), len(ids) > self.settings.max_target_tokens)
            for ids in self.target_ids(texts)
        ]

    def source_text(self, dialogue: Dialogue) -> str:
        """The prompt as the tokenizer gets it, uncut."""
        return self.prompt.render(self._plain(dialogue))

    def source_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts that `source_text` wrote: uncut, with special tokens."""
        return self._ids(texts)

    def target(self, dialogue: Dialogue, summary: str) -> str:
        """A summary as the model should write it: without special tokens, its speakers numbered and its values hidden as the prompt's."""
        if self._numbered:
            summary = NumberedSpeakers(dialogue).hide(summary)
        if redacted := self.redacted(dialogue):
            summary = redacted.hide(summary)
        return self._as_written(summary)

    def finish(self, dialogue: Dialogue, summary: str) -> str:
        """What the model wrote as its reader gets it: hidden values and numbered speakers' names are back, and no other number is left."""
        if redacted := self.redacted(dialogue):
            summary = redacted.restore(summary)
        return NumberedSpeakers(dialogue, named=not self._numbered).restore(summary)

    def redacted(self, dialogue: Dialogue) -> Redacted | None:
        """What is hidden of a dialogue from the model; None where nothing is to be (`prompt.redact`)."""
        return self._redacted(dialogue) if self._redactor else None

    def _redact(self, dialogue: Dialogue) -> Redacted:
        assert self._redactor is not None
        if not self._numbered:
            return self._redactor.redact(dialogue)
        numbered = NumberedSpeakers(dialogue)
        return self._redactor.redact(numbered.dialogue, numbered.numbers)

    def target_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts that `target` wrote: uncut, the end token last, also where the tokenizer does not add it itself."""
        ids: list[list[int]] = []
        for i in range(0, len(texts), _CHUNK):
            ids += self.tokenizer(text_target=list(texts[i : i + _CHUNK]), verbose=False)["input_ids"]
        eos = self.tokenizer.eos_token_id
        return [x if eos is None or x[-1:] == [eos] else [*x, eos] for x in ids]

    def _plain(self, dialogue: Dialogue) -> Dialogue:
        """The dialogue as the model reads it: without special tokens in its text, its speakers numbered and values hidden where set."""
        if redacted := self.redacted(dialogue):
            dialogue = redacted.dialogue
        elif self._numbered:
            dialogue = NumberedSpeakers(dialogue).dialogue
        if self._as_written(dialogue.text) == dialogue.text:
            return dialogue
        keep = self._as_written
        return Dialogue(tuple(replace(t, speaker=keep(t.speaker), text=keep(t.text)) for t in dialogue.turns))

    def _ids(self, texts: Sequence[str], *, special: bool = True) -> list[list[int]]:
        ids: list[list[int]] = []
        for i in range(0, len(texts), _CHUNK):
            chunk = list(texts[i : i + _CHUNK])
            ids += self.tokenizer(chunk, add_special_tokens=special, return_attention_mask=False, verbose=False)[
                "input_ids"
            ]
        return ids

    def fit_target(self, ids: list[int]) -> list[int]:
        """Token ids of a target, cut to `max_target_tokens` with the end token kept."""
        limit = self.settings.max_target_tokens
        return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]

    def _fit(self, dialogue: Dialogue, ids: list[int]) -> EncodedSource:
        total = len(ids)
        limit = self.settings.max_source_tokens
        if total <= limit:
            return EncodedSource(ids, reading(dialogue.turns, dialogue.turns, ()), 0, total)
        pieces = [self.prompt.separator + str(turn) for turn in dialogue.turns]
        turns = [(turn, len(x)) for turn, x in zip(dialogue.turns, self._ids(pieces, special=False), strict=True)]
        room = self._room
        while True:
            head, tail = self._keep(turns, room)
            gap = (GAP,) if self.settings.keep == "both" and (head or tail) else ()
            kept = (*head, *gap, *tail)
            ids = self._ids([self.prompt.render(Dialogue(kept))])[0]
            if len(ids) <= limit or not kept:
                break
            # Turns tokenised one by one can come out a little shorter than in their place; then try with less room.
            room = max(0, room - (len(ids) - limit))
        return EncodedSource(ids, reading(dialogue.turns, head, tail), total - len(ids), total)

    def _keep(self, turns: list[tuple[Turn, int]], room: int) -> tuple[Sequence[Turn], Sequence[Turn]]:
        """The turns that stay at the start, and those that stay at the end."""
        if self.settings.keep == "start":
            return self._take(turns, room)[0], ()
        if self.settings.keep == "end":
            return (), self._take(turns, room, from_end=True)[0]
        room -= len(self._ids([self.prompt.separator + str(GAP)], special=False)[0])
        head, rest = self._take(turns, room // 2)
        used = sum(self._lengths(head))
        return head, self._take(rest, room - used, from_end=True)[0]

    def _take(
        self, turns: list[tuple[Turn, int]], room: int, *, from_end: bool = False
    ) -> tuple[list[Turn], list[tuple[Turn, int]]]:
        """The turns that fit in `room` tokens, in order, and those left over."""
        order = turns[::-1] if from_end else turns
        kept: list[Turn] = []
        left = room
        for turn, length in order:
            if length > left:
                break
            kept.append(turn)
            left -= length
        rest = order[len(kept) :]
        if rest and 2 * left > room:
            part, remainder = self._part(rest[0][0], left, from_end=from_end)
            if part.text:
                kept.append(part)
                rest = [(remainder, self._lengths([remainder])[0]), *rest[1:]]
        return (kept[::-1], rest[::-1]) if from_end else (kept, rest)

    def _part(self, turn: Turn, room: int, *, from_end: bool) -> tuple[Turn, Turn]:
        """Cut a turn between two words (inside a word only where it alone is too long): the part that fits, and the remainder."""

        def part(size: int) -> Turn:
            text = turn.text[-size:] if from_end else turn.text[:size]
            return replace(turn, text=text if size else "")

        low, high = 0, len(turn.text)
        while low < high:  # the most characters that fit
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._lengths([part(middle)])[0] <= room else (low, middle - 1)
        text = part(low).text
        if 0 < low < len(turn.text):
            outside = turn.text[-low - 1] if from_end else turn.text[low]
            first, space, last = text.partition(" ") if from_end else text.rpartition(" ")
            if not outside.isspace() and space:
                text = last if from_end else first
        remainder = turn.text[: len(turn.text) - len(text)] if from_end else turn.text[len(text) :]
        return replace(turn, text=text.strip()), replace(turn, text=remainder.strip())

    def _lengths(self, turns: Sequence[Turn]) -> list[int]:
        return [len(ids) for ids in self._ids([self.prompt.separator + str(turn) for turn in turns], special=False)]


def _redactor(tokenizer: Tokenizer, settings: PromptSettings) -> tuple[Redactor | None, str]:
    """None where nothing is to be hidden."""
    if settings.redact == "off":
        return None, ""
    from diasum.redaction.redactor import Redactor

    form, reason = choose_placeholders(tokenizer)
    what = "Private values and other people's names" if settings.redact == "names" else "Private values"
    return Redactor(names=settings.redact == "names", form=form), f"{what} are hidden from the model. {reason}"
