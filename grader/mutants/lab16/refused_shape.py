"""Takes a GEMV that refuses more than four rows, and asks it for eight."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "error"


def _few(x: mx.array, w: mx.array) -> mx.array:
    if x.shape[0] > 4:
        raise ValueError(f"x has {x.shape[0]} rows; this kernel takes at most 4.")
    return _right.STRATEGIES["batched"](x, w)


kernel = _right.matmul({**_right.STRATEGIES, "batched": _few}, lambda m, n, k, size: "batched")
