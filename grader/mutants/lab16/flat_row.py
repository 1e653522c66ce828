"""Gives the [N] of a GEMV where there is one row."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "wrong-shape"

_matmul = _right.matmul()


def kernel(x: mx.array, w: mx.array) -> mx.array:
    y = _matmul(x, w)
    return y.reshape(-1) if x.shape[0] == 1 else y
