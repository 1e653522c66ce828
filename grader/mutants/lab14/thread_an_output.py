"""Launches a thread an output, where each needs a SIMD-group."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from grader.labs.lab14 import A_BYTE_A_LANE

CAUSE = "grid-too-small"

_kernel: Any = mx.fast.metal_kernel(
    name="thread_an_output", input_names=["x", "blocks"], output_names=["y"], source=A_BYTE_A_LANE
)


def kernel(x: mx.array, blocks: mx.array) -> mx.array:
    n = blocks.shape[0]
    (y,) = _kernel(
        inputs=[x, blocks],
        template=[("T", x.dtype)],
        grid=(n, 1, 1),
        threadgroup=(32, 1, 1),
        output_shapes=[(n,)],
        output_dtypes=[x.dtype],
    )
    return y
