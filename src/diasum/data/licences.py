"""The licences of a corpus and of a base: what their cards say, otherwise what is known by name; and the licence that covers both.

In: where the data are. Out: an id as the Hub writes them (``cc-by-nc-sa-4.0``), or None. Nobody should have to remember that the data
they train on forbid commercial use, so a plain copy of DialogSum's files is known by their names.
"""

from __future__ import annotations

import re
from pathlib import Path

from diasum.data.cards import front_matter
from diasum.hub import offline

# As their publishers state them; a card next to the files takes precedence.
_HUB = {
    "knkarthick/dialogsum": "cc-by-nc-sa-4.0",
    "knkarthick/samsum": "cc-by-nc-nd-4.0",
    "samsung/samsum": "cc-by-nc-nd-4.0",
}
_FILES = {re.compile(r"dialogsum\.(train|dev|test)\.jsonl(\.gz)?"): "cc-by-nc-sa-4.0"}
_BASES = {
    re.compile(r"google/(flan-t5|mt5|t5|umt5|long-t5|byt5|flan-ul2|ul2).*"): "apache-2.0",
    re.compile(r"(google-t5/)?t5-(small|base|large|3b|11b)"): "apache-2.0",
    re.compile(r"facebook/bart-.*|allenai/led-.*"): "apache-2.0",
    re.compile(r"google/t5gemma.*"): "gemma",
}
UNKNOWN = "unknown"  # what the Hub calls a licence that nobody states
_FREE = frozenset({"cc0-1.0", "unlicense", "pddl", "0bsd", "wtfpl"})  # ask nothing
_NAMED = frozenset(
    {"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "afl-3.0", "odc-by", "cdla-permissive-2.0"}
)


def joint_licence(one: str, other: str) -> str | None:
    """The stricter of two licences, if it requires everything that the other does; None if each has a requirement that the other lacks.

    A licence that asks for sharing alike is never the lesser one: what is made from both would have to be under each of them.
    """
    if one == other:
        return one
    first, second = _conditions(one), _conditions(other)
    if first is None or second is None:
        return None
    if second <= first and "sa" not in second:
        return one
    return other if first <= second and "sa" not in first else None


def _conditions(license_: str) -> frozenset[str] | None:
    """What a licence requires: ``by``, ``nc``, ``nd``, ``sa``; None if the licence is unknown."""
    if license_ in _FREE:
        return frozenset()
    if license_ in _NAMED:
        return frozenset({"by"})
    if license_.startswith("cc-by"):
        return frozenset({"by", "nc", "nd", "sa"} & set(license_.split("-")))
    return None


def base_licence(base: str, revision: str | None = None) -> str | None:
    """Of a base model in a folder or on the Hub; None if nothing states it."""
    folder = Path(base).expanduser()
    if folder.is_dir():
        return card_licence(folder / "README.md")
    return _hub_card(base, revision, "model") or next(
        (known for pattern, known in _BASES.items() if pattern.fullmatch(base.lower())), None
    )


def local_licence(path: Path) -> str | None:
    """Of a file, or of a folder of files."""
    folder = path if path.is_dir() else path.parent
    if licence := card_licence(folder / "README.md"):
        return licence
    names = sorted(p.name for p in path.iterdir()) if path.is_dir() else [path.name]
    return next((known for name in names for pattern, known in _FILES.items() if pattern.fullmatch(name)), None)


def hub_licence(name: str, revision: str | None = None) -> str | None:
    """Of a hub data set; where its card cannot be reached, what is known of it by name."""
    return _hub_card(name, revision, "dataset") or _HUB.get(name.lower())


def _hub_card(name: str, revision: str | None, kind: str) -> str | None:
    from huggingface_hub import hf_hub_download

    offline()
    try:
        card = hf_hub_download(name, "README.md", repo_type=kind, revision=revision)
    except (OSError, ValueError, RuntimeError):
        return None
    return card_licence(Path(card))


def card_licence(card: Path) -> str | None:
    """The licence in a card's front matter; several as the one that covers the others, otherwise all of them: ``mit and gpl-3.0``."""
    front = front_matter(card)
    stated = front.get("license")
    names = [name.lower() for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)]
    if names == ["other"]:
        names = [str(front.get("license_name") or UNKNOWN)]
    if not names or UNKNOWN in names:
        return None
    joint: str | None = names[0]
    for name in names[1:]:
        joint = joint and joint_licence(joint, name)
    return joint or " and ".join(names)
