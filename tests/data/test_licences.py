"""Where the licence of a corpus is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from email.parser import Parser
from pathlib import Path

import huggingface_hub
import pytest

from diasum.config import DataSettings
from diasum.data import load_corpus
from diasum.data.corpora import BUNDLED
from diasum.data.licences import base_licence, hub_licence, local_licence
from diasum.model import bundled_base

ROW = '{"fname": "1", "dialogue": "A: Hi.\\nB: Hello.", "summary": "A greets B."}\n'


@pytest.mark.parametrize("name", ["everyday", "sample"])
def test_bundled_conversations_state_their_licence(name: str) -> None:
    assert load_corpus(DataSettings(path=name)).license == "cc0-1.0"


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

    assert [base_licence(name) for name in ("google/flan-t5-base", "facebook/bart-base", "someone/model")] == [
        "apache-2.0",
        "apache-2.0",
        None,
    ]


def test_a_base_in_a_folder_states_its_licence_or_nothing(tmp_path: Path) -> None:
    assert base_licence(str(tmp_path)) is None
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert base_licence(str(tmp_path)) == "mit"


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("\ufeff---\nlicense: mit\n---\n", "mit"),
        ('---\nlicense: "mit"  # as the authors say\n---\n', "mit"),
        ("---\nlicense: [mit, cc-by-nc-4.0]\n---\n", "cc-by-nc-4.0"),
        ("---\nlicense: [cc-by-sa-4.0, gpl-3.0]\n---\n", "cc-by-sa-4.0 and gpl-3.0"),
        ("---\nlicense: other\nlicense_name: llama3\n---\n", "llama3"),
        ("---\nlicense: other\n---\n", None),
        ("---\nlicense: unknown\n---\n", None),
        ("---\nlicense: 4\n---\n", None),
        ("---\n---\n", None),
        ("---\n- license\n---\n", None),
        ("---\nlicense: mit\n", None),
    ],
)
def test_a_card_is_read_as_the_hub_reads_it(card: str, licence: str | None, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card, encoding="utf-8", newline="")
    assert local_licence(tmp_path) == licence


@pytest.mark.parametrize(
    "line",
    ["a: [1", "date: 2024-13-45", "date: !!timestamp soon", "x: !!bool maybe", "[" * 3000, "\t- x", "a: *b"],
)
def test_a_card_that_cannot_be_read_says_nothing(line: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\nlicense: mit\n{line}\n---\n")
    (tmp_path / "test.jsonl").write_text(ROW)
    assert base_licence(str(tmp_path)) is None
    assert load_corpus(DataSettings(path=str(tmp_path))).license is None
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\xfe\n---\n")
    assert local_licence(tmp_path) is None


def test_the_package_names_the_licences_of_all_that_it_ships(tmp_path: Path) -> None:
    """Its code, the bundled base, the bundled conversations; with their texts, as a wheel's metadata."""
    root = Path(__file__).parents[2]
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, tmp_path)
    shutil.copytree(root / "LICENSES", tmp_path / "LICENSES")
    (tmp_path / "src" / "diasum").mkdir(parents=True)
    (tmp_path / "src" / "diasum" / "__init__.py").touch()
    build = "from setuptools import build_meta; print(build_meta.prepare_metadata_for_build_wheel('out'))"
    (tmp_path / "out").mkdir()
    made = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=True)
    folder = tmp_path / "out" / made.stdout.split()[-1]
    told = Parser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
    bundled = {load_corpus(DataSettings(path=name)).license for name in BUNDLED}
    shipped = {"apache-2.0", base_licence(str(bundled_base())), *bundled}
    assert {name.lower() for name in told["License-Expression"].split(" AND ")} == shipped
    texts = {Path(name).stem for name in told.get_all("License-File", []) if name.startswith("LICENSES/")}
    assert {name.lower() for name in texts} == shipped
    assert "ShareAlike 4.0" in (folder / "licenses" / "LICENSES" / "CC-BY-SA-4.0.txt").read_text(encoding="utf-8")
