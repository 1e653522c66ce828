"""MLX's ``gemv_wide``, a batched GEMV, launched as MLX launches it.

The plan follows ``gemv_wide_config`` in mlx/backend/metal/matmul.cpp
(https://github.com/ml-explore/mlx/blob/main/mlx/backend/metal/matmul.cpp). MLX takes this kernel on GPUs from
the M3 on, and the GEMM for every shape and dtype that has no plan here.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

from kernels import arguments
from kernels.shipped.wheel import Output, library, type_of

VECTORS = 5
"""The most rows of x that a threadgroup takes at once."""
PASSES = 3
"""The most times that MLX goes over the weights; a fourth pass would be slower than its GEMM."""


@dataclass(frozen=True)
class Plan:
    """How the rows of x are shared out.

    vectors: rows of x that a threadgroup takes at once. lanes: how many lanes share a row of w. across:
    threadgroups side by side, one for each pass over the weights, or a single one that makes all passes.
    """

    vectors: int
    lanes: int
    across: int

    @property
    def threadgroup(self) -> tuple[int, int, int]:
        return (32, self.lanes // 8, 1)


def plan(m: int, n: int, k: int, dtype: mx.Dtype) -> Plan | None:
    """What MLX does for ``x[M, K] · w[N, K]ᵀ``, both in one piece of memory; None where it takes its GEMM."""
    passes = -(-m // VECTORS)
    if m <= 1 or n <= 1 or k % 4 or dtype not in (mx.float16, mx.bfloat16) or passes > PASSES:
        return None
    lanes = 32 if passes == 1 or n <= 64 else 16
    return Plan(-(-m // passes), lanes, 1 if n >= 65536 else passes)


def gemv_wide(x: mx.array, w: mx.array) -> mx.array:
    """``Y = X · Wᵀ`` by MLX's ``gemv_wide``: up to five rows of x for each pass over the weights. Counted as
    ``mat`` (the weights), ``in_vec`` (x) and ``out_vec``.

    Args:
        x: [M, K], float16 or bfloat16, M from 2 to 15.
        w: [N, K], the same dtype, N at least 2, K a multiple of 4: one row an output.

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit, or MLX would not take this kernel.
    """
    m, n, k = arguments.matrices(x, w, transposed=True)
    chosen = plan(m, n, k, x.dtype)
    if chosen is None:
        raise ValueError(
            f"M = {m}, N = {n}, K = {k} in {arguments.name_of(x.dtype)} is nothing for gemv_wide: it takes M "
            f"from 2 to {VECTORS * PASSES}, N of at least 2, K a multiple of 4, float16 or bfloat16."
        )
    # No batch axes, and nothing is added to the product.
    functions = library("utils.h", "gemv.h", constants=((0, False), (1, False)))
    function = functions.function(f"gemv_wide<{type_of(x.dtype)}, {chosen.vectors}, {chosen.lanes}>")
    y = Output((m, n), x.dtype)
    # Lengths, then the elements from one row to the next in w and x, then one batch of one.
    buffers = {0: w, 1: x, 3: y.memory, 4: k, 5: n, 6: m, 7: k, 8: k, 11: 1, 12: [1], 13: [0], 14: [0]}
    function(buffers, threadgroups=(chosen.across, -(-n // 4), 1), threadgroup=chosen.threadgroup)
    return y.array()
