"""Which of the summaries that a search ended with is taken: the one of which the checks flag the fewest sentences (`generate.rerank`).

In: what an engine found for each source, and the dialogue that each source is of. Out: one summary for each. Among summaries with as many
flagged sentences, the likeliest stays, so that nothing changes where the checks find nothing. One that reached the length limit does not
take the place of one that ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from diasum.claims.judgement import Judge
from diasum.claims.sentence_checks import Checker
from diasum.data import PairEncoder
from diasum.dialogue import Dialogue
from diasum.engines import Generated


def reranked(
    generated: Sequence[Generated],
    read: Sequence[tuple[Dialogue, Dialogue]],
    encoder: PairEncoder,
    judge: Judge | None = None,
) -> list[Generated]:
    """One summary for each source.

    Args:
        generated: with the others that the search found, where there are any.
        read: for each, the dialogue that it is of, and the part of it that it tells of: all, or a window.
        encoder: which puts the names back into a text before it is checked.
        judge: a model that is asked beside the rules.
    """
    return [_chosen(one, *of, encoder, judge) for one, of in zip(generated, read, strict=True)]


def _chosen(
    likeliest: Generated, dialogue: Dialogue, part: Dialogue, encoder: PairEncoder, judge: Judge | None
) -> Generated:
    if not likeliest.others:
        return likeliest
    checker = Checker(part, judge=judge)

    def rank(one: Generated) -> tuple[bool, int]:
        found = checker.check(encoder.finish(dialogue, one.text)).sentences
        return one.cut and not likeliest.cut, sum(sentence.flagged for sentence in found)

    return min((likeliest, *likeliest.others), key=rank)
