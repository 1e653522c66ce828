"""Atomic operations: on outputs and on threadgroup memory, by all lanes and by some."""

from __future__ import annotations

import numpy as np
import pytest

from .running import run, run1, words

N = 300


@pytest.mark.parametrize(
    ("operation", "start", "reference"),
    [
        ("add", 0, lambda v, s: v.sum(dtype=np.uint32) + np.uint32(s)),
        ("sub", 7, lambda v, s: np.uint32(s) - v.sum(dtype=np.uint32)),
        ("max", 0, lambda v, s: max(int(v.max(initial=0)), s)),
        ("min", 2**31, lambda v, s: min(int(v.min(initial=2**32 - 1)), s)),
        ("and", 2**31, lambda v, s: np.bitwise_and.reduce(v, initial=np.uint32(s))),
        ("or", 0, lambda v, s: np.bitwise_or.reduce(v, initial=np.uint32(s))),
        ("xor", 0, lambda v, s: np.bitwise_xor.reduce(v, initial=np.uint32(s))),
    ],
)
def test_fetch_on_outputs(operation: str, start: int, reference: object) -> None:
    a = words(np.random.default_rng(1), N)
    body = f"""uint i = thread_position_in_grid.x;
    atomic_fetch_{operation}_explicit(&out[a[i] % 5], a[i], memory_order_relaxed);"""
    found = run1(body, {"a": a}, (5,), "uint32", grid=(N, 1, 1), init_value=start, atomic_outputs=True)
    with np.errstate(over="ignore"):
        expected = [reference(a[a % 5 == k], start) for k in range(5)]  # type: ignore[operator]
    np.testing.assert_array_equal(found, np.array(expected, np.uint32))


def test_float_add() -> None:
    a = np.random.default_rng(2).integers(-50, 50, N).astype(np.float32)
    body = """uint i = thread_position_in_grid.x;
    if (i % 3 != 1) atomic_fetch_add_explicit(&out[i % 2], a[i], memory_order_relaxed);"""
    found = run1(body, {"a": a}, (2,), "float32", grid=(N, 1, 1), init_value=0, atomic_outputs=True)
    i = np.arange(N)
    expected = [a[(i % 2 == k) & (i % 3 != 1)].sum() for k in range(2)]
    np.testing.assert_array_equal(found, expected)  # whole numbers: exact in any order


def test_what_fetch_returns() -> None:
    """Every thread gets another ticket, and together they get all of them."""
    body = """uint i = thread_position_in_grid.x;
    uint ticket = 999;
    if (i % 4 != 2) ticket = atomic_fetch_add_explicit(&counter[0], 1u, memory_order_relaxed);
    atomic_store_explicit(&out[i], ticket, memory_order_relaxed);"""
    # Which thread gets which differs from run to run, so runs are not compared.
    import mlx.core as mx

    import anymetal

    kernel = anymetal.metal_kernel("tickets", [], ["counter", "out"], body, atomic_outputs=True)
    counter, out = kernel(
        inputs=[],
        output_shapes=[(1,), (N,)],
        output_dtypes=[mx.uint32] * 2,
        grid=(N, 1, 1),
        threadgroup=(64, 1, 1),
        init_value=0,
    )
    taken = np.arange(N) % 4 != 2
    assert int(counter.item()) == taken.sum()
    assert sorted(np.array(out)[taken].tolist()) == list(range(taken.sum()))
    assert (np.array(out)[~taken] == 999).all()


def test_exchange_and_compare_exchange() -> None:
    body = """uint i = thread_position_in_grid.x;
    uint expected = 0;
    bool won = atomic_compare_exchange_weak_explicit(&out[i / 32], &expected, i + 1, memory_order_relaxed,
                                                     memory_order_relaxed);
    while (!won && expected == 0)
        won = atomic_compare_exchange_weak_explicit(&out[i / 32], &expected, i + 1, memory_order_relaxed,
                                                    memory_order_relaxed);
    if (won) atomic_fetch_add_explicit(&wins[0], 1u, memory_order_relaxed);
    else atomic_fetch_max_explicit(&wins[1], expected, memory_order_relaxed);"""
    found, wins = run(
        body,
        {},
        {"out": ((4,), "uint32"), "wins": ((2,), "uint32")},
        grid=(128, 1, 1),
        threadgroup=(32, 1, 1),  # one SIMD-group alone contends for each place, so runs agree
        init_value=0,
        atomic_outputs=True,
    )
    assert wins[0] == 4
    assert ((found - 1) // 32 == np.arange(4)).all()
    assert wins[1] == found.max()


def test_a_lock_free_maximum_of_floats() -> None:
    a = np.random.default_rng(3).standard_normal(N).astype(np.float32)
    body = """uint i = thread_position_in_grid.x;
    float mine = a[i];
    float seen = atomic_load_explicit(&out[0], memory_order_relaxed);
    while (mine > seen &&
           !atomic_compare_exchange_weak_explicit(&out[0], &seen, mine, memory_order_relaxed,
                                                  memory_order_relaxed)) {}"""
    found = run1(body, {"a": a}, (1,), "float32", grid=(N, 1, 1), init_value=-1000, atomic_outputs=True)
    assert found[0] == a.max()


def test_a_histogram_in_threadgroup_memory() -> None:
    n = 384
    a = words(np.random.default_rng(4), n, 10)
    body = """uint t = thread_index_in_threadgroup, i = thread_position_in_grid.x;
    threadgroup atomic_uint bins[10];
    if (t < 10) atomic_store_explicit(&bins[t], 0u, memory_order_relaxed);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    atomic_fetch_add_explicit(&bins[a[i]], 1u, memory_order_relaxed);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    uint g = threadgroup_position_in_grid.x;
    if (t < 10) out[g * 10 + t] = atomic_load_explicit(&bins[t], memory_order_relaxed);"""
    found = run1(body, {"a": a}, (3, 10), "uint32", grid=(n, 1, 1), threadgroup=(128, 1, 1))
    np.testing.assert_array_equal(found, [np.bincount(part, minlength=10) for part in a.reshape(3, 128)])


def test_signed_minimum_and_maximum() -> None:
    a = np.random.default_rng(5).integers(-1000, 1000, N).astype(np.int32)
    body = """uint i = thread_position_in_grid.x;
    atomic_fetch_min_explicit(&out[0], a[i], memory_order_relaxed);
    atomic_fetch_max_explicit(&out[1], a[i], memory_order_relaxed);"""
    found = run1(body, {"a": a}, (2,), "int32", grid=(N, 1, 1), init_value=0, atomic_outputs=True)
    assert found.tolist() == [min(a.min(), 0), max(a.max(), 0)]


def test_a_counter_all_lanes_add_to_at_once() -> None:
    body = "atomic_fetch_add_explicit(&out[0], 3, memory_order_relaxed);"
    found = run1(body, {}, (1,), "int32", grid=(N, 1, 1), init_value=0, atomic_outputs=True)
    assert found[0] == 3 * N
