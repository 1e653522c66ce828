"""Every kernel, every dtype, awkward shapes, against float64 within the derived bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import gemm, gemv, textbook, tolerance

from .conftest import Draw

DTYPES = [mx.float32, mx.float16, mx.bfloat16]


@dataclass(frozen=True)
class Product:
    """A kernel, whether its weights are W[N, K], and the M it takes."""

    launch: Callable[[mx.array, mx.array], mx.array]
    transposed: bool
    largest_m: int | None = None

    def shapes(self, m: int, n: int, k: int) -> tuple[tuple[int, ...], tuple[int, int]]:
        return (m, k), ((n, k) if self.transposed else (k, n))


PRODUCTS = {
    "textbook.matmul": Product(textbook.matmul, False),
    "gemv.naive_rows": Product(gemv.naive_rows, True, 1),
    "gemv.naive_columns": Product(gemv.naive_columns, False, 1),
    "gemv.simd": Product(gemv.simd, True, 1),
    "gemv.rows": Product(gemv.rows, True, 1),
    "gemv.vector": Product(gemv.vector, True, 1),
    "gemv.wide": Product(gemv.wide, True, 1),
    "gemv.batched": Product(gemv.batched, True, gemv.launch.BATCH),
    "gemm.tiled": Product(gemm.tiled, False),
    "gemm.padded": Product(gemm.padded, True),
    "gemm.register_tile": Product(gemm.register_tile, False),
    "gemm.mma": Product(gemm.mma, False),
    "gemm.mma_rows low": Product(partial(gemm.mma_rows, tile="low"), True),
    "gemm.mma_rows square": Product(gemm.mma_rows, True),
    "gemm.mma_rows large": Product(partial(gemm.mma_rows, tile="large"), True),
}

# One, primes, tiles and their neighbours, more than a threadgroup, M ≠ N ≠ K.
SHAPES = [
    (1, 1, 1),
    (1, 7, 1),
    (2, 3, 5),
    (1, 32, 128),
    (5, 33, 31),
    (16, 32, 32),
    (17, 31, 33),
    (3, 257, 127),
    (13, 67, 261),
    (31, 65, 129),
    (37, 41, 1),
    (1, 1, 4099),
    (2, 9, 2049),
]

EVERY_PRODUCT = pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS.keys())
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])


def check(product: Product, x: mx.array, w: mx.array, m: int, n: int) -> None:
    y = product.launch(x, w)
    assert y.dtype == x.dtype
    assert tuple(y.shape) == (m, n)
    assert tolerance.excess(y, x, w, transposed=product.transposed) <= 1


@EVERY_PRODUCT
@EVERY_DTYPE
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_is_the_product(product: Product, dtype: mx.Dtype, shape: tuple[int, int, int], draw: Draw) -> None:
    m, n, k = shape
    m = min(m, product.largest_m or m)
    x_shape, w_shape = product.shapes(m, n, k)
    check(product, draw(x_shape, dtype, seed=1), draw(w_shape, dtype, seed=2), m, n)


@EVERY_PRODUCT
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_is_the_product_for_any_shape(product: Product, data: st.DataObject) -> None:
    m = data.draw(st.integers(1, min(product.largest_m or 70, 70)), label="M")
    n = data.draw(st.integers(1, 150), label="N")
    k = data.draw(st.integers(1, 300), label="K")
    dtype = data.draw(st.sampled_from(DTYPES), label="dtype")
    # A row of numbers of any size: what is small must not vanish behind what is large in another row.
    scale = 10.0 ** data.draw(st.integers(-3, 1), label="scale")
    numbers = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    x_shape, w_shape = product.shapes(m, n, k)
    x = mx.array(numbers.normal(scale=scale, size=x_shape).astype(np.float32)).astype(dtype)
    w = mx.array(numbers.normal(size=w_shape).astype(np.float32)).astype(dtype)
    check(product, x, w, m, n)


@EVERY_PRODUCT
def test_nan_and_infinity_reach_their_outputs_and_no_others(product: Product, draw: Draw) -> None:
    m, n, k = min(19, product.largest_m or 19), 37, 45
    x_shape, w_shape = product.shapes(m, n, k)
    x, w = draw(x_shape, mx.float32, seed=3), draw(w_shape, mx.float32, seed=4)
    # The last k and the last row or column lie in the ragged tile.
    if product.transposed:
        w[n - 1, k - 1] = float("nan")
        w[2, 5] = float("inf")
    else:
        w[k - 1, n - 1] = float("nan")
        w[5, 2] = float("inf")
    check(product, x, w, m, n)


@EVERY_PRODUCT
def test_slices_and_transposed_views(product: Product, draw: Draw) -> None:
    m, n, k = min(6, product.largest_m or 6), 35, 131
    x_shape, w_shape = product.shapes(m, n, k)
    # One element into a larger array: rows that no vector load is aligned to.
    x = draw((m * k + 1,), mx.float32, seed=5)[1:].reshape(x_shape)
    w = draw((w_shape[1], w_shape[0]), mx.float32, seed=6).T
    check(product, x, w, m, n)


@EVERY_PRODUCT
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)], ids=["M=0", "N=0", "K=0"])
def test_nothing_to_do(product: Product, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    if product.largest_m == 1:
        m = 1
    x_shape, w_shape = product.shapes(m, n, k)
    y = product.launch(mx.zeros(x_shape), mx.zeros(w_shape))
    assert tuple(y.shape) == (m, n)
    assert not np.array(y).any()


@pytest.mark.parametrize("name", [name for name, p in PRODUCTS.items() if p.largest_m == 1])
def test_gemv_of_a_flat_vector(name: str, draw: Draw) -> None:
    product = PRODUCTS[name]
    x = draw((77,), mx.float16, seed=7)
    w = draw(product.shapes(1, 53, 77)[1], mx.float16, seed=8)
    y = product.launch(x, w)
    assert tuple(y.shape) == (53,)
    assert tolerance.excess(y, x, w, transposed=product.transposed) <= 1


@EVERY_PRODUCT
@EVERY_DTYPE
def test_one_and_two_threads_give_the_same_bits(product: Product, dtype: mx.Dtype, draw: Draw) -> None:
    if mx.metal.is_available():
        pytest.skip("threads of the CPU back end; kernels run on Metal here")
    from anymetal.runtime.launch import threads

    m, n, k = min(40, product.largest_m or 40), 700, 133
    x_shape, w_shape = product.shapes(m, n, k)
    x, w = draw(x_shape, dtype, seed=9), draw(w_shape, dtype, seed=10)
    bits = []
    for count in (1, 2):
        with threads(count):
            y = product.launch(x, w)
            bits.append(np.array(y.view(mx.uint32 if dtype == mx.float32 else mx.uint16)))
    assert np.array_equal(bits[0], bits[1])


@EVERY_DTYPE
@pytest.mark.parametrize("block", [(1, 4), (2, 2), (4, 1)])
def test_mma_by_any_block(block: tuple[int, int], dtype: mx.Dtype, draw: Draw) -> None:
    x, w = draw((45, 71), dtype, seed=11), draw((71, 39), dtype, seed=12)
    assert tolerance.excess(gemm.mma(x, w, block=block), x, w) <= 1


@pytest.mark.parametrize("m", range(1, gemv.launch.BATCH + 1))
def test_batched_for_every_m(m: int, draw: Draw) -> None:
    # 11 columns: whole and ragged blocks of rows of W, whether they are four or two.
    x, w = draw((m, 70), mx.float32, seed=13), draw((11, 70), mx.float32, seed=14)
    assert tolerance.excess(gemv.batched(x, w), x, w, transposed=True) <= 1
