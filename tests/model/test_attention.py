"""Attention by segments: by torch, by compiled kernels and through a padded table, equal to the formula in double precision."""

from __future__ import annotations

import ctypes
from functools import cache

import pytest
import torch
from torch import Tensor

from diasum.model.fast.attention import attend
from diasum.model.fast.compiled import CompiledKernels
from diasum.model.fast.compiling import _library, compiled
from diasum.model.fast.kernels import AttentionSpec, Kernels, RelativeBias
from diasum.model.fast.packed import Segments

needs_compiler = pytest.mark.skipif(compiled(torch.float32)[0] is None, reason=compiled(torch.float32)[1])
FACTORS = {
    "fp32": (torch.float32, ""),
    "bf16": (torch.bfloat16, ""),
    "pairs of bf16": (torch.bfloat16, "-DDIASUM_PAIRS"),
}
all_factors = pytest.mark.parametrize("factors", list(FACTORS))
KINDS = ("self", "causal", "biased", "biased causal", "cross")


@cache
def of(factors: str) -> CompiledKernels:
    """Compiled kernels that attend whatever this processor has; for pairs of bf16, also without its instructions."""
    dtype, define = FACTORS[factors]
    library = ctypes.CDLL(str(_library(["g++", *define.split()], dtype)))
    kernels = CompiledKernels(library, dtype)
    kernels.attends = True
    return kernels


class Case:
    """Queries, keys and values side by side as they come from a fused product, and a gradient of the result."""

    def __init__(
        self, kind: str, queries: tuple[int, ...], keys: tuple[int, ...], *, size: int, dtype: torch.dtype
    ) -> None:
        generator = torch.Generator().manual_seed(1)
        self.segments = Segments(queries, keys if kind == "cross" else queries)
        self.heads, self.scale, self.causal = 3, 0.4, kind == "causal"
        longest = max(queries) + 5
        self.bias: RelativeBias | None = None
        if kind.startswith("biased"):
            by_distance = torch.randn(3, 2 * longest - 1, generator=generator).to(dtype)
            if kind.endswith("causal"):
                by_distance[:, longest:] = float("-inf")
            self.bias = RelativeBias(by_distance)

        def rows(count: int, width: int) -> Tensor:
            return torch.randn(count, width * 3 * size, generator=generator).mul(1.5).to(dtype)

        self.q, self.kv = rows(sum(queries), 1 if kind == "cross" else 3), None
        if kind == "cross":
            self.kv = rows(sum(keys), 2)
        self.grad = rows(sum(queries), 1)

    def by(self, kernels: Kernels | None, *, padded: bool = False) -> list[Tensor]:
        """The result and the gradients of q and, if there is one, kv."""
        inputs = [rows.clone().requires_grad_() for rows in (self.q, self.kv) if rows is not None]
        q, kv = inputs[0], inputs[1] if len(inputs) > 1 else None
        out = attend(
            q, kv, self.segments, heads=self.heads, scale=self.scale, bias=self.bias, causal=self.causal, padded=padded, kernels=kernels
        )  # fmt: skip
        return [out.detach(), *torch.autograd.grad(out, inputs, self.grad)]

    def exact(self) -> list[Tensor]:
        """The same by the formula, in double precision."""
        inputs = [rows.double().requires_grad_() for rows in (self.q, self.kv) if rows is not None]
        parts = inputs[0].chunk(3, 1) if self.kv is None else (inputs[0], *inputs[1].chunk(2, 1))
        rows = []
        for a, b, c, d in self.segments.spans:
            q, k, v = (
                part[begin:end].unflatten(1, (self.heads, -1)).transpose(0, 1)
                for part, begin, end in zip(parts, (a, c, c), (b, d, d), strict=True)
            )
            scores = self.scale * q @ k.transpose(1, 2)
            if self.bias is not None:
                distances = torch.arange(d - c) - torch.arange(b - a)[:, None]
                scores = scores + self.bias.by_distance[:, distances + self.bias.longest - 1].double()
            if self.causal:
                scores = scores.masked_fill(torch.ones(b - a, d - c, dtype=torch.bool).triu(1), float("-inf"))
            rows.append((scores.softmax(-1) @ v).transpose(0, 1).flatten(1))
        out = torch.cat(rows)
        return [out.detach(), *torch.autograd.grad(out, inputs, self.grad.double())]


def distance(ours: list[Tensor], exact: list[Tensor]) -> float:
    """The largest difference, relative to the largest value of each."""
    return max(
        float((a.double() - b.double()).abs().max() / b.double().abs().max().clamp_min(1e-30))
        for a, b in zip(ours, exact, strict=True)
    )


@needs_compiler
@all_factors
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("queries", "keys", "size"),
    [
        ((1,), (1,), 1),
        ((9, 1, 30), (40, 2, 7), 8),
        ((25, 24, 130), (3, 49, 100), 20),
        ((0, 70, 5), (4, 1, 6), 64),
        ((33, 32, 63), (31, 64, 97), 37),
    ],
)
def test_compiled(
    kind: str,
    queries: tuple[int, ...],
    keys: tuple[int, ...],
    size: int,
    factors: str,
) -> None:
    """Also one token, heads of any size, more queries than are done at a time, and a pair without queries beside others."""
    dtype = FACTORS[factors][0]
    case = Case(kind, queries, keys, size=size, dtype=dtype)
    made = case.by(of(factors))
    assert {part.dtype for part in made} == {dtype}
    assert case.bias is None or "table" not in vars(case.bias), "a number for each distance is enough"
    assert distance(made, case.exact()) < {torch.float32: 3e-6, torch.bfloat16: 2**-6}[dtype]


@needs_compiler
@pytest.mark.parametrize("factors", ["bf16", "pairs of bf16"])
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_in_bf16_is_as_close_as_torch_in_bf16(kind: str, factors: str) -> None:
    case = Case(kind, (30, 70), (41, 5), size=32, dtype=torch.bfloat16)
    ours, theirs = (distance(case.by(kernels), case.exact()) for kernels in (of(factors), None))
    assert ours < 1.5 * theirs


@pytest.mark.parametrize("kind", KINDS)
def test_by_segment_and_through_a_table(kind: str) -> None:
    case = Case(kind, (9, 1, 30), (40, 2, 7), size=8, dtype=torch.float32)
    for padded in (False, True):
        assert distance(case.by(None, padded=padded), case.exact()) < 1e-5


@needs_compiler
@all_factors
@pytest.mark.usefixtures("threads")
def test_results_do_not_depend_on_the_number_of_threads(factors: str) -> None:
    case, made = Case("biased", (50, 3, 80), (), size=16, dtype=FACTORS[factors][0]), []
    for count in (1, 3):
        torch.set_num_threads(count)
        made.append(case.by(of(factors)))
    assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))


@needs_compiler
@all_factors
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_so_and_in_its_segment(bad: float, factors: str) -> None:
    for column in (0, 24, 48):  # a query, a key, a value
        case = Case("self", (5, 30), (), size=8, dtype=FACTORS[factors][0])
        case.q[7, column] = bad
        for part in case.by(of(factors)):
            assert torch.isfinite(part[:5]).all()
            assert not torch.isfinite(part[5:]).all()


@needs_compiler
def test_what_cannot_be_computed_is_refused() -> None:
    kernels, segments = of("fp32"), Segments((2, 3), (4, 1))
    q, k, bias = torch.ones(5, 8), torch.ones(5, 8), torch.zeros(2, 7)
    kernels.attention(q, k, k, AttentionSpec(segments, 2, 1.0, RelativeBias(bias)))
    for keys, wrong_bias, wrong in (
        (torch.ones(4, 8), bias, "5, 8"),
        (torch.ones(5, 6), bias, "5, 8"),
        (torch.ones(5, 16)[:, ::2], bias, "in one piece"),
        (k.bfloat16(), bias, "bfloat16"),
        (k, bias[:1], "2, 7"),
        (k, bias[:, :5], "2, 7"),
        (k, bias[:, :6], "2, 7"),
        (k, bias.bfloat16(), "bfloat16"),
    ):
        with pytest.raises(TypeError, match=wrong):
            kernels.attention(q, keys, keys, AttentionSpec(segments, 2, 1.0, RelativeBias(wrong_bias)))
    with pytest.raises(TypeError, match="stand alike"):
        kernels.attention(q, k, torch.ones(5, 16)[:, :8], AttentionSpec(segments, 2, 1.0))
    out, *sums = kernels.attention(q, k, k, AttentionSpec(segments, 2, 1.0))
    with pytest.raises(TypeError, match="do not stand"):
        kernels.attention_backward(
            q, q, k, k, out, sums, AttentionSpec(segments, 2, 1.0), (torch.ones(5, 16)[:, :8], torch.ones(5, 8), torch.ones(5, 8))
        )  # fmt: skip
