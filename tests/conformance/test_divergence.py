"""Threads of one SIMD-group that go different ways, and meet again."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
import pytest

from .running import run1, words

N = 100  # three SIMD-groups and a part of one
INDEX = "uint i = thread_position_in_grid.x;\n"


def each(body: str, one: Callable[[int, list[int]], int], seed: int, below: int = 2**32, n: int = N) -> None:
    """A kernel that treats each thread's number alone, against the same in Python."""
    a = words(np.random.default_rng(seed), n, below)
    found = run1(INDEX + body, {"a": a}, (n,), "uint32", init_value=7)
    numbers = [int(v) for v in a]
    np.testing.assert_array_equal(found, [one(i, numbers) % 2**32 for i in range(n)])


def test_if_and_else() -> None:
    each(
        "if (a[i] & 1) out[i] = a[i] * 3; else out[i] = a[i] - i;",
        lambda i, a: a[i] * 3 if a[i] & 1 else a[i] - i,
        1,
    )


def test_nested_ifs_with_values_that_meet() -> None:
    def one(i: int, a: list[int]) -> int:
        x = a[i]
        if x & 1:
            if x & 2:
                x += i
            else:
                x = (x * 5) % 2**32
                if x & 8:
                    x ^= 0xFF
        elif i > 40:
            x = 1
        return x + 1

    each(
        """uint x = a[i];
        if (x & 1) {
            if (x & 2) { x += i; } else { x *= 5; if (x & 8) x ^= 0xFF; }
        } else if (i > 40) { x = 1; }
        out[i] = x + 1;""",
        one,
        2,
    )


def test_switch_with_fall_through_and_default() -> None:
    def one(i: int, a: list[int]) -> int:
        kind, x = a[i] % 7, 100
        if kind == 0:
            return x + 1
        if kind in (1, 2):
            x = (x + 10 if kind == 1 else x) * 2
            return x
        if kind == 5:
            return x - i
        return x + a[i]

    each(
        """uint x = 100;
        switch (a[i] % 7) {
            case 0: x += 1; break;
            case 1: x += 10;
            case 2: x *= 2; break;
            case 5: x -= i; break;
            default: x += a[i];
        }
        out[i] = x;""",
        one,
        3,
    )


@pytest.mark.parametrize("n", [32, 33, 100])
def test_early_return_before_simd_sum(n: int) -> None:
    a = words(np.random.default_rng(n), n)
    body = INDEX + "if (a[i] & 1) return;\nout[i] = simd_sum(a[i] + i);"
    found = run1(body, {"a": a}, (n,), "uint32", init_value=7)
    for start in range(0, n, 32):
        group = np.arange(start, min(start + 32, n))
        stays = group[a[group] % 2 == 0]
        total = int(sum(int(a[i]) + int(i) for i in stays)) % 2**32
        np.testing.assert_array_equal(found[group], np.where(a[group] % 2 == 0, total, 7))


def test_return_inside_a_loop() -> None:
    def one(i: int, a: list[int]) -> int:
        x = a[i]
        for k in range(20):
            if x % 5 == 0:
                return k + 1000
            x = x // 2 + k
        return x

    each(
        """uint x = a[i];
        for (uint k = 0; k < 20; ++k) {
            if (x % 5 == 0) { out[i] = k + 1000; return; }
            x = x / 2 + k;
        }
        out[i] = x;""",
        one,
        4,
    )


def test_break_and_continue() -> None:
    def one(i: int, a: list[int]) -> int:
        total = 0
        for k in range(30):
            v = a[(i + k) % N]
            if v % 3 == 0:
                continue
            if v % 11 == 0:
                break
            total += v
        return total

    each(
        f"""uint total = 0;
        for (uint k = 0; k < 30; ++k) {{
            uint v = a[(i + k) % {N}];
            if (v % 3 == 0) continue;
            if (v % 11 == 0) break;
            total += v;
        }}
        out[i] = total;""",
        one,
        5,
    )


def test_a_trip_count_of_each_lanes_own() -> None:
    each(
        "uint total = 1; for (uint k = 0; k < a[i]; ++k) total = total * 3 + k; out[i] = total;",
        lambda i, a: reduce(lambda t, k: (t * 3 + k) % 2**32, range(a[i]), 1),
        6,
        40,
    )


def test_what_leaves_a_loop_is_each_lanes_last() -> None:
    """Temporal divergence: a counter that all lanes share inside the loop differs among them outside."""

    def one(i: int, a: list[int]) -> int:
        k = 0
        while k * k < a[i]:
            k += 1
        return k * 1000 + i

    each("uint k = 0; while (k * k < a[i]) ++k; out[i] = k * 1000 + i;", one, 7, 2000)


def test_an_address_that_leaves_a_loop() -> None:
    """The same, of a pointer that is the same in all lanes as long as they are in the loop."""

    def one(i: int, a: list[int]) -> int:
        k = 0
        while a[k] < a[i] and k < N - 1:
            k += 1
        return a[k] + k

    each(
        f"const device uint* p = a; while (*p < a[i] && p < a + {N - 1}) ++p; out[i] = *p + uint(p - a);",
        one,
        8,
    )


def test_loops_in_divergent_code_in_loops() -> None:
    def one(i: int, a: list[int]) -> int:
        total = 0
        for j in range(a[i] % 6):
            if (a[i] >> j) & 1:
                k = 0
                while k < j + i % 4:
                    total += k * j
                    k += 1
                    if total > 60:
                        break
            else:
                total += 1
            if total > 90:
                return 12345
        return total

    each(
        """uint total = 0;
        for (uint j = 0; j < a[i] % 6; ++j) {
            if ((a[i] >> j) & 1) {
                uint k = 0;
                while (k < j + i % 4) { total += k * j; k += 1; if (total > 60) break; }
            } else { total += 1; }
            if (total > 90) { out[i] = 12345; return; }
        }
        out[i] = total;""",
        one,
        9,
    )


def test_do_while() -> None:
    def one(i: int, a: list[int]) -> int:
        x, steps = a[i], 0
        while True:
            x = x // 3
            steps += 1
            if not x > i:
                return steps * 7 + x

    each(
        "uint x = a[i], steps = 0; do { x /= 3; steps += 1; } while (x > i); out[i] = steps * 7 + x;", one, 10
    )


def test_conditions_stop_early() -> None:
    """The right of && must not be read where the left is false: it would be out of bounds."""
    each(
        f"out[i] = (i + 5 < {N} && a[i + 5] > a[i]) || (i >= 10 && a[i - 10] & 1) ? 1 : 0;",
        lambda i, a: int((i + 5 < N and a[i + 5] > a[i]) or (i >= 10 and a[i - 10] & 1 == 1)),
        11,
    )


def test_a_divergent_branch_with_no_lanes_on_one_side() -> None:
    each(
        "uint x = 1; if (a[i] < 1000) x = i; else x = a[i] / 0x80000000u; out[i] = x;",
        lambda i, a: i,
        12,
        1000,
    )


def test_cross_lane_sums_inside_divergent_code() -> None:
    n = 96
    a = words(np.random.default_rng(13), n, 1000)
    body = INDEX + "if (a[i] % 3 == 0) out[i] = simd_sum(a[i]); else out[i] = simd_max(a[i]) + 5000;"
    found = run1(body, {"a": a}, (n,), "uint32")
    for start in range(0, n, 32):
        group = a[start : start + 32]
        yes = group % 3 == 0
        expected = np.where(yes, group[yes].sum(), group[~yes].max() + 5000)
        np.testing.assert_array_equal(found[start : start + 32], expected)


def test_a_sum_in_each_round_of_a_loop_of_different_lengths() -> None:
    n = 64
    a = words(np.random.default_rng(14), n, 9)
    body = INDEX + "uint total = 0; for (uint k = 0; k < a[i]; ++k) total += simd_sum(i + k); out[i] = total;"
    found = run1(body, {"a": a}, (n,), "uint32")
    expected = np.zeros(n, np.int64)
    for start in range(0, n, 32):
        lanes = np.arange(start, start + 32)
        for k in range(9):
            going = lanes[a[lanes] > k]
            expected[going] += (going + k).sum()
    np.testing.assert_array_equal(found, expected)


def test_a_variable_set_on_one_side_only() -> None:
    """Lanes that never set it add whatever they hold; here, all have set it."""
    n = 64
    a = np.random.default_rng(15).random(n).astype(np.float32)
    body = """uint i = thread_position_in_grid.x, lane = thread_index_in_simdgroup;
    float x;
    if (lane < 16) x = a[i]; else x = 0;
    float total = simd_sum(x);
    out[i] = total;"""
    found = run1(body, {"a": a}, (n,), "float32")
    for start in range(0, n, 32):
        expected = a[start : start + 16].astype(np.float64).sum()
        # Sixteen numbers below 1: fifteen additions, each off by at most half a unit in the last place of 16.
        np.testing.assert_allclose(found[start : start + 32], expected, atol=16 * 15 * 2**-24)


def test_a_switch_that_is_a_table() -> None:
    """LLVM makes tables and bit sets of these."""
    a = words(np.random.default_rng(16), N, 40)
    body = """float x; bool odd; uchar y;
    switch (a[i]) {
        case 0: x = 1.5f; break;  case 1: x = 7; break;  case 2: x = -3; break;     case 3: x = 9; break;
        case 4: x = 11; break;    case 5: x = 0.25f; break;  case 6: x = 8; break;  default: x = -1;
    }
    switch (a[i]) {
        case 0: case 5: case 9: case 11: case 33: case 38: odd = true; break;
        default: odd = false;
    }
    switch (a[i]) { case 0: y = 3; break; case 1: y = 9; break; case 2: y = 200; break; default: y = 1; }
    out[i] = x * 4 + odd * 1000 + y;"""
    found = run1(INDEX + body, {"a": a}, (N,), "float32")
    x = np.array([1.5, 7, -3, 9, 11, 0.25, 8, *[-1] * 33])[a]
    y = np.array([3, 9, 200, *[1] * 37])[a]
    np.testing.assert_array_equal(found, x * 4 + np.isin(a, [0, 5, 9, 11, 33, 38]) * 1000 + y)
