"""Attention of one step of beam search, compiled: `native/beams.cpp`, in the library of `compiling.py`.

In: queries of all beams, and caches of keys and values on the CPU. Out: mixed values. Torch's products of many small matrices take three
times as long, and cannot leave out what is behind a source's end.
"""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from diasum.model.fast.compiled import CompiledKernels, address, expect, threads

_P, _N, _I, _F = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
_SIGNATURES = {
    "attend_sources": (_P, _N, _P, _P, _N, _N, _P, _N, _N, _N, _N, _F, _P, _I),
    "attend_written": (_P, _P, _P, _N, _N, _P, _N, _P, _P, _N, _N, _N, _N, _N, _F, _P, _I),
}


class BeamAttention:
    """The two functions of a compiled library.

    Args:
        kernels: that the library belongs to; rows and caches are of their type.
    """

    def __init__(self, kernels: CompiledKernels) -> None:
        self._kernels, self._library = kernels, kernels.library
        for name, types in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = types, None

    def sources(self, q: Tensor, keys: Tensor, values: Tensor, lengths: Tensor, scale: float) -> Tensor:
        """Attention of all beams to the tokens of their sources.

        Args:
            q: (slots * beams, heads * size).
            keys: (at least slots, heads, room, size).
            values: like `keys`.
            lengths: of the slots' sources, (slots,) int64, each at least 1 and at most the room.
            scale: of the scores.

        Returns:
            (slots * beams, heads * size).
        """
        q, keys, values = self._kernels.rows(q), *self._caches(keys, values)
        slots, (_, heads, room, size) = len(lengths), keys.shape
        beams = len(q) // max(1, slots)
        expect(slots * beams, heads * size, of=q)
        if slots > len(keys) or (slots and not 1 <= int(lengths.min()) <= int(lengths.max()) <= room):
            raise TypeError(f"room for {len(keys)} slots of {room} tokens, and lengths of {lengths.tolist()}")
        out = q.new_empty(q.shape)
        self._library.attend_sources(
            address(q), q.stride(0), address(keys), address(values), keys.stride(0), keys.stride(1), address(_whole(lengths)),
            slots, heads, beams, size, scale, address(out), threads(),
        )  # fmt: skip
        return out

    def written(
        self,
        qkv: Tensor,
        keys: Tensor,
        values: Tensor,
        ancestors: Tensor,
        positions: Tensor,
        by_distance: Tensor | None,
        scale: float,
    ) -> Tensor:
        """Attention of all beams to the tokens that they follow and to this step's own, which are put into the caches first.

        Args:
            qkv: queries, keys and values of this step side by side, (slots * beams, 3 * heads * size).
            keys: (at least slots, heads, room, beams, size).
            values: like `keys`.
            ancestors: whose token a beam follows at each step, (at least slots, beams, room) int64; its own at its slot's position.
            positions: where the slots stand, (slots,) int64, below the room.
            by_distance: added to the score of a token so far before, (heads, at least as many as the greatest position and 1).
            scale: of the scores.

        Returns:
            (slots * beams, heads * size).
        """
        qkv, keys, values = self._kernels.rows(qkv).contiguous(), *self._caches(keys, values)
        slots, (_, heads, room, beams, size) = len(positions), keys.shape
        expect(slots * beams, 3 * heads * size, of=qkv)
        expect(len(ancestors), beams, room, of=ancestors)
        last = int(positions.max()) if slots else 0
        reach = room if by_distance is None else min(room, by_distance.shape[1])
        if slots > min(len(keys), len(ancestors)) or last >= reach:
            raise TypeError(f"no room for {slots} slots at step {last}")
        out = qkv.new_empty(slots * beams, heads * size)
        bias = (0, 0) if by_distance is None else (address(self._kernels.rows(by_distance)), by_distance.stride(0))
        self._library.attend_written(
            address(qkv), address(keys), address(values), keys.stride(0), keys.stride(1), address(_whole(ancestors)), room,
            address(_whole(positions)), *bias, slots, heads, beams, size, scale, address(out), threads(),
        )  # fmt: skip
        return out

    def _caches(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        expect(*keys.shape, of=values)
        for cache in (keys, values):
            if not self._kernels.rows(cache, copy=False).is_contiguous():
                raise TypeError("caches must be in one piece")
        return keys, values


def _whole(numbers: Tensor) -> Tensor:
    if numbers.dtype != torch.int64 or not numbers.is_contiguous():
        raise TypeError(f"expected int64 in one piece, found {numbers.dtype}")
    return numbers
