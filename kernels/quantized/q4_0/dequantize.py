"""The launch that turns Q4_0 blocks into numbers."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.quantized import weights
from kernels.quantized.q4_0.format import BLOCK, Q4_0

_THREADS_A_BLOCK = 8


def dequantize(w: Q4_0, dtype: mx.Dtype) -> mx.array:
    """The numbers that w stands for: d · (q − 8), exact in float32 and rounded once in any other dtype.

    Args:
        w: weights of shape [N, K].
        dtype: float32, float16 or bfloat16.

    Returns:
        [N, K] in that dtype.

    Raises:
        TypeError: w is not a ``Q4_0``.
        ValueError: dtype is none of the three.
    """
    weights.of_format(w, Q4_0)
    weights.result_dtype(dtype)
    n, k = w.shape
    if n * k == 0:
        return mx.zeros((n, k), dtype=dtype)
    kernel = source.load("quantized/q4_0/dequantize.metal", ("blocks",), ("Y",))
    (y,) = kernel(
        inputs=[w.blocks],
        template=[("T", dtype)],
        grid=(n * k // BLOCK * _THREADS_A_BLOCK, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(n, k)],
        output_dtypes=[dtype],
    )
    return y
