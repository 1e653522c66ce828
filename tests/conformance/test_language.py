"""The language and the generated signature: templates, headers, constants, shapes and strides."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal

from .running import run, run1, to_numpy, words

INDEX = "uint i = thread_position_in_grid.x;\n"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("twice", [True, False])
@pytest.mark.parametrize("count", [-2, 0, 5])
def test_template_arguments(dtype: str, twice: bool, count: int) -> None:
    a = mx.array(np.arange(40, dtype=np.float32)).astype(getattr(mx, dtype))
    body = (
        INDEX
        + """T x = a[i];
    if (Twice) x *= 2;
    if constexpr (Count > 0) {
        T all[Count];
        for (int k = 0; k < Count; ++k) all[k] = x + T(k);
        x = all[Count - 1];
    } else x += T(Count);
    out[i] = x;"""
    )
    template = [("T", getattr(mx, dtype)), ("Twice", twice), ("Count", count)]
    found = run1(body, {"a": a}, (40,), dtype, template=template)
    np.testing.assert_array_equal(
        found, np.arange(40) * (2 if twice else 1) + (count - 1 if count > 0 else count)
    )


def test_header_with_templates_structs_and_overloads() -> None:
    header = """
    template <typename T, int N> struct Window {
        T values[N];
        T sum() const thread { T total = 0; for (int k = 0; k < N; ++k) total += values[k]; return total; }
    };
    template <typename T> T twice(T x) { return x + x; }
    inline float pick(float x) { return x + 0.5f; }
    inline int pick(int x) { return x + 1; }
    template <int N> inline float polynomial(const device float* c, float x) {
        return c[N] + x * polynomial<N - 1>(c, x);
    }
    template <> inline float polynomial<0>(const device float* c, float x) { return c[0]; }
    """
    a = np.random.default_rng(1).integers(-9, 9, 60).astype(np.float32)
    body = (
        INDEX
        + """Window<float, 3> w;
    for (int k = 0; k < 3; ++k) w.values[k] = a[(i + k) % 60];
    out[i] = twice(w.sum()) + pick(a[i]) + pick(int(a[i])) + polynomial<3>(a, 2.0f);"""
    )
    found = run1(body, {"a": a}, (60,), "float32", header=header)
    i = np.arange(60)
    window = a[i] + a[(i + 1) % 60] + a[(i + 2) % 60]
    expected = 2 * window + a + 0.5 + a + 1 + a[3] + 2 * (a[2] + 2 * (a[1] + 2 * a[0]))
    np.testing.assert_array_equal(found, expected)


def test_references_and_pointers_as_arguments() -> None:
    header = """
    inline void swap_both(thread uint& x, thread uint& y) { uint t = x; x = y; y = t; }
    inline uint last(const device uint* p, uint n) { return p[n - 1]; }
    inline void add_to(device uint* p, uint v) { *p += v; }
    """
    a = words(np.random.default_rng(2), 50)
    body = (
        INDEX
        + """uint x = a[i], y = i;
    if (x & 1) swap_both(x, y);
    out[i] = x / 2 + y;
    add_to(out + i, last(a, i + 1));"""
    )
    found = run1(body, {"a": a}, (50,), "uint32", header=header)
    i = np.arange(50)
    x, y = np.where(a & 1, i, a), np.where(a & 1, a, i)
    np.testing.assert_array_equal(found, ((x // 2 + y + a) % 2**32).astype(np.uint32))


def test_tables_in_constant_memory() -> None:
    header = """
    constant float table[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    constant int scale = 3;
    constant uchar4 packed[2] = {uchar4(1, 2, 3, 4), uchar4(5, 6, 7, 8)};
    """
    a = words(np.random.default_rng(3), 70)
    body = INDEX + "out[i] = table[a[i] % 16] * scale + packed[a[i] / 16 % 2][a[i] / 32 % 4] + table[5];"
    found = run1(body, {"a": a}, (70,), "float32", header=header)
    half = np.array([0, 1, 2, 3, 4, 6, 8, 12])
    table, packed = np.concatenate([half, -half]), np.arange(1, 9).reshape(2, 4)
    np.testing.assert_array_equal(found, table[a % 16] * 3 + packed[a // 16 % 2, a // 32 % 4] + 6)


def test_a_small_array_arrives_in_constant_memory_and_a_scalar_as_a_reference() -> None:
    a = words(np.random.default_rng(4), 7, 1000)
    body = INDEX + "out[i] = a[i % 7] * s + a[2];"
    found = run1(body, {"a": a, "s": mx.array(3, mx.uint32)}, (40,), "uint32")
    np.testing.assert_array_equal(found, a[np.arange(40) % 7] * 3 + a[2])


def test_shape_strides_and_ndim() -> None:
    base = mx.array(np.random.default_rng(5).standard_normal((6, 5, 4)).astype(np.float32))
    a = mx.transpose(base, (2, 0, 1))[:, ::2]
    body = """uint3 p = thread_position_in_grid;
    ulong at = p.z * a_strides[0] + p.y * a_strides[1] + p.x * a_strides[2];
    out[(p.z * a_shape[1] + p.y) * a_shape[2] + p.x] = a[at] + float(a_ndim) + float(a_shape[0]);"""
    grid = (a.shape[2], a.shape[1], a.shape[0])
    found = run1(
        body, {"a": a}, a.shape, "float32", grid=grid, threadgroup=(4, 2, 2), ensure_row_contiguous=False
    )
    np.testing.assert_array_equal(found, to_numpy(a) + np.float32(3) + np.float32(4))


def test_elem_to_loc_of_mlx() -> None:
    base = mx.array(np.arange(60, dtype=np.float32).reshape(3, 4, 5))
    a = mx.transpose(base, (1, 2, 0))
    body = INDEX + "out[i] = a[elem_to_loc(i, a_shape, a_strides, a_ndim)];"
    found = run1(body, {"a": a}, a.shape, "float32", ensure_row_contiguous=False)
    np.testing.assert_array_equal(found, to_numpy(a))


def test_several_outputs_of_several_types() -> None:
    a = words(np.random.default_rng(6), 40, 100)
    body = INDEX + "f[i] = a[i] / 2.0f; h[i] = half(a[i]); b[i] = a[i] > 50; u[39 - i] = uchar(a[i]);"
    f, h, b, u = run(
        body,
        {"a": a},
        {"f": ((40,), "float32"), "h": ((5, 8), "float16"), "b": ((40,), "bool_"), "u": ((40,), "uint8")},
        grid=(40, 1, 1),
        threadgroup=(16, 1, 1),
    )
    np.testing.assert_array_equal(f, a / 2)
    np.testing.assert_array_equal(h, a.reshape(5, 8))
    np.testing.assert_array_equal(b, a > 50)
    np.testing.assert_array_equal(u, a[::-1])


@pytest.mark.parametrize(
    ("dtype", "value"), [("float32", 2.5), ("float16", -1.0), ("bfloat16", 3.0), ("int32", 7), ("uint8", 9)]
)
def test_init_value(dtype: str, value: float) -> None:
    found = run1(INDEX + "if (i % 3 == 0) out[i] = 1;", {}, (50,), dtype, init_value=value)
    np.testing.assert_array_equal(found, np.where(np.arange(50) % 3 == 0, 1, value))


def test_lambdas_constexpr_enums_and_static_members() -> None:
    header = """
    enum class Kind : uchar { add = 1, multiply = 2 };
    struct Settings { static constant constexpr int steps = 4; };
    constexpr constant uint primes[] = {2, 3, 5, 7};
    """
    body = (
        INDEX
        + """auto apply = [&](Kind k, uint x, uint y) { return k == Kind::add ? x + y : x * y; };
    uint x = i;
    for (int k = 0; k < Settings::steps; ++k) x = apply(i % 2 ? Kind::add : Kind::multiply, x, primes[k]);
    out[i] = x;"""
    )
    found = run1(body, {}, (40,), "uint32", header=header)
    i = np.arange(40)
    np.testing.assert_array_equal(found, np.where(i % 2, i + 17, i * 210))


def test_complex_numbers_of_mlx() -> None:
    a = np.random.default_rng(7).integers(-9, 9, (40, 2)).astype(np.float32)
    body = (
        INDEX
        + """complex64_t x = {a[i * 2], a[i * 2 + 1]}, y = {2.0f, -1.0f};
    complex64_t z = x * y + x;
    out[i * 2] = z.real; out[i * 2 + 1] = z.imag;"""
    )
    found = run1(body, {"a": a}, (40, 2), "float32", grid=(40, 1, 1))
    x = a[:, 0] + 1j * a[:, 1]
    z = x * (2 - 1j) + x
    np.testing.assert_array_equal(found, np.stack([z.real, z.imag], axis=1))


def test_a_kernel_over_many_threadgroups_takes_them_all() -> None:
    n = 40_000
    a = words(np.random.default_rng(8), n)
    found = run1(INDEX + "out[i] = a[i] ^ i;", {"a": a}, (n,), "uint32", threadgroup=(32, 1, 1))
    np.testing.assert_array_equal(found, a ^ np.arange(n, dtype=np.uint32))


def test_install_runs_the_same_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx.metal, "is_available", lambda: False)
    installed = mx.fast.metal_kernel is anymetal.metal_kernel
    anymetal.install()
    try:
        kernel: Any = mx.fast.metal_kernel("through_mlx", ["a"], ["out"], INDEX + "out[i] = simd_sum(a[i]);")
        (out,) = kernel(
            inputs=[mx.arange(64).astype(mx.float32)],
            output_shapes=[(64,)],
            output_dtypes=[mx.float32],
            grid=(64, 1, 1),
            threadgroup=(64, 1, 1),
        )
    finally:
        if not installed:
            anymetal.uninstall()
    np.testing.assert_array_equal(np.array(out), np.repeat([496, 1520], 32))
