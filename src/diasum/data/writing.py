"""Write a corpus in this project's own layout: jsonl, one pair per line, with turns and references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diasum.data.pairs import Corpus, Pair
from diasum.dialogue.files.tables import is_data_file
from diasum.errors import DiasumError
from diasum.files import write_json_lines
from diasum.wording import counted


def write_corpus(corpus: Corpus, out: Path) -> list[str]:
    """Write each split to ``out/SPLIT.jsonl``, or the only split to a file when `out` ends in ``.jsonl``.

    Returns:
        One sentence a file written.

    Raises:
        DiasumError: a file is there already, one file was asked for several splits, or one of another format.
    """
    if out.is_file():
        raise DiasumError(f"{out} exists already.", hint="Choose another name; nothing was written.")
    if is_data_file(out) and out.suffix != ".jsonl" and not out.is_dir():
        raise DiasumError(
            f"{out}: only plain jsonl is written, not `{''.join(out.suffixes[-2:])}`.",
            hint=f"Name it {out.name.split('.')[0]}.jsonl, or give a folder for one jsonl file per split.",
        )
    if out.suffix == ".jsonl":
        if len(corpus.splits) != 1:
            raise DiasumError(
                f"{corpus.name} has {len(corpus.splits)} splits ({', '.join(corpus.splits)}), which do not fit into one file.",
                hint="Give a folder instead.",
            )
        files = {out: next(iter(corpus.splits.values()))}
    else:
        files = {out / f"{name}.jsonl": pairs for name, pairs in corpus.splits.items()}
    for file in files:
        if file.exists():
            raise DiasumError(f"{file} exists already.", hint="Choose another name; nothing was written.")
    for file, pairs in files.items():
        write_json_lines(file, map(_row, pairs))
    return [f"{counted(len(pairs), 'dialogue')} written to {file}" for file, pairs in files.items()]


def _row(pair: Pair) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": pair.id,
        "topic": pair.topic,
        "began": pair.began.isoformat() if pair.began else None,
        "turns": [
            {"speaker": turn.speaker, "text": turn.text}
            | {name: time for name, time in (("start", turn.start), ("end", turn.end)) if time is not None}
            for turn in pair.dialogue.turns
        ],
        "summaries": list(pair.references),
    }
    return {key: value for key, value in row.items() if value not in (None, [])}
