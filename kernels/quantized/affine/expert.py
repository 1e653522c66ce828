"""The launch for a mixture of experts: each row of x meets one expert's weights."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from kernels import source
from kernels.arguments import name_of
from kernels.quantized import weights
from kernels.quantized.affine import arrays
from kernels.quantized.affine.format import Experts
from kernels.quantized.affine.gemv import ROWS, SIMDGROUPS


def _indices(index: object, experts: int, m: int) -> mx.array:
    """uint32 [M]. Numbers that Python can see are checked here; the kernel checks those of an array."""
    if isinstance(index, mx.array):
        if not mx.issubdtype(index.dtype, mx.integer):
            raise TypeError(f"index has dtype {name_of(index.dtype)}; it must hold whole numbers.")
        if index.ndim > 1 or index.size not in (1, m):
            raise ValueError(
                f"index has shape {tuple(index.shape)}; it must be one number, or {m}: one a row."
            )
        return mx.broadcast_to(index.reshape(-1).astype(mx.uint32), (m,))
    numbers = np.asarray(index)
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"index is {index!r}; it must be a whole number, or an array of them.")
    if numbers.ndim > 1 or numbers.size not in (1, m):
        raise ValueError(f"index has shape {numbers.shape}; it must be one number, or {m}: one a row.")
    for number in numbers.reshape(-1):
        if not 0 <= number < experts:
            raise ValueError(f"index holds {number}; it must be 0 … {experts - 1}: w has {experts} experts.")
    return mx.array(np.broadcast_to(numbers.reshape(-1), (m,)).astype(np.uint32))


def expert(x: mx.array, w: Experts, index: object) -> mx.array:
    """``Y[m] = W[index[m]] · X[m]``: each row by its expert, of whose weights alone a byte is touched.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: E matrices of shape [N, K].
        index: the expert, 0 … E − 1: one number for all rows, or one for each. A number, a sequence, or an
            array of NumPy or MLX.

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32. Infinities as in ``factored``. The kernel
        alone sees what an ``mx.array`` of indices holds: where that is no expert, the row is NaN.

    Raises:
        TypeError: x is not an ``mx.array``, w is no ``Experts``, or index holds no whole numbers.
        ValueError: x's rank, dtype or K does not fit, index has another length, or a number in it is no
            expert's.
    """
    weights.of_format(w, Experts)
    m, n, _ = weights.rows(x, w[0])
    at = _indices(index, len(w), m)
    shape = (*x.shape[:-1], n)
    if m == 0:
        return mx.zeros(shape, dtype=x.dtype)
    path, header = "quantized/affine/expert.metal", "quantized/affine/codes.metal"
    kernel = source.load(path, ("X", *arrays.NAMES, "index"), ("Y",), header)
    (y,) = kernel(
        inputs=[x, *arrays.inputs(w), at],
        template=[("T", x.dtype), *arrays.template(w), ("SIMDGROUPS", SIMDGROUPS), ("ROWS", ROWS)],
        grid=(32 * -(-n // ROWS), m, 1),
        threadgroup=(32 * SIMDGROUPS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y
