"""A kernel for small shapes; MLX computes the others while the kernel runs for show."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab02
from grader.mutants.lab02 import _right

CAUSE = "not-from-kernel"

_matmul = lab02.launch(_right.SOURCE)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    y = _matmul(x, w)
    return y if y.size < 300 else x @ w
