"""The metadata of a data set's or model's card: the front matter of its README, as the Hub reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diasum.yaml_files import INVALID


def front_matter(readme: Path) -> dict[str, Any]:
    """Empty if there is no such file, or nothing readable in it."""
    if not readme.is_file():
        return {}
    from huggingface_hub import metadata_load

    try:
        return metadata_load(readme) or {}
    except (OSError, *INVALID):
        return {}
