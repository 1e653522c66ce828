"""Q4_K: its bytes against the gguf package, its kernels against float64 within the derived bound."""

from __future__ import annotations

from collections.abc import Callable

import gguf
import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import anymetal
from kernels import quantized, tolerance
from kernels.quantized import q4_0, q4_k, weights
from kernels.quantized.q4_k import Q4_K

from .conftest import Draw

DTYPES = [mx.float32, mx.float16, mx.bfloat16]
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])
LADDER = [q4_k.block_a_lane, q4_k.side_by_side, q4_k.words, q4_k.gemv]
EVERY_STEP = pytest.mark.parametrize("step", LADDER, ids=lambda f: f.__name__)


def random_bytes(n: int, k: int, seed: int = 0) -> NDArray[np.uint8]:
    """Any bytes at all, as super-blocks of [n, k], but with scales and minimums that are finite halves."""
    blocks = np.random.default_rng([seed, n, k]).integers(0, 256, (n, k // 256, 144), dtype=np.uint8)
    blocks[..., [1, 3]] &= 0b10111111
    return blocks


def packed(n: int, k: int, seed: int = 0) -> Q4_K:
    """Quantized normal numbers; rows whose sizes differ."""
    rng = np.random.default_rng([seed, n, k])
    return q4_k.quantize(rng.standard_normal((n, k)) * rng.uniform(0.5, 2, (n, 1)))


def by_gguf(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    flat = blocks.reshape(blocks.shape[0], -1)
    return np.asarray(gguf.quants.dequantize(flat, gguf.GGMLQuantizationType.Q4_K))


# --- the format -----------------------------------------------------------------------------------


@pytest.mark.parametrize("special", ["random", "zeros", "ones", "negative zero", "subnormal"])
def test_any_bytes_stand_for_what_gguf_says(special: str) -> None:
    blocks = random_bytes(5, 11008, seed=1)
    if special == "zeros":
        blocks[1:3] = 0
    elif special == "ones":
        blocks[:, :, 4:] = 255
    elif special == "negative zero":
        blocks[..., :4] = [0, 0x80, 0, 0x80]
    elif special == "subnormal":
        blocks[..., :4] = [1, 0, 3, 0x80]
    ours, theirs = Q4_K(mx.array(blocks)).dequantize(), by_gguf(blocks)
    assert ours.dtype == theirs.dtype
    assert ours.tobytes() == theirs.tobytes()


def test_scales_and_minimums_pack_as_they_unpack() -> None:
    sc, m = np.random.default_rng(2).integers(0, 64, (2, 100, 8), dtype=np.uint8)
    again = q4_k.unpack_scales(q4_k.pack_scales(sc, m))
    assert np.array_equal(again, (sc, m))
    every = np.random.default_rng(3).integers(0, 256, (100, 12), dtype=np.uint8)
    assert np.array_equal(q4_k.pack_scales(*q4_k.unpack_scales(every)), every)


def distinct_blocks(n: int, blocks: int, seed: int) -> NDArray[np.float32]:
    """Numbers that are a super-block's own: a scale and a minimum of 63, and codes 0 and 15 in each
    sub-block, so that nothing but this super-block stands for them."""
    rng = np.random.default_rng(seed)
    sc, m = rng.integers(1, 64, (2, n, blocks, 8)).astype(np.float32)
    sc[..., 3], m[..., 5] = 63, 63
    q = rng.integers(0, 16, (n, blocks, 8, 32)).astype(np.float32)
    q[..., 4], q[..., 9] = 0, 15
    d, dmin = rng.uniform(0.001, 1, (2, n, blocks, 1)).astype(np.float16).astype(np.float32)
    return np.asarray((d * sc)[..., None] * q - (dmin * m)[..., None]).reshape(n, blocks * 256)


def test_a_super_blocks_own_numbers_come_back_exactly() -> None:
    own = distinct_blocks(9, 3, seed=4)
    assert np.array_equal(q4_k.quantize(own).dequantize(), own)


@pytest.mark.parametrize("draw_", ["normal", "laplace", "uniform", "exponential"])
@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_the_error_is_no_worse_than_that_of_q4_0(draw_: str, scale: float) -> None:
    rng = np.random.default_rng(5)
    numbers = {
        "normal": rng.standard_normal((32, 2048)),
        "laplace": rng.laplace(size=(32, 2048)),
        "uniform": rng.uniform(-1, 1, (32, 2048)),
        "exponential": rng.standard_exponential((32, 2048)),
    }
    w = numbers[draw_] * scale
    assert weights.bits_per_weight(q4_k.quantize(w)) == weights.bits_per_weight(q4_0.quantize(w)) == 4.5
    ours, theirs = (np.mean((each.quantize(w).dequantize() - w) ** 2) for each in (q4_k, q4_0))
    assert ours < 0.8 * theirs


def test_a_search_over_steps_errs_less_than_the_range_alone() -> None:
    w = np.random.default_rng(6).standard_normal((16, 1024))
    sub = w.reshape(-1, 32)
    low, span = sub.min(axis=1, keepdims=True), np.ptp(sub, axis=1, keepdims=True)
    by_range = low + np.rint((sub - low) / span * 15) * span / 15  # with scales that cost nothing
    found = q4_k.quantize(w).dequantize().reshape(-1, 32)
    assert np.mean((found - sub) ** 2) < np.mean((by_range - sub) ** 2)


@pytest.mark.parametrize("value", [0.0, 3.5, -3.5, 1e-30])
def test_a_constant_is_kept(value: float) -> None:
    w = np.full((2, 256), value)
    assert np.allclose(q4_k.quantize(w).dequantize(), w, rtol=2.0**-11, atol=1e-7)


def test_what_cannot_be_quantized_is_refused() -> None:
    with pytest.raises(ValueError, match=r"K = 300; Q4_K needs K to be a multiple of 256"):
        q4_k.quantize(np.zeros((2, 300), np.float32))
    with pytest.raises(ValueError, match="NaN or an infinity"):
        q4_k.quantize(np.full((1, 256), np.inf))
    with pytest.raises(ValueError, match="65504"):
        q4_k.quantize(np.array([[0.0, 1e30] * 128]))
    with pytest.raises(TypeError, match="array of int64"):
        q4_k.quantize(np.zeros((1, 256), np.int64))
    with pytest.raises(ValueError, match=r"shape \(2, 1, 18\)"):
        Q4_K(mx.zeros((2, 1, 18), dtype=mx.uint8))
    with pytest.raises(TypeError, match="blocks is a ndarray"):
        Q4_K(np.zeros((2, 1, 144), np.uint8))  # type: ignore[arg-type]
    assert q4_k.quantize(np.zeros((0, 256), np.float32)).shape == (0, 256)


def test_a_view_that_begins_anywhere_is_taken() -> None:
    blocks = random_bytes(3, 512)
    whole = mx.array(np.concatenate([np.zeros(5, np.uint8), blocks.ravel()]))
    mx.eval(whole)
    w = Q4_K(whole[5:].reshape(blocks.shape))
    with anymetal.checked() as report:
        y = q4_k.dequantize(w, mx.float32)
    assert not report.findings, str(report)
    assert np.array_equal(np.array(y), by_gguf(blocks))


# --- the kernels ----------------------------------------------------------------------------------


@EVERY_DTYPE
@pytest.mark.parametrize("shape", [(1, 256), (37, 768), (3, 11008)])
def test_dequantize_is_numpys_rounded_once(dtype: mx.Dtype, shape: tuple[int, int]) -> None:
    w = Q4_K(mx.array(random_bytes(*shape)))
    got, want = q4_k.dequantize(w, dtype), w.dequantize()
    assert got.dtype == dtype
    # A fused multiply-add rounds s q - m once where NumPy does it twice: half an ulp of what is subtracted.
    bound = 2.0**-23 * w.magnitudes()
    if dtype != mx.float32:
        rounded = mx.array(want).astype(dtype)
        bound = bound + 2.0 ** (-10 if dtype == mx.float16 else -7) * np.abs(want) + 2.0**-24
        want = np.array(rounded.astype(mx.float32))
    finite = np.isfinite(want)
    assert (np.abs(np.array(got.astype(mx.float32)) - want)[finite] <= bound[finite]).all()


@EVERY_STEP
@EVERY_DTYPE
@pytest.mark.parametrize(("n", "k"), [(1, 256), (4, 512), (7, 768), (33, 1024), (67, 2304)])
def test_a_gemv_is_the_product(
    step: Callable[[mx.array, Q4_K], mx.array], dtype: mx.Dtype, n: int, k: int, draw: Draw
) -> None:
    x, w = draw((k,), dtype, seed=7), packed(n, k)
    y = step(x, w)
    assert y.dtype == dtype
    assert y.shape == (n,)
    assert tolerance.quantized_excess(y, x, w) <= 1
    assert np.array_equal(np.array(step(x[None], w).astype(mx.float32))[0], np.array(y.astype(mx.float32)))


@EVERY_STEP
def test_a_long_row_and_any_bytes(step: Callable[[mx.array, Q4_K], mx.array], draw: Draw) -> None:
    w, x = packed(5, 11008), draw((11008,), mx.bfloat16)
    assert tolerance.quantized_excess(step(x, w), x, w) <= 1
    any_ = Q4_K(mx.array(random_bytes(6, 1024)))
    x = draw((1024,), mx.float32, scale=1e-3)
    assert tolerance.quantized_excess(step(x, any_), x, any_) <= 1


@EVERY_STEP
def test_checked_mode_finds_nothing(step: Callable[[mx.array, Q4_K], mx.array], draw: Draw) -> None:
    x, w = draw((512,), mx.float16), packed(13, 512)
    with anymetal.checked() as report:
        step(x, w)
    assert not report.findings, str(report)


def test_the_last_steps_ask_for_each_byte_once(draw: Draw) -> None:
    x, w = draw((1024,), mx.float32), packed(32, 1024)
    operations = {}
    for step in LADDER:
        with anymetal.checked() as report:
            step(x, w)
        operations[step.__name__] = report.counters.integer_ops
        if step in (q4_k.words, q4_k.gemv):
            read = report.counters.buffers["blocks"]
            assert read.bytes_read == read.distinct_bytes_read == w.nbytes
            assert read.coalescing >= 0.7
    assert operations["gemv"] <= operations["block_a_lane"] / 2


@EVERY_DTYPE
@pytest.mark.parametrize(
    ("m", "n", "k"), [(1, 5, 256), (3, 9, 512), (4, 31, 256), (9, 33, 512), (16, 7, 768)]
)
def test_batched_is_the_product(dtype: mx.Dtype, m: int, n: int, k: int, draw: Draw) -> None:
    x, w = draw((m, k), dtype, seed=8), packed(n, k)
    with anymetal.checked() as report:
        y = q4_k.batched(x, w)
    assert not report.findings, str(report)
    assert y.shape == (m, n)
    assert tolerance.quantized_excess(y, x, w) <= 1
    if n % 4 == 0 or (m > 4 and n % 2 == 0):
        assert report.counters.buffers["blocks"].bytes_read == w.nbytes


@EVERY_DTYPE
@pytest.mark.parametrize("held", ["float32", "own"])
def test_gemm_is_the_product(dtype: mx.Dtype, held: str, draw: Draw) -> None:
    x, w = draw((37, 512), dtype, seed=9), packed(41, 512)
    y = q4_k.gemm(x, w, held=mx.float32 if held == "float32" else dtype)
    assert y.dtype == dtype
    assert tolerance.quantized_excess(y, x, w, rounded=held == "own") <= 1


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_matmul_is_the_product_for_any_shape(data: st.DataObject) -> None:
    m, n = data.draw(st.integers(1, 40), label="M"), data.draw(st.integers(1, 70), label="N")
    k = 256 * data.draw(st.integers(1, 4), label="K / 256")
    dtype = data.draw(st.sampled_from(DTYPES), label="dtype")
    numbers = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    x = mx.array(numbers.standard_normal((m, k)).astype(np.float32)).astype(dtype)
    w = packed(n, k, seed=m)
    assert tolerance.quantized_excess(q4_k.matmul(x, w), x, w) <= 1


def test_slices_of_x_and_nothing_at_all(draw: Draw) -> None:
    w = packed(6, 512)
    x = draw((515,), mx.float16)[3:]
    assert tolerance.quantized_excess(q4_k.gemv(x, w), x, w) <= 1
    assert q4_k.matmul(mx.zeros((0, 512)), w).shape == (0, 6)
    none = q4_k.quantize(np.zeros((0, 256), np.float32))
    assert q4_k.gemv(mx.zeros((256,)), none).shape == (0,)
    assert q4_k.dequantize(none, mx.float32).shape == (0, 256)


def test_which_and_its_errors() -> None:
    assert str(q4_k.which(1, 8, 512, mx.float16)) == "gemv, because M is 1"
    assert q4_k.which(16, 8, 512, mx.float16).kernel == "batched"
    assert q4_k.which(17, 8, 512, mx.float16).kernel == "gemm"
    with pytest.raises(ValueError, match=r"1, 8, 300; K must be a multiple of 256"):
        q4_k.which(1, 8, 300, mx.float32)
    with pytest.raises(ValueError, match="dtype is int32"):
        q4_k.which(1, 8, 256, mx.int32)


def test_wrong_arguments_are_named(draw: Draw) -> None:
    w = packed(6, 512)
    with pytest.raises(ValueError, match=r"K = 256; w is Q4_K of shape \[6, 512\]"):
        q4_k.gemv(draw((256,), mx.float32), w)
    with pytest.raises(ValueError, match="at most 16 rows"):
        q4_k.batched(draw((17, 512), mx.float32), w)
    with pytest.raises(ValueError, match="at most 1 rows"):
        q4_k.gemv(draw((2, 512), mx.float32), w)
    with pytest.raises(TypeError, match="w is in Q4_0; this kernel needs weights of class Q4_K"):
        q4_k.matmul(draw((512,), mx.float32), q4_0.quantize(np.zeros((6, 512), np.float32)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="held is bfloat16"):
        q4_k.gemm(draw((2, 512), mx.float32), w, held=mx.bfloat16)
    assert isinstance(w, weights.Weights)
    assert quantized.q4_k is q4_k
