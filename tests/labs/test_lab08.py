"""Lab 08 as a learner meets it, and right kernels that are not written as the reference is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import pytest

from grader.grading import judged
from grader.labs import find
from grader.mutants.lab08._right import SOURCE
from tests.labs.states import Lab, graded

LAB = Lab("08_tiled_gemm")
EXERCISE = find("08")
# Each type is compiled anew, and float16 and bfloat16 take the same paths.
FLOAT32 = replace(EXERCISE, cases=tuple(case for case in EXERCISE.cases if case.dtype == "float32"))


def test_the_skeleton_runs_and_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "Thread (j, i) of a tile owns row m0 + i" in report


def test_with_the_kernel_alone_the_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "tiled-kernel"))
    assert not ok
    assert "the launch made 16 × 16 threads" in report


def test_a_solved_copy_passes(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "tiled-kernel", "tiled-launch"))
    assert ok, report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("        threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody", "        // nobody"),
            "a race",
        ),
        (("e < BM * BK; e += BM * BN", "e < BM * BN; e += BM * BN"), "which nothing has written"),
        (("    rows = (M + BM - 1) // BM * BM", "    rows = M"), "the grid must be whole"),
    ],
)
def test_a_slip_in_the_solution_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, "tiled-kernel", "tiled-launch")
    notebook = nbformat.read(path, as_version=4)
    changed = 0
    for cell in notebook.cells:
        if change[0] in cell.source:
            cell.source = cell.source.replace(*change)
            changed += 1
    assert changed == 1
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


# --- right kernels, written another way -----------------------------------------------------------


def tiles(length: int, edge: int) -> int:
    return -(-length // edge)


def launching(
    source: str, tile: tuple[int, int], threadgroup: tuple[int, int]
) -> Callable[[mx.array, mx.array], mx.array]:
    """Launches `source` with a threadgroup of (x, y) threads for each tile of (rows, columns)."""
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["X", "W"], output_names=["Y"], source=source
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = x.shape[0], w.shape[1]
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(tiles(columns, tile[1]) * threadgroup[0], tiles(rows, tile[0]) * threadgroup[1], 1),
            threadgroup=(*threadgroup, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


def two_pairs_of_tiles_and_one_barrier() -> Callable[[mx.array, mx.array], mx.array]:
    source = SOURCE.replace("x_tile[BM * BK]", "x_tiles[2][BM * BK]")
    source = source.replace("w_tile[BK * BN]", "w_tiles[2][BK * BN]")
    loop = "for (uint k0 = 0; k0 < K; k0 += BK) {\n"
    choose = "".join(f"    threadgroup T* {name}_tile = {name}_tiles[k0 / BK % 2];\n" for name in ("x", "w"))
    source = source.replace(loop, loop + choose)
    first, _, last = source.rpartition("    threadgroup_barrier(mem_flags::mem_threadgroup);\n")
    assert "threadgroup_barrier" in first
    assert "threadgroup_barrier" not in last
    return EXERCISE.launch(first + last)


def four_outputs_a_thread_from_a_turned_padded_tile() -> Callable[[mx.array, mx.array], mx.array]:
    """Tiles of 32 × 32 in steps of 8; X lies turned over, so that both factors are read along a row."""
    source = """
        const int lane = thread_index_in_simdgroup, group = simdgroup_index_in_threadgroup;
        const int M = X_shape[0], K = X_shape[1], N = W_shape[1];
        const int top = 32 * threadgroup_position_in_grid.y, left = 32 * threadgroup_position_in_grid.x;
        threadgroup float xs[8][33], ws[8][32];
        float sums[4] = {0, 0, 0, 0};
        for (int start = 0; start < K; start += 8) {
            const int m = top + thread_index_in_threadgroup / 8, k = start + lane % 8;
            xs[lane % 8][m - top] = m < M && k < K ? float(X[m * K + k]) : 0.0f;
            const bool there = start + group < K && left + lane < N;
            ws[group][lane] = there ? float(W[(start + group) * N + left + lane]) : 0.0f;
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (int step = 0; step < min(8, K - start); step++) {
                for (int r = 0; r < 4; r++) {
                    sums[r] = fma(xs[step][4 * group + r], ws[step][lane], sums[r]);
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
        }
        for (int r = 0; r < 4; r++) {
            const int m = top + 4 * group + r;
            if (m < M && left + lane < N) {
                Y[m * N + left + lane] = T(sums[r]);
            }
        }
    """
    return launching(source, (32, 32), (256, 1))


def loads_by_rows_of_the_threadgroup() -> Callable[[mx.array, mx.array], mx.array]:
    """Two-dimensional tiles, shares by i and j, the barrier at the head of the loop, size_t for places."""
    source = """
        int i = thread_position_in_threadgroup.y, j = thread_position_in_threadgroup.x;
        int m = thread_position_in_grid.y, n = thread_position_in_grid.x;
        int M = X_shape[0], K = X_shape[1], N = W_shape[1];
        threadgroup T a[16][17], b[16][16];
        float sum = 0;
        for (int k0 = 0; k0 < K; k0 += 16) {
            threadgroup_barrier(mem_flags::mem_threadgroup);
            a[i][j] = 0;
            b[i][j] = 0;
            if (m < M && k0 + j < K) a[i][j] = X[size_t(m) * K + k0 + j];
            if (n < N && k0 + i < K) b[i][j] = W[size_t(k0 + i) * N + n];
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (int k = 15; k >= 0; k--) sum += float(a[i][k]) * float(b[k][j]);
        }
        if (m < M && n < N) Y[size_t(m) * N + n] = T(sum);
    """
    return launching(source, (16, 16), (16, 16))


@pytest.mark.parametrize(
    "variant",
    [
        two_pairs_of_tiles_and_one_barrier,
        four_outputs_a_thread_from_a_turned_padded_tile,
        loads_by_rows_of_the_threadgroup,
    ],
)
def test_a_right_kernel_passes(variant: Callable[[], Callable[[mx.array, mx.array], mx.array]]) -> None:
    result = judged(FLOAT32, variant(), seed=4)
    assert result.passed, str(result)


@pytest.mark.parametrize("seed", [11, 12])
def test_the_right_body_passes_for_any_numbers(seed: int) -> None:
    result = judged(EXERCISE, EXERCISE.launch(SOURCE), seed=seed)
    assert result.passed, str(result)
