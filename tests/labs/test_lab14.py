"""Lab 14: what it says about slips of its own, and right kernels that are written in another way."""

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
from kernels import source
from tests.labs.states import Lab, graded

LAB = Lab("14_q4_k")


def test_the_skeleton_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "After the loop: `sum = simd_sum(sum);`" in report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("sum -= dmin", "sum += dmin"), "the minimums are added"),
        (("p >= 2", "p < 2"), "sub-blocks 0 to 3 have scales and minimums of 4 to 7"),
        (("words[4 + lane]", "words[lane]"), "are taken for nibbles"),
        (("words[4 + lane]", "words[36 + lane]"), "outside it: blocks has"),
    ],
)
def test_a_slip_is_found(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (each for each in notebook.cells if each.id in LAB.to_solve())
    assert change[0] in cell.source
    cell.source = cell.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


def make(body: str, rows: int, header: str = "", **constants: int) -> Kernel:
    """A function of (x, blocks) that launches `body` with a SIMD-group for `rows` outputs, eight together."""
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["x", "blocks"], output_names=["y"], source=body, header=header
    )

    def gemv(x: mx.array, blocks: mx.array) -> mx.array:
        n = blocks.shape[0]
        (y,) = kernel(
            inputs=[x, blocks],
            template=[("T", x.dtype), *constants.items()],
            grid=(256 * -(-n // (8 * rows)), 1, 1),
            threadgroup=(256, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return y

    return gemv


def staged() -> Kernel:
    """Nine lanes copy a super-block to threadgroup memory, 16 bytes each; then each lane makes numbers of a
    byte a piece, and multiplies those."""
    body = """
        threadgroup uint4 copies[8][9];
        uint lane = thread_index_in_simdgroup;
        uint own = simdgroup_index_in_threadgroup;
        uint n = threadgroup_position_in_grid.x * 8 + own;
        uint count = blocks_shape[1];
        bool here = n < uint(blocks_shape[0]);
        float sum = 0;
        for (uint b = 0; b < count; b++) {
            simdgroup_barrier(mem_flags::mem_threadgroup);
            if (here && lane < 9) {
                copies[own][lane] = ((const device uint4*)(blocks + (n * count + b) * 144))[lane];
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
            if (here) {
                auto bytes = (const threadgroup uchar*)&copies[own][0];
                float d = float(*(const threadgroup half*)bytes);
                float dmin = float(*(const threadgroup half*)(bytes + 2));
                auto s = bytes + 4;
                for (uint j = 0; j < 8; j++) {
                    uint scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) + (s[j - 4] / 64 * 16);
                    uint least = j < 4 ? s[j + 4] & 63 : s[j + 4] / 16 + (s[j] / 64 * 16);
                    uint q = bytes[16 + j / 2 * 32 + lane] >> (j % 2 * 4) & 15;
                    float weight = fma(d * float(scale), float(q), -dmin * float(least));
                    sum = fma(weight, float(x[b * 256 + 32 * j + lane]), sum);
                }
            }
        }
        sum = simd_sum(sum);
        if (here && lane == 31) {
            y[n] = T(sum);
        }
    """
    return make(body, 1)


def four_rows() -> Kernel:
    """The text of the book's last step, in the learner's launch."""
    text, header = source.text("quantized/q4_k/gemv.metal"), source.text("gemv/four.metal")
    return make(f"if (thread_position_in_grid.x / 128 < uint(blocks_shape[0])) {{\n{text}\n}}", 4, header,
                SIMDGROUPS=8, ROWS=4)  # fmt: skip


@pytest.mark.parametrize("variant", [staged, four_rows])
def test_a_right_kernel_passes(variant: Callable[[], Kernel]) -> None:
    result = judged(find("14"), variant(), seed=4)
    assert result.passed, str(result)
