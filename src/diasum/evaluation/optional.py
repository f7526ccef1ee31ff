"""Measures that need a further model: BERTScore and consistency by natural language inference. Both run on a local folder or a hub id.

In: summaries and what they are held against. Out: one value an example, in points (0 to 100), as the ROUGE protocols give. Neither needs a
package beyond those that diasum has; the models are large next to the ones that diasum trains, so nothing runs them unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diasum.claims.sentences import split_sentences
from diasum.data import Pair
from diasum.errors import DiasumError

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
_WINDOW_TURNS = 8
_JUDGE_TOKENS = 2048  # that MiniCheck and FactCG are given; both were made for as many
# What FactCG was trained to read, a question in the form of FLAN's; its labels have no names, so the model is known by its own.
_FACTCG = "factcg"
_QUESTION = '\n\nChoose your answer: based on the paragraph above can we conclude that "{sentence}"?'
_ANSWERS = "\n\nOPTIONS:\n- Yes\n- No\nI think the answer is "
_HINT = "Give a local folder (config.json, model.safetensors, tokenizer files) or a hub id that you can reach."


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

    encoder, tokenizer = _load(model, "AutoModel", device)
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
                max_length=_longest(tokenizer, encoder),
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
    pairs: Sequence[Pair],
    predictions: Sequence[str],
    model: str | Path,
    *,
    batch_size: int = 16,
    device: str = "cpu",
) -> Floats:
    """How far the dialogue entails the summary: SummaC's zero-shot reading (Laban et al. 2022) with windows of turns as premises.

    Each sentence of the summary takes the highest probability of entailment over the dialogue's windows (8 turns, half overlapping,
    so that a long dialogue does not lose its end to the model's limit); the summary takes the mean over its sentences.

    Args:
        pairs: the dialogues.
        predictions: one summary each; NaN is returned for an empty one, which claims nothing.
        model: a sequence classifier trained on NLI, one of whose labels contains "entail"; an encoder-decoder that answers 1 where a
            sentence is supported and 0 where it is not, as MiniCheck-FLAN-T5 does (Tang et al. 2024); or FactCG-DeBERTa-v3-Large
            (Lei et al. 2025), known by its name. A local folder or a hub id.
        batch_size: premise and sentence pairs at a time.
        device: where the model runs.

    Returns:
        ``[n]``, 0 to 100.

    Raises:
        DiasumError: the model cannot be loaded, has no such label, or its tokenizer has no 0 and 1.
    """
    import torch

    judge = _judge(model, device)
    claims: list[tuple[int, int, str, str]] = []
    for at, (pair, text) in enumerate(zip(pairs, predictions, strict=True)):
        for number, sentence in enumerate(split_sentences(text)):
            claims += [(at, number, premise, sentence) for premise in _windows(pair)]
    best: list[dict[int, float]] = [{} for _ in pairs]
    order = sorted(range(len(claims)), key=lambda i: len(claims[i][2]))
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            chunk = [claims[i] for i in order[start : start + batch_size]]
            probabilities = judge([claim[2] for claim in chunk], [claim[3] for claim in chunk])
            for (at, number, _, _), value in zip(chunk, probabilities, strict=True):
                best[at][number] = max(best[at].get(number, 0.0), value)
    return np.array([100 * float(np.mean(list(values.values()))) if values else np.nan for values in best])


Judge = Callable[[list[str], list[str]], list[float]]  # premises and sentences to how likely each is supported


def _judge(model: str | Path, device: str) -> Judge:
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(str(model), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(model, error) from None
    classifies = any("SequenceClassification" in name for name in config.architectures or ())
    if classifies and _FACTCG in str(model).lower():
        return _concluding(model, device)
    return _answering(model, device) if config.is_encoder_decoder and not classifies else _classifying(model, device)


def _classifying(model: str | Path, device: str) -> Judge:
    classifier, tokenizer = _load(model, "AutoModelForSequenceClassification", device)
    labels = {int(i): str(name).lower() for i, name in classifier.config.id2label.items()}
    entailed = [i for i, name in labels.items() if "entail" in name and "not" not in name]
    if len(entailed) != 1:
        raise DiasumError(
            f"{model} is not an NLI model: none of its labels is `entailment` ({', '.join(labels.values())}).",
            hint="Use a classifier fine-tuned on MNLI or the like, with its label names in config.json (FactCG needs none: its folder's "
            "name has to say FactCG).",
        )

    def judge(premises: list[str], sentences: list[str]) -> list[float]:
        batch = tokenizer(
            premises,
            sentences,
            padding=True,
            truncation="only_first",
            max_length=_longest(tokenizer, classifier),
            return_tensors="pt",
        ).to(device)
        shares: list[float] = classifier(**batch).logits.float().softmax(dim=-1)[:, entailed[0]].tolist()
        return shares

    return judge


def _concluding(model: str | Path, device: str) -> Judge:
    """FactCG: a classifier that reads a premise and the question what follows from it; its second label says that the sentence does."""
    classifier, tokenizer = _load(model, "AutoModelForSequenceClassification", device)
    if classifier.config.num_labels != 2:
        raise DiasumError(
            f"{model} has {classifier.config.num_labels} labels; FactCG, after which it is named, has 2.",
            hint="Name another model's folder otherwise.",
        )

    def read(premise: str, sentence: str) -> list[int]:
        ids: list[int] = tokenizer(premise + _QUESTION.format(sentence=sentence) + _ANSWERS).input_ids
        return ids

    def judge(premises: list[str], sentences: list[str]) -> list[float]:
        rows = []
        for premise, sentence in zip(premises, sentences, strict=True):
            while len(ids := read(premise, sentence)) > _JUDGE_TOKENS and premise:
                # of the premise, never of the question; a little less than what is too much, since tokens differ in length
                premise = premise[: int(len(premise) * max(0, 1 - (len(ids) - _JUDGE_TOKENS) / len(ids))) - 1]
            rows.append(ids)
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(device)
        logits = classifier(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        shares: list[float] = logits.float().softmax(dim=-1)[:, 1].tolist()
        return shares

    return judge


def _answering(model: str | Path, device: str) -> Judge:
    """An encoder-decoder that reads "predict: " and a premise, the end of a text and a sentence, and writes 1 or 0."""
    import torch

    answerer, tokenizer = _load(model, "AutoModelForSeq2SeqLM", device)
    answers = [tokenizer(text, add_special_tokens=False).input_ids[:1] for text in ("0", "1")]
    no, yes = (ids[0] if ids else tokenizer.unk_token_id for ids in answers)
    if no == yes:
        raise DiasumError(
            f"{model} cannot judge: its tokenizer does not tell 0 from 1, which it would have to answer.",
            hint="Use a classifier trained on NLI, or an encoder-decoder trained to answer 1 and 0, as MiniCheck-FLAN-T5.",
        )
    end = tokenizer.eos_token_id

    def judge(premises: list[str], sentences: list[str]) -> list[float]:
        rows = []
        for premise, sentence in zip(premises, sentences, strict=True):
            claim = tokenizer(sentence, add_special_tokens=False).input_ids[: _JUDGE_TOKENS // 2]
            given = tokenizer(f"predict: {premise}", add_special_tokens=False).input_ids
            rows.append([*given[: _JUDGE_TOKENS - len(claim) - 2], end, *claim, end])
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(device)
        first = torch.full((len(rows), 1), answerer.config.decoder_start_token_id, device=device)
        logits = answerer(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], decoder_input_ids=first
        ).logits[:, 0]
        shares: list[float] = logits[:, [no, yes]].float().softmax(dim=-1)[:, 1].tolist()
        return shares

    return judge


def _windows(pair: Pair) -> Iterator[str]:
    turns = [str(turn) for turn in pair.dialogue.turns]
    for start in range(0, max(1, len(turns) - _WINDOW_TURNS // 2), _WINDOW_TURNS // 2):
        yield "\n".join(turns[start : start + _WINDOW_TURNS])


def _longest(tokenizer: Any, model: Any) -> int:
    """The longest input of the model; tokenizers that do not know it give a huge number."""
    positions = getattr(model.config, "max_position_embeddings", None) or 512
    offset = (
        2 if model.config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    )  # positions begin after the pad's
    return int(min(tokenizer.model_max_length, max(positions, 8) - offset))


def require_model(model: str | Path) -> None:
    """Fail before any summary is generated, not after, where a measure's model is not there.

    Raises:
        DiasumError: its configuration cannot be read.
    """
    import transformers

    if str(model).startswith(("/", ".", "~")) and not Path(model).expanduser().is_dir():
        raise DiasumError(f"There is no model folder {model}.", hint=_HINT)
    try:
        transformers.AutoConfig.from_pretrained(str(model), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(model, error) from None


def _not_loaded(model: str | Path, error: Exception) -> DiasumError:
    return DiasumError(
        f"{model} cannot be loaded as a model for this measure: {str(error).splitlines()[0]}", hint=_HINT
    )


def _load(model: str | Path, kind: str, device: str) -> tuple[Any, Any]:
    """A model in eval mode and its tokenizer; weights from safetensors only, no code from the repository."""
    import transformers

    try:
        loaded = getattr(transformers, kind).from_pretrained(str(model), use_safetensors=True, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(model), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(model, error) from None
    return loaded.to(device).eval(), tokenizer
