"""Draw pretraining examples: summaries first, and the small reading and copying skills that summaries are made of.

In: the corpora (`corpora`), the everyday grammars (`everyday`), a random generator, a bound on length, weights of the
task families. Out: `Example`s, text to text, all in the layout of the product's default prompt, so that one format is
learnt. Everything is composed anew at each draw: speakers renamed, dialogues cropped, summaries phrased differently.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pretraining import reading, reported, service_summaries, sgd_summaries, written
from pretraining.corpora import Talk, Turn, load
from pretraining.everyday import Everyday, summarize
from pretraining.invented import PLACES, POSTS
from pretraining.reading import Line, render
from pretraining.sgd_domains import DOMAINS, SERVICES, SLOTS
from pretraining.sgd_facts import NOUNS
from pretraining.speakers import PAIRS_OF_ROLES, Person, cast_many, cast_two, first_name, known, person_n, start_upper

SUMMARIZE = "Summarize the following conversation."
SUMMARY = "Summary:"
RETELL = "Retell the following conversation in the third person."
QUOTE = "Say who says what in the following conversation."
FAMILIES = ("written", "summary", "report", "reading", "copy", "denoise", "next_turn", "title")
MAX_TARGET_WORDS = 110
HELD_OUT_SCENARIOS = ("grades", "customs", "neighbour_noise", "thank_gift")
SHARES = {"everyday": 47.0, "sgd": 38.0, "star": 4.0, "mts": 5.0, "taskmaster4": 2.0, "crd3": 5.0, "qmsum": 3.0}
REPORTED = {
    "everyday": 5.0,
    "crd3": 5.0,
    "meeting": 3.0,
    "qmsum": 1.0,
    "star": 1.0,
    "taskmaster4": 0.5,
    "sgd": 2.5,
    "mts": 1.5,
}
WHOLE = 0.55  # of the reports tell all that is said
QUOTED = 0.4  # of those do it word by word
ALL_LINES = {"everyday": 5.0, "sgd": 4.0, "crd3": 2.0, "star": 2.0, "taskmaster4": 0.5, "mts": 1.0, "meeting": 1.0}


@dataclass(frozen=True)
class Example:
    """One text-to-text example; `task` names what it trains, such as `summary/sgd`."""

    source: str
    target: str
    task: str


def frame(first: str, body: str, cue: str) -> str:
    """The layout of the product's default prompt: a task line, a body, a cue, with blank lines between."""
    return f"{first}\n\n{body}\n\n{cue}"


def window(rng: random.Random, turns: Sequence[Turn], max_words: int, *, from_start: float = 0.5) -> Sequence[Turn]:
    """Consecutive whole turns of at most `max_words` words together: all where they fit; else a random stretch."""
    if sum(t.words for t in turns) <= max_words:
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
    """The mixture of tasks over the allowed corpora and grammars.

    Args:
        data_dir: the folder of corpora.
        held_out: draw from the small validation part instead, which training never sees.
        written_share: the share of the dialogues with written summaries to draw from, so that more and less data can be compared.

    Raises:
        DiasumError: a corpus is absent, or a grammar cannot be read.
    """

    def __init__(self, data_dir: Path, *, held_out: bool = False, written_share: float = 1.0) -> None:
        self.data_dir = Path(data_dir)
        self.held_out = held_out
        self.talks = load(self.data_dir, held_out=held_out)
        self.talks["sgd"] = [t for t in self.talks["sgd"] if all(SERVICES.get(s) for s in t.topics)]
        self.everyday = Everyday()
        kept = [s for s in self.everyday.scenarios if (s.name in HELD_OUT_SCENARIOS) == held_out]
        self.everyday.scenarios = kept
        self.everyday.private = [s for s in self.everyday.private if s in kept]
        self.words = vocabulary(t.text for talks in self.talks.values() for talk in talks[:1500] for t in talk.turns)
        self.written = written.WrittenSummaries(written.load(self.data_dir, held_out=held_out, share=written_share))
        self.makers: dict[str, Callable[[random.Random, int], Example | None]] = {
            "written": self.written_summary,
            "summary": self.summary,
            "report": self.report,
            "reading": self.reading,
            "copy": self.copy,
            "denoise": self.denoise,
            "next_turn": self.next_turn,
            "title": self.title,
        }

    def sample(self, rng: random.Random, *, max_words: int, weights: dict[str, float]) -> Example:
        """One example, its task drawn by `weights` (of `FAMILIES`), its source at most `max_words` words long."""
        names, shares = list(weights), list(weights.values())
        while True:
            maker = self.makers[rng.choices(names, shares)[0]]
            for _ in range(20):
                example = maker(rng, max_words)
                if example and example.target and len(example.source.split()) <= max_words:
                    return example

    # -- dialogues ---------------------------------------------------------------------------------------------------
    def lines(self, rng: random.Random, max_words: int) -> list[Line]:
        """A stretch of at least two turns of any dialogue, its speakers renamed; a little over `max_words` if need be."""
        max_words = max(12, max_words)
        while True:
            kind = rng.choices(list(ALL_LINES), list(ALL_LINES.values()))[0]
            if kind == "everyday":
                longest = 1 if max_words < 60 else 3
                lines, _ = summarize(rng, self.everyday.draw(rng, longest=longest), max_words)
            else:
                lines = self.rename(rng, window(rng, rng.choice(self.talks[kind]).turns, max_words))
            if len(lines) >= 2:
                return lines
            max_words += 2

    def rename(self, rng: random.Random, turns: Sequence[Turn]) -> list[Line]:
        people = cast_many(rng, list(dict.fromkeys(t.speaker for t in turns)))
        return [(people[t.speaker].label, t.text) for t in turns]

    def named_lines(self, rng: random.Random, turns: Sequence[Turn], client: str) -> tuple[list[Line], Person, Person]:
        """The turns of a service dialogue with new names, some of them spoken too, and who is client and who serves."""
        user, system = cast_two(rng, PAIRS_OF_ROLES["service"])
        if user.label.startswith("#"):
            first, second = person_n(1), person_n(2)
            user, system = (first, second) if turns[0].speaker == client else (second, first)
        lines = [((user if t.speaker == client else system).label, t.text) for t in turns]
        if rng.random() < 0.25:
            speaker = user if turns[0].speaker == client else system
            name = speaker.call or first_name(rng)[0]
            hello = rng.choice(
                ("Hi, this is {}. ", "Hello, I'm {}. ", "My name is {}. ", "This is {} speaking. ")
            ).format(name)
            text = re.sub(r"^(?:Hi|Hello|Hey)(?: there)?[,.!]? ", "", lines[0][1])
            lines[0] = (lines[0][0], hello + start_upper(text))
            if speaker.label.startswith("#") and rng.random() < 0.6:  # a summary may then use the name
                known = replace(speaker, mention=name)
                user, system = (known, system) if speaker is user else (user, known)
        for k, (label, text) in enumerate(lines):
            other = system if label == user.label else user
            if other.call and rng.random() < 0.15:
                lines[k] = (label, re.sub(r"\b(Thanks|Thank you)(?=[.,!])", rf"\1, {other.call}", text, count=1))
        return lines, user, system

    # -- summaries written for the project ---------------------------------------------------------------------------
    def written_summary(self, rng: random.Random, max_words: int) -> Example | None:
        asked = self.written.draw(rng, max_words - 10)  # the prompt's own words
        if asked is None:
            return None
        first = written.BRIEFLY if asked.brief else SUMMARIZE
        return Example(frame(first, asked.body, SUMMARY), asked.target, asked.task)

    # -- summaries ---------------------------------------------------------------------------------------------------
    def summary(self, rng: random.Random, max_words: int) -> Example | None:
        kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
        if kind == "everyday":
            longest = (
                1 if max_words < 60 else rng.choice((1, 2, 2, 3)) if max_words < 180 else rng.choice((1, 2, 3, 3, 4))
            )
            lines, target = summarize(rng, self.everyday.draw(rng, longest=longest), max_words - 6)
            return Example(frame(SUMMARIZE, render(lines), SUMMARY), target, "summary/everyday") if target else None
        talk = rng.choice(self.talks[kind])
        if kind in ("sgd", "star", "taskmaster4"):
            return self.service_summary(rng, talk, max_words)
        return self.corpus_summary(rng, talk, max_words)

    def service_summary(self, rng: random.Random, talk: Talk, max_words: int) -> Example | None:
        """A summary composed of the acts of the turns shown."""
        turns = window(rng, talk.turns, max_words - 10)
        if talk.source != "sgd" and len(turns) < len(talk.turns):
            turns = talk.turns[: len(turns)]
        if not turns or sum(t.words for t in turns) > max_words - 6:
            return None
        client = {"sgd": "USER", "star": "User", "taskmaster4": "user"}[talk.source]
        lines, user, system = self.named_lines(rng, turns, client)
        if talk.source == "sgd":
            target = sgd_summaries.compose(rng, turns, user, system, brief=user.label.startswith("#"))
        else:
            compose = service_summaries.star if talk.source == "star" else service_summaries.coffee
            target = compose(rng, turns, user, system)
        return Example(frame(SUMMARIZE, render(lines), SUMMARY), target, f"summary/{talk.source}") if target else None

    def corpus_summary(self, rng: random.Random, talk: Talk, max_words: int) -> Example | None:
        """A pair of a corpus whose summaries people wrote."""
        if sum(t.words for t in talk.turns) > max_words - 8 or talk.summary.count(" ") > MAX_TARGET_WORDS:
            return None
        lines, target = [(t.speaker, t.text) for t in talk.turns], talk.summary
        if talk.source == "mts" and rng.random() < 0.5:
            lines, target = rename_patient(rng, talk)
        return Example(frame(talk.query or SUMMARIZE, render(lines), SUMMARY), target, f"summary/{talk.source}")

    def report(self, rng: random.Random, max_words: int) -> Example | None:
        """Any dialogue, told in the third person by rule: in short, at more length, or in the house style.

        About half are told whole, so that a target is nearly as long as its source: more to learn from each token read. Some of these
        quote every turn, `Ana says "Lunch at one?"`: going from turn to turn and naming who speaks comes before rewording.
        """
        whole = rng.random() < WHOLE
        if whole:
            max_words = min(max_words, 130)
        kind = rng.choices(list(REPORTED), list(REPORTED.values()))[0]
        said = self.everyday_said(rng, max_words - 8) if kind == "everyday" else self.said(rng, kind, max_words - 8)
        if not 2 <= len({p.label for p, _ in said}) <= 6:
            return None
        words = sum(text.count(" ") + 2 for _, text in said)
        house_style = rng.random() < 0.35
        short = not house_style and rng.random() < 0.6
        longest = min(32, max(12, words // 5)) if short else min(75, max(16, words * 2 // 5))
        body = render([(p.label, text) for p, text in said])
        if whole and rng.random() < QUOTED:
            target = " ".join(f'{start_upper(p.mention)} says "{text}"' for p, text in said)
            short_enough = target.count(" ") < MAX_TARGET_WORDS
            return Example(frame(QUOTE, body, "Said:"), target, f"report/{kind}-quoted") if short_enough else None
        if whole:
            target = reported.report(rng, said, MAX_TARGET_WORDS, house_style=False)
            return Example(frame(RETELL, body, "Retold:"), target, f"report/{kind}-whole") if target else None
        target = reported.report(rng, said, longest, house_style=house_style)
        return Example(frame(SUMMARIZE, body, SUMMARY), target, f"report/{kind}") if target else None

    def said(self, rng: random.Random, kind: str, max_words: int) -> list[tuple[Person, str]]:
        """A stretch of a corpus's dialogue, its speakers renamed, sometimes one of them to a post such as "Ferry Desk"."""
        turns = window(rng, rng.choice(self.talks[kind]).turns, max_words)
        people = cast_many(rng, list(dict.fromkeys(t.speaker for t in turns)))
        if turns and not people[turns[0].speaker].label.startswith("#") and rng.random() < 0.25:
            post = f"{rng.choice(PLACES)} {rng.choice(POSTS)}" if rng.random() < 0.6 else rng.choice(POSTS)
            people[rng.choice(list(people))] = Person(post, f"the {post}" if rng.random() < 0.7 else post)
        return [(people[t.speaker], t.text) for t in turns]

    def everyday_said(self, rng: random.Random, max_words: int) -> list[tuple[Person, str]]:
        """A dialogue of the everyday grammars with its own speakers: they call each other by name."""
        lines, _ = summarize(rng, self.everyday.draw(rng, longest=1 if max_words < 60 else 3), max_words)
        return [(known(label), text) for label, text in lines]

    # -- reading, copying, filling in --------------------------------------------------------------------------------
    def reading(self, rng: random.Random, max_words: int) -> Example | None:
        if rng.random() < 0.12:
            return self.slot_question(rng, max_words)
        asked = reading.read(rng, self.lines(rng, max_words - 16))
        if asked is None:
            return None
        name, (first, body, cue, answer) = asked
        return Example(frame(first, body, cue), answer, f"reading/{name}")

    def slot_question(self, rng: random.Random, max_words: int) -> Example | None:
        """Ask for a value that SGD's acts mark: `What is the city?`."""
        turns = window(rng, rng.choice(self.talks["sgd"]).turns, max_words - 16)
        found: dict[str, set[str]] = {}
        for act in (a for t in turns for a in t.acts if a.act in ("INFORM", "OFFER", "CONFIRM") and a.values):
            slot = SLOTS.get(act.service, {}).get(act.slot, act.slot)
            if slot in NOUNS and slot != "count" and act.values[0] not in ("True", "False", "dontcare"):
                found.setdefault(slot, set()).add(act.values[0])
        clear = [(slot, *values) for slot, values in found.items() if len(values) == 1]
        if not clear:
            return None
        slot, value = rng.choice(clear)
        body = render(self.rename(rng, turns))
        return Example(frame(reading.ASK, body, f"What is {NOUNS[slot]}?"), value, "reading/slot")

    def copy(self, rng: random.Random, max_words: int) -> Example | None:
        name, (first, body, cue, answer) = reading.copy(rng, self.words, max_words - 6)
        return Example(frame(first, body, cue), answer, f"copy/{name}")

    def denoise(self, rng: random.Random, max_words: int) -> Example | None:
        """T5's span corruption: 15% of the words in spans of about three, or whole turns."""
        lines = self.lines(rng, max_words - 8)
        if rng.random() < 0.2 and len(lines) > 2:
            return masked_turns(rng, lines)
        words = render(lines).replace("\n", " \n ").split(" ")
        source: list[str] = []
        target: list[str] = []
        sentinel = k = 0
        while k < len(words):
            if rng.random() < 0.055 and sentinel < 99 and words[k] != "\n":
                span = words[k : k + rng.randint(1, 5)]
                span = span[: span.index("\n")] if "\n" in span else span
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
        if len(lines[-1][1].split()) > 50:
            return None
        body = render(lines[:-1])
        return Example(
            frame("Continue the following conversation.", body, "Next turn:"), ": ".join(lines[-1]), "next_turn/any"
        )

    def title(self, rng: random.Random, max_words: int) -> Example | None:
        """What a dialogue is about, in a few words."""
        first, cue = "Give the following conversation a short title.", "Title:"
        if rng.random() < 0.6:
            dialogue = self.everyday.draw(rng)
            lines, _ = summarize(rng, dialogue, max_words - 10)
            return Example(frame(first, render(lines), cue), dialogue.title, "title/everyday") if lines else None
        turns = window(rng, rng.choice(self.talks["sgd"]).turns, max_words - 10)
        domains = dict.fromkeys(SERVICES[a.service] for t in turns for a in t.acts if a.service)
        if not 1 <= len(domains) <= 2:
            return None
        title = " and ".join(DOMAINS[d].title for d in domains)
        return Example(frame(first, render(self.rename(rng, turns)), cue), title, "title/sgd")

    # -- for the tokenizer and for validation ------------------------------------------------------------------------
    def iter_text(self) -> Iterator[str]:
        """All text once: dialogues as they are or with renamed speakers, and summaries; for the tokenizer."""
        rng = random.Random(0)
        for talks in self.talks.values():
            for talk in talks:
                yield render(
                    [(t.speaker, t.text) for t in talk.turns] if rng.random() < 0.4 else self.rename(rng, talk.turns)
                )
                if talk.summary:
                    yield talk.summary
        for _ in range(30_000):
            lines, target = summarize(rng, self.everyday.draw(rng, longest=2), 350)
            yield render(lines)
            yield target
            example = self.service_summary(rng, rng.choice(self.talks["sgd"]), 350)
            if example:
                yield example.target

    def held_out_pairs(self, n: int) -> list[Example]:
        """`n` conversations that are held out, with their written summaries; always the same ones."""
        dialogues = self.written.dialogues if self.held_out else written.load(self.data_dir, held_out=True)
        chosen = sorted((d for d in dialogues if d.kind == "written"), key=lambda d: d.id)[:n]
        return [Example(frame(SUMMARIZE, d.body, SUMMARY), d.summary, "written/written") for d in chosen]


def vocabulary(texts: Iterator[str]) -> list[str]:
    """Words that occur at least three times, for the copying tasks."""
    counts = Counter(w.strip(".,?!\"'()") for text in texts for w in text.split())
    return sorted(w for w, n in counts.items() if n >= 3 and w and w[0].isalnum() and len(w) < 20)


def masked_turns(rng: random.Random, lines: Sequence[Line]) -> Example:
    """One or two whole turns are masked."""
    picked = sorted(rng.sample(range(len(lines)), 1 if len(lines) < 8 or rng.random() < 0.6 else 2))
    shown = [(s, f"<extra_id_{picked.index(k)}>" if k in picked else t) for k, (s, t) in enumerate(lines)]
    target = " ".join(f"<extra_id_{k}> {lines[at][1]}" for k, at in enumerate(picked))
    return Example(frame("Fill in what is missing.", render(shown), "Missing:"), target, "denoise/turns")


def rename_patient(rng: random.Random, talk: Talk) -> tuple[list[Line], str]:
    """A visit to the doctor with names or numbers for labels; the summary's "the patient" follows."""
    low = f" {talk.summary.lower()} "
    gender = (
        "f" if " she " in low or " her " in low or "female" in low else "m" if " he " in low or " his " in low else ""
    )
    people = cast_many(rng, list(dict.fromkeys(t.speaker for t in talk.turns)))
    patient = people.get("Patient")
    if patient and not patient.label.startswith("#"):
        name = first_name(rng, gender)[0]
        patient = people["Patient"] = Person(name, name, name)
    target = re.sub(r"\b[Tt]he patient\b", patient.mention, talk.summary) if patient else talk.summary
    return [(people[t.speaker].label, t.text) for t in talk.turns], target
