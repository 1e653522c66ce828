"""The affine GEMV kernels' launches: five steps of a ladder, and one for several rows of x."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.quantized import weights
from kernels.quantized.affine import arrays
from kernels.quantized.affine.format import Affine
from kernels.quantized.affine.packing import pack_of

# SIMD-groups a threadgroup. They share nothing here.
SIMDGROUPS = 8
# Rows of w that a SIMD-group takes in the last step and in `batched`.
ROWS = 4
# The most rows of x in `batched`: each is four sums in registers of every lane.
BATCH = 16


def _launch(name: str, x: mx.array, w: Affine, own: int = 1, **constants: int) -> mx.array:
    """Runs ``affine/<name>.metal`` with a SIMD-group for every ``own`` rows of w."""
    batched = "M" in constants
    weights.of_format(w, Affine)
    m, n, _ = weights.rows(x, w, BATCH if batched else 1)
    shape = (*x.shape[:-1], n)
    if m == 0:
        return mx.zeros(shape, dtype=x.dtype)
    given, result = ("X", "Y") if batched else ("x", "y")
    path, header = f"quantized/affine/{name}.metal", "quantized/affine/codes.metal"
    kernel = source.load(path, (given, *arrays.NAMES), (result,), header)
    (y,) = kernel(
        inputs=[x, *arrays.inputs(w)],
        template=[("T", x.dtype), *arrays.template(w), ("SIMDGROUPS", SIMDGROUPS), *constants.items()],
        grid=(32 * -(-n // own), 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def group_a_lane(x: mx.array, w: Affine) -> mx.array:
    """``y = W · x``, one group a lane, a code at a time: the first step of the ladder.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [N] or [1, N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not an ``Affine``.
        ValueError: x's rank, dtype or K does not fit, or it has more than one row.
    """
    return _launch("group_a_lane", x, w)


def side_by_side(x: mx.array, w: Affine) -> mx.array:
    """``y = W · x``, the fewest codes that end with a byte a lane, a byte a load. Otherwise as
    ``group_a_lane``."""
    weights.of_format(w, Affine)
    codes, size = pack_of(w.bits)
    return _launch("side_by_side", x, w, CODES=codes, PACK=size)


def words(x: mx.array, w: Affine) -> mx.array:
    """``y = W · x``, four or eight codes a lane in one load. Otherwise as ``group_a_lane``."""
    return _launch("words", x, w)


def factored(x: mx.array, w: Affine) -> mx.array:
    """``y = W · x`` with scale, bias and the shifts out of the inner loop. Otherwise as ``group_a_lane``, but
    for an infinity in x: it meets codes and the bias apart, so that outputs which should be infinite are
    NaN."""
    return _launch("factored", x, w)


def rows(x: mx.array, w: Affine) -> mx.array:
    """``y = W · x``, four outputs a SIMD-group, which share x and its sum. Otherwise as ``factored``."""
    return _launch("rows", x, w, ROWS, ROWS=ROWS)


gemv = rows
"""The last step of the ladder."""


def batched(x: mx.array, w: Affine) -> mx.array:
    """``Y = X · Wᵀ`` for up to 16 rows of X, each code loaded once.

    Args:
        x: [M, K] with M ≤ 16, or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not an ``Affine``.
        ValueError: x's rank, dtype or K does not fit, or M is over 16.
    """
    weights.of_format(w, Affine)
    m, _, _ = weights.rows(x, w, BATCH)
    return _launch("batched", x, w, ROWS, M=m, ROWS=ROWS)
