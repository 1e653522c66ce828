"""The GEMM on Q4_0: dequantizes into threadgroup memory, multiplies by SIMD-group matrices."""

from __future__ import annotations

import mlx.core as mx

from kernels import source
from kernels.arguments import name_of
from kernels.gemm.launch import TILES
from kernels.quantized import weights
from kernels.quantized.q4_0.format import Q4_0


def gemm(x: mx.array, w: Q4_0, *, tile: str = "square", held: mx.Dtype = mx.float32) -> mx.array:
    """``Y = X · Wᵀ``, each block dequantized once for each tile of outputs beside it.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].
        tile: the outputs of a threadgroup. ``"low"`` is 8 × 128, for a few rows of x; ``"square"`` is
            32 × 32; ``"large"`` is 64 × 64 and dequantizes each block half as often.
        held: the dtype of x and w in threadgroup memory, float32 or x's own. In float32 they are exact. In
            x's own dtype they take half the room, and each weight is rounded to it before it is multiplied:
            the bound is that of ``tolerance.quantized(…, rounded=True)``.

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not a ``Q4_0``.
        ValueError: x's rank, dtype or K does not fit, there is no such tile, or ``held`` is another dtype.
    """
    weights.of_format(w, Q4_0)
    m, n, k = weights.rows(x, w)
    if tile not in TILES:
        raise ValueError(f"tile is {tile!r}; it must be one of {', '.join(map(repr, TILES))}.")
    if held not in (mx.float32, x.dtype):
        raise ValueError(f"held is {name_of(held)}; it must be float32 or x's own dtype, {name_of(x.dtype)}.")
    shape = (*x.shape[:-1], n)
    if m * n * k == 0:
        return mx.zeros(shape, dtype=x.dtype)
    down, across, fm, fn = TILES[tile]
    threads = 32 * down * across
    kernel = source.load("quantized/q4_0/gemm.metal", ("X", "blocks"), ("Y",))
    (y,) = kernel(
        inputs=[x.reshape(m, k), w.blocks],
        template=[
            ("T", x.dtype),
            ("S", held),
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
