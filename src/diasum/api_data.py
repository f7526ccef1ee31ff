"""The commands of `diasum data` as Python functions, as those of `diasum.api` are for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diasum.calls import checked_call
from diasum.resolve import (
    CHECK_DATA,
    CONVERT_DATA,
    DATA_STATS,
    REDACT_DATA,
    SPLIT_DATA,
    Command,
    Given,
    resolve,
)

if TYPE_CHECKING:
    from diasum.data import Corpus
    from diasum.data.checks.findings import CorpusCheck
    from diasum.data.checks.statistics import CorpusStats
    from diasum.dialogue.read import ReadDialogue


@checked_call(CHECK_DATA.uses)
def check_data(
    data: str,
    *,
    base: str | None = None,
    claims: int | None = 5_000,
    html: str | Path | None = None,
    fix: str | Path | None = None,
    settings: Given = (),
) -> CorpusCheck:
    """Look for what would spoil a training or an evaluation.

    Args:
        data: as `convert_data`, or any export that `summarize` takes.
        base: whose tokenizer and limits lengths are measured by; no weights are read.
        claims: how many references' claims are compared with their dialogue, a seeded sample where there are more; None for all.
        html: file for a report with plots; one that is there is replaced.
        fix: where a cleaned copy goes, as `convert_data`, with a list of the changes beside it; never over anything.
        settings: of the reading, the prompt and the base.

    Returns:
        Findings and figures; `written` says which files there are.

    Raises:
        DiasumError: the data or the base cannot be read, or a file cannot be written or is in the way.
    """
    from diasum.data import check_corpus, load_corpus
    from diasum.data.checks.cleaning import check_place, clean_corpus, write_cleaned
    from diasum.model.loading import load_encoder
    from diasum.reports.data_check import check_page, write_check

    resolved = resolve(CHECK_DATA, settings, {"data.path": data, "base": base})
    source, out = Path(resolved.data.path).expanduser(), Path(fix) if fix is not None else None
    if html is not None:
        check_page(Path(html))
    if out is not None:
        check_place(out, source)
    corpus = load_corpus(resolved.data, purpose="any", need_summaries=False)
    check = check_corpus(corpus, load_encoder(resolved), resolved.base, claims=claims)
    if out is not None:
        check.written.extend(write_cleaned(*clean_corpus(corpus), out, source))
    if html is not None:
        check.written.append(write_check(check, Path(html)))
    return check


@checked_call(DATA_STATS.uses)
def data_stats(data: str, *, settings: Given = ()) -> CorpusStats:
    """Counts of dialogues, turns, speakers and words, by split; `notes` say which rows were skipped or joined."""
    from diasum.data import corpus_stats

    return corpus_stats(_corpus(DATA_STATS, data, settings))


@checked_call(CONVERT_DATA.uses)
def convert_data(data: str, out: str | Path, *, settings: Given = ()) -> list[str]:
    """Write a corpus as jsonl, one file per split, with turns and references.

    Returns:
        What was written, one sentence per file, and a ``note: ...`` for each thing to know about the
            reading (rows skipped or joined).

    Raises:
        DiasumError: the data cannot be read, or `out` is a file while there are several splits, or exists already.
    """
    from diasum.data.writing import write_corpus

    corpus = _corpus(CONVERT_DATA, data, settings)
    return [*write_corpus(corpus, Path(out)), *(f"note: {note}" for note in corpus.notes)]


@checked_call(SPLIT_DATA.uses)
def split_data(
    data: str,
    out: str | Path,
    *,
    by: str = "conversation",
    shares: Sequence[float] = (80, 10, 10),
    seed: int = 0,
    settings: Given = (),
) -> list[str]:
    """Divide a corpus into train, validation and test (two shares: train and test), one jsonl file each.

    Dialogues that are, or nearly are, the same stay in one part.

    Args:
        data: as `convert_data`.
        out: a folder.
        by: ``conversation``; ``speaker``: nobody is in two parts; ``time``: each part is later than the one before.
        shares: of the parts, in any unit.
        seed: of what is drawn at random.
        settings: of the reading.

    Returns:
        As `convert_data`.

    Raises:
        DiasumError: as `convert_data`, or what was asked for cannot be had: see `diasum.data.splitting`.
    """
    from diasum.data.splitting import part_shares, split_corpus
    from diasum.data.writing import write_corpus

    part_shares(shares)
    corpus = split_corpus(_corpus(SPLIT_DATA, data, settings), by, shares, seed)
    return [*write_corpus(corpus, Path(out)), *(f"note: {note}" for note in corpus.notes)]


@checked_call(REDACT_DATA.uses)
def redact_data(
    data: str,
    out: str | Path,
    *,
    mapping: str | Path | None = None,
    names: bool = False,
    settings: Given = (),
) -> list[str]:
    """Write a corpus as jsonl with placeholders for what is private, in conversations and summaries alike.

    Args:
        data: as `convert_data`.
        out: a folder for one jsonl file per split, or a jsonl file for a single split.
        mapping: where to keep what the placeholders stand for, for `restore_data`; a file that only its owner may read. Nowhere when
            not given: what is hidden then cannot be put back.
        names: hide other people's given names, too, not only speakers' names.
        settings: of the reading, such as ``{"data.dialogue_column": "chat"}``.

    Returns:
        What was hidden and what was written, one sentence each, and a ``note: ...`` for each thing to know about the reading.

    Raises:
        DiasumError: as `convert_data`, the mapping exists already, or the extra `redact` is not installed.
    """
    from diasum.data.redacting import redact_corpus
    from diasum.data.writing import write_corpus
    from diasum.redaction.redactor import Redactor, in_words
    from diasum.redaction.vault import check_new, write_mapping

    redactor = Redactor(names=names)
    if mapping is not None:
        check_new(Path(mapping))
    corpus = _corpus(REDACT_DATA, data, settings)
    redacted = redact_corpus(corpus, redactor)
    lines = [f"hidden: {in_words(redacted.counts)}", *write_corpus(redacted.corpus, Path(out))]
    if mapping is not None:
        write_mapping(Path(mapping), redacted.vaults)
        lines.append(f"what the placeholders stand for is in {mapping}, which only you may read")
    return [*lines, *(f"note: {note}" for note in corpus.notes)]


@checked_call()
def restore_data(file: str | Path, out: str | Path, *, mapping: str | Path) -> str:
    """Put back what `redact_data` hid, in jsonl with the conversations' ids or in a text about its only conversation.

    Returns:
        What was written, in a sentence.

    Raises:
        DiasumError: see `diasum.data.redacting.restore_file`.
    """
    from diasum.data.redacting import restore_file

    return restore_file(Path(file), Path(out), Path(mapping))


@checked_call()
def show_data(
    source: str | Path,
    format: str = "auto",
    *,
    group_by: str | None = None,
    split_pause: str | None = None,
    aliases: Sequence[str] | Mapping[str, str] | None = None,
    keep_nonspeech: bool = False,
) -> list[ReadDialogue]:
    """How a file, folder or archive is read: its dialogues, each with format, reason and what was left out.

    Args:
        source: its path.
        format: as `diasum.iter_dialogues`.
        group_by: the column that joins the rows of a table with a message per row.
        split_pause: likewise.
        aliases: likewise, or ``"Ana P.=Ana"`` items.
        keep_nonspeech: likewise.

    Raises:
        DiasumError: as `diasum.iter_dialogues`, and where nothing is said in any of them.
    """
    from diasum.dialogue.files.conversations import read_conversations
    from diasum.dialogue.formats.source import Names
    from diasum.dialogue.read import reading_of

    reading = reading_of(
        format, Names(group=group_by), split_pause=split_pause, aliases=aliases, keep_nonspeech=keep_nonspeech
    )
    return read_conversations([Path(source)], reading=reading)


def _corpus(command: Command, data: str, settings: Given) -> Corpus:
    from diasum.data import load_corpus

    return load_corpus(resolve(command, settings, {"data.path": data}).data, purpose="any", need_summaries=False)
