"""The GEMV kernels' launches: how many threads, and which of them work together."""

from __future__ import annotations

import mlx.core as mx

from kernels import arguments, source

# SIMD-groups a threadgroup. They share nothing in most kernels here; eight keep the launch overhead low and
# still leave the scheduler small pieces.
SIMDGROUPS = 8
# Rows a SIMD-group takes in `rows` and `wide`: a quarter of the loads of x, four sums that do not wait for
# each other.
ROWS = 4
# Elements of x that `wide` holds in threadgroup memory: 8 KiB of float32.
TILE = 2048
# The most rows of x in `batched`: each is one or more sums in registers of every lane.
BATCH = 16


def _launch(
    name: str, x: mx.array, w: mx.array, n: int, threads: int, header: str = "", **constants: int
) -> mx.array:
    """Runs ``gemv/<name>.metal`` with ``threads`` threads; ``constants`` become template parameters."""
    shape = (*x.shape[:-1], n)
    if x.size == 0 or w.size == 0:
        return mx.zeros(shape, dtype=x.dtype)
    names = ("X", "Y") if name == "batched" else ("x", "y")
    kernel = source.load(f"gemv/{name}.metal", (names[0], "W"), (names[1],), header)
    (y,) = kernel(
        inputs=[x, w],
        template=[("T", x.dtype), *constants.items()],
        grid=(threads, 1, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def naive_rows(x: mx.array, w: mx.array) -> mx.array:
    """``y = W · x``, one thread an output, neighbouring lanes K elements apart in W.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: [N, K], the same dtype: one row an output.

    Returns:
        [N] or [1, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    n, _ = arguments.vector(x, w)
    return _launch("naive_rows", x, w, n, n)


def naive_columns(x: mx.array, w: mx.array) -> mx.array:
    """``y = x · W``, one thread an output, neighbouring lanes side by side in W.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16.
        w: [K, N], the same dtype: one *column* an output, unlike the other kernels here.

    Returns:
        [N] or [1, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    n, _ = arguments.vector(x, w, transposed=False)
    return _launch("naive_columns", x, w, n, n)


def simd(x: mx.array, w: mx.array) -> mx.array:
    """``y = W · x``, one SIMD-group an output. Arguments, result and errors as ``naive_rows``."""
    n, _ = arguments.vector(x, w)
    return _launch("simd", x, w, n, 32 * n, SIMDGROUPS=SIMDGROUPS)


def rows(x: mx.array, w: mx.array) -> mx.array:
    """``y = W · x``, four outputs a SIMD-group. Arguments, result and errors as ``naive_rows``."""
    n, _ = arguments.vector(x, w)
    return _launch("rows", x, w, n, 32 * -(-n // ROWS), SIMDGROUPS=SIMDGROUPS, ROWS=ROWS)


def vector(x: mx.array, w: mx.array) -> mx.array:
    """``y = W · x``, one SIMD-group an output, four elements a load. As ``naive_rows`` otherwise."""
    n, _ = arguments.vector(x, w)
    return _launch("vector", x, w, n, 32 * n, header="gemv/four.metal", SIMDGROUPS=SIMDGROUPS)


def wide(x: mx.array, w: mx.array) -> mx.array:
    """``y = W · x`` with x in threadgroup memory, for a large N. As ``naive_rows`` otherwise; any K."""
    n, _ = arguments.vector(x, w)
    threadgroups = -(-n // (SIMDGROUPS * ROWS))
    threads = 32 * SIMDGROUPS * threadgroups
    return _launch("wide", x, w, n, threads, SIMDGROUPS=SIMDGROUPS, ROWS=ROWS, TILE=TILE)


def batched(x: mx.array, w: mx.array) -> mx.array:
    """``Y = X · Wᵀ`` for up to 16 rows of X, each weight loaded once.

    Args:
        x: [M, K] with M ≤ 16, float32, float16 or bfloat16.
        w: [N, K], the same dtype: one row an output.

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit, or M is over 16.
    """
    m, n, _ = arguments.matrices(x, w, transposed=True)
    if m > BATCH:
        raise ValueError(f"x has {m} rows; this kernel takes at most {BATCH}. Use a GEMM for more.")
    # Sums are registers: four rows of W while that makes no more than 16, else two.
    own = 4 if m <= 4 else 2
    return _launch("batched", x, w, n, 32 * -(-n // own), SIMDGROUPS=SIMDGROUPS, M=m, ROWS=own)
