"""Kernels made by chance, against an interpreter of the same programs.

The same ones each time. After a change to the compiler, run more, at about half a second each:

    ANYMETAL_PROGRAMS=3000 pytest tests/conformance/test_random_programs.py
"""

from __future__ import annotations

import os
from random import Random

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from tests.conformance import programs

# A few hundred threads at most, in arrangements that reach every way in which threads fall onto lanes:
# rows, tiles, neither, ragged edges, and SIMD-groups that are not full.
SHAPES = [
    ((64, 1, 1), (64, 1, 1)),
    ((70, 1, 1), (32, 1, 1)),
    ((50, 2, 1), (48, 2, 1)),
    ((33, 3, 1), (33, 1, 1)),
    ((16, 9, 1), (8, 4, 1)),
    ((16, 16, 1), (16, 16, 1)),
    ((18, 17, 1), (16, 16, 1)),
    ((7, 5, 6), (7, 5, 3)),
    ((9, 5, 3), (4, 2, 2)),
    ((2, 65, 1), (1, 64, 1)),
    ((64, 2, 2), (32, 2, 2)),
    ((96, 3, 1), (64, 2, 1)),
    ((5, 1, 1), (256, 1, 1)),
    ((40, 40, 1), (32, 32, 1)),
]


def check(seed: int, indexed: bool) -> None:
    """One program, its data and its launch, all made from `seed`."""
    random = Random(seed)
    grid, threadgroup = SHAPES[random.randrange(len(SHAPES))]
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 2**32, programs.DATA, np.uint32)
    data[rng.random(programs.DATA) < 0.5] %= 64
    octets = rng.integers(0, 256, programs.TABLE).astype(np.uint8)
    parameters = np.array([rng.integers(0, 32), rng.integers(0, 8), 3, rng.integers(0, 2**32)], np.uint32)
    if indexed:
        program = programs.indexed(random, data, parameters, grid, threadgroup)
    else:
        program = programs.generate(random)
    body = programs.metal(program)
    expected = programs.interpret(program, data, octets, parameters, grid, threadgroup)
    kernel = anymetal.metal_kernel("program", ["data", "bytes", "p"], ["out"], body, programs.HEADER)
    for count in (2, 1):
        with anymetal.threads(count):
            (out,) = kernel(
                inputs=[mx.array(data), mx.array(octets), mx.array(parameters)],
                output_shapes=[expected.shape],
                output_dtypes=[mx.uint32],
                grid=grid,
                threadgroup=threadgroup,
                init_value=0,
            )
        wrong = np.argwhere(np.array(out) != expected)
        assert not len(wrong), (
            f"program {seed}, grid {grid}, threadgroup {threadgroup}, {count} threads: "
            f"{len(wrong)} words differ; "
            f"thread {wrong[0][0]}, word {wrong[0][1]}: {np.array(out)[tuple(wrong[0])]}, "
            f"not {expected[tuple(wrong[0])]}\n{body}"
        )


COUNT = int(os.environ.get("ANYMETAL_PROGRAMS", "60"))


@pytest.mark.parametrize("seed", range(COUNT))
def test_a_random_program(seed: int) -> None:
    check(seed, indexed=False)


@pytest.mark.parametrize("seed", range(COUNT // 2))
def test_random_indices(seed: int) -> None:
    check(seed, indexed=True)
