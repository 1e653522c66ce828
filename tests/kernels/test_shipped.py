"""MLX's own kernels as we launch them: right for every instance that MLX would pick, and counted."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import shipped, tolerance
from kernels.shipped import wheel
from kernels.shipped.gemv import instance, instance_t

from .conftest import Draw

DTYPES = [mx.float32, mx.float16, mx.bfloat16]
Launch = Callable[[mx.array, mx.array], mx.array]

# (N, K), and the instance that MLX picks there.
STRAIGHT = {
    (67, 131): (4, 1, 1, 32, 4, 4),
    (4099, 70): (8, 1, 1, 32, 4, 4),
    (45, 64): (1, 1, 8, 4, 4, 4),
    (9, 145): (1, 8, 1, 32, 4, 4),
    (3, 47): (1, 1, 8, 4, 1, 4),
    (1, 1): (1, 1, 8, 4, 1, 4),
}
TRANSPOSED = {
    (67, 131): (1, 2, 8, 4, 4, 4),
    (513, 37): (1, 4, 8, 4, 4, 4),
    (2050, 33): (1, 16, 8, 4, 4, 4),
    (2050, 8193): (1, 16, 4, 8, 4, 4),
    (3, 47): (1, 2, 8, 4, 4, 1),
    (1, 1): (1, 2, 8, 4, 4, 1),
}


def ids(shape: tuple[int, int]) -> str:
    return "x".join(map(str, shape))


@pytest.mark.parametrize("shape", STRAIGHT, ids=ids)
def test_gemv(shape: tuple[int, int], draw: Draw) -> None:
    n, k = shape
    assert instance(n, k).blocks == STRAIGHT[shape]
    for dtype in DTYPES if shape == (67, 131) else DTYPES[:1]:
        x, w = draw((1, k), dtype, seed=1), draw((n, k), dtype, seed=2)
        y = shipped.gemv(x, w)
        assert (tuple(y.shape), y.dtype) == ((1, n), dtype)
        assert tolerance.excess(y, x, w, transposed=True) <= 1


@pytest.mark.parametrize("shape", TRANSPOSED, ids=ids)
def test_gemv_t(shape: tuple[int, int], draw: Draw) -> None:
    n, k = shape
    assert instance_t(n, k).blocks == TRANSPOSED[shape]
    for dtype in DTYPES if shape == (67, 131) else DTYPES[:1]:
        x, w = draw((k,), dtype, seed=3), draw((k, n), dtype, seed=4)
        y = shipped.gemv_t(x, w)
        assert (tuple(y.shape), y.dtype) == ((n,), dtype)
        assert tolerance.excess(y, x, w) <= 1


@pytest.mark.parametrize("transposed", [False, True])
def test_a_batch_is_its_rows(transposed: bool, draw: Draw) -> None:
    launch: Launch = shipped.gemv if transposed else shipped.gemv_t
    x, w = draw((3, 131), mx.float32, seed=5), draw((3, 67, 131), mx.float32, seed=6)
    if not transposed:
        w = mx.swapaxes(w, 1, 2)  # a view: the launch must see its rows in one piece
    y = launch(x, w)
    for b in range(3):
        assert tolerance.excess(y[b], x[b], w[b], transposed=transposed) <= 1


def test_what_does_not_fit_is_named() -> None:
    w = mx.zeros((5, 4))
    with pytest.raises(TypeError, match="x is a list"):
        shipped.gemv([1.0], w)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"needs K = 3"):
        shipped.gemv(mx.zeros((3,)), w)
    with pytest.raises(ValueError, match=r"axis 0 gives K = 5; .* needs K = 4"):
        shipped.gemv_t(mx.zeros((4,)), w)
    with pytest.raises(ValueError, match=r"x must have shape \[B, K\], with a row for each of the B"):
        shipped.gemv(mx.zeros((2, 4)), mx.zeros((3, 5, 4)))
    with pytest.raises(anymetal.CompileError, match="nowhere"):
        wheel.library("nowhere.h")


def test_nothing_to_do() -> None:
    assert tuple(shipped.gemv(mx.zeros((1, 4)), mx.zeros((0, 4))).shape) == (1, 0)
    assert not np.array(shipped.gemv_t(mx.zeros((0,)), mx.zeros((0, 3)))).any()


def test_checked_mode_counts_it(draw: Draw) -> None:
    # 16 SIMD-groups of four rows: each weight once, x once for each of them.
    x, w = draw((256,), mx.float32, seed=7), draw((64, 256), mx.float32, seed=8)
    with anymetal.checked() as report:
        shipped.gemv(x, w)
    assert not report.findings, str(report)
    counted = report.counters.buffers
    assert counted["mat"].bytes_read == 4 * 64 * 256
    assert counted["in_vec"].bytes_read == 4 * 16 * 256
    assert counted["out_vec"].bytes_written == 4 * 64
