"""Keeps the answer to the first call of each shape."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab06
from grader.mutants.lab06 import _right

CAUSE = "stale"

_wide = lab06.launch(_right.SOURCE)
_kept: dict[tuple[object, ...], mx.array] = {}


def kernel(x: mx.array, w: mx.array) -> mx.array:
    key = (*w.shape, x.dtype)
    if key not in _kept:
        _kept[key] = _wide(x, w)
    return _kept[key]
