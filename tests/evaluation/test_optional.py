"""Measures by a further model, on tiny random ones: the arithmetic is checked, not the models' judgement."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

from diasum.errors import DiasumError
from diasum.evaluation import optional
from diasum.evaluation.optional import bert_score, nli_consistency
from tests.evaluation.examples import PAIRS, pair
from tests.models import tiny_t5

_LISTED = "[PAD] [UNK] [CLS] [SEP] [MASK] tom goes to the market and buys apples she sells . : a b anna ben cat report"
WORDS = _LISTED.split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def save(folder: Path, kind: type, **config: object) -> Path:
    torch.manual_seed(0)
    path = folder / f"{kind.__name__}-{len(config)}"
    if not path.exists():
        shape = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=32,
            **config,
        )
        model = kind(shape)
        with torch.no_grad():  # the default initialisation is so small that all texts look alike
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight) * 0.3)
        model.save_pretrained(path)
        tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)})
        assert tokenizer.unk_token_id not in tokenizer("tom goes").input_ids, "or all words would be one"
        tokenizer.save_pretrained(path)
    return path


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


def test_nli_takes_the_best_window_and_the_mean_sentence(folder: Path) -> None:
    labels = {0: "CONTRADICTION", 1: "ENTAILMENT", 2: "NEUTRAL"}
    path = save(folder, BertForSequenceClassification, id2label=labels, label2id={v: k for k, v in labels.items()})
    long = pair(
        "long", "\n".join(f"{'Anna' if i % 2 else 'Ben'}: {'the cat' if i == 11 else 'apples'}" for i in range(12))
    )
    found = nli_consistency([long, *PAIRS[:1]], ["Tom buys apples. The cat goes to market.", ""], path, batch_size=2)

    model, tokenizer = (
        BertForSequenceClassification.from_pretrained(path).eval(),
        BertTokenizerFast.from_pretrained(path),
    )

    def entailed(premise: str, sentence: str) -> float:
        with torch.no_grad():
            return float(model(**tokenizer(premise, sentence, return_tensors="pt")).logits.softmax(-1)[0, 1])

    turns = [str(turn) for turn in long.dialogue.turns]
    windows = ["\n".join(turns[0:8]), "\n".join(turns[4:12])]
    wanted = np.mean([max(entailed(w, s) for w in windows) for s in ("Tom buys apples.", "The cat goes to market.")])
    assert found[0] == pytest.approx(100 * wanted, abs=1e-3)
    assert np.isnan(found[1])


def test_an_encoder_decoder_judges_by_the_first_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny_t5()
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    with pytest.raises(DiasumError, match="does not tell 0 from 1"):
        nli_consistency(PAIRS[:1], ["x"], tmp_path)
    tokenizer.add_tokens(["1"])
    model.resize_token_embeddings(len(tokenizer))
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    no, yes = (tokenizer(text, add_special_tokens=False).input_ids[0] for text in "01")
    assert no != yes
    model.eval()

    def supported(premise: str, sentence: str) -> float:
        ids = tokenizer(f"predict: {premise}").input_ids + tokenizer(sentence).input_ids
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[0]])).logits[0, 0]
        return float(logits[[no, yes]].softmax(-1)[1])

    talk = pair("one", "Anna: the cat goes to the market\nBen: apples")
    premise = "\n".join(str(turn) for turn in talk.dialogue.turns)
    sentences = ("Anna has a cat.", "Ben sells two apples at the market.")
    found = nli_consistency([talk], [" ".join(sentences)], tmp_path)
    assert found[0] == pytest.approx(100 * np.mean([supported(premise, one) for one in sentences]), abs=1e-3)
    monkeypatch.setattr(optional, "_JUDGE_TOKENS", 12)
    cut = nli_consistency([talk], [sentences[0]], tmp_path)
    assert 0 < cut[0] < 100
    assert cut[0] != pytest.approx(100 * supported(premise, sentences[0]), abs=1e-4), (
        "the premise is cut, not the sentence"
    )


def test_factcg_is_known_by_its_name_and_asked_in_its_own_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "FactCG-tiny"
    shutil.copytree(save(folder, BertForSequenceClassification), path)
    model = BertForSequenceClassification.from_pretrained(path).eval()
    tokenizer = BertTokenizerFast.from_pretrained(path)
    asked = (
        '{}\n\nChoose your answer: based on the paragraph above can we conclude that "{}"?'
        "\n\nOPTIONS:\n- Yes\n- No\nI think the answer is "
    )

    def supported(premise: str, sentence: str) -> float:
        with torch.no_grad():
            logits = model(**tokenizer(asked.format(premise, sentence), return_tensors="pt")).logits[0]
        return float(logits.softmax(-1)[1])

    talk = pair("one", "Anna: the cat goes to the market\nBen: apples")
    premise = "\n".join(str(turn) for turn in talk.dialogue.turns)
    sentences = ("Anna has a cat.", "Ben sells apples to the market.")
    found = nli_consistency([talk], [" ".join(sentences)], path)
    assert found[0] == pytest.approx(100 * np.mean([supported(premise, one) for one in sentences]), abs=1e-3)

    read: list[int] = []
    forward = BertForSequenceClassification.forward

    def watched(self: BertForSequenceClassification, input_ids: torch.Tensor, **rest: Any) -> Any:
        read.extend(input_ids[0].tolist())
        return forward(self, input_ids, **rest)

    monkeypatch.setattr(BertForSequenceClassification, "forward", watched)
    whole = tokenizer(asked.format(premise, sentences[0])).input_ids
    monkeypatch.setattr(optional, "_JUDGE_TOKENS", len(whole) - 4)
    nli_consistency([talk], [sentences[0]], path)
    assert len(read) <= len(whole) - 4
    question = tokenizer(asked.format("", sentences[0])).input_ids
    assert read[-len(question) + 1 :] == question[1:], "the premise is cut, not the question"

    other = tmp_path / "factcg-of-three"
    shutil.copytree(save(folder, BertForSequenceClassification, num_labels=3), other)
    with pytest.raises(DiasumError, match="has 3 labels; FactCG"):
        nli_consistency([talk], ["x"], other)


def test_what_cannot_serve_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match=r"not an NLI model.*label_0"):
        nli_consistency(PAIRS[:1], ["x"], save(folder, BertForSequenceClassification))
    with pytest.raises(DiasumError, match="cannot be loaded"):
        bert_score(["a"], [["b"]], tmp_path)
