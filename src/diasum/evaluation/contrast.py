"""Does a model know who said what? By contrast: it should find a reference more likely than the same reference with an error put in.

In: a `Trained` and pairs. Out: for each kind of corruption (`diasum.evaluation.corruptions`) the share of references that the model
scores above their corrupted twin, by mean log-likelihood per token given the dialogue, after FacEval (Wang et al., EMNLP 2022). A coin
has 50%. Fluency alone can tell some corruptions ("does not thanks"), so the same is measured with another pair's dialogue on demand
(`control`): only what a model gains over that control (`ContrastResult.gains`) comes from reading the dialogue. A dialogue is encoded
once for all its texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diasum.data import Pair
from diasum.data.batching import IGNORED, Budget, Size, longest_first_batches, padded, padded_sources, shifted_right
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError, near_misses
from diasum.evaluation.corruptions import KINDS, corrupt
from diasum.evaluation.statistics.bootstrap import Interval, holm_correction, paired_difference, share_interval
from diasum.evaluation.statistics.compare import DifferenceRow
from diasum.model import decoder_start, position_limits
from diasum.summarization.trained import Trained

Scorer = Callable[[Sequence[Dialogue], Sequence[Sequence[str]]], list[list[float]]]
"""From the texts of each dialogue to one score each, higher for more likely ones."""

_TARGET_TOKENS = 1024  # padded target tokens in a batch: their logits over 32,000 words take 130 MB
_LONGEST = 512  # target tokens; what lies behind is not scored
CHANCE = 0.5
_TESTABLE = 6  # with 5 cases the smallest p of a sign-flip test is 2 / 2**5, above 0.05


@dataclass(frozen=True)
class KindContrast:
    """One kind of corruption.

    Attributes:
        kind: as in `diasum.evaluation.corruptions.KINDS`.
        ids: the pairs whose reference could be corrupted.
        wins: ``[n]``: 1 where the reference scores above its twin, 0 where below, 0.5 for a tie; intervals are made of these.
        control: the same scored with another pair's dialogue, where asked for.
    """

    kind: str
    ids: tuple[str, ...]
    wins: NDArray[np.float64]
    control: NDArray[np.float64] | None = None

    @property
    def n(self) -> int:
        """How many references could be corrupted."""
        return len(self.wins)

    @property
    def share(self) -> float:
        """Share of references above their twins; NaN where none could be corrupted."""
        return float(self.wins.mean()) if self.n else float("nan")

    @property
    def control_share(self) -> float | None:
        """The same with another pair's dialogue; None where that was not measured."""
        return float(self.control.mean()) if self.control is not None and self.n else None

    @property
    def band(self) -> Interval:
        """The share with its interval over references."""
        return share_interval(self.wins)

    @property
    def testable(self) -> bool:
        """Whether there are enough cases for any outcome to be significant."""
        return self.n >= _TESTABLE


@dataclass(frozen=True)
class ContrastResult:
    """All kinds.

    Attributes:
        kinds: those asked for, in that order.
        pairs: how many pairs were drawn.
        seed: of the draw and the corruptions.
    """

    kinds: dict[str, KindContrast]
    pairs: int
    seed: int

    @cached_property
    def gains(self) -> dict[str, DifferenceRow]:
        """Kind to what reading the own dialogue adds to the share: own minus control, paired, p-values corrected over the kinds.

        Kinds with so few cases that no outcome could be significant do not count in the correction (Tarone 1990) and have p = 1.
        """
        differences = {
            name: paired_difference(kind.wins, kind.control, seed=self.seed)
            for name, kind in self.kinds.items()
            if kind.control is not None and kind.n
        }
        tested = [name for name in differences if self.kinds[name].testable]
        corrected = dict(zip(tested, holm_correction([differences[name].p for name in tested]), strict=True))
        return {
            name: DifferenceRow("its dialogue", "another dialogue", name, difference, corrected.get(name, 1.0))
            for name, difference in differences.items()
        }

    def shown(self, name: str) -> bool:
        """Whether a model prefers the references of a kind, and does so because it reads: share above chance, and above the control.

        The interval of the share lies above 50% whole, and the gain over the control is established. A gain alone is not enough: from a
        control of 30%, a share of 48% is one, and still a coin's.
        """
        gain = self.gains.get(name)
        return gain is not None and gain.established and gain.difference.mean > 0 and self.kinds[name].band.low > CHANCE

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it: shares from 0 to 1."""
        kinds: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            band, gain = kind.band, self.gains.get(name)
            kinds[name] = {"n": kind.n, "share": kind.share, "low": band.low, "high": band.high}
            kinds[name] |= {
                "control": kind.control_share,
                "gain": gain.to_json() if gain else None,
                "shown": self.shown(name),
            }
        return {"chance": CHANCE, "pairs": self.pairs, "seed": self.seed, "kinds": kinds}


def contrast(
    trained: Trained,
    pairs: Sequence[Pair],
    *,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    max_pairs: int = 200,
    control: bool = False,
    progress: Callable[[int], None] | None = None,
    scorer: Scorer | None = None,
) -> ContrastResult:
    """How often a model prefers a reference to the same reference with an error put in.

    Args:
        trained: the model with its prompt.
        pairs: with references; for each kind, the first one of each pair that can be corrupted is used.
        kinds: of corruption.
        seed: of the draw of pairs and of the corruptions.
        max_pairs: the most pairs that are drawn.
        control: also score with another pair's dialogue, for what fluency alone gives; doubles the time.
        progress: called with the number of pairs done after each batch (twice over all pairs with `control`).
        scorer: scores instead of the model's likelihood.

    Raises:
        DiasumError: an unknown kind, no pairs, or pairs without references.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise DiasumError(f"There is no corruption `{kind}`.", hint=near_misses(kind, KINDS))
    bare = [pair.id for pair in pairs if not pair.references]
    if bare or not pairs:
        raise DiasumError(
            f"Contrast needs pairs with references: {len(bare)} of {len(pairs)} have none{f' (first: {bare[0]})' if bare else ''}."
        )
    chosen = [pairs[i] for i in sorted(random.Random(seed).sample(range(len(pairs)), min(max_pairs, len(pairs))))]
    groups = [_Group(pair, kinds, seed) for pair in chosen]
    groups = [group for group in groups if group.twins]
    texts = [group.texts for group in groups]
    dialogues = [group.pair.dialogue for group in groups]

    def default(sources: Sequence[Dialogue], wanted: Sequence[Sequence[str]]) -> list[list[float]]:
        return log_likelihoods(trained, sources, wanted, progress=progress)

    score = scorer or default
    scores = score(dialogues, texts)
    others = score(dialogues[1:] + dialogues[:1], texts) if control and len(groups) > 1 else None
    results = {}
    for kind in kinds:
        where = [(g, *group.twins[kind]) for g, group in enumerate(groups) if kind in group.twins]
        results[kind] = KindContrast(
            kind,
            tuple(groups[g].pair.id for g, _, _ in where),
            _wins(scores, where),
            _wins(others, where) if others is not None else None,
        )
    return ContrastResult(results, len(chosen), seed)


class _Group:
    """A pair's texts to score.

    Attributes:
        texts: references and corrupted ones, each once.
        twins: kind to the places of a reference and of its corrupted twin in `texts`.
    """

    def __init__(self, pair: Pair, kinds: Sequence[str], seed: int) -> None:
        self.pair = pair
        places: dict[str, int] = {}
        self.twins: dict[str, tuple[int, int]] = {}
        for kind in kinds:
            corrupted = ((text, corrupt(text, pair.dialogue, kind, seed=seed)) for text in pair.references)
            texts = next(((text, twin.text) for text, twin in corrupted if twin is not None), None)
            if texts:
                right, wrong = (places.setdefault(text, len(places)) for text in texts)
                self.twins[kind] = (right, wrong)
        self.texts = list(places)


def _wins(scores: Sequence[Sequence[float]], where: Sequence[tuple[int, int, int]]) -> NDArray[np.float64]:
    gaps = np.array([scores[group][right] - scores[group][wrong] for group, right, wrong in where], dtype=np.float64)
    return (np.sign(gaps) + 1) / 2


def log_likelihoods(
    trained: Trained,
    dialogues: Sequence[Dialogue],
    texts: Sequence[Sequence[str]],
    *,
    progress: Callable[[int], None] | None = None,
) -> list[list[float]]:
    """Mean log-likelihood per token (nats, the end token counted) of texts given their dialogue.

    Args:
        trained: the model with its prompt; its training mode is restored afterwards.
        dialogues: encoded as for summarising, cut alike; each goes through the encoder once.
        texts: one or more for each dialogue; each is scored up to 512 tokens, or as many as the model has positions for.
        progress: called with the number of dialogues done after each batch.

    Returns:
        One score per text, in the shape of `texts`.
    """
    import torch

    encoder, model, pad = trained.encoder, trained.model, trained.base.tokenizer.pad_token_id
    sources = [source.input_ids for source in encoder.encode_dialogues(dialogues)[0]]
    longest = min(_LONGEST, position_limits(model)[1] or _LONGEST)
    targets = [
        [ids[:longest] for ids in encoder.target_ids([encoder.target(dialogue, text) for text in group])]
        for dialogue, group in zip(dialogues, texts, strict=True)
    ]
    sizes = [
        Size(len(source), max(map(len, group), default=0), rows=len(group))
        for source, group in zip(sources, targets, strict=True)
    ]
    results: list[list[float]] = [[] for _ in texts]
    was_training = model.training
    model.eval()
    try:
        for batch in longest_first_batches(sizes, Budget(trained.generate.batch_tokens, _TARGET_TOKENS)):
            ids, mask = (part.to(model.device) for part in padded_sources([sources[i] for i in batch], pad))
            owner = torch.tensor([row for row, i in enumerate(batch) for _ in targets[i]], device=model.device)
            labels = padded([ids for i in batch for ids in targets[i]], IGNORED).to(model.device)
            for row, value in zip(owner.tolist(), _mean_scores(model, ids, mask, owner, labels, pad), strict=True):
                results[batch[row]].append(value)
            if progress:
                progress(len(batch))
    finally:
        model.train(was_training)
    return results


def _mean_scores(model: Any, ids: Any, mask: Any, owner: Any, labels: Any, pad: int) -> list[float]:
    """A batch's mean log-likelihoods per token.

    Args:
        model: in evaluation mode.
        ids, mask: (dialogues, source length), the encoded dialogues.
        owner: (texts,), the row in `ids` of each text's dialogue.
        labels: (texts, target length), the texts, padded with `IGNORED`.
        pad: the padding token's id.
    """
    import torch

    with torch.inference_mode():
        output = model(
            **_source(model, ids, mask, owner),
            attention_mask=mask[owner],
            # Not labels: with a loss of its own, AdaLoRA adds a penalty that is defined only during training.
            decoder_input_ids=shifted_right(labels, decoder_start_token_id=decoder_start(model), pad_token_id=pad),
            use_cache=False,
        )
        losses = torch.nn.functional.cross_entropy(
            output.logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
        )
        means: list[float] = (-losses.sum(1) / (labels != IGNORED).sum(1)).tolist()
    return means


def _source(model: Any, ids: Any, mask: Any, owner: Any) -> dict[str, Any]:
    """The batch's dialogues as a model takes them, one row per text: each is encoded once, except where virtual tokens are trained.

    Prompt, prefix and P-tuning put their tokens before the source themselves, and take it as token ids only.
    """
    adapter = getattr(model, "active_peft_config", None)
    if adapter is not None and adapter.is_prompt_learning:
        return {"input_ids": ids[owner]}
    encoded = model.get_encoder()(input_ids=ids, attention_mask=mask, return_dict=True)
    encoded.last_hidden_state = encoded.last_hidden_state[owner]
    return {"encoder_outputs": encoded}  # of the family's own class: some read more from it
