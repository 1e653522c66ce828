"""The memory that ``trace.c`` writes to, as it lays it out."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np

LIMIT = 64 << 20  # bytes
HEAD = 16
u32, u64 = ctypes.c_uint32, ctypes.c_uint64


class _Trace(ctypes.Structure):
    _fields_ = (
        ("group", u32 * 3),
        ("simdgroup", u32),
        ("steps", u32),
        ("step_limit", u32),
        ("used", u64),
        ("limit", u64),
        ("data", ctypes.c_void_p),
        ("full", u32),
    )


class State:
    """Room for the records of one SIMD-group."""

    def __init__(self, threadgroup: tuple[int, int, int], simdgroup: int, max_steps: int) -> None:
        self._data = np.empty(LIMIT, np.uint8)
        self._trace = _Trace(
            (u32 * 3)(*threadgroup), simdgroup, 0, max_steps, 0, LIMIT, self._data.ctypes.data, 0
        )

    @property
    def address(self) -> int:
        return ctypes.addressof(self._trace)

    @property
    def complete(self) -> bool:
        return not self._trace.full

    def records(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, number, mask and data of each record."""
        at = 0
        while at < self._trace.used:
            kind, number, mask, size = (int(n) for n in self._data[at : at + HEAD].view(np.uint32))
            at += HEAD
            yield kind, number, mask, self._data[at : at + size].tobytes()
            at += size
