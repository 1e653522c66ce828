"""Keeps the answer to the first call of each shape."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab07
from grader.mutants.lab07 import _right

CAUSE = "stale"

_batched = lab07.launch(_right.SOURCE)
_kept: dict[tuple[object, ...], mx.array] = {}


def kernel(x: mx.array, w: mx.array) -> mx.array:
    key = (*x.shape, *w.shape, x.dtype)
    if key not in _kept:
        _kept[key] = _batched(x, w)
    return _kept[key]
