"""The book's own kernel computes the sums."""

from __future__ import annotations

import mlx.core as mx

from kernels import reduction

CAUSE = "reference-called"


def kernel(x: mx.array) -> mx.array:
    return reduction.threadgroup(x)
