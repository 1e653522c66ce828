"""Fills x up with rows of zeros to whole tiles, so that the square tile always fits."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "over-budget"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    rows = x.shape[0]
    padded = mx.pad(x, [(0, -rows % 32), (0, 0)])
    return _right.STRATEGIES["square"](padded, w)[:rows]
