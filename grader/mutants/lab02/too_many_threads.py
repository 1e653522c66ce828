"""A threadgroup of 2,048 threads."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab02 import _right

CAUSE = "launch-error"

_kernel = mx.fast.metal_kernel(
    name="crowded", input_names=["x", "w"], output_names=["y"], source=_right.SOURCE
)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    (y,) = _kernel(
        inputs=[x, w],
        template=[("T", x.dtype)],
        grid=(w.shape[1], x.shape[0], 2048),
        threadgroup=(1, 1, 2048),
        output_shapes=[(x.shape[0], w.shape[1])],
        output_dtypes=[x.dtype],
    )
    return y
