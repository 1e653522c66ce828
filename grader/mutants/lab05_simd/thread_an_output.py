"""Launches a thread an output, where each needs a SIMD-group."""

from __future__ import annotations

import mlx.core as mx

CAUSE = "grid-too-small"

_kernel = mx.fast.metal_kernel(
    name="thread_an_output",
    input_names=["x", "w"],
    output_names=["y"],
    source="""
        uint lane = thread_index_in_simdgroup;
        uint n = thread_position_in_grid.x / 32;
        uint K = w_shape[1];
        float sum = 0;
        for (uint k = lane; k < K; k += 32) {
            sum += float(w[n * K + k]) * float(x[k]);
        }
        sum = simd_sum(sum);
        if (lane == 0) {
            y[n] = T(sum);
        }
    """,
)


def kernel(x: mx.array, w: mx.array) -> mx.array:
    n = w.shape[0]
    (y,) = _kernel(
        inputs=[x, w],
        template=[("T", x.dtype)],
        grid=(n, 1, 1),
        threadgroup=(32, 1, 1),
        output_shapes=[(n,)],
        output_dtypes=[x.dtype],
    )
    return y
