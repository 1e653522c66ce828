"""The launches of the nested widths' kernels: each body is built once for a width, a group and a dtype."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.quantized import weights
from kernels.quantized.choice import Choice
from kernels.quantized.nested.format import Nested
from kernels.quantized.nested.planes import Planes

BATCH = 16
"""The most rows of x that `batched` takes: each is one or more sums in registers of every lane."""
SIMDGROUPS = 8
"""SIMD-groups a threadgroup of the GEMVs."""

_HEADER = "quantized/nested/slice.metal"


def dequantize(w: Nested | Planes, dtype: mx.Dtype) -> mx.array:
    """The numbers that w stands for at its width.

    Args:
        w: weights of shape [N, K].
        dtype: float32, float16 or bfloat16.

    Returns:
        [N, K] in that dtype.

    Raises:
        TypeError: w is neither ``Nested`` nor ``Planes``.
        ValueError: dtype is none of the three.
    """
    _check(w)
    weights.result_dtype(dtype)
    n, k = w.shape
    if n * k == 0:
        return mx.zeros((n, k), dtype=dtype)
    kernel = source.load("quantized/nested/dequantize.metal", ("codes", "scales", "biases"), ("Y",), _HEADER)
    (y,) = kernel(
        inputs=[_store(w), w.scales, w.biases],
        template=[("T", dtype), *_constants(w), ("P", _planes(w))],
        grid=(n * k // 4, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(n, k)],
        output_dtypes=[dtype],
    )
    return y


def gemv_one(x: mx.array, w: Nested) -> mx.array:
    """``y = x · wᵀ`` with a byte a lane, each cut by itself; one SIMD-group an output.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [N] or [1, N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not ``Nested``.
        ValueError: x's rank, dtype, K or M does not fit.
    """
    weights.of_format(w, Nested)
    _, n, _ = weights.rows(x, w, most=1)
    if n == 0:
        return mx.zeros((*x.shape[:-1], n), dtype=x.dtype)
    kernel = source.load("quantized/nested/one.metal", ("x", "codes", "scales", "biases"), ("y",))
    (y,) = kernel(
        inputs=[x, w.codes.view(mx.uint8), w.scales, w.biases],
        template=[("T", x.dtype), *_constants(w)],
        grid=(32 * n, 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[(*x.shape[:-1], n)],
        output_dtypes=[x.dtype],
    )
    return y


def gemv_words(x: mx.array, w: Nested) -> mx.array:
    """``y = x · wᵀ`` with four codes a lane, cut together; one SIMD-group an output. As ``gemv_one``."""
    weights.of_format(w, Nested)
    return _gemv(x, w, rows=1, most=1)


def gemv_planes(x: mx.array, w: Planes) -> mx.array:
    """``y = x · wᵀ`` from planes, r + 1 bits a weight; four outputs a SIMD-group. As ``gemv_one``."""
    weights.of_format(w, Planes)
    return _gemv(x, w, rows=4, most=1)


def gemv(x: mx.array, w: Nested | Planes) -> mx.array:
    """``y = x · wᵀ``, four outputs a SIMD-group: by words of four codes, or by planes, as w has them.

    Arguments, result and errors as ``gemv_one``, and w may be ``Planes``.
    """
    _check(w)
    return _gemv(x, w, rows=4, most=1)


def batched(x: mx.array, w: Nested | Planes) -> mx.array:
    """``Y = X · Wᵀ`` for up to 16 rows of X, each code loaded and cut once.

    Args:
        x: [M, K] with M ≤ 16, or [K]; float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w neither ``Nested`` nor ``Planes``.
        ValueError: x's rank, dtype, K or M does not fit.
    """
    _check(w)
    # Sums are registers: four rows of w while that makes no more than 16, else two.
    return _gemv(x, w, rows=4 if weights.rows(x, w, most=BATCH)[0] <= 4 else 2, most=BATCH)


def gemm(x: mx.array, w: Nested | Planes) -> mx.array:
    """``Y = X · Wᵀ`` as ``Yᵀ = W · Xᵀ``: weights made in threadgroup memory, SIMD-group matrices.

    A tile is 64 columns of Y and 8, 16 or 32 rows: as few as M needs.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w neither ``Nested`` nor ``Planes``.
        ValueError: x's rank, dtype or K does not fit.
    """
    _check(w)
    m, n, k = weights.rows(x, w)
    if m * n == 0:
        return mx.zeros((*x.shape[:-1], n), dtype=x.dtype)
    fragments = 1 if m <= 8 else 2 if m <= 16 else 4
    names = ("X", "codes", "scales", "biases")
    kernel = source.load("quantized/nested/gemm.metal", names, ("Y",), _HEADER)
    (y,) = kernel(
        inputs=[x.reshape(m, k), _store(w), w.scales, w.biases],
        template=[("T", x.dtype), *_constants(w), ("P", _planes(w)), ("FM", fragments)],
        grid=(-(-n // 64) * 128, -(-m // (8 * fragments)), 1),
        threadgroup=(128, 1, 1),
        output_shapes=[(*x.shape[:-1], n)],
        output_dtypes=[x.dtype],
    )
    return y


def which(m: int, n: int, k: int, dtype: mx.Dtype) -> Choice:
    """Which of the functions ``matmul`` takes for x [m, k] and w [n, k], and why.

    Nothing depends on n, k or the dtype: every kernel here takes every store that can be made.
    """
    if m == 1:
        return Choice("gemv", "M is 1")
    if m <= BATCHED_MOST:
        return Choice("batched", f"M is {m}, at most {BATCHED_MOST}")
    return Choice("gemm", f"M is {m}, over {BATCHED_MOST}")


BATCHED_MOST = 8
"""The most rows for which ``matmul`` takes ``batched``. From 9 on, sums crowd the registers of each lane, and
a fragment of 8 columns is full."""


def matmul(x: mx.array, w: Nested | Planes) -> mx.array:
    """``Y = X · Wᵀ`` by the kernel that ``which`` names. Arguments, result and errors as ``gemm``."""
    _check(w)
    m, n, k = weights.rows(x, w)
    return {"gemv": gemv, "batched": batched, "gemm": gemm}[which(m, n, k, x.dtype).kernel](x, w)


def _gemv(x: mx.array, w: Nested | Planes, *, rows: int, most: int) -> mx.array:
    """A SIMD-group for each ``rows`` rows of w, whole threadgroups of them."""
    m, n, _ = weights.rows(x, w, most=most)
    shape = (*x.shape[:-1], n)
    if m * n == 0:
        return mx.zeros(shape, dtype=x.dtype)
    planes = _planes(w)
    body, codes = ("planes", "planes") if planes else ("words", "codes")
    kernel = source.load(f"quantized/nested/{body}.metal", ("X", codes, "scales", "biases"), ("Y",), _HEADER)
    constants = {"M": m, "ROWS": rows, "SIMDGROUPS": SIMDGROUPS, **({"P": planes} if planes else {})}
    (y,) = kernel(
        inputs=[x, _store(w), w.scales, w.biases],
        template=[("T", x.dtype), *_constants(w), *constants.items()],
        grid=(32 * SIMDGROUPS * -(-n // (rows * SIMDGROUPS)), 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def _check(w: object) -> None:
    if not isinstance(w, (Nested, Planes)):
        raise TypeError(
            f"w is a {type(w).__name__}; it must be Nested or Planes, of kernels.quantized.nested."
        )


def _store(w: Nested | Planes) -> mx.array:
    return w.codes if isinstance(w, Nested) else w.planes


def _planes(w: Nested | Planes) -> int:
    return 0 if isinstance(w, Nested) else w.planes.shape[0]


def _constants(w: Nested | Planes) -> tuple[tuple[str, int], ...]:
    return ("R", w.bits), ("GROUP", w.group)
