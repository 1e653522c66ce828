"""One launch for each row of X."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab07
from grader.mutants.lab07 import _right

CAUSE = "over-budget"

_batched = lab07.launch(_right.SOURCE)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return mx.concatenate([_batched(x[m : m + 1], w) for m in range(x.shape[0])])
