"""Fit what `diasum.claims.sentence_checks` weighs, and write ``src/diasum/claims/sentence_weights.json``.

From the written conversations and summaries in ``DIASUM_DATA`` (``written`` and ``summaries``), divided by a hash of their ids into four
parts: two for how rarely summaries use a word that no turn supports and for whom their verbs tell of, one for the trees of each way to be
wrong, references against sentences made wrong (`benchmarks.support_errors`), and one for the thresholds and the review flag. The trees are
fitted on written sentences, too (`benchmarks.support_train`), about dialogues of the first three parts. Nothing else is read. The
thresholds are the lowest at which at most `ALARMS` of the references are flagged in all, facts included, and 1% are ``unsupported`` by
their score alone. Run: ``python -m benchmarks.support_weights``
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np

from benchmarks.boosting import Growth, boost
from benchmarks.corpora import DATA, ROOT
from benchmarks.logistic import logistic
from benchmarks.support_errors import KINDS, Other, make
from benchmarks.support_train import Written, evened, held_out, written
from diasum.claims.orientation import EVIDENCE, Orientation, Talk, evidence
from diasum.claims.readings import Reading, readings
from diasum.claims.sentence_checks import WAYS, WEIGHTS, Checker, Tree, Weights, review_values
from diasum.claims.sentence_features import NAMES, Learnt, Rarity, ending_of, read_sentences
from diasum.claims.sentences import split_sentences
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.evaluation.corruptions import KINDS as CORRUPTIONS
from diasum.evaluation.corruptions import corrupt
from diasum.files import write_json

OUTPUT = ROOT / "src" / "diasum" / "claims" / WEIGHTS
CORPORA = {"written": "written/conversations.jsonl.gz", "summaries": "summaries/summaries.jsonl.gz"}
SEED = 0
ALARMS, UNSUPPORTED = 0.05, 0.01  # of references
CheckerOf = Callable[[Dialogue], Checker]
_OF_KIND = {
    "speakers": "reversed",
    "negation": "negated",
    "relation": "misplaced",
    "exchange": "misplaced",
    "word": "misplaced",
    "number": "miscounted",
}
_OF_WRITTEN = {
    "invented": "invented",
    "boilerplate": "invented",
    "reversed": "reversed",
    "negation": "negated",
    "relation": "misplaced",
    "number": "miscounted",
}
# In the trees of a way, what weighs how much: right and wrong, of references and what was made of them, and of written sentences.
_SHARES = {("made", False): 1.4, ("made", True): 0.3, ("written", False): 0.6, ("written", True): 0.7}
_PRIORS = {"invented": 2.0, "miscounted": 0.5}  # what the wrong ones of a way weigh beside those of others
_GROWTH = Growth(trees=60)
_PRIOR_WEIGHT, _LEAST_USES = 3, 6
_LISTED = "ation able ible ance ence ness ment sion tion ful ous ive ing ity ly ed en er es al s y"
ENDINGS = (*_LISTED.split(), "")  # of words, which tell how freely a word is used
_RIDGE, _STEPS = 5.0, 500
_LEAST_VERB, _VERB_RIDGE = 8, (4.0, 12.0)  # uses of a verb; against large weights whatever the verb, and of one


@dataclass(frozen=True)
class Told:
    """A dialogue with the sentences that people would write about it, and where both are from."""

    id: str
    dialogue: Dialogue
    summary: str
    sentences: tuple[str, ...]
    source: str = ""


def read(parts: int = 4) -> list[list[Told]]:
    """The corpora in parts, each in the order of a shuffle."""
    divided: list[list[Told]] = [[] for _ in range(parts)]
    for name, file in CORPORA.items():
        with gzip.open(DATA / file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                sentences = tuple(dict.fromkeys((*split_sentences(row["summary"]), *split_sentences(row["brief"]))))
                if sentences:
                    dialogue, source = parse_dialogue(row["dialogue"]), row.get("source", name)
                    told = Told(f"{name}/{row['id']}", dialogue, row["summary"], sentences, source)
                    divided[zlib.crc32(told.id.encode()) % parts].append(told)
    for part in divided:
        random.Random(SEED).shuffle(part)
    return divided


def rarity(read: Sequence[Reading]) -> Rarity:
    """As `Rarity`: of roots that are used often enough to tell, drawn towards their endings, and of endings."""
    uses: dict[tuple[str, str], list[bool]] = defaultdict(list)  # root and ending
    for one in read:
        for word in one.told:
            if word.telling:
                uses[word.root, ending_of(word.said.text, ENDINGS)].append(not word.turns)
    often = Counter({root: 0 for root, _ in uses})
    for (root, _), novel in uses.items():
        often[root] += len(novel)
    rare = [(end, value) for (root, end), novel in uses.items() if often[root] < _LEAST_USES for value in novel]
    shares = {end: float(np.mean([value for other, value in rare if other == end])) for end in ENDINGS}
    roots = {}
    of_root: dict[str, list[tuple[str, list[bool]]]] = defaultdict(list)
    for (root, end), novel in uses.items():
        of_root[root].append((end, novel))
    for one_root in sorted(root for root, n in often.items() if n >= _LEAST_USES):
        of_it = of_root[one_root]
        expected = sum(shares[end] * len(novel) for end, novel in of_it) / often[one_root]
        unsupported = sum(sum(novel) for _, novel in of_it)
        roots[one_root] = round(
            -math.log((unsupported + _PRIOR_WEIGHT * expected) / (often[one_root] + _PRIOR_WEIGHT)), 2
        )
    return Rarity(roots, {end: round(-math.log(share), 2) for end, share in shares.items()})


def orientation(told: Sequence[Told], read: Sequence[Sequence[Reading]]) -> Orientation:
    """As `Orientation`: logistic regression of summaries against those with the speakers exchanged, whose evidence is minus theirs.

    Args:
        told: dialogues with sentences.
        read: of each dialogue, its sentences.
    """
    verbs: list[str] = []
    rows: list[list[float]] = []
    for one, of_one in zip(told, read, strict=True):
        if len(one.dialogue.speakers) > 1:
            talk = Talk(one.dialogue)
            for verb, found in (speaker for reading in of_one for speaker in evidence(reading, talk)):
                verbs.append(verb)
                rows.append(found)
    known = sorted(verb for verb, n in Counter(verbs).items() if n >= _LEAST_VERB and verb)
    place = {verb: i for i, verb in enumerate(known)}
    values, at = np.array(rows), np.array([place.get(verb, len(known)) for verb in verbs])
    # A row of weights whatever the verb, one for each, and one for verbs that are not known, which stays 0. Adam (Kingma and Ba 2015).
    weights = np.zeros((len(known) + 2, len(EVIDENCE)))
    ridge = np.array([_VERB_RIDGE[0]] + [_VERB_RIDGE[1]] * (len(known) + 1))[:, None]
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        against = (values * (weights[0] + weights[1 + at])).sum(1)
        pull = values / (1 + np.exp(-against))[:, None]
        slope = ridge * weights
        slope[0] += pull.sum(0)
        np.add.at(slope, 1 + at, pull)
        slope[-1] = 0
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        weights -= 0.03 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    written = [tuple(row) for row in weights.round(3).tolist()]
    return Orientation(written[0], dict(zip(known, written[1:], strict=False)))


def wrong_sentences(told: Sequence[Told], rng: random.Random) -> Iterator[tuple[Told, list[tuple[str, str]]]]:
    """Each dialogue with its sentences (kind ``reference``) and one wrong one of each kind that can be made.

    The other dialogue of which sentences are is of the same source every other time, on average.
    """
    of_source: dict[str, list[Told]] = defaultdict(list)
    for one in told:
        of_source[one.source].append(one)
    for one in told:
        elsewhere = rng.choice(of_source[one.source] if rng.random() < 0.5 else told)
        other = Other(elsewhere.dialogue, rng.choice(elsewhere.sentences))
        texts = [("reference", sentence) for sentence in one.sentences]
        for kind in KINDS if elsewhere is not one else ():
            sentence = rng.choice(one.sentences)
            siblings = [text for text in one.sentences if text != sentence]
            text = make(kind, sentence, one.dialogue, siblings, other, rng)
            if text and text not in one.sentences:
                texts.append((kind, text))
        yield one, texts


@dataclass(frozen=True)
class Rows:
    """Sentences as the trees see them.

    Attributes:
        values: (rows, features).
        ways: of each, ``reference`` where it is right.
        weights: of each.
    """

    values: np.ndarray
    ways: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[tuple[list[float], str, float]]) -> Rows:
        values, ways, weights = zip(*rows, strict=True)
        return cls(np.array(values), np.array(ways), np.array(weights))


def made_rows(told: Sequence[Told], learnt: Learnt) -> Rows:
    """References, and what was made of them by rule."""
    rows: list[tuple[list[float], str, float]] = []
    for one, texts in wrong_sentences(told, random.Random(SEED)):
        for (kind, _), (features, words) in zip(
            texts, read_sentences([text for _, text in texts], one.dialogue, learnt), strict=True
        ):
            if any(word.telling for word in words):
                way = "reference" if kind == "reference" else _OF_KIND.get(kind, "invented")
                rows.append((features.vector(), way, 1.0))
    return Rows.of(rows)


def written_rows(told: Sequence[Told], sentences: Mapping[str, Sequence[Written]], learnt: Learnt) -> Rows:
    """Written sentences about these dialogues, without those that are held out."""
    own = {one.id: list(sentences[one.id]) for one in told if one.id in sentences and not held_out(one.id)}
    weights = evened(own)
    rows: list[tuple[list[float], str, float]] = []
    for one in told:
        of_it = own.get(one.id, [])
        read_of_it = read_sentences([sentence.text for sentence in of_it], one.dialogue, learnt)
        for sentence, (features, words) in zip(of_it, read_of_it, strict=True):
            if any(word.telling for word in words):
                rows.append((features.vector(), _OF_WRITTEN.get(sentence.kind, "reference"), weights[sentence]))
    return Rows.of(rows)


def fit(made: Rows, by_hand: Rows) -> tuple[dict[str, list[Tree]], dict[str, dict[str, int]]]:
    """The trees of each way, and how many sentences they are fitted on."""
    trees = {}
    for way in WAYS:
        values, wrong, weights = [], [], []
        prior = {True: _PRIORS.get(way, 1.0), False: 1.0}
        for name, rows in (("made", made), ("written", by_hand)):
            for is_wrong, which in ((True, rows.ways == way), (False, rows.ways == "reference")):
                values.append(rows.values[which])
                wrong.append(np.full(which.sum(), is_wrong))
                weights.append(
                    rows.weights[which] / rows.weights[which].sum() * _SHARES[name, is_wrong] * prior[is_wrong]
                )
        all_weights = np.concatenate(weights)
        trees[way] = boost(np.concatenate(values), np.concatenate(wrong), all_weights / all_weights.mean(), _GROWTH)
    counts = {
        name: {way: int((rows.ways == way).sum()) for way in ("reference", *WAYS)}
        for name, rows in (("made", made), ("written", by_hand))
    }
    return trees, counts


def thresholds(told: Sequence[Told], checker: CheckerOf) -> dict[str, float]:
    """From which scores a sentence is flagged, so that no more than `ALARMS` of the references are."""
    checks = [check for one in told for check in checker(one.dialogue).check("\n".join(one.sentences)).sentences]
    scores = np.array([check.score if check.score is not None else -50.0 for check in checks])
    facts = np.array([check.verdict == "unsupported" for check in checks])
    scores[facts] = -np.inf
    flagged = max(0.0, ALARMS - float(facts.mean()))
    return {
        "check": round(float(np.quantile(scores, 1 - flagged)), 3),
        "unsupported": round(float(np.quantile(scores, 1 - min(UNSUPPORTED, flagged))), 3),
        "facts_on_references": round(float(facts.mean()), 4),
        "references": len(checks),
    }


def injected(told: Sequence[Told], rng: random.Random) -> Iterator[tuple[Dialogue, str, str | None]]:
    """Dialogues with their summaries; of each fifth one with an error of a kind drawn evenly. The kind is None where there is none."""
    for i, one in enumerate(told):
        text, put_in = one.summary, None
        if i % 5 == 0:
            for kind in rng.sample(CORRUPTIONS, len(CORRUPTIONS)):
                if corruption := corrupt(one.summary, one.dialogue, kind, seed=SEED):
                    text, put_in = corruption.text, kind
                    break
        yield one.dialogue, text, put_in


def flag(told: Sequence[Told], checker: CheckerOf) -> list[float]:
    """Logistic regression of whether a summary has an error put in."""
    rows, wrong = [], []
    for dialogue, text, kind in injected(told, random.Random(SEED)):
        weighed = review_values(checker(dialogue).check(text).sentences)
        if weighed is not None:
            rows.append(weighed)
            wrong.append(kind is not None)
    values = np.array(rows)
    mean, scale = values.mean(0), values.std(0) + 1e-9
    fitted = logistic((values - mean) / scale, wrong, ridge=_RIDGE)
    slopes = fitted[:-1] / scale
    return [round(float(one), 4) for one in (*slopes, fitted[-1] - slopes @ mean)]


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    *some, for_weights, for_flag = read()
    for_words = [one for part in some for one in part]
    read_of = [readings(one.sentences, one.dialogue) for one in for_words]
    words = rarity([one for of_one in read_of for one in of_one])
    speakers = orientation(for_words, read_of)
    learnt = Learnt(words, speakers)
    trees, fitted_on = fit(made_rows(for_weights, learnt), written_rows([*for_words, *for_weights], written(), learnt))
    weights = Weights(learnt, trees, math.inf, math.inf, (0.0, 0.0, 0.0, 0.0))
    checker = partial(Checker, english=True, weights=weights)
    levels = thresholds(for_flag, checker)
    calibrated = flag(for_flag, checker)
    about = {
        "generated_by": "python -m benchmarks.support_weights",
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "corpora": [*CORPORA, "benchmarks/support_train"],
        "dialogues": {
            "rarity and orientation": len(for_words),
            "trees": len(for_weights),
            "thresholds and flag": len(for_flag),
        },
        "sentences": fitted_on,
        "thresholds": {key: levels.pop(key) for key in ("facts_on_references", "references")},
        "flag": "logistic: highest score, a fact unsupported, log of sentences; one error in each fifth summary",
    }
    write_json(
        OUTPUT,
        {
            "about": about,
            "features": list(NAMES),
            "ways": trees,
            **levels,
            "flag": calibrated,
            "orientation": {"evidence": list(EVIDENCE), "weights": speakers.weights, "verbs": speakers.verbs},
            "endings": words.endings,
            "rarity": words.roots,
        },
    )


if __name__ == "__main__":
    main()
