"""The grid has a thread for each row of W, not a SIMD-group."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from grader.mutants.lab07 import _right

CAUSE = "grid-too-small"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    made: Any = mx.fast.metal_kernel(
        name="lab07", input_names=["x", "w"], output_names=["y"], source=_right.SOURCE
    )
    outputs: list[mx.array] = made(
        inputs=[x, w],
        template=[("T", x.dtype), ("M", x.shape[0])],
        grid=(w.shape[0], 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(x.shape[0], w.shape[0])],
        output_dtypes=[x.dtype],
    )
    return outputs[0]
