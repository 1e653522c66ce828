"""Lab 06 as a learner meets it, and right kernels that are not written as the reference is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import pytest

from grader.exercise import Kernel
from grader.grading import judged
from grader.labs import find
from tests.labs.states import Lab, graded

LAB = Lab("06_wide_gemv")


def test_the_skeleton_runs_and_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "lane 0 stores `y[n + r]` where r < rows" in report


def test_with_the_kernel_alone_the_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "wide-kernel"))
    assert not ok
    assert "never written; the rest is right" in report
    assert "Round N / 32 up" in report


def test_a_solved_copy_passes(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "wide-kernel", "wide-launch"))
    assert ok, report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("uint width = min(uint(TILE), K - k0)", "uint width = min(uint(TILE), K)"), "outside it: x has"),
        (("k = t; k < width; k += 256", "k = t; k < width; k += 512"), "which nothing has written"),
        (("threads = 256 * ((N + 31) // 32)", "threads = 8 * N"), "the grid must be whole"),
    ],
)
def test_a_slip_in_the_solution_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, "wide-kernel", "wide-launch")
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (each for each in notebook.cells if change[0] in each.source)
    cell.source = cell.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


def make(source: str, threadgroup: int, outputs: int) -> Kernel:
    """A function that launches `source` with a threadgroup of so many threads for every so many outputs."""
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["vector", "matrix"], output_names=["out"], source=source
    )

    def wide(x: mx.array, w: mx.array) -> mx.array:
        n = w.shape[0]
        (y,) = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(threadgroup * -(-n // outputs), 1, 1),
            threadgroup=(threadgroup, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return y

    return wide


def two_tiles_in_turn() -> Kernel:
    """Two tiles of float and one barrier a tile; a row a SIMD-group, in threadgroups of 1,024 threads."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint t = thread_index_in_threadgroup;
        uint n = threadgroup_position_in_grid.x * 32 + simdgroup_index_in_threadgroup;
        uint N = matrix_shape[0], K = matrix_shape[1];
        threadgroup float tiles[2][256];
        if (t < min(K, 256u)) {
            tiles[0][t] = vector[t];
        }
        auto row = matrix + size_t(min(n, N - 1)) * K;
        float sum = 0;
        uint turn = 0;
        for (uint begin = 0; begin < K; begin += 256) {
            threadgroup_barrier(mem_flags::mem_threadgroup);
            uint next = begin + 256 + t;
            if (t < 256 && next < K) {
                tiles[1 - turn][t] = vector[next];
            }
            for (uint k = lane; k < 256 && begin + k < K; k += 32) {
                sum = fma(float(row[begin + k]), tiles[turn][k], sum);
            }
            turn = 1 - turn;
        }
        sum = simd_sum(sum);
        if (simd_is_first() && n < N) {
            out[n] = T(sum);
        }
    """
    return make(source, 1024, 32)


def past_the_end_is_zero() -> Kernel:
    """Whole tiles, filled with zeros past K; the SIMD-groups of a threadgroup take rows 16 apart."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = threadgroup_position_in_grid.x * 64 + simdgroup_index_in_threadgroup;
        int N = matrix_shape[0], K = matrix_shape[1];
        threadgroup T tile[512];
        float4 sums = 0;
        for (int begin = 0; begin < K; begin += 512) {
            threadgroup_barrier(mem_flags::mem_threadgroup);
            int mine = thread_index_in_threadgroup;
            tile[mine] = begin + mine < K ? vector[begin + mine] : T(0);
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (int k = lane; k < 512; k += 32) {
                for (int r = 0; r < 4; r++) {
                    int row = n + 16 * r;
                    if (row < N && begin + k < K) {
                        sums[r] += float(matrix[row * K + begin + k]) * float(tile[k]);
                    }
                }
            }
        }
        for (int r = 0; r < 4; r++) {
            float total = simd_sum(sums[r]);
            if (lane == 31 && int(n) + 16 * r < N) {
                out[n + 16 * r] = T(total);
            }
        }
    """
    return make(source, 512, 64)


@pytest.mark.parametrize("variant", [two_tiles_in_turn, past_the_end_is_zero])
def test_a_right_kernel_passes(variant: Callable[[], Kernel]) -> None:
    result = judged(find("06"), variant(), seed=4)
    assert result.passed, str(result)
