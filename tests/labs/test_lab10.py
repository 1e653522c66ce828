"""Lab 10: as a learner meets it, and right answers that are written in another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

from grader.exercise import Kernel
from grader.grading import judged
from grader.labs import find, lab10, task
from kernels.quantized import q4_0
from tests.labs.states import Lab, graded

LAB = Lab("10_q4_0")
FIRST, SECOND = LAB.to_solve()


def test_the_skeleton_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "nothing was put into the blocks: blocks[0, 0, 1] is 0, it is 64" in report


def test_with_the_first_exercise_solved_the_kernel_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, FIRST))
    assert not ok
    assert "no element of y was written" in report
    assert "Each thread stores two elements of y" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        (FIRST, ("q[..., :16] | q[..., 16:] << 4", "q[..., ::2] | q[..., 1::2] << 4"), "2j and 2j + 1"),
        (SECOND, ("2 + j", "1 + j"), "from the block's second byte on"),
        (SECOND, ("float d = float(", "half d = half("), "10.dequantize: passed"),
    ],
)
def test_a_slip_in_the_solution_is_named(
    tmp_path: Path, cell: str, change: tuple[str, str], words: str
) -> None:
    path = LAB.copy(tmp_path, FIRST, SECOND)
    notebook = nbformat.read(path, as_version=4)
    (mine,) = (each for each in notebook.cells if each.id == cell)
    assert change[0] in mine.source
    mine.source = mine.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert ok == words.endswith("passed")
    assert words in report.replace(" · blocks of Q4_0 to numbers", "")


Quantize = Callable[[Any], Any]


def by_gguf(w: Any) -> Any:
    return quants.quantize(w, GGMLQuantizationType.Q4_0).reshape(len(w), -1, 18)


def by_loops(w: Any) -> Any:
    """Block by block and element by element, in Python's numbers; an array of MLX."""
    blocks = []
    for block in w.reshape(-1, 32):
        m = block[int(np.argmax(np.abs(block)))]
        d = np.float32(m) / np.float32(-8)
        codes = [8 if d == 0 else min(15, int(each / d + np.float32(8.5))) for each in block]
        low, high = codes[:16], codes[16:]
        blocks.append([*d.astype("<f2").tobytes(), *(16 * b + a for a, b in zip(low, high, strict=True))])
    return mx.array(blocks, dtype=mx.uint8).reshape(len(w), -1, 18)


@pytest.mark.parametrize("quantize", [by_gguf, by_loops])
def test_right_blocks_made_another_way_pass(quantize: Quantize) -> None:
    result = judged(task("10.quantize"), quantize, seed=3)
    assert result.passed, str(result)


def test_the_grader_s_own_bytes_are_those_of_gguf() -> None:
    rng = np.random.default_rng(6)
    for w in (rng.standard_normal((9, 96)), rng.integers(-16, 17, (9, 96)) / 4, np.zeros((2, 64))):
        single = w.astype(np.float32)
        assert np.array_equal(lab10.quantized(single), by_gguf(single))


def make(source: str, threads: Callable[[int], int], threadgroup: int = 256) -> Kernel:
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["packed"], output_names=["out"], source=source
    )

    def dequantize(blocks: mx.array, dtype: mx.Dtype) -> mx.array:
        n, b, _ = blocks.shape
        (y,) = kernel(
            inputs=[blocks],
            template=[("T", dtype)],
            grid=(threads(n * b), 1, 1),
            threadgroup=(threadgroup, 1, 1),
            output_shapes=[(n, 32 * b)],
            output_dtypes=[dtype],
        )
        return y

    return dequantize


def sixteen_bits_a_thread() -> Kernel:
    """Two bytes of codes in one load, their nibbles left where they are: the scale takes the shift along."""
    source = """
        uint block = thread_position_in_grid.x / 8;
        uint pair = thread_position_in_grid.x % 8;
        auto from = (const device ushort*)(packed + 18 * block);
        float d = float(as_type<half>(from[0]));
        ushort codes = from[1 + pair];
        auto to = out + 32 * block + 2 * pair;
        to[0] = T(d * float(codes & 0x000F) - 8 * d);
        to[1] = T(d / 256 * float(codes & 0x0F00) - 8 * d);
        to[16] = T(d / 16 * float(codes & 0x00F0) - 8 * d);
        to[17] = T(d / 4096 * float(codes & 0xF000) - 8 * d);
    """
    return make(source, lambda blocks: 8 * blocks)


def a_simdgroup_a_block() -> Kernel:
    """Lane j and lane j + 16 share byte j: each byte of codes is loaded by one, and shuffled to the other."""
    source = """
        uint lane = thread_index_in_simdgroup;
        auto from = packed + 18 * threadgroup_position_in_grid.x;
        uint octet = lane < 18 ? from[lane] : 0;
        half d = as_type<half>(ushort(simd_shuffle(octet, 0) | simd_shuffle(octet, 1) << 8));
        uint codes = simd_shuffle(octet, ushort(2 + lane % 16));
        int q = (lane < 16 ? codes & 15 : codes >> 4) - 8;
        out[32 * threadgroup_position_in_grid.x + lane] = T(float(d) * q);
    """
    return make(source, lambda blocks: 32 * blocks, threadgroup=32)


@pytest.mark.parametrize("make_kernel", [sixteen_bits_a_thread, a_simdgroup_a_block])
def test_a_right_kernel_written_another_way_passes(make_kernel: Callable[[], Kernel]) -> None:
    result = judged(find("10.dequantize"), make_kernel(), seed=5)
    assert result.passed, str(result)


def test_the_book_s_own_are_right_and_refused() -> None:
    result = judged(task("10.quantize"), lambda w: np.array(q4_0.quantize(w).blocks), seed=1)
    assert result.kind == "reference-called"
    w = np.random.default_rng(7).standard_normal((5, 64)).astype(np.float32)
    assert np.array_equal(np.array(q4_0.quantize(w).blocks), lab10.quantized(w))
