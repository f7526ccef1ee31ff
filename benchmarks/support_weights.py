"""Fit what `diasum.claims.sentence_checks` weighs, and write ``src/diasum/claims/sentence_weights.json``.

From the written conversations and summaries in ``DIASUM_DATA`` (``written`` and ``summaries``), divided by a hash of their ids into four
parts: two for how rarely summaries use a word that no turn supports, one for the weights, by multinomial logistic regression of
references against sentences made wrong (`benchmarks.support_errors`), and one for the thresholds and the review flag. Nothing else is
read. The thresholds are the lowest at which at most `ALARMS` of the references are flagged in all, facts included, and 1% are
``unsupported`` by their score alone. Run: ``python -m benchmarks.support_weights``
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.corpora import DATA, ROOT
from benchmarks.support_errors import CORRUPTED, KINDS, Other, make
from diasum.claims.sentence_checks import WAYS, WEIGHTS, Checker, Weights, review_values
from diasum.claims.sentence_features import NAMES, Rarity, ending_of, read_sentences
from diasum.claims.sentences import split_sentences
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.evaluation.corruptions import KINDS as CORRUPTIONS
from diasum.evaluation.corruptions import corrupt
from diasum.files import write_json

OUTPUT = ROOT / "src" / "diasum" / "claims" / WEIGHTS
CORPORA = {"written": "written/conversations.jsonl.gz", "summaries": "summaries/summaries.jsonl.gz"}
SEED = 0
ALARMS, UNSUPPORTED = 0.05, 0.01  # of references
_OF_KIND = {
    "speakers": "reversed",
    "negation": "negated",
    "relation": "misplaced",
    "word": "misplaced",
    "number": "misplaced",
}
_PRIOR_WEIGHT, _LEAST_USES = 3, 6
_LISTED = "ation able ible ance ence ness ment sion tion ful ous ive ing ity ly ed en er es al s y"
ENDINGS = (*_LISTED.split(), "")  # of words, which tell how freely a word is used
_DRAWN = (*KINDS, *CORRUPTED)  # half of them by speakers or negation, which can be made of fewer sentences
_RIDGE, _STEPS = 5.0, 500


@dataclass(frozen=True)
class Told:
    """A dialogue with the sentences that people would write about it."""

    id: str
    dialogue: Dialogue
    summary: str
    sentences: tuple[str, ...]


def read(parts: int = 4) -> list[list[Told]]:
    """The corpora in parts, each in the order of a shuffle."""
    divided: list[list[Told]] = [[] for _ in range(parts)]
    for name, file in CORPORA.items():
        with gzip.open(DATA / file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                sentences = tuple(dict.fromkeys((*split_sentences(row["summary"]), *split_sentences(row["brief"]))))
                if sentences:
                    told = Told(f"{name}/{row['id']}", parse_dialogue(row["dialogue"]), row["summary"], sentences)
                    divided[zlib.crc32(told.id.encode()) % parts].append(told)
    for part in divided:
        random.Random(SEED).shuffle(part)
    return divided


def rarity(told: Sequence[Told]) -> Rarity:
    """As `Rarity`: of roots that are used often enough to tell, drawn towards their endings, and of endings."""
    nothing = Rarity({}, {"": 0.0})
    uses: dict[tuple[str, str], list[bool]] = defaultdict(list)  # root and ending
    for one in told:
        for _, words in read_sentences(one.sentences, one.dialogue, nothing):
            for word in words:
                if word.telling:
                    uses[word.root, ending_of(word.said.text, ENDINGS)].append(not word.turns)
    often = Counter({root: 0 for root, _ in uses})
    for (root, _), novel in uses.items():
        often[root] += len(novel)
    rare = [(end, value) for (root, end), novel in uses.items() if often[root] < _LEAST_USES for value in novel]
    shares = {end: float(np.mean([value for other, value in rare if other == end])) for end in ENDINGS}
    roots = {}
    for one_root in sorted(root for root, n in often.items() if n >= _LEAST_USES):
        of_it = [(end, novel) for (root, end), novel in uses.items() if root == one_root]
        expected = sum(shares[end] * len(novel) for end, novel in of_it) / often[one_root]
        unsupported = sum(sum(novel) for _, novel in of_it)
        roots[one_root] = round(
            -math.log((unsupported + _PRIOR_WEIGHT * expected) / (often[one_root] + _PRIOR_WEIGHT)), 2
        )
    return Rarity(roots, {end: round(-math.log(share), 2) for end, share in shares.items()})


def wrong_sentences(told: Sequence[Told], rng: random.Random) -> Iterator[tuple[Told, list[tuple[str, str]]]]:
    """Each dialogue with its sentences (kind ``reference``) and up to four wrong ones of different kinds."""
    for one in told:
        elsewhere = rng.choice(told)
        other = Other(elsewhere.dialogue, rng.choice(elsewhere.sentences))
        texts = [("reference", sentence) for sentence in one.sentences]
        for kind in rng.sample(_DRAWN, 4) if elsewhere is not one else ():
            sentence = rng.choice(one.sentences)
            siblings = [text for text in one.sentences if text != sentence]
            text = make(kind, sentence, one.dialogue, siblings, other, rng)
            if text and text not in one.sentences:
                texts.append((kind, text))
        yield one, texts


def fit(told: Sequence[Told], words: Rarity) -> dict[str, Any]:
    """The weights of each way, with the scale of the features."""
    rows, ways = [], []
    for one, texts in wrong_sentences(told, random.Random(SEED)):
        found = read_sentences([text for _, text in texts], one.dialogue, words)
        rows += [features.vector() for features, _ in found]
        ways += [0 if kind == "reference" else 1 + WAYS.index(_OF_KIND.get(kind, "invented")) for kind, _ in texts]
    values = np.array(rows)
    mean, scale = values.mean(0), values.std(0) + 1e-9
    weights = multinomial((values - mean) / scale, np.array(ways), 1 + len(WAYS))
    return {
        "mean": mean.round(5).tolist(),
        "scale": scale.round(5).tolist(),
        "ways": {way: weights[:, 1 + i].round(4).tolist() for i, way in enumerate(WAYS)},
        "fitted_on": {
            "references": ways.count(0),
            **{way: ways.count(1 + i) for i, way in enumerate(WAYS)},
        },
    }


def multinomial(values: np.ndarray, classes: np.ndarray, n: int) -> np.ndarray:
    """Multinomial logistic regression, ridge, the first class at zero, by accelerated bound optimisation (Böhning 1992).

    Args:
        values: (rows, features), standardised.
        classes: (rows,), from 0.
        n: number of classes.

    Returns:
        (features + 1, classes): weights, the constant last.
    """
    values = np.c_[values, np.ones(len(values))]
    ridge = np.eye(values.shape[1]) * _RIDGE
    ridge[-1, -1] = 1e-3
    inverse = np.linalg.inv(0.5 * values.T @ values + ridge)
    wanted = np.eye(n)[classes]
    weights = ahead = np.zeros((values.shape[1], n))
    speed = 1.0
    for _ in range(_STEPS):
        odds = values @ ahead
        shares = np.exp(odds - odds.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        gradient = values.T @ (shares - wanted) + ridge @ ahead
        gradient[:, 0] = 0
        new = ahead - inverse @ gradient
        faster = (1 + math.sqrt(1 + 4 * speed**2)) / 2
        ahead = new + (speed - 1) / faster * (new - weights)
        weights, speed = new, faster
    return weights


def thresholds(told: Sequence[Told], weights: Weights) -> dict[str, float]:
    """From which scores a sentence is flagged, so that no more than `ALARMS` of the references are."""
    checks = [
        check
        for one in told
        for check in Checker(one.dialogue, english=True, weights=weights).check("\n".join(one.sentences)).sentences
    ]
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


def flag(told: Sequence[Told], weights: Weights) -> list[float]:
    """Logistic regression of whether a summary has an error put in."""
    rows, wrong = [], []
    for dialogue, text, kind in injected(told, random.Random(SEED)):
        weighed = review_values(Checker(dialogue, english=True, weights=weights).check(text).sentences)
        if weighed is not None:
            rows.append(weighed)
            wrong.append(kind is not None)
    values = np.array(rows)
    mean, scale = values.mean(0), values.std(0) + 1e-9
    fitted = multinomial((values - mean) / scale, np.array(wrong, dtype=int), 2)[:, 1]
    slopes = fitted[:-1] / scale
    return [round(float(one), 4) for one in (*slopes, fitted[-1] - slopes @ mean)]


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    *some, for_weights, for_flag = read()
    for_words = [one for part in some for one in part]
    words = rarity(for_words)
    fitted = fit(for_weights, words)
    weights = Weights(
        words,
        tuple(fitted["mean"]),
        tuple(fitted["scale"]),
        {way: tuple(row) for way, row in fitted["ways"].items()},
        math.inf,
        math.inf,
        (0.0, 0.0, 0.0, 0.0),
    )
    levels = thresholds(for_flag, weights)
    calibrated = flag(for_flag, weights)
    about = {
        "generated_by": "python -m benchmarks.support_weights",
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "corpora": list(CORPORA),
        "dialogues": {"rarity": len(for_words), "weights": len(for_weights), "thresholds and flag": len(for_flag)},
        "sentences": fitted.pop("fitted_on"),
        "thresholds": {key: levels.pop(key) for key in ("facts_on_references", "references")},
        "flag": "logistic: highest score, a fact unsupported, log of sentences; one error in each fifth summary",
    }
    write_json(
        OUTPUT,
        {
            "about": about,
            "features": list(NAMES),
            **fitted,
            **levels,
            "flag": calibrated,
            "endings": words.endings,
            "rarity": words.roots,
        },
    )


if __name__ == "__main__":
    main()
