"""Converts to half, for a table that was made for half."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "wrong-dtype"

_matmul = _right.matmul()


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return _matmul(x.astype(mx.float16), w.astype(mx.float16))
