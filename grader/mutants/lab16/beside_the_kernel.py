"""Launches a kernel for the sake of the grader and returns MLX's product for many rows."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "not-from-kernel"

_matmul = _right.matmul()


def kernel(x: mx.array, w: mx.array) -> mx.array:
    y = _matmul(x, w)
    return y if x.shape[0] <= 16 else (x.astype(mx.float32) @ w.astype(mx.float32).T).astype(x.dtype)
