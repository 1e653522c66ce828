"""Keeps the answer to the first call of each shape."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab15
from grader.mutants.lab15 import _right

CAUSE = "stale"

_nested = lab15.launch(_right.SOURCE)
_kept: dict[tuple[object, ...], mx.array] = {}


def kernel(x: mx.array, planes: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
    key = (*planes.shape, *scales.shape, x.dtype)
    if key not in _kept:
        _kept[key] = _nested(x, planes, scales, biases)
    return _kept[key]
