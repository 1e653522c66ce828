"""The textbook matmul: one thread an output."""

from __future__ import annotations

import mlx.core as mx

from kernels import arguments, source


def matmul(x: mx.array, w: mx.array) -> mx.array:
    """``Y = X · W``, every output by a thread of its own that walks along a row of X and down a column of W.

    Args:
        x: [M, K], float32, float16 or bfloat16.
        w: [K, N], the same dtype.

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    m, n, k = arguments.matrices(x, w)
    if m * n * k == 0:
        return mx.zeros((m, n), dtype=x.dtype)
    kernel = source.load("textbook/matmul.metal", ["X", "W"], ["Y"])
    (y,) = kernel(
        inputs=[x, w],
        template=[("T", x.dtype)],
        grid=(n, m, 1),
        threadgroup=(32, 8, 1),
        output_shapes=[(m, n)],
        output_dtypes=[x.dtype],
    )
    return y


__all__ = ["matmul"]
