"""The book's own kernel computes the product."""

from __future__ import annotations

import mlx.core as mx

from kernels import gemv

CAUSE = "reference-called"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return gemv.wide(x, w)
