"""Hands the batched GEMV the first 16 rows and forgets those after them."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "wrong-shape"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return _right.STRATEGIES["batched"](x[:16], w)
