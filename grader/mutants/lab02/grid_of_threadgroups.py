"""Takes `grid` for a number of threadgroups."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab02 import _right

CAUSE = "grid-too-small"

_kernel = mx.fast.metal_kernel(
    name="small_grid", input_names=["x", "w"], output_names=["y"], source=_right.SOURCE
)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    rows, columns = x.shape[0], w.shape[1]
    (y,) = _kernel(
        inputs=[x, w],
        template=[("T", x.dtype)],
        grid=(-(-columns // 16), -(-rows // 16), 1),
        threadgroup=(16, 16, 1),
        output_shapes=[(rows, columns)],
        output_dtypes=[x.dtype],
    )
    return y
