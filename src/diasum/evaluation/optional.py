"""Measures that need a further model: BERTScore and consistency by natural language inference. Both run on a local folder or a hub id.

In: summaries and what they are held against. Out: one value an example, in points (0 to 100), as the ROUGE protocols give. Neither needs a
package beyond those that diasum has; the models are large next to the ones that diasum trains, so nothing runs them unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diasum.claims.sentences import split_sentences
from diasum.data import Pair
from diasum.errors import DiasumError
from diasum.judges import load_judge
from diasum.model.further import load_further, longest_input

Floats = NDArray[np.float64]

# The layers at which these models agree best with people, as the package bert-score 0.3.13 has them.
BERTSCORE_LAYERS = {
    "bert-base-uncased": 9,
    "bert-base-multilingual-cased": 9,
    "distilbert-base-uncased": 5,
    "distilroberta-base": 5,
    "facebook/bart-base": 6,
    "facebook/bart-large": 10,
    "microsoft/deberta-base-mnli": 9,
    "microsoft/deberta-xlarge-mnli": 40,
    "roberta-base": 10,
    "roberta-large": 17,
}


def bert_score(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    model: str | Path = "roberta-large",
    *,
    layer: int | None = None,
    batch_size: int = 32,
    device: str = "cpu",
) -> Floats:
    """BERTScore F1 (Zhang et al. 2020), without idf and without rescaling; the best over the references, as its package takes it.

    Args:
        predictions: one text an example; an empty one scores 0.
        references: one or more texts for each.
        model: an encoder (of an encoder-decoder, its encoder), as a local folder or a hub id.
        layer: whose states are compared; the package's choice for the models it knows, else the one after two thirds of them.
        batch_size: texts at a time.
        device: where the model runs.

    Returns:
        ``[n]``, cosine similarities times 100: values below 80 are rare and differences are small, so compare, do not read them alone.

    Raises:
        DiasumError: the model cannot be loaded, or has no such layer.
    """
    import torch

    encoder, tokenizer = load_further(model, "AutoModel", device)
    if encoder.config.is_encoder_decoder:
        encoder = encoder.get_encoder()
    layers = int(encoder.config.num_hidden_layers)
    layer = BERTSCORE_LAYERS.get(str(model), -(-2 * layers // 3)) if layer is None else layer
    if not 0 <= layer <= layers:
        raise DiasumError(
            f"{model} has {layers} layers; there is no layer {layer}.", hint="Choose one from 0 up to that."
        )
    texts = list(
        dict.fromkeys(t.strip() for t in [*predictions, *(r for refs in references for r in refs)] if t.strip())
    )
    texts.sort(key=len)
    states: dict[str, tuple[Any, Any]] = {}
    with torch.inference_mode():
        for start in range(0, len(texts), batch_size):
            chunk = texts[start : start + batch_size]
            batch = tokenizer(
                chunk,
                padding=True,
                truncation=True,
                max_length=longest_input(tokenizer, encoder),
                return_special_tokens_mask=True,
                return_tensors="pt",
            ).to(device)
            special = batch.pop("special_tokens_mask")
            hidden = encoder(**batch, output_hidden_states=True).hidden_states[layer].float()
            hidden = torch.nn.functional.normalize(hidden, dim=-1)
            for i, text in enumerate(chunk):
                real = batch["attention_mask"][i].bool()
                states[text] = (hidden[i][real].cpu(), (1 - special[i][real]).float().cpu())
    return 100 * np.array(
        [
            max((_matched(states, prediction.strip(), text.strip()) for text in texts_), default=0.0)
            for prediction, texts_ in zip(predictions, references, strict=True)
        ]
    )


def _matched(states: dict[str, tuple[Any, Any]], prediction: str, reference: str) -> float:
    """Greedy matching; special tokens can be matched but do not count, as in the package."""
    if prediction not in states or reference not in states:
        return 0.0
    (a, count_a), (b, count_b) = states[prediction], states[reference]
    if not count_a.sum() or not count_b.sum():
        return 0.0
    similar = a @ b.T
    precision = float((similar.max(dim=1).values * count_a).sum() / count_a.sum())
    recall = float((similar.max(dim=0).values * count_b).sum() / count_b.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def nli_consistency(
    pairs: Sequence[Pair], predictions: Sequence[str], model: str | Path, *, device: str = "cpu"
) -> Floats:
    """How far the dialogue supports the summary, as a judge finds: the mean over its sentences.

    Args:
        pairs: the dialogues.
        predictions: one summary each; NaN is returned for an empty one, which claims nothing.
        model: as `diasum.judges.load_judge`.
        device: where the model runs.

    Returns:
        ``[n]``, 0 to 100.

    Raises:
        DiasumError: as `diasum.judges.load_judge`.
    """
    judge = load_judge(model, device)
    means = []
    for pair, text in zip(pairs, predictions, strict=True):
        found = judge.judge(pair.dialogue, sentences) if (sentences := split_sentences(text)) else []
        means.append(100 * float(np.mean([one.support for one in found])) if found else np.nan)
    return np.array(means)
