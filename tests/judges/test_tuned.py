"""diasum's own judge on a tiny random encoder: how conversation and sentences are laid out, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertModel, BertTokenizerFast

from diasum.claims.judgement import Judgement
from diasum.claims.sentence_checks import WAYS as WAYS_OF_ALL
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.errors import DiasumError
from diasum.judges import load_judge, require_judge, tuned
from diasum.judges.tuned import TunedJudge
from diasum.model.weights import weights_hash
from tests.encoders import save

WAYS = ["invented", "reversed", "invented", "misplaced", "negated", "miscounted"]
TALK = parse_dialogue("Anna: the cat goes to the market\nBen: she buys apples\nAnna: and a report")
SENTENCES = ["Anna has a cat.", "Ben sells apples and goes to the market.", "she buys a report"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("encoders"), BertModel)


@pytest.fixture
def adapter(encoder: Path, tmp_path: Path) -> Path:
    """Random, of rank 2, for every matrix of the encoder's layers."""
    generator = torch.Generator().manual_seed(0)
    tensors: dict[str, torch.Tensor] = {}
    for name, weight in BertModel.from_pretrained(encoder).named_parameters():
        if name.startswith("encoder.") and weight.ndim == 2:
            tensors[f"{name}.down"] = 0.3 * torch.randn(2, weight.shape[1], generator=generator)
            tensors[f"{name}.up"] = 0.3 * torch.randn(weight.shape[0], 2, generator=generator)
        elif name.startswith("encoder."):
            tensors[name] = 0.1 * torch.randn(weight.shape, generator=generator)
    tensors["speakers"] = torch.randn(5, 16, generator=generator)
    tensors |= {
        "head.0.weight": torch.randn(16, 32, generator=generator),
        "head.0.bias": torch.randn(16, generator=generator),
        "head.1.weight": torch.randn(7, 16, generator=generator),
        "head.1.bias": torch.randn(7, generator=generator),
    }
    folder = tmp_path / "judge"
    folder.mkdir()
    save_file(tensors, folder / "adapter.safetensors")
    calibration = dict.fromkeys(("judge", "rules", "constant", "neutral", "check", "unsupported"), 1.0)
    about: dict[str, Any] = {
        "base": str(encoder),
        "base_sha256": weights_hash(str(encoder)),
        "shape": {"model_type": "bert", "hidden_size": 16},
        "ways": WAYS,
        "dialogue": 60,
        "sentence": 12,
        "calibration": calibration | {"flag": [1.0, 0.0, 0.0, 0.0]},
    }
    (folder / "judge.json").write_text(json.dumps(about))
    return folder


@pytest.fixture
def bundled(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if this adapter were the one that comes with diasum."""
    monkeypatch.setattr(tuned, "_bundled", lambda: adapter)
    tuned._description.cache_clear()
    yield
    tuned._description.cache_clear()


def judged(encoder: Path, adapter: Path) -> TunedJudge:
    judge = TunedJudge.load(str(encoder), folder=adapter)
    assert judge is not None
    return judge


def same(one: list[Judgement], other: list[Judgement]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a.support == pytest.approx(b.support, abs=1e-5) and a.way == b.way for a, b in pairs)


def test_sentences_are_judged_together_as_alone(encoder: Path, adapter: Path) -> None:
    judge = judged(encoder, adapter)
    together = judge.judge(TALK, SENTENCES * 6)
    assert same(together, [judge.judge(TALK, [one])[0] for one in SENTENCES * 6])
    assert len({round(one.support, 4) for one in together}) == 3
    assert all(one.way in WAYS for one in together)
    assert judge.judge(TALK, []) == []


def test_it_computes_what_its_parts_say(encoder: Path, adapter: Path) -> None:
    """One sentence, by hand: the conversation's states without the sentence, then those of the sentence, which sees both."""
    tensors, tokenizer = load_file(adapter / "adapter.safetensors"), BertTokenizerFast.from_pretrained(encoder)
    model = BertModel.from_pretrained(encoder, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if f"{name}.down" in tensors:
                weight += tensors[f"{name}.up"] @ tensors[f"{name}.down"]
            elif name in tensors:
                weight += tensors[name]
        texts = [str(turn) for turn in TALK.turns]
        ids, speakers = [tokenizer.cls_token_id], [0]
        for text, number in zip(texts, (1, 2, 1), strict=True):
            own = tokenizer(text, add_special_tokens=False).input_ids
            ids += [*own, tokenizer.sep_token_id]
            speakers += [number] * (len(own) + 1)
        n = len(ids)
        sentence = tokenizer("ben sells apples", add_special_tokens=False).input_ids
        ids += [tokenizer.cls_token_id, *sentence, tokenizer.sep_token_id]
        speakers += [0, 2, 0, 0, 0]
        told = torch.tensor(speakers)
        embeds = model.embeddings.word_embeddings(torch.tensor(ids)) + tensors["speakers"][told] * (told > 0)[:, None]
        seen = torch.ones(len(ids), len(ids), dtype=torch.bool)
        seen[:n, n:] = False
        mask = torch.zeros(1, 1, len(ids), len(ids)).masked_fill(~seen, torch.finfo(torch.float32).min)
        types = torch.tensor([[0] * n + [1] * (len(ids) - n)])
        states = model(
            inputs_embeds=embeds[None],
            attention_mask=mask,
            token_type_ids=types,
            position_ids=torch.arange(len(ids))[None],
        ).last_hidden_state[0, n:]
        pooled = torch.cat([states[0], states.mean(0)])
        hidden = (tensors["head.0.weight"] @ pooled + tensors["head.0.bias"]).tanh()
        shares = (tensors["head.1.weight"] @ hidden + tensors["head.1.bias"]).softmax(0)
    (found,) = judged(encoder, adapter).judge(TALK, ["Ben sells apples"])
    assert found.support == pytest.approx(float(shares[0]), abs=1e-5)
    assert found.way == WAYS[int(shares[1:].argmax())]


def test_who_speaks_and_who_is_named_counts(encoder: Path, adapter: Path) -> None:
    """Both names are unknown words here, so that only the vectors of the speakers tell them apart."""
    judge = judged(encoder, adapter)
    talk = parse_dialogue("Zoe: the cat goes\nYann: she buys apples")
    (one,), (other,) = judge.judge(talk, ["Zoe buys apples"]), judge.judge(talk, ["Yann buys apples"])
    assert one.support != pytest.approx(other.support, abs=1e-4)
    changed = parse_dialogue("Xaver: the cat goes\nYann: she buys apples")
    assert same(judge.judge(changed, ["Xaver buys apples"]), [one])


@pytest.mark.parametrize("turns", [1, 30, 3000])
def test_a_long_conversation_is_cut_to_turns_that_a_sentence_may_rest_on(
    turns: int, encoder: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    judge, read = judged(encoder, adapter), []
    forward = BertModel.forward

    def watched(self: BertModel, inputs_embeds: torch.Tensor, **rest: Any) -> Any:
        read.append(inputs_embeds.shape[1])
        return forward(self, inputs_embeds=inputs_embeds, **rest)

    monkeypatch.setattr(BertModel, "forward", watched)
    judge._reader._tokenizer.model_max_length = 50
    said = [
        Turn("Anna" if i % 2 else "Ben", "the cat goes to the market and she buys apples", id=i) for i in range(turns)
    ]
    said[turns // 2] = Turn("Anna", "a report " * (600 if turns == 1 else 1), id=turns // 2)
    found = judge.judge(Dialogue(tuple(said)), ["Anna sells a report. " * 20, "Ben buys apples"])
    assert len(found) == 2
    assert max(read) <= 60 + 12 + 2
    assert len(read) == 2, "each sentence has its own turns"
    assert capfd.readouterr() == ("", ""), "no warning that a turn is longer than the encoder's positions"


def test_a_name_that_is_a_word_too_needs_its_capital() -> None:
    naming = tuned._Naming({"Will": 1, "A": 2, "Anna Berg": 3, "Otto Berg": 4, "Zoe": 0})
    text = "A car: will they meet? Will and Anna ask Berg, and zoe asks anna."
    assert [(text[start:end], number) for start, end, number in naming.of(text)] == [
        ("A", 2),
        ("Will", 1),
        ("Anna", 3),
        ("zoe", 0),
        ("anna", 3),
    ]


def test_no_speakers_and_many_speakers(encoder: Path, adapter: Path) -> None:
    judge = judged(encoder, adapter)
    nobody = Dialogue((Turn("", "the cat goes", id=0),))
    many = Dialogue(tuple(Turn(f"Person {i}", "she", id=i) for i in range(9)))
    assert all(0 < one.support < 1 for one in judge.judge(nobody, SENTENCES))
    told = [one.support for one in judge.judge(many, [f"Person {i} buys apples" for i in range(9)])]
    assert len({round(one, 5) for one in told[:4]}) == 4, "the first are told apart"
    assert len({round(one, 5) for one in told[4:]}) == 1, "those for whom there is no vector are alike"


@pytest.mark.usefixtures("bundled")
def test_its_encoder_is_known_wherever_it_lies(encoder: Path, tmp_path: Path) -> None:
    assert isinstance(load_judge(encoder), TunedJudge)
    assert isinstance(load_judge("minilm"), TunedJudge)
    assert load_judge("minilm").name == load_judge(encoder).name == encoder.name
    other = BertModel.from_pretrained(encoder)
    with torch.no_grad():
        next(iter(other.parameters())).add_(0.1)
    other.save_pretrained(tmp_path / "other")
    BertTokenizerFast.from_pretrained(encoder).save_pretrained(tmp_path / "other")
    with pytest.raises(DiasumError, match="not an NLI model"):
        load_judge(tmp_path / "other")


def test_what_comes_with_diasum_is_whole() -> None:
    """Without the encoder, which does not."""
    about, tensors = tuned._description(), load_file(tuned._bundled() / "adapter.safetensors")
    width, layers = about.shape["hidden_size"], about.shape["num_hidden_layers"]
    assert about.calibration.check < about.calibration.unsupported
    assert any(about.calibration.flag)
    assert about.calibration.judge > 0 < about.calibration.rules
    assert set(about.ways) <= set(WAYS_OF_ALL)
    assert tensors["head.1.weight"].shape == (len(about.ways) + 1, width)
    assert tensors["head.0.weight"].shape == (width, 2 * width)
    assert tensors["speakers"].shape[1] == width
    changed = {name.removesuffix(".down") for name in tensors if name.endswith(".down")}
    assert len(changed) == 6 * layers, "each matrix of each layer"
    assert all(tensors[f"{name}.up"].shape[1] == tensors[f"{name}.down"].shape[0] for name in changed)
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


def test_without_a_hub_minilm_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("diasum.model.further.offline", lambda: True)
    monkeypatch.setattr("diasum.judges.loading.bundled_base", lambda: str(tmp_path / "not-here"))
    with pytest.raises(DiasumError, match="needs the encoder") as raised:
        require_judge("minilm")
    assert "check.judge=FOLDER" in str(raised.value.hint)
