"""Random kernels: valid ones have no finding and the outputs of fast mode; wild ones harm nobody."""

from __future__ import annotations

import os
from random import Random

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal.checks.findings import KINDS

from . import random_kernels

SHAPES = [
    ((64, 1, 1), (64, 1, 1)),
    ((70, 1, 1), (32, 1, 1)),
    ((50, 2, 1), (48, 2, 1)),
    ((33, 3, 1), (33, 1, 1)),
    ((16, 9, 1), (8, 4, 1)),
    ((9, 5, 3), (4, 2, 2)),
    ((5, 1, 1), (64, 1, 1)),
]
PROGRAMS = int(os.environ.get("ANYMETAL_CHECKED_PROGRAMS", "2000" if os.environ.get("CI") else "400"))
BATCH = 10  # programs a kernel: larger ones take longer to compile than their number says
WILD = int(os.environ.get("ANYMETAL_WILD_PROGRAMS", "300" if os.environ.get("CI") else "60"))
WILD_BATCH = 3


def launch(body: str, seed: int, count: int) -> mx.array:
    grid, threadgroup = SHAPES[seed % len(SHAPES)]
    data = np.random.default_rng(seed).integers(0, 2**32, random_kernels.N, np.uint32)
    kernel = anymetal.metal_kernel("random_kernel", ["data"], ["out"], body)
    (out,) = kernel(
        inputs=[mx.array(data)],
        output_shapes=[(grid[0] * grid[1] * grid[2], count)],
        output_dtypes=[mx.uint32],
        grid=grid,
        threadgroup=threadgroup,
    )
    return out


@pytest.mark.parametrize("seed", range(-(-PROGRAMS // BATCH)))
def test_valid_programs(seed: int) -> None:
    body = random_kernels.kernel(Random(seed), BATCH)
    with anymetal.checked() as report:
        checked = launch(body, seed, BATCH)
    assert not report.findings, f"seed {seed}\n{report}"
    fast = launch(body, seed, BATCH)
    assert np.array_equal(np.array(checked), np.array(fast)), f"seed {seed}\n{body}"


@pytest.mark.parametrize("seed", range(-(-WILD // WILD_BATCH)))
def test_wild_programs(seed: int) -> None:
    body = random_kernels.kernel(Random(1_000_000 + seed), WILD_BATCH, wild=True)
    found = []
    for _ in range(2):
        with anymetal.checked(back_edges=2000) as report:
            out = launch(body, seed, WILD_BATCH)
        found.append((str(report), np.array(out).tobytes()))
        assert all(f.kind in KINDS for f in report.findings)
    assert found[0] == found[1], "two runs differ"
