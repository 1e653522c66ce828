"""Integers of every width: memory, wraparound, division, nibbles; and the indices made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .running import LAUNCHES, Array, Size3, run1, words

N = 77
WIDTHS = {
    "char": "int8",
    "uchar": "uint8",
    "short": "int16",
    "ushort": "uint16",
    "int": "int32",
    "uint": "uint32",
    "long": "int64",
    "ulong": "uint64",
}
INDEX = "uint i = thread_position_in_grid.x;\n"


def _random(rng: np.random.Generator, dtype: str, shape: Any = N) -> Array:
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, endpoint=True, dtype=dtype)


@pytest.mark.parametrize(("metal", "dtype"), WIDTHS.items())
def test_arithmetic_wraps_at_each_width(metal: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    a, b = _random(rng, dtype), _random(rng, dtype)
    unsigned = metal if metal[0] == "u" else "u" + metal
    divisor = np.where(b % 7 == 0, 3, b % 7).astype(dtype)  # never zero, and of either sign
    body = (
        INDEX
        + f"""
    {unsigned} x = a[i], y = b[i];
    {metal} d = c[i];
    out[i * 9] = {metal}({unsigned}(x + y));
    out[i * 9 + 1] = {metal}({unsigned}(x - y));
    out[i * 9 + 2] = {metal}({unsigned}(x * y));
    out[i * 9 + 3] = {metal}(x & ~y);
    out[i * 9 + 4] = {metal}(a[i] >> 3);
    out[i * 9 + 5] = {metal}({unsigned}(x << 3));
    out[i * 9 + 6] = a[i] / d;
    out[i * 9 + 7] = a[i] % d;
    out[i * 9 + 8] = a[i] < b[i] ? {metal}(-1) : {metal}(x ^ y);"""
    )
    found = run1(body, {"a": a, "b": b, "c": divisor}, (N, 9), dtype, grid=(N, 1, 1))
    with np.errstate(over="ignore"):
        # C rounds towards zero; there is no quotient too large, as the divisor is not -1 where `a` is the
        # lowest.
        x, d = a.astype(object), divisor.astype(object)
        quotients = [abs(p) // abs(q) * (1 if (p < 0) == (q < 0) else -1) for p, q in zip(x, d)]
        quotient = np.array(quotients, object)
        expected = np.stack(
            [
                a + b,
                a - b,
                a * b,
                a & ~b,
                a >> 3,
                a << 3,
                quotient.astype(dtype),
                (x - quotient * d).astype(dtype),
                np.where(a < b, np.array(-1).astype(dtype), a ^ b),
            ],
            axis=1,
        )
    np.testing.assert_array_equal(found, expected)


def test_division_by_zero_gives_something() -> None:
    """Metal leaves the quotient undefined; the process must live, and other lanes must be right."""
    a = np.array([5, -7, -(2**31), 0, 9, 2**31 - 1] * 10, np.int32)
    b = np.array([0, 2, -1, 0, 0, -1] * 10, np.int32)
    body = (
        INDEX
        + """out[i * 4] = a[i] / b[i];
    out[i * 4 + 1] = a[i] % b[i];
    out[i * 4 + 2] = int(uint(a[i]) / uint(b[i] & 1));
    out[i * 4 + 3] = int(short(a[i]) / short(b[i]));"""
    )
    found = run1(body, {"a": a, "b": b}, (60, 4), "int32", grid=(60, 1, 1))
    np.testing.assert_array_equal(found[1::6, 0], -3)
    np.testing.assert_array_equal(found[1::6, 1], -1)
    np.testing.assert_array_equal(found[5::6, 0], -(2**31 - 1))
    np.testing.assert_array_equal(found[2::6, 2], 2**31 - 2**32)
    np.testing.assert_array_equal(found[1::6, 3], -3)


def test_a_uniform_division_by_zero() -> None:
    found = run1(
        INDEX + "out[i] = a[0] / a[1] * 0 + int(i);", {"a": np.array([1, 0], np.int32)}, (40,), "int32"
    )
    np.testing.assert_array_equal(found, np.arange(40))


def test_conversions_between_widths() -> None:
    a = _random(np.random.default_rng(2), "int64")
    names = list(WIDTHS)
    body = INDEX + "".join(
        f"out[i * {len(names) * 2} + {k}] = long({m}(a[i])); "
        f"out[i * {len(names) * 2} + {len(names) + k}] = long(ulong({m}(a[i])) >> 4);\n"
        for k, m in enumerate(names)
    )
    found = run1(body, {"a": a}, (N, len(names) * 2), "int64", grid=(N, 1, 1))
    for k, dtype in enumerate(WIDTHS.values()):
        narrow = a.astype(dtype)
        np.testing.assert_array_equal(found[:, k], narrow.astype(np.int64))
        shifted = narrow.astype(np.uint64) >> np.uint64(4)
        np.testing.assert_array_equal(found[:, len(names) + k], shifted.astype(np.int64))


def test_nibbles() -> None:
    """Four-bit weights, low nibble first, with an offset of 8: as Q4_0 keeps them."""
    rng = np.random.default_rng(3)
    packed = rng.integers(0, 256, 16 * N).astype(np.uint8)
    body = (
        INDEX
        + """int total = 0;
    for (uint k = 0; k < 16; ++k) {
        uchar q = a[i * 16 + k];
        total += (int(q & 0x0F) - 8) * int(k + 1) + (int(q >> 4) - 8) * int(k + 17);
    }
    out[i] = total;"""
    )
    found = run1(body, {"a": packed}, (N,), "int32")
    q = packed.reshape(N, 16).astype(np.int64)
    k = np.arange(16)
    np.testing.assert_array_equal(found, ((q & 15) - 8) @ (k + 1) + ((q >> 4) - 8) @ (k + 17))


def test_bytes_as_words() -> None:
    rng = np.random.default_rng(4)
    a = rng.integers(0, 256, N * 8).astype(np.uint8)
    body = (
        INDEX
        + """uint w = ((const device uint*)a)[i * 2];
    ushort h = ((const device ushort*)a)[i * 4 + 3];
    uchar4 q = as_type<uchar4>(w);
    out[i * 3] = w; out[i * 3 + 1] = h; out[i * 3 + 2] = q.x + 256u * q.w;"""
    )
    found = run1(body, {"a": a}, (N, 3), "uint32", grid=(N, 1, 1))
    w = a.view("<u4")[::2]
    expected = np.stack([w, a.view("<u2")[3::4], (w & 255) + 256 * (w >> 24)], axis=1)
    np.testing.assert_array_equal(found, expected)


def test_bit_functions() -> None:
    a = words(np.random.default_rng(5), N)
    a[:3] = (0, 1, 2**32 - 1)
    body = (
        INDEX
        + """uint x = a[i];
    out[i * 7] = popcount(x); out[i * 7 + 1] = clz(x); out[i * 7 + 2] = ctz(x);
    out[i * 7 + 3] = reverse_bits(x); out[i * 7 + 4] = rotate(x, 7u);
    out[i * 7 + 5] = extract_bits(x, 5, 9); out[i * 7 + 6] = insert_bits(x, 0x2Au, 4, 6);"""
    )
    found = run1(body, {"a": a}, (N, 7), "uint32", grid=(N, 1, 1))
    for row, x in zip(found, (int(v) for v in a)):
        text = f"{x:032b}"
        assert row.tolist() == [
            text.count("1"),
            32 - x.bit_length(),
            32 if x == 0 else len(text) - len(text.rstrip("0")),
            int(text[::-1], 2),
            (x << 7 | x >> 25) % 2**32,
            x >> 5 & 511,
            x & ~(63 << 4) | 0x2A << 4,
        ]


def test_the_high_half_of_a_product_of_64_bits() -> None:
    rng = np.random.default_rng(15)
    a, b = _random(rng, "uint64"), _random(rng, "uint64")
    found = run1(INDEX + "out[i] = mulhi(a[i], b[i]);", {"a": a, "b": b}, (N,), "uint64")
    np.testing.assert_array_equal(found, [int(x) * int(y) >> 64 for x, y in zip(a, b)])


def test_integer_functions() -> None:
    rng = np.random.default_rng(6)
    a, b = _random(rng, "int32"), _random(rng, "int32")
    u, v = a.view(np.uint32), b.view(np.uint32)
    body = (
        INDEX
        + """out[i * 10] = min(a[i], b[i]); out[i * 10 + 1] = max(uint(a[i]), uint(b[i]));
    out[i * 10 + 2] = clamp(a[i], -1000, 1000); out[i * 10 + 3] = abs(a[i]);
    out[i * 10 + 4] = mulhi(a[i], b[i]); out[i * 10 + 5] = mulhi(uint(a[i]), uint(b[i]));
    out[i * 10 + 6] = addsat(a[i], b[i]); out[i * 10 + 7] = int(subsat(uint(a[i]), uint(b[i])));
    out[i * 10 + 8] = int(absdiff(a[i], b[i])); out[i * 10 + 9] = hadd(a[i], b[i]);"""
    )
    found = run1(body, {"a": a, "b": b}, (N, 10), "int32", grid=(N, 1, 1))
    la, lb, lu, lv = (x.astype(object) for x in (a, b, u, v))
    expected = [
        np.minimum(a, b),
        np.maximum(u, v),
        np.clip(a, -1000, 1000),
        abs(la),
        la * lb >> 32,
        lu * lv >> 32,
        np.clip(la + lb, -(2**31), 2**31 - 1),
        np.clip(lu - lv, 0, None),
        abs(la - lb),
        (la + lb) >> 1,
    ]
    for k, column in enumerate(expected):
        want = np.array([int(x) % 2**32 for x in column], np.uint32).view(np.int32)
        np.testing.assert_array_equal(found[:, k], want, err_msg=str(k))


# -- indices
# --------------------------------------------------------------------------------------------------------


def test_an_unsigned_index_that_wrapped_is_used_under_a_guard_only() -> None:
    a = words(np.random.default_rng(7), N)
    body = INDEX + "uint j = i - 3; out[i] = j < 70 ? a[j] : 1; if (j < 60) out[i] += a[j + 2];"
    found = run1(body, {"a": a}, (N,), "uint32")
    j = np.arange(N) - 3
    expected = [(int(a[k]) if 0 <= k < 70 else 1) + (int(a[k + 2]) if 0 <= k < 60 else 0) for k in j]
    np.testing.assert_array_equal(found, np.array(expected) % 2**32)


def test_a_wrapped_index_that_comes_back() -> None:
    """uint arithmetic wraps at 32 bits: (i - 5) + 7 is i + 2 in every lane, also where i - 5 is below 0."""
    a = words(np.random.default_rng(8), N + 2)
    body = INDEX + "uint j = i - b[0]; j += b[1]; out[i] = a[j] + uint(ulong(i - b[0]) >> 32);"
    found = run1(body, {"a": a, "b": np.array([5, 7], np.uint32)}, (N,), "uint32")
    np.testing.assert_array_equal(found, a[np.arange(N) + 2])


def test_the_value_of_an_index_that_wraps_between_lanes() -> None:
    """Widened to 64 bits, it is large in some lanes and small in others."""
    body = (
        INDEX
        + """uint u = i + b[0]; int s = int(i) + int(b[1]);
    out[i * 3] = long(ulong(u)); out[i * 3 + 1] = long(s) * 2; out[i * 3 + 2] = ulong(u) > 100 ? 1 : 0;"""
    )
    b = np.array([2**32 - 10, 2**31 - 40], np.uint32)
    found = run1(body, {"b": b}, (N, 3), "int64", grid=(30, 1, 1), init_value=0)[:30]
    i = np.arange(30, dtype=np.int64)
    u = (i + 2**32 - 10) % 2**32
    np.testing.assert_array_equal(found, np.stack([u, (i + 2**31 - 40) * 2, u > 100], axis=1))


def test_the_distance_of_two_indices_that_wrap_in_different_lanes() -> None:
    """It is the same in most lanes, so it must not be taken for uniform, least of all by a branch."""
    b = np.array([2**32 - 5, 2**32 - 9], np.uint32)
    body = (
        INDEX
        + """ulong p = ulong(i + b[0]), q = ulong(i + b[1]);
    if (p - q == 4) out[i] = 1; else out[i] = 10 + simd_sum(1u);"""
    )
    found = run1(body, {"b": b}, (64,), "uint32")
    i = np.arange(64)
    near = (i + 2**32 - 5) % 2**32 - (i + 2**32 - 9) % 2**32 == 4
    np.testing.assert_array_equal(found, np.where(near, 1, 10 + (~near).sum()))


def test_negative_offsets() -> None:
    a = words(np.random.default_rng(9), N + 10)
    body = INDEX + "const device uint* p = a + 10; int back = -int(b[i]); out[i] = p[back + int(i)];"
    b = words(np.random.default_rng(10), N, 11)
    found = run1(body, {"a": a, "b": b}, (N,), "uint32")
    np.testing.assert_array_equal(found, a[10 + np.arange(N) - b.astype(int)])


@pytest.mark.parametrize("stride", [0, 1, 2, 3, 4, 5, 7, 8, 33, 64])
@pytest.mark.parametrize("known", [True, False])
def test_strided_reads_and_writes(stride: int, known: bool) -> None:
    """A stride that is known when compiling, and one that is not."""
    n = 70
    a = words(np.random.default_rng(11), n * max(stride, 1) + 5)
    step = str(stride) if known else "s[0]"
    writes = f"out[i * {step} + 2] = a[i * {step} + 3] + i;" if stride else f"out[i] = a[i * {step} + 3] + i;"
    found = run1(
        INDEX + writes,
        {"a": a, "s": np.array([stride], np.int32)},
        (n * max(stride, 1) + 2,),
        "uint32",
        grid=(n, 1, 1),
        init_value=0,
    )
    expected = np.zeros_like(found)
    i = np.arange(n)
    expected[i * stride + 2 if stride else i] = a[i * stride + 3] + i.astype(np.uint32)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("grid", "threadgroup"), LAUNCHES, ids=str)
def test_rows_and_columns(grid: Size3, threadgroup: Size3) -> None:
    """row · K + column, and its transpose, over every arrangement of threads."""
    gx, gy, gz = grid
    a = words(np.random.default_rng(12), gx * gy * gz).reshape(gz, gy, gx)
    body = """uint3 p = thread_position_in_grid;
    uint K = threads_per_grid.x, R = threads_per_grid.y;
    uint v = a[(p.z * R + p.y) * K + p.x];
    if (p.x > 0) v += a[(p.z * R + p.y) * K + p.x - 1] * 3;
    if (p.y + 1 < R) v ^= a[(p.z * R + p.y + 1) * K + (K - 1 - p.x)];
    out[(p.z * K + p.x) * R + p.y] = v;"""
    found = run1(body, {"a": a}, (gz, gx, gy), "uint32", grid=grid, threadgroup=threadgroup)
    v = a.copy()
    v[:, :, 1:] += a[:, :, :-1] * np.uint32(3)
    v[:, :-1] ^= a[:, 1:, ::-1]
    np.testing.assert_array_equal(found, v.transpose(0, 2, 1))


@pytest.mark.parametrize(
    "index",
    [
        "lane % 8 * 4 + lane / 8",
        "31 - lane",
        "lane ^ 3",
        "lane / 4",
        "lane % 4",
        "(lane & 1) * 16 + lane / 2",
        "lane * lane % 41",
        "lane / 8 * 100 + lane % 8",
        "lane % 2 * 60 + lane % 3",
        "uint(max(int(lane) - 5, 0))",
        "min(lane, 9u)",
    ],
)
def test_patterns_of_lanes(index: str) -> None:
    a = words(np.random.default_rng(13), 800)
    body = (
        INDEX
        + f"""uint lane = thread_index_in_simdgroup, at = {index};
    uint base = simdgroup_index_in_threadgroup * b[0];
    out[i * 4] = a[at + base];
    out[i * 4 + 1] = ((const device ushort*)a)[at + base + 1];
    out[i * 4 + 2] = ((const device uint2*)a)[at + base].y;
    out[i * 4 + 3] = at;"""
    )
    inputs = {"a": a, "b": np.array([33], np.uint32)}
    found = run1(body, inputs, (64, 4), "uint32", grid=(64, 1, 1))
    lane = np.arange(64) % 32
    names = {"lane": lane, "uint": lambda x: x, "int": lambda x: x, "max": np.maximum, "min": np.minimum}
    at = eval(index.replace("9u", "9").replace("/", "//"), {}, names)
    where = at + np.arange(64) // 32 * 33
    expected = np.stack([a[where], a.view(np.uint16)[where + 1], a[where * 2 + 1], at], axis=1)
    np.testing.assert_array_equal(found, expected)


def test_lanes_that_write_the_same_place() -> None:
    """One of them stays; which one is not said, but it is one of those written."""
    a = words(np.random.default_rng(14), 64)
    body = INDEX + "out[i / 4] = a[i]; if (i % 2) out[20] = a[i];"
    found = run1(body, {"a": a}, (21,), "uint32", grid=(64, 1, 1))
    for k in range(16):
        assert found[k] in a[4 * k : 4 * k + 4]
    assert found[20] in a[1::2]
