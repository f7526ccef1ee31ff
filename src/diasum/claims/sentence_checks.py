"""Is each sentence of a summary supported by its dialogue? By rules and a few weights; no other model.

In: a summary and a `Dialogue`. Out: for each sentence ``supported``, ``check``, ``unsupported`` or ``not checked``, with reasons, and for
the summary a review flag. Names, numbers, dates and some negations are checked as facts (`diasum.claims.support`). Beyond these, what
speaks for and against a sentence (`diasum.claims.sentence_features`) is weighed by boosted decision trees (Friedman 2001), some for each
of the ways in which a sentence can be wrong. The trees, the thresholds and the calibration of the flag are generated
(``benchmarks/support_weights.py``) and stand with their corpora, numbers and date in ``sentence_weights.json``. English only. "Supported"
says that nothing was found against a sentence, not that it is true; ``docs/faithfulness.md`` has both rates.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from diasum.claims.attribution import People
from diasum.claims.heard import Word
from diasum.claims.judgement import Judge, Judgement, log_odds_wrong
from diasum.claims.language import english_share, is_english, sampled_words
from diasum.claims.orientation import Orientation
from diasum.claims.sentence_features import NAMES, Features, Learnt, Rarity, read_sentences
from diasum.claims.sentences import sentence_spans
from diasum.claims.support import Evidence
from diasum.dialogue import Dialogue

Verdict = Literal["supported", "check", "unsupported", "not checked"]
VERDICTS: tuple[Verdict, ...] = ("supported", "check", "unsupported", "not checked")
WAYS = ("invented", "reversed", "negated", "misplaced", "miscounted")  # in which a sentence can be wrong
WEIGHTS = "sentence_weights.json"
_FEWEST_WORDS = 5  # of a text that has a common word, if it is English
_SHOWN = 4  # words in a reason
_NOT_ENGLISH = "not in English, which is all that the rules know"
_NO_TURNS = "nothing is said in the conversation"
_NO_WORDS = "no words that a turn would have to say"
# What a judge finds of a sentence that is wrong in some way; None: it does not say in which.
_JUDGED: dict[str | None, str] = {
    "invented": "The conversation does not say so",
    "reversed": "Somebody else says or does this, or it is the other way round",
    "negated": "The conversation says the opposite",
    "misplaced": "It joins what does not belong together in the conversation",
    "miscounted": "A number, time or amount in it is another one, or of something else",
    None: "The conversation does not support it",
}
_NO_SPEAKERS = "Who says and does what was not checked: the conversation names no speakers."


@dataclass(frozen=True, slots=True)
class SentenceCheck:
    """What was found of one sentence.

    Attributes:
        start, end: its character offsets in the summary.
        verdict: one of `VERDICTS`.
        reasons: for readers, each a sentence: what speaks against it, or why it was not checked; none where it is supported.
        score: log-odds that it is wrong in some way, facts left aside; None where it was not checked.
        way: one of `WAYS`, in which it is most likely wrong; None unless it is flagged for that.
        fact: whether a name, number, date or denial in it is unsupported.
    """

    start: int
    end: int
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    score: float | None = None
    way: str | None = None
    fact: bool = False

    @property
    def flagged(self) -> bool:
        """Whether a reader should look at it."""
        return self.verdict in ("check", "unsupported")


@dataclass(frozen=True, slots=True)
class SummaryCheck:
    """What was found of a summary.

    Attributes:
        sentences: in order.
        review: the review flag, 0 to 1: how likely it is that a sentence is wrong, were one summary in five; None where no sentence
            was checked.
        not_checked: what was not checked, each a sentence.
    """

    sentences: tuple[SentenceCheck, ...]
    review: float | None
    not_checked: tuple[str, ...] = ()


class Checker:
    """A dialogue prepared for checking; worth keeping when several summaries of one dialogue are checked.

    Args:
        dialogue: of the summaries.
        english: whether the rules can be used; told from dialogue and summary when not given.
        weights: the shipped ones when not given.
        judge: a model that is asked beside the rules.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        *,
        english: bool | None = None,
        weights: Weights | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._facts = Evidence(dialogue)
        self._dialogue = dialogue
        self._people = People(dialogue)
        self._english = english
        self._weights = weights
        self._judge = judge
        self._judgements: dict[tuple[frozenset[int], str], Judgement] = {}  # candidates of one summary share sentences
        self._talk_is_english = english is None and is_english([turn.text for turn in dialogue.turns])

    def check(self, summary: str, within: Sequence[frozenset[int]] | None = None) -> SummaryCheck:
        """As `check_summary`.

        Args:
            summary: its text.
            within: for each sentence the ids of the turns that it is about, as those of its window; empty: all. Words elsewhere do not
                support it. Facts are looked for everywhere.
        """
        spans = sentence_spans(summary)
        reason = _NO_TURNS if self._dialogue.is_empty else _NOT_ENGLISH
        english = self._talk_is_english and _looks_english(summary) if self._english is None else self._english
        if self._dialogue.is_empty or not english:
            none = tuple(SentenceCheck(a, b, "not checked", (f"Not checked: {reason}.",)) for a, b in spans)
            return SummaryCheck(none, None, (f"Not checked: {reason}.",) if spans else ())
        weights = self._weights or load_weights()
        found = self._facts.check(summary)
        texts, parts = [summary[a:b] for a, b in spans], within or [frozenset()] * len(spans)
        read, judged = self._read(texts, parts, weights.learnt), self._judged(texts, parts)
        sentences = []
        for (start, end), (features, words), judgement in zip(spans, read, judged, strict=True):
            facts = tuple(one.reason for one in found if start <= one.start < end)
            sentence = self._sentence(start, end, facts, features, words, weights)
            sentences.append(sentence if judgement is None else self._with(judgement, sentence, facts))
        empty = sum(one.verdict == "not checked" for one in sentences)
        notes = [f"{empty} of {len(sentences)} sentences have {_NO_WORDS} and were not checked."] if empty else []
        if not self._dialogue.speakers:
            notes.append(_NO_SPEAKERS)
        calibration = self._judge.calibration if self._judge else None
        return SummaryCheck(
            tuple(sentences), review(sentences, calibration.flag if calibration else weights.flag), tuple(notes)
        )

    def _read(
        self, sentences: Sequence[str], within: Sequence[frozenset[int]], learnt: Learnt
    ) -> list[tuple[Features, list[Word]]]:
        read: dict[int, tuple[Features, list[Word]]] = {}
        for ids, part in self._parts(within):
            places = [i for i, of_one in enumerate(within) if of_one == ids]
            read |= zip(places, read_sentences([sentences[i] for i in places], part, learnt, self._people), strict=True)
        return [read[i] for i in range(len(sentences))]

    def _judged(self, sentences: Sequence[str], within: Sequence[frozenset[int]]) -> list[Judgement | None]:
        """What the judge says of each; None where there is no judge."""
        if self._judge is None:
            return [None] * len(sentences)
        keys = [(ids, " ".join(text.split())) for ids, text in zip(within, sentences, strict=True)]
        for ids, part in self._parts(within):
            new = list(dict.fromkeys(text for of, text in keys if of == ids and (of, text) not in self._judgements))
            for text, judgement in zip(new, self._judge.judge(part, new) if new else [], strict=True):
                self._judgements[ids, text] = judgement
        return [self._judgements[key] for key in keys]

    def _parts(self, within: Sequence[frozenset[int]]) -> Iterator[tuple[frozenset[int], Dialogue]]:
        """The parts of the dialogue that sentences are about, by the ids of their turns."""
        for ids in dict.fromkeys(within):
            turns = tuple(turn for turn in self._dialogue.turns if turn.id in ids)
            yield ids, Dialogue(turns) if turns else self._dialogue

    def _sentence(
        self, start: int, end: int, facts: tuple[str, ...], features: Features, words: Sequence[Word], weights: Weights
    ) -> SentenceCheck:
        if not facts and not any(word.telling for word in words):
            return SentenceCheck(start, end, "not checked", (f"Not checked: {_NO_WORDS}.",))
        score, way = weights.score(features)
        flagged = score >= weights.check
        reasons = facts + ((_reason(way, words),) if flagged else ())
        verdict: Verdict = (
            "unsupported" if facts or score >= weights.unsupported else "check" if flagged else "supported"
        )
        return SentenceCheck(start, end, verdict, reasons, score, way if flagged else None, bool(facts))

    def _with(self, judgement: Judgement, checked: SentenceCheck, facts: tuple[str, ...]) -> SentenceCheck:
        """A sentence that the rules have checked, with what the judge says of it."""
        assert self._judge is not None
        odds, calibration = log_odds_wrong(judgement), self._judge.calibration
        by_judge = f"{_JUDGED[judgement.way]}, as {self._judge.name} finds (support {judgement.support:.0%})."
        of_rules = checked.reasons if checked.flagged else ()
        if calibration is None:
            if odds <= 0:  # the rules' own verdict stays; a sentence that they cannot check is supported
                return (
                    checked if checked.verdict != "not checked" else replace(checked, verdict="supported", reasons=())
                )
            verdict: Verdict = "unsupported" if checked.verdict == "unsupported" else "check"
            return replace(checked, verdict=verdict, reasons=(*of_rules, by_judge))
        rules = calibration.neutral if checked.score is None else checked.score
        score = calibration.judge * odds + calibration.rules * rules + calibration.constant
        flagged = score >= calibration.check
        verdict = "unsupported" if facts or score >= calibration.unsupported else "check" if flagged else "supported"
        if not flagged:
            return replace(checked, verdict=verdict, reasons=facts, score=score, way=None)
        doubts = (by_judge,) if odds > 0 or not of_rules else ()
        way = judgement.way if doubts else checked.way
        return replace(checked, verdict=verdict, reasons=(*of_rules, *doubts), score=score, way=way)


def check_summary(
    summary: str, dialogue: Dialogue, *, english: bool | None = None, judge: Judge | None = None
) -> SummaryCheck:
    """What of a summary its dialogue supports, sentence by sentence.

    Args:
        summary: any text; one without sentences has nothing to check.
        dialogue: with speakers or without.
        english: whether both are; told from them when not given. Others are ``not checked``.
        judge: a model that is asked beside the rules.
    """
    return Checker(dialogue, english=english, judge=judge).check(summary)


# What it adds to the log-odds; or else the position of a feature, its highest value on the left, and what is left and right of it.
Tree = float | list[Any]


def leaf(tree: Tree, values: Sequence[float]) -> float:
    """What a tree adds for the values of the features."""
    while isinstance(tree, list):
        feature, most, left, right = tree
        tree = left if values[feature] <= most else right
    return tree


@dataclass(frozen=True, slots=True)
class Weights:
    """What ``sentence_weights.json`` holds.

    Attributes:
        learnt: for the features.
        ways: to its trees.
        check, unsupported: scores from which a sentence is one.
        flag: the weights of the review flag: of the highest score, of whether there is a fact, of the number of sentences; constant.
    """

    learnt: Learnt
    ways: Mapping[str, Sequence[Tree]]
    check: float
    unsupported: float
    flag: tuple[float, ...]

    def score(self, features: Features) -> tuple[float, str]:
        """The log-odds of being wrong, and the way that is likeliest."""
        values = features.vector()
        odds = {way: sum(leaf(tree, values) for tree in trees) for way, trees in self.ways.items()}
        return math.log(sum(math.exp(min(one, 50.0)) for one in odds.values())), max(odds, key=lambda way: odds[way])


def review(sentences: Sequence[SentenceCheck], flag: Sequence[float]) -> float | None:
    """The review flag of sentences that were checked; weights as `Weights.flag`."""
    values = review_values(sentences)
    if values is None:
        return None
    logit = sum(weight * value for weight, value in zip(flag, [*values, 1.0], strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def review_values(sentences: Sequence[SentenceCheck]) -> list[float] | None:
    """What the review flag weighs: the highest score, whether a fact is unsupported, and the logarithm of the sentences checked."""
    scores = [one.score for one in sentences if one.score is not None]
    if not scores:
        return None
    return [max(scores), float(any(one.fact for one in sentences)), math.log(len(scores))]


@cache
def load_weights() -> Weights:
    """The weights that are shipped."""
    saved: dict[str, Any] = json.loads((files("diasum.claims") / WEIGHTS).read_text(encoding="utf-8"))
    if tuple(saved["features"]) != NAMES:
        raise RuntimeError(f"{WEIGHTS} is of other features: run python -m benchmarks.support_weights")
    verbs = {verb: tuple(row) for verb, row in saved["orientation"]["verbs"].items()}
    return Weights(
        Learnt(Rarity(saved["rarity"], saved["endings"]), Orientation(tuple(saved["orientation"]["weights"]), verbs)),
        saved["ways"],
        saved["check"],
        saved["unsupported"],
        tuple(saved["flag"]),
    )


def _looks_english(summary: str) -> bool:
    """As `is_english`, and a short text needs a common English word, if it is long enough to have one."""
    words = sampled_words([summary])
    return is_english([summary]) and (len(words) < _FEWEST_WORDS or english_share(words) > 0)


def _reason(way: str, words: Sequence[Word]) -> str:
    missing = list(dict.fromkeys(word.said.text for word in words if word.telling and not word.turns))[:_SHOWN]
    said = ", ".join(f"“{one}”" for one in missing)
    if way == "reversed":
        return "What it tells of one speaker is rather said or done by another."
    if way == "negated":
        return "It and the turns about it do not agree on what is denied."
    if way == "miscounted":
        return "A number in it stands with something else in the conversation."
    if way == "misplaced" or not said:
        return "Its words stand in different places of the conversation, not together."
    return f"No turn says {said} or the like."
