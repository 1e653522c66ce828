"""The kernels for affine groups: every width, group and dtype against float64, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import tolerance
from kernels.quantized import affine, q4_0

from .conftest import Draw

DTYPES = [mx.float32, mx.float16, mx.bfloat16]
Kernel = Callable[[mx.array, affine.Affine], mx.array]

# N, K and group: one row of one group; a prime, and less than a step; a step and a bit more.
SHAPES = [(1, 32, 32), (37, 192, 64), (6, 384, 128)]
# Every width; shapes, and the dtypes of x and of the scales, go round beside them.
CASES = [
    (bits, *SHAPES[i % 3], DTYPES[i % 3], DTYPES[(i + i // 3) % 3]) for i, bits in enumerate(affine.BITS)
]
LADDER = ["group_a_lane", "side_by_side", "words", "factored", "rows"]


def drawn(draw: Draw, bits: int, n: int, k: int, group: int, scales: mx.Dtype) -> affine.Affine:
    return affine.quantize(draw((n, k), mx.float32, seed=bits), bits, group, scales)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} bits")
@pytest.mark.parametrize("name", LADDER)
def test_the_ladder(name: str, case: tuple[int, int, int, int, mx.Dtype, mx.Dtype], draw: Draw) -> None:
    bits, n, k, group, dtype, scales = case
    w, x = drawn(draw, bits, n, k, group, scales), draw((1, k), dtype, seed=9)
    y = getattr(affine, name)(x, w)
    assert (tuple(y.shape), y.dtype) == ((1, n), dtype)
    assert tolerance.quantized_excess(y, x, w) <= 1


@pytest.mark.parametrize(
    ("bits", "group", "dtype"), [(4, 64, mx.float16), (3, 32, mx.bfloat16), (6, 128, mx.float32)]
)
def test_the_last_step_with_a_long_row(bits: int, group: int, dtype: mx.Dtype, draw: Draw) -> None:
    w, x = drawn(draw, bits, 5, 11008, group, dtype), draw((11008,), dtype, seed=9)
    assert tolerance.quantized_excess(affine.gemv(x, w), x, w) <= 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} bits")
def test_several_rows(case: tuple[int, int, int, int, mx.Dtype, mx.Dtype], draw: Draw) -> None:
    bits, n, k, group, dtype, scales = case
    w = drawn(draw, bits, n, k, group, scales)
    m = {2: 1, 3: 2, 4: 16, 5: 3, 6: 5, 8: 4}[bits]
    x = draw((m, k), dtype, seed=9)
    y = affine.batched(x, w)
    assert (tuple(y.shape), y.dtype) == ((m, n), dtype)
    assert tolerance.quantized_excess(y, x, w) <= 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} bits")
def test_gemm(case: tuple[int, int, int, int, mx.Dtype, mx.Dtype], draw: Draw) -> None:
    bits, n, k, group, dtype, scales = case
    w, x = drawn(draw, bits, n, k, group, scales), draw((41, k), dtype, seed=9)
    narrow = bits % 2 == 1
    tile = {3: "low", 5: "large"}.get(bits, "square")
    y = affine.gemm(x, w, tile=tile, held=dtype if narrow else mx.float32)
    assert (tuple(y.shape), y.dtype) == ((41, n), dtype)
    assert tolerance.quantized_excess(y, x, w, rounded=narrow) <= 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} bits")
def test_dequantize(case: tuple[int, int, int, int, mx.Dtype, mx.Dtype], draw: Draw) -> None:
    bits, n, k, group, dtype, scales = case
    w = drawn(draw, bits, n, k, group, scales)
    got, exact = tolerance.exact(affine.dequantize(w, dtype)), w.dequantize().astype(np.float64)
    # Product and sum round in float32, or together if the machine fuses them; then the result to its dtype.
    u = {mx.float32: 2.0**-24, mx.float16: 2.0**-11, mx.bfloat16: 2.0**-8}[dtype]
    assert np.all(
        np.abs(got - exact) <= tolerance.gamma(4) * w.magnitudes() + 2 * u * np.abs(exact) + 2.0**-25
    )


def test_the_known_answer() -> None:
    """Two rows of one group: codes 1 2 3 4 with scale 0.1 and 5 6 7 8 with 0.2, biases 0, x = 1 2 3 4."""
    codes = np.zeros((2, 32), int)
    codes[:, :4] = [[1, 2, 3, 4], [5, 6, 7, 8]]
    x = mx.array([1.0, 2, 3, 4] + 28 * [0.0])
    scales, biases = mx.array([[0.1], [0.2]]), mx.zeros((2, 1))
    for bits in (4, 5, 6, 8):
        w = affine.Affine(mx.array(affine.pack(codes, bits)), scales, biases, bits, 32)
        assert np.allclose(np.array(affine.matmul(x, w)), [3.0, 14.0], rtol=2.0**-20, atol=0)


@pytest.mark.parametrize("bits", [4, 5])
def test_it_is_mx_quantized_matmul(bits: int, draw: Draw) -> None:
    """Both are within the bound of the exact product, for each kernel that ``which`` may name."""
    w = drawn(draw, bits, 24, 256, 64, mx.float32)
    for m, kernel in ((1, "gemv"), (4, "batched"), (17, "gemm")):
        x = draw((m, 256), mx.float32, seed=m)
        assert affine.which(m, 24, 256, x.dtype).kernel == kernel
        theirs = mx.quantized_matmul(
            x, w.packed, w.scales, w.biases, group_size=w.group, bits=w.bits, stream=mx.cpu
        )
        assert tolerance.quantized_excess(theirs, x, w) <= 1
        assert tolerance.quantized_excess(affine.matmul(x, w), x, w) <= 1


def stacked(draw: Draw, experts: int, n: int, k: int) -> affine.Experts:
    each = [affine.quantize(draw((n, k), mx.float32, seed=e), 3, 64, mx.bfloat16) for e in range(experts)]
    packed, scales, biases = (
        mx.stack([getattr(w, name) for w in each]) for name in ("packed", "scales", "biases")
    )
    return affine.Experts(packed, scales, biases, 3, 64)


def test_each_row_by_its_expert(draw: Draw) -> None:
    w, x = stacked(draw, 5, 13, 320), draw((3, 320), mx.float16, seed=9)
    index = [4, 0, 4]
    y = affine.expert(x, w, index)
    for m, e in enumerate(index):
        assert tolerance.quantized_excess(y[m], x[m], w[e]) <= 1
    for one in (2, mx.array(2), np.int64(2)):
        assert tolerance.quantized_excess(affine.expert(x[0], w, one), x[0], w[2]) <= 1


def test_one_expert_s_bytes_are_touched_and_a_wrong_index_touches_none(draw: Draw) -> None:
    w, x = stacked(draw, 4, 8, 256), draw((3, 256), mx.float32, seed=9)
    with anymetal.checked() as report:
        affine.expert(x[:1], w, 3)
    assert not report.findings, str(report)
    one = w.nbytes // 4
    assert (
        sum(report.counters.buffers[name].distinct_bytes_read for name in ("packed", "scales", "biases"))
        == one
    )
    with anymetal.checked() as report:
        y = affine.expert(x, w, mx.array([1, 4, -1]))
    assert not report.findings, str(report)
    assert (
        sum(report.counters.buffers[name].distinct_bytes_read for name in ("packed", "scales", "biases"))
        == one
    )
    assert tolerance.quantized_excess(y[0], x[0], w[1]) <= 1
    assert np.isnan(np.array(y[1:])).all()


@pytest.mark.parametrize("bits", [3, 4])
def test_what_the_steps_ask_for(bits: int, draw: Draw) -> None:
    """Codes each once from step 2 on; whole sectors from step 3 on; a quarter of x in step 5."""
    n, k = 8, 2048
    w, x = drawn(draw, bits, n, k, 64, mx.float16), draw((k,), mx.float16, seed=9)
    counted = {}
    for name in LADDER:
        with anymetal.checked() as report:
            y = getattr(affine, name)(x, w)
        assert not report.findings, str(report)
        assert tolerance.quantized_excess(y, x, w) <= 1
        counted[name] = report.counters
    codes = {name: counters.buffers["packed"] for name, counters in counted.items()}
    assert all(c.distinct_bytes_read == w.packed.nbytes for c in codes.values())
    assert codes["side_by_side"].bytes_read == w.packed.nbytes
    # With 3 bits, a step's 24 words are taken by 32 lanes: eight take the last one again.
    again = 4 / 3 if bits == 3 else 1
    for name in ("words", "factored", "rows"):
        assert codes[name].bytes_read == again * w.packed.nbytes
        assert codes[name].coalescing == 1
    assert codes["group_a_lane"].coalescing < 0.1 < codes["side_by_side"].coalescing
    assert 4 * counted["rows"].buffers["x"].bytes_read == counted["factored"].buffers["x"].bytes_read
    assert 2 * counted["rows"].integer_ops <= counted["group_a_lane"].integer_ops


def test_an_infinity_stays_one_where_nothing_is_factored(draw: Draw) -> None:
    w, x = drawn(draw, 4, 5, 64, 32, mx.float32), np.array(draw((64,), mx.float32, seed=9))
    x[17] = np.inf
    for name in ("group_a_lane", "side_by_side", "words", "batched"):
        assert tolerance.quantized_excess(getattr(affine, name)(mx.array(x), w), mx.array(x), w) <= 1
    x[17] = np.nan
    for name in (*LADDER, "batched", "gemm"):
        assert np.isnan(np.array(getattr(affine, name)(mx.array(x), w))).all()


def test_which() -> None:
    assert str(affine.which(1, 7, 64, mx.float16)) == "gemv, because M is 1"
    assert (
        affine.which(2, 7, 64, mx.float16).kernel == affine.which(16, 7, 64, mx.float16).kernel == "batched"
    )
    assert affine.which(17, 7, 64, mx.float16).kernel == "gemm"
    with pytest.raises(ValueError, match="K must be a multiple of 32"):
        affine.which(1, 7, 48, mx.float16)


def test_no_rows(draw: Draw) -> None:
    w = drawn(draw, 4, 5, 64, 32, mx.float32)
    for kernel in (affine.batched, affine.gemm, affine.matmul):
        assert tuple(kernel(mx.zeros((0, 64)), w).shape) == (0, 5)


def test_what_is_refused(draw: Draw) -> None:
    w, x = drawn(draw, 4, 5, 64, 32, mx.float32), draw((64,), mx.float32)
    other = q4_0.quantize(np.ones((5, 64), np.float32))
    for kernel in (affine.gemv, affine.batched, affine.gemm, affine.matmul):
        with pytest.raises(TypeError, match="w is in Q4_0; this kernel needs weights of class Affine"):
            kernel(x, other)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="which needs K = 64"):
            kernel(draw((32,), mx.float32), w)
    with pytest.raises(ValueError, match="at most 1 rows"):
        affine.gemv(mx.zeros((2, 64)), w)
    with pytest.raises(ValueError, match="at most 16 rows"):
        affine.batched(mx.zeros((17, 64)), w)
    with pytest.raises(ValueError, match="tile is 'tall'; it must be one of"):
        affine.gemm(x, w, tile="tall")
    with pytest.raises(ValueError, match="held is float16; it must be float32 or x's own dtype, float32"):
        affine.gemm(x, w, held=mx.float16)
    with pytest.raises(ValueError, match="dtype is int32"):
        affine.dequantize(w, mx.int32)
    experts = stacked(draw, 2, 5, 64)
    with pytest.raises(ValueError, match="index holds 2; it must be 0 … 1: w has 2 experts"):
        affine.expert(x, experts, 2)
    with pytest.raises(ValueError, match="index holds -1"):
        affine.expert(mx.zeros((2, 64)), experts, [0, -1])
    with pytest.raises(ValueError, match=r"index has shape \(3,\); it must be one number, or 2: one a row"):
        affine.expert(mx.zeros((2, 64)), experts, mx.array([0, 1, 0]))
    with pytest.raises(TypeError, match=r"index is 0\.5; it must be a whole number"):
        affine.expert(x, experts, 0.5)
    with pytest.raises(TypeError, match="needs weights of class Experts"):
        affine.expert(x, w, 0)  # type: ignore[arg-type]
