"""Corpora without private values, and texts with them again.

In: a corpus. Out: the same with placeholders, in dialogues and summaries alike, and a vault for each conversation. The way back is for
whatever was made of the redacted data elsewhere: jsonl rows by their ids, or text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diasum.data.pairs import Corpus, Pair
from diasum.data.summary import Summary, is_record, split_into_sentences
from diasum.dialogue.files.decoding import read_lines
from diasum.dialogue.files.tables import format_of
from diasum.dialogue.names import ID_NAMES, find_name
from diasum.errors import DiasumError, near_misses
from diasum.files import write_json_lines, write_text
from diasum.json_lines import json_lines
from diasum.redaction.redactor import Redactor
from diasum.redaction.vault import Vault, read_mapping
from diasum.wording import counted

Vaults = dict[str, dict[str, Vault]]  # by split and the conversation's id


@dataclass(frozen=True, slots=True)
class RedactedCorpus:
    """A corpus without private values.

    Attributes:
        corpus: with placeholders.
        vaults: what they stand for.
        counts: how many values of each kind are hidden, a value counted once for each conversation.
    """

    corpus: Corpus
    vaults: Vaults
    counts: dict[str, int]


def redact_corpus(corpus: Corpus, redactor: Redactor) -> RedactedCorpus:
    """Hide private values in dialogues, references and topics; each conversation has placeholders of its own."""
    splits: dict[str, list[Pair]] = {}
    vaults: Vaults = {}
    counts: Counter[str] = Counter()
    for name, pairs in corpus.splits.items():
        splits[name], vaults[name] = [], {}
        for pair in pairs:
            redacted = redactor.redact(pair.dialogue)
            references = tuple(redacted.hide(reference) for reference in pair.references)
            topic = redacted.hide(pair.topic) if pair.topic else pair.topic
            splits[name].append(Pair(pair.id, redacted.dialogue, references, topic))
            vaults[name][pair.id] = redacted.vault
            counts.update(redacted.vault.counts)
    return RedactedCorpus(replace(corpus, splits=splits), vaults, dict(counts))


def restore_file(file: Path, out: Path, mapping: Path) -> str:
    """Put the values back into what was made of redacted conversations.

    Args:
        file: jsonl with the conversations' ids, whose strings are restored, or a text about the mapping's only conversation.
        out: where to; an existing file is refused.
        mapping: what `diasum data redact --mapping` wrote.

    Returns:
        What was written, in a sentence.

    Raises:
        DiasumError: a file cannot be read, an id is not in the mapping or in several splits, or a text could be about several
            conversations.
    """
    if out.exists():
        raise DiasumError(f"{out} exists already.", hint="Choose another name; nothing was written.")
    vaults = read_mapping(mapping)
    try:
        lines = list(read_lines(file))
    except OSError as error:
        raise DiasumError(f"{file} cannot be read: {error.strerror}.") from None
    if format_of(file) in (".jsonl", ".ndjson"):
        rows = [_restored(row, f"{file}, line {n}", vaults, mapping) for n, row in json_lines(lines, str(file))]
        write_json_lines(out, rows)
        return f"{counted(len(rows), 'row')} written to {out}"
    every = [vault for split in vaults.values() for vault in split.values()]
    if len(every) != 1:
        raise DiasumError(
            f"{mapping} is about {len(every)} conversations, and {file} does not say which one it is of.",
            hint="Give jsonl with the ids of the conversations, as `diasum summarize --jsonl` prints it.",
        )
    write_text(out, "".join(f"{every[0].restore(line.rstrip())}\n" for _, line in lines))
    return f"{counted(len(lines), 'line')} written to {out}"


def _restored(row: Any, where: str, vaults: Mapping[str, Mapping[str, Vault]], mapping: Path) -> dict[str, Any]:
    key = find_name(row, ID_NAMES) if isinstance(row, dict) else None
    if key is None:
        raise DiasumError(
            f"{where}: expected an object with an id, found {row!r:.60}.", hint="Ids tell which conversation it is of."
        )
    identifier = str(row[key])
    holding = [split[identifier] for split in vaults.values() if identifier in split]
    if not holding:
        known = [name for split in vaults.values() for name in split]
        raise DiasumError(
            f"{where}: {mapping} has no conversation `{identifier}`.", hint=near_misses(identifier, known)
        )
    if any(vault.values != holding[0].values for vault in holding):
        raise DiasumError(
            f"{where}: {mapping} has the conversation `{identifier}` in several splits.",
            hint="Redact the splits one by one, each with a mapping of its own.",
        )
    restored: dict[str, Any] = {name: value if name == key else _in(value, holding[0]) for name, value in row.items()}
    if is_record(row, where):
        text = holding[0].restore(Summary.from_record(row, where).text)
        sentences = split_into_sentences(text)
        restored["sentences"] = Summary(text=text, sentences=sentences).to_record()["sentences"]
    return restored


def _in(value: Any, vault: Vault) -> Any:
    if isinstance(value, str):
        return vault.restore(value)
    if isinstance(value, list):
        return [_in(item, vault) for item in value]
    return {key: _in(item, vault) for key, item in value.items()} if isinstance(value, dict) else value
