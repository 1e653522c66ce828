"""Nested widths: the rule in fractions, the stores against MLX's affine format, kernels against float64."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import tolerance
from kernels.quantized import nested
from kernels.quantized.nested import Nested, Planes
from kernels.quantized.weights import Weights, bits_per_weight

from .conftest import Draw

Store = Nested | Planes
STORES: tuple[Callable[[Nested], Store], ...] = (lambda w: w, nested.split)
FLOATS = (mx.float32, mx.float16, mx.bfloat16)


def packed(codes: np.ndarray, bits: int) -> mx.array:
    """Codes [N, K] in MLX's layout of affine weights: a stream of bits, lowest first."""
    stream = codes[..., None] >> np.arange(bits, dtype=np.uint8) & 1
    octets = np.packbits(stream.reshape(len(codes), -1), axis=-1, bitorder="little")
    return mx.array(np.ascontiguousarray(octets).view(np.uint32))


@pytest.mark.parametrize("bits", nested.WIDTHS)
def test_each_code_is_cut_as_the_formula_says(bits: int) -> None:
    """S(q, r) = clamp(round(q / 2^(8−r)), 0, 2^r − 1) · 2^(8−r), halves up, in fractions."""
    step = 2 ** (8 - bits)
    want = [min(floor(Fraction(q, step) + Fraction(1, 2)), 2**bits - 1) for q in range(256)]
    assert list(nested.sliced(np.arange(256, dtype=np.uint8), bits)) == want


@pytest.mark.parametrize("bits", nested.WIDTHS)
@pytest.mark.parametrize("group", nested.GROUPS)
def test_a_model_is_an_affine_one_of_mlx_with_a_larger_scale(bits: int, group: int) -> None:
    rng = np.random.default_rng([bits, group])
    octets = rng.integers(0, 256, (7, 256), dtype=np.uint8)  # random bytes, not what quantize would choose
    scales, biases = (mx.array(rng.standard_normal((7, 256 // group)).astype(np.float32)) for _ in "sb")
    w = Nested(mx.array(octets.view(np.uint32)), scales, biases, bits)
    codes = packed(nested.sliced(octets, bits), bits)
    theirs = mx.dequantize(
        codes, scales * 2 ** (8 - bits), biases, group_size=group, bits=bits, stream=mx.cpu
    )
    # Both round the product and the sum to float32 once each, or the sum alone.
    assert np.all(np.abs(np.array(theirs) - w.dequantize()) <= 2.0**-23 * w.magnitudes())
    assert np.array_equal(nested.split(w).dequantize(), w.dequantize())
    assert np.array_equal(nested.split(w).magnitudes(), w.magnitudes())


def test_a_plane_holds_a_bit_of_each_code() -> None:
    octets = np.random.default_rng(1).integers(0, 256, (3, 64), dtype=np.uint8)
    ones = mx.ones((3, 1), dtype=mx.float16)
    planes = np.array(nested.split(Nested(mx.array(octets.view(np.uint32)), ones, ones)).planes)
    for n, k, p in np.ndindex(3, 64, 8):
        assert planes[p, n, k // 32] >> (k % 32) & 1 == octets[n, k] >> (7 - p) & 1


def test_a_narrow_model_is_the_beginning_of_the_planes(draw: Draw) -> None:
    w = nested.quantize(draw((5, 128), mx.float32))
    whole = nested.split(w)
    for bits in nested.WIDTHS:
        part = whole.at(bits)
        assert part.planes.shape[0] == nested.needed(bits) == min(bits + 1, 8)
        assert np.array_equal(np.array(part.planes), np.array(whole.planes)[: nested.needed(bits)])
        assert np.array_equal(part.dequantize(), w.at(bits).dequantize())
        assert bits_per_weight(part) == nested.needed(bits) + 32 / 64
        assert bits_per_weight(w.at(bits)) == 8 + 32 / 64


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_quantize_is_within_half_a_step(dtype: mx.Dtype, scale: float, draw: Draw) -> None:
    numbers = draw((6, 256), mx.float32, scale=scale)
    w = nested.quantize(numbers, group=32, dtype=dtype)
    step = np.repeat(tolerance.exact(w.scales), 32, axis=1)
    # Rounding scale and bias may move the group's ends by u of each, beyond what codes 0 and 255 reach.
    u = {mx.float32: 2.0**-24, mx.float16: 2.0**-11, mx.bfloat16: 2.0**-8}[dtype]
    ends = u * (255 * step + np.abs(np.repeat(tolerance.exact(w.biases), 32, axis=1))) * 1.01
    tiny = 2.0**-24 * 256 if dtype == mx.float16 else 0  # halves are 2^-24 apart near zero
    error = np.abs(w.dequantize() - tolerance.exact(numbers))
    assert np.all(error <= 0.5001 * step + ends + tiny)


def test_quantize_at_its_extremes() -> None:
    rows = np.zeros((4, 32), np.float32)
    rows[1] = 3.5
    rows[2] = -0.0
    rows[3, 5] = np.nan
    w = nested.quantize(rows, group=32, dtype=mx.float32).dequantize()
    assert np.array_equal(w[:3], rows[:3])
    assert np.isnan(w[3]).all()


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("bits", nested.WIDTHS)
def test_dequantize(store: Callable[[Nested], Store], bits: int, draw: Draw) -> None:
    dtype = FLOATS[bits % 3]
    w = store(nested.quantize(draw((5, 96), mx.float32), group=32, dtype=FLOATS[(bits + 1) % 3]).at(bits))
    u = {mx.float32: 2.0**-23, mx.float16: 2.0**-11, mx.bfloat16: 2.0**-8}[dtype]
    got = tolerance.exact(nested.dequantize(w, dtype))
    assert np.all(np.abs(got - w.dequantize()) <= 1.01 * u * w.magnitudes())


# Shapes go round with widths: 1, ragged N, N that no tile divides, several steps of a SIMD-group along K.
SHAPES = ((1, 32, 32), (5, 64, 64), (67, 128, 128), (9, 1088, 64), (33, 4160, 32))
CASES = [
    (bits, SHAPES[(i + j) % 5], FLOATS[(i + 2 * j) % 3], STORES[(i + j) % 2])
    for i, bits in enumerate(nested.WIDTHS)
    for j in range(2)
]


def ladder(w: Store) -> list[tuple[Callable[..., mx.array], int]]:
    """The functions that take w, each with a number of rows."""
    singles = (nested.gemv_one, nested.gemv_words) if isinstance(w, Nested) else (nested.gemv_planes,)
    return [*((f, 1) for f in singles), (nested.gemv, 1), (nested.batched, 3), (nested.gemm, 11)]


@pytest.mark.parametrize(("bits", "shape", "dtype", "store"), CASES)
def test_products(
    bits: int, shape: tuple[int, int, int], dtype: mx.Dtype, store: Callable[[Nested], Store], draw: Draw
) -> None:
    n, k, group = shape
    w = store(nested.quantize(draw((n, k), mx.float32, seed=1), group=group, dtype=FLOATS[bits % 3]).at(bits))
    assert isinstance(w, Weights)
    for function, m in ladder(w):
        x = draw((m, k), dtype, seed=2)
        y = function(x, w)
        assert (y.shape, y.dtype) == ((m, n), dtype)
        assert tolerance.quantized_excess(y, x, w) <= 1, function.__name__


@pytest.mark.parametrize("store", STORES)
def test_a_long_row_and_every_tile(store: Callable[[Nested], Store], draw: Draw) -> None:
    w = store(nested.quantize(draw((3, 11008), mx.float32), group=128).at(4))
    for m in (1, 5, 16, 37):
        x = draw((m, 11008), mx.float16, seed=m)
        assert tolerance.quantized_excess(nested.matmul(x, w), x, w) <= 1
    x = draw((11008,), mx.float16)
    assert nested.matmul(x, w).shape == (3,)


@pytest.mark.parametrize("store", STORES)
def test_nothing_is_out_of_bounds_and_each_code_is_asked_for_once(
    store: Callable[[Nested], Store], draw: Draw
) -> None:
    w = store(nested.quantize(draw((70, 256), mx.float32)).at(3))
    name = "codes" if isinstance(w, Nested) else "planes"
    size = w.nbytes - w.scales.nbytes - w.biases.nbytes
    for function, m in ((nested.gemv, 1), (nested.batched, 5), (nested.gemm, 9)):
        with anymetal.checked() as report:
            mx.eval(function(draw((m, 256), mx.float32), w))
        assert not report.findings, str(report)
        read = report.counters.buffers["codes" if function is nested.gemm else name]
        assert read.distinct_bytes_read == size
        if function is not nested.gemm:
            assert read.bytes_read == size
            assert read.coalescing == 1


def test_which_says_why_and_matmul_does_as_it_says(draw: Draw) -> None:
    assert str(nested.which(1, 8, 64, mx.float16)) == "gemv, because M is 1"
    assert nested.which(8, 8, 64, mx.float16).kernel == "batched"
    assert nested.which(9, 8, 64, mx.float16).kernel == "gemm"
    w = nested.quantize(draw((9, 64), mx.float32))
    for m in (1, 8, 9):
        x = draw((m, 64), mx.float32)
        direct = getattr(nested, nested.which(m, 9, 64, x.dtype).kernel)
        assert mx.array_equal(nested.matmul(x, w), direct(x, w))
    assert nested.matmul(mx.zeros((0, 64)), w).shape == (0, 9)
    none = Nested(mx.zeros((0, 16), dtype=mx.uint32), mx.zeros((0, 1)), mx.zeros((0, 1)))
    assert nested.matmul(mx.zeros((2, 64)), none).shape == (2, 0)
    assert nested.gemv_one(mx.zeros((64,)), none).shape == (0,)
    assert nested.dequantize(none, mx.float16).shape == (0, 64)


def test_errors_name_the_argument_and_what_it_needs(draw: Draw) -> None:
    numbers = draw((4, 64), mx.float32)
    w = nested.quantize(numbers)
    words, ones = mx.zeros((4, 16), dtype=mx.uint32), mx.ones((4, 1))
    listed: Any = []
    other: Any = words
    whole: Any = w
    for kind, words_of_it, call in (
        (ValueError, r"bits is 5; it must be 2, 3, 4, 6 or 8", lambda: w.at(5)),
        (ValueError, r"group is 48; it must be 32, 64 or 128", lambda: nested.quantize(numbers, group=48)),
        (ValueError, r"K = 64; .* multiple of 128", lambda: nested.quantize(numbers, group=128)),
        (ValueError, r"dtype is uint8", lambda: nested.quantize(numbers, dtype=mx.uint8)),
        (ValueError, r"K of at least 64", lambda: nested.quantize(np.zeros((2, 0), np.float32))),
        (TypeError, r"codes is a list; it must be an mx.array", lambda: Nested(listed, ones, ones)),
        (ValueError, r"codes has dtype float32", lambda: Nested(ones, ones, ones)),
        (TypeError, r"scales is a list", lambda: Nested(words, listed, ones)),
        (ValueError, r"scales has dtype uint32", lambda: Nested(words, words, ones)),
        (ValueError, r"biases has shape \(3, 1\).*\[4, K / group\]", lambda: Nested(words, ones, ones[:3])),
        (ValueError, r"scales has shape \(4, 4\)", lambda: Nested(words, mx.ones((4, 4)), ones)),
        (
            ValueError,
            r"biases has .* float16; it needs those of scales",
            lambda: Nested(words, ones, ones.astype(mx.float16)),
        ),
        (TypeError, r"planes is a list", lambda: Planes(listed, ones, ones)),
        (ValueError, r"3 bits needs uint32 of shape \[4, N", lambda: Planes(words, ones, ones, 3)),
        (ValueError, r"bits is 6, which needs 7 planes.*hold 4", lambda: nested.split(w.at(3)).at(6)),
        (TypeError, r"w is a array; it must be Nested or Planes", lambda: nested.gemv(ones, other)),
        (TypeError, r"needs weights of class Planes", lambda: nested.gemv_planes(mx.ones((64,)), whole)),
        (ValueError, r"M = 2; .* at most 1", lambda: nested.gemv(mx.ones((2, 64)), w)),
        (ValueError, r"M = 17; .* at most 16", lambda: nested.batched(mx.ones((17, 64)), w)),
        (ValueError, r"gives K = 32; .* needs K = 64", lambda: nested.gemm(mx.ones((17, 32)), w)),
        (ValueError, r"dtype is int32", lambda: nested.dequantize(w, mx.int32)),
    ):
        with pytest.raises(kind, match=words_of_it):
            call()
