"""Counters equal to what is counted by hand, for each kernel beside it; the same on every run and machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal.checks import Counters


@dataclass(frozen=True)
class Case:
    """A body over input `a` (and `b`) of float32, output `y`; sizes in elements; and its counts."""

    body: str
    a: int
    y: int
    threads: tuple[int, int, int]
    group: tuple[int, int, int] = (32, 1, 1)
    b: int = 0
    dtype: Any = mx.float32
    output: Any = None
    init_value: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)


I = "uint i = thread_position_in_threadgroup.x; "  # noqa: E741
CASES = {
    # 2 SIMD-groups, each 32 · 4 bytes = 128 bytes = 4 sectors = 1 line, there and back.
    "copy": Case(
        "uint i = thread_position_in_grid.x; y[i] = a[i];",
        64,
        64,
        (64, 1, 1),
        counts={
            "a.bytes_read": 256,
            "a.bytes_written": 0,
            "y.bytes_written": 256,
            "a.sectors": 8,
            "a.lines": 2,
            "a.coalescing": 1.0,
            "a.distinct_bytes_read": 256,
            "flops": 0,
            "active_lanes": 1.0,
            "launches": 1,
        },
    ),
    # One fused multiply-add a thread, 2 operations.
    "scale_and_add": Case(
        I + "y[i] = 2.0f * a[i] + b[i];",
        32,
        32,
        (32, 1, 1),
        b=32,
        counts={"flops": 64, "a.bytes_read": 128, "b.bytes_read": 128, "y.bytes_written": 128, "mma": 0},
    ),
    # Every second float: 32 · 8 bytes apart = 8 sectors, half of each asked for.
    "every_second": Case(
        I + "y[i] = a[2 * i];",
        64,
        32,
        (32, 1, 1),
        counts={
            "a.bytes_read": 128,
            "a.sectors": 8,
            "a.lines": 2,
            "a.coalescing": 0.5,
            "a.distinct_bytes_read": 128,
        },
    ),
    # All lanes one float: each asks for 4 bytes, one sector moves.
    "one_for_all": Case(
        I + "y[i] = a[5];",
        32,
        32,
        (32, 1, 1),
        counts={
            "a.bytes_read": 128,
            "a.distinct_bytes_read": 4,
            "a.sectors": 1,
            "a.lines": 1,
            "a.coalescing": 4 / 32,
        },
    ),
    # A column of 32×32: a line, and in it a sector, for each lane.
    "column": Case(
        I + "y[i] = a[32 * i];",
        1024,
        32,
        (32, 1, 1),
        counts={"a.sectors": 32, "a.lines": 32, "a.coalescing": 0.125, "a.bytes_read": 128},
    ),
    # From the second float on: 128 bytes from byte 4 touch 5 sectors, 2 lines.
    "one_off": Case(
        I + "y[i] = a[i + 1];",
        33,
        32,
        (32, 1, 1),
        counts={"a.sectors": 5, "a.lines": 2, "a.coalescing": 128 / 160},
    ),
    # 32 lanes of 16 bytes = 512 bytes = 16 sectors; 3 additions a thread.
    "vectors": Case(
        I + "float4 v = ((const device float4*)a)[i]; y[i] = v.x + v.y + v.z + v.w;",
        128,
        32,
        (32, 1, 1),
        counts={"a.bytes_read": 512, "a.sectors": 16, "a.lines": 4, "a.coalescing": 1.0, "flops": 96},
    ),
    # Two accesses of 64 bytes: 2 sectors each, 1 line each.
    "halves": Case(
        "uint i = thread_position_in_grid.x; y[i] = a[i];",
        64,
        64,
        (64, 1, 1),
        dtype=mx.float16,
        counts={"a.bytes_read": 128, "a.sectors": 4, "a.lines": 2, "y.bytes_written": 128},
    ),
    # 37 of 40 threads; the second SIMD-group's 5 lanes need 20 bytes, 1 sector.
    "guarded": Case(
        "uint i = thread_position_in_grid.x; if (i < 37) { y[i] = a[i]; }",
        37,
        37,
        (40, 1, 1),
        (64, 1, 1),
        counts={"a.bytes_read": 148, "a.sectors": 5, "a.lines": 2, "y.bytes_written": 148},
    ),
    # 8 threads, each a row of 9: 72 loads, 72 additions.
    "row_sums": Case(
        I + "float s = 0; for (uint k = 0; k < 9; ++k) { s += a[9 * i + k]; } y[i] = s;",
        72,
        8,
        (8, 1, 1),
        counts={"a.bytes_read": 288, "a.distinct_bytes_read": 288, "flops": 72, "y.bytes_written": 32},
    ),
    # 3 products a lane, each fused with its sum; one operation across lanes.
    "dot_product": Case(
        I + "float s = 0; for (uint k = i; k < 96; k += 32) { s += a[k] * b[k]; } s = simd_sum(s);"
        " if (i == 0) { y[0] = s; }",
        96,
        1,
        (32, 1, 1),
        b=96,
        counts={"flops": 2 * 96, "lane_ops": 1, "a.bytes_read": 384, "b.sectors": 12, "y.bytes_written": 4},
    ),
    # 4 SIMD-groups come to 2 barriers.
    "barriers": Case(
        I + "threadgroup float t[128]; t[i] = a[i]; threadgroup_barrier(mem_flags::mem_threadgroup);"
        " float x = t[i ^ 1]; threadgroup_barrier(mem_flags::mem_threadgroup); t[i] = x; y[i] = t[i];",
        128,
        128,
        (128, 1, 1),
        (128, 1, 1),
        counts={"barriers": 8, "threadgroup.bytes_written": 1024, "threadgroup_memory": 512},
    ),
    # 64 floats in, the same out in another order: no two lanes use one bank.
    "threadgroup_memory": Case(
        I + "threadgroup float t[64]; t[i] = a[i]; threadgroup_barrier(mem_flags::mem_threadgroup);"
        " y[i] = t[63 - i];",
        64,
        64,
        (64, 1, 1),
        (64, 1, 1),
        counts={
            "threadgroup.bytes_read": 256,
            "threadgroup.bytes_written": 256,
            "threadgroup.bank_conflicts": 0,
            "threadgroup_memory": 256,
            "barriers": 2,
        },
    ),
    # A column of rows of 32: all in one bank, 31 more rounds; written and read.
    "bank_conflicts": Case(
        I + "threadgroup float t[1024]; t[32 * i] = a[i]; threadgroup_barrier(mem_flags::mem_threadgroup);"
        " y[31 - i] = t[32 * (31 - i)];",
        32,
        32,
        (32, 1, 1),
        counts={
            "threadgroup.bank_conflicts": 62,
            "load_conflicts": 31,
            "threadgroup_memory": 4096,
            "barriers": 1,
        },
    ),
    # Rows of 33: every lane has a bank of its own.
    "padded": Case(
        I + "threadgroup float t[1056]; t[33 * i] = a[i]; threadgroup_barrier(mem_flags::mem_threadgroup);"
        " y[31 - i] = t[33 * (31 - i)];",
        32,
        32,
        (32, 1, 1),
        counts={"threadgroup.bank_conflicts": 0, "load_conflicts": 0, "threadgroup_memory": 4224},
    ),
    # Rows of 34: lanes 16 apart share a bank, one more round; written and read.
    "two_in_a_bank": Case(
        I + "threadgroup float t[1088]; t[34 * i] = a[i]; threadgroup_barrier(mem_flags::mem_threadgroup);"
        " y[31 - i] = t[34 * (31 - i)];",
        32,
        32,
        (32, 1, 1),
        counts={"threadgroup.bank_conflicts": 2, "load_conflicts": 1},
    ),
    # One 8×8×8 product; a matrix is 8 rows of 32 bytes, side by side.
    "matrices": Case(
        "simdgroup_matrix<float, 8, 8> A, B, C(0.0f); simdgroup_load(A, a, 8); simdgroup_load(B, b, 8);"
        " simdgroup_multiply_accumulate(C, A, B, C); simdgroup_store(C, y, 8);",
        64,
        64,
        (32, 1, 1),
        b=64,
        counts={
            "mma": 1,
            "flops": 0,
            "a.bytes_read": 256,
            "a.sectors": 8,
            "a.lines": 2,
            "y.bytes_written": 256,
        },
    ),
    # Rows of 32 floats: 8 rows of a sector each, in 8 lines.
    "matrix_with_long_rows": Case(
        "simdgroup_matrix<float, 8, 8> A; simdgroup_load(A, a, 32); simdgroup_store(A, y, 8);",
        256,
        64,
        (32, 1, 1),
        counts={"a.bytes_read": 256, "a.sectors": 8, "a.lines": 8, "y.sectors": 8, "y.lines": 2, "mma": 0},
    ),
    # 64 threads add to one place: each reads and writes 4 bytes, the place has 4.
    "atomics": Case(
        "atomic_fetch_add_explicit(&y[0], 1u, memory_order_relaxed);",
        8,
        1,
        (64, 1, 1),
        output=mx.uint32,
        init_value=0,
        options={"atomic_outputs": True},
        counts={
            "y.bytes_read": 256,
            "y.bytes_written": 256,
            "y.distinct_bytes_read": 4,
            "y.distinct_bytes_written": 4,
            "y.sectors": 2,
        },
    ),
    # An exclusive or and a product a thread; places in memory cost nothing.
    "integers": Case(
        I + "y[i] = (a[i] ^ 5u) * 7u;",
        32,
        32,
        (32, 1, 1),
        dtype=mx.uint32,
        counts={"integer_ops": 64, "flops": 0},
    ),
    # 8×8 threads in 2 threadgroups of 8×4: u's 4 floats and v's 8 for each SIMD-group.
    "outer_product": Case(
        "uint2 p = thread_position_in_grid.xy; y[8 * p.y + p.x] = a[p.y] * b[p.x];",
        8,
        64,
        (8, 8, 1),
        (8, 4, 1),
        b=8,
        counts={
            "a.bytes_read": 256,
            "a.coalescing": 0.5,
            "b.coalescing": 1.0,
            "a.sectors": 2,
            "b.sectors": 2,
            "a.distinct_bytes_read": 32,
            "flops": 64,
        },
    ),
    # A quarter of the lanes; a sector; the other lanes ask for nothing.
    "few_lanes": Case(
        I + "if (i < 8) { y[i] = sqrt(a[i]); }",
        32,
        8,
        (32, 1, 1),
        counts={"a.bytes_read": 32, "a.sectors": 1, "flops": 8, "y.bytes_written": 32},
    ),
}


def count(case: Case, threads: int) -> Counters:
    rng = np.random.default_rng(3)
    inputs = {"a": case.a, **({"b": case.b} if case.b else {})}
    kernel = anymetal.metal_kernel("counted", list(inputs), ["y"], case.body, **case.options)
    with anymetal.threads(threads), anymetal.checked() as report:
        kernel(
            inputs=[mx.array(rng.random(n)).astype(case.dtype) for n in inputs.values()],
            output_shapes=[(case.y,)],
            output_dtypes=[case.output or case.dtype],
            grid=case.threads,
            threadgroup=case.group,
            init_value=case.init_value,
        )
    assert not report.findings, str(report)
    return report.counters


def value(counters: Counters, name: str) -> Any:
    first, dot, rest = name.partition(".")
    if not dot:
        return getattr(counters, first)
    return getattr(counters.threadgroup if first == "threadgroup" else counters.buffers[first], rest)


@pytest.mark.parametrize("name", CASES)
def test_is_what_the_hand_counts(name: str) -> None:
    case = CASES[name]
    counters = count(case, 1)
    assert {key: value(counters, key) for key in case.counts} == case.counts


@pytest.mark.parametrize("name", ["copy", "guarded", "barriers", "matrices", "atomics", "dot_product"])
def test_is_the_same_every_time(name: str) -> None:
    assert count(CASES[name], 1) == count(CASES[name], 2) == count(CASES[name], 2)


def test_there_are_enough() -> None:
    assert len(CASES) >= 20
