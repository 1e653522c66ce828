"""The grid is (N, M), not whole threadgroups: at the edges, threads that should load are not there."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from grader.labs.lab08 import BK, BM, BN
from grader.mutants.lab08._right import SOURCE

CAUSE = "uninitialised"

_kernel: Any = mx.fast.metal_kernel(
    name="lab08_ragged_grid", input_names=["X", "W"], output_names=["Y"], source=SOURCE
)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    shape = (x.shape[0], w.shape[1])
    outputs: list[mx.array] = _kernel(
        inputs=[x, w],
        template=[("T", x.dtype), ("BM", BM), ("BN", BN), ("BK", BK)],
        grid=(shape[1], shape[0], 1),
        threadgroup=(BN, BM, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return outputs[0]
