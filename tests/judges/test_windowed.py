"""Judges that others trained, on tiny random models: what they read and how their figures are joined is checked, not their judgement."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification, BertTokenizerFast

from diasum.errors import DiasumError
from diasum.evaluation.optional import nli_consistency
from diasum.judges import windowed
from tests.encoders import save
from tests.evaluation.examples import PAIRS, pair
from tests.models import tiny_t5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_nli_takes_the_best_window_and_the_mean_sentence(folder: Path) -> None:
    labels = {0: "CONTRADICTION", 1: "ENTAILMENT", 2: "NEUTRAL"}
    path = save(folder, BertForSequenceClassification, id2label=labels, label2id={v: k for k, v in labels.items()})
    long = pair(
        "long", "\n".join(f"{'Anna' if i % 2 else 'Ben'}: {'the cat' if i == 11 else 'apples'}" for i in range(12))
    )
    found = nli_consistency([long, *PAIRS[:1]], ["Tom buys apples. The cat goes to market.", ""], path)

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
    monkeypatch.setattr(windowed, "_LONGEST", 12)
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
    monkeypatch.setattr(windowed, "_LONGEST", len(whole) - 4)
    nli_consistency([talk], [sentences[0]], path)
    assert len(read) <= len(whole) - 4
    question = tokenizer(asked.format("", sentences[0])).input_ids
    assert read[-len(question) + 1 :] == question[1:], "the premise is cut, not the question"

    other = tmp_path / "factcg-of-three"
    shutil.copytree(save(folder, BertForSequenceClassification, num_labels=3), other)
    with pytest.raises(DiasumError, match="has 3 labels; FactCG"):
        nli_consistency([talk], ["x"], other)


def test_a_sentence_longer_than_the_model_reads_is_cut(folder: Path) -> None:
    labels = {0: "contradiction", 1: "entailment"}
    config = {"id2label": labels, "label2id": {name: i for i, name in labels.items()}, "max_position_embeddings": 24}
    path = save(folder, BertForSequenceClassification, **config)
    found = nli_consistency([pair("one", "Anna: the cat goes to the market")], ["tom buys apples and " * 30], path)
    assert 0 < found[0] < 100
