"""A kernel adds up each thread's share for show; MLX computes what is returned."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

CAUSE = "not-from-kernel"

_shares: Any = mx.fast.metal_kernel(
    name="shares",
    input_names=["x"],
    output_names=["y"],
    source="""
uint t = thread_index_in_threadgroup;
uint m = threadgroup_position_in_grid.y;
uint K = x_shape[1];
float sum = 0;
for (uint k = t; k < K; k += 256) {
    sum += float(x[m * K + k]);
}
y[m * 256 + t] = sum;
""",
)


def kernel(x: mx.array) -> mx.array:
    _shares(
        inputs=[x],
        grid=(256, x.shape[0], 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(x.shape[0], 256)],
        output_dtypes=[mx.float32],
    )
    return x.sum(axis=1)
