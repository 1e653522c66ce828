"""A plain copy first, then the transposing one: right, and every element is stored twice."""

from __future__ import annotations

import mlx.core as mx

from grader.labs.lab04 import launch
from kernels import source

CAUSE = "over-budget"
_plain = mx.fast.metal_kernel(
    name="plain",
    input_names=["x"],
    output_names=["y"],
    source="uint i = thread_position_in_grid.x; y[i] = x[i];",
)
_tiled = launch(
    source.text("transpose/tiled.metal").replace("TILE", "16").replace("X", "x").replace("Y", "y")
)


def kernel(x):
    (copied,) = _plain(
        inputs=[x],
        grid=(x.size, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[x.shape],
        output_dtypes=[x.dtype],
    )
    return _tiled(copied)
