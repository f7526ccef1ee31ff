"""Compiled kernels: equal to torch, the same for any number of threads, and honest about what is not a number."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from diasum.model.fast.beam_attention import BeamAttention
from diasum.model.fast.compiled import CompiledKernels
from diasum.model.fast.compiling import compiled
from diasum.model.fast.kernels import Dropout, Kernels

needs_compiler = pytest.mark.skipif(compiled(torch.float32)[0] is None, reason=compiled(torch.float32)[1])
both_types = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
shapes = pytest.mark.parametrize("shape", [(0, 8), (1, 1), (3, 7), (5, 1000), (130, 72)])


def of(dtype: torch.dtype) -> CompiledKernels:
    kernels, reason = compiled(dtype)
    assert kernels is not None, reason
    return kernels


def drawn(*shape: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).mul(2).to(dtype)


def close(ours: Tensor, exact: Tensor, dtype: torch.dtype) -> None:
    """To the rounding of the result's type."""
    assert ours.dtype == dtype
    bound = {torch.float32: 2e-6, torch.bfloat16: 2**-8}[dtype]
    torch.testing.assert_close(ours.double(), exact, rtol=bound, atol=bound / 4)


@needs_compiler
@both_types
@shapes
def test_norm(shape: tuple[int, int], dtype: torch.dtype) -> None:
    x, grad, weight = (
        drawn(*shape, dtype=dtype),
        drawn(*shape, dtype=dtype, seed=1),
        drawn(shape[1], dtype=dtype, seed=2),
    )
    exact = x.double().requires_grad_()
    wanted = exact * (exact.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * weight.double()
    out, scales = of(dtype).rms_norm(x, weight, 1e-6)
    close(out, wanted.detach(), dtype)
    (slope,) = torch.autograd.grad(wanted, exact, grad.double())
    close(of(dtype).rms_norm_backward(grad, x, weight, scales), slope, dtype)


@needs_compiler
@both_types
@shapes
def test_gate(shape: tuple[int, int], dtype: torch.dtype) -> None:
    x, grad = drawn(shape[0], 2 * shape[1], dtype=dtype), drawn(*shape, dtype=dtype, seed=1)
    exact = x.double().requires_grad_()
    gate, value = exact.chunk(2, -1)
    wanted = functional.gelu(gate, approximate="tanh") * value
    close(of(dtype).gated_gelu(x), wanted.detach(), dtype)
    (slope,) = torch.autograd.grad(wanted, exact, grad.double())
    close(of(dtype).gated_gelu_backward(grad, x), slope, dtype)


@needs_compiler
@both_types
@shapes
def test_gelu(shape: tuple[int, int], dtype: torch.dtype) -> None:
    x, grad = drawn(*shape, dtype=dtype), drawn(*shape, dtype=dtype, seed=1)
    exact = x.double().requires_grad_()
    wanted = functional.gelu(exact)
    close(of(dtype).gelu(x), wanted.detach(), dtype)
    (slope,) = torch.autograd.grad(wanted, exact, grad.double())
    close(of(dtype).gelu_backward(grad, x), slope, dtype)


@needs_compiler
@both_types
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (40, 1000)])
def test_loss(shape: tuple[int, int], smoothing: float, dtype: torch.dtype) -> None:
    logits = drawn(*shape, dtype=dtype)
    labels = torch.randint(shape[1], (shape[0],), generator=torch.Generator().manual_seed(1))
    exact = logits.double().requires_grad_()
    wanted = functional.cross_entropy(exact, labels, reduction="none", label_smoothing=smoothing)
    (slope,) = torch.autograd.grad(wanted.sum(), exact)
    loss, grad = of(dtype).cross_entropy(logits, None, labels, smoothing)
    close(loss, wanted.sum().detach(), torch.float32)
    close(grad, slope, dtype)


def kept_by(
    kernels: Kernels, dropout: Dropout | None, rows: int, columns: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """1 for each element that stays, (rows, columns)."""
    out, ones = torch.zeros(rows, columns, dtype=dtype), torch.ones(rows, columns, dtype=dtype)
    kernels.lora(out, ones, torch.eye(columns), torch.eye(columns), 1.0, dropout)
    assert ((out == 0) | (out == 1)).all()
    return out


@needs_compiler
@both_types
@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize(
    ("rows", "columns", "outs", "rank"),
    [(0, 4, 4, 2), (1, 1, 1, 1), (5, 7, 9, 3), (9, 300, 20, 4), (6, 1030, 8, 8), (130, 64, 70, 13), (1100, 24, 16, 2)],
)
def test_low_rank(rows: int, columns: int, outs: int, rank: int, p: float, dtype: torch.dtype) -> None:
    """On rows that are parts of wider ones, as the fused q, k and v are."""
    kernels, dropout, scale = of(dtype), Dropout(p, 5) if p else None, 0.5
    kept = kept_by(kernels, dropout, rows, columns, dtype)
    assert p or kept.all()
    x, a, b = (
        drawn(rows, columns, dtype=dtype),
        drawn(rank, columns, dtype=torch.float32),
        drawn(outs, rank, dtype=torch.float32),
    )
    dropped, exact_a, exact_b = (x * kept).double(), a.double(), b.double()

    wide = drawn(rows, outs + 6, dtype=dtype, seed=1)
    before, part = wide.clone(), wide[:, 4 : outs + 4]
    inner = kernels.lora(part, x, a, b, scale, dropout)
    exact_inner = dropped @ exact_a.t()
    near(inner, exact_inner, torch.float32)
    near(part, before[:, 4 : outs + 4].double() + scale * exact_inner @ exact_b.t(), dtype)
    part.copy_(before[:, 4 : outs + 4])
    assert torch.equal(wide, before), "what stands beside is left alone"

    grad_x = drawn(rows, columns, dtype=dtype, seed=2)
    grad, had = before[:, 4 : outs + 4], grad_x.double()
    grad_a, grad_b = kernels.lora_backward(grad, x, inner, a, b, scale, dropout, grad_x)
    exact_grad = scale * grad.double() @ exact_b
    near(grad_a, exact_grad.t() @ dropped, torch.float32)
    near(grad_b, scale * grad.double().t() @ exact_inner, torch.float32)
    near(grad_x, had + (exact_grad @ exact_a) * kept, dtype)
    assert torch.equal(grad_a, kernels.lora_backward(grad, x, inner, a, b, scale, dropout)[0])


def near(ours: Tensor, exact: Tensor, dtype: torch.dtype) -> None:
    """Of sums, relative to the largest."""
    assert ours.dtype == dtype
    bound = {torch.float32: 2e-6, torch.bfloat16: 2**-8}[dtype]
    assert not exact.any() or float((ours.double() - exact).abs().max() / exact.abs().max()) < bound


@needs_compiler
@both_types
def test_extreme_values(dtype: torch.dtype) -> None:
    edges = torch.tensor([0.0, -0.0, 1e-30, 88.0, -88.0, 1e4, -1e4, 1e30, -1e30], dtype=dtype)
    x = torch.cat([edges, torch.full_like(edges, 0.5)])[None]
    close(of(dtype).gated_gelu(x), functional.gelu(edges.double(), approximate="tanh")[None] / 2, dtype)
    backward = of(dtype).gated_gelu_backward(torch.ones(1, len(edges), dtype=dtype), x)
    assert torch.isfinite(backward[:, :7]).all()
    close(of(dtype).gelu(edges[None]), functional.gelu(edges.double())[None], dtype)
    assert of(dtype).gelu_backward(torch.ones(1, 9, dtype=dtype), edges[None])[0].tolist() == [0.5] * 3 + [1, 0] * 3
    logits = torch.tensor([[1e4, 0.0, -1e4], [-300.0, 300.0, 0.0]], dtype=dtype)
    loss, grad = of(dtype).cross_entropy(logits, None, torch.tensor([0, 0]), 0.0)
    assert float(loss) == 600
    assert grad.tolist() == [[0.0, 0.0, 0.0], [-1.0, 1.0, 0.0]]


@needs_compiler
@both_types
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_so(bad: float, dtype: torch.dtype) -> None:
    """Training stops at the first loss that is not finite; a kernel that hid one would train on garbage."""
    kernels, weight = of(dtype), torch.ones(20, dtype=dtype)
    for place in (0, 11, 19):
        x = torch.ones(2, 20, dtype=dtype)
        x[0, place] = bad
        out, scales = kernels.rms_norm(x, weight, 1e-6)
        assert not torch.isfinite(out[0, place])
        assert not torch.isfinite(kernels.rms_norm_backward(x, x, weight, scales)[0, place])
        assert not torch.isfinite(kernels.gated_gelu(x)[0, place % 10])
        assert not torch.isfinite(kernels.gelu(x)[0, place])
        assert not torch.isfinite(kernels.gelu_backward(x, x)[0, place])
        changed = torch.ones(2, 3, dtype=dtype)
        kernels.lora(changed, x, torch.ones(1, 20), torch.ones(3, 1), 1.0)
        assert torch.isfinite(changed).all(1).tolist() == [False, True]
        loss, grad = kernels.cross_entropy(x, None, torch.zeros(2, dtype=torch.int64), 0.0)
        assert not torch.isfinite(loss)
        assert not torch.isfinite(grad[0]).all()
        assert torch.isfinite(grad[1]).all()


@needs_compiler
@both_types
@pytest.mark.usefixtures("threads")
def test_results_do_not_depend_on_the_number_of_threads(dtype: torch.dtype) -> None:
    made = []
    for count in (1, 3):
        torch.set_num_threads(count)
        x, wide = drawn(333, 72, dtype=dtype), drawn(333, 144, dtype=dtype)
        out, scales = of(dtype).rms_norm(x, x[0], 1e-6)
        loss, grad = of(dtype).cross_entropy(wide.clone(), None, torch.arange(333) % 144, 0.1)
        a, b, dropout = drawn(6, 72, dtype=torch.float32), drawn(144, 6, dtype=torch.float32), Dropout(0.3, 5)
        sums, grad_x = wide.clone(), x.clone()
        inner = of(dtype).lora(sums, x, a, b, 0.5, dropout)
        low_rank = [inner, sums, *of(dtype).lora_backward(wide, x, inner, a, b, 0.5, dropout, grad_x), grad_x]
        queries, cache, slots = drawn(8, 72, dtype=dtype), drawn(2, 2, 9, 36, dtype=dtype), torch.tensor([9, 4])
        qkv, own = drawn(8, 3 * 72, dtype=dtype), drawn(2, 2, 9, 4, 36, dtype=dtype)
        follows, attention = torch.zeros(2, 4, 9, dtype=torch.int64), BeamAttention(of(dtype))
        beams = [attention.sources(queries, cache, cache, slots, 0.05)]
        beams += [attention.written(qkv, own, own.clone(), follows, slots - 1, None, 0.05), own]
        made.append([out, scales, of(dtype).gated_gelu(wide), of(dtype).gelu(wide), loss, grad, *low_rank, *beams])
    assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))


by_both = pytest.mark.parametrize("by", ["torch", pytest.param("compiled", marks=needs_compiler)])


@by_both
@pytest.mark.parametrize("p", [0.05, 0.5, 0.999])
def test_dropout_drops_each_element_with_its_probability(p: float, by: str) -> None:
    kernels = of(torch.float32) if by == "compiled" else Kernels()

    def drop(seed: int) -> Tensor:
        return kept_by(kernels, Dropout(p, seed), 1000, 301) == 0

    dropped = drop(7)
    spread = (p * (1 - p) / 75_000) ** 0.5
    for k in range(4):  # four elements share a draw
        assert float(dropped.flatten()[k::4].float().mean()) == pytest.approx(p, abs=5 * spread)
    for step in (1, 4, 301):  # neighbours in a draw, in a row and in a column
        pairs = dropped.flatten()[:-step] & dropped.flatten()[step:]
        assert float(pairs.float().mean()) == pytest.approx(p * p, abs=5 * spread)
    for seed in (8, 7 + 2**32, 7 + 2**62) if by == "compiled" else (8,):  # torch's generator takes 32 bits
        both = dropped & drop(seed)
        assert float(both.float().mean()) == pytest.approx(p * p, abs=5 * spread), "seeds side by side are independent"


@by_both
def test_the_backward_pass_drops_the_same_elements(by: str) -> None:
    kernels, dropout = of(torch.float32) if by == "compiled" else Kernels(), Dropout(0.3, 11)
    kept, eye, ones = kept_by(kernels, dropout, 17, 45), torch.eye(45), torch.ones(17, 45)
    grad_x = torch.zeros(17, 45)
    kernels.lora_backward(ones, ones, ones, eye, eye, 1.0, dropout, grad_x)
    assert torch.equal(grad_x, kept)
    grad_a, _ = kernels.lora_backward(
        torch.eye(17), ones, torch.ones(17, 17), torch.ones(17, 45), torch.eye(17), 1.0, dropout
    )
    assert torch.equal(grad_a, kept)


def test_seeds_are_drawn_from_torchs_generator() -> None:
    torch.manual_seed(0)
    first, second = Dropout.draw(0.3), Dropout.draw(0.3)
    assert first != second
    torch.manual_seed(0)
    assert Dropout.draw(0.3) == first
    assert Dropout.draw(0.0) is None


@needs_compiler
def test_what_cannot_be_computed_is_refused() -> None:
    kernels = of(torch.float32)
    with pytest.raises(TypeError, match="bfloat16"):
        kernels.gated_gelu(torch.ones(2, 2).bfloat16())
    with pytest.raises(TypeError, match="2, 4"):
        kernels.gelu_backward(torch.ones(2, 3), torch.ones(2, 4))
    a, b, x = torch.ones(1, 4), torch.ones(5, 1), torch.ones(2, 4)
    for out, wrong in ((torch.ones(3, 5), "3, 5"), (torch.ones(2, 10)[:, ::2], "in one piece")):
        with pytest.raises(TypeError, match=wrong):
            kernels.lora(out, x, a, b, 1.0)
    with pytest.raises(TypeError, match="2, 4"):
        kernels.lora_backward(x, x, torch.ones(2, 1), a, b, 1.0)
    with pytest.raises(TypeError, match="4, 2"):
        kernels.lora_backward(torch.ones(2, 5), x, torch.ones(2, 1), a, b, 1.0, None, torch.ones(4, 2))
    for label in (-100, 3):
        with pytest.raises(IndexError, match=str(label)):
            kernels.cross_entropy(torch.zeros(1, 3), None, torch.tensor([label]), 0.0)


@needs_compiler
@both_types
@pytest.mark.parametrize("beams", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("size", [64, 40, 5])
def test_beams_attend_to_their_sources(beams: int, size: int, dtype: torch.dtype) -> None:
    slots, heads, room, lengths = 3, 2, 37, torch.tensor([37, 1, 20])
    q = drawn(slots * beams, heads * size, dtype=dtype)
    keys, values = (drawn(slots + 1, heads, room, size, dtype=dtype, seed=seed) for seed in (1, 2))
    keys[1, :, 1:] = values[2, :, 20:] = float("nan")  # behind the ends nothing is looked at
    out = BeamAttention(of(dtype)).sources(q, keys, values, lengths, 0.05)
    for slot, length in enumerate(lengths.tolist()):
        queries = q.view(slots, beams, heads, size)[slot].double().transpose(0, 1)
        scores = queries @ keys[slot, :, :length].double().mT * 0.05
        wanted = (scores.softmax(-1) @ values[slot, :, :length].double()).transpose(0, 1).flatten(1)
        close(out[slot * beams : (slot + 1) * beams], wanted, dtype)


@needs_compiler
@both_types
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("size", [64, 5])
def test_beams_attend_to_what_they_follow(size: int, biased: bool, dtype: torch.dtype) -> None:
    slots, heads, beams, room, positions = 2, 3, 4, 12, torch.tensor([9, 0])
    qkv = drawn(slots * beams, 3 * heads * size, dtype=dtype)
    keys, values = (drawn(slots, heads, room, beams, size, dtype=dtype, seed=seed) for seed in (1, 2))
    ancestors = torch.randint(0, beams, (slots, beams, room), generator=torch.Generator().manual_seed(3))
    ancestors[torch.arange(slots), :, positions] = torch.arange(beams)
    bias = drawn(heads, 16, dtype=dtype, seed=4) if biased else None
    out = BeamAttention(of(dtype)).written(qkv, keys, values, ancestors, positions, bias, 0.05)
    parts = qkv.view(slots, beams, 3, heads, size)
    for slot, now in enumerate(positions.tolist()):
        assert torch.equal(keys[slot, :, now].transpose(0, 1), parts[slot, :, 1])
        assert torch.equal(values[slot, :, now].transpose(0, 1), parts[slot, :, 2])
        for beam in range(beams):
            follows = ancestors[slot, beam, : now + 1]
            mine_k, mine_v = (cache[slot, :, torch.arange(now + 1), follows].double() for cache in (keys, values))
            scores = (mine_k @ parts[slot, beam, 0].double()[:, :, None]).squeeze(2) * 0.05
            if bias is not None:
                scores = scores + bias[:, : now + 1].flip(1).double()
            wanted = (scores.softmax(-1)[:, None] @ mine_v).flatten()
            close(out[slot * beams + beam], wanted, dtype)


@needs_compiler
def test_beams_are_refused_what_they_would_read_behind_the_caches() -> None:
    attention = BeamAttention(of(torch.float32))
    q, cache = drawn(4, 8, dtype=torch.float32), drawn(2, 2, 5, 4, dtype=torch.float32)
    for lengths in (torch.tensor([5, 6]), torch.tensor([0, 5]), torch.tensor([1, 1, 1, 1])):
        with pytest.raises(TypeError, match="room for 2 slots of 5 tokens"):
            attention.sources(q, cache, cache, lengths, 1.0)
    with pytest.raises(TypeError, match="int64"):
        attention.sources(q, cache, cache, torch.tensor([5, 5], dtype=torch.int32), 1.0)
    with pytest.raises(TypeError, match="in one piece"):
        attention.sources(q, cache.transpose(2, 3), cache.transpose(2, 3), torch.tensor([1, 1]), 1.0)
    written, qkv = drawn(2, 2, 5, 2, 4, dtype=torch.float32), drawn(4, 24, dtype=torch.float32)
    ancestors = torch.zeros(2, 2, 5, dtype=torch.int64)
    with pytest.raises(TypeError, match="no room for 2 slots at step 5"):
        attention.written(qkv, written, written.clone(), ancestors, torch.tensor([5, 0]), None, 1.0)
    bias = drawn(2, 3, dtype=torch.float32)
    with pytest.raises(TypeError, match="no room for 2 slots at step 3"):
        attention.written(qkv, written, written.clone(), ancestors, torch.tensor([3, 0]), bias, 1.0)
