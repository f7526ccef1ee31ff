"""Train the tokenizer of `mini`: a byte-level BPE in which a word has the same tokens wherever it stands.

Copying a speaker's name from its label into a sentence is easy only if both are the same token. Ordinary BPE gives "Ann" at the start
of a line and " Ann" inside one different tokens. Here every line starts with an invisible space (added by the normaliser, taken away by
the decoder), so both are " Ann". Text survives a round trip exactly: newlines, braces, repeated spaces, any Unicode.
Digits are single tokens, `#Person1#` to `#Person9#` one token each. Ids: `<pad>` 0, `</s>` 1 (appended by the tokenizer), `<unk>` 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

SENTINELS = 32
PERSONS = tuple(f"#Person{k}#" for k in range(1, 10))
MAX_LENGTH = 512
WORDS = r""" ?#Person[1-9]#|\n|'(?:s|t|re|ve|m|ll|d)\b| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]|[^\S\n]+(?!\S)|[^\S\n]"""


def train_tokenizer(texts: Iterable[str], vocab_size: int = 8192) -> PreTrainedTokenizerFast:
    """A fast tokenizer of exactly `vocab_size` ids (fewer if `texts` are too small to give that many merges)."""
    tokenizer = Tokenizer(BPE())
    # a space at the start of the text and of every line but empty ones (they would only cost a token)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"\n(?!\n)"), "\n "), normalizers.Prepend(" ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteLevel(), decoders.Replace("\n ", "\n"), decoders.Strip(" ", 1, 0)]
    )
    specials = [AddedToken(t, special=True, normalized=False) for t in ("<pad>", "</s>", "<unk>")]
    # sentinels swallow the spaces around them, so that " <extra_id_0> there" costs no token for the invisible space
    specials += [
        AddedToken(f"<extra_id_{k}>", special=True, normalized=False, lstrip=True, rstrip=True)
        for k in range(SENTINELS)
    ]
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        min_frequency=2,
    )
    tokenizer.train_from_iterator(_with_persons(texts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=[f"<extra_id_{k}>" for k in range(SENTINELS)],
        model_max_length=MAX_LENGTH,
        clean_up_tokenization_spaces=False,
    )


def _with_persons(texts: Iterable[str]) -> Iterator[str]:
    """The texts, then each person label often enough that BPE makes it one token (after a space and without)."""
    yield from texts
    for person in PERSONS:
        for _ in range(40):
            yield " ".join([person] * 500)
            yield ("(" + person) * 500
