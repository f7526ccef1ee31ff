"""Tiny tokenizers built offline with the traits of the two families: what T5's loses, and what BART's adds."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXT = [
    "#Person1#: Good morning, Doctor. I have had a headache since Monday.",
    "#Person2#: Have you taken anything for it? Does it hurt when you read or work?",
    "#Person1#: No, I haven't. It is worse at 9:30 in the evening.",
    "Anna: Could you send me the report | the one we talked about / not the old one?",
    "Ben: Sure! I'll send it before lunch; is there anything else (a table, a plot)?",
    "Summarize the following conversation.\n\nDialogue:\n\nSummary:",
    "#Person1# tells #Person2# about a headache and will come back next week.",
    "Anna asks Ben to send her the report, and Ben agrees to do so before lunch.",
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,:;!?-'\"#|/()",
]


def _pieces(size: int) -> list[tuple[str, float]]:
    """A Unigram vocabulary with log-probabilities: special tokens, all characters, the most frequent words and beginnings of words.

    Counted, not trained: `UnigramTrainer` gives another vocabulary in every process, and each test would have another base.
    """
    words = Counter("▁" + word for line in TEXT for word in line.split())
    parts = Counter({word[:end]: n for word, n in words.items() for end in range(3, len(word) + 1)})
    characters = sorted({character for word in words for character in word})
    ranked = sorted(parts, key=lambda part: (-parts[part], part))
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    rest = ranked[: size - len(special) - len(characters)]
    return [*special, *((part, -5.0) for part in rest), *((character, -8.0) for character in characters)]


@lru_cache(maxsize=1)
def _t5() -> Tokenizer:
    # As transformers' T5Tokenizer: white space of any kind separates words and is given back as one space.
    tokenizer = Tokenizer(models.Unigram(_pieces(320), unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


@lru_cache(maxsize=1)
def _bart() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT * 4, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def tiny_t5_tokenizer() -> PreTrainedTokenizerFast:
    """Unigram, pad 0, eos 1, unk 2; drops line breaks; has no `{`; appends eos."""
    return PreTrainedTokenizerFast(
        tokenizer_object=_t5(), pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )


def tiny_bart_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE, bos 0, pad 1, eos 2; loses nothing; wraps in bos and eos."""
    return PreTrainedTokenizerFast(
        tokenizer_object=_bart(),
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=1024,
    )
