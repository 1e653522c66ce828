"""The bound holds for honest float32 sums, and a wrong kernel does not fit into it."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

from kernels import tolerance

from .conftest import Draw


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize("k", [1, 2, 33, 1024])
def test_holds_for_one_long_float32_sum(dtype: mx.Dtype, k: int, draw: Draw) -> None:
    x, w = draw((3, k), dtype, seed=1), draw((k, 5), dtype, seed=2)
    a, b = np.array(x.astype(mx.float32)), np.array(w.astype(mx.float32))
    total = np.zeros((3, 5), np.float32)
    for i in range(k):
        total += a[:, i : i + 1] * b[i : i + 1]
    assert tolerance.excess(mx.array(total).astype(dtype), x, w) <= 1


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_a_product_left_out_does_not_fit(dtype: mx.Dtype, draw: Draw) -> None:
    k = 64
    x, w = draw((4, k), dtype, seed=3), draw((k, 6), dtype, seed=4)
    without_the_last = tolerance.exact(x)[:, :-1] @ tolerance.exact(w)[:-1]
    y = mx.array(without_the_last.astype(np.float32)).astype(dtype)
    assert tolerance.excess(y, x, w) > 1


def test_a_half_accumulator_does_not_fit(draw: Draw) -> None:
    k = 4096
    x, w = draw((1, k), mx.float16, seed=5), draw((k, 8), mx.float16, seed=6)
    a, b = np.array(x), np.array(w)
    total = np.zeros((1, 8), np.float16)
    for i in range(k):
        total = (total + a[:, i : i + 1] * b[i : i + 1]).astype(np.float16)
    assert tolerance.excess(mx.array(total), x, w) > 1


def test_the_transposed_product_does_not_fit(draw: Draw) -> None:
    x, w = draw((8, 8), mx.float32, seed=7), draw((8, 8), mx.float32, seed=8)
    y = mx.array((tolerance.exact(x) @ tolerance.exact(w)).T.astype(np.float32))
    assert tolerance.excess(y, x, w) > 1


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_nan_or_infinity_from_nowhere_counts_as_infinite(wrong: float, draw: Draw) -> None:
    x, w = draw((2, 3), mx.float32, seed=9), draw((3, 2), mx.float32, seed=10)
    y = mx.array((tolerance.exact(x) @ tolerance.exact(w)).astype(np.float32))
    assert tolerance.excess(y, x, w) <= 1
    y[1, 1] = wrong
    assert tolerance.excess(y, x, w) == float("inf")


def test_a_swallowed_nan_or_infinity_counts_as_infinite() -> None:
    w = mx.ones((2, 1))
    assert tolerance.excess(mx.array([[0.0]]), mx.array([[float("nan"), 1.0]]), w) == float("inf")
    assert tolerance.excess(mx.array([[0.0]]), mx.array([[float("inf"), 1.0]]), w) == float("inf")
    assert tolerance.excess(mx.array([[float("inf")]]), mx.array([[float("inf"), 1.0]]), w) == 0


def test_weights_by_rows(draw: Draw) -> None:
    x, w = draw((3, 7), mx.float32, seed=11), draw((5, 7), mx.float32, seed=12)
    y = mx.array((tolerance.exact(x) @ tolerance.exact(w).T).astype(np.float32))
    assert tolerance.excess(y, x, w, transposed=True) <= 1


def test_gamma_has_an_end() -> None:
    assert tolerance.gamma(1) == pytest.approx(2.0**-24)
    with pytest.raises(ValueError, match=r"k is 16777216; .* k ≥ 16777216"):
        tolerance.gamma(2**24)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_weights_rounded_before_the_product_need_their_own_bound(dtype: mx.Dtype, draw: Draw) -> None:
    from kernels.quantized import q4_0

    x, w = draw((7, 32), dtype, seed=13), q4_0.quantize(draw((41, 32), mx.float32, seed=14))
    rounded = tolerance.exact(mx.array(w.dequantize()).astype(dtype))
    y = mx.array((tolerance.exact(x) @ rounded.T).astype(np.float32)).astype(dtype)
    assert tolerance.quantized_excess(y, x, w) > 1
    assert tolerance.quantized_excess(y, x, w, rounded=True) <= 1
    y = mx.array((tolerance.exact(x)[:, 1:] @ rounded.T[1:]).astype(np.float32)).astype(dtype)
    assert tolerance.quantized_excess(y, x, w, rounded=True) > 1
