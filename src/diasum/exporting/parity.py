"""How near the summaries of an export are to those of torch: on real dialogues, as part of the export.

In: a loaded model and an engine made from its weights. Out: the share of identical summaries, and how much ROUGE-L is lost, with its
interval by the paired bootstrap, under a protocol that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diasum.config import GenerateSettings, Settings
from diasum.data import Pair
from diasum.data.summary import Summary
from diasum.engines.ct2 import ENGINE
from diasum.errors import DiasumError
from diasum.evaluation.rouge.protocols import Protocol, choose_protocol
from diasum.evaluation.statistics.bootstrap import Difference, Interval, paired_difference, share_interval
from diasum.summarization.trained import Trained

Progress = Callable[[str, int, int], None]  # what is being done, done, of how many


@dataclass(frozen=True, slots=True)
class Parity:
    """The summaries of two engines, held against each other.

    Attributes:
        protocol: of ROUGE.
        identical: share of summaries that are the same, character by character.
        rouge_loss: ROUGE-L of torch minus that of the export, in points.
        torch: name of torch's engine.
    """

    protocol: Protocol
    identical: Interval
    rouge_loss: Difference
    torch: str

    def check(self, most: float) -> None:
        """Refuse too large a loss.

        Args:
            most: points that the upper end of the interval must stay below.

        Raises:
            DiasumError: it does not.
        """
        loss = self.rouge_loss
        if not loss.high < most:
            raise DiasumError(
                f"The export may lose too much: ROUGE-L is lower by {loss.mean:.2f} points than with torch (95% interval {loss.low:.2f} to "
                f"{loss.high:.2f}, {loss.n} dialogues; allowed at its upper end: less than {most:g}). Nothing is written.",
                hint="With more dialogues the interval is narrower (export.max_examples, --data). Else use --quantization fp32, or allow "
                "more: --set export.max_rouge_loss=1.",
            )

    def to_json(self, most: float) -> dict[str, Any]:
        """As export.json has it."""
        return {
            "n": self.rouge_loss.n,
            "protocol": self.protocol.to_json(),
            "identical": self.identical.to_json(),
            "rouge_loss": self.rouge_loss.to_json(),
            "max_rouge_loss": most,
            "against": f"{self.torch}, fp32",
        }


def summaries_by_torch(
    trained: Trained, pairs: Sequence[Pair], settings: GenerateSettings, progress: Progress | None
) -> list[Summary]:
    """What an export is held against: summaries in fp32, by the fastest engine of torch that can honour the settings."""
    auto = settings.model_copy(update={"engine": "auto", "dtype": "auto"})
    return _summaries(replace(trained, exported=[]), pairs, auto, "summarising (torch)", progress)


def measure_parity(
    trained: Trained, pairs: Sequence[Pair], expected: Sequence[Summary], settings: Settings, progress: Progress | None
) -> Parity:
    """Summarise dialogues with an export, and compare.

    Args:
        trained: with the engine of the export.
        pairs: with references.
        expected: torch's summaries of them.
        settings: how summaries are generated, and the protocol, resamples and seed of the comparison.
        progress: called with (what is done, number done, total).
    """
    ct2 = settings.generate.model_copy(update={"engine": ENGINE, "dtype": "auto"})
    found = _summaries(trained, pairs, ct2, "summarising (ct2)", progress)
    references = [pair.references for pair in pairs]
    protocol = choose_protocol(settings.evaluate.protocol, references).protocol
    torch, other = (protocol.score([one.text for one in texts], references)["rougeL"] for texts in (expected, found))
    same = [float(a.text == b.text) for a, b in zip(expected, found, strict=True)]
    return Parity(
        protocol,
        share_interval(same),
        paired_difference(torch, other, resamples=settings.evaluate.resamples, seed=settings.evaluate.seed),
        expected[0].engine,
    )


def not_honoured(reason: str) -> DiasumError:
    """What says that an export could not generate as the run does, and what to do."""
    return DiasumError(
        f"ct2 cannot generate as this run does: {reason}.",
        hint="Export with another value, which the export then keeps (for example --set generate.no_repeat_ngram_size=0), or use "
        "torch-fast, which can.",
    )


def _summaries(
    trained: Trained, pairs: Sequence[Pair], settings: GenerateSettings, what: str, progress: Progress | None
) -> list[Summary]:
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(what, done, len(pairs))

    return trained.summarize([pair.dialogue for pair in pairs], settings=settings, progress=advance)
