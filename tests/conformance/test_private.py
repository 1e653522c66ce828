"""Arrays of the thread's own: by constant and by varying index, of every kind of element."""

from __future__ import annotations

import numpy as np
import pytest

from .running import run1, words

N = 70
INDEX = "uint i = thread_position_in_grid.x;\n"

# With a barrier in the kernel, private arrays live in another place.
BARRIER = {"alone": "", "with a barrier": "threadgroup_barrier(mem_flags::mem_none);\n"}


@pytest.mark.parametrize("barrier", BARRIER)
@pytest.mark.parametrize(
    ("metal", "dtype"),
    [
        ("float", "float32"),
        ("half", "float16"),
        ("uchar", "uint8"),
        ("short", "int16"),
        ("uint", "uint32"),
        ("long", "int64"),
        ("bool", "bool_"),
    ],
)
def test_an_array_written_and_read_by_varying_indices(metal: str, dtype: str, barrier: str) -> None:
    rng = np.random.default_rng(1)
    a = words(rng, N * 4, 7)
    body = f"""{INDEX}{metal} x[7];
    for (uint k = 0; k < 7; ++k) x[k] = {metal}(k & 1);
    for (uint k = 0; k < 4; ++k) x[a[i * 4 + k]] = {metal}(k + i % 3);
    {BARRIER[barrier]}for (uint k = 0; k < 7; ++k) out[i * 7 + k] = x[(k + i) % 7];"""
    found = run1(body, {"a": a}, (N, 7), dtype, grid=(N, 1, 1))
    expected = np.zeros((N, 7), np.int64)
    for i in range(N):
        x = [k & 1 for k in range(7)]
        for k in range(4):
            x[a[i * 4 + k]] = k + i % 3
        expected[i] = [x[(k + i) % 7] for k in range(7)]
    if metal == "bool":
        expected = expected != 0
    np.testing.assert_array_equal(found, expected.astype(found.dtype))


@pytest.mark.parametrize("barrier", BARRIER)
def test_vectors(barrier: str) -> None:
    rng = np.random.default_rng(2)
    a = words(rng, N, 2**31)
    f = rng.standard_normal((N, 4)).astype(np.float32)
    body = f"""{INDEX}float4 x[5];
    for (uint k = 0; k < 5; ++k) x[k] = float4(i, k, 0, 1);
    x[a[i] % 5] = ((const device float4*)f)[i];
    x[a[i] % 3].y = 9;
    x[1][a[i] % 4] += 0.5f;
    {BARRIER[barrier]}for (uint k = 0; k < 5; ++k) ((device float4*)out)[i * 5 + k] = x[k];"""
    found = run1(body, {"a": a, "f": f}, (N, 5, 4), "float32", grid=(N, 1, 1))
    expected = np.zeros((N, 5, 4), np.float32)
    for i in range(N):
        expected[i] = [[i, k, 0, 1] for k in range(5)]
        expected[i, a[i] % 5] = f[i]
        expected[i, a[i] % 3, 1] = 9
        expected[i, 1, a[i] % 4] += np.float32(0.5)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("barrier", BARRIER)
def test_structs_of_mixed_sizes(barrier: str) -> None:
    rng = np.random.default_rng(3)
    a = words(rng, N)
    header = "struct Mixed { uchar small; half middle; float large; ushort2 pair; };\n"
    body = f"""{INDEX}Mixed x[4];
    for (uint k = 0; k < 4; ++k) x[k] = Mixed{{uchar(k), half(k) / 2, float(k) * 3, ushort2(k, k + 1)}};
    uint at = a[i] % 4;
    x[at].small = uchar(a[i] >> 8);
    x[(at + 1) % 4].middle = half(i);
    x[(at + 2) % 4].pair.y = ushort(a[i] >> 16);
    Mixed other = x[a[i] / 4 % 4];
    x[3] = other;
    {BARRIER[barrier]}for (uint k = 0; k < 4; ++k) {{
        Mixed m = x[(k + i) % 4];
        out[i * 4 + k] = m.small + float(m.middle) * 7 + m.large * 11 + m.pair.x * 13 + m.pair.y * 17;
    }}"""
    found = run1(body, {"a": a}, (N, 4), "float32", grid=(N, 1, 1), header=header)
    expected = np.zeros((N, 4), np.float64)
    for i in range(N):
        x = [[k, k / 2, k * 3, k, k + 1] for k in range(4)]
        at = int(a[i]) % 4
        x[at][0] = int(a[i]) >> 8 & 255
        x[(at + 1) % 4][1] = i
        x[(at + 2) % 4][4] = int(a[i]) >> 16
        x[3] = list(x[int(a[i]) // 4 % 4])
        expected[i] = [np.dot(x[(k + i) % 4], [1, 7, 11, 13, 17]) for k in range(4)]
    np.testing.assert_array_equal(found, expected)  # whole and half numbers below 2**24: exact


def test_the_same_bytes_at_other_sizes() -> None:
    rng = np.random.default_rng(4)
    a = words(rng, N)
    body = f"""{INDEX}uint x[4];
    for (uint k = 0; k < 4; ++k) x[k] = a[i] * (k + 1);
    thread uchar* bytes = (thread uchar*)x;
    thread ushort* halves = (thread ushort*)x;
    bytes[a[i] % 16] = 7;
    halves[(a[i] >> 4) % 8] ^= 0x1234;
    uint total = 0;
    for (uint k = 0; k < 16; ++k) total = total * 3 + bytes[(k * 5 + i) % 16];
    out[i * 2] = total;
    out[i * 2 + 1] = x[(a[i] >> 2) % 4];"""
    found = run1(body, {"a": a}, (N, 2), "uint32", grid=(N, 1, 1))
    expected = np.zeros((N, 2), np.uint32)
    for i in range(N):
        x = np.array([int(a[i]) * (k + 1) % 2**32 for k in range(4)], np.uint32)
        x.view(np.uint8)[a[i] % 16] = 7
        x.view(np.uint16)[(a[i] >> 4) % 8] ^= 0x1234
        total = 0
        for k in range(16):
            total = (total * 3 + int(x.view(np.uint8)[(k * 5 + i) % 16])) % 2**32
        expected[i] = [total, x[(a[i] >> 2) % 4]]
    np.testing.assert_array_equal(found, expected)


def test_one_of_two_arrays_chosen_by_lane() -> None:
    a = words(np.random.default_rng(5), N)
    body = f"""{INDEX}uint x[6], y[6];
    for (uint k = 0; k < 6; ++k) {{ x[k] = a[i] + k; y[k] = a[i] * k; }}
    thread uint* p = a[i] & 1 ? x : y;
    p += a[i] % 3;
    p[2] = 77;
    uint total = 0;
    for (uint k = 0; k < 6; ++k) total = total * 5 + x[(k + a[i]) % 6] - y[(a[i] / 6 + k) % 6];
    out[i] = total + p[0];"""
    found = run1(body, {"a": a}, (N,), "uint32")
    expected = []
    for i in range(N):
        v = int(a[i])
        x, y = [v + k for k in range(6)], [v * k for k in range(6)]
        p = x if v & 1 else y
        p[v % 3 + 2] = 77
        total = 0
        for k in range(6):
            total = total * 5 + x[(k + v % 2**32) % 6] - y[(v // 6 + k) % 6]
        expected.append((total + p[v % 3]) % 2**32)
    np.testing.assert_array_equal(found, expected)


def test_written_in_divergent_code_and_kept_over_barriers() -> None:
    """Each SIMD-group's arrays are its own, and lanes that do not write keep what they have."""
    n = 200
    a = words(np.random.default_rng(6), n, 16)
    body = """uint i = thread_position_in_grid.x, t = thread_index_in_threadgroup;
    threadgroup uint shared[128];
    uint x[4] = {1, 2, 3, 4};
    for (uint round = 0; round < 3; ++round) {
        if (a[i] & (1u << round)) x[(a[i] + round) % 4] += i + round;
        shared[t] = x[round];
        threadgroup_barrier(mem_flags::mem_threadgroup);
        x[(round + a[i]) % 4] ^= shared[(t * 7 + round) % threads_per_threadgroup.x];
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
    for (uint k = 0; k < 4; ++k) out[i * 4 + k] = x[k];"""
    found = run1(body, {"a": a}, (n, 4), "uint32", grid=(n, 1, 1), threadgroup=(128, 1, 1))
    x = np.tile(np.array([1, 2, 3, 4], np.uint32), (n, 1))
    for r in range(3):
        for i in range(n):
            if a[i] & (1 << r):
                x[i, (a[i] + r) % 4] += i + r
        shared = x[:, r].copy()
        for i in range(n):
            base, size = (0, 128) if i < 128 else (128, 72)
            x[i, (r + a[i]) % 4] ^= shared[base + ((i - base) * 7 + r) % size]
    np.testing.assert_array_equal(found, x)


def test_copies_of_whole_structs_to_and_from_memory() -> None:
    rng = np.random.default_rng(7)
    a = words(rng, N * 6)
    header = "struct Block { uint head; uint body[5]; };\n"
    body = f"""{INDEX}Block b = ((const device Block*)a)[i];
    b.body[b.head % 5] += 3;
    Block c = b;
    c.head = b.body[(i + 1) % 5];
    ((device Block*)out)[i] = c;"""
    found = run1(body, {"a": a}, (N, 6), "uint32", grid=(N, 1, 1), header=header)
    expected = a.reshape(N, 6).copy()
    for i in range(N):
        expected[i, 1 + expected[i, 0] % 5] += np.uint32(3)
        expected[i, 0] = expected[i, 1 + (i + 1) % 5]
    np.testing.assert_array_equal(found, expected)


def test_a_sort_of_each_threads_own_array() -> None:
    a = np.random.default_rng(8).standard_normal((N, 24)).astype(np.float32)
    body = f"""{INDEX}float x[24];
    for (uint k = 0; k < 24; ++k) x[k] = a[i * 24 + k];
    for (uint p = 0; p < 24; ++p) {{
        uint q = p;
        while (q > 0 && x[q - 1] > x[q]) {{ float t = x[q]; x[q] = x[q - 1]; x[q - 1] = t; --q; }}
    }}
    for (uint k = 0; k < 24; ++k) out[i * 24 + k] = x[k];"""
    found = run1(body, {"a": a}, (N, 24), "float32", grid=(N, 1, 1))
    np.testing.assert_array_equal(found, np.sort(a, axis=1))


def test_bit_fields_and_unions() -> None:
    header = (
        "struct Fields { uint x : 5; uint y : 9; uint z : 18; }; union Both { uint word; Fields fields; };\n"
    )
    a = words(np.random.default_rng(9), N)
    body = f"""{INDEX}Both b;
    b.word = a[i];
    b.fields.y += 3;
    b.fields.z = b.fields.x ^ 5;
    out[i] = b.word;"""
    found = run1(body, {"a": a}, (N,), "uint32", header=header)
    x, y = a & 31, ((a >> 5 & 511) + 3) & 511
    np.testing.assert_array_equal(found, x | y << 5 | (x ^ 5) << 14)
