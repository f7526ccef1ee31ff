"""Batches: every index once, the same for a seed and epoch, within the budget; tensors as transformers makes them itself."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, T5Config, T5ForConditionalGeneration
from transformers.models.bart.modeling_bart import shift_tokens_right

from diasum.data import LengthBatches, Seq2SeqCollator
from diasum.data.batching import Budget, OpenBatch, Size, longest_first_batches, stream_batches
from diasum.errors import DiasumError


def lengths(n: int, seed: int = 0) -> list[tuple[int, int]]:
    rng = random.Random(seed)
    return [(min(512, int(rng.lognormvariate(5, 0.6))), rng.randint(4, 60)) for _ in range(n)]


def padded_tokens(batch: list[int], sizes: list[tuple[int, int]], multiple: int = 8) -> int:
    width = sum(-(-max(sizes[i][side] for i in batch) // multiple) * multiple for side in (0, 1))
    return width * len(batch)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 501])
@pytest.mark.parametrize("batch_size", [None, 1, 4, 16])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_index_exactly_once(n: int, batch_size: int | None, shuffle: bool) -> None:
    batches = LengthBatches(lengths(n), batch_size=batch_size, batch_tokens=2048, seed=1, shuffle=shuffle)
    for epoch in range(3):
        batches.set_epoch(epoch)
        assert sorted(i for batch in batches for i in batch) == list(range(n))
        assert len(list(batches)) == len(batches)


@pytest.mark.parametrize("budget", [64, 1024, 4096])
def test_no_batch_is_over_its_budget_but_a_single_long_pair(budget: int) -> None:
    sizes = lengths(400)
    batches = LengthBatches(sizes, batch_size=None, batch_tokens=budget, seed=3)
    for epoch in range(3):
        batches.set_epoch(epoch)
        assert all(padded_tokens(batch, sizes) <= budget or len(batch) == 1 for batch in batches)


def test_batches_of_a_given_size() -> None:
    counts = sorted(len(batch) for batch in LengthBatches(lengths(103), batch_size=8, batch_tokens=64, seed=0))
    assert counts == [7] + [8] * 12


def test_order_depends_on_seed_and_epoch_only() -> None:
    sizes = lengths(300)

    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = LengthBatches(sizes, batch_size=None, batch_tokens=2048, seed=seed)
        batches.set_epoch(epoch)
        return list(batches)

    assert order(5, 2) == order(5, 2)
    assert order(5, 2) != order(5, 3)
    assert order(5, 2) != order(6, 2)
    assert {frozenset(batch) for batch in order(5, 2)} != {frozenset(batch) for batch in order(5, 3)}, (
        "members are mixed, too"
    )


def test_without_shuffling_the_longest_come_first() -> None:
    sizes = lengths(300)
    batches = LengthBatches(sizes, batch_size=None, batch_tokens=2048, seed=0, shuffle=False)
    first = list(batches)
    batches.set_epoch(1)
    assert list(batches) == first
    assert sizes[first[0][0]][0] == max(source for source, _ in sizes)


def test_padding_is_told_truly_and_is_far_below_that_of_random_batches() -> None:
    sizes = lengths(1000)
    batches = LengthBatches(sizes, batch_size=16, batch_tokens=64, seed=0)
    real = sum(source + target for source, target in sizes)
    assert batches.padding_share == pytest.approx(1 - real / sum(padded_tokens(batch, sizes) for batch in batches))
    indices = list(range(1000))
    random.Random(0).shuffle(indices)
    at_random = 1 - real / sum(padded_tokens(indices[i : i + 16], sizes) for i in range(0, 1000, 16))
    assert batches.padding_share < 0.5 * at_random


def test_no_pairs_are_refused() -> None:
    with pytest.raises(DiasumError, match="no pairs"):
        LengthBatches([], batch_size=None, batch_tokens=100, seed=0)


def test_collation_pads_to_a_multiple_and_masks() -> None:
    features = [{"input_ids": [5, 6, 1], "labels": [7, 1]}, {"input_ids": [5] * 9 + [1], "labels": [7, 8, 9, 1]}]
    batch = Seq2SeqCollator(0, decoder_start_token_id=0, pad_to_multiple_of=8)(features)
    assert {name: tuple(tensor.shape) for name, tensor in batch.items()} == {
        "input_ids": (2, 16),
        "attention_mask": (2, 16),
        "labels": (2, 8),
        "decoder_input_ids": (2, 8),
    }
    assert batch["attention_mask"].sum(1).tolist() == [3, 10]
    assert batch["input_ids"][0].tolist() == [5, 6, 1] + [0] * 13
    assert batch["labels"][0].tolist() == [7, 1] + [-100] * 6
    assert batch["decoder_input_ids"][0].tolist() == [0, 7, 1] + [0] * 5
    assert all(tensor.dtype == torch.long for tensor in batch.values())


def test_without_labels_there_is_no_decoder_input() -> None:
    assert set(Seq2SeqCollator(0, decoder_start_token_id=0)([{"input_ids": [5, 1]}])) == {"input_ids", "attention_mask"}


def _t5() -> tuple[torch.nn.Module, Callable[[torch.Tensor], torch.Tensor], int, int]:
    model = T5ForConditionalGeneration(
        T5Config(vocab_size=32, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0)
    )
    return model, model._shift_right, 0, 0


def _bart() -> tuple[torch.nn.Module, Callable[[torch.Tensor], torch.Tensor], int, int]:
    config = BartConfig(
        vocab_size=32, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=8, decoder_ffn_dim=8, max_position_embeddings=64, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        decoder_start_token_id=2,
    )  # fmt: skip
    return BartForConditionalGeneration(config), lambda labels: shift_tokens_right(labels, 1, 2), 1, 2


@pytest.mark.parametrize("family", [_t5, _bart])
def test_decoder_input_and_loss_are_those_of_transformers(family: Callable[[], tuple]) -> None:  # type: ignore[type-arg]
    torch.manual_seed(0)
    model, shift, pad, start = family()
    model.eval()
    features = [
        {"input_ids": [5, 6, 7, 2], "labels": [0, 9, 10, 2]},
        {"input_ids": [5, 2], "labels": [0, 11, 12, 13, 14, 2]},
    ]
    batch = Seq2SeqCollator(pad, decoder_start_token_id=start)(features)
    assert torch.equal(batch["decoder_input_ids"], shift(batch["labels"].clone()))
    with torch.no_grad():
        ours = model(**batch).loss
        theirs = model(**{name: batch[name] for name in ("input_ids", "attention_mask", "labels")}).loss
        alone = [
            model(**Seq2SeqCollator(pad, decoder_start_token_id=start, pad_to_multiple_of=1)([f])).loss
            for f in features
        ]
    assert torch.equal(ours, theirs)
    assert ours.item() == pytest.approx((4 * alone[0].item() + 6 * alone[1].item()) / 10, rel=1e-5), (
        "padding changes the loss"
    )


SIZES = [Size(5), Size(9), Size(3), Size(9), Size(40), Size(4)]


def test_a_list_is_taken_longest_first_within_the_budget() -> None:
    assert list(longest_first_batches(SIZES, Budget(18))) == [[4], [1, 3], [0, 5, 2]]
    assert list(longest_first_batches(SIZES, Budget(200))) == [[4, 1, 3, 0, 5], [2]], "40 is the width of all"
    assert list(longest_first_batches(SIZES, Budget(200, rows=2))) == [[4, 1], [3, 0], [5, 2]]
    assert list(longest_first_batches([], Budget(18))) == []


def test_targets_have_a_budget_of_their_own() -> None:
    sizes = [Size(9, 4, rows=2), Size(8, 6, rows=1), Size(7, 2, rows=0), Size(6, 2, rows=3)]
    assert list(longest_first_batches(sizes, Budget(1000, 36))) == [[0, 1, 3]], "six rows of six tokens"
    assert list(longest_first_batches(sizes, Budget(1000, 35))) == [[0, 1], [3]]
    assert list(longest_first_batches(sizes, Budget(53, 1000))) == [[0, 1], [3]], "six rows of nine tokens are 54"


def test_a_stream_keeps_its_order_and_is_pulled_no_further_than_needed() -> None:
    pulled: list[int] = []

    def stream() -> Iterator[tuple[str, Size]]:
        for number, size in enumerate(SIZES):
            pulled.append(number)
            yield "abcdef"[number], size

    batches = stream_batches(stream(), Budget(18))
    assert next(batches) == ["a", "b"]
    assert pulled == [0, 1, 2]
    assert list(batches) == [["c", "d"], ["e"], ["f"]]


def test_a_queue_may_take_a_batch_before_it_is_full() -> None:
    batch: OpenBatch[str] = OpenBatch(Budget(18))
    assert batch.fits(Size(40)), "alone it would never fit"
    batch.add("a", Size(5))
    assert batch.fits(Size(9))
    assert not batch.fits(Size(10))
    assert batch.items == ["a"]


def test_the_ignored_label_is_named_in_one_place() -> None:
    root = Path(__file__).parents[2]
    named = {
        file.relative_to(root).as_posix()
        for folder in ("src", "benchmarks", "pretraining")
        for file in (root / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.UnaryOp) and ast.unparse(node) == "-100"
    }
    # Pretraining has one of its own: a GPU's machine has no diasum.
    assert named == {"src/diasum/data/batching.py", "pretraining/model.py"}
