"""Returns what the kernel made of the call before, where that had the same shape."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab02
from grader.mutants.lab02 import _right

CAUSE = "stale"

_matmul = lab02.launch(_right.SOURCE)
_last: dict[tuple[object, ...], mx.array] = {}


def kernel(x: mx.array, w: mx.array) -> mx.array:
    y = _matmul(x, w)
    key = (*y.shape, y.dtype)
    before = _last.get(key, y)
    _last[key] = y
    return before
