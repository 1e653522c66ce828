"""Lab 05: what it says about slips of its own, and right kernels that are written in another way."""

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

LAB = Lab("05_gemv")
FIRST, SECOND = LAB.to_solve()[:2], LAB.to_solve()[2:]


def test_the_skeleton_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "After `simd_sum`, lane 0 stores" in report


def test_with_the_first_kernel_alone_its_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, FIRST[0]))
    assert not ok
    assert "never written; the rest is right" in report
    assert "a SIMD-group is 32 of them" in report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("float xk = x[k];", "T xk = x[k + n];"), "outside it: x has"),
        (("min(4u, N - n)", "4"), "past its end"),
        (("(n + r) * K", "(n + 4 * r) * K"), "outside it: w has"),
        (("if (lane == 0) {\n            y[n + r]", "{\n            y[n + r]"), "a race"),
    ],
)
def test_a_slip_in_the_second_kernel_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, *FIRST, *SECOND)
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (each for each in notebook.cells if each.id == SECOND[0])
    assert change[0] in cell.source
    cell.source = cell.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report
    assert "05.simd: passed" in report.replace(" · one SIMD-group an output", "")


def make(source: str, threads: Callable[[int], int], threadgroup: int = 256) -> Kernel:
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["vector", "matrix"], output_names=["out"], source=source
    )

    def gemv(x: mx.array, w: mx.array) -> mx.array:
        n = w.shape[0]
        (y,) = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(threads(n), 1, 1),
            threadgroup=(threadgroup, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return y

    return gemv


def vectors_where_they_fit() -> Kernel:
    """Four elements a load where every row begins at a multiple of four; a threadgroup of one SIMD-group."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = threadgroup_position_in_grid.x;
        uint K = matrix_shape[1];
        auto row = matrix + n * K;
        float sum = 0;
        uint k = lane;
        if (K % 4 == 0 && (ulong(row) | ulong(vector)) % (4 * sizeof(T)) == 0) {
            for (uint i = lane; i < K / 4; i += 32) {
                float4 a = float4(*(const device vec<T, 4>*)(row + 4 * i));
                sum += dot(a, float4(vector[4 * i], vector[4 * i + 1], vector[4 * i + 2], vector[4 * i + 3]));
            }
            k = K;
        }
        for (; k < K; k += 32) {
            sum = fma(float(row[k]), float(vector[k]), sum);
        }
        sum = simd_sum(sum);
        if (simd_is_first()) {
            out[n] = T(sum);
        }
    """
    return make(source, lambda n: 32 * n, threadgroup=32)


def shuffled_and_backwards() -> Kernel:
    """Lanes from the row's end to its beginning, their shares added by shuffles; any lane stores."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = threadgroup_position_in_grid.x * 4 + simdgroup_index_in_threadgroup;
        int K = matrix_shape[1];
        float sum = 0;
        for (int k = K - 1 - int(lane); k >= 0; k -= 32) {
            sum += float(matrix[n * K + k]) * float(vector[k]);
        }
        for (ushort apart = 16; apart > 0; apart /= 2) {
            sum += simd_shuffle_xor(sum, apart);
        }
        if (lane == 31) {
            out[n] = T(sum);
        }
    """
    return make(source, lambda n: 32 * n, threadgroup=128)


def eight_rows_and_a_clamp() -> Kernel:
    """Eight rows a SIMD-group; past the last row it computes that row again, and does not store it."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint first = thread_position_in_grid.x / 32 * 8;
        uint N = matrix_shape[0], K = matrix_shape[1];
        float sums[8] = {};
        for (uint k = lane; k < K; k += 32) {
            float xk = vector[k];
            for (uint r = 0; r < 8; r++) {
                sums[r] += float(matrix[min(first + r, N - 1) * K + k]) * xk;
            }
        }
        for (uint r = 0; r < 8; r++) {
            float total = simd_sum(sums[r]);
            if (lane == r && first + r < N) {
                out[first + r] = T(total);
            }
        }
    """
    return make(source, lambda n: 32 * -(-n // 8))


@pytest.mark.parametrize(
    ("exercise", "variant"),
    [
        ("05.simd", vectors_where_they_fit),
        ("05.simd", shuffled_and_backwards),
        ("05.rows", eight_rows_and_a_clamp),
    ],
)
def test_a_right_kernel_passes(exercise: str, variant: Callable[[], Kernel]) -> None:
    result = judged(find(exercise), variant(), seed=4)
    assert result.passed, str(result)
