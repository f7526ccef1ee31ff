"""Negations that turn a dialogue's words round, found with care: most real flips are paraphrased and cannot be seen by rules.

A summary's "does not buy the shirt" is flagged where turns speak of buying the shirt and no negative word of any kind is near them;
"likes the shirt" is flagged where the only thing the turns say with that verb is "don't like", about the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from diasum.claims.lexicon import STOPWORDS, words
from diasum.dialogue import Dialogue

_AUXILIARY = "do|does|did|is|are|was|were|am|will|would|can|could|should|has|have|had|must|need|may|might"
_SUMMARY_NEGATION = re.compile(
    rf"\b(?:(?:{_AUXILIARY})(?:n['’]t|\s+not)|cannot|can['’]t|won['’]t|shan['’]t|refuses?\s+to|declines?\s+to|never)\s+"
    r"(?P<rest>[^.,;:!?\n]+)",
    re.I,
)
_CLAUSE_END = re.compile(
    r"\b(?:and|but|because|so|since|as|when|while|although|though|if|unless|until|or|that|before|after|which|who)\b",
    re.I,
)
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[.!?]")
NEGATORS = words(
    "not no never cannot cant dont doesnt didnt isnt wasnt wont wouldnt couldnt shouldnt don doesn didn isn aren wasn weren won "
    "wouldn couldn shouldn hasn haven hadn mustn needn ain neither nor none nothing nobody nowhere without hardly barely rarely seldom "
    "t nope nah"
)
# Words that make a negative paraphrase possible; where one is near, nothing is flagged.
_NEGATIVE = NEGATORS | words(
    "sorry afraid unfortunately hate hates hated dislike refuse refused refuses decline declined unable impossible difficult "
    "forget forgot forgotten fail failed fails miss missed lack lacked stop stopped quit avoid wrong worse less deny denied denies "
    "reject rejected unlikely doubt lost lose broken closed sold cancel cancelled canceled pity terrible awful ridiculous silly "
    "joking kidding another wouldn shouldn"
)  # fmt: skip
_TURNED = _NEGATIVE | words(
    "hard rather instead than but too only except unless if little few"
)  # a summary's own ways to deny
_OVERLAP = 0.5  # share of a negated clause's content words that one sentence of the dialogue must have


@dataclass(frozen=True, slots=True)
class Flip:
    """A stretch of a summary whose negation the dialogue contradicts."""

    start: int
    end: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Sentence:
    turn: int
    stems: frozenset[str]
    negative: bool  # any negative word
    question: bool
    denied: frozenset[str]  # stems of verbs right after a negator
    affirmed: frozenset[str]  # stems further than three words from any


class Clauses:
    """A dialogue's sentences with what they deny and affirm, made when first needed."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    @cached_property
    def sentences(self) -> list[_Sentence]:
        """In order, over all turns."""
        return [s for i, turn in enumerate(self._dialogue.turns) for s in _read(turn.text, i)]

    @cached_property
    def near_negators(self) -> frozenset[str]:
        """Stems of the three words after each negator: a quick look before sentences are read."""
        tokens = " ".join(turn.text for turn in self._dialogue.turns).lower().replace("’", "'").split()
        where = [i for i, token in enumerate(tokens) if token in NEGATORS or token.endswith(("n't", "'t"))]
        after = {token.strip(".,!?;:'\"") for i in where for token in tokens[i + 1 : i + 4]}
        return frozenset(stem(word) for word in after - STOPWORDS)

    @cached_property
    def only_denied(self) -> dict[str, list[int]]:
        """Verb stems that occur only denied, outside questions, with the indices of the sentences that do it."""
        denied: dict[str, list[int]] = {}
        affirmed: set[str] = set()
        for i, sentence in enumerate(self.sentences):
            affirmed |= sentence.stems if sentence.question else sentence.affirmed
            for verb in () if sentence.question else sentence.denied:
                denied.setdefault(verb, []).append(i)
        return {verb: where for verb, where in denied.items() if verb not in affirmed}


def _read(text: str, turn: int) -> Iterator[_Sentence]:
    words: list[str] = []
    for token in [*_TOKEN.findall(text.lower()), "."]:
        if token not in (".", "!", "?"):
            words.extend(token.replace("’", "'").split("'"))
            continue
        if words:
            yield _sentence(words, turn, token == "?")
        words = []


def _sentence(words: list[str], turn: int, question: bool) -> _Sentence:
    stems = [stem(word) for word in words]
    denied: set[str] = set()
    near: set[int] = set()
    for i, word in enumerate(words):
        if word in NEGATORS:
            near.update(range(i, i + 4))
            step = next((j for j in range(i + 1, min(i + 4, len(words))) if words[j] not in STOPWORDS), None)
            if step is not None and word not in ("no", "without", "none", "neither", "nor"):
                denied.add(stems[step])
    content = {s for word, s in zip(words, stems, strict=True) if word not in STOPWORDS}
    affirmed = frozenset(s for i, s in enumerate(stems) if i not in near and s in content)
    return _Sentence(
        turn, frozenset(content), not _NEGATIVE.isdisjoint(words), question, frozenset(denied) & content, affirmed
    )


def flips(summary: str, clauses: Clauses) -> list[Flip]:
    """The negations of a summary that its dialogue contradicts, and the denials that a summary leaves out."""
    added = []
    spans = []
    for match in _SUMMARY_NEGATION.finditer(summary):
        spans.append(match.span())
        rest = _CLAUSE_END.split(match["rest"], maxsplit=1)[0].rstrip()
        if (flip := _added(match.start(), match.start("rest") + len(rest), rest, summary, clauses)) is not None:
            added.append(flip)
    return added + list(_removed(summary, clauses))


def _added(start: int, end: int, rest: str, summary: str, clauses: Clauses) -> Flip | None:
    content = {
        stem(word) for word in re.findall(r"[^\W_]+", rest.lower()) if word not in STOPWORDS and not word.isdigit()
    }
    if not content:
        return None
    overlaps = [len(content & sentence.stems) for sentence in clauses.sentences]
    best = max(overlaps, default=0)
    if not best or best < _OVERLAP * len(content):
        return None
    turns = {clauses.sentences[i].turn for i, overlap in enumerate(overlaps) if overlap}
    around = {turn + step for turn in turns for step in (0, 1)}
    if any(sentence.negative for sentence in clauses.sentences if sentence.turn in around):
        return None
    return Flip(start, end, summary[start:end], "The turns about this contain no negation.")


def _removed(summary: str, clauses: Clauses) -> Iterator[Flip]:
    if clauses.near_negators.isdisjoint(stem(word) for word in re.findall(r"[^\W_]+", summary.lower())):
        return
    if not clauses.only_denied:
        return
    for sentence in re.finditer(r"[^.!?;\n]+", summary):
        words = [(match.group(), match.start(), match.end()) for match in re.finditer(r"[^\W_]+", sentence.group())]
        lowered = [word.lower() for word, _, _ in words]
        if not _TURNED.isdisjoint(lowered):
            continue
        stems = [stem(word) for word in lowered]
        content = {s for s, word in zip(stems, lowered, strict=True) if word not in STOPWORDS}
        for (word, a, b), s in zip(words, stems, strict=True):
            if s not in content or s not in clauses.only_denied:
                continue
            shared = max(len(content & clauses.sentences[i].stems) for i in clauses.only_denied[s])
            if shared >= 3:
                begin = sentence.start()
                yield Flip(begin + a, begin + b, word, f"The turns only deny it (“not … {word}”).")
                break


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A light English stem: plural, -ed, -ing, doubled consonants and a final e go ("buying", "buys", "stopped" -> "buy", "stop")."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith("ied"):
        return word[:-3] + "y"
    for suffix in ("ing", "ed"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            return word.removesuffix("e")
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
        if word.endswith(("she", "che", "xe", "sse")):
            word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


_IRREGULAR = dict(
    pair.split(">", 1)
    for pair in words(
        "bought>buy left>leav leaving>leav sold>sell paid>pay met>meet found>find came>com went>go ate>eat drove>driv wrote>writ "
        "written>writ spoke>speak heard>hear brought>bring thought>think taught>teach slept>sleep lent>lend spent>spend sent>send "
        "held>hold kept>keep lost>los won>win began>begin begun>begin chose>choos chosen>choos broke>break children>child"
    )
)
