"""Q4_0, byte for byte as the gguf package has it, and the kernel that turns it into numbers."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants
from hypothesis import given, settings
from hypothesis import strategies as st

import anymetal
from kernels.quantized import q4_0
from kernels.quantized.weights import Weights, bits_per_weight

TYPE = GGMLQuantizationType.Q4_0
DTYPES = [mx.float32, mx.float16, mx.bfloat16]
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])


def same_bytes(w: np.ndarray) -> q4_0.Q4_0:
    """The weights, quantized, once they are seen to be what gguf makes of them."""
    ours = q4_0.quantize(w)
    theirs = quants.quantize(w.astype(np.float32), TYPE)
    assert ours.shape == w.shape
    assert np.array_equal(np.array(ours.blocks).reshape(theirs.shape), theirs)
    return ours


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
def test_quantizes_as_gguf(scale: float) -> None:
    rng = np.random.default_rng(1)
    w = same_bytes((scale * rng.standard_normal((67, 352))).astype(np.float32))
    assert bits_per_weight(w) == 4.5
    assert isinstance(w, Weights)


def test_many_blocks_so_that_ties_and_last_bits_occur() -> None:
    rng = np.random.default_rng(2)
    same_bytes(rng.standard_normal((4096, 512)).astype(np.float32))
    same_bytes((rng.integers(-16, 17, (1024, 512)) / 4).astype(np.float32))  # halves between two codes
    same_bytes(rng.standard_normal((512, 512)).astype(np.float16).astype(np.float32))


def test_special_blocks_quantize_as_gguf() -> None:
    w = np.zeros((9, 32), np.float32)
    w[1] = -0.0
    w[2, 5] = 3.0
    w[3, 7], w[3, 8] = -2.0, 2.0  # two of the largest magnitude: the first decides
    w[4, 8], w[4, 7] = -2.0, 2.0
    w[5] = 1.0
    w[6] = np.linspace(-1, 1, 32)
    w[7] = 65504.0 * 8  # d is the largest half
    w[8] = 1e-7  # d is subnormal in half, or zero
    blocks = np.array(same_bytes(w).blocks)
    assert bytes(blocks[0, 0, :2]) == b"\x00\x80"  # d is -0 where all weights are 0
    assert set(blocks[0, 0, 2:]) == {0x88}
    assert bytes(blocks[1, 0, :2]) == b"\x00\x00"
    assert q4_0.quantize(w).dequantize()[3, 7] == -2.0
    assert q4_0.quantize(w).dequantize()[4, 7] == 2.0


def test_a_scale_too_large_for_a_half_is_infinite_as_in_gguf() -> None:
    w = np.full((1, 32), 1e6, np.float32)
    with np.errstate(over="ignore"):
        assert np.array_equal(np.array(q4_0.quantize(w).blocks)[0], quants.quantize(w, TYPE).reshape(1, -1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32, allow_subnormal=False), min_size=32, max_size=32))
def test_any_block_quantizes_as_gguf(values: list[float]) -> None:
    w = np.array([values], np.float32)
    # 1 / d must be a number: in C, what follows from an infinite one is undefined.
    if np.abs(w).max() == 0 or np.abs(w).max() > 1e-30:
        same_bytes(w)


def random_blocks(n: int, b: int, seed: int = 3) -> np.ndarray:
    """Any bytes: every code, and d of either sign, zero, subnormal, infinite or NaN."""
    blocks = np.random.default_rng(seed).integers(0, 256, (n, b, q4_0.BYTES), dtype=np.uint8)
    for row, d in enumerate((0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0xFBFF, 0x7C00, 0x7E00)):
        blocks[row % n, row % b, :2] = d & 255, d >> 8
    return blocks


def by_gguf(blocks: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(quants.dequantize(blocks.reshape(len(blocks), -1), TYPE))


def test_dequantizes_as_gguf() -> None:
    blocks = random_blocks(41, 5)
    theirs = by_gguf(blocks)
    assert np.array_equal(q4_0.Q4_0(mx.array(blocks)).dequantize(), theirs, equal_nan=True)


@EVERY_DTYPE
@pytest.mark.parametrize(("n", "b"), [(1, 1), (3, 7), (41, 5), (257, 3), (2, 344)])
def test_the_kernel_dequantizes_bit_for_bit(n: int, b: int, dtype: mx.Dtype) -> None:
    blocks = random_blocks(n, b)
    theirs = by_gguf(blocks)
    with anymetal.checked() as report:
        y = q4_0.dequantize(q4_0.Q4_0(mx.array(blocks)), dtype)
        mx.eval(y)
    assert not report.findings, str(report)
    assert (y.shape, y.dtype) == ((n, 32 * b), dtype)
    want = mx.array(theirs).astype(dtype).astype(mx.float32)
    assert np.array_equal(np.array(y.astype(mx.float32)), np.array(want), equal_nan=True)


def test_magnitudes_bound_what_a_kernel_may_sum() -> None:
    w = q4_0.quantize(np.random.default_rng(4).standard_normal((5, 96)))
    d, q = q4_0.unpack(np.array(w.blocks))
    want = np.abs(d)[..., None].astype(np.float64) * (q.astype(np.float64) + 8)
    assert np.array_equal(w.magnitudes(), want.reshape(5, 96))
    assert np.all(w.magnitudes() >= np.abs(w.dequantize()))


def test_no_weights_at_all() -> None:
    for shape in ((0, 64), (3, 0)):
        w = q4_0.quantize(np.zeros(shape, np.float32))
        assert w.shape == shape
        assert q4_0.dequantize(w, mx.float16).shape == shape


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(
        ValueError, match=r"w has shape \(2, 40\), so K = 40; Q4_0 needs K to be a multiple of 32"
    ):
        q4_0.quantize(np.zeros((2, 40), np.float32))
    with pytest.raises(TypeError, match=r"w is an array of int64; it must be an array of floats"):
        q4_0.quantize(np.zeros((2, 32), np.int64))
    with pytest.raises(
        ValueError, match=r"blocks has dtype .*uint8 and shape \(2, 18\); Q4_0 needs uint8 of"
    ):
        q4_0.Q4_0(mx.zeros((2, 18), dtype=mx.uint8))
    w = q4_0.quantize(np.ones((2, 32), np.float32))
    with pytest.raises(ValueError, match=r"dtype is int32; it must be float32, float16 or bfloat16"):
        q4_0.dequantize(w, mx.int32)
    with pytest.raises(TypeError, match=r"w is of type array; this kernel needs weights of class Q4_0"):
        q4_0.dequantize(w.blocks, mx.float16)  # type: ignore[arg-type]
