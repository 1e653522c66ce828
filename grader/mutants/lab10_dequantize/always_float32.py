"""Returns float32, whatever is asked for."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab10
from grader.mutants.lab10_dequantize import _right

CAUSE = "wrong-dtype"

_dequantize = lab10.launch(_right.SOURCE)


def kernel(blocks: mx.array, dtype: mx.Dtype) -> mx.array:
    return _dequantize(blocks, mx.float32)
