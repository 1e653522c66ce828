"""Launches of the kernels that give a lane a word of codes of any width, and add cut codes by their parts."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from kernels import source
from kernels.quantized import weights
from kernels.quantized.affine.format import Affine, Experts

# SIMD-groups a threadgroup. They share nothing here.
SIMDGROUPS = 8
# The most rows of x in `parts`: each is three sums in registers of every lane.
MOST = 16
_INPUTS = ("X", "W", "scales", "biases")


def parts(x: mx.array, w: Affine) -> mx.array:
    """``Y = X · Wᵀ``, a SIMD-group a row of w, a word of codes a lane, all rows of x at once.

    Args:
        x: [M, K] with M up to 16, or [K]; float32, float16 or bfloat16.
        w: weights of shape [N, K], any width and group.

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not ``Affine``.
        ValueError: x's rank, dtype, K or M does not fit.
    """
    weights.of_format(w, Affine)
    m, n, k = weights.rows(x, w, MOST)
    shape = (*x.shape[:-1], n)
    if m * n * k == 0:
        return mx.zeros(shape, dtype=x.dtype)
    kernel = source.load("quantized/affine/parts.metal", _INPUTS, ("Y",))
    (y,) = kernel(
        inputs=[x, w.packed, w.scales, w.biases],
        template=[("T", x.dtype), ("M", m), ("BITS", w.bits), ("GROUP", w.group)],
        grid=(32 * n, 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def parts_expert(x: mx.array, w: Experts, expert: mx.array) -> mx.array:
    """Row m of x times the transposed matrix of ``expert[m]``, whose bytes alone are touched.

    Args:
        x: [M, K], float32, float16 or bfloat16.
        w: E matrices of shape [N, K], any width and group.
        expert: uint32 [M], each below E. It is read before the launch, which waits for it.

    Returns:
        [M, N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x or expert is not an ``mx.array``, or w not ``Experts``.
        ValueError: a rank, a dtype or a length does not fit.
        IndexError: there is no such expert.
    """
    weights.of_format(w, Experts)
    experts, n, k = w.shape
    if not isinstance(x, mx.array) or not isinstance(expert, mx.array):
        name, got = ("expert", expert) if isinstance(x, mx.array) else ("x", x)
        raise TypeError(f"{name} is a {type(got).__name__}; it must be an mx.array.")
    if x.ndim != 2 or x.shape[1] != k:
        raise ValueError(f"x has shape {tuple(x.shape)}; w is {w.format}, which needs [M, {k}].")
    if x.dtype not in (mx.float32, mx.float16, mx.bfloat16):
        raise ValueError(f"x has dtype {x.dtype}; it must have float32, float16 or bfloat16.")
    m = x.shape[0]
    if expert.shape != (m,) or expert.dtype != mx.uint32:
        raise ValueError(
            f"expert has dtype {expert.dtype} and shape {tuple(expert.shape)}; "
            f"it must be uint32 of shape ({m},), one for each row of x."
        )
    if m * n * k == 0:
        return mx.zeros((m, n), dtype=x.dtype)
    largest = int(np.array(expert).max())
    if largest >= experts:
        raise IndexError(f"expert holds {largest}; w has {experts} experts, 0 … {experts - 1}.")
    kernel = source.load("quantized/affine/parts_expert.metal", (*_INPUTS, "expert"), ("Y",))
    (y,) = kernel(
        inputs=[x, w.packed, w.scales, w.biases, expert],
        template=[("T", x.dtype), ("BITS", w.bits), ("GROUP", w.group)],
        grid=(32 * n, m, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[(m, n)],
        output_dtypes=[x.dtype],
    )
    return y
