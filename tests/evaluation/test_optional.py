"""Measures by a further model, on tiny random ones: the arithmetic is checked, not the models' judgement."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import BertForSequenceClassification, BertModel, BertTokenizerFast

from diasum.errors import DiasumError
from diasum.evaluation.optional import bert_score, nli_consistency
from tests.encoders import save
from tests.evaluation.examples import PAIRS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_bert_score_is_greedy_cosine_matching(folder: Path) -> None:
    path = save(folder, BertModel)
    predictions = ["tom goes to the market", "she sells apples", "cat", ""]
    references = [
        ["tom buys apples .", "the market"],
        ["she sells apples"],
        ["ben and anna and the cat and the report"],
        ["tom"],
    ]
    found = bert_score(predictions, references, path, layer=2, batch_size=3)

    model, tokenizer = BertModel.from_pretrained(path).eval(), BertTokenizerFast.from_pretrained(path)

    def states(text: str) -> torch.Tensor:
        with torch.no_grad():
            hidden = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[2][0]
        return hidden / hidden.norm(dim=-1, keepdim=True)

    def f1(a: str, b: str) -> float:
        similar = states(a) @ states(b).T
        precision, recall = similar.max(1).values[1:-1].mean(), similar.max(0).values[1:-1].mean()
        return float(200 * precision * recall / (precision + recall))

    wanted = [max(f1(p, r) for r in refs) if p else 0 for p, refs in zip(predictions, references, strict=True)]
    assert found == pytest.approx(wanted, abs=1e-3)
    assert found[1] == pytest.approx(100, abs=1e-3)
    assert found[0] < 99.9
    assert found[3] == 0


def test_bert_score_layers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each layer's states are set here, so that scores differ by design: what a random model makes of two words differs by processor."""
    path = save(folder, BertModel)
    cosines = {1: 0.2, 2: 0.5, 3: 0.8}

    def states(self: BertModel, input_ids: torch.Tensor, **_: object) -> SimpleNamespace:
        known = BertTokenizerFast.from_pretrained(path).convert_tokens_to_ids("tom")
        hidden = [torch.zeros(*input_ids.shape, 4)]
        for cosine in cosines.values():
            layer = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(*input_ids.shape, 4).clone()
            layer[input_ids > 4] = torch.tensor([cosine, (1 - cosine**2) ** 0.5, 0, 0])
            layer[input_ids == known] = torch.tensor([1.0, 0, 0, 0])
            hidden.append(layer)
        return SimpleNamespace(hidden_states=hidden)

    monkeypatch.setattr(BertModel, "forward", states)
    found = {layer: bert_score(["tom"], [["cat"]], path, layer=layer)[0] for layer in (None, 1, 2, 3)}
    assert found == {
        None: pytest.approx(50, abs=1e-3),  # after two thirds of them
        1: pytest.approx(20, abs=1e-3),
        2: pytest.approx(50, abs=1e-3),
        3: pytest.approx(80, abs=1e-3),
    }
    with pytest.raises(DiasumError, match="has 3 layers; there is no layer 4"):
        bert_score(["tom"], [["cat"]], path, layer=4)


def test_what_cannot_serve_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match=r"not an NLI model.*label_0"):
        nli_consistency(PAIRS[:1], ["x"], save(folder, BertForSequenceClassification))
    with pytest.raises(DiasumError, match="cannot be loaded"):
        bert_score(["a"], [["b"]], tmp_path)
