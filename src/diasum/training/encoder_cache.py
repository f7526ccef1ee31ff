"""Encoder states, computed once and kept on disk: all that a training needs of an encoder that it does not adapt.

In: encoded sources and a base model. Out: a collator that adds `encoder_outputs` to its batches, so that the model skips its encoder.
The states stand in safetensors shards under the run's ``cache/`` folder, by a hash of their token ids; a killed run goes on with the
shards that are whole. In bf16 a source of 200 tokens takes 300 kB at a width of 768.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers.modeling_outputs import BaseModelOutput

from diasum.data.batching import Budget, Size, longest_first_batches, padded_sources
from diasum.errors import DiasumError
from diasum.files import disk_errors
from diasum.model import Base, Hardware
from diasum.progress import Bars
from diasum.training import distributed

Source = Sequence[int]
Collate = Callable[[Sequence[Mapping[str, Source]]], dict[str, Any]]
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
_SHARD_BYTES = 64 << 20
_BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What building a cache did.

    Attributes:
        sources: distinct ones.
        tokens: of all of them.
        bytes: on disk.
        dtype: ``bf16`` or ``fp32``.
        reused: sources found complete, from a run that was killed.
        seconds: taken.
    """

    sources: int
    tokens: int
    bytes: int
    dtype: str
    reused: int
    seconds: float

    def sentence(self) -> str:
        """For example ``encoder states of 500 sources cached: 45.1 MB in bf16, 12 s``."""
        reused = f" ({self.reused} were there already)" if self.reused else ""
        return f"encoder states of {self.sources} sources cached{reused}: {self.bytes / 1e6:,.1f} MB in {self.dtype}, {self.seconds:.0f} s"


class EncoderCache:
    """Encoder states of sources, found by their token ids.

    Args:
        folder: where the shards are.
        key: what the states depend on besides the tokens; shards with another key do not count.
        dtype: in which the states are handed out.
    """

    def __init__(self, folder: Path, key: str, dtype: torch.dtype) -> None:
        self.folder = folder
        self.key = key
        self.dtype = dtype
        self._where: dict[str, Any] = {}
        self._seen: set[Path] = set()
        self.scan()

    def __contains__(self, source: Source) -> bool:
        return digest(source) in self._where

    def states(self, source: Source) -> torch.Tensor:
        """(tokens, width) of one source."""
        name = digest(source)
        states: torch.Tensor = self._where[name].get_tensor(name)
        return states.to(self.dtype)

    def scan(self) -> None:
        """Find the new shards; one that is damaged or belongs to another model is deleted."""
        for file in sorted(set(self.folder.glob("states-*.safetensors")) - self._seen):
            shard = _open_whole(file, self.key)
            if shard is None:
                file.unlink(missing_ok=True)
            else:
                self._where.update(dict.fromkeys(shard.keys(), shard))
                self._seen.add(file)

    def collator(self, collate: Collate) -> Collate:
        """A collator that adds `encoder_outputs` (batch, source, width), zeros where there is padding."""

        def with_states(features: Sequence[Mapping[str, Source]]) -> dict[str, Any]:
            batch: dict[str, Any] = collate(features)
            rows = [self.states(feature["input_ids"]) for feature in features]
            padded = rows[0].new_zeros(*batch["input_ids"].shape, rows[0].shape[-1])
            for i, row in enumerate(rows):
                padded[i, : len(row)] = row
            batch["encoder_outputs"] = BaseModelOutput(last_hidden_state=padded)
            return batch

        return with_states


def build_cache(
    folder: Path, base: Base, hardware: Hardware, sources: Iterable[Source], dtype: str, console: Console
) -> tuple[EncoderCache, CacheReport]:
    """Compute what is not in the folder yet, without dropout, longest sources first; in several processes each does its share.

    Args:
        folder: a run's cache folder.
        base: the base model, whose encoder no adapter touches.
        hardware: where it runs, and in which type.
        sources: token ids with special tokens, without padding; repeated ones are computed once.
        dtype: ``bf16`` or ``fp32``, on disk.
        console: shows the progress.

    Raises:
        DiasumError: too little space on the disk, found before computing or while writing.
    """
    begin = time.perf_counter()
    key = _key(base, hardware, dtype)
    cache = EncoderCache(folder, key, hardware.torch_dtype)
    distinct = sorted({digest(s): s for s in sources}.values(), key=lambda s: (-len(s), list(s)))
    sizes = [Size(len(source)) for source in distinct]
    batches = [[distinct[i] for i in batch] for batch in longest_first_batches(sizes, Budget(_BATCH_TOKENS))]
    # A batch is computed whole or not at all, so that a resumed run gets the same states, rounding and all.
    # Process 0 decides for all, and none writes before all have looked: a late one would see, or delete, what others have just written.
    absent = distributed.on_main(
        lambda: [i for i, batch in enumerate(batches) if not all(source in cache for source in batch)]
    )
    distributed.total(0.0)
    missing = [batches[i] for i in absent]
    encoder = base.model.get_encoder()
    width = encoder.config.hidden_size * DTYPES[dtype].itemsize
    _check_space(folder, sum(len(source) for batch in missing for source in batch) * width)
    reused = len(distinct) - sum(len(batch) for batch in missing)
    rank, world = distributed.rank(), distributed.processes()
    shard: dict[str, torch.Tensor] = {}
    mine = missing[rank::world]
    with Bars(console) as bars:
        for number, batch in enumerate(mine):
            bars("encoding", number, len(mine), unit="batch")
            for source, states in zip(batch, _encode(encoder, base, hardware, batch), strict=True):
                shard[digest(source)] = states.to("cpu", DTYPES[dtype]).contiguous()
            if sum(states.nbytes for states in shard.values()) >= _SHARD_BYTES:
                _write(folder, shard, key)
                shard = {}
            bars("encoding", number + 1, len(mine), unit="batch")
    if shard:
        _write(folder, shard, key)
    distributed.total(0.0)  # wait until all have written theirs
    cache.scan()
    lost = sum(source not in cache for source in distinct)
    if lost:
        raise DiasumError(
            f"{lost} of {len(distinct)} encoder states are not in {folder} after they were computed.",
            hint="With several machines the run directory must be on a disk that all of them share.",
        )
    tokens = sum(map(len, distinct))
    return cache, CacheReport(
        len(distinct), tokens, tokens * width, dtype, reused, round(time.perf_counter() - begin, 3)
    )


def digest(source: Source) -> str:
    """The name of a source in the cache: a hash of its token ids."""
    return hashlib.blake2b(np.asarray(source, dtype=np.int64).tobytes(), digest_size=16).hexdigest()


def _key(base: Base, hardware: Hardware, dtype: str) -> str:
    """Prompt, data and truncation need no place in it: the token ids, which name each source's states, hold their effect."""
    parts = {"base": base.weights_sha256, "stored": dtype, "computed": hardware.dtype, "base_in": base.quantization}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@torch.no_grad()
def _encode(encoder: Any, base: Base, hardware: Hardware, batch: list[Source]) -> list[torch.Tensor]:
    ids, mask = padded_sources(batch, base.tokenizer.pad_token_id)
    was_training = encoder.training
    encoder.eval()
    try:
        with torch.autocast(hardware.device, hardware.torch_dtype, enabled=hardware.dtype != "fp32"):
            states = encoder(input_ids=ids.to(hardware.device), attention_mask=mask.to(hardware.device))[0]
    finally:
        encoder.train(was_training)
    return [row[: len(source)] for row, source in zip(states, batch, strict=True)]


def _write(folder: Path, shard: dict[str, torch.Tensor], key: str) -> None:
    """Beside its place, then moved there, with a checksum of its contents."""
    name = hashlib.blake2b("".join(sorted(shard)).encode(), digest_size=8).hexdigest()
    target = folder / f"states-{name}.safetensors"
    temporary = folder / f".{target.name}"
    with disk_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            save_file(shard, temporary, metadata={"key": key, "crc32": str(_checksum(shard.get, sorted(shard)))})
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def _open_whole(file: Path, key: str) -> Any:
    """The opened shard, or None where its key is another or its contents are not what was written."""
    try:
        shard: Any = safe_open(file, framework="pt")
        metadata = shard.metadata() or {}
        if metadata.get("key") != key or metadata.get("crc32") != str(
            _checksum(shard.get_tensor, sorted(shard.keys()))
        ):
            return None
    except (SafetensorError, OSError):
        return None
    return shard


def _checksum(get: Callable[[str], Any], names: Iterable[str]) -> int:
    value = 0
    for name in names:
        value = zlib.crc32(get(name).view(torch.uint8).numpy(), zlib.crc32(name.encode(), value))
    return value


def _check_space(folder: Path, needed: int) -> None:
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise DiasumError(
            f"The encoder states need {needed / 1e9:,.2f} GB in {folder}, and {free / 1e9:,.2f} GB are free there "
            f"({os.strerror(errno.ENOSPC)}).",
            hint="Free some space, choose a --run on another disk, use fewer pairs (data.max_train), or set train.frozen_encoder=false.",
        )
