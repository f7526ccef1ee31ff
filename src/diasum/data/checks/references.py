"""Claims in reference summaries that their dialogue lacks: what a model trained on them learns to make up.

The rules (`diasum.claims`) are English. References in other languages, or too short to tell, are not checked and never count as supported.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from diasum.claims.support import CHECKED, KINDS, Evidence
from diasum.data.checks.findings import ClaimsChecked, Finding
from diasum.data.checks.languages import UNKNOWN, language_name, language_of
from diasum.data.pairs import Corpus, Pair

MOST_CHECKED = 5_000  # references of a corpus; each takes about a millisecond


def choose_references(corpus: Corpus, most: int | None, seed: int = 0) -> set[tuple[str, int]]:
    """Which pairs have their references checked, by split and position: all, or a seeded sample.

    Args:
        corpus: whose pairs.
        most: references in all, about; None for all.
        seed: of the sample.
    """
    places = [(split, i) for split, pairs in corpus.splits.items() for i, pair in enumerate(pairs) if pair.references]
    if most is None or len(places) <= most:
        return set(places)
    return set(random.Random(seed).sample(places, most))


def check_claims(
    split: str, pairs: Sequence[Pair], languages: Sequence[str], chosen: set[tuple[str, int]]
) -> tuple[ClaimsChecked, list[Finding]]:
    """Compare the references of a split with its dialogues.

    Args:
        split: name.
        pairs: of the split.
        languages: of each dialogue.
        chosen: what `choose_references` returned.
    """
    checked = 0
    not_checked: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    unsupported: list[str] = []
    for i, (pair, code) in enumerate(zip(pairs, languages, strict=True)):
        if (split, i) not in chosen:
            not_checked["not in the sample"] += len(pair.references)
            continue
        evidence = Evidence(pair.dialogue)
        for reference in pair.references:
            if reason := _why_not(reference, code):
                not_checked[reason] += 1
                continue
            checked += 1
            kinds = [claim.kind for claim in evidence.check(reference)]
            by_kind.update(kinds)
            if kinds:
                unsupported.append(pair.id)
    result = ClaimsChecked(
        references=sum(len(pair.references) for pair in pairs),
        checked=checked,
        not_checked={reason: count for reason, count in not_checked.items() if count},
        unsupported=len(unsupported),
        by_kind={kind: by_kind[kind] for kind in KINDS},
    )
    return result, list(_findings(split, result, unsupported))


def _why_not(reference: str, language: str) -> str | None:
    if language == "en" and language_of(reference) in ("en", UNKNOWN):
        return None
    if language == UNKNOWN:
        return "language not known"
    return f"in {language_name(language if language != 'en' else language_of(reference))}; the rules are English"


def _findings(split: str, result: ClaimsChecked, ids: Sequence[str]) -> Iterator[Finding]:
    if result.unsupported:
        message = (
            f"{result.unsupported} of {result.checked} summaries of `{split}` that were checked claim something that their dialogue "
            f"lacks, by rules that look at {CHECKED}."
        )
        yield Finding("unsupported_claim", "info", message, split, result.unsupported, tuple(dict.fromkeys(ids)))


def claims_note(split: str, result: ClaimsChecked) -> str | None:
    """What of a split's claims was not checked, as a sentence; None where all were."""
    if not result.not_checked:
        return None
    reasons = "; ".join(f"{count} {reason}" for reason, count in result.not_checked.items())
    return f"Claims of {sum(result.not_checked.values())} of {result.references} summaries of `{split}` were not checked: {reasons}."
