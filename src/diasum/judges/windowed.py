"""Judges that others trained: each reads a window of the conversation and a sentence, and the best window counts (as SummaC's zero-shot
reading has it, Laban et al. 2022)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from diasum.claims.judgement import Judgement
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError
from diasum.model.further import load_further, longest_input

_WINDOW_TURNS = 8  # half overlapping, so that a long dialogue does not lose its end to the model's limit
_LONGEST = 2048  # tokens that MiniCheck and FactCG are given; both were made for as many
_TOGETHER = 16  # windows and sentences at a time
_QUESTION = '\n\nChoose your answer: based on the paragraph above can we conclude that "{sentence}"?'
_ANSWERS = "\n\nOPTIONS:\n- Yes\n- No\nI think the answer is "

Reader = Callable[[list[str], list[str]], list[float]]  # premises and sentences to how likely each is supported


class WindowJudge:
    """See the module.

    Args:
        name: as users gave it, of a folder its last part.
        weights: a hash of them.
        read: the model.
    """

    calibration = None

    def __init__(self, name: str, weights: str, read: Reader) -> None:
        self.name, self.weights, self._read = name, weights, read

    def judge(self, dialogue: Dialogue, sentences: Sequence[str]) -> list[Judgement]:
        """As `Judge.judge`: the highest figure over windows of 8 turns, half overlapping."""
        import torch

        windows = list(_windows(dialogue))
        pairs = [(premise, sentence) for sentence in sentences for premise in windows]
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]))
        found = [0.0] * len(pairs)
        with torch.inference_mode():
            for start in range(0, len(order), _TOGETHER):
                chunk = order[start : start + _TOGETHER]
                likely = self._read([pairs[i][0] for i in chunk], [pairs[i][1] for i in chunk])
                for i, value in zip(chunk, likely, strict=True):
                    found[i] = value
        each = len(windows)
        return [Judgement(max(found[i * each : (i + 1) * each])) for i in range(len(sentences))]


def classifying(model: str | Path, device: str) -> Reader:
    """A classifier trained on NLI: how likely its label of entailment is."""
    classifier, tokenizer = load_further(model, "AutoModelForSequenceClassification", device)
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
            truncation="longest_first",
            max_length=longest_input(tokenizer, classifier),
            return_tensors="pt",
        ).to(device)
        shares: list[float] = classifier(**batch).logits.float().softmax(dim=-1)[:, entailed[0]].tolist()
        return shares

    return judge


def concluding(model: str | Path, device: str) -> Reader:
    """FactCG: a classifier that reads a premise and the question what follows from it; its second label says that the sentence does."""
    classifier, tokenizer = load_further(model, "AutoModelForSequenceClassification", device)
    if classifier.config.num_labels != 2:
        raise DiasumError(
            f"{model} has {classifier.config.num_labels} labels; FactCG, after which it is named, has 2.",
            hint="Name another model's folder otherwise.",
        )

    def read(premise: str, sentence: str) -> list[int]:
        ids: list[int] = tokenizer(premise + _QUESTION.format(sentence=sentence) + _ANSWERS, verbose=False).input_ids
        return ids

    def judge(premises: list[str], sentences: list[str]) -> list[float]:
        rows = []
        for premise, sentence in zip(premises, sentences, strict=True):
            while len(ids := read(premise, sentence)) > _LONGEST and premise:
                # of the premise, never of the question; again, where tokens are shorter than they are on average
                premise = premise[: int(len(premise) * _LONGEST / len(ids))]
            rows.append(ids)
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(device)
        logits = classifier(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        shares: list[float] = logits.float().softmax(dim=-1)[:, 1].tolist()
        return shares

    return judge


def answering(model: str | Path, device: str) -> Reader:
    """An encoder-decoder that reads "predict: " and a premise, the end of a text and a sentence, and writes 1 or 0."""
    import torch

    answerer, tokenizer = load_further(model, "AutoModelForSeq2SeqLM", device)
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
            claim = tokenizer(sentence, add_special_tokens=False, verbose=False).input_ids[: _LONGEST // 2]
            given = tokenizer(f"predict: {premise}", add_special_tokens=False, verbose=False).input_ids
            rows.append([*given[: _LONGEST - len(claim) - 2], end, *claim, end])
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(device)
        first = torch.full((len(rows), 1), answerer.config.decoder_start_token_id, device=device)
        logits = answerer(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], decoder_input_ids=first
        ).logits[:, 0]
        shares: list[float] = logits[:, [no, yes]].float().softmax(dim=-1)[:, 1].tolist()
        return shares

    return judge


def _windows(dialogue: Dialogue) -> Iterator[str]:
    turns = [str(turn) for turn in dialogue.turns]
    for start in range(0, max(1, len(turns) - _WINDOW_TURNS // 2), _WINDOW_TURNS // 2):
        yield "\n".join(turns[start : start + _WINDOW_TURNS])
