"""The Q8_0 kernels' launches, and which of them a product takes."""

from __future__ import annotations

import mlx.core as mx

from kernels import gemm, source
from kernels.quantized import weights
from kernels.quantized.choice import Choice
from kernels.quantized.q8_0.format import BLOCK, Q8_0

# SIMD-groups a threadgroup. They share nothing here.
SIMDGROUPS = 8
# The most rows of x in `batched`: each is one or more sums in registers of every lane.
BATCH = 16
_THREADS_A_BLOCK = 16


def dequantize(w: Q8_0, dtype: mx.Dtype) -> mx.array:
    """The numbers that w stands for: d · q, exact in float32 and rounded once in any other dtype.

    Args:
        w: weights of shape [N, K].
        dtype: float32, float16 or bfloat16.

    Returns:
        [N, K] in that dtype.

    Raises:
        TypeError: w is not a ``Q8_0``.
        ValueError: dtype is none of the three.
    """
    weights.of_format(w, Q8_0)
    weights.result_dtype(dtype)
    n, k = w.shape
    if n * k == 0:
        return mx.zeros((n, k), dtype=dtype)
    kernel = source.load("quantized/q8_0/dequantize.metal", ("blocks",), ("Y",))
    (y,) = kernel(
        inputs=[w.blocks],
        template=[("T", dtype)],
        grid=(n * k // BLOCK * _THREADS_A_BLOCK, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(n, k)],
        output_dtypes=[dtype],
    )
    return y


def _launch(name: str, x: mx.array, w: Q8_0, own: int = 1, **constants: int) -> mx.array:
    """Runs ``q8_0/<name>.metal`` with a SIMD-group for every `own` rows of w."""
    n, k = w.shape
    shape = (*x.shape[:-1], n)
    if x.size == 0 or n * k == 0:
        return mx.zeros(shape, dtype=x.dtype)
    names = ("X", "Y") if name == "batched" else ("x", "y")
    kernel = source.load(f"quantized/q8_0/{name}.metal", (names[0], "blocks"), (names[1],))
    (y,) = kernel(
        inputs=[x, w.blocks],
        template=[("T", x.dtype), ("SIMDGROUPS", SIMDGROUPS), *constants.items()],
        grid=(32 * -(-n // own), 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def _checked(x: mx.array, w: Q8_0, most: int | None = None) -> int:
    """M."""
    weights.of_format(w, Q8_0)
    return weights.rows(x, w, most)[0]


def block_a_lane(x: mx.array, w: Q8_0) -> mx.array:
    """``y = W · x``, a lane for a block, byte by byte. Arguments, result and errors as ``gemv``."""
    _checked(x, w, 1)
    return _launch("block_a_lane", x, w)


def side_by_side(x: mx.array, w: Q8_0) -> mx.array:
    """``y = W · x``, sixteen lanes for a block, two weights a load. As ``gemv`` otherwise."""
    _checked(x, w, 1)
    return _launch("side_by_side", x, w)


def gemv(x: mx.array, w: Q8_0) -> mx.array:
    """``y = W · x``, lanes side by side and four rows of W a SIMD-group.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [N] or [1, N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q8_0``.
        ValueError: x's rank, dtype, K or M does not fit.
    """
    _checked(x, w, 1)
    return _launch("batched", x, w, own=4, M=1, ROWS=4)


def batched(x: mx.array, w: Q8_0) -> mx.array:
    """``Y = X · Wᵀ`` for up to 16 rows of X, each weight loaded once.

    Args:
        x: [M, K] with M ≤ 16, or [K]; float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q8_0``.
        ValueError: x's rank, dtype or K does not fit, or M is over 16.
    """
    m = _checked(x, w, BATCH)
    # Sums are registers: four rows of W while that makes no more than 16, else two.
    own = 4 if m <= 4 else 2
    return _launch("batched", x, w, own=own, M=max(m, 1), ROWS=own)


def dequantized(x: mx.array, w: Q8_0) -> mx.array:
    """``Y = X · Wᵀ`` by the float GEMM, on weights that are written out in x's dtype beforehand.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype: the product with weights that are rounded to that dtype.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q8_0``.
        ValueError: x's rank, dtype or K does not fit.
    """
    m = _checked(x, w)
    y = gemm.mma_rows(x.reshape(m, -1), dequantize(w, x.dtype))
    return y.reshape(*x.shape[:-1], w.shape[0])


def which(m: int, n: int, k: int, dtype: mx.Dtype) -> Choice:
    """The kernel that ``matmul`` takes for ``x[M, K] · w[N, K]ᵀ``, x in ``dtype``."""
    if m == 1:
        return Choice("gemv", "M is 1")
    if m <= BATCH:
        return Choice("batched", f"M is {m}, and up to {BATCH} rows share each weight that is loaded")
    return Choice(
        "dequantized", f"M is {m}: over {BATCH} rows, weights written out once serve many products each"
    )


def matmul(x: mx.array, w: Q8_0) -> mx.array:
    """``Y = X · Wᵀ`` by the kernel that ``which`` names. Arguments, result and errors as ``dequantized``."""
    m = _checked(x, w)
    kernels = {"gemv": gemv, "batched": batched, "dequantized": dequantized}
    return kernels[which(m, *w.shape, x.dtype).kernel](x, w)
