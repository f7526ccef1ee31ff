"""Make a trained model deeper and wider without changing what it predicts: `python -m pretraining.grow --to build/pretraining/grown`.

In: a trained model. Out: one with more layers at the end of both stacks and more units in every feed-forward layer. What is new comes in
pairs that read the same and write the opposite, so that it writes nothing yet (function-preserving growth: Chen et al. 2016, "Net2Net",
arXiv 1511.05641), but at the usual scale: Muon's steps are relative to a matrix, and from zeros it would hardly move. The two of a pair get
opposite gradients and part at the first step.

Then train from there (`python -m pretraining.train --start build/pretraining/grown ...`).
"""

from __future__ import annotations

import argparse
import re

import torch
from torch import Tensor
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, T5Config, T5ForConditionalGeneration


@torch.no_grad()
def grow(model: T5ForConditionalGeneration, *, d_ff: int, layers: int) -> T5ForConditionalGeneration:
    """A copy of `model` with `d_ff` units in each feed-forward layer, and `layers` layers more in encoder and decoder each.

    Raises:
        ValueError: it would become smaller.
    """
    config = model.config
    if d_ff < config.d_ff or layers < 0:
        raise ValueError(f"expected at least {config.d_ff} units and 0 layers more, found {d_ff} and {layers}")
    sizes = {"num_layers": config.num_layers + layers, "num_decoder_layers": config.num_decoder_layers + layers}
    grown = T5ForConditionalGeneration(type(config)(**{**config.to_dict(), **sizes, "d_ff": d_ff}))
    old = model.state_dict()
    for name, new in grown.state_dict().items():
        kind = name.split(".")[-2]
        was, known = old.get(name), 0
        if was is not None:
            known = was.shape[1 if kind == "wo" else 0]
            new[tuple(slice(size) for size in was.shape)] = was
        elif kind == "layer_norm":
            new.copy_(old[last_block(name, config)])
        if kind in ("wi_0", "wi_1", "wo"):
            pair(new.T[known:] if kind == "wo" else new[known:], -1.0 if kind == "wo" else 1.0)
        elif was is None and kind in ("v", "o"):  # within each head: positions weigh differently for every one
            for rows in (new.T if kind == "o" else new).split(config.d_kv):
                pair(rows, -1.0 if kind == "o" else 1.0)
    return grown


def pair(rows: Tensor, sign: float) -> None:
    """Let the second half of the rows be the first times `sign`; an odd one left writes nothing."""
    half = len(rows) // 2
    rows[half : 2 * half] = sign * rows[:half]
    if sign < 0:
        rows[2 * half :] = 0.0


def last_block(name: str, config: T5Config) -> str:
    """The name that a norm of a new layer has in the last layer there was."""
    layers = config.num_layers if name.startswith("encoder") else config.num_decoder_layers
    return re.sub(r"(?<=block\.)\d+", str(layers - 1), name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", default="src/diasum/assets/mini", help="folder of the trained model")
    parser.add_argument("--to", required=True, help="folder for the grown one, with its tokenizer")
    parser.add_argument("--d-ff", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=1, help="how many more, in encoder and decoder each")
    options = parser.parse_args()
    torch.manual_seed(0)
    grown = grow(
        AutoModelForSeq2SeqLM.from_pretrained(options.start, dtype=torch.float32),
        d_ff=options.d_ff,
        layers=options.layers,
    )
    grown.save_pretrained(options.to)
    AutoTokenizer.from_pretrained(options.start).save_pretrained(options.to)
    print(f"{options.to}: {grown.num_parameters() / 1e6:.1f}M parameters")


if __name__ == "__main__":
    main()
