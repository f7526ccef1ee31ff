"""diasum's own judge: a low-rank adapter and a head for a small public encoder, which reads a conversation once for all its sentences.

The encoder is all-MiniLM-L6-v2 (six layers, 22 million parameters, Apache-2.0), which users get from the hub or hold in a folder; the
adapter, 'assets/judge', comes with diasum and was trained on sentences written for it (``benchmarks/judge_training.py``; figures:
``docs/faithfulness.md``). Conversation and sentences stand in one input: a sentence sees itself and the conversation, the conversation
sees only itself, so that it is computed once, and each sentence gets what it would get alone. To what the encoder embeds of a token, one
of a few vectors is added that says whose turn it stands in, or which speaker it names, in the conversation and in the sentence alike.
English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from diasum.claims.judgement import Calibration, Judgement
from diasum.claims.lexicon import STOPWORDS
from diasum.dialogue import Dialogue
from diasum.evidence.lexical import rank_turns
from diasum.model.further import load_further
from diasum.model.weights import weights_hash

if TYPE_CHECKING:
    from torch import Tensor

BUNDLED = "minilm"  # the name under which users ask for it
_DESCRIPTION, _WEIGHTS = "judge.json", "adapter.safetensors"
_SENTENCES = 12  # of one conversation that are read together, at most
_TURN = 120  # tokens of a turn, at most, where a conversation has to be cut
_WORD = re.compile(r"[a-z][\w'-]+")
_COMMON = STOPWORDS | {
    "will",
    "may",
    "mark",
    "art",
    "grace",
    "hope",
    "joy",
    "sue",
    "bill",
    "rob",
    "pat",
    "frank",
}  # names with a capital only
_TITLES = {"mr", "mrs", "ms", "miss", "dr", "the", "of", "person"}  # in labels, which name nobody by themselves
_TURNS = 40  # that a sentence may rest on, of a conversation that has to be cut


@dataclass(frozen=True, slots=True)
class Description:
    """What ``judge.json`` says.

    Attributes:
        base: hub id of the encoder.
        base_sha256: of its weights.
        shape: values of its configuration by which it is known before its weights are read.
        ways: what the head's classes after the first, which is support, stand for.
        dialogue, sentence: tokens of each that are read, at most.
        calibration: of what it finds.
    """

    base: str
    base_sha256: str
    shape: dict[str, int]
    ways: tuple[str, ...]
    dialogue: int
    sentence: int
    calibration: Calibration

    @classmethod
    def read(cls, folder: Path) -> Description:
        """Of an adapter's folder."""
        found = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        calibration = Calibration(**{**found["calibration"], "flag": tuple(found["calibration"]["flag"])})
        names = ("base", "base_sha256", "shape", "dialogue", "sentence")
        return cls(**{name: found[name] for name in names}, ways=tuple(found["ways"]), calibration=calibration)


class Tokens(NamedTuple):
    """A text: its token ids, and for each the number of the speaker that it is of, 0 for none."""

    ids: list[int]
    speakers: list[int]

    def cut(self, most: int) -> Tokens:
        """Its first tokens."""
        return Tokens(self.ids[:most], self.speakers[:most])


class Packed(NamedTuple):
    """A conversation and sentences about it, as one input."""

    dialogue: Tokens
    sentences: list[Tokens]


class TunedJudge:
    """See the module.

    Args:
        name: as users gave it, of a folder its last part.
        weights: a hash of those of the adapter.
        encoder: with the adapter merged into it.
        speakers: what is added to the embeddings of tokens, by the number of a speaker.
        head: the layers after it, by name.
        tokenizer: the encoder's own.
        description: of the adapter.
    """

    def __init__(
        self,
        name: str,
        weights: str,
        encoder: Any,
        speakers: Tensor,
        head: dict[str, Tensor],
        tokenizer: Any,
        description: Description,
    ) -> None:
        self.name, self.weights = name, weights
        self.calibration: Calibration | None = description.calibration
        self._encoder, self._speakers, self._head, self._about = encoder, speakers, head, description
        self._reader = Reader(tokenizer, description.dialogue, description.sentence, len(speakers) - 1)

    @classmethod
    def load(
        cls, source: str, *, name: str | None = None, device: str = "cpu", folder: Path | None = None
    ) -> TunedJudge | None:
        """The adapter on its encoder; None where the encoder has other weights.

        Args:
            source: folder or hub id of the encoder.
            name: as users gave it.
            device: where it runs.
            folder: of the adapter; the bundled one when not given.
        """
        import torch
        from safetensors.torch import load_file

        folder = folder or _bundled()
        description = Description.read(folder)
        encoder, tokenizer = load_further(source, "BertModel", device)
        if weights_hash(source) != description.base_sha256:
            return None
        tensors = {key: value.float().to(device) for key, value in load_file(folder / _WEIGHTS).items()}
        head = {key: tensors.pop(key) for key in list(tensors) if key.startswith("head.")}
        speakers = tensors.pop("speakers")
        own = dict(encoder.named_parameters())
        with torch.no_grad():
            for key, value in tensors.items():
                if key.endswith(".down"):
                    own[key.removesuffix(".down")] += tensors[f"{key.removesuffix('.down')}.up"] @ value
                elif not key.endswith(".up"):
                    own[key] += value
        return cls(name or source, weights_hash(str(folder)), encoder, speakers, head, tokenizer, description)

    def judge(self, dialogue: Dialogue, sentences: Sequence[str]) -> list[Judgement]:
        """As `Judge.judge`."""
        import torch

        found: list[Judgement | None] = [None] * len(sentences)
        with torch.inference_mode():
            for places, packed in self._reader.inputs(dialogue, sentences):
                shares = self._logits(packed).softmax(-1).tolist()
                for place, (support, *wrong) in zip(places, shares, strict=True):
                    way = self._about.ways[max(range(len(wrong)), key=wrong.__getitem__)]
                    found[place] = Judgement(support, way)
        return [one for one in found if one is not None]

    def _logits(self, packed: Packed) -> Tensor:
        """(sentences, classes)."""
        import torch
        from torch.nn.functional import linear

        states = self._encoder(**encoded([packed], self._encoder, self._speakers)).last_hidden_state[0]
        start, pooled = len(packed.dialogue.ids), []
        for sentence in packed.sentences:
            own = states[start : start + len(sentence.ids)]
            pooled.append(torch.cat([own[0], own.mean(0)]))
            start += len(own)
        hidden = linear(torch.stack(pooled), self._head["head.0.weight"], self._head["head.0.bias"]).tanh()
        return linear(hidden, self._head["head.1.weight"], self._head["head.1.bias"])


class Reader:
    """Conversations and sentences as the encoder reads them.

    Args:
        tokenizer: the encoder's own.
        dialogue, sentence: tokens of each that are read, at most.
        speakers: that are told apart; further ones are like none.
    """

    def __init__(self, tokenizer: Any, dialogue: int, sentence: int, speakers: int) -> None:
        self._tokenizer, self._dialogue, self._sentence, self._most = tokenizer, dialogue, sentence, speakers

    def inputs(
        self, dialogue: Dialogue, sentences: Sequence[str], numbers: Sequence[int] = ()
    ) -> Iterator[tuple[list[int], Packed]]:
        """Inputs, each with the places of its sentences; of a conversation that is too long, the turns are chosen for each sentence.

        Args:
            dialogue: with turns.
            sentences: about it.
            numbers: of the speakers in the order in which they first speak; 1, 2 ... when not given.
        """
        order = list(numbers or range(1, self._most + 1))
        people = {speaker: order[i] if i < len(order) else 0 for i, speaker in enumerate(dialogue.speakers)}
        own = [people.get(turn.speaker, 0) for turn in dialogue.turns]
        naming = _Naming(people)
        turns = self._tokens([str(turn) for turn in dialogue.turns], own, naming)
        texts = [self._framed(one) for one in self._tokens(sentences, [0] * len(sentences), naming)]
        if 1 + sum(len(one.ids) + 1 for one in turns) <= self._dialogue:
            whole = self._joined(turns, own)
            for start in range(0, len(texts), _SENTENCES):
                places = list(range(start, min(start + _SENTENCES, len(texts))))
                yield places, Packed(whole, [texts[i] for i in places])
            return
        at = {turn.id: i for i, turn in enumerate(dialogue.turns)}
        for place, ranked in enumerate(rank_turns(sentences, dialogue, most=_TURNS)):
            kept = self._room(turns, [at[one.id] for one in ranked])
            yield (
                [place],
                Packed(self._joined([turns[i].cut(_TURN - 1) for i in kept], [own[i] for i in kept]), [texts[place]]),
            )

    def _room(self, turns: Sequence[Tokens], best: Sequence[int]) -> list[int]:
        """The turns that have room, in order: each of the best with those beside it, then from the beginning on."""
        room, kept = self._dialogue - 1, set[int]()
        for i in (*(near for one in best for near in (one, one + 1, one - 1)), *range(len(turns))):
            if i in kept or not 0 <= i < len(turns):
                continue
            size = min(len(turns[i].ids) + 1, _TURN)
            if size <= room:
                room -= size
                kept.add(i)
            if room < 2:
                break
        return sorted(kept)

    def _tokens(self, texts: Sequence[str], own: Sequence[int], naming: _Naming) -> list[Tokens]:
        """Of texts whose tokens are of these speakers where they name none."""
        if not texts:
            return []
        read = self._tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        found = []
        for text, ids, offsets, number in zip(texts, read.input_ids, read.offset_mapping, own, strict=True):
            speakers = [number] * len(ids)
            for start, end, named in naming.of(text):
                for i, (first, last) in enumerate(offsets):
                    if first < end and last > start:
                        speakers[i] = named
            found.append(Tokens(ids, speakers))
        return found

    def _joined(self, turns: Sequence[Tokens], own: Sequence[int]) -> Tokens:
        ids, speakers = [self._tokenizer.cls_token_id], [0]
        for turn, number in zip(turns, own, strict=True):
            ids += [*turn.ids, self._tokenizer.sep_token_id]
            speakers += [*turn.speakers, number]
        return Tokens(ids, speakers)

    def _framed(self, sentence: Tokens) -> Tokens:
        cut = sentence.cut(self._sentence)
        return Tokens([self._tokenizer.cls_token_id, *cut.ids, self._tokenizer.sep_token_id], [0, *cut.speakers, 0])


class _Naming:
    """Finds the words that name one speaker and no other.

    Args:
        people: labels to numbers.
    """

    def __init__(self, people: dict[str, int]) -> None:
        words: dict[str, set[int]] = {}
        for label, number in people.items():
            lower = label.lower()
            for word in {lower, *_WORD.findall(lower)} - _TITLES:
                words.setdefault(word, set()).add(number)
        self._numbers = {word: next(iter(named)) for word, named in words.items() if len(named) == 1}
        longest_first = sorted(self._numbers, key=len, reverse=True)
        self._pattern = re.compile(
            rf"(?<![\w#])(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?![\w#])", re.IGNORECASE
        )

    def of(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Where a text names a speaker: first character, end, and the speaker's number."""
        for match in self._pattern.finditer(text):
            word = match[0].lower()
            if word not in _COMMON or match[0][0].isupper():
                yield match.start(), match.end(), self._numbers.get(word, 0)


def encoded(rows: Sequence[Packed], encoder: Any, speakers: Tensor) -> dict[str, Tensor]:
    """What the encoder is given for inputs: padded embeddings, types and positions, and who sees whom; each sentence goes on where the
    conversation ends.

    Args:
        rows: inputs.
        encoder: a `BertModel`.
        speakers: (numbers, width), what is added for each speaker; that of 0 is not.
    """
    import torch

    length = max(len(row.dialogue.ids) + sum(len(one.ids) for one in row.sentences) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    positions, types, of = torch.zeros_like(ids), torch.zeros_like(ids), torch.zeros_like(ids)
    part = torch.full_like(ids, -1)  # 0 is the conversation, then the sentences; -1 is padding
    for i, row in enumerate(rows):
        end = 0
        for number, tokens in enumerate((row.dialogue, *row.sentences)):
            place = slice(end, end + len(tokens.ids))
            first = len(row.dialogue.ids) if number else 0
            ids[i, place], of[i, place] = torch.tensor(tokens.ids), torch.tensor(tokens.speakers)
            positions[i, place] = torch.arange(first, first + len(tokens.ids))
            types[i, place] = int(number > 0)
            part[i, place] = number
            end += len(tokens.ids)
    seen = (part[:, :, None] == part[:, None, :]) | (part[:, None, :] == 0)
    mask = torch.zeros(len(rows), 1, length, length).masked_fill(~seen[:, None], torch.finfo(torch.float32).min)
    device = encoder.device
    ids, of = ids.to(device), of.to(device)
    return {
        "inputs_embeds": encoder.embeddings.word_embeddings(ids) + speakers[of] * (of > 0)[:, :, None],
        "position_ids": positions.to(device),
        "token_type_ids": types.to(device),
        "attention_mask": mask.to(device),
    }


def bundled_base() -> str:
    """Hub id of the encoder that the bundled adapter is for."""
    return _description().base


def may_be_its_base(config: Any) -> bool:
    """Whether a configuration is that of the encoder that the bundled adapter is for."""
    own = config.to_dict()
    return all(own.get(key) == value for key, value in _description().shape.items())


def _bundled() -> Path:
    return Path(str(resources.files("diasum") / "assets" / "judge"))


@cache
def _description() -> Description:
    return Description.read(_bundled())
