"""The Q4_0 GEMVs: every step, every dtype, awkward shapes, against the numbers of gguf in float64."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

import anymetal
from anymetal.checks import Counters
from kernels import tolerance
from kernels.quantized import q4_0

from .conftest import Draw

Kernel = Callable[[mx.array, q4_0.Q4_0], mx.array]

DTYPES = [mx.float32, mx.float16, mx.bfloat16]
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])
LADDER = (q4_0.block_a_lane, q4_0.side_by_side, q4_0.words, q4_0.rows, q4_0.factored, q4_0.staged)
EVERY_STEP = pytest.mark.parametrize("kernel", LADDER, ids=lambda kernel: kernel.__name__)

# One block, and fewer and more of them than a step takes; rows one less and one more than a SIMD-group's, and
# than a threadgroup's; a prime of each.
SHAPES = [(1, 32), (3, 96), (4, 128), (5, 160), (31, 992), (33, 1024), (17, 1056), (67, 2080)]


def weights(n: int, k: int, scale: float = 1.0) -> q4_0.Q4_0:
    numbers = np.random.default_rng([n, k]).normal(scale=scale, size=(n, k)).astype(np.float32)
    return q4_0.quantize(numbers)


def by_gguf(w: q4_0.Q4_0) -> tolerance.Float64:
    """What the bytes stand for, [N, K], by the gguf package."""
    n, k = w.shape
    flat = np.array(w.blocks).reshape(n, -1)
    return np.asarray(quants.dequantize(flat, GGMLQuantizationType.Q4_0), np.float64).reshape(n, k)


def check(kernel: Kernel, x: mx.array, w: q4_0.Q4_0) -> None:
    y = kernel(x, w)
    assert (y.shape, y.dtype) == ((*x.shape[:-1], w.shape[0]), x.dtype)
    _, bound = tolerance.quantized(x, w)
    assert np.all(np.abs(tolerance.exact(y) - tolerance.exact(x) @ by_gguf(w).T) <= bound)


@EVERY_STEP
@EVERY_DTYPE
def test_a_step_against_gguf(draw: Draw, dtype: mx.Dtype, kernel: Kernel) -> None:
    for n, k in SHAPES:
        check(kernel, draw((k,), dtype), weights(n, k))
    check(kernel, draw((1, 160), dtype), weights(5, 160))


@EVERY_DTYPE
@pytest.mark.parametrize("m", [1, 2, 4, 5, 16])
def test_batched_against_gguf(draw: Draw, dtype: mx.Dtype, m: int) -> None:
    for n, k in ((1, 32), (5, 160), (33, 1056)):
        check(q4_0.batched, draw((m, k), dtype), weights(n, k))


@EVERY_STEP
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_small_and_large_weights(draw: Draw, kernel: Kernel, scale: float) -> None:
    check(kernel, draw((416,), mx.float32, scale=scale), weights(7, 416, scale))


def test_a_long_row(draw: Draw) -> None:
    w = weights(9, 11008)
    for dtype in DTYPES:
        check(q4_0.gemv, draw((11008,), dtype), w)
        check(q4_0.batched, draw((3, 11008), dtype), w)


@pytest.mark.parametrize("kernel", [*LADDER, q4_0.batched], ids=lambda kernel: kernel.__name__)
def test_any_bytes_are_a_block(draw: Draw, kernel: Kernel) -> None:
    """Any code beside any scale that is a number: negative, subnormal, zero of either sign."""
    blocks = np.random.default_rng(7).integers(0, 256, (37, 35, 18), dtype=np.uint8)
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0]
    blocks[..., 1] = np.where(np.isfinite(scales), blocks[..., 1], 0x80)
    blocks[0, 0, :2], blocks[0, 1, :2] = (0, 0), (0, 0x80)
    blocks[1] = 0
    check(kernel, draw((35 * 32,), mx.float32), q4_0.Q4_0(mx.array(blocks)))


@EVERY_STEP
def test_a_nan_reaches_every_output(kernel: Kernel) -> None:
    x = np.ones(96, np.float32)
    x[70] = np.nan
    assert bool(mx.isnan(kernel(mx.array(x), weights(5, 96))).all())


def test_an_infinity_stays_one_until_the_8_is_factored_out(draw: Draw) -> None:
    w = weights(37, 96)
    x = np.array(draw((96,), mx.float32))
    x[70] = np.inf
    with np.errstate(invalid="ignore"):
        want = by_gguf(w) @ x
    for kernel in (*LADDER[:4], q4_0.batched):
        assert np.array_equal(np.array(kernel(mx.array(x), w)), want, equal_nan=True)
    assert not np.isfinite(np.array(q4_0.gemv(mx.array(x), w))).any()


def counted(kernel: Kernel, m: int = 1) -> Counters:
    x = mx.array(np.random.default_rng(3).standard_normal((m, 2048)).astype(np.float32))
    w = weights(32, 2048)
    with anymetal.checked() as report:
        check(kernel, x, w)
    assert not report.findings, str(report)
    return report.counters


@pytest.mark.parametrize("m", [1, 7])
def test_the_last_step_reads_every_byte_once_in_whole_sectors(m: int) -> None:
    blocks = counted(q4_0.gemv if m == 1 else q4_0.batched, m).buffers["blocks"]
    assert blocks.bytes_read == blocks.distinct_bytes_read == 32 * 2048 * 18 // 32
    assert blocks.coalescing == 1


def test_the_last_step_takes_half_the_integer_operations_of_the_first() -> None:
    assert counted(LADDER[-1]).integer_ops <= counted(LADDER[0]).integer_ops / 2


@pytest.mark.parametrize("m", [1, 4, 5, 16])
def test_checked_mode_finds_nothing_at_ragged_sizes(draw: Draw, m: int) -> None:
    with anymetal.checked() as report:
        for n, k in ((1, 32), (5, 160), (35, 1056)):
            check(q4_0.batched if m > 1 else q4_0.gemv, draw((m, k), mx.float16), weights(n, k))
    assert not report.findings, str(report)


def test_nothing_gives_zeros() -> None:
    empty = q4_0.Q4_0(mx.zeros((3, 0, 18), dtype=mx.uint8))
    assert q4_0.gemv(mx.zeros((0,)), empty).tolist() == [0, 0, 0]
    assert q4_0.batched(mx.zeros((0, 64)), weights(3, 64)).shape == (0, 3)


@pytest.mark.parametrize("kernel", [*LADDER, q4_0.batched, q4_0.matmul], ids=lambda kernel: kernel.__name__)
def test_what_does_not_fit_is_named(kernel: Kernel) -> None:
    w = weights(4, 64)
    with pytest.raises(ValueError, match="K = 65; w is Q4_0 of shape"):
        kernel(mx.zeros((65,)), w)
    with pytest.raises(ValueError, match="int32"):
        kernel(mx.zeros((64,), dtype=mx.int32), w)
    with pytest.raises(TypeError, match="class Q4_0"):
        kernel(mx.zeros((64,)), mx.zeros((4, 64)))  # type: ignore[arg-type]
    if kernel is not q4_0.matmul:
        most = 16 if kernel is q4_0.batched else 1
        with pytest.raises(ValueError, match=f"at most {most} rows"):
            kernel(mx.zeros((17, 64)), w)


@pytest.mark.parametrize(("m", "kernel"), [(1, "gemv"), (2, "batched"), (16, "batched"), (17, "gemm")])
def test_m_chooses_the_kernel(draw: Draw, m: int, kernel: str) -> None:
    choice = q4_0.which(m, 5, 96, mx.float16)
    assert choice.kernel == kernel
    assert f"M is {m}" in str(choice)
    x, w = draw((m, 96), mx.float16), weights(5, 96)
    check(q4_0.matmul, x, w)
    assert mx.array_equal(q4_0.matmul(x, w), getattr(q4_0, kernel)(x, w))


def test_a_choice_needs_sizes_that_the_format_has() -> None:
    with pytest.raises(ValueError, match="M, N, K are 1, 4, 65; K must be a multiple of 32"):
        q4_0.which(1, 4, 65, mx.float32)
    with pytest.raises(ValueError, match="dtype is"):
        q4_0.which(1, 4, 64, mx.int32)
