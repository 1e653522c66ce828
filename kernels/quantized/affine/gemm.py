"""The GEMM on affine groups: dequantizes into threadgroup memory, multiplies by SIMD-group matrices."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.arguments import name_of
from kernels.gemm.launch import TILES
from kernels.quantized import weights
from kernels.quantized.affine import arrays
from kernels.quantized.affine.format import Affine


def gemm(x: mx.array, w: Affine, *, tile: str = "square", held: mx.Dtype = mx.float32) -> mx.array:
    """``Y = X · Wᵀ``, each group dequantized once for each tile of outputs beside it.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].
        tile: the outputs of a threadgroup, as for ``gemm.mma_rows``: ``"low"``, ``"square"`` or ``"large"``.
        held: the dtype of x and w in threadgroup memory, float32 or x's own. In x's own dtype they take half
            the room, and each weight is rounded to it before it is multiplied: the bound is that of
            ``tolerance.quantized(…, rounded=True)``.

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not an ``Affine``.
        ValueError: x's rank, dtype or K does not fit, there is no such tile, or ``held`` is another dtype.
    """
    weights.of_format(w, Affine)
    m, n, k = weights.rows(x, w)
    if tile not in TILES:
        raise ValueError(f"tile is {tile!r}; it must be one of {', '.join(map(repr, TILES))}.")
    if held not in (mx.float32, x.dtype):
        raise ValueError(f"held is {name_of(held)}; it must be float32 or x's own dtype, {name_of(x.dtype)}.")
    shape = (*x.shape[:-1], n)
    if m == 0:
        return mx.zeros(shape, dtype=x.dtype)
    down, across, fm, fn = TILES[tile]
    threads = 32 * down * across
    path, header = "quantized/affine/gemm.metal", "quantized/affine/codes.metal"
    kernel = source.load(path, ("X", *arrays.NAMES), ("Y",), header)
    (y,) = kernel(
        inputs=[x.reshape(m, k), *arrays.inputs(w)],
        template=[
            ("T", x.dtype),
            ("S", held),
            *arrays.template(w),
            ("DOWN", down),
            ("ACROSS", across),
            ("FM", fm),
            ("FN", fn),
        ],
        grid=(-(-n // (across * fn * 8)) * threads, -(-m // (down * fm * 8)), 1),
        threadgroup=(threads, 1, 1),
        output_shapes=[(m, n)],
        output_dtypes=[x.dtype],
    )
    return y.reshape(shape)
