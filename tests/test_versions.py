"""The versions that stand in manifests, reports and benchmarks."""

from __future__ import annotations

from importlib import metadata

import diasum
from diasum.versions import versions


def test_what_is_not_installed_is_left_out() -> None:
    assert versions(["torch", "no-such-package"]) == {"diasum": diasum.__version__, "torch": metadata.version("torch")}


def test_manifest_and_report_name_what_their_figures_depend_on() -> None:
    assert {
        "diasum",
        "torch",
        "transformers",
        "peft",
        "accelerate",
        "datasets",
        "tokenizers",
        "numpy",
    } <= versions().keys()
