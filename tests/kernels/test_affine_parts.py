"""A word of codes a lane: every width against float64 and ``mx.quantized_matmul``, and experts by offset."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import tolerance
from kernels.quantized import affine
from kernels.quantized.affine.parts import MOST, parts, parts_expert

DTYPES = [mx.float32, mx.float16, mx.bfloat16]


def drawn(m: int, n: int, k: int, bits: int, group: int, dtype: mx.Dtype) -> tuple[mx.array, affine.Affine]:
    rng = np.random.default_rng([m, n, k, bits])
    x = mx.array(rng.standard_normal((m, k)).astype(np.float32)).astype(dtype)
    w = rng.standard_normal((n, k)).astype(np.float32)
    return x, affine.quantize(w, bits, group, dtype=mx.bfloat16 if dtype == mx.float32 else dtype)


# Every width; one row and the most; one group a row, and words that three steps of 32 lanes do not take.
@pytest.mark.parametrize(
    ("m", "n", "k", "bits", "group", "dtype"),
    [
        (1, 1, 32, 4, 32, mx.float32),
        (3, 67, 1088, 3, 64, mx.float32),
        (2, 9, 352, 5, 32, mx.float16),
        (MOST, 13, 11008, 6, 128, mx.bfloat16),
        (1, 31, 384, 2, 128, mx.float16),
        (5, 8, 192, 8, 64, mx.bfloat16),
    ],
)
def test_the_product_is_right(m: int, n: int, k: int, bits: int, group: int, dtype: mx.Dtype) -> None:
    x, w = drawn(m, n, k, bits, group, dtype)
    with anymetal.checked() as report:
        y = parts(x, w)
    assert not report.findings, str(report)
    assert y.dtype == dtype
    assert y.shape == (m, n)
    assert tolerance.quantized_excess(y, x, w) <= 1
    read = report.counters.buffers["W"]
    assert read.bytes_read == read.distinct_bytes_read == n * k * bits // 8


def test_it_is_what_mlx_computes() -> None:
    x, w = drawn(4, 33, 256, 3, 32, mx.float32)
    theirs = mx.quantized_matmul(
        x,
        w.packed,
        w.scales.astype(mx.float32),
        w.biases.astype(mx.float32),
        group_size=32,
        bits=3,
        stream=mx.cpu,
    )
    assert tolerance.quantized_excess(theirs, x, w) <= 1
    assert tolerance.quantized_excess(parts(x, w), x, w) <= 1


def test_one_row_may_be_a_vector() -> None:
    x, w = drawn(1, 7, 64, 4, 64, mx.float32)
    assert mx.array_equal(parts(x[0], w), parts(x, w)[0])


@pytest.mark.parametrize(("bits", "dtype"), [(4, mx.float32), (5, mx.bfloat16)])
def test_a_row_takes_its_expert_and_no_byte_of_another(bits: int, dtype: mx.Dtype) -> None:
    rng = np.random.default_rng(bits)
    m, e, n, k = 9, 6, 11, 192
    each = [affine.quantize(rng.standard_normal((n, k)), bits, 64, dtype=dtype) for _ in range(e)]
    packed, scales, biases = (
        mx.stack([getattr(one, name) for one in each]) for name in ("packed", "scales", "biases")
    )
    w = affine.Experts(packed, scales, biases, bits=bits, group=64)
    x = mx.array(rng.standard_normal((m, k)).astype(np.float32)).astype(dtype)
    chosen = [4, 1, 4, 4, 0, 1, 5, 0, 4]
    with anymetal.checked() as report:
        y = parts_expert(x, w, mx.array(chosen, dtype=mx.uint32))
    assert not report.findings, str(report)
    for row, expert in enumerate(chosen):
        assert tolerance.quantized_excess(y[row], x[row], w[expert]) <= 1
    read = report.counters.buffers["W"]
    assert read.bytes_read == m * n * k * bits // 8
    assert read.distinct_bytes_read == len(set(chosen)) * n * k * bits // 8


def test_what_does_not_fit_is_refused() -> None:
    x, w = drawn(1, 8, 64, 4, 32, mx.float32)
    experts = affine.Experts(w.packed[None], w.scales[None], w.biases[None], 4, 32)
    with pytest.raises(IndexError, match="expert holds 1; w has 1 experts, 0 … 0"):
        parts_expert(x, experts, mx.array([1], dtype=mx.uint32))
    with pytest.raises(ValueError, match=r"uint32 of shape \(1,\), one for each row of x"):
        parts_expert(x, experts, mx.array([0, 0], dtype=mx.uint32))
    with pytest.raises(ValueError, match=r"needs \[M, 64\]"):
        parts_expert(x[0], experts, mx.array([0], dtype=mx.uint32))
    with pytest.raises(TypeError, match="expert is a list"):
        parts_expert(x, experts, [0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="weights of class Affine"):
        parts(x, experts)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most 16 rows"):
        parts(mx.zeros((17, 64)), w)
    assert parts(mx.zeros((0, 64)), w).shape == (0, 8)
