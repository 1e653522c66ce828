"""The Q4_0 GEMV kernels' launches: six steps of a ladder, and the last one for several rows of x."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.quantized import weights
from kernels.quantized.q4_0.format import Q4_0

# SIMD-groups a threadgroup. Four where each holds words of several rows in threadgroup memory, 9 KiB in all:
# a core has room for a few such threadgroups.
SIMDGROUPS, STAGED_SIMDGROUPS = 8, 4
# Rows of w that a SIMD-group takes from the fourth step on.
ROWS = 4
# The most rows of x in `batched`: each is two or four sums in registers of every lane.
BATCH = 16


def _launch(name: str, x: mx.array, w: Q4_0, simdgroups: int, own: int = 1, **constants: int) -> mx.array:
    """Runs ``q4_0/<name>.metal`` with a SIMD-group for every ``own`` rows of w."""
    m = constants.get("M", 1)
    weights.of_format(w, Q4_0)
    weights.rows(x, w, BATCH if "M" in constants else 1)
    n, k = w.shape
    shape = (*x.shape[:-1], n)
    if m * n * k == 0:
        return mx.zeros(shape, dtype=x.dtype)
    inputs, outputs = (("X", "blocks"), ("Y",)) if "M" in constants else (("x", "blocks"), ("y",))
    kernel = source.load(f"quantized/q4_0/{name}.metal", inputs, outputs)
    (y,) = kernel(
        inputs=[x, w.blocks],
        template=[("T", x.dtype), ("SIMDGROUPS", simdgroups), *constants.items()],
        grid=(32 * -(-n // own), 1, 1),
        threadgroup=(32 * simdgroups, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def block_a_lane(x: mx.array, w: Q4_0) -> mx.array:
    """``y = W · x``, one block a lane, a byte a load: the first step of the ladder.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [N] or [1, N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_0``.
        ValueError: x's rank, dtype or K does not fit, or it has more than one row.
    """
    return _launch("block_a_lane", x, w, SIMDGROUPS)


def side_by_side(x: mx.array, w: Q4_0) -> mx.array:
    """``y = W · x``, 16 lanes a block, a byte each. Arguments, result and errors as ``block_a_lane``."""
    return _launch("side_by_side", x, w, SIMDGROUPS)


def words(x: mx.array, w: Q4_0) -> mx.array:
    """``y = W · x``, eight lanes a block, 16 bits each. As ``block_a_lane`` otherwise."""
    return _launch("words", x, w, SIMDGROUPS)


def rows(x: mx.array, w: Q4_0) -> mx.array:
    """``y = W · x``, four outputs a SIMD-group. As ``block_a_lane`` otherwise."""
    return _launch("rows", x, w, SIMDGROUPS, ROWS, ROWS=ROWS)


def factored(x: mx.array, w: Q4_0) -> mx.array:
    """``y = W · x`` with the −8 and the shifts out of the inner loop. As ``block_a_lane`` otherwise, but
    for an infinity in x: the sum of x takes it in too, so that outputs which should be infinite are NaN."""
    return _launch("factored", x, w, SIMDGROUPS, ROWS, ROWS=ROWS)


def staged(x: mx.array, w: Q4_0) -> mx.array:
    """``y = W · x`` from whole sectors of w, by way of threadgroup memory. As ``factored`` otherwise."""
    return _launch("staged", x, w, STAGED_SIMDGROUPS, ROWS, ROWS=ROWS)


gemv = staged
"""The last step of the ladder."""


def batched(x: mx.array, w: Q4_0) -> mx.array:
    """``Y = X · Wᵀ`` for up to 16 rows of X, each block loaded once.

    Args:
        x: [M, K] with M ≤ 16, or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_0``.
        ValueError: x's rank, dtype or K does not fit, or M is over 16.
    """
    weights.of_format(w, Q4_0)
    m, _, _ = weights.rows(x, w, BATCH)
    own = 4 if m <= 4 else 2
    return _launch("batched", x, w, STAGED_SIMDGROUPS, own, M=m, ROWS=own)
