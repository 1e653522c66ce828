"""Right, in two launches: the weights are unpacked into device memory, and a GEMM reads them from there."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from grader.labs import lab09
from grader.mutants.lab09._right import SOURCE

CAUSE = "over-budget"

_unpack: Any = mx.fast.metal_kernel(
    name="lab12_unpack",
    input_names=["blocks"],
    output_names=["W"],
    source="""
    uint n = thread_position_in_grid.x, b = thread_position_in_grid.y;
    uint N = blocks_shape[0], B = blocks_shape[1];
    device const uchar* block = blocks + (n * B + b) * 18;
    float d = float(*(device const half*)block);
    for (uint j = 0; j < 16; j++) {
        uint codes = block[2 + j];
        W[(b * 32 + j) * N + n] = d * (float(codes & 15) - 8);
        W[(b * 32 + j + 16) * N + n] = d * (float(codes >> 4) - 8);
    }
    """,
)
_multiply = lab09.launch(SOURCE)


def kernel(x: mx.array, blocks: mx.array) -> mx.array:
    rows, count, _ = blocks.shape
    (w,) = _unpack(
        inputs=[blocks],
        grid=(rows, count, 1),
        threadgroup=(1, 1, 1),
        output_shapes=[(count * 32, rows)],
        output_dtypes=[mx.float32],
    )
    return _multiply(x.astype(mx.float32), w).astype(x.dtype)
