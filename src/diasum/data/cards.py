"""The metadata of a data set's or model's card: the front matter of its README, as the Hub reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def front_matter(readme: Path) -> dict[str, Any]:
    """Empty where there is no such file, or nothing in it that can be read."""
    if not readme.is_file():
        return {}
    from huggingface_hub import metadata_load

    try:
        return metadata_load(readme) or {}
    except (
        Exception
    ):  # of YAML's own kinds, and whatever its constructors run into: ValueError for a 13th month, RecursionError
        return {}
