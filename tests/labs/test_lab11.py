"""Lab 11: what it says about slips of its own, and right kernels that are written in another way."""

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

LAB = Lab("11_q4_0_gemv")


def test_the_skeleton_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "After `simd_sum`, lane 0 stores" in report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("i < 9 * here", "i < 9 * 32"), "outside it: blocks has"),
        (("int codes", "uint codes"), "3 − 8 of unsigned numbers wraps"),
        (("if (lane == 0) {", "{"), "Let one thread own each element"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (each for each in notebook.cells if each.id == LAB.to_solve()[0])
    assert change[0] in cell.source
    cell.source = cell.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


def make(source: str, inputs: Callable[[mx.array, mx.array], list[mx.array]], rows: int = 1) -> Kernel:
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["vector", "weights"], output_names=["out"], source=source
    )

    def gemv(x: mx.array, blocks: mx.array) -> mx.array:
        n = blocks.shape[0]
        (y,) = kernel(
            inputs=inputs(x, blocks),
            template=[("T", x.dtype)],
            grid=(32 * -(-n // rows), 1, 1),
            threadgroup=(64, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return y

    return gemv


def rows_as_words() -> Kernel:
    """The blocks as a matrix of words, two rows a SIMD-group, each lane's words in another order."""
    source = """
        threadgroup ushort held[2][2][288];
        uint lane = thread_index_in_simdgroup;
        uint n = thread_position_in_grid.x / 32 * 2;
        uint N = weights_shape[0];
        uint W = weights_shape[1];
        auto mine = held[simdgroup_index_in_threadgroup];
        float sum[2] = {};
        for (uint first = 0; first < W; first += 288) {
            uint here = min(W - first, 288u);
            for (uint r = 0; r < 2; r++) {
                auto row = weights + min(n + r, N - 1) * W + first;
                for (uint i = 31 - lane; i < here; i += 32) {
                    mine[r][i] = row[i];
                }
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
            for (uint b = lane / 8; 9 * b < here; b += 4) {
                auto at = vector + 32 * (first / 9 + b) + 2 * (lane % 8);
                float4 xs = float4(at[0], at[1], at[16], at[17]);
                float total = 8 * (xs.x + xs.y + xs.z + xs.w);
                xs *= float4(1, 1.0f / 256, 1.0f / 16, 1.0f / 4096);
                for (uint r = 0; r < 2; r++) {
                    ushort q = mine[r][9 * b + 1 + lane % 8];
                    float4 codes = float4(q & 0x000F, q & 0x0F00, q & 0x00F0, q & 0xF000);
                    sum[r] += float(as_type<half>(mine[r][9 * b])) * (dot(codes, xs) - total);
                }
            }
            simdgroup_barrier(mem_flags::mem_threadgroup);
        }
        for (uint r = 0; r < 2; r++) {
            float all = simd_sum(sum[r]);
            if (lane == 0 && n + r < N) {
                out[n + r] = T(all);
            }
        }
    """
    return make(source, lambda x, blocks: [x, blocks.reshape(blocks.shape[0], -1).view(mx.uint16)], rows=2)


def scales_by_shuffle() -> Kernel:
    """No threadgroup memory: each lane multiplies the words that it loads, and has the scale from another.
    The 9 words of a block lie in one piece, so the scale is at most 8 lanes or a load away."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = thread_position_in_grid.x / 32;
        uint words = weights_shape[1] * 9;
        auto row = (const device ushort*)weights + n * words;
        float sum = 0;
        ushort before = 0;
        for (uint first = 0; first < words; first += 32) {
            uint i = first + lane;
            ushort word = i < words ? row[i] : ushort(0);
            uint part = i % 9;
            // Where the scale came with the load before, its lane there is 32 further on.
            ushort now = simd_shuffle(word, ushort((lane + 32 - part) % 32));
            ushort then = simd_shuffle(before, ushort((lane + 32 - part) % 32));
            float d = float(as_type<half>(lane >= part ? now : then));
            if (part > 0 && i < words) {
                auto at = vector + i / 9 * 32 + 2 * (part - 1);
                float dot = (float(word & 15) - 8) * float(at[0]);
                dot += (float(word >> 8 & 15) - 8) * float(at[1]);
                dot += (float(word >> 4 & 15) - 8) * float(at[16]);
                dot += (float(word >> 12) - 8) * float(at[17]);
                sum += d * dot;
            }
            before = word;
        }
        sum = simd_sum(sum);
        if (lane == 31) {
            out[n] = T(sum);
        }
    """
    return make(source, lambda x, blocks: [x, blocks])


@pytest.mark.parametrize("variant", [rows_as_words, scales_by_shuffle])
def test_a_right_kernel_passes(variant: Callable[[], Kernel]) -> None:
    result = judged(find("11"), variant(), seed=4)
    assert result.passed, str(result)
