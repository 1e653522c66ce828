"""The GEMM kernels' launches: the tiles, and the threads that own them."""

from __future__ import annotations

import mlx.core as mx

from kernels import arguments, source

# Tiles of `mma_rows` by name: SIMD-groups down and across, and the fragments that each of them owns.
TILES = {
    "low": (1, 4, 1, 4),
    "square": (2, 2, 2, 2),
    "large": (2, 2, 4, 4),
}


def _launch(
    name: str,
    x: mx.array,
    w: mx.array,
    shape: tuple[int, int],
    tile: tuple[int, int],
    threadgroup: tuple[int, int],
    **constants: int,
) -> mx.array:
    """Runs ``gemm/<name>.metal`` with a threadgroup for each tile of outputs.

    Args:
        shape: M and N.
        tile: rows and columns of the outputs that one threadgroup owns.
        threadgroup: its threads along x and y.
        constants: become template parameters.
    """
    if x.size == 0 or w.size == 0:
        return mx.zeros(shape, dtype=x.dtype)
    down, across = -(-shape[0] // tile[0]), -(-shape[1] // tile[1])
    kernel = source.load(f"gemm/{name}.metal", ("X", "W"), ("Y",))
    (y,) = kernel(
        inputs=[x, w],
        template=[("T", x.dtype), *constants.items()],
        grid=(across * threadgroup[0], down * threadgroup[1], 1),
        threadgroup=(*threadgroup, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def tiled(x: mx.array, w: mx.array) -> mx.array:
    """``Y = X · W`` by tiles of 16 × 32 outputs in threadgroup memory, one output a thread.

    Args:
        x: [M, K], float32, float16 or bfloat16.
        w: [K, N], the same dtype.

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    m, n, _ = arguments.matrices(x, w)
    bm, bn, bk = 16, 32, 32
    return _launch("tiled", x, w, (m, n), (bm, bn), (bn, bm), BM=bm, BN=bn, BK=bk)


def padded(x: mx.array, w: mx.array) -> mx.array:
    """``Y = X · Wᵀ`` by tiles, the tile of W turned over in padded threadgroup memory.

    Args:
        x: [M, K], float32, float16 or bfloat16.
        w: [N, K], the same dtype: one row an output, unlike the other kernels here.

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    m, n, _ = arguments.matrices(x, w, transposed=True)
    bm, bn, bk = 16, 32, 32
    return _launch("padded", x, w, (m, n), (bm, bn), (bn, bm), BM=bm, BN=bn, BK=bk, PAD=1)


def register_tile(x: mx.array, w: mx.array) -> mx.array:
    """``Y = X · W`` by tiles, 4 × 2 outputs a thread in registers. Arguments, result, errors as ``tiled``."""
    m, n, _ = arguments.matrices(x, w)
    down, rows, cols, bk = 8, 4, 2, 32
    tile = (down * rows, 32 * cols)
    return _launch("register_tile", x, w, (m, n), tile, (32, down), DOWN=down, ROWS=rows, COLS=cols, BK=bk)


def mma(x: mx.array, w: mx.array, *, block: tuple[int, int] = (1, 4)) -> mx.array:
    """``Y = X · W`` by 8×8 SIMD-group matrices with float accumulators, four SIMD-groups a tile of 32 × 32.

    Arguments, result and errors as ``tiled``, and:

    Args:
        block: the fragments that one SIMD-group owns, down and across: (1, 4), (2, 2) or (4, 1). A square
            block loads four fragments for four products, a flat one five. The wide one stores whole rows,
            and leaves a back end that spreads a fragment over vector registers the least to rearrange.

    Raises:
        ValueError: also where ``block`` is none of these.
    """
    m, n, _ = arguments.matrices(x, w)
    if block not in ((1, 4), (2, 2), (4, 1)):
        raise ValueError(
            f"block is {block}; it must be (1, 4), (2, 2) or (4, 1): four fragments a SIMD-group."
        )
    fm, fn = block
    down, across = 4 // fm, 4 // fn
    tile = (down * fm * 8, across * fn * 8)
    return _launch("mma", x, w, (m, n), tile, (32 * down * across, 1), DOWN=down, ACROSS=across, FM=fm, FN=fn)


def mma_rows(x: mx.array, w: mx.array, *, tile: str = "square") -> mx.array:
    """``Y = X · Wᵀ`` by 8×8 SIMD-group matrices with float accumulators, four SIMD-groups a tile.

    Arguments, result and errors as ``padded``, and:

    Args:
        tile: the outputs of a threadgroup. ``"low"`` is 8 × 128, for a few rows of X; ``"square"`` is
            32 × 32; ``"large"`` is 64 × 64 and asks for each element of X and W half as often.

    Raises:
        ValueError: also where there is no such tile.
    """
    m, n, _ = arguments.matrices(x, w, transposed=True)
    if tile not in TILES:
        raise ValueError(f"tile is {tile!r}; it must be one of {', '.join(map(repr, TILES))}.")
    down, across, fm, fn = TILES[tile]
    shape = (down * fm * 8, across * fn * 8)
    constants = {"DOWN": down, "ACROSS": across, "FM": fm, "FN": fn}
    return _launch("mma_rows", x, w, (m, n), shape, (32 * down * across, 1), **constants)
