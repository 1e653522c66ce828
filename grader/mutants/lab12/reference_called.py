"""The book's own kernel computes the product."""

from __future__ import annotations

import mlx.core as mx

from kernels.quantized import q4_0

CAUSE = "reference-called"


def kernel(x: mx.array, blocks: mx.array) -> mx.array:
    return q4_0.gemm(x, q4_0.Q4_0(blocks))
