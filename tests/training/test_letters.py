"""Training on a language of other letters: what will fail is said before it, and evaluations count the language's own words."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

import diasum
from tests.models import save_model

ROWS = [
    {
        "id": str(i),
        "dialogue": f"Анна: Ты придёшь в {i}?\nБен: Да, приду к обеду.",
        "summary": f"Бен придёт в {i} к обеду.",
    }
    for i in range(8)
]


@pytest.fixture(scope="module")
def russian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("russian")
    for split in ("train", "validation", "test"):
        rows = [row | {"dialogue": f"{row['dialogue']}\nАнна: {split}."} for row in ROWS]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return folder


SETTINGS = {
    "train.epochs": 1,
    "train.report_to": [],
    "train.eval_generate": 4,
    "generate.max_new_tokens": 24,
    "generate.num_beams": 1,
}


def told(tmp_path: Path, family: str, data: Path, **more: object) -> tuple[str, dict[str, object]]:
    console = Console(record=True, width=4000, file=io.StringIO())
    base = save_model(tmp_path / "base", family)
    diasum.train(str(base), str(data), run=tmp_path / "run", settings={**SETTINGS, **more}, console=console)
    return console.export_text(), json.loads((tmp_path / "run" / "manifest.json").read_text())


def test_letters_that_the_tokenizer_lacks_are_told_before_training(russian: Path, tmp_path: Path) -> None:
    text, manifest = told(tmp_path, "t5", russian)
    (note,) = [note for note in manifest["data"]["notes"] if "tokenizer lacks" in note]
    assert "(Cyrillic)" in note
    assert text.index(note) < text.index("epoch 1")
    evaluated = diasum.evaluate(tmp_path / "run", settings={"evaluate.contrast": 0})
    assert any("tokenizer lacks" in note for note in evaluated.evaluation.notes)


def test_a_latin_protocol_is_told_before_training(russian: Path, tmp_path: Path) -> None:
    text, _ = told(tmp_path, "bart", russian, **{"evaluate.protocol": "rouge-score"})
    assert text.index("counts a-z and 0-9 only") < text.index("epoch 1")


def test_evaluations_during_training_count_the_languages_words(
    russian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "diasum.training.trainer.generate",
        lambda model, tokenizer, sources, *more, **options: [Written(ROWS[0]["summary"]) for _ in sources],
    )
    text, manifest = told(tmp_path, "bart", russian)
    assert "not Latin" not in text
    assert manifest["best"]["eval_rouge1"] > 50


class Written:
    cut = False

    def __init__(self, text: str) -> None:
        self.text = text
