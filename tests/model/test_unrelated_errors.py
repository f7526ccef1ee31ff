"""An error that has nothing to do with a file, such as a library's warning made an error, is not reported as a damaged file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import peft
import pytest
import safetensors
import transformers

from diasum.config import LoraSettings
from diasum.dialogue.files.tables import read_path
from diasum.errors import DiasumError
from diasum.intact import damage
from diasum.model import Hardware, add_adapter, load_base
from diasum.summarization.loading import load_trained
from tests.models import tiny_t5

PLAIN = Hardware("cpu", "fp32", {})


def warn(*_: Any, **__: Any) -> None:
    raise FutureWarning("`something` is deprecated")


def run_out(*_: Any, **__: Any) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("name", "module", "function"),
    [("a.json", json, "loads"), ("a.safetensors", safetensors, "safe_open"), ("a.pt", zipfile, "ZipFile")],
)
def test_files(name: str, module: Any, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / name
    file.write_bytes(b"{")
    assert damage(file)
    monkeypatch.setattr(module, function, warn)
    with pytest.raises(FutureWarning):
        damage(file)


def test_bases(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers.AutoModelForSeq2SeqLM, "from_pretrained", warn)
    with pytest.raises(FutureWarning):
        load_base(base, PLAIN)
    monkeypatch.setattr(transformers.AutoModelForSeq2SeqLM, "from_pretrained", run_out)
    with pytest.raises(DiasumError, match=r"Memory ran out while loading"):
        load_base(base, PLAIN)


def test_adapters(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = add_adapter(tiny_t5()[0], LoraSettings(), seed=0)
    wrapped.save_pretrained(tmp_path)
    monkeypatch.setattr(peft.PeftModel, "from_pretrained", warn)
    with pytest.raises(FutureWarning):
        load_trained(
            tmp_path, base=base
        ).model.eval()  # a plain adapter is read by peft where the model itself is asked for


def test_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    datasets.Dataset.from_list([{"dialogue": "Ana: Yes.", "summary": "Ana agrees."}]).save_to_disk(tmp_path / "saved")
    monkeypatch.setattr(datasets, "load_from_disk", warn)
    with pytest.raises(FutureWarning):
        read_path(tmp_path / "saved")
