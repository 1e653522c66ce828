"""MLX's ``steel_gemm_fused``, launched as MLX launches it.

The tiles follow ``GEMM_TPARAM_MACRO`` and the launch ``steel_matmul_regular_axpby`` in
mlx/backend/metal/matmul.cpp (https://github.com/ml-explore/mlx/blob/main/mlx/backend/metal/matmul.cpp). MLX
takes this kernel for products that are neither a GEMV nor so small and deep that it splits K; here it runs
for every shape.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import mlx.core as mx

from kernels import arguments
from kernels.shipped.wheel import Output, library, type_of

STEEL = ("utils.h", "steel/gemm/gemm.h", "steel/gemm/kernels/steel_gemm_fused.h")


@dataclass(frozen=True)
class Tile:
    """What one threadgroup does: BM x BN outputs in steps of BK along K, by WM x WN SIMD-groups."""

    bm: int
    bn: int
    bk: int
    wm: int
    wn: int

    def name(self, dtype: mx.Dtype, transposed: bool) -> str:
        """The C++ name of the instance; ``transposed`` says that w is [N, K]."""
        sizes = f"{self.bm}, {self.bn}, {self.bk}, {self.wm}, {self.wn}"
        return f"gemm<{type_of(dtype)}, {sizes}, false, {'true' if transposed else 'false'}, float>"


SQUARE = Tile(64, 64, 16, 2, 2)
FEW_SIMDGROUPS = Tile(64, 64, 16, 1, 2)
TALL = Tile(64, 32, 32, 2, 2)
WIDE = Tile(32, 64, 16, 1, 2)


def tile_for(m: int, n: int, k: int, dtype: mx.Dtype, *, transposed: bool = False, chip: str = "s") -> Tile:
    """The tile that MLX takes for ``[M, K] · [K, N]`` on a chip.

    Args:
        transposed: the weights are [N, K].
        chip: the last letter of the GPU's architecture name, as MLX reads it: "g" or "p" for a small chip,
            "d" for a large one, any other for those between.
    """
    narrow = dtype != mx.float32
    if chip in ("g", "p"):
        return TALL if transposed else FEW_SIMDGROUPS if narrow else SQUARE
    if chip != "d":
        return SQUARE
    if m * n >= 1 << 20:
        if not narrow:
            return SQUARE
        return FEW_SIMDGROUPS if 2 * max(m, n) > k else TALL if transposed else WIDE
    if narrow:
        return TALL if transposed else FEW_SIMDGROUPS
    return WIDE if transposed else TALL


def gemm(
    x: mx.array, w: mx.array, *, transposed: bool = False, chip: str = "s", tile: Tile | None = None
) -> mx.array:
    """``Y = X · W`` by MLX's ``steel_gemm_fused``. Counted as ``A`` (x), ``B`` (w) and ``D`` (the result).

    Args:
        x: [M, K], float32, float16 or bfloat16.
        w: [K, N], or [N, K] where ``transposed``; the same dtype.
        chip: chooses the tile, as in ``tile_for``.
        tile: takes this one whatever MLX would take.

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    m, n, k = arguments.matrices(x, w, transposed=transposed)
    if x.size == 0 or w.size == 0:
        return mx.zeros((m, n), dtype=x.dtype)
    tile = tile or tile_for(m, n, k, x.dtype, transposed=transposed, chip=chip)
    constants = (
        (10, False),  # no batch of several axes
        (100, False),  # nothing is added to the product
        (110, False),
        (200, m % tile.bm == 0),  # no ragged tile along M, N and K
        (201, n % tile.bn == 0),
        (202, k % tile.bk == 0),
    )
    function = library(*STEEL, constants=constants).function(tile.name(x.dtype, transposed))
    across, down = -(-n // tile.bn), -(-m // tile.bm)
    # GEMMParams: sizes, lengths of rows, tiles, three steps between matrices of a batch, no swizzle, whole
    # steps along K, axes of the batch.
    params = struct.pack("8i3q3i4x", m, n, k, k, w.shape[1], n, across, down, 0, 0, 0, 0, k // tile.bk, 1)
    y = Output((m, n), x.dtype)
    buffers = {0: x, 1: w, 3: y.memory, 4: params}
    function(buffers, threadgroups=(across, down, 1), threadgroup=(32, tile.wn, tile.wm))
    return y.array()
