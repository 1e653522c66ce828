"""Sums of rows against float64, within the bound of any order of additions."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import reduction
from kernels.tolerance import exact, gamma

from .conftest import Draw

KERNELS = [reduction.lanes, reduction.threadgroup, reduction.tree]
EVERY_KERNEL = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.__name__)
# Unit round-off, and half the smallest subnormal number.
STORED = {mx.float32: (0.0, 0.0), mx.float16: (2.0**-11, 2.0**-25), mx.bfloat16: (2.0**-8, 2.0**-134)}
Sum = Callable[[mx.array], mx.array]


def check(kernel: Sum, x: mx.array) -> None:
    y = kernel(x)
    m, k = x.shape
    assert y.dtype == x.dtype
    assert tuple(y.shape) == ((m, 32) if kernel is reduction.lanes else (m,))
    values, got = exact(x), exact(y)
    got = got if got.ndim == 2 else got[:, None]
    with np.errstate(invalid="ignore"):
        want, size = values.sum(axis=1, keepdims=True), np.abs(values).sum(axis=1, keepdims=True)
        relative, tiny = STORED[x.dtype]
        # K - 1 additions in any order; a GPU may flush what is below the smallest normal number.
        allowed = gamma(k) * size + k * 2.0**-126
        allowed = allowed + relative * (np.abs(want) + allowed) + tiny
        near = np.abs(got - want) <= allowed
    special = np.where(np.isnan(want), np.isnan(got), got == want)
    assert np.where(np.isfinite(want), near, special).all()


@EVERY_KERNEL
@pytest.mark.parametrize("dtype", STORED, ids=lambda d: str(d).rsplit(".", 1)[-1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 31), (7, 33), (9, 255), (8, 257), (2, 2311)])
def test_is_the_sum_of_each_row(kernel: Sum, dtype: mx.Dtype, shape: tuple[int, int], draw: Draw) -> None:
    check(kernel, draw(shape, dtype, seed=1))


@EVERY_KERNEL
def test_small_large_and_special_numbers(kernel: Sum, draw: Draw) -> None:
    for scale in (1e-3, 1e3):
        check(kernel, draw((5, 300), mx.float32, seed=2, scale=scale))
    x = draw((6, 300), mx.float32, seed=3)
    x[1, 299], x[2, 7], x[4, 256] = float("nan"), float("inf"), float("-inf")
    check(kernel, x)


@EVERY_KERNEL
def test_nothing_to_add(kernel: Sum) -> None:
    assert kernel(mx.zeros((0, 5))).shape[0] == 0
    assert not np.array(kernel(mx.zeros((3, 0)))).any()


@EVERY_KERNEL
def test_each_element_is_asked_for_once_and_nothing_is_wrong(kernel: Sum, draw: Draw) -> None:
    with anymetal.checked() as report:
        kernel(draw((9, 1000), mx.float32, seed=4))
    assert report.findings == []
    assert report.counters.buffers["X"].bytes_read == 4 * 9 * 1000


@EVERY_KERNEL
def test_arguments(kernel: Sum) -> None:
    with pytest.raises(TypeError, match=r"x is a list; it must be an mx\.array of shape \[M, K\]"):
        kernel([1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"x has shape \(4,\); it must have shape \[M, K\]"):
        kernel(mx.zeros((4,)))
