"""Returns what the kernel returned: a list."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab02
from grader.mutants.lab02 import _right

CAUSE = "wrong-type"

_matmul = lab02.launch(_right.SOURCE)


def kernel(x: mx.array, w: mx.array) -> list[mx.array]:
    return [_matmul(x, w)]
