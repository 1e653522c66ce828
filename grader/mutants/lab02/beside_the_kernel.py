"""A kernel runs for show; MLX computes what is returned."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab02
from grader.mutants.lab02 import _right

CAUSE = "not-from-kernel"

_show = lab02.launch(_right.SOURCE)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    _show(x, w)
    return x @ w
