"""Returns the float32 sum whatever the inputs are."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab02 import _right

CAUSE = "wrong-dtype"

_kernel = mx.fast.metal_kernel(
    name="wide",
    input_names=["x", "w"],
    output_names=["y"],
    source=_right.SOURCE.replace("T(sum)", "sum"),
)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    (y,) = _kernel(
        inputs=[x, w],
        grid=(w.shape[1], x.shape[0], 1),
        threadgroup=(16, 16, 1),
        output_shapes=[(x.shape[0], w.shape[1])],
        output_dtypes=[mx.float32],
    )
    return y
