"""The launch that turns affine groups into numbers."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.quantized import weights
from kernels.quantized.affine import arrays
from kernels.quantized.affine.format import Affine

_CODES_A_THREAD = 8


def dequantize(w: Affine, dtype: mx.Dtype) -> mx.array:
    """The numbers that w stands for: scale · q + bias in float32, then rounded once to any other dtype.

    ``mx.dequantize`` rounds to the scales' dtype after the product and after the sum.

    Args:
        w: weights of shape [N, K].
        dtype: float32, float16 or bfloat16.

    Returns:
        [N, K] in that dtype.

    Raises:
        TypeError: w is not an ``Affine``.
        ValueError: dtype is none of the three.
    """
    weights.of_format(w, Affine)
    weights.result_dtype(dtype)
    n, k = w.shape
    header = "quantized/affine/codes.metal"
    kernel = source.load("quantized/affine/dequantize.metal", arrays.NAMES, ("Y",), header)
    (y,) = kernel(
        inputs=arrays.inputs(w),
        template=[("T", dtype), *arrays.template(w)],
        grid=(n * k // _CODES_A_THREAD, 1, 1),
        threadgroup=(256, 1, 1),
        output_shapes=[(n, k)],
        output_dtypes=[dtype],
    )
    return y
