"""Every launcher says which argument is wrong, what it got and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import pytest

from kernels import gemm, gemv, textbook

MATRIX_BY_COLUMNS = [textbook.matmul, gemm.tiled, gemm.register_tile, gemm.mma]
MATRIX_BY_ROWS = [gemm.padded, gemm.mma_rows, gemv.batched]
VECTOR_BY_ROWS = [gemv.naive_rows, gemv.simd, gemv.rows, gemv.vector, gemv.wide]
ALL = [*MATRIX_BY_COLUMNS, *MATRIX_BY_ROWS, *VECTOR_BY_ROWS, gemv.naive_columns]

Launch = Callable[[Any, Any], mx.array]


@pytest.mark.parametrize("launch", ALL)
def test_not_an_array(launch: Launch) -> None:
    with pytest.raises(TypeError, match=r"x is a list; it must be an mx\.array of shape \["):
        launch([1.0, 2.0], mx.zeros((2, 2)))
    with pytest.raises(TypeError, match=r"w is a NoneType; it must be an mx\.array of shape \["):
        launch(mx.zeros((1, 2)), None)


@pytest.mark.parametrize("launch", ALL)
def test_rank(launch: Launch) -> None:
    with pytest.raises(ValueError, match=r"w has shape \(4,\); it must have shape \["):
        launch(mx.zeros((1, 4)), mx.zeros((4,)))
    with pytest.raises(ValueError, match=r"x has shape \(1, 1, 4\); it must have shape \["):
        launch(mx.zeros((1, 1, 4)), mx.zeros((4, 4)))


@pytest.mark.parametrize("launch", ALL)
def test_dtype(launch: Launch) -> None:
    with pytest.raises(ValueError, match=r"x has dtype int32; it must have float32, float16 or bfloat16"):
        launch(mx.zeros((1, 4), dtype=mx.int32), mx.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"w has dtype float16 and x has float32"):
        launch(mx.zeros((1, 4)), mx.zeros((4, 4), dtype=mx.float16))


@pytest.mark.parametrize("launch", [*MATRIX_BY_COLUMNS, gemv.naive_columns])
def test_k_by_columns(launch: Launch) -> None:
    with pytest.raises(ValueError, match=r"w has shape \(4, 3\), so axis 0 gives K = 4; .* needs K = 3"):
        launch(mx.zeros((1, 3)), mx.zeros((4, 3)))


@pytest.mark.parametrize("launch", [*MATRIX_BY_ROWS, *VECTOR_BY_ROWS])
def test_k_by_rows(launch: Launch) -> None:
    with pytest.raises(ValueError, match=r"w has shape \(3, 4\), so axis 1 gives K = 4; .* needs K = 3"):
        launch(mx.zeros((1, 3)), mx.zeros((3, 4)))


@pytest.mark.parametrize("launch", [*VECTOR_BY_ROWS, gemv.naive_columns])
def test_more_than_one_row(launch: Launch) -> None:
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\); it must have shape \[K\] or \[1, K\]"):
        launch(mx.zeros((2, 3)), mx.zeros((3, 3)))


def test_batch_too_large() -> None:
    with pytest.raises(ValueError, match=r"x has 17 rows; this kernel takes at most 16"):
        gemv.batched(mx.zeros((17, 3)), mx.zeros((3, 3)))


def test_block() -> None:
    with pytest.raises(ValueError, match=r"block is \(3, 1\); it must be \(1, 4\), \(2, 2\) or \(4, 1\)"):
        gemm.mma(mx.zeros((3, 3)), mx.zeros((3, 3)), block=(3, 1))


def test_tile() -> None:
    with pytest.raises(ValueError, match=r"tile is 'huge'; it must be one of 'low', 'square', 'large'"):
        gemm.mma_rows(mx.zeros((3, 3)), mx.zeros((3, 3)), tile="huge")
