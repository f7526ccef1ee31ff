"""The check of a whole corpus."""

from __future__ import annotations

from collections import Counter

from diasum.data.checks.damage import can_mend, damage_findings
from diasum.data.checks.duplicates import duplicate_findings, find_duplicates
from diasum.data.checks.findings import SEVERITIES, ClaimsChecked, CorpusCheck, Finding, Spread, TokenLengths
from diasum.data.checks.languages import can_tell_languages, dialogue_language, language_findings, usual_language
from diasum.data.checks.lengths import token_lengths
from diasum.data.checks.references import MOST_CHECKED, check_claims, choose_references, claims_note
from diasum.data.checks.rows import PairWords, row_findings, skipped_rows
from diasum.data.checks.statistics import corpus_stats
from diasum.data.encoding import PairEncoder
from diasum.data.pairs import Corpus


def check_corpus(
    corpus: Corpus, encoder: PairEncoder | None = None, base: str = "", *, claims: int | None = MOST_CHECKED
) -> CorpusCheck:
    """Look for what spoils training or evaluation: leaks, duplicates, empty, odd, damaged, copied and too long pairs.

    Splits without any reference get the checks that need none.

    Args:
        corpus: what is checked.
        encoder: of the base that lengths are measured for; without one, they are not.
        base: its name.
        claims: how many references' claims are compared with the dialogue, a seeded sample where there are more; None for all.
    """
    notes = list(corpus.notes)
    words = {split: [PairWords.of(pair) for pair in pairs] for split, pairs in corpus.splits.items()}
    duplicates = find_duplicates(one.normalized for split in words.values() for one in split)
    findings: list[Finding] = list(duplicate_findings(corpus, duplicates))
    for split, pairs in corpus.splits.items():
        findings += skipped_rows(split, corpus.rows.get(split))
        findings += row_findings(split, pairs, words[split])
        findings += damage_findings(split, pairs)
        if pairs and not any(pair.references for pair in pairs):
            notes.append(f"`{split}` has no summaries: what is checked of summaries was left out.")
    shares = {split: [x.talk_share for x in its if x.talk_share is not None] for split, its in words.items()}
    del words, duplicates
    languages = {split: [dialogue_language(pair) for pair in pairs] for split, pairs in corpus.splits.items()}
    findings += _of_languages(corpus, languages)
    checked = _of_claims(corpus, languages, claims, findings, notes)
    lengths: TokenLengths | None = None
    if encoder is not None:
        lengths, cut = token_lengths(corpus, encoder, base)
        findings += cut
    notes += _not_checked()
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CorpusCheck(
        name=corpus.name,
        stats=corpus_stats(corpus),
        findings=findings,
        notes=notes,
        lengths=lengths,
        languages={split: dict(Counter(codes).most_common()) for split, codes in languages.items()},
        claims=checked,
        talk_shares={split: Spread.of(values) for split, values in shares.items() if values},
    )


def _of_languages(corpus: Corpus, languages: dict[str, list[str]]) -> list[Finding]:
    usual = usual_language([code for codes in languages.values() for code in codes])
    return [
        finding
        for split, pairs in corpus.splits.items()
        for finding in language_findings(split, pairs, languages[split], usual)
    ]


def _of_claims(
    corpus: Corpus, languages: dict[str, list[str]], most: int | None, findings: list[Finding], notes: list[str]
) -> dict[str, ClaimsChecked]:
    """By split; what is found and what was left out are added to the lists."""
    chosen = choose_references(corpus, most)
    results: dict[str, ClaimsChecked] = {}
    for split, pairs in corpus.splits.items():
        if not any(pair.references for pair in pairs):
            continue
        results[split], unsupported = check_claims(split, pairs, languages[split], chosen)
        findings += unsupported
        if note := claims_note(split, results[split]):
            notes.append(note)
    return results


def _not_checked() -> list[str]:
    """What was not looked for because an extra is missing."""
    how = "needs the extra: pip install 'diasum[check]'"
    return [
        f"Not checked: {what} ({how})."
        for what, there in (
            ("text read in the wrong encoding", can_mend()),
            ("languages other than English", can_tell_languages()),
        )
        if not there
    ]
