"""Summaries of dialogues that are longer than the model's input: read in windows, and put together.

In: dialogues, an encoder, and what writes. Out: for each one text whose sentences keep the turns that they rest on. The windows of a
dialogue are summarised one by one, and these summaries, one after the other, are the summary. Where they are themselves longer than
the model's input, they are read in windows and summarised again, as often as it takes; a brief is one sentence, so that there it is
done until one is left. All windows of all dialogues go through the model together, in batches of its token budget, so that memory
does not grow with their length.

A small model that was trained on talk summarises summaries badly, which is why it is done only where they are too long
(docs/long-conversations.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from diasum.config import GenerateSettings, PromptSettings
from diasum.data.encoded import EncodedWindow
from diasum.data.encoding import PairEncoder
from diasum.data.summary import Window
from diasum.data.turns_read import Reading, word_count
from diasum.data.window_summaries import JoinedText, TextOfTurns, house_labels, join, nearest, without_labels
from diasum.data.windows import TurnWindow
from diasum.dialogue import Dialogue, Turn
from diasum.engines import Generated


class WindowSource(NamedTuple):
    """What a model reads of a long dialogue at a time.

    Attributes:
        input_ids: as it reads it.
        dialogue: the whole.
        part: what stands in it, as its reader knows it: turns of the dialogue, or summaries of some of them, names put back.
    """

    input_ids: list[int]
    dialogue: Dialogue
    part: Dialogue


Write = Callable[[list[WindowSource]], list[Generated]]
"""What a model writes for windows, in their order."""


@dataclass(slots=True)
class WindowedSummary:
    """The summary of one long dialogue.

    Attributes:
        dialogue: the whole.
        windows: in which it was read.
        reading: all of it, but for what fits no window.
        parts: what the model wrote last, in order, numbered speakers and all.
        passes: how often the model read and wrote.
        tokens: that it read in all of them.
    """

    dialogue: Dialogue
    windows: tuple[Window, ...]
    reading: Reading
    parts: list[TextOfTurns] = field(default_factory=list)
    passes: int = 0
    tokens: int = 0

    @property
    def cut(self) -> bool:
        """Whether a part reached the length limit before it ended."""
        return any(part.cut for part in self.parts)


def reads_in_windows(generate: GenerateSettings, prompt: PromptSettings) -> bool:
    """Whether too long a dialogue is read in windows: `generate.long`, where ``auto`` is ``cut`` if `prompt.keep` says what is to stay."""
    return generate.long == "windows" or (generate.long == "auto" and prompt.keep == "start")


def summarize_in_windows(
    encoder: PairEncoder, dialogues: Sequence[Dialogue], write: Write, *, closing: str | None = None
) -> list[tuple[WindowedSummary, JoinedText]]:
    """Summarise dialogues of any length.

    Args:
        encoder: of the model.
        dialogues: in which something is said.
        write: the model; called once with all windows of all dialogues, and once more for each time that summaries are too long.
        closing: how the last line of each summary begins, if it has one.

    Returns:
        For each dialogue how it was read, and its summary as its reader gets it.
    """
    jobs: list[WindowedSummary] = []
    reading: list[tuple[WindowedSummary, list[EncodedWindow], list[list[TextOfTurns]]]] = []
    for dialogue in dialogues:
        windows = encoder.encode_windows(dialogue)
        jobs.append(_begun(dialogue, windows))
        of_turns = [[TextOfTurns(turn.text, (turn.id or 0,)) for turn in one.window.turns] for one in windows]
        reading.append((jobs[-1], windows, of_turns))
    while reading:
        _write(encoder, reading, write)
        reading = [again for job, *_ in reading if (again := _again(encoder, job, closing))]
    return [(job, _finished(encoder, job, closing)) for job in jobs]


def _begun(dialogue: Dialogue, windows: list[EncodedWindow]) -> WindowedSummary:
    # Only a turn that fits no window is cut, and that has one by itself.
    lost = sorted({one.window.first for one in windows if one.window.whole and not one.whole})
    words = word_count(dialogue.turns)
    n = len(dialogue.turns)
    reading = Reading(n, ((1, n),), len(lost), words, words - word_count(dialogue.turns[i] for i in lost))
    return WindowedSummary(
        dialogue, tuple(Window(((one.window.first, one.window.last),), one.whole) for one in windows), reading
    )


def _write(
    encoder: PairEncoder,
    reading: list[tuple[WindowedSummary, list[EncodedWindow], list[list[TextOfTurns]]]],
    write: Write,
) -> None:
    """One pass over every window; a job's parts are then what was written of its windows."""
    sources_of_all = [
        WindowSource(one.input_ids, job.dialogue, _part(encoder, job, one.window, inside))
        for job, windows, sources in reading
        for one, inside in zip(windows, sources, strict=True)
    ]
    written = iter(write(sources_of_all))
    for job, windows, sources in reading:
        first = not job.passes
        job.parts = []
        for one, inside in zip(windows, sources, strict=True):
            generated = next(written)
            job.passes += 1
            job.tokens += len(one.input_ids)
            if first:
                job.parts.append(TextOfTurns(generated.text, _all(inside), generated.cut))
            else:
                job.parts.append(
                    TextOfTurns(generated.text, nearest(generated.text, inside), generated.cut, tuple(inside))
                )


def _part(encoder: PairEncoder, job: WindowedSummary, window: TurnWindow, inside: Sequence[TextOfTurns]) -> Dialogue:
    if not job.passes:
        return Dialogue(job.dialogue.turns[window.first : window.last + 1])
    return Dialogue(tuple(Turn("", encoder.finish(job.dialogue, one.text), id=i) for i, one in enumerate(inside)))


def _again(
    encoder: PairEncoder, job: WindowedSummary, closing: str | None
) -> tuple[WindowedSummary, list[EncodedWindow], list[list[TextOfTurns]]] | None:
    """The windows over a job's summaries, where they have to be read again; None where they stand."""
    written = [part for part in job.parts if part.text]
    if len(written) < 2:
        return None
    labels = house_labels([part.text for part in written], closing=closing, speakers=job.dialogue.speakers)
    bare = [replace(part, text=without_labels(part.text, labels) or part.text) for part in written]
    windows = encoder.encode_windows(Dialogue(tuple(Turn("", part.text) for part in bare)), plain=True)
    if len(windows) >= len(written) or (len(windows) == 1 and encoder.settings.length != "brief"):
        return None  # they fit, or reading them again would make them no fewer
    return job, windows, [bare[one.window.first : one.window.last + 1] for one in windows]


def _all(parts: Sequence[TextOfTurns]) -> tuple[int, ...]:
    return tuple(sorted({turn for part in parts for turn in part.turns}))


def _finished(encoder: PairEncoder, job: WindowedSummary, closing: str | None) -> JoinedText:
    """The parts as their reader gets them, names put back, as one text."""
    finished = [
        replace(part, text=text) for part in job.parts if (text := encoder.finish(job.dialogue, part.text).strip())
    ]
    return join(finished, closing=closing, speakers=job.dialogue.speakers)
