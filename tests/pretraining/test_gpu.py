"""Training on packed examples: what is packed comes back, every row is seen in each pass, the weights load."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForSeq2SeqLM

from pretraining.curriculum import Phase
from pretraining.gpu import PackedTrainer, Row, pack, train_packed, unpack
from pretraining.tasks import Example
from pretraining.tokenizer import train_tokenizer
from pretraining.train import Settings

TEXTS = [f"#Person1#: Shall we meet at {k}?\n#Person2#: Yes, at {k}." for k in range(1, 30)]
TINY = Settings(d_model=16, d_ff=32, d_kv=8, num_heads=2, encoder_layers=1, decoder_layers=1, vocab_size=400, threads=1)


class Meetings:
    """A mixture that draws one of a few dialogues."""

    def sample(self, rng: random.Random, *, max_words: int, weights: dict[str, float]) -> Example:
        text = rng.choice(TEXTS)
        return Example(text, text.splitlines()[0], next(iter(weights)))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "packed.npz"
    tokenizer = train_tokenizer(TEXTS, TINY.vocab_size)
    pack(Meetings(), tokenizer, 37, path, Phase(1.0, (40,), {"written": 1.0}))
    return path


def rows(packed: Path) -> list[Row]:
    return unpack(packed)


def test_what_is_packed_comes_back(packed: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, TINY.vocab_size)
    assert len(rows(packed)) == 37
    for source, target, task in rows(packed):
        text = tokenizer.decode(source, skip_special_tokens=True)
        assert text in TEXTS
        assert tokenizer.decode(target, skip_special_tokens=True) == text.splitlines()[0]
        assert task == "written"


def test_every_row_is_seen_once_in_each_pass(packed: Path) -> None:
    settings = Settings(**{**vars(TINY), "pool_examples": 10, "batch_tokens": 300})
    trainer = PackedTrainer(settings, [([k], [k, 1], "x") for k in range(40)])
    for turn in range(2):
        seen = []
        for part in range(4):
            trainer.pool_index = 4 * turn + part
            seen += [int(i) for batch in trainer.draw_pool() for i in batch.source.flatten()]
        assert sorted(seen) == list(range(40))


def test_weights_come_back_in_a_form_that_loads(packed: Path, tmp_path: Path) -> None:
    settings = Settings(**{**vars(TINY), "tokens": 3000, "batch_tokens": 300, "max_minutes": 1.0, "decay_minutes": 0.3})
    trainer = train_packed(settings, rows(packed), tmp_path)
    assert trainer.tokens >= 3000
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "mini")
    assert model.config.d_model == 16
    assert json.loads((tmp_path / "settings.json").read_text())["tokens"] == trainer.tokens


def test_it_needs_neither_the_product_nor_its_libraries() -> None:
    code = "import sys\nfor name in ('diasum', 'rouge_score', 'pydantic'): sys.modules[name] = None\nimport pretraining.gpu"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
