"""What the compiled kernels of the fast path gain over torch, piece by piece, in turn on this machine.

    python -m benchmarks.kernels [--rounds 15]

Each piece is a forward and a backward pass at flan-t5-base's shape, over the tokens of a batch of eight pairs with DialogSum's lengths, in
fp32 and bf16. Compiled attention is measured, too, where the fast path leaves it to torch (bf16 instructions that g++ does not know).
Saves ``benchmarks/results/kernels-CLASS.json``, from which ``benchmarks.tables`` makes the table of ``docs/fast-path.md``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import results_file
from benchmarks.training import SHAPES, conditions, write_base, write_corpus
from diasum.files import write_json
from diasum.model.fast.attention import attend
from diasum.model.fast.compiled import UNITS
from diasum.model.fast.compiling import compiled
from diasum.model.fast.frozen import FrozenWeight
from diasum.model.fast.kernels import Dropout, Kernels, RelativeBias
from diasum.model.fast.ops import LOSS_CHUNK, activated, gated, rms_norm
from diasum.model.fast.packed import Segments

SHAPE, PAIRS, RANK = "flan-t5-base", 8, 8
Piece = Callable[[Kernels], None]


def lengths() -> tuple[list[int], list[int]]:
    """Source and target tokens of each pair, by the stand-in tokenizer of `benchmarks.training`."""
    from benchmarks.recipes import diasum_recipe

    with tempfile.TemporaryDirectory(prefix="diasum-kernels-") as folder:
        write_corpus(Path(folder) / "corpus", PAIRS)
        write_base(Path(folder), "tiny")
        features = list(diasum_recipe(Path(folder), 1).trainer.train_dataset)
    return [len(f["input_ids"]) for f in features], [len(f["labels"]) for f in features]


def pieces(sources: list[int], targets: list[int], dtype: torch.dtype) -> dict[str, Piece]:
    """One forward and backward pass of each."""
    shape = SHAPES[SHAPE]
    width, inner, heads = shape["d_model"], shape["d_ff"], shape["num_heads"]
    generator = torch.Generator().manual_seed(0)
    encoder, cross = Segments(tuple(sources), tuple(sources)), Segments(tuple(targets), tuple(sources))
    tokens, written = sum(sources), sum(targets)

    def rows(count: int, columns: int) -> Tensor:
        return torch.randn(count, columns, generator=generator).to(dtype)

    def differentiated(make: Callable[[Kernels], Tensor], grad: Tensor, *inputs: Tensor) -> Piece:
        def piece(kernels: Kernels) -> None:
            torch.autograd.grad(make(kernels), inputs, grad)

        return piece

    x, inside, wide, qkv = (rows(tokens, n).requires_grad_() for n in (width, inner, 2 * inner, 3 * width))
    q, kv = rows(written, width).requires_grad_(), rows(tokens, 2 * width).requires_grad_()
    grad, wide_grad, short_grad = rows(tokens, width), rows(tokens, inner), rows(written, width)
    weight, longest = rows(1, width)[0], max(sources)
    bias = RelativeBias(rows(heads, 2 * longest - 1))
    a, b = rows(RANK, width).float(), rows(width, RANK).float()
    plain, sums = x.detach(), torch.empty(tokens, width, dtype=dtype)
    logits, labels = rows(min(LOSS_CHUNK, written), shape["vocab_size"]), torch.arange(min(LOSS_CHUNK, written))

    def low_rank(kernels: Kernels) -> None:
        dropout = Dropout(0.05, 1)
        inner = kernels.lora(sums, plain, a, b, 1.0, dropout)
        kernels.lora_backward(grad, plain, inner, a, b, 1.0, dropout, sums)

    def loss(kernels: Kernels) -> None:
        kernels.cross_entropy(logits.clone(), None, labels, 0.0)

    scale = {"heads": heads, "scale": 1.0}
    return {
        "norm": differentiated(lambda k: rms_norm(x, weight, 1e-6, k), grad, x),
        "gated GELU": differentiated(lambda k: gated(wide, "gelu_new", k), wide_grad, wide),
        "GELU": differentiated(lambda k: activated(inside, "gelu", k), wide_grad, inside),
        f"LoRA, r={RANK}, dropout 0.05": low_rank,
        "attention of the encoder, with bias": differentiated(
            lambda k: attend(qkv, None, encoder, **scale, bias=bias, kernels=k), grad, qkv
        ),
        "cross-attention": differentiated(lambda k: attend(q, kv, cross, **scale, kernels=k), short_grad, q, kv),
        f"loss of {len(labels)} tokens": loss,
    }


def product(tokens: int, dtype: torch.dtype) -> Piece:
    """For scale: the products of one frozen q, k and v projection, forward and backward."""
    width = SHAPES[SHAPE]["d_model"]
    frozen = FrozenWeight(torch.randn(3 * width, width).to(dtype), None)
    x, grad = torch.randn(tokens, width).to(dtype), torch.randn(tokens, 3 * width).to(dtype)

    def piece(kernels: Kernels) -> None:
        frozen.forward(x)
        frozen.backward(grad)

    return piece


def seconds(piece: Piece, kernels: Kernels) -> float:
    begin = time.perf_counter()
    piece(kernels)
    return time.perf_counter() - begin


def measure(dtype: torch.dtype, rounds: int, sources: list[int], targets: list[int]) -> dict[str, Any]:
    """Milliseconds by torch and by compiled kernels in each round, after one that does not count."""
    ours, reason = compiled(dtype)
    if ours is None:
        sys.exit(f"no compiled kernels here: {reason}")
    by_default, ours.attends = ours.attends, True
    timed = {}
    for name, piece in pieces(sources, targets, dtype).items():
        times = [[seconds(piece, kernels) * 1e3 for kernels in (Kernels(), ours)] for _ in range(rounds + 1)][1:]
        ratios = sorted(by_torch / by_kernel for by_torch, by_kernel in times)
        timed[name] = {
            "torch_ms": statistics.median(row[0] for row in times),
            "compiled_ms": statistics.median(row[1] for row in times),
            "ratio": statistics.median(ratios),
            "quartiles": [ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]],
        }
    ours.attends = by_default
    scale = product(sum(sources), dtype)
    by_product = [seconds(scale, ours) * 1e3 for _ in range(rounds + 1)][1:]
    return {
        "attention_compiled_by_default": by_default,
        "attention_by": UNITS[ours.unit],
        "product_ms": statistics.median(by_product),
        "pieces": timed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--output", type=Path, help="where the JSON goes, if not to benchmarks/results")
    options = parser.parse_args()
    options.pairs, options.clock, options.warmup = PAIRS, "wall", 1
    about = conditions(options)
    sources, targets = lengths()
    result: dict[str, Any] = {
        "shape": SHAPE,
        "conditions": about,
        "source_tokens": sum(sources),
        "target_tokens": sum(targets),
        "types": {},
    }
    for dtype in (torch.float32, torch.bfloat16):
        name = {torch.float32: "fp32", torch.bfloat16: "bf16"}[dtype]
        result["types"][name] = measure(dtype, options.rounds, sources, targets)
        for piece, row in result["types"][name]["pieces"].items():
            print(f"{name} {piece}: {row['torch_ms']:.1f} ms by torch, {row['compiled_ms']:.1f} ms compiled")
    write_json(options.output or results_file("kernels", result["conditions"]["device"]), result)


if __name__ == "__main__":
    main()
