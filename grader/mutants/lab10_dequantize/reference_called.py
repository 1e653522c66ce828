"""The book's own kernel."""

from __future__ import annotations

import mlx.core as mx

from kernels.quantized import q4_0

CAUSE = "reference-called"


def kernel(blocks: mx.array, dtype: mx.Dtype) -> mx.array:
    return q4_0.dequantize(q4_0.Q4_0(blocks), dtype)
