"""Where the licence of a corpus is found."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from diasum.config import DataSettings
from diasum.data import load_corpus
from diasum.data.licences import hub_licence, local_licence

ROW = '{"fname": "1", "dialogue": "A: Hi.\\nB: Hello.", "summary": "A greets B."}\n'


def test_the_bundled_sample_states_its_licence() -> None:
    assert load_corpus(DataSettings(path="sample")).license == "cc0-1.0"


def test_a_plain_copy_of_dialogsum_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "dialogsum.test.jsonl").write_text(ROW)
    assert local_licence(tmp_path) == local_licence(tmp_path / "dialogsum.test.jsonl") == "cc-by-nc-sa-4.0"
    (tmp_path / "README.md").write_text("---\nlicense:\n- mit\n---\n")
    assert local_licence(tmp_path) == "mit", "a card comes first"


def test_other_files_are_not_guessed_and_the_setting_wins(tmp_path: Path) -> None:
    (tmp_path / "my-dialogsum.jsonl").write_text(ROW)
    assert local_licence(tmp_path) is None
    assert load_corpus(DataSettings(path=str(tmp_path), license="cc-by-nc-4.0")).license == "cc-by-nc-4.0"
    assert load_corpus(DataSettings(path="sample", license="mit")).license == "mit"


def test_a_hub_card_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: apache-2.0\n---\n")
    asked = []

    def download(name: str, file: str, **options: object) -> str:
        asked.append((name, file, options["repo_type"], options["revision"]))
        return str(card)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert hub_licence("someone/talks", "v1") == "apache-2.0"
    assert asked == [("someone/talks", "README.md", "dataset", "v1")]
    card.write_text("No front matter.")
    assert (hub_licence("someone/talks"), hub_licence("knkarthick/dialogsum")) == (None, "cc-by-nc-sa-4.0")

    def unreachable(*_: object, **__: object) -> str:
        raise OSError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    assert (hub_licence("someone/talks"), hub_licence("Samsung/samsum")) == (None, "cc-by-nc-nd-4.0")
