"""Keeps the answer to the first call of each shape."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab10
from grader.mutants.lab10_dequantize import _right

CAUSE = "stale"

_dequantize = lab10.launch(_right.SOURCE)
_kept: dict[tuple[object, ...], mx.array] = {}


def kernel(blocks: mx.array, dtype: mx.Dtype) -> mx.array:
    key = (tuple(blocks.shape), dtype)
    if key not in _kept:
        _kept[key] = _dequantize(blocks, dtype)
    return _kept[key]
