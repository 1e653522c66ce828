"""Lab 07: half-solved states and slips are named, and right kernels pass however they are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import pytest

from grader import watch
from grader.exercise import Kernel
from grader.grading import judged
from grader.labs import find, lab07
from tests.labs.states import Lab, graded

LAB = Lab("07_batched_gemv")


def test_the_skeleton_is_told_that_nothing_was_stored() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "a loop over m that stores" in report


def test_with_the_kernel_alone_the_template_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "batched-kernel"))
    assert not ok
    assert "use of undeclared identifier 'M'" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        ("batched-kernel", ("float sums[M]", "float sums[8]"), "sums has 8 elements"),
        ("batched-kernel", ("simd_sum(sums[m])", "sums[m]"), "each sum holds only the products of lane 0"),
        ("batched-launch", ("threads = 256 * ((N + 7) // 8)", "pass"), "never written; the rest is right"),
    ],
)
def test_a_slip_in_the_solution_is_named(
    tmp_path: Path, cell: str, change: tuple[str, str], words: str
) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    for each in notebook.cells:
        if each.id == cell:
            assert change[0] in each.source
            each.source = each.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


# --- right kernels, written otherwise ---------------------------------------------------------------

SIZES = """
    uint lane = thread_index_in_simdgroup;
    uint N = w_shape[0];
    uint K = w_shape[1];
"""

EIGHT_SHARE_A_ROW = (
    SIZES
    + """
    uint group = simdgroup_index_in_threadgroup;
    uint n = threadgroup_position_in_grid.x;
    threadgroup float shares[8][M];
    float sums[M] = {};
    for (uint k = thread_index_in_threadgroup; k < K; k += 256) {
        float weight = w[n * K + k];
        for (int m = 0; m < M; m++) {
            sums[m] = fma(float(x[m * K + k]), weight, sums[m]);
        }
    }
    for (int m = 0; m < M; m++) {
        float total = simd_sum(sums[m]);
        if (lane == 0) {
            shares[group][m] = total;
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint m = thread_index_in_threadgroup; m < uint(M); m += 256) {
        float total = 0;
        for (int i = 0; i < 8; i++) {
            total += shares[i][m];
        }
        y[m * N + n] = T(total);
    }
"""
)

TWO_ROWS_OF_W = (
    SIZES
    + """
    uint n = thread_position_in_grid.x / 32 * 2;
    bool second = n + 1 < N;
    float sums[2][M] = {};
    for (uint k = lane; k < K; k += 32) {
        float first_weight = w[n * K + k];
        float second_weight = second ? float(w[(n + 1) * K + k]) : 0.0f;
        for (int m = 0; m < M; m++) {
            float xk = x[m * K + k];
            sums[0][m] += xk * first_weight;
            if (second) {
                sums[1][m] += xk * second_weight;
            }
        }
    }
    for (int m = 0; m < M; m++) {
        float first_total = simd_sum(sums[0][m]);
        float second_total = simd_sum(sums[1][m]);
        if (lane == 0) {
            y[m * N + n] = T(first_total);
        }
        if (lane == 1 && second) {
            y[m * N + n + 1] = T(second_total);
        }
    }
"""
)

ROOM_FOR_SIXTEEN = (
    SIZES
    + """
    uint n = thread_position_in_grid.x / 32;
    float sums[16];
    for (uint m = 0; m < 16; m++) {
        sums[m] = 0;
    }
    for (uint k = lane; k < K; k += 32) {
        float weight = w[n * K + k];
        for (uint m = 0; m < x_shape[0]; m++) {
            sums[m] += float(x[m * K + k]) * weight;
        }
    }
    for (uint m = 0; m < x_shape[0]; m++) {
        float total = sums[m];
        for (ushort step = 16; step > 0; step /= 2) {
            total += simd_shuffle_xor(total, step);
        }
        if (lane == m % 32) {
            y[m * N + n] = T(total);
        }
    }
"""
)


def made(source: str, threads: Callable[[int], int]) -> Kernel:
    """A function of (x, w) that launches `source` with `threads(N)` threads, in threadgroups of 256."""
    watch.install()
    kernel: Any = mx.fast.metal_kernel(
        name="otherwise", input_names=["x", "w"], output_names=["y"], source=source
    )

    def batched(x: mx.array, w: mx.array) -> mx.array:
        shape = (x.shape[0], w.shape[0])
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype), ("M", shape[0])],
            grid=(threads(shape[1]), 1, 1),
            threadgroup=(256, 1, 1),
            output_shapes=[shape],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return batched


@pytest.mark.parametrize(
    ("source", "threads"),
    [
        (EIGHT_SHARE_A_ROW, lambda n: 256 * n),
        (TWO_ROWS_OF_W, lambda n: 32 * ((n + 1) // 2)),
        (ROOM_FOR_SIXTEEN, lambda n: 32 * n),
    ],
    ids=["eight SIMD-groups share a row", "two rows of w", "room for sixteen"],
)
def test_a_right_kernel_written_otherwise_passes(source: str, threads: Callable[[int], int]) -> None:
    result = judged(find("07"), made(source, threads), seed=7)
    assert result.passed, str(result)


def test_the_unoptimised_kernel_is_right_and_over_budget() -> None:
    watch.install()
    result = judged(find("07"), lab07.launch(lab07.ROW_AFTER_ROW), seed=7)
    assert result.kind == "over-budget"
    assert "16× the reference's" in str(result)
