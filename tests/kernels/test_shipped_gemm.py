"""MLX's steel GEMM as we launch it: right for each tile that MLX would pick, ragged or not, and counted."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import tolerance
from kernels.shipped import gemm
from kernels.shipped.gemm import FEW_SIMDGROUPS, SQUARE, TALL, WIDE, Tile, tile_for

from .conftest import Draw


# Each combination of tile, layout, dtype and ragged edges is an instance that takes seconds to compile.
@pytest.mark.parametrize(
    ("tile", "transposed"),
    [(SQUARE, True), (FEW_SIMDGROUPS, False), (TALL, True), (WIDE, False)],
    ids=str,
)
def test_every_tile(tile: Tile, transposed: bool, draw: Draw) -> None:
    m, n, k = 67, 131, 45
    x, w = draw((m, k), mx.float16, seed=1), draw((n, k) if transposed else (k, n), mx.float16, seed=2)
    y = gemm(x, w, transposed=transposed, tile=tile)
    assert (tuple(y.shape), y.dtype) == ((m, n), mx.float16)
    assert tolerance.excess(y, x, w, transposed=transposed) <= 1


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((64, 64, 16), mx.bfloat16), ((65, 64, 32), mx.float32), ((1, 1, 1), mx.float32)],
    ids=str,
)
def test_whole_and_ragged_edges(shape: tuple[int, int, int], dtype: mx.Dtype, draw: Draw) -> None:
    m, n, k = shape
    x, w = draw((m, k), dtype, seed=3), draw((k, n), dtype, seed=4)
    assert tolerance.excess(gemm(x, w), x, w) <= 1


def test_a_slice_and_a_transposed_view(draw: Draw) -> None:
    x, w = draw((40 * 30 + 1,), mx.float32, seed=5)[1:].reshape(40, 30), draw((50, 30), mx.float32, seed=6).T
    assert tolerance.excess(gemm(x, w), x, w) <= 1


def test_the_tile_is_the_one_that_mlx_takes() -> None:
    f32, f16 = mx.float32, mx.bfloat16
    assert tile_for(512, 4096, 4096, f16) == SQUARE
    assert tile_for(512, 4096, 4096, f16, chip="g") == FEW_SIMDGROUPS
    assert tile_for(512, 4096, 4096, f32, chip="g") == SQUARE
    assert tile_for(512, 4096, 4096, f32, chip="p", transposed=True) == TALL
    assert tile_for(1024, 1024, 2047, f16, chip="d") == FEW_SIMDGROUPS
    assert tile_for(1024, 1024, 2048, f16, chip="d") == WIDE
    assert tile_for(1024, 1024, 2048, f16, transposed=True, chip="d") == TALL
    assert tile_for(1024, 1024, 2048, f32, chip="d") == SQUARE
    assert tile_for(1024, 1023, 64, f32, chip="d") == TALL
    assert tile_for(1024, 1023, 64, f32, transposed=True, chip="d") == WIDE
    assert tile_for(1024, 1023, 64, f16, chip="d") == FEW_SIMDGROUPS
    assert tile_for(1024, 1023, 64, f16, transposed=True, chip="d") == TALL


def test_checked_mode_counts_it(draw: Draw) -> None:
    # Two tiles down and three across: x comes in three times, w twice.
    m, n, k = 128, 192, 32
    x, w = draw((m, k), mx.float32, seed=7), draw((k, n), mx.float32, seed=8)
    with anymetal.checked() as report:
        gemm(x, w)
    assert not report.findings, str(report)
    counted = report.counters
    assert counted.buffers["A"].bytes_read == 4 * m * k * 3
    assert counted.buffers["B"].bytes_read == 4 * k * n * 2
    assert counted.buffers["D"].bytes_written == 4 * m * n
    assert counted.mma == m * n * k // 512


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(TypeError, match="x is a list"):
        gemm([[1.0]], mx.zeros((1, 1)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs K = 3"):
        gemm(mx.zeros((2, 3)), mx.zeros((4, 5)))
    with pytest.raises(ValueError, match="axis 1 gives K = 5"):
        gemm(mx.zeros((2, 4)), mx.zeros((4, 5)), transposed=True)


def test_nothing_to_do() -> None:
    assert tuple(gemm(mx.zeros((0, 4)), mx.zeros((4, 3))).shape) == (0, 3)
    assert not np.array(gemm(mx.zeros((2, 0)), mx.zeros((0, 3)))).any()
