"""Which versions of this package and of others stand behind a figure."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

import diasum

# Those that a training, a summary or a score depends on.
PACKAGES = ("torch", "transformers", "peft", "accelerate", "datasets", "tokenizers", "ctranslate2", "rouge-score", "numpy")  # fmt: skip


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Name to version: diasum's, then those of the packages that are installed."""
    installed = {"diasum": diasum.__version__}
    for name in packages:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed
