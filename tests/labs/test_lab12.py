"""Lab 12: what a learner is told on the way, and right kernels that are written another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import numpy as np
import pytest

from grader.exercise import Case, Kernel
from grader.grading import judged
from grader.labs import lab12
from grader.mutants.lab12._right import SOURCE
from kernels.quantized import q4_0
from tests.labs.states import Lab, graded

LAB = Lab("12_q4_0_gemm")
(EXERCISE,) = lab12.EXERCISES
FIRST_BARRIER = "threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there"


def test_the_skeleton_makes_no_products() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "every element of y is 0" in report


@pytest.mark.parametrize(
    ("change", "into", "words"),
    [
        (FIRST_BARRIER, "", "a race: "),
        ("if (n0 + r < N) {", "{", "outside it: blocks has"),
        (" - 8);", ");", "each weight is d · q; it is d · (q − 8)"),
    ],
    ids=["barrier", "edge", "eight"],
)
def test_a_slip_in_the_solution_is_named(tmp_path: Path, change: str, into: str, words: str) -> None:
    path = LAB.copy(tmp_path, "q4-0-gemm-kernel")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id == "q4-0-gemm-kernel":
            assert change in cell.source
            cell.source = cell.source.replace(change, into)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


def a_thread_a_block() -> Kernel:
    """One SIMD-group unpacks, a block a lane, byte after byte, and turns the tile as it stores it."""
    start, end = SOURCE.index("    uint r = tid / 4"), SOURCE.index("    threadgroup_barrier")
    unpack = """
    if (group == 3) {
        uint n = tid - 96;
        device const uchar* block = blocks + (n0 + n) * (K / 32) * 18 + k0 / 32 * 18;
        bool inside = n0 + n < N;
        float d = inside ? float(*(device const half*)block) : 0;
        for (uint j = 0; j < 16; j++) {
            uint code = inside ? block[2 + j] : 0;
            w_tile[j * LD + n] = (float(code & 15) - 8) * d;
            w_tile[(j + 16) * LD + n] = (float(code >> 4) - 8) * d;
        }
    }
"""
    source = SOURCE[:start] + unpack + SOURCE[end:]
    turned = "w_tile + (fn + 8 * i) * LD + k, LD, ulong2(0), true);"
    assert turned in source
    return lab12.launch(source.replace(turned, "w_tile + k * LD + fn + 8 * i, LD);"))


def twice_as_deep() -> Kernel:
    """Tiles of 16 × 64 outputs by two SIMD-groups, two blocks of K a step; −8 d is folded in."""
    kernel: Any = mx.fast.metal_kernel(
        name="twice_as_deep",
        input_names=["a", "packed"],
        output_names=["c"],
        source="""
        uint tid = thread_index_in_threadgroup, group = simdgroup_index_in_threadgroup;
        uint m0 = threadgroup_position_in_grid.y * 32, n0 = threadgroup_position_in_grid.x * 16;
        uint M = a_shape[0], B = packed_shape[1], N = packed_shape[0];
        threadgroup float x_tile[32][68], w_tile[16][68];
        simdgroup_float8x8 sums[2][2];
        for (uint i = 0; i < 4; i++) {
            sums[i / 2][i % 2] = simdgroup_float8x8(0);
        }
        for (uint b0 = 0; b0 < B; b0 += 2) {
            for (uint e = tid; e < 32 * 64; e += 64) {
                bool inside = m0 + e / 64 < M && b0 + e % 64 / 32 < B;
                x_tile[e / 64][e % 64] = inside ? float(a[(m0 + e / 64) * B * 32 + b0 * 32 + e % 64]) : 0;
            }
            uint row = tid / 4, b = b0 + tid % 4 / 2, first = tid % 2 * 8;
            bool inside = n0 + row < N && b < B;
            device const uchar* block = packed + ((n0 + row) * B + b) * 18;
            float d = inside ? float(*(device const half*)block) : 0;
            float shift = -8 * d;
            for (uint j = first; j < first + 8; j++) {
                uint both = inside ? block[2 + j] : 0;
                w_tile[row][tid % 4 / 2 * 32 + j] = fma(float(both & 15), d, shift);
                w_tile[row][tid % 4 / 2 * 32 + j + 16] = fma(float(both >> 4), d, shift);
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint k = 0; k < 64; k += 8) {
                simdgroup_float8x8 x[2], w[2];
                for (uint i = 0; i < 2; i++) {
                    simdgroup_load(x[i], &x_tile[group * 16 + 8 * i][k], 68);
                    simdgroup_load(w[i], &w_tile[8 * i][k], 68, ulong2(0), true);
                }
                for (uint i = 0; i < 4; i++) {
                    simdgroup_multiply_accumulate(sums[i / 2][i % 2], x[i / 2], w[i % 2], sums[i / 2][i % 2]);
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
        }
        for (uint i = 0; i < 4; i++) {
            simdgroup_store(sums[i / 2][i % 2], &x_tile[group * 16 + i / 2 * 8][i % 2 * 8], 68);
        }
        simdgroup_barrier(mem_flags::mem_threadgroup);
        for (uint e = tid % 32; e < 16 * 16; e += 32) {
            uint m = m0 + group * 16 + e / 16, n = n0 + e % 16;
            if (m < M && n < N) {
                c[m * N + n] = T(x_tile[group * 16 + e / 16][e % 16]);
            }
        }
        """,
    )

    def matmul(x: mx.array, blocks: mx.array) -> mx.array:
        shape = (x.shape[0], blocks.shape[0])
        outputs: list[mx.array] = kernel(
            inputs=[x, blocks],
            template=[("T", x.dtype)],
            grid=(-(-shape[1] // 16) * 64, -(-shape[0] // 32), 1),
            threadgroup=(64, 1, 1),
            output_shapes=[shape],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


@pytest.mark.parametrize("variant", [a_thread_a_block, twice_as_deep])
def test_a_right_kernel_written_another_way_passes(variant: Callable[[], Kernel]) -> None:
    # bfloat16 takes the paths that float16 takes, and each type is compiled anew.
    cases = tuple(case for case in EXERCISE.cases if case.dtype != "bfloat16")
    # Budgets are about the lab's own tiles: X is asked for twice as often where a tile has 16 columns.
    budgets = tuple(budget for budget in EXERCISE.budgets if budget.what != "bytes of x asked for")
    result = judged(replace(EXERCISE, cases=cases, budgets=budgets), variant(), seed=4)
    assert result.passed, str(result)


def test_each_wrong_formula_is_another_product() -> None:
    rng = np.random.default_rng(5)
    x, w = rng.standard_normal((70, 96)), rng.standard_normal((70, 96))
    case = Case({"M": 70, "N": 70, "K": 96})
    packed, values = lab12._encode({"x": x, "w": w}, case)
    right = lab12._oracle({"x": x, **values})
    np.testing.assert_allclose(right, x @ q4_0.Q4_0(packed["blocks"]).dequantize().astype(np.float64).T)
    seen: list[np.ndarray] = []
    for miss in lab12.NEAR_MISSES:
        result = miss.result({"x": x, **values})
        assert result is not None, miss.says
        assert result.shape == right.shape
        assert not np.allclose(result, right), miss.says
        assert not any(np.allclose(result, other) for other in seen), miss.says
        seen.append(result)
