"""The book's own dispatcher chooses."""

from __future__ import annotations

import mlx.core as mx

import kernels

CAUSE = "reference-called"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return kernels.matmul(x, w)
