"""Which of the Q4_K kernels a product takes."""

from __future__ import annotations

import mlx.core as mx

from kernels.quantized import weights
from kernels.quantized.choice import Choice
from kernels.quantized.q4_k import dense, gemv
from kernels.quantized.q4_k.format import BLOCK, Q4_K

_KERNELS = {"gemv": gemv.gemv, "batched": gemv.batched, "gemm": dense.gemm}


def which(m: int, n: int, k: int, dtype: mx.Dtype) -> Choice:
    """The kernel for ``x[M, K] · wᵀ`` with w of shape [N, K]. Every kernel takes every N and every K that the
    format has, so M alone decides.

    Raises:
        ValueError: a size is negative, K is no multiple of 256, or dtype is none of the three.
    """
    weights.result_dtype(dtype)
    if min(m, n, k) < 0 or k % BLOCK:
        raise ValueError(f"M, N, K are {m}, {n}, {k}; K must be a multiple of {BLOCK}, and none is negative.")
    if m == 1:
        return Choice("gemv", "M is 1")
    if m <= gemv.BATCH:
        return Choice(
            "batched", f"M is {m}, at most {gemv.BATCH}: each super-block is unpacked once for all rows"
        )
    return Choice("gemm", f"M is {m}, over {gemv.BATCH}: all of w is written out once, then a GEMM shares it")


def matmul(x: mx.array, w: Q4_K) -> mx.array:
    """``Y = X · Wᵀ`` by the kernel that ``which`` names.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_K``.
        ValueError: x's rank, dtype or K does not fit.
    """
    weights.of_format(w, Q4_K)
    m, n, k = weights.rows(x, w)
    return _KERNELS[which(m, n, k, x.dtype).kernel](x, w)
