"""simdgroup_matrix: load, store, multiply-accumulate and each thread's own elements."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from .running import Array, run1, to_numpy

TYPES = {"float": "float32", "half": "float16", "bfloat": "bfloat16"}
BOTH = [pytest.param(m, d, id=m) for m, d in TYPES.items()]


def _random(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, Array]:
    """An MLX array, and what it holds in float64."""
    a = mx.array(rng.standard_normal(shape).astype(np.float32)).astype(getattr(mx, dtype))
    return a, to_numpy(a).astype(np.float64)


def coordinates() -> Array:
    """Row and first column that each lane holds, as Apple's GPUs lay them out (MLX's steel/gemm/mma.h)."""
    lane = np.arange(32)
    quad = lane // 4
    return np.stack([(quad & 4) + lane // 2 % 4, (quad & 2) * 2 + lane % 2 * 2], axis=1)


@pytest.mark.parametrize(("metal", "dtype"), BOTH)
def test_thread_elements(metal: str, dtype: str) -> None:
    a, exact = _random(np.random.default_rng(1), (8, 8), dtype)
    body = f"""simdgroup_matrix<{metal}, 8, 8> m;
    simdgroup_load(m, a);
    uint lane = thread_index_in_simdgroup;
    out[lane * 2] = m.thread_elements()[0];
    out[lane * 2 + 1] = m.thread_elements()[1];"""
    found = run1(body, {"a": a}, (32, 2), dtype, grid=(32, 1, 1), threadgroup=(32, 1, 1))
    for lane, (row, column) in enumerate(coordinates()):
        np.testing.assert_array_equal(found[lane], exact[row, column : column + 2])


@pytest.mark.parametrize(("metal", "dtype"), BOTH)
@pytest.mark.parametrize("transpose_in", [False, True])
@pytest.mark.parametrize("transpose_out", [False, True])
def test_load_and_store_with_a_leading_dimension(
    metal: str, dtype: str, transpose_in: bool, transpose_out: bool
) -> None:
    a, exact = _random(np.random.default_rng(2), (20, 23), dtype)
    body = f"""simdgroup_matrix<{metal}, 8, 8> m;
    simdgroup_load(m, a + 2, 23, ulong2(5, 3), {str(transpose_in).lower()});
    simdgroup_store(m, out, 11, ulong2(1, 2), {str(transpose_out).lower()});"""
    found = run1(body, {"a": a}, (12, 11), dtype, grid=(32, 1, 1), threadgroup=(32, 1, 1), init_value=0)
    tile = exact[3:11, 7:15]
    expected = np.zeros((12, 11))
    expected[2:10, 1:9] = tile.T if transpose_in != transpose_out else tile
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("metal", "dtype"), BOTH)
def test_through_threadgroup_memory(metal: str, dtype: str) -> None:
    a, exact = _random(np.random.default_rng(3), (4, 8, 8), dtype)
    body = f"""uint s = simdgroup_index_in_threadgroup, lane = thread_index_in_simdgroup;
    threadgroup {metal} tile[4][8 * 9];
    for (uint k = lane; k < 64; k += 32) tile[s][k / 8 * 9 + k % 8] = a[s * 64 + k];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    simdgroup_matrix<{metal}, 8, 8> m;
    simdgroup_load(m, tile[(s + 1) % 4], 9, 0, true);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    simdgroup_store(m, tile[s], 9);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint k = lane; k < 64; k += 32) out[s * 64 + k] = tile[s][k / 8 * 9 + k % 8];"""
    found = run1(body, {"a": a}, (4, 8, 8), dtype, grid=(128, 1, 1), threadgroup=(128, 1, 1))
    np.testing.assert_array_equal(found, np.roll(exact, -1, axis=0).transpose(0, 2, 1))


@pytest.mark.parametrize(("metal", "dtype"), BOTH)
@pytest.mark.parametrize("accumulator", ["float", "same"])
def test_multiply_accumulate(metal: str, dtype: str, accumulator: str) -> None:
    rng = np.random.default_rng(4)
    sum_type = metal if accumulator == "same" else "float"
    sum_dtype = TYPES[sum_type]
    (a, ea), (b, eb), (c, ec) = (_random(rng, (8, 8), d) for d in (dtype, dtype, sum_dtype))
    body = f"""simdgroup_matrix<{metal}, 8, 8> x, y;
    simdgroup_matrix<{sum_type}, 8, 8> z;
    simdgroup_load(x, a); simdgroup_load(y, b); simdgroup_load(z, c);
    simdgroup_multiply_accumulate(z, x, y, z);
    simdgroup_store(z, out);"""
    inputs = {"a": a, "b": b, "c": c}
    found = run1(body, inputs, (8, 8), sum_dtype, grid=(32, 1, 1), threadgroup=(32, 1, 1))
    # Eight fused steps in float, then one rounding to the result's type.
    size = np.abs(ea) @ np.abs(eb) + np.abs(ec)
    unit = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}[sum_dtype]
    error = np.abs(found - (ea @ eb + ec))
    assert (error <= 8 * 2.0**-24 * size + unit * size).all()


@pytest.mark.parametrize(("metal", "dtype"), BOTH)
def test_a_product_of_many_tiles(metal: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    m, n, k = 24, 16, 40
    (a, ea), (b, eb) = _random(rng, (m, k), dtype), _random(rng, (n, k), dtype)
    body = f"""uint2 g = threadgroup_position_in_grid.xy;
    simdgroup_matrix<float, 8, 8> total = make_filled_simdgroup_matrix<float, 8, 8>(0);
    for (uint t = 0; t < K; t += 8) {{
        simdgroup_matrix<{metal}, 8, 8> x, y;
        simdgroup_load(x, a + g.y * 8 * K + t, K);
        simdgroup_load(y, b + g.x * 8 * K + t, K, 0, true);
        simdgroup_multiply_accumulate(total, x, y, total);
    }}
    simdgroup_store(total, out, {n}, ulong2(g.x * 8, g.y * 8));"""
    found = run1(
        body,
        {"a": a, "b": b},
        (m, n),
        "float32",
        grid=(32 * n // 8, m // 8, 1),
        threadgroup=(32, 1, 1),
        template=[("K", k)],
    )
    bound = k * 2.0**-24 * (np.abs(ea) @ np.abs(eb).T)
    assert (np.abs(found - ea @ eb.T) <= bound).all()


def test_elements_changed_one_by_one() -> None:
    a, exact = _random(np.random.default_rng(6), (8, 8), "float32")
    body = """uint lane = thread_index_in_simdgroup;
    simdgroup_float8x8 m = simdgroup_float8x8(2.0f), x;
    simdgroup_load(x, a);
    x.thread_elements()[0] += float(lane);
    x.thread_elements()[1] *= lane < 16 ? 2.0f : 0.5f;
    simdgroup_multiply(m, m, x);
    simdgroup_store(m, out);"""
    found = run1(body, {"a": a}, (8, 8), "float32", grid=(32, 1, 1), threadgroup=(32, 1, 1))
    x = exact.astype(np.float32)
    for lane, (row, column) in enumerate(coordinates()):
        x[row, column] += np.float32(lane)
        x[row, column + 1] *= 2 if lane < 16 else 0.5
    np.testing.assert_array_equal(found, 2 * x)


def test_matrices_in_a_loop_that_simdgroups_leave_at_different_times() -> None:
    """Each SIMD-group adds as many products as its own number says; arrays of matrices stay in order."""
    rng = np.random.default_rng(7)
    (a, ea), (b, eb) = _random(rng, (6, 8, 8), "float32"), _random(rng, (6, 8, 8), "float32")
    body = """uint s = simdgroup_index_in_threadgroup;
    simdgroup_float8x8 sums[2];
    for (uint j = 0; j < 2; ++j) sums[j] = make_filled_simdgroup_matrix<float, 8, 8>(float(j));
    for (uint k = 0; k < s + 2; ++k) {
        simdgroup_float8x8 x, y;
        simdgroup_load(x, a + k * 64);
        simdgroup_load(y, b + k * 64);
        simdgroup_multiply_accumulate(sums[0], x, y, sums[0]);
        simdgroup_multiply_accumulate(sums[1], y, x, sums[1]);
    }
    for (uint j = 0; j < 2; ++j) simdgroup_store(sums[j], out + (s * 2 + j) * 64);"""
    found = run1(body, {"a": a, "b": b}, (4, 2, 8, 8), "float32", grid=(128, 1, 1), threadgroup=(128, 1, 1))
    for s in range(4):
        for j, (x, y) in enumerate([(ea, eb), (eb, ea)]):
            exact = sum(x[k] @ y[k] for k in range(s + 2)) + j
            size = sum(np.abs(x[k]) @ np.abs(y[k]) for k in range(s + 2)) + j
            assert (np.abs(found[s, j] - exact) <= (8 * (s + 2) + 1) * 2.0**-24 * size).all()


def test_a_matrix_that_only_some_simdgroups_store() -> None:
    a, exact = _random(np.random.default_rng(8), (4, 8, 8), "float32")
    body = """uint s = simdgroup_index_in_threadgroup;
    simdgroup_float8x8 m;
    simdgroup_load(m, a + s * 64);
    if (s % 2 == 1) { m.thread_elements()[0] = 1; simdgroup_store(m, out + s * 64); }
    else if (s == 2) { simdgroup_store(m, out + s * 64, 8, 0, true); }"""
    inputs = {"a": a}
    found = run1(body, inputs, (4, 8, 8), "float32", grid=(128, 1, 1), threadgroup=(128, 1, 1), init_value=0)
    expected = np.zeros((4, 8, 8))
    for s in (1, 3):
        expected[s] = exact[s]
        for row, column in coordinates():
            expected[s, row, column] = 1
    expected[2] = exact[2].T
    np.testing.assert_array_equal(found, expected)
