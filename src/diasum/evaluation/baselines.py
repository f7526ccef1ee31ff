"""What a model must beat: summaries made of the dialogue's own turns, without any training.

Names are a method and how many units it takes: ``lead3``, ``longest1``, ``random2``, ``textrank``, ``oracle``. Units keep their
speaker label, and stand in the order of the dialogue. The defaults are the readings of LEAD-3 and LONGEST that come nearest to
the rows of the DialogSum paper under its protocol; `docs/protocols.md` has the table of readings.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from diasum.claims.language import OTHER_SCRIPT, other_scripts
from diasum.claims.sentences import split_sentences
from diasum.data import Pair
from diasum.errors import DiasumError, near_misses
from diasum.evaluation.rouge.rouge_score import Unit, overlap, tokenize
from diasum.evaluation.rouge.unicode_words import unicode_words

Chooser = Callable[[Pair, int, random.Random], Sequence[str]]


@dataclass(frozen=True)
class Baseline:
    """A way to pick units of a dialogue.

    Attributes:
        choose: from (pair, number of units, random numbers) to the units as text, in the order of the dialogue.
        k: how many units when the name does not say.
        description: one sentence for tables.
        needs_references: whether it looks at the answer (an upper bound, no system).
    """

    choose: Chooser
    k: int
    description: str
    needs_references: bool = False


def baseline_predictions(name: str, pairs: Sequence[Pair], seed: int = 0) -> list[str]:
    """One summary for each pair.

    Args:
        name: a key of `BASELINES`, with a number of units or without: ``lead3``, ``lead5``, ``longest``.
        pairs: what to summarise; a dialogue without turns gives an empty summary.
        seed: of the methods that draw; a pair's draw does not depend on the others.

    Raises:
        DiasumError: there is no such baseline, or it needs references that are not there.
    """
    baseline, k = parse_baseline(name)
    if baseline.needs_references and not all(pair.references for pair in pairs):
        bare = next(pair.id for pair in pairs if not pair.references)
        raise DiasumError(
            f"`{name}` chooses turns by the references, but {bare} has none.", hint="Use another baseline."
        )
    return [" ".join(baseline.choose(pair, k, random.Random(f"{seed}:{pair.id}"))) for pair in pairs]


def parse_baseline(name: str) -> tuple[Baseline, int]:
    """The method a name stands for, and its number of units.

    Raises:
        DiasumError: there is no such method, or the number is 0.
    """
    match = re.fullmatch(r"(?P<method>[a-z\-]*[a-z])-?(?P<k>\d+)?", name.strip().lower())
    method = match["method"] if match else name
    if match is None or method not in BASELINES:
        raise DiasumError(
            f"There is no baseline `{name}`.",
            hint=f"{near_misses(method, BASELINES)} A number says how many turns or sentences to take, as in lead3.",
        )
    k = int(match["k"]) if match["k"] else BASELINES[method].k
    if k < 1:
        raise DiasumError(f"`{name}` would take no turns.", hint=f"Use {method}1 or more.")
    return BASELINES[method], k


def is_baseline(name: str) -> bool:
    """Whether a system's name is that of a baseline."""
    try:
        parse_baseline(name)
    except DiasumError:
        return False
    return True


def sees_references(name: str) -> bool:
    """Whether a system chooses by the references, as the oracle does: a bound, not a rival."""
    return is_baseline(name) and parse_baseline(name)[0].needs_references


def _sentences(pair: Pair) -> list[str]:
    """The dialogue's sentences; the first of each turn has the speaker's label."""
    labelled = []
    for turn in pair.dialogue.turns:
        label = f"{turn.speaker}: " if turn.speaker else ""
        sentences = split_sentences(turn.text) or [""]
        labelled += [(label if i == 0 else "") + sentence for i, sentence in enumerate(sentences)]
    return labelled


def _lead(pair: Pair, k: int, _: random.Random) -> list[str]:
    return _sentences(pair)[:k]


def _lead_turns(pair: Pair, k: int, _: random.Random) -> list[str]:
    return [str(turn) for turn in pair.dialogue.turns[:k]]


def _longest(pair: Pair, k: int, _: random.Random) -> list[str]:
    count = unicode_words if _other_script(pair) else str.split  # Thai has no spaces to split at
    lengths = [len(count(turn.text)) for turn in pair.dialogue.turns]
    return _take(pair, sorted(range(len(lengths)), key=lambda i: -lengths[i])[:k])


def _random(pair: Pair, k: int, rng: random.Random) -> list[str]:
    return _take(pair, rng.sample(range(len(pair.dialogue)), min(k, len(pair.dialogue))))


def _textrank(pair: Pair, k: int, _: random.Random) -> list[str]:
    """TextRank (Mihalcea & Tarau 2004) over turns, with tf-idf cosine as the weight of an edge (as LexRank, Erkan & Radev 2004)."""
    words_of = _words_of(pair)
    turns = [Counter(words_of(turn.text)) for turn in pair.dialogue.turns]
    words = {word: i for i, word in enumerate(dict.fromkeys(word for turn in turns for word in turn))}
    if not words:
        return _take(pair, range(min(k, len(turns))))
    counts = np.zeros((len(turns), len(words)))
    for i, turn in enumerate(turns):
        for word, number in turn.items():
            counts[i, words[word]] = number
    vectors = counts * np.log(1 + len(turns) / (counts > 0).sum(axis=0))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    weights = vectors @ vectors.T
    np.fill_diagonal(weights, 0)
    total = weights.sum(axis=1, keepdims=True)
    step = np.divide(weights, total, out=np.full_like(weights, 1 / len(turns)), where=total > 0)
    rank = np.full(len(turns), 1 / len(turns))
    for _step in range(100):
        following = 0.15 / len(turns) + 0.85 * rank @ step
        if np.abs(following - rank).sum() < 1e-9:
            break
        rank = following
    return _take(pair, sorted(range(len(turns)), key=lambda i: -round(float(rank[i]), 9))[:k])


def _oracle(pair: Pair, k: int, _: random.Random) -> list[str]:
    """Greedy extraction (Nallapati et al. 2017): add the turn that raises ROUGE-1 + ROUGE-2 most, until none does."""
    words_of = _words_of(pair)
    turns = [_grams(words_of(str(turn))) for turn in pair.dialogue.turns]
    references = [_grams(words_of(text)) for text in pair.references]
    chosen: list[int] = []
    unigrams: Counter[str] = Counter()
    bigrams: Counter[tuple[str, str]] = Counter()
    best = 0.0
    while len(chosen) < k:
        gains = [
            (sum(_f1(unigrams + a, r) + _f1(bigrams + b, s) for r, s in references), -i)
            for i, (a, b) in enumerate(turns)
            if i not in chosen
        ]
        score, at = max(gains, default=(0.0, 0))
        if score <= best:
            break
        best = score
        chosen.append(-at)
        unigrams += turns[-at][0]
        bigrams += turns[-at][1]
    return _take(pair, chosen)


def _other_script(pair: Pair) -> bool:
    return other_scripts(turn.text for turn in pair.dialogue.turns)[0] >= OTHER_SCRIPT


def _words_of(pair: Pair) -> Callable[[str], list[str]]:
    return unicode_words if _other_script(pair) else partial(tokenize, stem=True)


def _grams(tokens: Sequence[str]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    return Counter(tokens), Counter(pairwise(tokens))


def _f1(a: Counter[Unit], b: Counter[Unit]) -> float:
    units = a.total() + b.total()
    return 2 * overlap(a, b) / units if units else 0.0


def _take(pair: Pair, chosen: Sequence[int]) -> list[str]:
    return [str(pair.dialogue.turns[i]) for i in sorted(chosen)]


BASELINES: dict[str, Baseline] = {
    "lead": Baseline(_lead, 3, "the first sentences, each turn's first with its speaker"),
    "lead-turns": Baseline(_lead_turns, 3, "the first turns with their speakers"),
    "longest": Baseline(_longest, 3, "the turns with the most words, with their speakers"),
    "random": Baseline(_random, 3, "turns drawn at random, with their speakers"),
    "textrank": Baseline(_textrank, 3, "the turns most like the others (TextRank), with their speakers"),
    "oracle": Baseline(
        _oracle, 100, "the turns chosen for the highest ROUGE-1 + ROUGE-2: what extraction can reach at most", True
    ),
}
