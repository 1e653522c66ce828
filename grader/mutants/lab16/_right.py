"""A right choice among right kernels, for the mutants to spoil one thing each.

The kernels are the book's own texts, launched as the lab launches them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx

from grader.labs.lab16 import BATCH, TILES, asked
from kernels import source

Strategy = Callable[[mx.array, mx.array], mx.array]

BATCHED = source.text("gemv/batched.metal")
GEMM = source.text("gemm/mma_rows.metal")


def kernel(name: str, text: str) -> Any:
    return mx.fast.metal_kernel(name=name, input_names=["X", "W"], output_names=["Y"], source=text)


def batched(text: str = BATCHED) -> Strategy:
    """The batched GEMV, a SIMD-group for each two or four rows of w."""
    body = kernel("gemv_batched", text)

    def run(x: mx.array, w: mx.array) -> mx.array:
        m, n = x.shape[0], w.shape[0]
        rows = 4 if m <= 4 else 2
        outputs: list[mx.array] = body(
            inputs=[x, w],
            template=[("T", x.dtype), ("SIMDGROUPS", 8), ("M", m), ("ROWS", rows)],
            grid=(32 * -(-n // rows), 1, 1),
            threadgroup=(256, 1, 1),
            output_shapes=[(m, n)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return run


def gemm(tile: str, text: str = GEMM, grid_of: str = "") -> Strategy:
    """The GEMM by a tile; `grid_of` names the tile that the grid is made for, where that is another."""
    body = kernel("gemm_mma_rows", text)
    down, across, fm, fn = TILES[tile]
    bm, bn = _edges(grid_of or tile)

    def run(x: mx.array, w: mx.array) -> mx.array:
        m, n = x.shape[0], w.shape[0]
        threads = 32 * down * across
        outputs: list[mx.array] = body(
            inputs=[x, w],
            template=[("T", x.dtype), ("DOWN", down), ("ACROSS", across), ("FM", fm), ("FN", fn)],
            grid=(-(-n // bn) * threads, -(-m // bm), 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(m, n)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return run


def _edges(tile: str) -> tuple[int, int]:
    down, across, fm, fn = TILES[tile]
    return down * fm * 8, across * fn * 8


def choose(m: int, n: int, k: int, size: int) -> str:
    there = [name for name in ("batched", *TILES) if name != "batched" or m <= BATCH]
    return min(there, key=lambda name: asked(name, m, n, k, size))


STRATEGIES: Mapping[str, Strategy] = {"batched": batched(), **{tile: gemm(tile) for tile in TILES}}


def matmul(
    strategies: Mapping[str, Strategy] = STRATEGIES, choice: Callable[[int, int, int, int], str] = choose
) -> Strategy:
    """The product by the strategy that `choice` names."""

    def run(x: mx.array, w: mx.array) -> mx.array:
        return strategies[choice(x.shape[0], w.shape[0], w.shape[1], x.dtype.size)](x, w)

    return run
