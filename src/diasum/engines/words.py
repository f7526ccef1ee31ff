"""Which tokens continue a word, and whether one that repeats only finishes a word as an earlier one was.

Model cards show this code to those who generate without diasum, so that it needs nothing else.
"""

from __future__ import annotations

from typing import Any


def inside_words(tokenizer: Any) -> list[bool]:
    """For each token, whether it continues a word; all False where the vocabulary does not mark the beginnings of words."""
    begins = ("\u2581", "\u0120")  # of SentencePiece and of byte-level BPE
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))]
    if not any(token.startswith(begins) for token in tokens):
        return [False] * len(tokens)
    special = set(tokenizer.all_special_tokens)
    return [token not in special and not token.startswith(begins) and token.isalnum() for token in tokens]


class BegunWords:
    """Tells which repetitions finish a begun word as an earlier one was, given `inside_words` of the tokenizer."""

    def __init__(self, inside: list[bool]) -> None:
        self.inside = inside

    def may_repeat(self, ids: list[int], token: int) -> bool:
        """Whether a token that would repeat an n-gram finishes the word begun at the end of `ids` as an earlier one was."""
        if not self._continues(token):
            return False
        # A word that grows by repeating itself did not occur before.
        begin = len(ids) - 1
        while begin > 0 and self._continues(ids[begin]):
            begin -= 1
        word = [*ids[begin:], token]
        return any(ids[k : k + len(word)] == word for k in range(begin - len(word) + 1))

    def _continues(self, token: int) -> bool:
        return token < len(self.inside) and self.inside[token]  # a model may have more tokens than its tokenizer
