"""Lab 03: what learners get wrong in its cells, and right sums that are written another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import pytest

from grader.exercise import Case, Exercise
from grader.grading import judged
from grader.labs import find
from tests.labs.states import Lab, graded

LAB = Lab("03_how_a_gpu_runs_it")


def test_with_the_first_kernel_alone_the_second_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "simd-sum-kernel"))
    assert not ok
    assert "a sum across lanes: passed" in report
    assert "no element of y was written" in report
    assert "One thread should end with" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        (
            "simd-sum-kernel",
            ("simd_shuffle_xor(sum, away)", "simd_shuffle_down(sum, away)"),
            "lane 0 has the whole",
        ),
        ("threadgroup-kernel", ("lane < 8 ? partial[lane] : 0.0f", "partial[lane]"), "reads partial[8]"),
    ],
)
def test_a_slip_in_the_solution_is_named(
    tmp_path: Path, cell: str, change: tuple[str, str], words: str
) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    (chosen,) = (each for each in notebook.cells if each.id == cell)
    assert change[0] in chosen.source
    chosen.source = chosen.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


SHUFFLED_DOWN_AND_BROADCAST = """
    uint lane = thread_index_in_simdgroup;
    uint m = simdgroup_index_in_threadgroup + 8 * threadgroup_position_in_grid.x;
    uint M = x_shape[0], K = x_shape[1];
    float sum = 0;
    for (uint k = lane; m < M && k < K; k += 32) {
        sum += float(x[m * K + k]);
    }
    for (ushort delta = 1; delta < 32; delta *= 2) {
        sum += simd_shuffle_down(sum, delta);
    }
    sum = simd_broadcast_first(sum);
    if (m < M) {
        y[m * 32 + lane] = T(sum);
    }
"""

THROUGH_QUADS = """
    uint lane = thread_index_in_simdgroup;
    uint m = thread_position_in_grid.x / 32;
    uint K = x_shape[1];
    if (m >= uint(x_shape[0])) {
        return;
    }
    float sum = 0;
    for (uint start = 0; start < K; start += 32) {
        sum += start + lane < K ? float(x[m * K + start + lane]) : 0.0f;
    }
    sum += quad_shuffle_xor(sum, ushort(1));
    sum += quad_shuffle_xor(sum, ushort(2));
    sum += simd_shuffle_rotate_up(sum, ushort(4));
    sum += simd_shuffle_rotate_up(sum, ushort(8));
    sum += simd_shuffle_rotate_up(sum, ushort(16));
    y[m * 32 + lane] = T(sum);
"""

EVERY_SIMDGROUP_ADDS_UP = """
    uint t = thread_index_in_threadgroup;
    uint lane = thread_index_in_simdgroup;
    uint m = threadgroup_position_in_grid.y;
    uint K = x_shape[1];
    threadgroup float sums[32];
    if (t < 32) {
        sums[t] = 0;
    }
    float sum = 0;
    for (uint k = t; k < K; k += 256) {
        sum += float(x[m * K + k]);
    }
    sum = simd_sum(sum);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (simd_is_first()) {
        sums[simdgroup_index_in_threadgroup] = sum;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float total = simd_sum(sums[lane]);
    if (t == 255) {
        y[m] = T(total);
    }
"""

THREAD_ZERO_ADDS_UP = """
    uint t = thread_index_in_threadgroup;
    uint m = threadgroup_position_in_grid.y;
    uint K = x_shape[1];
    threadgroup float shares[8];
    float sum = 0;
    for (uint k = t; k < K; k += 256) {
        sum += float(x[m * K + k]);
    }
    sum = simd_sum(sum);
    if (t % 32 == 0) {
        shares[t / 32] = sum;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (t == 0) {
        float total = 0;
        for (uint i = 0; i < 8; i++) {
            total += shares[i];
        }
        y[m] = T(total);
    }
"""


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("simd_sum", SHUFFLED_DOWN_AND_BROADCAST),
        ("simd_sum", THROUGH_QUADS),
        ("threadgroup", EVERY_SIMDGROUP_ADDS_UP),
        ("threadgroup", THREAD_ZERO_ADDS_UP),
    ],
    ids=["down_and_broadcast", "quads_and_rotations", "every_simdgroup_adds_up", "thread_zero_adds_up"],
)
def test_a_right_kernel_passes(name: str, source: str) -> None:
    result = judged(float_and_half(find(f"03.{name}")), find(f"03.{name}").launch(source), seed=4)
    assert result.passed, str(result)


def float_and_half(exercise: Exercise) -> Exercise:
    """bfloat16 takes the paths that float16 takes, and each type is compiled anew."""
    return replace(exercise, cases=tuple(case for case in exercise.cases if case.dtype != "bfloat16"))


def two_launches() -> Callable[[mx.array], mx.array]:
    """The row's halves first, then their sums: no barrier, and a second kernel that reads the first one's."""
    parts: Any = mx.fast.metal_kernel(
        name="parts",
        input_names=["x"],
        output_names=["y"],
        source="""
            uint i = thread_position_in_grid.x / 32;
            uint lane = thread_index_in_simdgroup;
            uint K = x_shape[1];
            uint m = i / 2, half_k = (K + 1) / 2;
            float sum = 0;
            for (uint k = lane; k < half_k && i % 2 * half_k + k < K; k += 32) {
                sum += float(x[m * K + i % 2 * half_k + k]);
            }
            sum = simd_sum(sum);
            if (lane == 0) {
                y[i] = sum;
            }
        """,
    )
    both: Any = mx.fast.metal_kernel(
        name="both",
        input_names=["p"],
        output_names=["y"],
        source="uint m = thread_position_in_grid.x; y[m] = T(p[2 * m] + p[2 * m + 1]);",
    )

    def sums(x: mx.array) -> mx.array:
        rows = x.shape[0]
        (halves,) = parts(
            inputs=[x],
            grid=(64 * rows, 1, 1),
            threadgroup=(64, 1, 1),
            output_shapes=[(2 * rows,)],
            output_dtypes=[mx.float32],
        )
        (y,) = both(
            inputs=[halves],
            template=[("T", x.dtype)],
            grid=(rows, 1, 1),
            threadgroup=(64, 1, 1),
            output_shapes=[(rows,)],
            output_dtypes=[x.dtype],
        )
        return y

    return sums


def test_sums_in_two_launches_pass() -> None:
    result = judged(float_and_half(find("03.threadgroup")), two_launches(), seed=5)
    assert result.passed, str(result)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("// simd_sum would do\n", ""),
        ("/* not\nsimd_sum */ sum = simd_sum(sum);\n", "line 15 calls `simd_sum`"),
        ("float simd_summary = sum;\n", ""),
    ],
)
def test_words_are_refused_where_they_are_called(text: str, words: str) -> None:
    exercise = find("03.simd_sum")
    exercise = replace(exercise, cases=exercise.cases[:1], budgets=())
    source = """uint lane = thread_index_in_simdgroup;
uint m = thread_position_in_grid.x / 32;
uint K = x_shape[1];
if (m >= uint(x_shape[0])) {
    return;
}
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(x[m * K + k]);
}
for (ushort away = 16; away > 0; away /= 2) {
    sum += simd_shuffle_xor(sum, away);
}
"""
    result = judged(exercise, exercise.launch(source + text + "y[m * 32 + lane] = T(sum);\n"), seed=6)
    assert result.passed == (not words)
    assert words in str(result)


@pytest.mark.parametrize("name", ["simd_sum", "threadgroup"])
def test_a_time_counts_an_addition_an_element_and_no_product(name: str) -> None:
    assert find(f"03.{name}").flops(Case({"M": 3, "K": 5})) == 15
