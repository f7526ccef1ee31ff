"""Whether two forms of a model compute the same: their logits on real dialogues, each with its reference summary as the decoder's input.

What a merge or a file gets wrong (a lost tied weight, a factor of the output, an adapter put in twice) moves logits far more than the
rounding of fp32 does, whose bound is `TOLERANCE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from diasum.data import Pair
from diasum.data.batching import Seq2SeqCollator
from diasum.errors import DiasumError
from diasum.model import decoder_start
from diasum.summarization.trained import Trained

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-3  # of the largest logit
DIALOGUES = 16
NUMBERS = 1 << 26  # kept of one form, at most; a large vocabulary is compared on fewer dialogues


@dataclass(frozen=True, slots=True)
class LogitsCheck:
    """How near the logits of two forms are.

    Attributes:
        dialogues, tokens: compared.
        largest_difference: of two logits.
        largest_logit: by magnitude.
        tolerance: the largest difference that is allowed, as a share of the largest logit.
        same_first: share of tokens for which both find the same next token the likeliest.
    """

    dialogues: int
    tokens: int
    largest_difference: float
    largest_logit: float
    tolerance: float
    same_first: float

    @property
    def passed(self) -> bool:
        """Whether the difference is one of rounding."""
        return self.largest_difference <= self.tolerance * self.largest_logit

    def to_json(self) -> dict[str, Any]:
        """As export.json has it."""
        return asdict(self)


class Probe:
    """Dialogues as a model reads them.

    Args:
        trained: encodes them.
        pairs: with references; the first few are taken.

    Raises:
        DiasumError: there are none.
    """

    def __init__(self, trained: Trained, pairs: Sequence[Pair]) -> None:
        if not pairs:
            raise DiasumError(
                "There are no dialogues to compare an export with its model on.",
                hint="Give some with --data (a hub id, a file, a folder, `everyday` or `sample`).",
            )
        features, _ = trained.encoder.encode(pairs[:DIALOGUES])
        width = trained.model.get_input_embeddings().weight.shape[0]
        collate = Seq2SeqCollator(trained.base.tokenizer.pad_token_id, decoder_start(trained.model))
        self.batches: list[dict[str, Any]] = []
        numbers = 0
        for feature in features:
            numbers += len(feature["labels"]) * width
            if self.batches and numbers > NUMBERS:
                break
            batch = collate([feature])
            del batch["labels"]
            self.batches.append(batch)

    def logits(self, model: Any) -> list[torch.Tensor]:
        """Of each dialogue, (tokens, vocabulary)."""
        import torch

        model.eval()
        with torch.inference_mode():
            return [model(**self._inputs(model, batch), use_cache=False).logits[0].float() for batch in self.batches]

    @staticmethod
    def _inputs(model: Any, batch: dict[str, Any]) -> dict[str, Any]:
        if model.config.model_type != "led":
            return batch
        # Where diasum loaded it, a hook does the same (`diasum.model.loading`).
        mask = batch["input_ids"] * 0
        mask[:, 0] = 1
        return {**batch, "global_attention_mask": mask}


def compare_logits(expected: Sequence[torch.Tensor], found: Sequence[torch.Tensor]) -> LogitsCheck:
    """Hold the logits of one form against those of another, (tokens, vocabulary) a dialogue."""
    pairs = list(zip(expected, found, strict=True))
    if any(a.shape != b.shape for a, b in pairs):
        return LogitsCheck(len(pairs), sum(len(a) for a in expected), float("inf"), 0.0, TOLERANCE, 0.0)
    tokens = sum(len(a) for a in expected)
    same = sum(int((a.argmax(-1) == b.argmax(-1)).sum()) for a, b in pairs)
    return LogitsCheck(
        dialogues=len(pairs),
        tokens=tokens,
        largest_difference=max(float((a - b).abs().nan_to_num(nan=float("inf")).max()) for a, b in pairs),
        largest_logit=max(float(a.abs().max()) for a in expected),
        tolerance=TOLERANCE,
        same_first=same / tokens,
    )
