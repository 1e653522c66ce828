"""MLX's own kernel headers, as its wheel ships them, run by `Library` and compared with float64.

A kernel's sum of K products in float32 is off by at most K roundings of the sum of their magnitudes; inputs
are rounded to the kernel's type before either side sees them, and so only its intermediate values and its
result are rounded on one side alone: at most three times.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels.shipped.wheel import HEADERS, INCLUDE, library

from .mlx_kernels import (
    DTYPES,
    ROUNDING,
    gemv,
    quantized,
    rounded,
    steel_gemm,
    wide,
)

FLOAT32 = ROUNDING["float"]


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def assert_close(got: np.ndarray, right: np.ndarray, magnitude: np.ndarray, terms: int, dtype: str) -> None:
    """`magnitude`: the sum of the magnitudes of each element's `terms` products."""
    tolerance = magnitude * (3 * ROUNDING[dtype] + (terms + 8) * FLOAT32)
    assert np.isfinite(got).all()
    worst = np.max(np.abs(got - right) / tolerance)
    assert worst <= 1, f"{worst:.1f} times the error that rounding explains"


GEMV = [
    *[(dtype, 67, 131, transposed, 1) for dtype in DTYPES for transposed in (False, True)],
    ("float", 3, 45, False, 1),  # fewer rows than a thread makes
    ("float", 45, 3, True, 1),
    ("float", 7, 1000, False, 1),  # long rows: several SIMD-groups a row
    ("float", 136, 520, True, 1),
    ("half", 37, 200, False, 3),
    ("bfloat16_t", 37, 200, True, 3),
]


@pytest.mark.parametrize(("dtype", "rows", "columns", "transposed", "batch"), GEMV)
def test_gemv(dtype: str, rows: int, columns: int, transposed: bool, batch: int) -> None:
    length, out = (rows, columns) if transposed else (columns, rows)
    mat = rounded(normal(1, batch, rows, columns), dtype)
    vec = rounded(normal(2, batch, length), dtype)
    got = gemv(mat, vec, transposed=transposed).reshape(batch, out)
    m, v = wide(mat), wide(vec)
    product = "bij,bi->bj" if transposed else "bij,bj->bi"
    right, magnitude = np.einsum(product, m, v), np.einsum(product, abs(m), abs(v))
    assert_close(got, right, magnitude, length, dtype)


SHAPES = {  # rows of x, n, k; qvm and qmm_n have whole groups along n
    "qmv_fast": (2, 24, 1024),
    "qmv": (3, 21, 384),
    "qvm": (2, 384, 136),
    "qmm_t": (35, 51, 256),
    "qmm_n": (37, 384, 96),
}
BITS, GROUPS = (2, 3, 4, 5, 6, 8), (32, 64, 128)
# Every kernel with every number of bits; groups and types go round beside them.
QUANTIZED = [
    (kernel, list(DTYPES)[(i + 2 * j) % 3], bits, GROUPS[(i + j) % 3])
    for i, bits in enumerate(BITS)
    for j, kernel in enumerate(SHAPES)
]


@pytest.mark.parametrize(("kernel", "dtype", "bits", "group"), QUANTIZED)
def test_quantized(kernel: str, dtype: str, bits: int, group: int) -> None:
    rows, n, k = SHAPES[kernel]
    straight = kernel in ("qvm", "qmm_n")
    weights = mx.array(normal(3, *((k, n) if straight else (n, k))), mx.float32)
    w, scales, biases = mx.quantize(weights, group_size=group, bits=bits, stream=mx.cpu)
    scales, biases = scales.astype(DTYPES[dtype]), biases.astype(DTYPES[dtype])
    x = rounded(normal(4, rows, k), dtype)
    got = quantized(kernel, x, (w, scales, biases), dtype, bits, group)

    # MLX's CPU operation, on the same scales and biases, widened: float32 has room for their products.
    exact = mx.dequantize(
        w,
        scales.astype(mx.float32),
        biases.astype(mx.float32),
        group_size=group,
        bits=bits,
        stream=mx.cpu,
    )
    values = wide(exact)
    # A weight is scale * q + bias: each of the two may be larger than their sum.
    magnitude = abs(values) + 2 * np.repeat(abs(wide(biases)), group, axis=1)
    if not straight:
        values, magnitude = values.T, magnitude.T
    assert_close(got, wide(x) @ values, abs(wide(x)) @ magnitude, k, dtype)


def test_quantized_covers_every_width_and_group() -> None:
    assert {(c[0], c[2]) for c in QUANTIZED} == {(kernel, bits) for kernel in SHAPES for bits in BITS}
    for kernel in SHAPES:
        assert {c[3] for c in QUANTIZED if c[0] == kernel} == set(GROUPS)


SMALL = (32, 32, 16, 2, 2)
STEEL = [
    ("float", False, False, 128, 64, 48, (64, 64, 16, 2, 2)),  # whole tiles
    ("float", False, True, 64, 64, 32, (64, 64, 16, 2, 2)),
    ("float", True, False, 64, 96, 32, SMALL),
    ("float", True, True, 96, 64, 32, SMALL),
    ("float", False, False, 71, 45, 37, SMALL),  # ragged in every direction
    ("float", False, True, 71, 45, 37, SMALL),
    ("float", True, False, 71, 45, 37, SMALL),
    ("float", True, True, 71, 45, 37, SMALL),
    ("half", False, True, 64, 64, 32, SMALL),
    ("bfloat16_t", False, False, 45, 64, 32, SMALL),
]


@pytest.mark.parametrize(("dtype", "ta", "tb", "m", "n", "k", "tile"), STEEL)
def test_steel_gemm_fused(
    dtype: str, ta: bool, tb: bool, m: int, n: int, k: int, tile: tuple[int, int, int, int, int]
) -> None:
    a = rounded(normal(5, *((k, m) if ta else (m, k))), dtype)
    b = rounded(normal(6, *((n, k) if tb else (k, n))), dtype)
    got = steel_gemm(a, b, dtype, ta=ta, tb=tb, tile=tile)
    left, right = wide(a).T if ta else wide(a), wide(b).T if tb else wide(b)
    assert_close(got, left @ right, abs(left) @ abs(right), k, dtype)


def test_steel_gemm_fused_adds_a_source() -> None:
    m, n, k = 64, 32, 32
    a, b, c = (rounded(normal(i, *shape), "float") for i, shape in ((7, (m, k)), (8, (k, n)), (9, (m, n))))
    got = steel_gemm(a, b, "float", ta=False, tb=False, tile=SMALL, source=(c, 0.5, -2.0))
    right = 0.5 * wide(a) @ wide(b) - 2 * wide(c)
    assert_close(got, right, 0.5 * abs(wide(a)) @ abs(wide(b)) + 2 * abs(wide(c)), k, "float")


@pytest.mark.parametrize("size", [512, 413])
def test_softmax(size: int) -> None:
    x = normal(10, 5, size).astype(np.float32) * 4
    out = np.full_like(x, np.nan)
    function = library("defines.h", "utils.h", "softmax.h").function("softmax_single_row<float, float, 4>")
    threads = -(-size // 128) * 32  # four elements a thread, whole SIMD-groups
    function(x, out, size, threadgroups=(5, 1, 1), threadgroup=(threads, 1, 1))
    right = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    right /= right.sum(axis=1, keepdims=True)
    # exp is off by 4 units in the last place at most (Metal's table), and its argument by half of one.
    np.testing.assert_allclose(out, right, rtol=(8 + 2 * abs(x).max() + size / 32) * FLOAT32)


def test_scan() -> None:
    x = normal(11, 3, 700).astype(np.float32)
    out = np.full_like(x, np.nan)
    function = library("defines.h", "utils.h", "scan.h").function(
        "contiguous_scan<float, float, CumSum<float>, 4, true, false>"
    )
    threads = -(-700 // 128) * 32
    function(x, out, np.uint64(700), grid=(threads, 3, 1), threadgroup=(threads, 1, 1))
    right = np.cumsum(x.astype(np.float64), axis=1)
    magnitude = np.cumsum(abs(x.astype(np.float64)), axis=1)
    assert np.all(abs(out - right) <= magnitude * 700 * FLOAT32)


@pytest.mark.parametrize("size", [512, 301])
def test_sort(size: int) -> None:
    x = normal(12, 4, size).astype(np.float32)
    out = np.full_like(x, np.nan)
    function = library("utils.h", "sort.h").function("block_sort<float, float, false, 128, 4>")
    function(x, out, size, 1, 1, size, size, threadgroups=(1, 4, 1), threadgroup=(128, 1, 1))
    np.testing.assert_array_equal(out, np.sort(x, axis=1))


@pytest.mark.parametrize("causal", [False, True])
def test_attention_of_one_query(causal: bool) -> None:
    heads, shared, keys, size = 4, 2, 77, 64
    q, k, v = (
        normal(i, *s).astype(np.float32)
        for i, s in ((13, (heads, size)), (14, (shared, keys, size)), (15, (shared, keys, size)))
    )
    out = np.full((heads, size), np.nan, np.float32)
    flags = {20: False, 21: False, 22: causal, 23: False, 24: False, 25: False}
    function = library("utils.h", "sdpa_vector.h", constants=tuple(flags.items())).function(
        f"sdpa_vector<float, {size}>"
    )
    buffers = {0: q, 1: k, 2: v, 3: out, 4: heads // shared, 5: keys, 6: keys * size, 7: size}
    buffers |= {8: keys * size, 9: size, 10: size**-0.5}
    function(buffers, threadgroups=(heads, 1, 1), threadgroup=(1024, 1, 1))
    # One query is the last of its sequence, so that the causal mask hides no key.
    right = mx.fast.scaled_dot_product_attention(
        *(mx.array(a.reshape(1, -1, n, size)) for a, n in ((q, 1), (k, keys), (v, keys))),
        scale=size**-0.5,
        stream=mx.cpu,
    )
    np.testing.assert_allclose(out, np.array(right).reshape(heads, size), atol=keys * 8 * FLOAT32)


def test_metal_4_tensors_are_refused_in_words() -> None:
    header = HEADERS / "steel" / "gemm" / "nax.h"
    assert header.exists()
    with pytest.raises(anymetal.CompileError, match=r"tensor operations .* not supported by anymetal"):
        anymetal.Library(f'#include "{header.relative_to(INCLUDE).as_posix()}"\n', include_dirs=[INCLUDE])
