"""Returns [N, M]."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab02
from grader.mutants.lab02 import _right

CAUSE = "wrong-shape"

_matmul = lab02.launch(_right.SOURCE)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return _matmul(x, w).T
