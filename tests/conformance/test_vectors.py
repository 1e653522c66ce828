"""Vectors of two, three and four: swizzles, arithmetic, loads and stores."""

from __future__ import annotations

import numpy as np
import pytest

from .running import run1

N = 67
INDEX = "uint i = thread_position_in_grid.x;\n"


def _floats(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize(("metal", "dtype"), [("float", "float32"), ("half", "float16"), ("uchar", "uint8")])
def test_strided_loads_and_stores(metal: str, dtype: str, width: int, stride: int) -> None:
    a = np.random.default_rng(1).integers(0, 200, (N * stride, width)).astype(dtype)
    body = (
        INDEX
        + f"""{metal}{width} v = ((const device {metal}{width}*)a)[i * {stride}];
    ((device {metal}{width}*)out)[i * {stride}] = v + {metal}{width}(1);"""
    )
    found = run1(body, {"a": a}, a.shape, dtype, grid=(N, 1, 1), init_value=0)
    expected = np.zeros_like(a)
    expected[::stride] = a[::stride] + np.array(1, dtype)
    np.testing.assert_array_equal(found, expected)


def test_vectors_at_addresses_that_vary() -> None:
    rng = np.random.default_rng(2)
    a, where = _floats(2, N, 4), rng.permutation(N).astype(np.uint32)
    body = (
        INDEX
        + """float4 v = ((const device float4*)a)[w[i]];
    if (i % 3) ((device float4*)out)[w[i]] = v.wxyz * 2.0f;"""
    )
    found = run1(body, {"a": a, "w": where}, (N, 4), "float32", grid=(N, 1, 1), init_value=0)
    expected = np.zeros_like(a)
    written = where[np.arange(N) % 3 != 0]
    expected[written] = a[written][:, [3, 0, 1, 2]] * 2
    np.testing.assert_array_equal(found, expected)


def test_swizzles() -> None:
    a = _floats(3, N, 4)
    body = (
        INDEX
        + """float4 v = ((const device float4*)a)[i];
    float4 r = v.wzyx;
    r.xz = v.yx;
    r.w += v.rgba.g;
    float2 lo = r.lo, hi = v.hi;
    float3 t = float3(lo.y, hi);
    float4 s = float4(t.zxy, v[i % 4]);
    for (uint k = 0; k < 4; ++k) { out[i * 8 + k] = r[k]; out[i * 8 + 4 + k] = s[k]; }"""
    )
    found = run1(body, {"a": a}, (N, 8), "float32", grid=(N, 1, 1))
    r = a[:, [3, 2, 1, 0]].copy()
    r[:, [0, 2]] = a[:, [1, 0]]
    r[:, 3] += a[:, 1]
    t = np.stack([r[:, 1], a[:, 2], a[:, 3]], axis=1)
    s = np.concatenate([t[:, [2, 0, 1]], a[np.arange(N), np.arange(N) % 4][:, None]], axis=1)
    np.testing.assert_array_equal(found, np.concatenate([r, s], axis=1))


def test_three_elements_take_the_room_of_four_and_packed_ones_do_not() -> None:
    a = _floats(4, N * 4)
    body = (
        INDEX
        + """float3 v = ((const device float3*)a)[i];
    packed_float3 p = ((const device packed_float3*)a)[i];
    out[i * 2] = dot(v, float3(1, 2, 4));
    out[i * 2 + 1] = p.x + p.y * 2 + p[2] * 4;"""
    )
    found = run1(body, {"a": a}, (N, 2), "float32", grid=(N, 1, 1))
    exact = a.astype(np.float64)
    weights = np.array([1, 2, 4])
    wide, packed = exact.reshape(N, 4)[:, :3], exact[: N * 3].reshape(N, 3)
    for column, v in enumerate((wide, packed)):
        # Three products, two of them by powers of two and so exact, and two sums.
        bound = 3 * 2.0**-24 * (np.abs(v) @ weights)
        assert (np.abs(found[:, column] - v @ weights) <= bound).all()


def test_comparisons_and_select() -> None:
    a, b = _floats(5, N, 4), _floats(6, N, 4)
    body = (
        INDEX
        + """float4 x = ((const device float4*)a)[i], y = ((const device float4*)b)[i];
    float4 m = select(x, y, x < y);
    ((device float4*)out)[i * 2] = m;
    ((device float4*)out)[i * 2 + 1] = float4(any(x > y), all(x > y), min(x.x, y.x), max(x, y).w);"""
    )
    found = run1(body, {"a": a, "b": b}, (N, 2, 4), "float32", grid=(N, 1, 1))
    np.testing.assert_array_equal(found[:, 0], np.maximum(a, b))
    more = a > b
    expected = [more.any(1), more.all(1), np.minimum(a, b)[:, 0], np.maximum(a, b)[:, 3]]
    np.testing.assert_array_equal(found[:, 1], np.stack(expected, axis=1).astype(np.float32))


def test_integer_vectors() -> None:
    a = np.random.default_rng(7).integers(-100, 100, (N, 4)).astype(np.int32)
    body = (
        INDEX
        + """int4 v = ((const device int4*)a)[i];
    uint4 u = uint4(v) >> 3;
    int4 c = int4(char4(v * 3));
    short2 s = short2(v.xy) / short2(7, -3);
    out[i * 4] = int(u.x + u.w); out[i * 4 + 1] = c.y - c.z;
    out[i * 4 + 2] = s.x * 100 + s.y; out[i * 4 + 3] = (v & int4(1, 2, 4, 8)).w + (v << 2).x;"""
    )
    found = run1(body, {"a": a}, (N, 4), "int32", grid=(N, 1, 1))
    u = a.view(np.uint32) >> 3
    c = (a * 3).astype(np.int8).astype(np.int32)
    s = [np.trunc(a[:, 0] / 7), np.trunc(a[:, 1] / -3)]
    expected = [
        (u[:, 0] + u[:, 3]).view(np.int32),
        c[:, 1] - c[:, 2],
        s[0] * 100 + s[1],
        (a[:, 3] & 8) + (a[:, 0] << 2),
    ]
    np.testing.assert_array_equal(found, np.stack(expected, axis=1))


def test_positions_as_vectors() -> None:
    body = """uint3 p = thread_position_in_grid;
    uint2 q = p.xy * uint2(3, 5) + thread_position_in_threadgroup.yx;
    ushort2 s = ushort2(q);
    out[p.y * threads_per_grid.x + p.x] = uint(s.x) * 1000 + s.y;"""
    found = run1(body, {}, (10, 20), "uint32", grid=(20, 10, 1), threadgroup=(8, 4, 1))
    y, x = np.mgrid[:10, :20]
    np.testing.assert_array_equal(found, (x * 3 + y % 4) * 1000 + y * 5 + x % 8)


def test_the_same_bits_as_another_type() -> None:
    a = _floats(8, N, 2)
    body = (
        INDEX
        + """float2 v = ((const device float2*)a)[i];
    uint2 u = as_type<uint2>(v);
    half4 h = as_type<half4>(u);
    ushort4 s = as_type<ushort4>(h);
    out[i] = (u.x ^ u.y) + s.z * 3u + as_type<uint>(as_type<float>(u.y));"""
    )
    found = run1(body, {"a": a}, (N,), "uint32")
    u = a.view(np.uint32)
    np.testing.assert_array_equal(found, (u[:, 0] ^ u[:, 1]) + (u[:, 1] & 0xFFFF) * np.uint32(3) + u[:, 1])


def test_vectors_declared_with_their_elements_in_parentheses() -> None:
    a = _floats(9, N)
    body = INDEX + "float2 v(a[i], 2), w(3); short4 s(1, 2, 3, 4); out[i] = v.x * v.y + w.y + s[3];"
    found = run1(body, {"a": a}, (N,), "float32")
    np.testing.assert_array_equal(found, a * np.float32(2) + np.float32(3) + np.float32(4))


def test_an_element_of_a_vector_of_bool_is_written() -> None:
    body = (
        INDEX
        + "bool4 b = {true, true, true, true}; b[i % 4] = false; out[i] = b.x + 2 * b.y + 4 * b.z + 8 * b.w;"
    )
    found = run1(body, {"a": _floats(1, N)}, (N,), "int32")
    np.testing.assert_array_equal(found, 15 - (1 << np.arange(N) % 4))
