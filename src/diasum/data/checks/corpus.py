"""The check of a whole corpus."""

from __future__ import annotations

from diasum.data.checks.damage import can_mend, damage_findings
from diasum.data.checks.duplicates import duplicate_findings, find_duplicates
from diasum.data.checks.findings import SEVERITIES, CorpusCheck, Finding
from diasum.data.checks.rows import PairWords, row_findings, skipped_rows
from diasum.data.checks.statistics import corpus_stats
from diasum.data.pairs import Corpus


def check_corpus(corpus: Corpus) -> CorpusCheck:
    """Look for what spoils training or evaluation: leaks, duplicates, empty, odd, damaged and copied pairs.

    Splits without any reference get the checks that need none.
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
    if not can_mend():
        notes.append("Not checked: text read in the wrong encoding (needs the extra: pip install 'diasum[check]').")
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CorpusCheck(
        name=corpus.name,
        stats=corpus_stats(corpus),
        findings=findings,
        notes=notes,
        talk_shares={
            split: [one.talk_share for one in its_words if one.talk_share is not None]
            for split, its_words in words.items()
        },
    )
