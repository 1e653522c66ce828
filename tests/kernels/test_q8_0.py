"""Q8_0: byte for byte as the gguf package has it; every kernel against float64."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants
from hypothesis import given, settings
from hypothesis import strategies as st

import anymetal
from kernels import tolerance
from kernels.quantized import q4_0, q8_0
from kernels.quantized.weights import Weights, bits_per_weight

from .conftest import Draw

TYPE = GGMLQuantizationType.Q8_0
DTYPES = [mx.float32, mx.float16, mx.bfloat16]
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])
GEMVS = [q8_0.block_a_lane, q8_0.side_by_side, q8_0.gemv]
# N and K: one of each, rows that do not fit a SIMD-group's four, blocks that do not fit 2 or 32.
SHAPES = [(1, 32), (3, 64), (4, 96), (5, 1056), (67, 352), (129, 1024)]


def same_bytes(w: np.ndarray) -> q8_0.Q8_0:
    """The weights, quantized, once they are seen to be what gguf makes of them."""
    ours = q8_0.quantize(w)
    theirs = quants.quantize(w.astype(np.float32), TYPE)
    assert ours.shape == w.shape
    assert np.array_equal(np.array(ours.blocks).reshape(theirs.shape), theirs)
    return ours


def weights(n: int, k: int, seed: int = 0) -> q8_0.Q8_0:
    return q8_0.quantize(np.random.default_rng([seed, n, k]).standard_normal((n, k)).astype(np.float32))


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
def test_quantizes_as_gguf(scale: float) -> None:
    w = same_bytes((scale * np.random.default_rng(1).standard_normal((67, 352))).astype(np.float32))
    assert bits_per_weight(w) == 8.5
    assert isinstance(w, Weights)


def test_halves_between_two_codes_go_away_from_zero() -> None:
    w = np.zeros((3, 32), np.float32)
    w[0, :4] = 127, 2.5, -2.5, 0.5  # d is 1
    w[1, :3] = -127, 0.49999997, -0.49999997  # adding 0.5 to these in float32 would give 1
    assert np.array_equal(same_bytes(w).dequantize()[:2, 1:4], [[3, -3, 1], [0, 0, 0]])
    rng = np.random.default_rng(2)
    same_bytes((rng.integers(-254, 255, (512, 512)) / 2).astype(np.float32))
    same_bytes(rng.standard_normal((1024, 512)).astype(np.float16).astype(np.float32))


def test_special_blocks_quantize_as_gguf() -> None:
    w = np.zeros((6, 32), np.float32)
    w[1] = -0.0
    w[2, 5] = -3.0
    w[3] = 65504.0 * 127
    w[4] = 1e-6
    w[5] = np.linspace(-1, 1, 32)
    blocks = np.array(same_bytes(w).blocks)
    assert not blocks[:2].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32, allow_subnormal=False), min_size=32, max_size=32))
def test_any_block_quantizes_as_gguf(values: list[float]) -> None:
    w = np.array([values], np.float32)
    # 1 / d must be a number: in C, what follows from an infinite one is undefined.
    if np.abs(w).max() == 0 or np.abs(w).max() > 1e-30:
        same_bytes(w)


def random_blocks(n: int, b: int) -> np.ndarray:
    """Any bytes: every code, −128 too, and d of either sign, zero, subnormal, infinite or NaN."""
    blocks = np.random.default_rng(3).integers(0, 256, (n, b, q8_0.BYTES), dtype=np.uint8)
    for row, d in enumerate((0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0xFBFF, 0x7C00, 0x7E00)):
        blocks[row % n, row % b, :2] = d & 255, d >> 8
    return blocks


@EVERY_DTYPE
@pytest.mark.parametrize(("n", "b"), [(1, 1), (3, 7), (41, 5), (2, 344)])
def test_dequantizes_bit_for_bit_as_gguf(n: int, b: int, dtype: mx.Dtype) -> None:
    blocks = random_blocks(n, b)
    w = q8_0.Q8_0(mx.array(blocks))
    with np.errstate(invalid="ignore"):
        theirs = quants.dequantize(blocks.reshape(n, -1), TYPE)
    assert np.array_equal(w.dequantize(), theirs, equal_nan=True)
    with anymetal.checked() as report:
        y = q8_0.dequantize(w, dtype)
        mx.eval(y)
    assert not report.findings, str(report)
    assert (y.shape, y.dtype) == ((n, 32 * b), dtype)
    want = mx.array(theirs).astype(dtype).astype(mx.float32)
    assert np.array_equal(np.array(y.astype(mx.float32)), np.array(want), equal_nan=True)


@EVERY_DTYPE
@pytest.mark.parametrize("kernel", GEMVS)
def test_gemv(kernel: Callable[[mx.array, q8_0.Q8_0], mx.array], dtype: mx.Dtype, draw: Draw) -> None:
    for n, k in SHAPES:
        x, w = draw((k,), dtype, seed=n), weights(n, k)
        y = kernel(x, w)
        assert (y.shape, y.dtype) == ((n,), dtype)
        assert tolerance.quantized_excess(y, x, w) <= 1
    assert kernel(x[None], w).shape == (1, n)


@EVERY_DTYPE
@pytest.mark.parametrize("m", [1, 2, 4, 5, 16])
def test_batched(m: int, dtype: mx.Dtype, draw: Draw) -> None:
    for n, k in ((1, 32), (5, 1056), (67, 352)):
        x, w = draw((m, k), dtype, seed=n), weights(n, k)
        y = q8_0.batched(x, w)
        assert (y.shape, y.dtype) == ((m, n), dtype)
        assert tolerance.quantized_excess(y, x, w) <= 1


@EVERY_DTYPE
def test_on_weights_written_out_in_x_s_dtype(dtype: mx.Dtype, draw: Draw) -> None:
    for m, n, k in ((17, 5, 32), (33, 67, 352)):
        x, w = draw((m, k), dtype, seed=n), weights(n, k)
        assert tolerance.quantized_excess(q8_0.dequantized(x, w), x, w, rounded=True) <= 1


def test_a_long_sum_of_any_bytes(draw: Draw) -> None:
    blocks = np.random.default_rng(4).integers(0, 256, (37, 11008 // 32, q8_0.BYTES), dtype=np.uint8)
    blocks[..., 1] &= 0xBB  # exponents of d that leave room for the sums in a half
    w = q8_0.Q8_0(mx.array(blocks))
    x = draw((3, 11008), mx.float16, scale=1e-3)
    for kernel in GEMVS:
        assert tolerance.quantized_excess(kernel(x[0], w), x[0], w) <= 1
    assert tolerance.quantized_excess(q8_0.batched(x, w), x, w) <= 1


def test_nan_and_infinity_reach_their_outputs_and_no_others(draw: Draw) -> None:
    x, w = draw((2, 96), mx.float32, seed=5), weights(7, 96)
    x[0, 41] = float("nan")
    x[1, 95] = float("inf")
    for row in range(2):
        for kernel in GEMVS:
            assert tolerance.quantized_excess(kernel(x[row], w), x[row], w) <= 1
    assert tolerance.quantized_excess(q8_0.batched(x, w), x, w) <= 1


def test_no_access_goes_wrong_and_weights_are_asked_for_once(draw: Draw) -> None:
    n, k = 67, 352
    w = weights(n, k)
    for kernel, m in ((q8_0.block_a_lane, 1), (q8_0.side_by_side, 1), (q8_0.gemv, 1), (q8_0.batched, 5)):
        with anymetal.checked() as report:
            mx.eval(kernel(draw((m, k), mx.float16), w))
        assert not report.findings, str(report)
        assert report.counters.buffers["blocks"].distinct_bytes_read == w.nbytes
    # Sixteen lanes ask for a block's scale in each of their loads; whole rows of codes come once.
    with anymetal.checked() as report:
        mx.eval(q8_0.gemv(draw((k,), mx.float16), weights(64, k)))
    assert report.counters.buffers["blocks"].bytes_read == 64 * k // 32 * (32 + 16 * 2)


@pytest.mark.parametrize(
    ("m", "kernel", "why"),
    [(1, "gemv", "M is 1"), (2, "batched", "M is 2"), (16, "batched", "16"), (17, "dequantized", "M is 17")],
)
def test_matmul_takes_what_which_says(
    m: int, kernel: str, why: str, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, w = draw((m, 64), mx.float16), weights(9, 64)
    choice = q8_0.which(m, 9, 64, mx.float16)
    assert choice.kernel == kernel
    assert why in str(choice)
    assert np.array_equal(np.array(q8_0.matmul(x, w)), np.array(getattr(q8_0, kernel)(x, w)))
    taken = []
    monkeypatch.setattr(q8_0.launch, kernel, lambda *given: taken.append(given))
    q8_0.matmul(x, w)
    assert taken == [(x, w)]


def test_nothing_in_nothing_out() -> None:
    w = weights(5, 64)
    assert q8_0.matmul(mx.zeros((0, 64)), w).shape == (0, 5)
    empty = q8_0.quantize(np.zeros((0, 64), np.float32))
    assert q8_0.matmul(mx.zeros((3, 64)), empty).shape == (3, 0)
    assert q8_0.dequantize(empty, mx.float16).shape == (0, 64)


def test_errors_name_what_is_wrong(draw: Draw) -> None:
    w = weights(5, 64)
    with pytest.raises(
        ValueError, match=r"w has shape \(2, 40\), so K = 40; Q8_0 needs K to be a multiple of 32"
    ):
        q8_0.quantize(np.zeros((2, 40), np.float32))
    with pytest.raises(
        ValueError, match=r"blocks has dtype .*uint8 and shape \(2, 34\); Q8_0 needs uint8 of"
    ):
        q8_0.Q8_0(mx.zeros((2, 34), dtype=mx.uint8))
    with pytest.raises(
        ValueError, match=r"x has shape \(65,\), which gives K = 65; w is Q8_0 of shape \[5, 64\]"
    ):
        q8_0.gemv(draw((65,), mx.float16), w)
    with pytest.raises(ValueError, match=r"so M = 2; this kernel takes at most 1 rows"):
        q8_0.gemv(draw((2, 64), mx.float16), w)
    with pytest.raises(ValueError, match=r"so M = 17; this kernel takes at most 16 rows"):
        q8_0.batched(draw((17, 64), mx.float16), w)
    with pytest.raises(TypeError, match=r"w is in Q4_0; this kernel needs weights of class Q8_0"):
        q8_0.matmul(draw((64,), mx.float16), q4_0.quantize(np.ones((5, 64))))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"x is a list; it must be an mx.array"):
        q8_0.matmul([1.0], w)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"dtype is int8; it must be float32, float16 or bfloat16"):
        q8_0.dequantize(w, mx.int8)
