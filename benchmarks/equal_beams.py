"""Does `torch-fast` write, token for token, what transformers' `generate` writes? Counted over many dialogues; differences are looked into.

    python -m benchmarks.equal_beams [--run RUN] [--n 500]

In: a run of `mini` (or `mini` itself), with its own settings of generation, in fp32, and dialogues of DialogSum's test split, as
`benchmarks.inference` draws them. Two summaries that differ are both scored as beam search does (log-probability over length to the power
of the length penalty), by the model in float64: a gap as small as fp32's rounding says that the two are tied.
Writes ``benchmarks/results/equal_beams.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from benchmarks.inference import chosen_pairs
from benchmarks.machine import RESULTS
from benchmarks.training import commit
from diasum.engines.fast.engine import FastEngine
from diasum.engines.plain import PlainEngine
from diasum.files import write_json
from diasum.model import describe_machine
from diasum.summarization.loading import load_trained


class AsIds:
    """A tokenizer that leaves a summary as ids, for engines that return texts: the tokens up to the end token, by which texts differ."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def __len__(self) -> int:
        return len(self._tokenizer)

    def decode(self, ids: Sequence[int], **options: Any) -> str:
        """The ids behind the decoder's start, as JSON."""
        row, end = list(ids)[1:], self._tokenizer.eos_token_id
        return json.dumps(row[: row.index(end) + 1] if end in row else row)


def compare(trained: Any, sources: Sequence[Sequence[int]], settings: Any) -> list[float]:
    """The gap of each pair of summaries that differ (0 or more, nats over length)."""
    tokenizer = AsIds(trained.base.tokenizer)
    made, expected = (
        [json.loads(one.text) for one in engine(trained.model, tokenizer).generate(sources, settings)]
        for engine in (FastEngine, PlainEngine)
    )
    different = [i for i, (one, other) in enumerate(zip(made, expected, strict=True)) if one != other]
    trained.model.double()
    return [
        abs(
            _score(trained.model, sources[i], made[i], settings)
            - _score(trained.model, sources[i], expected[i], settings)
        )
        for i in different
    ]


def _score(model: Any, source: Sequence[int], target: Sequence[int], settings: Any) -> float:
    import torch

    start = model.config.decoder_start_token_id
    with torch.inference_mode():
        logits = model(
            input_ids=torch.tensor([list(source)]), decoder_input_ids=torch.tensor([[start, *target[:-1]]])
        ).logits[0]
    likely = logits.log_softmax(-1)[torch.arange(len(target)), torch.tensor(list(target))]
    score: float = likely.sum().item() / len(target) ** settings.length_penalty
    return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="mini")
    parser.add_argument("--n", type=int, default=500)
    options = parser.parse_args()
    data, pairs = chosen_pairs(options.n)
    trained = load_trained(options.run, device="cpu", dtype="fp32")
    encoded, _ = trained.encoder.encode_dialogues([pair.dialogue for pair in pairs])
    settings = trained.generate.model_copy(update={"dtype": "fp32"})
    gaps = compare(trained, [one.input_ids for one in encoded], settings)
    result = {
        "model": options.run.rstrip("/").rpartition("/")[2],
        "settings": settings.model_dump(mode="json"),
        "data": data,
        "n": len(pairs),
        "different": len(gaps),
        "gaps": gaps,
        "processor": describe_machine()["processor"],
        "commit": commit(),
    }
    write_json(RESULTS / "equal_beams.json", result)


if __name__ == "__main__":
    main()
