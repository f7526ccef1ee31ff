"""Which of the summaries that a search ended with is taken: the one of which the checks flag the fewest sentences (`generate.rerank`).

In: what an engine found for each source, and the dialogue that each source is of. Out: one summary for each. Among summaries with as many
flagged sentences, the likeliest stays, so that nothing changes where the checks find nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from diasum.claims.sentence_checks import Checker
from diasum.data import PairEncoder
from diasum.dialogue import Dialogue
from diasum.engines import Generated


def reranked(
    generated: Sequence[Generated], read: Sequence[tuple[Dialogue, Dialogue]], encoder: PairEncoder
) -> list[Generated]:
    """One summary for each source.

    Args:
        generated: with the others that the search found, where there are any.
        read: for each, the dialogue that it is of, and the part of it that was read.
        encoder: which puts the names back into a text before it is checked.
    """
    return [_chosen(one, *of, encoder) for one, of in zip(generated, read, strict=True)]


def _chosen(likeliest: Generated, dialogue: Dialogue, part: Dialogue, encoder: PairEncoder) -> Generated:
    if not likeliest.others:
        return likeliest
    checker = Checker(part)

    def flagged(one: Generated) -> int:
        return sum(sentence.flagged for sentence in checker.check(encoder.finish(dialogue, one.text)).sentences)

    return min((likeliest, *likeliest.others), key=flagged)
