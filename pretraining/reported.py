"""Reports of any dialogue in the third person: what each speaker says, wants, asks, told by rule.

In: turns with their speakers. Out: a summary made of the sentences that carry most, in their order, rewritten from "I've lost my key,
can you help me?" to "Dana has lost her key. Dana asks Ben to help her". No corpus with summaries has the breadth of talk that
dialogues have; a base that can report any of them needs only to be taught, by an adapter, which style is wanted. The idea is that of
gap-sentence generation (Zhang et al. 2020, "PEGASUS"), with the person of pronouns and verbs changed so that the report is true.

A sentence that the rules cannot rewrite is left out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pretraining.closing import left_open
from pretraining.speakers import Person, start_upper
from pretraining.third_person import pronoun, split_tail, tell
from pretraining.verbs import STOPWORDS, UNFINISHED

Said = tuple[Person, str]
SENTENCE = re.compile(r"[^.!?]+(?:\.(?=\d|\w\.)[^.!?]+)*[.!?]*")
BROKEN_OFF = re.compile(r"[^.!?]*--[^.!?]*[.!?]*")
TITLES = re.compile(r"\b(Mr|Mrs|Ms|Dr|St)\.")
FILLERS = re.compile(
    r"^(?:(?:oh|ah|uh|um|er|hm+|mm+|well|so|okay|ok|yeah|yes|yep|no|nope|right|sure|alright|all right|anyway|now|and|but|then|look|listen|"
    r"you know|i mean|actually|great|good|fine|cool|perfect|awesome|hi|hello|hey|sorry|excuse me|i'm sorry|of course|please wait|like|man|"
    r"thanks|thank you|oh no|dear|certainly|absolutely|exactly|that's (?:great|right|fine|okay|good))(?:[ ,.!:;-]+|$))+",
    re.I,
)
NOTHING = re.compile(
    r"^(?:thank|thanks|bye|goodbye|good (?:morning|evening|afternoon|night)|have a|you're welcome|welcome|how are you|how can i|see you|"
    r"nice to|how may i|take care|what can i)",
    re.I,
)
CLAUSE = re.compile(r"(?:;|,| -) (?=(?:and|but|so|because|or|which|if|then|though|although)\b)|; | - ")
WANTS = re.compile(
    r"\b(?:want|need|like to|looking for|please|must|have to|decide|agree|will|'ll|problem|because)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Told:
    """One rewritten sentence: who, the predicate after the name, how much it carries, and what it leaves open ("whether ...")."""

    turn: int
    who: Person
    predicate: str
    weight: float
    leaves: str = ""


def sentences(text: str) -> list[str]:
    """Sentences of a turn, without fillers at their start; long ones in clauses; those that break off are left out."""
    text = BROKEN_OFF.sub(" ", re.sub(r"\.\.+|…", ". ", re.sub(r"\s+", " ", text)))
    text = TITLES.sub(r"\1&", text)
    out: list[str] = []
    for match in SENTENCE.findall(text):
        sentence = match.strip().replace("&", ".") if "&" in match else match.strip()
        sentence = FILLERS.sub("", sentence).strip(" -\"'")
        if not sentence or NOTHING.match(sentence):
            continue
        if len(sentence.split()) > 22:
            pieces = CLAUSE.split(sentence)
            kept = pieces[0]
            for piece in pieces[1:]:
                if len((kept + piece).split()) > 20:
                    break
                kept = f"{kept}, {piece}"
            sentence = kept if len(kept.split()) >= 4 else sentence
        if 3 <= len(sentence.split()) <= 28 and split_tail(sentence.split()[-1])[0].lower() not in UNFINISHED:
            out.append(sentence)
    return out


def weigh(sentence: str, turn: int, turns: int) -> float:
    """How much a sentence carries: content words, numbers and names, wishes; the start and the end of a talk count more."""
    words = [split_tail(w)[0] for w in sentence.split()]
    content = [w for w in words if w.lower().split("'")[0] not in STOPWORDS and len(w) > 2]
    weight = min(len(content), 9) + 1.5 * min(3, sum(any(c.isdigit() for c in w) for w in words))
    weight += min(2, sum(w[:1].isupper() for w in words[1:] if not w.startswith("I")))
    weight += 2.0 * bool(WANTS.search(sentence)) + 1.5 * (turn < 2) + 0.7 * (turn >= turns - 2)
    return weight * (0.75 if sentence.endswith("?") else 1.0)


def listener(turns: Sequence[Said], k: int) -> Person:
    """Who is spoken to in turn `k`: the one who spoke before, else who answers."""
    me = turns[k][0]
    others = [p for p, _ in reversed(turns[:k]) if p != me] or [p for p, _ in turns[k + 1 :] if p != me]
    return others[0] if others else me


def report(rng: random.Random, turns: Sequence[Said], max_words: int, *, house_style: bool) -> str:
    """A report of at most `max_words` words, empty where little could be rewritten.

    Args:
        rng: chooses among wordings.
        turns: who speaks, and what they say.
        max_words: of the report, the closing line of the house style not counted.
        house_style: fewer, longer sentences, and at the end what is left open, if anything is.
    """
    alone = len({p.label for p, _ in turns}) == 2
    clauses: list[Told] = []
    for k, (me, text) in enumerate(turns):
        you = listener(turns, k)
        for sentence in sentences(text):
            retold = tell(rng, sentence, me, you, alone=alone)
            if retold and len(retold[0].split()) >= 3:
                clauses.append(Told(k, me, retold[0], weigh(sentence, k, len(turns)), retold[1]))
    closing = ""
    if house_style and len(clauses) > 1:  # what is left open is said there and not told before
        late = [i for i, t in enumerate(clauses) if t.leaves and t.turn >= len(turns) - 3]
        closing = clauses.pop(late[-1]).leaves if late else ""
    chosen: list[int] = []
    words = 0
    for i in sorted(range(len(clauses)), key=lambda i: -clauses[i].weight):
        size = clauses[i].predicate.count(" ") + 2
        if words + size <= max_words:
            chosen.append(i)
            words += size
    if not chosen:
        return ""
    ordered = [clauses[i] for i in sorted(chosen)]
    text = join_long(rng, ordered) if house_style and rng.random() < 0.8 else join(ordered)
    return f"{text} {left_open(rng, [closing])}" if closing else text


def join(told: Sequence[Told]) -> str:
    """Sentences as prose: one person's neighbours are joined or go on with a pronoun."""
    out: list[str] = []
    last: Person | None = None
    joined = False
    for t in told:
        same = last is not None and t.who == last
        if same and not joined and len(out[-1].split()) < 16:
            out[-1] += f" and {t.predicate}"
            joined = True
        else:
            subject = pronoun(t.who) if same else t.who.mention
            out.append(start_upper(f"{subject} {t.predicate}"))
            joined = False
        last = t.who
    return " ".join(s.rstrip(".,;:") + "." for s in out)


def join_long(rng: random.Random, told: Sequence[Told], words: int = 13, most: int = 27) -> str:
    """The same in fewer, longer sentences, as people write summaries: one of fewer than `words` words takes in what comes next."""
    out: list[str] = []
    last: Person | None = None
    linked = False
    for t in told:
        same = last is not None and t.who == last
        size = len(out[-1].split()) if out else words
        if size < words and size + t.predicate.count(" ") < most:
            if not same:
                out[-1] += rng.choice((", and", ", and", ", while", ";")) + f" {t.who.mention} {t.predicate}"
            elif linked:
                out[-1] += f", and {pronoun(t.who)} {t.predicate}"
            else:
                out[-1] += f" and {t.predicate}"
            linked = True
        else:
            out.append(start_upper(f"{pronoun(t.who) if same else t.who.mention} {t.predicate}"))
            linked = False
        last = t.who
    return " ".join(s.rstrip(".,;:") + "." for s in out)
