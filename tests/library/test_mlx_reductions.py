"""MLX's own reductions, launched as MLX launches them, against NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kernels.shipped.wheel import library

HEADERS = ("utils.h", "atomic.h", "reduction/ops.h", "reduce_utils.h", "reduce.h")
# What each operation does in NumPy, and how far from it float32 may end: 0 where nothing is rounded.
OPERATIONS: dict[str, tuple[Callable[..., np.ndarray], float]] = {
    "Sum": (np.sum, 2.0**-24),
    "Max": (np.max, 0.0),
    "Min": (np.min, 0.0),
}


def bound(x: np.ndarray, rounding: float, axis: int | None = None) -> np.ndarray:
    """n additions in any order: n roundings of the sum of magnitudes, to first order."""
    n = x.size if axis is None else x.shape[axis]
    return np.asarray(1.01 * n * rounding * np.abs(x).sum(axis=axis, dtype=np.float64))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("size", [1, 31, 1000, 4099])
def test_all_reduce(operation: str, size: int) -> None:
    reduce, rounding = OPERATIONS[operation]
    x = np.random.default_rng(size).normal(size=size).astype(np.float32)
    out = np.full(1, np.nan, np.float32)
    function = library(*HEADERS).function(f"all_reduce<float, float, {operation}<float>>")
    function(x, out, np.uint64(size), np.uint64(size), threadgroups=(1, 1, 1), threadgroup=(256, 1, 1))
    assert abs(out[0] - reduce(x.astype(np.float64))) <= bound(x, rounding)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("rows", "columns"), [(5, 33), (8, 1024), (13, 2050)])
def test_row_reduce(operation: str, rows: int, columns: int) -> None:
    reduce, rounding = OPERATIONS[operation]
    x = np.random.default_rng(columns).normal(size=(rows, columns)).astype(np.float32)
    out = np.full(rows, np.nan, np.float32)
    function = library(*HEADERS).function(f"row_reduce_simple<float, float, {operation}<float>>")
    # Four rows a threadgroup; the last one goes back to cover the rest.
    function(
        x,
        out,
        np.uint64(columns),
        np.int64(rows),
        threadgroups=(1, -(-rows // 4), 1),
        threadgroup=(128, 1, 1),
    )
    assert (np.abs(out - reduce(x.astype(np.float64), axis=1)) <= bound(x, rounding, axis=1)).all()
