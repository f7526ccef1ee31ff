"""The licence of a corpus: what its data card says, else what is known of it by name.

In: where the data are. Out: an id as the Hub writes them (``cc-by-nc-sa-4.0``), or None. Nobody should have to remember that the data
they train on forbid commercial use, so a plain copy of DialogSum's files is known by their names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# As their publishers state them; a card beside the files comes first.
_HUB = {
    "knkarthick/dialogsum": "cc-by-nc-sa-4.0",
    "knkarthick/samsum": "cc-by-nc-nd-4.0",
    "samsung/samsum": "cc-by-nc-nd-4.0",
}
_FILES = {re.compile(r"dialogsum\.(train|dev|test)\.jsonl(\.gz)?"): "cc-by-nc-sa-4.0"}


def local_licence(path: Path) -> str | None:
    """Of a file, or of a folder of files."""
    folder = path if path.is_dir() else path.parent
    if found := card_licence(folder / "README.md"):
        return found
    names = sorted(p.name for p in path.iterdir()) if path.is_dir() else [path.name]
    return next((known for name in names for pattern, known in _FILES.items() if pattern.fullmatch(name)), None)


def hub_licence(name: str, revision: str | None = None) -> str | None:
    """Of a hub data set; None where its card cannot be reached."""
    from huggingface_hub import hf_hub_download

    try:
        card = hf_hub_download(name, "README.md", repo_type="dataset", revision=revision)
    except (OSError, ValueError, RuntimeError):
        return _HUB.get(name.lower())
    return card_licence(Path(card)) or _HUB.get(name.lower())


def card_licence(card: Path) -> str | None:
    """What the front matter of a data card says."""
    try:
        with card.open(encoding="utf-8") as handle:
            text = handle.read(20_000)
    except (OSError, UnicodeDecodeError):
        return None
    front: Any = re.match(r"---\n(.*?)\n---", text, re.S)
    found = re.search(r"^license:\s*(?:\n?\s*- )?([\w.\-]+)\s*$", front[1], re.M) if front else None
    return found[1] if found else None
