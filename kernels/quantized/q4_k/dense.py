"""Q4_K written out as numbers, and the GEMM on those."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.arguments import name_of
from kernels.gemm.launch import mma_rows
from kernels.quantized import weights
from kernels.quantized.q4_k.format import BLOCK, Q4_K

_THREADS_A_BLOCK = 32


def dequantize(w: Q4_K, dtype: mx.Dtype) -> mx.array:
    """The numbers that w stands for, d · sc · q − dmin · m, computed in float32 and rounded to dtype.

    Args:
        w: weights of shape [N, K].
        dtype: float32, float16 or bfloat16.

    Returns:
        [N, K] in that dtype.

    Raises:
        TypeError: w is not a ``Q4_K``.
        ValueError: dtype is none of the three.
    """
    weights.of_format(w, Q4_K)
    weights.result_dtype(dtype)
    n, k = w.shape
    if n * k == 0:
        return mx.zeros((n, k), dtype=dtype)
    kernel = source.load("quantized/q4_k/dequantize.metal", ("blocks",), ("Y",))
    (y,) = kernel(
        inputs=[w.blocks],
        template=[("T", dtype)],
        grid=(n * k // BLOCK * _THREADS_A_BLOCK, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(n, k)],
        output_dtypes=[dtype],
    )
    return y


def gemm(x: mx.array, w: Q4_K, *, tile: str = "square", held: mx.Dtype = mx.float32) -> mx.array:
    """``Y = X · Wᵀ`` in two launches: all of w written out as [N, K] in device memory, then a float GEMM.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].
        tile: the GEMM's tile of outputs: see ``gemm.mma_rows``.
        held: the dtype of the numbers in between, float32 or x's own. In x's own they take half the memory,
            and each weight is rounded to it: the bound is ``tolerance.quantized(…, rounded=True)``.

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_K``.
        ValueError: x's rank, dtype or K does not fit, there is no such tile, or ``held`` is another dtype.
    """
    weights.of_format(w, Q4_K)
    m, n, k = weights.rows(x, w)
    if held not in (mx.float32, x.dtype):
        raise ValueError(f"held is {name_of(held)}; it must be float32 or x's own dtype, {name_of(x.dtype)}.")
    y = mma_rows(x.reshape(m, k).astype(held), dequantize(w, held), tile=tile)
    return y.astype(x.dtype).reshape(*x.shape[:-1], n)
