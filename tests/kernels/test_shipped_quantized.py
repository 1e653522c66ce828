"""MLX's quantized kernels as we launch them: the one that MLX takes, right, and what it asks for."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import tolerance
from kernels.quantized import affine
from kernels.shipped import quantized as shipped

from .conftest import Draw

# Bits, N, K, group, dtype, and the kernel.
CASES = [
    (4, 24, 512, 64, mx.float32, "qmv_fast"),
    (6, 8, 256, 32, mx.float16, "qmv_fast"),
    (2, 16, 512, 128, mx.bfloat16, "qmv_fast"),
    (4, 25, 512, 32, mx.float16, "qmv"),
    (3, 5, 192, 64, mx.float32, "qmv"),
    (8, 71, 128, 64, mx.float32, "qmv_quad"),
    (4, 9, 64, 32, mx.bfloat16, "qmv_quad"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[5]}-{case[0]}")
def test_qmv(case: tuple[int, int, int, int, mx.Dtype, str], draw: Draw) -> None:
    bits, n, k, group, dtype, kernel = case
    assert shipped.qmv_kernel(n, k, bits) == kernel
    w, x = affine.quantize(draw((n, k), dtype, seed=1), bits, group), draw((3, k), dtype, seed=2)
    y = shipped.qmv(x, w)
    assert (tuple(y.shape), y.dtype) == ((3, n), dtype)
    assert tolerance.quantized_excess(y, x, w) <= 1
    assert np.array_equal(tolerance.exact(shipped.qmv(x[1], w)), tolerance.exact(y[1]))


@pytest.mark.parametrize(("bits", "n", "dtype"), [(4, 64, mx.float32), (5, 37, mx.float16)])
def test_qmm_t(bits: int, n: int, dtype: mx.Dtype, draw: Draw) -> None:
    w, x = affine.quantize(draw((n, 128), dtype, seed=1), bits, 64), draw((35, 128), dtype, seed=2)
    y = shipped.qmm_t(x, w)
    assert (tuple(y.shape), y.dtype) == ((35, n), dtype)
    assert tolerance.quantized_excess(y, x, w, rounded=True) <= 1


def experts(draw: Draw, count: int, n: int, k: int, bits: int) -> affine.Experts:
    each = [affine.quantize(draw((n, k), mx.float32, seed=e), bits, 64) for e in range(count)]
    packed, scales, biases = (
        mx.stack([getattr(w, name) for w in each]) for name in ("packed", "scales", "biases")
    )
    return affine.Experts(packed, scales, biases, bits, 64)


@pytest.mark.parametrize(("bits", "n", "k"), [(4, 16, 512), (3, 9, 192)])
def test_gather_qmv(bits: int, n: int, k: int, draw: Draw) -> None:
    w, x = experts(draw, 4, n, k, bits), draw((3, k), mx.float32, seed=9)
    index = [3, 0, 3]
    y = shipped.gather_qmv(x, w, mx.array(index))
    for m, e in enumerate(index):
        assert tolerance.quantized_excess(y[m], x[m], w[e]) <= 1


def test_the_bytes_beside_ours(draw: Draw) -> None:
    """Codes once in both. MLX's lanes take sixteen codes each, so their loads are not side by side."""
    w, x = affine.quantize(draw((8, 512), mx.float16, seed=1), 4, 64), draw((512,), mx.float16, seed=2)
    with anymetal.checked() as report:
        shipped.qmv(x, w)
        affine.gemv(x, w)
    assert not report.findings, str(report)
    theirs, ours = report.counters.buffers["w"], report.counters.buffers["packed"]
    assert theirs.bytes_read == ours.bytes_read == w.packed.nbytes
    assert theirs.coalescing < ours.coalescing == 1


def test_one_expert_s_bytes(draw: Draw) -> None:
    w, x = experts(draw, 4, 8, 512, 4), draw((1, 512), mx.float32, seed=9)
    with anymetal.checked() as report:
        shipped.gather_qmv(x, w, mx.array([2]))
    assert not report.findings, str(report)
    touched = sum(report.counters.buffers[name].distinct_bytes_read for name in ("w", "scales", "biases"))
    assert touched == w.nbytes // 4


def test_what_is_refused(draw: Draw) -> None:
    w = affine.quantize(draw((8, 64), mx.float16), 4, 64)
    with pytest.raises(ValueError, match="x has dtype float32 and w's scales have float16"):
        shipped.qmv(mx.zeros((64,)), w)
    with pytest.raises(ValueError, match="which needs K = 64"):
        shipped.qmm_t(mx.zeros((2, 32), mx.float16), w)
    with pytest.raises(TypeError, match="needs weights of class Affine"):
        shipped.qmv(mx.zeros((64,)), w.packed)  # type: ignore[arg-type]
    several = experts(draw, 2, 8, 64, 4)
    with pytest.raises(ValueError, match=r"index holds 0 … 2; w has experts 0 … 1"):
        shipped.gather_qmv(mx.zeros((2, 64)), several, mx.array([0, 2]))
    with pytest.raises(ValueError, match=r"they must be \[M, K\] and \[M\]"):
        shipped.gather_qmv(mx.zeros((2, 64)), several, mx.array([0]))
