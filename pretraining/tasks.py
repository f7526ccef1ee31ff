"""Draw pretraining examples: summaries first, and the small reading and copying skills that summaries are made of.

In: the corpora (see `corpora`), a random generator, a bound on length, weights of the task families. Out: `Example`s,
text to text, all in the layout of the product's default prompt, so that one format is learnt.
Everything is composed anew at each draw: speakers renamed, dialogues cropped, summaries phrased differently.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pretraining import sgd_summaries
from pretraining.corpora import Talk, Turn, load
from pretraining.everyday import Everyday, summarize
from pretraining.speakers import Person, cast_many, cast_two, first_name, person_n

SUMMARIZE = "Summarize the following conversation."
SUMMARY = "Summary:"
FAMILIES = ("summary", "reading", "copy", "denoise", "next_turn", "title")
MAX_TARGET_WORDS = 110
Line = tuple[str, str]


@dataclass(frozen=True)
class Example:
    """One text-to-text example; `task` names what it trains, such as `summary/sgd`."""

    source: str
    target: str
    task: str


def render(lines: Sequence[Line]) -> str:
    return "\n".join(f"{speaker}: {text}" for speaker, text in lines)


def frame(first: str, body: str, cue: str) -> str:
    """The layout of the product's default prompt: a task line, a body, a cue, with blank lines between."""
    return f"{first}\n\n{body}\n\n{cue}"


def window(rng: random.Random, turns: Sequence[Turn], max_words: int, *, from_start: float = 0.4) -> Sequence[Turn]:
    """Consecutive whole turns of at most `max_words` words together: all where they fit; else a random stretch."""
    total = sum(t.words for t in turns)
    if total <= max_words:
        return turns
    start = 0 if rng.random() < from_start else rng.randrange(len(turns))
    end, words = start, 0
    while end < len(turns) and words + turns[end].words <= max_words:
        words += turns[end].words
        end += 1
    while start > 0 and words + turns[start - 1].words <= max_words:
        start -= 1
        words += turns[start].words
    return turns[start:end]


class TaskMixture:
    """The mixture of tasks over the allowed corpora.

    Args:
        data_dir: the folder of corpora.
        held_out: draw from the small validation part instead, which training never sees.

    Raises:
        DiasumError: a corpus is absent.
    """

    def __init__(self, data_dir: Path, *, held_out: bool = False) -> None:
        self.data_dir = Path(data_dir)
        self.held_out = held_out
        self.talks = load(self.data_dir, held_out=held_out)
        self.all_talks = [t for talks in self.talks.values() for t in talks]
        self.everyday = Everyday()
        self.makers: dict[str, Callable[[random.Random, int], Example | None]] = {
            "summary": self.summary,
            "reading": self.reading,
            "copy": self.copy,
            "denoise": self.denoise,
            "next_turn": self.next_turn,
            "title": self.title,
        }

    def sample(self, rng: random.Random, *, max_words: int, weights: dict[str, float]) -> Example:
        """One example, its task drawn by `weights` (of `FAMILIES`), its source at most `max_words` words long."""
        names = list(weights)
        shares = list(weights.values())
        while True:
            name = rng.choices(names, shares)[0]
            for _ in range(20):
                example = self.makers[name](rng, max_words)
                if example and example.target and example.source.count(" ") < max_words:
                    return example

    # -- dialogues ---------------------------------------------------------------------------------------------------
    def lines(self, rng: random.Random, max_words: int, least: int = 2) -> list[Line]:
        """A stretch of any dialogue with renamed speakers."""
        while True:
            kind = rng.choices(("everyday", "sgd", "crd3", "star", "taskmaster4", "mts", "meeting"), (4, 4, 2, 2, 1, 1, 1))[0]
            if kind == "everyday":
                return summarize(rng, self.everyday.draw(rng, longest=3), max_words)[0] or self.lines(rng, max_words)
            talk = rng.choice(self.talks[kind])
            turns = window(rng, talk.turns, max_words)
            if len(turns) >= least or max_words < 30:
                if len(turns) >= least:
                    return self.rename(rng, turns)
                max_words += 5

    def rename(self, rng: random.Random, turns: Sequence[Turn]) -> list[Line]:
        labels = list(dict.fromkeys(t.speaker for t in turns))
        people = cast_many(rng, labels)
        return [(people[t.speaker].label, t.text) for t in turns]

    # -- tasks -------------------------------------------------------------------------------------------------------
    def summary(self, rng: random.Random, max_words: int) -> Example | None:
        kinds = ("everyday", "sgd", "crd3", "mts", "qmsum")
        kind = rng.choices(kinds, (50, 42, 10, 5, 2) if max_words >= 150 else (50, 42, 3, 5, 0))[0]
        if kind == "everyday":
            return self.everyday_summary(rng, max_words)
        talk = rng.choice(self.talks[kind])
        if kind == "sgd":
            return self.sgd_summary(rng, talk, max_words)
        return self.written_summary(rng, talk, max_words)

    def everyday_summary(self, rng: random.Random, max_words: int) -> Example | None:
        longest = 1 if max_words < 60 else rng.choice((1, 2, 2, 3, 3)) if max_words < 200 else rng.choice((1, 2, 3, 3, 4))
        lines, target = summarize(rng, self.everyday.draw(rng, longest=longest), max_words - 6)
        return Example(frame(SUMMARIZE, render(lines), SUMMARY), target, "summary/everyday") if target else None

    def sgd_summary(self, rng: random.Random, talk: Talk, max_words: int) -> Example | None:
        turns = window(rng, talk.turns, max_words - 6)
        if not turns:
            return None
        user, system = cast_two(rng)
        if user.label.startswith("#"):
            user, system = (person_n(1), person_n(2)) if turns[0].speaker == "USER" else (person_n(2), person_n(1))
        target = sgd_summaries.compose(rng, turns, user, system, brief=user.label.startswith("#"))
        lines = [((user if t.speaker == "USER" else system).label, t.text) for t in turns]
        return Example(frame(SUMMARIZE, render(lines), SUMMARY), target, "summary/sgd") if target else None

    def written_summary(self, rng: random.Random, talk: Talk, max_words: int) -> Example | None:
        if sum(t.words for t in talk.turns) > max_words - 8 or talk.summary.count(" ") > MAX_TARGET_WORDS:
            return None
        first = talk.query if talk.query else SUMMARIZE
        lines = [(t.speaker, t.text) for t in talk.turns]
        return Example(frame(first, render(lines), SUMMARY), talk.summary, f"summary/{talk.source}")

    def reading(self, rng: random.Random, max_words: int) -> Example | None:
        lines = self.lines(rng, max_words - 18)
        k = rng.randrange(len(lines))
        speaker, text = lines[k]
        if text.count(" ") > 40:
            return None
        kind = rng.randrange(6)
        if kind == 0:
            last = max(i for i, line in enumerate(lines) if line[0] == speaker)
            q, a = f"What does {speaker} say last?", lines[last][1]
        elif kind == 1:
            q, a = "What is the last turn?", f"{lines[-1][0]}: {lines[-1][1]}"
        elif kind == 2:
            q, a = "What is the first turn?", f"{lines[0][0]}: {lines[0][1]}"
        elif kind == 3:
            q, a = f'Who says "{text}"?', speaker
        elif kind == 4:
            head = text.split()[:3]
            q, a = f'Complete the turn that begins "{" ".join(head)}".', text
        else:
            q, a = "Who speaks?", ", ".join(dict.fromkeys(s for s, _ in lines))
        return Example(frame("Answer the question about the following conversation.", render(lines), q), a, "reading/simple")

    def copy(self, rng: random.Random, max_words: int) -> Example | None:
        n = rng.randint(2, max(3, min(12, max_words // 3)))
        names = [first_name(rng)[0] for _ in range(n)]
        if rng.random() < 0.5:
            return Example(frame("Repeat the following words.", " ".join(names), "Repeat:"), " ".join(names), "copy/repeat")
        names = list(dict.fromkeys(names))
        values = [str(rng.randint(1, 99)) for _ in names]
        body = "\n".join(f"{k}: {v}" for k, v in zip(names, values, strict=True))
        k = rng.randrange(len(names))
        return Example(frame("Answer from the following list.", body, f"What does {names[k]} have?"), values[k], "copy/lookup")

    def denoise(self, rng: random.Random, max_words: int) -> Example | None:
        words = render(self.lines(rng, max_words - 8)).replace("\n", " \n ").split(" ")
        source: list[str] = []
        target: list[str] = []
        sentinel = 0
        k = 0
        while k < len(words):
            if rng.random() < 0.05 and sentinel < 99 and words[k] != "\n":
                n = rng.randint(1, 5)
                span = words[k : k + n]
                if "\n" in span:
                    span = span[: span.index("\n")]
                source.append(f"<extra_id_{sentinel}>")
                target += [f"<extra_id_{sentinel}>", *span]
                sentinel += 1
                k += len(span)
            else:
                source.append(words[k])
                k += 1
        if not sentinel:
            return None
        body = " ".join(source).replace(" \n ", "\n")
        return Example(frame("Fill in what is missing.", body, "Missing:"), " ".join(target), "denoise/words")

    def next_turn(self, rng: random.Random, max_words: int) -> Example | None:
        lines = self.lines(rng, max_words)
        if lines[-1][1].count(" ") > 50:
            return None
        return Example(
            frame("Continue the following conversation.", render(lines[:-1]), "Next turn:"),
            f"{lines[-1][0]}: {lines[-1][1]}",
            "next_turn/any",
        )

    def title(self, rng: random.Random, max_words: int) -> Example | None:
        talk = rng.choice(self.talks["sgd"])
        lines = self.rename(rng, window(rng, talk.turns, max_words - 10))
        names = dict.fromkeys(a.service.split("_")[0].lower() for t in talk.turns for a in t.acts if a.service)
        if len(names) != 1 or not lines:
            return None
        return Example(frame("Give the following conversation a short title.", render(lines), "Title:"), *names, "title/sgd")

    # -- for the tokenizer and for validation ------------------------------------------------------------------------
    def iter_text(self) -> Iterator[str]:
        """All text once: dialogues as they are or with renamed speakers, and summaries; for the tokenizer."""
        rng = random.Random(0)
        for talk in self.all_talks:
            lines = [(t.speaker, t.text) for t in talk.turns] if rng.random() < 0.4 else self.rename(rng, talk.turns)
            yield render(lines)
            if talk.summary:
                yield talk.summary
        for _ in range(20000):
            example = self.summary(rng, 350)
            if example:
                yield example.target

    def held_out_pairs(self, n: int, seed: int) -> list[Example]:
        """`n` summarisation examples of the validation part."""
        mixture = self if self.held_out else TaskMixture(self.data_dir, held_out=True)
        rng = random.Random(seed)
        return [mixture.sample(rng, max_words=350, weights={"summary": 1.0}) for _ in range(n)]
