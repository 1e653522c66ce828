"""The grid is 8 threads an output, not whole threadgroups: in the last one, threads that should load are
missing."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from grader.labs.lab06 import ROWS, TILE
from grader.mutants.lab06._right import SOURCE

CAUSE = "uninitialised"

_kernel: Any = mx.fast.metal_kernel(
    name="lab06_ragged_grid", input_names=["x", "w"], output_names=["y"], source=SOURCE
)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    n = w.shape[0]
    outputs: list[mx.array] = _kernel(
        inputs=[x, w],
        template=[("T", x.dtype), ("TILE", TILE), ("ROWS", ROWS)],
        grid=(8 * n, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(n,)],
        output_dtypes=[x.dtype],
    )
    return outputs[0]
