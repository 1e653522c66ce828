"""Small kernels that the tests of this folder look at."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np

import anymetal

ROWS, COLUMNS = 6, 100

GEMV = """
uint row = thread_position_in_grid.x / 32;
uint lane = thread_index_in_simdgroup;
float acc = 0;
for (uint k = lane; k < 100; k += 32) {
    float w = W[row * 100 + k];
    acc += w * x[k];
}
acc = simd_sum(acc);
if (lane == 0) y[row] = acc;
"""

# Reads x[100] of 100, and asks 0 < 1 in the text so that HTML has something to escape.
BROKEN = """
uint i = thread_position_in_grid.x;
threadgroup float tile[64];
tile[i % 32 * 2] = x[i + 1];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = 0 < 1 ? tile[(i + 1) % 32 * 2] : 0.0f;
"""


def gemv(rng: np.random.Generator) -> tuple[Callable[[], mx.array], np.ndarray, np.ndarray]:
    """A call of ``GEMV`` with two SIMD-groups a threadgroup, and its W and x."""
    w = rng.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    x = rng.standard_normal(COLUMNS).astype(np.float32)
    kernel = anymetal.metal_kernel("display_gemv", ["W", "x"], ["y"], GEMV)
    inputs = [mx.array(w), mx.array(x)]

    def call() -> mx.array:
        return kernel(
            inputs=inputs,
            output_shapes=[(ROWS,)],
            output_dtypes=[mx.float32],
            grid=(32 * ROWS, 1, 1),
            threadgroup=(64, 1, 1),
        )[0]

    return call, w, x


def run(
    source: str,
    inputs: dict[str, np.ndarray],
    size: int,
    *,
    grid: tuple[int, int, int] = (32, 1, 1),
    threadgroup: tuple[int, int, int] = (32, 1, 1),
    header: str = "",
    dtype: mx.Dtype = mx.float32,
) -> Callable[[], mx.array]:
    """A call of a kernel with these inputs and one output ``y`` of ``size`` elements."""
    kernel = anymetal.metal_kernel("display", list(inputs), ["y"], source, header=header)
    arrays = [mx.array(a) for a in inputs.values()]

    def call() -> mx.array:
        return kernel(
            inputs=arrays, output_shapes=[(size,)], output_dtypes=[dtype], grid=grid, threadgroup=threadgroup
        )[0]

    return call
