"""Lab 09: what a learner is told on the way, and right kernels that are written another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import numpy as np
import pytest

from grader.exercise import Kernel
from grader.grading import judged
from grader.labs import lab09
from grader.mutants.lab09._right import SOURCE
from tests.labs.states import Lab, graded

LAB = Lab("09_simdgroup_mma")
(EXERCISE,) = lab09.EXERCISES


def test_the_skeleton_is_told_to_store() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "store the fragments into `y_tile`" in report


def test_with_the_kernel_alone_the_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "mma-kernel"))
    assert not ok
    assert "never written; the rest is right" in report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there", "a race: "),
        (
            "        if (m < M && n < N) {\n            Y[m * N + n] = T(y_tile[e]);\n        }",
            "past its end",
        ),
    ],
    ids=["barrier", "edge"],
)
def test_a_slip_in_the_solution_is_named(tmp_path: Path, change: str, words: str) -> None:
    path = LAB.copy(tmp_path, "mma-kernel", "mma-launch")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id == "mma-kernel":
            assert change in cell.source
            cell.source = cell.source.replace(
                change, "Y[m * N + n] = T(y_tile[e]);" if "Y[m" in change else ""
            )
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


def stored_by_the_map() -> Kernel:
    """No tile of Y: each lane stores its two elements where they belong."""
    before, after = SOURCE.split("        simdgroup_store(")
    head = before[: before.rindex("for (uint i = 0; i < 2; i++)")].replace(
        "threadgroup float y_tile[32 * 32];\n", ""
    )
    assert "y_tile" in after
    return lab09.launch(
        head
        + """
        uint lane = tid % 32;
        uint row = (lane / 4 & 4) + lane / 2 % 4, column = (lane / 4 & 2) * 2 + lane % 2 * 2;
        for (uint i = 0; i < 2; i++) {
            for (uint j = 0; j < 2; j++) {
                for (uint p = 0; p < 2; p++) {
                    uint m = m0 + fm + 8 * i + row, n = n0 + fn + 8 * j + column + p;
                    if (m < M && n < N) {
                        Y[m * N + n] = T(sums[i][j].thread_elements()[p]);
                    }
                }
            }
        }
        """
    )


def a_tile_of_one_simdgroup() -> Kernel:
    """32 × 32 outputs by 32 threads: 4 × 4 fragments, all factors converted to float as they are loaded."""
    kernel: Any = mx.fast.metal_kernel(
        name="one_simdgroup",
        input_names=["a", "b"],
        output_names=["c"],
        source="""
        uint lane = thread_index_in_simdgroup;
        uint m0 = threadgroup_position_in_grid.y * 32, n0 = threadgroup_position_in_grid.x * 32;
        uint M = a_shape[0], K = a_shape[1], N = b_shape[1];
        threadgroup float tiles[2][8 * 32];
        simdgroup_float8x8 sums[4][4];
        for (uint i = 0; i < 16; i++) {
            sums[i / 4][i % 4] = simdgroup_float8x8(0);
        }
        for (uint k0 = 0; k0 < K; k0 += 8) {
            for (uint r = 0; r < 8; r++) {  // the slice of a lies transposed: [k][m]
                bool here = k0 + r < K;
                tiles[0][r * 32 + lane] = here && m0 + lane < M ? float(a[(m0 + lane) * K + k0 + r]) : 0;
                tiles[1][r * 32 + lane] = here && n0 + lane < N ? float(b[(k0 + r) * N + n0 + lane]) : 0;
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
            simdgroup_float8x8 x, w[4];
            for (uint j = 0; j < 4; j++) {
                simdgroup_load(w[j], tiles[1] + 8 * j, 32);
            }
            for (uint i = 0; i < 4; i++) {
                simdgroup_load(x, tiles[0] + 8 * i, 32, ulong2(0), true);
                for (uint j = 0; j < 4; j++) {
                    simdgroup_multiply_accumulate(sums[i][j], x, w[j], sums[i][j]);
                }
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
        }
        for (uint i = 0; i < 4; i++) {
            for (uint j = 0; j < 4; j++) {
                simdgroup_store(sums[i][j], tiles[0] + 8 * j, 32);
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
            for (uint r = 0; r < 8 && m0 + 8 * i + r < M; r++) {
                if (n0 + lane < N) {
                    c[(m0 + 8 * i + r) * N + n0 + lane] = T(tiles[0][r * 32 + lane]);
                }
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
        }
        """,
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        shape = (x.shape[0], w.shape[1])
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(-(-shape[1] // 32) * 32, -(-shape[0] // 32), 1),
            threadgroup=(32, 1, 1),
            output_shapes=[shape],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


@pytest.mark.parametrize("variant", [stored_by_the_map, a_tile_of_one_simdgroup])
def test_a_right_kernel_written_another_way_passes(variant: Callable[[], Kernel]) -> None:
    # bfloat16 takes the paths that float16 takes, and each type is compiled anew.
    cases = tuple(case for case in EXERCISE.cases if case.dtype != "bfloat16")
    result = judged(replace(EXERCISE, cases=cases), variant(), seed=4)
    assert result.passed, str(result)


def test_wrong_places_are_what_their_formulas_say() -> None:
    """Each near miss of moved fragments is a permutation of whole tiles, and leaves no element out."""
    rng = np.random.default_rng(5)
    values = {"x": rng.standard_normal((64, 40)), "w": rng.standard_normal((40, 96))}
    right = values["x"] @ values["w"]
    moved = {"swapped-quarters", "swapped-fragments", "transposed-fragments", "lane-map"}
    for miss in lab09.MMA_MISSES:
        result = miss.result(values)
        assert result is not None
        assert result.shape == right.shape
        assert not np.allclose(result, right)
        if miss.kind in moved:
            np.testing.assert_allclose(np.sort(result, axis=None), np.sort(right, axis=None))
            moved.discard(miss.kind)
    assert not moved
