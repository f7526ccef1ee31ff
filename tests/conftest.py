"""Fixtures that many tests share: a tiny base model and a corpus as folders, made once a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tests.models import save_corpus, save_model

settings.register_profile("the same examples everywhere", derandomize=True, deadline=None, database=None)
settings.load_profile("the same examples everywhere")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a tiny T5."""
    return str(save_model(tmp_path_factory.mktemp("models") / "tiny-t5"))


@pytest.fixture(scope="session")
def bart(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a tiny BART."""
    return str(save_model(tmp_path_factory.mktemp("models") / "tiny-bart", "bart"))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a corpus of 24 train, 6 validation and 6 test pairs."""
    return str(save_corpus(tmp_path_factory.mktemp("data") / "talks"))


@pytest.fixture
def quick() -> dict[str, object]:
    """Settings that make a training a matter of seconds."""
    return {
        "train.epochs": 2,
        "train.dtype": "fp32",  # on every machine, so that results can be compared closely
        "train.batch_size": 4,
        "train.eval_generate": 2,
        "train.logging_steps": 1,
        "train.report_to": [],
        "generate.max_new_tokens": 6,
        "generate.num_beams": 2,
        "lora.r": 4,
    }


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Folder of the public corpora; tests that need them are skipped where it is absent."""
    folder = Path(os.environ.get("DIASUM_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"the public corpora are not at {folder} (set DIASUM_DATA)")
    return folder
