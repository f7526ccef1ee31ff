"""Batches for a pass over texts without training (summarising, scoring, encoding), and padding for these and for training.

In: token ids and their lengths. Out: batches within a budget of padded tokens, and padded tensors. `stream_batches` takes a
stream, and one item more of it than the batch holds; `longest_first_batches` sorts a list before. A queue, which must not wait until a
batch is full, asks an `OpenBatch` itself. (What trains makes its batches anew each epoch: `diasum.data.buckets`, `diasum.data.packing`.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:  # whoever only plans batches need not wait for it
    from torch import Tensor

Item = TypeVar("Item")
IGNORED = -100  # the label that torch's cross entropy leaves out


class Size(NamedTuple):
    """The space that one item takes up in a batch.

    Attributes:
        tokens: of the item, without padding.
        target_tokens: of its longest target, where those have a budget of their own.
        rows: of the batch; more than one where a source has several targets, none where it has no target.
    """

    tokens: int
    target_tokens: int = 0
    rows: int = 1


class Budget(NamedTuple):
    """The most that a batch may hold. An item that alone holds more is a batch by itself.

    Attributes:
        tokens: padding counted: rows times the longest item's.
        target_tokens: the same of targets; None for any number.
        rows: None for any number.
    """

    tokens: int
    target_tokens: int | None = None
    rows: int | None = None


class OpenBatch(Generic[Item]):
    """A batch that is being filled.

    Args:
        budget: what it may hold.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.items: list[Item] = []
        self._taken = Size(0, 0, 0)

    def fits(self, size: Size) -> bool:
        """Whether an item may be added; into an empty batch any may."""
        if not self.items:
            return True
        after, most = self._with(size), self.budget
        return (
            after.rows * after.tokens <= most.tokens
            and (most.target_tokens is None or after.rows * after.target_tokens <= most.target_tokens)
            and (most.rows is None or after.rows <= most.rows)
        )

    def add(self, item: Item, size: Size) -> None:
        """Add an item, whether or not it fits."""
        self.items.append(item)
        self._taken = self._with(size)

    def _with(self, size: Size) -> Size:
        taken = self._taken
        return Size(
            max(taken.tokens, size.tokens), max(taken.target_tokens, size.target_tokens), taken.rows + size.rows
        )


def stream_batches(items: Iterable[tuple[Item, Size]], budget: Budget) -> Iterator[list[Item]]:
    """Batches of a stream, in its order: each ends where the next item would not fit."""
    batch: OpenBatch[Item] = OpenBatch(budget)
    for item, size in items:
        if not batch.fits(size):
            yield batch.items
            batch = OpenBatch(budget)
        batch.add(item, size)
    if batch.items:
        yield batch.items


def longest_first_batches(sizes: Sequence[Size], budget: Budget) -> Iterator[list[int]]:
    """Batches of a list, as indices, longest first (so that memory peaks at once); what has no rows is left out."""
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i].tokens)
    return stream_batches(((i, sizes[i]) for i in order if sizes[i].rows), budget)


def padded(rows: Sequence[Sequence[int]], value: int, *, multiple: int = 1) -> Tensor:
    """Rows of token ids as one tensor.

    Args:
        rows: one or more.
        value: what stands behind a row's end.
        multiple: the width is rounded up to a multiple of this.

    Returns:
        (rows, width) int64.
    """
    import torch

    width = -(-max(len(row) for row in rows) // multiple) * multiple
    table = torch.full((len(rows), width), value, dtype=torch.long)
    for i, row in enumerate(rows):
        table[i, : len(row)] = torch.as_tensor(row, dtype=torch.long)
    return table


def padded_sources(rows: Sequence[Sequence[int]], pad_token_id: int, *, multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Sources as a model takes them: `padded` ids, and a mask of the same shape that is 1 where they are real."""
    import torch

    ids = padded(rows, pad_token_id, multiple=multiple)
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(ids.shape[1]) < lengths[:, None]).long()


def shifted_right(labels: Tensor, *, decoder_start_token_id: int, pad_token_id: int) -> Tensor:
    """What the decoder reads while it writes `labels`: the start token, then the labels but the last, padding where they are ignored.

    T5 and BART compute the same from labels themselves (``shift_tokens_right``).
    """
    import torch

    shifted = torch.empty_like(labels)
    shifted[:, 0] = decoder_start_token_id
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill_(shifted == IGNORED, pad_token_id)


@dataclass(frozen=True, slots=True)
class Seq2SeqCollator:
    """Pads features to tensors and shifts the labels right for the decoder.

    Given explicitly, `decoder_input_ids` also serve label smoothing and models wrapped by others.

    Attributes:
        pad_token_id: of the tokenizer.
        decoder_start_token_id: of the model's configuration (T5: pad; BART: eos).
        pad_to_multiple_of: lengths are padded to a multiple of this; fewer distinct shapes, faster kernels.
    """

    pad_token_id: int
    decoder_start_token_id: int
    pad_to_multiple_of: int = 8

    def __call__(self, features: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, Tensor]:
        """Collate features with `input_ids` and, for training, `labels`.

        Returns:
            `input_ids` and `attention_mask` (batch, source); with labels also `labels` (padded with `IGNORED`) and
            `decoder_input_ids` (batch, target). All int64.
        """
        multiple = self.pad_to_multiple_of
        ids, mask = padded_sources([feature["input_ids"] for feature in features], self.pad_token_id, multiple=multiple)
        batch = {"input_ids": ids, "attention_mask": mask}
        if "labels" in features[0]:
            labels = padded([feature["labels"] for feature in features], IGNORED, multiple=multiple)
            batch["labels"] = labels
            batch["decoder_input_ids"] = shifted_right(
                labels, decoder_start_token_id=self.decoder_start_token_id, pad_token_id=self.pad_token_id
            )
        return batch
