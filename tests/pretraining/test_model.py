"""The model and training side of pretraining: initialisation, lean forward pass, tokenizer, optimiser, resuming, export."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from diasum.config import GenerateSettings
from diasum.summarization.loading import own_settings
from pretraining import export, invented, optim, probes, train
from pretraining.batches import cut
from pretraining.curriculum import CURRICULUM, phase_at, without
from pretraining.model import (
    ENCODER_OFFSETS,
    IGNORE,
    Batch,
    Shape,
    build_model,
    structured_init,
    token_losses,
    with_words_replaced,
)
from pretraining.tokenizer import SENTINELS, train_tokenizer

SMALL = Shape(vocab_size=512, d_model=128, d_ff=128, d_kv=32, num_heads=4, encoder_layers=2, decoder_layers=3)
WORDS = [
    "Ann",
    "Bob",
    "Cleo",
    "Dan",
    "Eve",
    "Finn",
    "wants",
    "to",
    "book",
    "a",
    "table",
    "for",
    "two",
    "three",
    "at",
    "seven",
    "{}",
    "ok",
]


class Repeat:
    """A mixture of one task: repeat the words of the source."""

    def sample(self, rng: random.Random, *, max_words: int, weights: dict[str, float]) -> Any:
        text = " ".join(rng.choices(WORDS, k=rng.randint(3, 8)))
        return SimpleNamespace(source=f"Repeat: {text}", target=text, task="copy/repeat")

    def iter_text(self) -> list[str]:
        return [f"{a}: {b} {c}\n{b}: 12 {a}" for a in WORDS for b in WORDS for c in WORDS]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(Repeat().iter_text(), 420)


def copy_batch(vocab: int, rows: int = 24, length: int = 12) -> Batch:
    """Random sequences of distinct tokens to be repeated, the first token given in both."""
    generator = torch.Generator().manual_seed(3)
    source = torch.stack([torch.randperm(vocab - 50, generator=generator)[:length] + 50 for _ in range(rows)])
    inputs = torch.cat((torch.zeros(rows, 1, dtype=torch.long), source[:, :-1]), dim=1)
    labels = source.clone()
    labels[:, 0] = IGNORE  # nothing tells which token comes first
    return Batch(source, torch.full((rows,), length), inputs, labels, ["copy"] * rows)


def copy_accuracy(model: Any, batch: Batch) -> float:
    logits = model(input_ids=batch.source, decoder_input_ids=batch.decoder_input).logits
    real = batch.labels != IGNORE
    return float((logits.argmax(-1) == batch.labels)[real].float().mean())


def test_structured_initialisation_copies_before_training() -> None:
    shape = replace(SMALL, d_model=256, d_kv=64, vocab_size=2048)
    batch = copy_batch(shape.vocab_size)
    with torch.no_grad():
        assert copy_accuracy(build_model(shape, structured=True), batch) > 0.8
        assert copy_accuracy(build_model(shape, structured=False), batch) < 0.2


def test_structured_initialisation_tells_two_places_of_a_token_apart() -> None:
    shape = replace(SMALL, d_model=256, d_kv=64, vocab_size=2048)
    batch = copy_batch(shape.vocab_size)
    batch.source[:, 8] = batch.source[:, 3]  # what follows depends on the token before
    inputs = torch.cat((torch.zeros(len(batch.source), 1, dtype=torch.long), batch.source[:, :-1]), dim=1)
    labels = torch.full_like(batch.source, IGNORE)
    labels[:, [4, 9]] = batch.source[:, [4, 9]]
    batch = replace(batch, decoder_input=inputs, labels=labels)
    model, without = build_model(shape), build_model(shape)
    structured_init(without, context=0.0)
    with torch.no_grad():
        assert copy_accuracy(model, batch) > 0.8
        assert copy_accuracy(without, batch) < 0.7


def test_a_head_without_an_offset_prefers_the_nearest_before_it() -> None:
    attention = build_model(SMALL).encoder.block[0].layer[0].SelfAttention
    head = ENCODER_OFFSETS.index(None)
    bias = attention.compute_bias(60, 60)[0, head, 50]
    assert (bias[:50].diff() >= 0).all()
    assert bias[50] == 0
    assert bias[51:].max() < -5


def test_lean_forward_equals_transformers() -> None:
    torch.manual_seed(0)
    model = build_model(SMALL)
    source = torch.randint(3, 500, (3, 21))
    lengths = torch.tensor([21, 13, 5])
    mask = (torch.arange(21) < lengths[:, None]).long()
    source = source * mask
    labels = torch.randint(3, 500, (3, 9))
    labels[1, 6:] = labels[2, 2:] = IGNORE
    inputs = torch.cat((torch.zeros(3, 1, dtype=torch.long), labels[:, :-1].clamp_min(0)), dim=1)
    lean = token_losses(model, Batch(source, lengths, inputs, labels, [""] * 3)).mean()
    full = model(input_ids=source, attention_mask=mask, decoder_input_ids=inputs, labels=labels).loss
    torch.testing.assert_close(lean, full, rtol=1e-4, atol=1e-4)
    grads = [torch.autograd.grad(loss, list(model.parameters()), allow_unused=True) for loss in (lean, full)]
    for (name, _), a, b in zip(model.named_parameters(), *grads, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize(
    "text",
    [
        "Summarize the following conversation.\n\nAnn: Hi {x}  two\nBob: It's  $15.30\n\nSummary:",
        " leading\n \n  a\n\n\n",
        "ends\n",
        "",
        "Grüße 漢字 😀\ttab",
        "#Person3#'s (#Person2#)",
    ],
)
def test_tokenizer_round_trip(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text).input_ids
    assert ids[-1] == tokenizer.eos_token_id == 1
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_tokenizer_gives_a_name_the_same_token_everywhere(tokenizer: Any) -> None:
    label, mention = tokenizer("Ann: ok\nBob: ok").input_ids, tokenizer("ok Ann and Bob").input_ids
    for name in ("Ann", "Bob"):
        (token,) = tokenizer(name, add_special_tokens=False).input_ids
        assert token in label
        assert token in mention
    assert len(tokenizer("#Person7#", add_special_tokens=False).input_ids) == 1
    assert len(tokenizer("123", add_special_tokens=False).input_ids) == 3
    assert tokenizer.pad_token_id == 0
    assert tokenizer.convert_tokens_to_ids("<unk>") == 2
    assert tokenizer("a <extra_id_3> b", add_special_tokens=False).input_ids[1] == tokenizer.convert_tokens_to_ids(
        "<extra_id_3>"
    )
    assert tokenizer.convert_tokens_to_ids(f"<extra_id_{SENTINELS - 1}>") == 2 + SENTINELS


def test_invented_names_stay_the_same_in_source_and_target() -> None:
    source = "Ann: hi Bob\nBob: hello\nClerk: Annual fee"
    changed = 0
    for seed in range(20):
        s, t = invented.rename(random.Random(seed), source, "Ann greets Bob. The clerk listens.")
        label = s.split(":")[0]
        assert t.startswith(f"{label} greets ")
        assert "Clerk: Annual fee" in s  # the target says "the clerk", and "Annual" only begins like a name
        assert len(label) >= 3
        changed += label != "Ann"
    assert changed > 5


def test_orthogonalise_gives_near_orthogonal_rows() -> None:
    result = optim.orthogonalise(torch.randn(3, 16, 40, generator=torch.Generator().manual_seed(0)))
    singular = torch.linalg.svdvals(result)
    assert float(singular.min()) > 0.5
    assert float(singular.max()) < 1.5


def test_muon_step_has_the_given_size() -> None:
    p = torch.nn.Parameter(torch.full((64, 32), 2.0))
    muon = optim.Muon([{"params": [p], "blocks": 4, "dim": 0}], lr=0.01)
    p.grad = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
    muon.step()
    assert float((p.detach() - 2).square().mean().sqrt()) == pytest.approx(0.02, rel=0.3)


def test_schedule_warms_up_stays_and_decays() -> None:
    rate = [optim.schedule(t, warmup=100, total=1000, decay=200) for t in (0, 99, 500, 800, 900, 1000)]
    assert rate == pytest.approx([0.01, 1, 1, 1, 0.5, 0])


def test_batches_keep_to_the_budget_and_lose_no_row() -> None:
    rng = random.Random(0)
    rows = [([7] * rng.randint(3, 90), [8] * rng.randint(1, 40), "x") for _ in range(300)]
    parts = cut(rows, 600)
    assert sum(len(b.tasks) for b in parts) == 300
    assert all(b.source.numel() + b.labels.numel() <= 600 for b in parts)
    assert sum(int((b.labels != IGNORE).sum()) for b in parts) == sum(len(t) for _, t, _ in rows)


TINY = train.Settings(
    tokens=10**9, warmup_tokens=500, batch_tokens=300, pool_examples=40, threads=1, encoder_layers=2, decoder_layers=2, d_model=64,
    d_ff=64, d_kv=16, num_heads=2, vocab_size=420,
)  # fmt: skip


def test_resumed_run_equals_uninterrupted(tokenizer: Any, tmp_path: Path) -> None:
    whole = train.Trainer(TINY, Repeat(), tokenizer)
    losses = [whole.train_step()["loss"] for _ in range(9)]
    first = train.Trainer(TINY, Repeat(), tokenizer)
    for _ in range(4):
        first.train_step()
    first.save(tmp_path / "checkpoint.pt")
    assert train.sized(train.Settings(run=str(tmp_path))).shape() == TINY.shape()
    second = train.Trainer(TINY, Repeat(), tokenizer)
    second.load(tmp_path / "checkpoint.pt")
    again = [second.train_step()["loss"] for _ in range(5)]
    assert again == pytest.approx(losses[4:], rel=1e-4)
    assert second.tokens == whole.tokens
    for a, b in zip(second.average.parameters(), whole.average.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_export_loads_and_stays_equal(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    trainer = train.Trainer(TINY, Repeat(), tokenizer)
    trainer.train_step()
    trainer.save(tmp_path / "checkpoint.pt")
    export.main(["--run", str(tmp_path), "--to", str(tmp_path / "mini")])
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "mini")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "mini")
    assert model.dtype == torch.bfloat16
    assert loaded("Ann: ok\nBob {}").input_ids == tokenizer("Ann: ok\nBob {}").input_ids
    torch.testing.assert_close(model.shared.weight.float(), trainer.average.shared.weight, rtol=1e-2, atol=1e-2)
    assert model.lm_head.weight.data_ptr() == model.shared.weight.data_ptr()
    inputs = loaded(["Repeat: Ann wants"], return_tensors="pt")
    assert model.generate(**inputs, max_new_tokens=4).shape[1] <= 5
    assert "CC BY-SA" in (tmp_path / "mini" / "README.md").read_text(encoding="utf-8")
    assert own_settings(tmp_path / "mini").generate == GenerateSettings(**export.GENERATE)
    assert own_settings("mini").generate == GenerateSettings(**export.GENERATE)


def test_the_card_counts_the_tokens_of_all_sittings_and_marks_a_run_from_earlier_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(tokens: int) -> dict[str, Any]:
        return {"tokens": tokens, "loss": {"written": 3.0}, "exact_reading": 0.2, "held_out": {"rouge1": 30, "gap": 9}}

    history = tmp_path / "history.json"
    history.write_text(
        json.dumps({"tokens": 100_000_000, "steps": 1, "hours": 1, "probes": [probe(79_000_000), probe(100_000_000)]})
    )
    monkeypatch.setattr(export, "HISTORY", history)
    (tmp_path / "probes.jsonl").write_text(f"{json.dumps(probe(92_000_000))}\n")
    again = {"start": "mini", "start_tokens": 79_000_000, "tokens": 92_000_000}
    assert export.tokens_seen(again) == 113_000_000
    assert export.tokens_seen({**again, "start_tokens": 100_000_000, "tokens": 104_000_000}) == 104_000_000
    assert export.tokens_seen({"start": "", "start_tokens": 0, "tokens": 5_000_000}) == 5_000_000
    rows = [line.split("|")[1].strip() for line in export.curve(tmp_path, "mini").splitlines()[2:]]
    assert rows == ["79.0M", "100.0M", "92.0M, again"]


def test_export_averages_checkpoints(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    trainer = train.Trainer(TINY, Repeat(), tokenizer)
    states = []
    for name in ("earlier.pt", "checkpoint.pt"):
        trainer.train_step()
        trainer.save(tmp_path / name)
        states.append({key: value.clone() for key, value in trainer.average.state_dict().items()})
    model, _, counters = export.load_run(tmp_path, others=[tmp_path / "earlier.pt"])
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, (states[0][key] + states[1][key]) / 2)
    assert counters["averaged"] == [trainer.tokens, torch.load(tmp_path / "earlier.pt")["counters"]["tokens"]]
    assert (
        export.average([104_000_000, 93_000_000]) == "The weights are the mean of those after 93.0M and 104.0M tokens."
    )
    assert export.average([104_000_000]) == ""


def test_scores_tell_reading_from_one_sentence_for_all() -> None:
    pairs = [
        probes.Pair(f"{n}: I want {k} tables", f"{n} wants {k} tables.", "x")
        for n, k in (("Ann", 2), ("Bob", 5), ("Eve", 9))
    ]
    reads = probes.score_summaries(pairs, [p.target for p in pairs])
    same = probes.score_summaries(pairs, ["Ann wants 2 tables."] * 3)
    assert reads["gap"] > 20
    assert same["gap"] == pytest.approx(0, abs=1e-6)
    assert reads["precision"] == reads["recall"] == 1
    assert same["precision"] < 0.5


def test_a_family_left_out_is_not_drawn_and_the_others_share_its_part() -> None:
    phase = CURRICULUM[-1]
    left = without(phase, ["report", "copy"])
    assert set(left.weights) == set(phase.weights) - {"report", "copy"}
    assert left.weights["written"] == phase.weights["written"]
    assert without(phase, [""]) == phase


def test_a_trainer_leaves_out_what_it_is_told_to(tokenizer: Any) -> None:
    asked: list[set[str]] = []

    class Listening(Repeat):
        def sample(self, rng: random.Random, *, max_words: int, weights: dict[str, float]) -> Any:
            asked.append(set(weights))
            return super().sample(rng, max_words=max_words, weights=weights)

    settings = replace(TINY, leave_out="report,copy")
    train.Trainer(settings, Listening(), tokenizer).next_batch()
    assert asked
    assert not any(families & {"report", "copy"} for families in asked)


def test_training_goes_on_from_a_bundle(tmp_path: Path) -> None:
    settings = train.Settings(
        vocab_size=64, d_model=16, d_ff=32, d_kv=8, num_heads=2, encoder_layers=1, decoder_layers=1, seed=1
    )
    exported = build_model(settings.shape(), seed=7)
    exported.save_pretrained(tmp_path)
    asked = train.Settings(run=str(tmp_path / "run"), start=str(tmp_path), seed=1)
    assert train.sized(asked).shape() == settings.shape(), "the sizes are the bundle's own"
    assert train.sized(train.Settings(run=str(tmp_path / "run"))).shape() == Shape(), (
        "without a start those of the settings"
    )
    trainer = train.Trainer(settings, mixture=None, tokenizer=None)  # type: ignore[arg-type]
    trainer.load_bundle(tmp_path, 80_000_000)
    assert trainer.tokens == 80_000_000
    assert phase_at(trainer.pool_phase_tokens) is CURRICULUM[-1]
    for name, weight in exported.state_dict().items():
        assert torch.equal(trainer.model.state_dict()[name], weight), name
        assert torch.equal(trainer.average.state_dict()[name], weight), name


def test_dropout_changes_what_is_learnt_from_and_nothing_without() -> None:
    model = build_model(Shape(vocab_size=50, d_model=16, d_ff=32, d_kv=8, num_heads=2))
    ids = torch.randint(2, 50, (3, 7))
    batch = Batch(ids, torch.tensor([7, 7, 7]), ids[:, :5], ids[:, :5], ["x"] * 3)
    plain = token_losses(model, batch)
    assert torch.equal(token_losses(model, batch, 0.0), plain)
    torch.manual_seed(0)
    dropped = torch.stack([token_losses(model, batch, 0.1) for _ in range(200)])
    assert not torch.equal(dropped[0], dropped[1])
    assert abs(float((dropped.mean() - plain.mean()).detach())) < 0.2  # what is left is scaled up


def test_a_share_of_what_the_decoder_reads_is_replaced_but_for_its_start() -> None:
    torch.manual_seed(0)
    inputs = torch.zeros(200, 50, dtype=torch.long)
    batch = Batch(inputs, torch.full((200,), 50), inputs, inputs, ["x"] * 200)
    replaced = with_words_replaced(batch, 0.2, 40).decoder_input
    assert not replaced[:, 0].any()
    assert 0.18 < float((replaced[:, 1:] > 0).float().mean()) < 0.22
    assert not inputs.any()
