"""Threadgroup memory and barriers: SIMD-groups that wait for each other."""

from __future__ import annotations

import numpy as np
import pytest

from .running import Size3, run, run1, words

SHAPES: list[tuple[Size3, Size3]] = [
    ((64, 1, 1), (64, 1, 1)),
    ((1024, 1, 1), (1024, 1, 1)),
    ((100, 1, 1), (32, 1, 1)),
    ((290, 1, 1), (96, 1, 1)),
    ((130, 1, 1), (65, 1, 1)),
    ((40, 12, 1), (16, 8, 1)),
    ((21, 10, 4), (7, 5, 3)),
    ((2, 200, 1), (1, 64, 1)),
]
HEAD = """uint t = thread_index_in_threadgroup;
uint3 p = thread_position_in_grid, w = threads_per_grid;
uint i = p.x + w.x * (p.y + w.y * p.z);
uint threads = threads_per_threadgroup.x * threads_per_threadgroup.y * threads_per_threadgroup.z;
"""


def groups(grid: Size3, threadgroup: Size3) -> list[list[int]]:
    """The threads of each threadgroup in order, by their numbers in the grid."""
    full = [min(t, g) for t, g in zip(threadgroup, grid)]
    found = []
    for z in range(0, grid[2], full[2]):
        for y in range(0, grid[1], full[1]):
            for x in range(0, grid[0], full[0]):
                found.append(
                    [
                        cx + grid[0] * (cy + grid[1] * cz)
                        for cz in range(z, min(z + full[2], grid[2]))
                        for cy in range(y, min(y + full[1], grid[1]))
                        for cx in range(x, min(x + full[0], grid[0]))
                    ]
                )
    return found


@pytest.mark.parametrize(("grid", "threadgroup"), SHAPES, ids=str)
def test_each_reads_what_another_wrote(grid: Size3, threadgroup: Size3) -> None:
    total = grid[0] * grid[1] * grid[2]
    a = words(np.random.default_rng(1), total)
    body = (
        HEAD
        + """threadgroup uint shared[1024];
    uint mine = a[i];
    for (uint round = 0; round < 5; ++round) {
        shared[t] = mine + round;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        mine = mine * 3 + shared[(t * 5 + round + a[i] % 7) % threads];
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
    out[i] = mine;"""
    )
    found = run1(body, {"a": a}, (total,), "uint32", grid=grid, threadgroup=threadgroup)
    expected = np.zeros(total, np.uint32)
    for group in groups(grid, threadgroup):
        first = a[group]
        mine, t = first.copy(), np.arange(len(group))
        for r in range(5):
            shared = mine + np.uint32(r)
            mine = mine * np.uint32(3) + shared[(t * 5 + r + first % 7) % len(group)]
        expected[group] = mine
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("grid", "threadgroup"), SHAPES[:5], ids=str)
def test_a_tree_reduction(grid: Size3, threadgroup: Size3) -> None:
    n = grid[0]
    a = words(np.random.default_rng(2), n)
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup uint shared[1024];
    uint threads = threads_per_threadgroup.x;
    shared[t] = a[i];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint step = 1; step < threads; step *= 2) {
        if (t % (2 * step) == 0 && t + step < threads) shared[t] += shared[t + step];
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }
    if (t == 0) out[threadgroup_position_in_grid.x] = shared[0];"""
    count = -(-n // min(threadgroup[0], n))
    found = run1(body, {"a": a}, (count,), "uint32", grid=grid, threadgroup=threadgroup)
    expected = [a[g].sum(dtype=np.uint32) for g in groups(grid, threadgroup)]
    np.testing.assert_array_equal(found, expected)


def test_barriers_after_divergent_code() -> None:
    n = 192
    a = words(np.random.default_rng(3), n, 20)
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup uint shared[96];
    uint x = 0;
    for (uint k = 0; k < a[i]; ++k) { if ((k + i) % 4 == 3) continue; x += k; }
    if (a[i] & 1) shared[t] = x; else shared[95 - (95 - t)] = x + 1000;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (t < 48) x += shared[95 - t];
    out[i] = x;"""
    found = run1(body, {"a": a}, (n,), "uint32", threadgroup=(96, 1, 1))
    x = np.array([sum(k for k in range(a[i]) if (k + i) % 4 != 3) for i in range(n)])
    shared = np.where(a & 1, x, x + 1000)
    expected = [x[i] + (shared[i - i % 96 + 95 - i % 96] if i % 96 < 48 else 0) for i in range(n)]
    np.testing.assert_array_equal(found, expected)


def test_simdgroups_that_returned_early_are_not_waited_for() -> None:
    n = 160
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup uint shared[160];
    shared[t] = i * 3;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (simdgroup_index_in_threadgroup == 1 || t % 5 == 4) return;
    uint x = shared[159 - t];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    shared[t] = x + 1;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    out[i] = shared[t] + simd_sum(1u);"""
    found = run1(body, {}, (n,), "uint32", threadgroup=(160, 1, 1), init_value=5)
    t = np.arange(n)
    stays = (t // 32 != 1) & (t % 5 != 4)
    with_me = np.array([stays[i // 32 * 32 : i // 32 * 32 + 32].sum() for i in t])
    np.testing.assert_array_equal(found, np.where(stays, (159 - t) * 3 + 1 + with_me, 5))


def test_a_barrier_that_some_lanes_have_left_behind() -> None:
    """Lanes that returned in the middle of a loop with barriers; the others go on."""
    n = 128
    a = words(np.random.default_rng(4), n, 6)
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup uint shared[64];
    shared[t] = 1;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint k = 0; k < 6; ++k) {
        if (k == a[i]) return;
        out[i] = shared[(t + 33) % 64] + k;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        shared[t] = out[i] + t;
        threadgroup_barrier(mem_flags::mem_threadgroup);
    }"""
    found = run1(body, {"a": a}, (n,), "uint32", threadgroup=(64, 1, 1), init_value=0)
    out = np.zeros(n, np.int64)
    for start in (0, 64):
        shared, t = np.ones(64, np.int64), np.arange(64)
        for k in range(6):
            going = a[start : start + 64] > k
            out[start : start + 64][going] = shared[(t + 33) % 64][going] + k
            shared[going] = (out[start : start + 64] + t)[going]
    np.testing.assert_array_equal(found, out)


def test_tiles_of_two_dimensions() -> None:
    rng = np.random.default_rng(5)
    rows, columns = 37, 50
    a = rng.standard_normal((rows, columns)).astype(np.float32)
    body = """threadgroup float tile[16][17];
    uint2 t = thread_position_in_threadgroup.xy, g = threadgroup_position_in_grid.xy;
    uint r = g.y * 16 + t.y, c = g.x * 16 + t.x;
    if (r < uint(a_shape[0]) && c < uint(a_shape[1])) tile[t.y][t.x] = a[r * a_shape[1] + c];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    uint tr = g.x * 16 + t.y, tc = g.y * 16 + t.x;
    if (tr < uint(a_shape[1]) && tc < uint(a_shape[0])) out[tr * a_shape[0] + tc] = tile[t.x][t.y];"""
    found = run1(body, {"a": a}, (columns, rows), "float32", grid=(64, 48, 1), threadgroup=(16, 16, 1))
    np.testing.assert_array_equal(found, a.T)


def test_several_arrays_of_several_types() -> None:
    n = 64
    rng = np.random.default_rng(6)
    a = rng.standard_normal(n).astype(np.float32)
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup half h[32];
    threadgroup uchar b[33];
    threadgroup float4 v[8];
    h[t] = half(a[i]);
    b[t] = uchar(i * 7);
    ((threadgroup float*)v)[t] = a[i] * 2;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    out[i * 3] = float(h[31 - t]);
    out[i * 3 + 1] = float(b[(t + 5) % 32]);
    out[i * 3 + 2] = v[(t + 3) % 8].z;"""
    found = run1(body, {"a": a}, (n, 3), "float32", grid=(n, 1, 1), threadgroup=(32, 1, 1))
    i = np.arange(n)
    base, t = i // 32 * 32, i % 32
    np.testing.assert_array_equal(found[:, 0], a[base + 31 - t].astype(np.float16))
    np.testing.assert_array_equal(found[:, 1], (base + (t + 5) % 32) * 7 % 256)
    np.testing.assert_array_equal(found[:, 2], a[base + (t + 3) % 8 * 4 + 2] * 2)


def test_vectors_through_threadgroup_memory() -> None:
    n = 128
    a = np.random.default_rng(7).standard_normal((n, 4)).astype(np.float32)
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup float4 v[64];
    v[63 - t] = ((const device float4*)a)[i];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    ((device float4*)out)[i] = v[t ^ 5].wzyx;"""
    found = run1(body, {"a": a}, (n, 4), "float32", grid=(n, 1, 1))
    i = np.arange(n)
    np.testing.assert_array_equal(found, a[i // 64 * 64 + 63 - (i % 64 ^ 5)][:, ::-1])


def test_device_memory_is_seen_after_a_barrier() -> None:
    n = 256
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    seen[i] = i * 5;
    threadgroup_barrier(mem_flags::mem_device);
    out[i] = seen[i - t + (t + 40) % 128];"""
    _, found = run(
        body,
        {},
        {"seen": ((n,), "uint32"), "out": ((n,), "uint32")},
        grid=(n, 1, 1),
        threadgroup=(128, 1, 1),
    )
    i = np.arange(n)
    np.testing.assert_array_equal(found, (i // 128 * 128 + (i + 40) % 128) * 5)


def test_threadgroup_memory_starts_without_a_value() -> None:
    """Unwritten memory holds NaN, so that a kernel that forgets to write it does not pass by luck."""
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup float shared[64];
    if (t != 9) shared[t] = 1;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    out[i] = shared[(t + 1) % 64];"""
    found = run1(body, {}, (256,), "float32")
    np.testing.assert_array_equal(np.isnan(found), np.arange(256) % 64 == 8)
