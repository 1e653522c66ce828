"""Which of the affine kernels a product takes."""

from __future__ import annotations

import mlx.core as mx

from kernels.quantized import weights
from kernels.quantized.affine.format import GROUPS, Affine
from kernels.quantized.affine.gemm import gemm
from kernels.quantized.affine.gemv import BATCH, batched, gemv
from kernels.quantized.choice import Choice

_KERNELS = {"gemv": gemv, "batched": batched, "gemm": gemm}


def which(m: int, n: int, k: int, dtype: mx.Dtype) -> Choice:
    """The kernel for ``x[M, K] · wᵀ`` with w of shape [N, K]. Every kernel takes every width, group, N and K
    that the format has, so M alone decides.

    Raises:
        ValueError: a size is negative, K is no multiple of 32, or dtype is none of the three.
    """
    weights.result_dtype(dtype)
    least = min(GROUPS)
    if min(m, n, k) < 0 or k % least:
        raise ValueError(f"M, N, K are {m}, {n}, {k}; K must be a multiple of {least}, and none is negative.")
    if m == 1:
        return Choice("gemv", "M is 1")
    if m <= BATCH:
        return Choice("batched", f"M is {m}, at most {BATCH}: each code is loaded once for all rows")
    return Choice("gemm", f"M is {m}, over {BATCH}: tiles of outputs share what is loaded of x and w")


def matmul(x: mx.array, w: Affine) -> mx.array:
    """``Y = X · Wᵀ`` by the kernel that ``which`` names.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not an ``Affine``.
        ValueError: x's rank, dtype or K does not fit.
    """
    weights.of_format(w, Affine)
    m, n, k = weights.rows(x, w)
    return _KERNELS[which(m, n, k, x.dtype).kernel](x, w)
