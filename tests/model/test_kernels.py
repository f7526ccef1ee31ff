"""Compiled kernels: equal to torch, the same for any number of threads, honest about what is not a number, and gone without a compiler."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from diasum.errors import DiasumError
from diasum.model.fast import kernels as module
from diasum.model.fast.dropout import Dropout
from diasum.model.fast.kernels import Kernels, choose_kernels, compiled

needs_compiler = pytest.mark.skipif(compiled(torch.float32)[0] is None, reason=compiled(torch.float32)[1])
both_types = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
shapes = pytest.mark.parametrize("shape", [(0, 8), (1, 1), (3, 7), (5, 1000), (130, 72)])


def of(dtype: torch.dtype) -> Kernels:
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
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (40, 1000)])
def test_loss(shape: tuple[int, int], smoothing: float, dtype: torch.dtype) -> None:
    logits = drawn(*shape, dtype=dtype)
    labels = torch.randint(shape[1], (shape[0],), generator=torch.Generator().manual_seed(1))
    exact = logits.double().requires_grad_()
    wanted = functional.cross_entropy(exact, labels, reduction="none", label_smoothing=smoothing)
    losses = of(dtype).cross_entropy(logits, labels, smoothing)
    close(losses, wanted.detach(), torch.float32)
    (slope,) = torch.autograd.grad(wanted.sum(), exact)
    close(logits, slope, dtype)


@needs_compiler
@both_types
def test_extreme_values(dtype: torch.dtype) -> None:
    edges = torch.tensor([0.0, -0.0, 1e-30, 88.0, -88.0, 1e4, -1e4, 1e30, -1e30], dtype=dtype)
    x = torch.cat([edges, torch.full_like(edges, 0.5)])[None]
    close(of(dtype).gated_gelu(x), functional.gelu(edges.double(), approximate="tanh")[None] / 2, dtype)
    backward = of(dtype).gated_gelu_backward(torch.ones(1, len(edges), dtype=dtype), x)
    assert torch.isfinite(backward[:, :7]).all()
    logits = torch.tensor([[1e4, 0.0, -1e4], [-300.0, 300.0, 0.0]], dtype=dtype)
    assert of(dtype).cross_entropy(logits, torch.tensor([0, 0]), 0.0).tolist() == [0.0, 600.0]
    assert logits.tolist() == [[0.0, 0.0, 0.0], [-1.0, 1.0, 0.0]]


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
        assert not torch.isfinite(kernels.dropout(x, 1, 0.0)[0, place])
        losses = kernels.cross_entropy(x, torch.zeros(2, dtype=torch.int64), 0.0)
        assert torch.isfinite(losses).tolist() == [False, True]
        assert not torch.isfinite(x[0]).all(), "the gradient tells, too"


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@needs_compiler
@both_types
@pytest.mark.usefixtures("threads")
def test_results_do_not_depend_on_the_number_of_threads(dtype: torch.dtype) -> None:
    made = []
    for count in (1, 3):
        torch.set_num_threads(count)
        x, wide = drawn(33, 72, dtype=dtype), drawn(33, 144, dtype=dtype)
        out, scales = of(dtype).rms_norm(x, x[0], 1e-6)
        losses = of(dtype).cross_entropy(wide, torch.arange(33), 0.1)
        made.append([out, scales, of(dtype).gated_gelu(wide), of(dtype).dropout(x, 3, 0.3), losses, wide])
    assert all(torch.equal(a, b) for a, b in zip(*made, strict=True))


@pytest.mark.parametrize("kernels", [None, pytest.param("compiled", marks=needs_compiler)])
@pytest.mark.parametrize("p", [0.05, 0.5, 0.999])
def test_dropout_drops_each_element_with_its_probability(p: float, kernels: str | None) -> None:
    made = of(torch.float32) if kernels else None
    ones = torch.ones(400, 1001)
    dropped = Dropout(p, 7, made)(ones) == 0
    spread = (p * (1 - p) / 100_000) ** 0.5
    for k in range(4):  # four elements share a draw
        assert float(dropped.flatten()[k::4].float().mean()) == pytest.approx(p, abs=5 * spread)
    for step in (1, 4, 1001):  # neighbours in a draw, in the sequence and in a column
        pairs = dropped.flatten()[:-step] & dropped.flatten()[step:]
        assert float(pairs.float().mean()) == pytest.approx(p * p, abs=5 * spread)
    both = dropped & (Dropout(p, 8, made)(ones) == 0)
    assert float(both.float().mean()) == pytest.approx(p * p, abs=5 * spread), "seeds side by side are independent"


@pytest.mark.parametrize("kernels", [None, pytest.param("compiled", marks=needs_compiler)])
@both_types
def test_dropout_adds_what_it_kept(dtype: torch.dtype, kernels: str | None) -> None:
    dropout = Dropout(0.3, 11, of(dtype) if kernels else None)
    x, total = drawn(17, 45, dtype=dtype), drawn(17, 45, dtype=dtype, seed=1)
    kept = dropout(x)
    assert torch.equal(kept[kept != 0], x[kept != 0])
    assert torch.equal(dropout.add_to(total.clone(), x), total + kept)
    torch.manual_seed(0)
    drawn_seeds = {Dropout.draw(0.3, None), Dropout.draw(0.3, None)}
    assert len(drawn_seeds) == 2
    assert Dropout.draw(0.0, None) is None


@needs_compiler
def test_what_cannot_be_computed_is_refused() -> None:
    kernels = of(torch.float32)
    with pytest.raises(TypeError, match="float32"):
        kernels.dropout(torch.ones(2, 2).bfloat16(), 0, 0.1)
    with pytest.raises(TypeError, match="contiguous"):
        kernels.dropout_add(torch.ones(2, 4)[:, ::2], torch.ones(2, 2), 0, 0.1)
    for label in (-100, 3):
        with pytest.raises(IndexError, match=str(label)):
            kernels.cross_entropy(torch.zeros(1, 3), torch.tensor([label]), 0.0)


# ---- compiling -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A cache folder of its own, and nothing remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiled.cache_clear()
    yield tmp_path / "cache" / "diasum"
    compiled.cache_clear()


def compiler(folder: Path, script: str) -> str:
    path = folder / "my-compiler"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@needs_compiler
def test_compiled_once_for_a_machine(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_kernels("auto", "cpu", torch.float32)[1] == "element-wise work by compiled kernels"
    (library,) = fresh.iterdir()
    assert not fresh.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    monkeypatch.setattr(module, "_run", lambda command: pytest.fail("compiled again"))
    compiled.cache_clear()
    assert choose_kernels("on", "cpu", torch.float32)[0] is not None
    assert list(fresh.iterdir()) == [library]


@needs_compiler
@pytest.mark.skipif(os.getuid() == 0 and not hasattr(os, "chown"), reason="needs chown")
def test_no_code_is_loaded_from_a_folder_that_others_can_write(fresh: Path) -> None:
    fresh.mkdir(parents=True)
    fresh.chmod(0o777)
    assert choose_kernels("on", "cpu", torch.float32)[0] is not None, "a folder of this process does"
    assert list(fresh.iterdir()) == []


@needs_compiler
def test_a_home_that_is_a_file(fresh: Path) -> None:
    fresh.parent.write_text("")
    assert choose_kernels("on", "cpu", torch.float32)[0] is not None


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "there is no no-such-compiler"),
        ("echo 'error: no such march' >&2; exit 1", "could not compile its kernels (error: no such march)"),
        ('while [ "$1" != -o ]; do shift; done; echo junk > "$2"', "could not be loaded"),
        ("exec sleep 60", "took over 0.3 s"),
    ],
)
def test_without_a_compiler_torch_does_it(
    script: str | None, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_COMPILE_SECONDS", 0.3)
    monkeypatch.setenv("CXX", compiler(tmp_path, script) if script else "no-such-compiler -O1")
    kernels, said = choose_kernels("auto", "cpu", torch.float32)
    assert kernels is None
    assert said.startswith("element-wise work by torch: ")
    assert reason in said
    with pytest.raises(DiasumError, match=r"train\.kernels is on") as caught:
        choose_kernels("on", "cpu", torch.float32)
    assert "g++" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("asked", "device", "dtype"), [("off", "cpu", torch.float32), ("auto", "cuda", torch.bfloat16)]
)
def test_where_there_is_nothing_to_say(asked: str, device: str, dtype: torch.dtype) -> None:
    assert choose_kernels(asked, device, dtype) == (None, "")
