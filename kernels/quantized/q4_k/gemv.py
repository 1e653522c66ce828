"""Q4_K's fused kernels for one row of x and for a few: a ladder of four steps, and the batched form."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.quantized import weights
from kernels.quantized.q4_k.format import Q4_K

# SIMD-groups a threadgroup. They share nothing.
SIMDGROUPS = 8
# Rows of w that a SIMD-group of `gemv` takes: their four headers of 16 bytes are 32 pieces of two.
ROWS = 4
# The most rows of x in `batched`.
BATCH = 16


def _launch(name: str, x: mx.array, w: Q4_K, rows: int, **constants: int) -> mx.array:
    """Runs ``q4_k/<name>.metal`` with a SIMD-group for each ``rows`` rows of w. M is a constant, or 1."""
    weights.of_format(w, Q4_K)
    m, n, k = weights.rows(x, w, constants.get("M", 1))
    shape = (*x.shape[:-1], n)
    if m * n * k == 0:
        return mx.zeros(shape, dtype=x.dtype)
    path = f"quantized/q4_k/{name}.metal"
    kernel = source.load(path, ("x", "blocks"), ("y",), header="gemv/four.metal")
    (y,) = kernel(
        inputs=[x, w.blocks],
        template=[("T", x.dtype), ("SIMDGROUPS", SIMDGROUPS), *constants.items()],
        grid=(32 * -(-n // rows), 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def block_a_lane(x: mx.array, w: Q4_K) -> mx.array:
    """``y = W · x``, each lane a super-block of its own, a byte at a time.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [N] or [1, N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_K``.
        ValueError: x's rank, dtype or K does not fit, or M is over 1.
    """
    return _launch("block_a_lane", x, w, 1)


def side_by_side(x: mx.array, w: Q4_K) -> mx.array:
    """``y = W · x``, 32 lanes side by side in a super-block, a byte each. Otherwise as ``block_a_lane``."""
    return _launch("side_by_side", x, w, 1)


def words(x: mx.array, w: Q4_K) -> mx.array:
    """``y = W · x``, eight weights a load, each byte asked for once. Otherwise as ``block_a_lane``.

    Scales and minimums are applied to sums. So an infinity in x, which stands in both sums, makes y NaN.
    """
    return _launch("words", x, w, 1)


def gemv(x: mx.array, w: Q4_K) -> mx.array:
    """``y = W · x``, the last step: eight weights a load, four rows a SIMD-group. Otherwise as ``words``."""
    return _launch("gemv", x, w, ROWS, ROWS=ROWS)


def batched(x: mx.array, w: Q4_K) -> mx.array:
    """``Y = X · Wᵀ`` for up to 16 rows of X, each super-block loaded and unpacked once.

    Args:
        x: [M, K] with M ≤ 16, or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_K``.
        ValueError: x's rank, dtype or K does not fit, or M is over 16.
    """
    weights.of_format(w, Q4_K)
    m, _, _ = weights.rows(x, w, BATCH)
    # Sums are registers: four rows of w while that makes no more than 16, else two.
    own = ROWS if m <= 4 else 2
    return _launch("batched", x, w, own, M=m, ROWS=own)
