"""Transposing copies against NumPy, to the last bit, and what they ask of memory."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import transpose
from kernels.tolerance import exact

from .conftest import Draw

EVERY_KERNEL = pytest.mark.parametrize("kernel", [transpose.apart, transpose.tiled], ids=lambda k: k.__name__)
Copy = Callable[[mx.array], mx.array]


@EVERY_KERNEL
@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (1, 67), (17, 1), (15, 33), (16, 48), (37, 17)])
def test_rows_become_columns(kernel: Copy, dtype: mx.Dtype, shape: tuple[int, int], draw: Draw) -> None:
    x = draw(shape, dtype, seed=1)
    y = kernel(x)
    assert y.dtype == dtype
    assert np.array_equal(exact(y), exact(x).T)


@EVERY_KERNEL
def test_special_numbers_move_and_nothing_else(kernel: Copy, draw: Draw) -> None:
    x = draw((5, 19), mx.float32, seed=2)
    x[1, 18], x[4, 0], x[2, 7] = float("nan"), float("inf"), float("-inf")
    assert np.array_equal(exact(kernel(x)), exact(x).T, equal_nan=True)
    assert kernel(mx.zeros((0, 5))).shape == (5, 0)


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16], ids=str)
def test_only_the_tiled_one_is_side_by_side_on_both_sides(dtype: mx.Dtype, draw: Draw) -> None:
    x = draw((64, 96), dtype, seed=3)
    coalescing = {}
    for kernel in (transpose.apart, transpose.tiled):
        with anymetal.checked() as report:
            kernel(x)
        assert report.findings == []
        buffers = report.counters.buffers
        assert buffers["X"].bytes_read == buffers["Y"].bytes_written == x.nbytes
        coalescing[kernel] = buffers["X"].coalescing, buffers["Y"].coalescing
    # A SIMD-group is two rows of 16: where they are stored apart, two neighbours share a sector.
    assert coalescing[transpose.apart] == (1, 2 * x.itemsize / 32)
    assert coalescing[transpose.tiled] == (1, 1)


def test_no_round_of_the_banks_is_lost(draw: Draw) -> None:
    with anymetal.checked() as report:
        transpose.tiled(draw((64, 64), mx.float32, seed=4))
    assert report.counters.load_conflicts <= 1
