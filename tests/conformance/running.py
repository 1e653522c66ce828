"""Runs one kernel for a test: on two threads and on one, which must agree to the bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mlx.core as mx
import numpy as np
import numpy.typing as npt

import anymetal

Array = npt.NDArray[Any]
Size3 = tuple[int, int, int]

MLX_TYPES: dict[str, Any] = {
    name: getattr(mx, name)
    for name in ("bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32".split())
}

# Arrangements of threads: (grid, threadgroup). One row, partial rows, tiles, neither; ragged along every
# axis.
LAUNCHES: list[tuple[Size3, Size3]] = [
    ((64, 1, 1), (64, 1, 1)),
    ((1, 1, 1), (1, 1, 1)),
    ((70, 1, 1), (32, 1, 1)),
    ((100, 1, 1), (33, 1, 1)),
    ((66, 3, 1), (33, 1, 1)),
    ((16, 12, 1), (8, 4, 1)),
    ((9, 6, 1), (8, 4, 1)),
    ((32, 32, 1), (16, 16, 1)),
    ((19, 17, 2), (16, 16, 1)),
    ((7, 5, 3), (7, 5, 3)),
    ((8, 6, 5), (7, 5, 3)),
    ((3, 130, 1), (1, 64, 1)),
    ((96, 5, 1), (48, 2, 1)),
    ((64, 4, 3), (32, 2, 2)),
    ((5, 3, 70), (2, 1, 32)),
    ((8, 8, 8), (4, 4, 4)),
    ((5, 1, 1), (1024, 1, 1)),
    ((33, 33, 1), (32, 32, 1)),
]


def to_mlx(value: Any) -> Any:
    """NumPy to MLX, keeping the type; MLX arrays and numbers as they are."""
    return mx.array(value) if isinstance(value, np.ndarray) else value


def to_numpy(array: Any) -> Array:
    """MLX to NumPy; bfloat16, which NumPy lacks, as the float32 of the same value."""
    return np.array(array.astype(mx.float32) if array.dtype == mx.bfloat16 else array)


def run(
    source: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, tuple[Sequence[int], str]],
    *,
    grid: Size3,
    threadgroup: Size3,
    header: str = "",
    template: Sequence[tuple[str, Any]] | None = None,
    init_value: float | None = None,
    **options: Any,
) -> list[Array]:
    """The outputs of a kernel body as NumPy arrays. `outputs`: shape and name of the dtype, by name."""
    kernel = anymetal.metal_kernel(
        "conformance", list(inputs), list(outputs), source, header=header, **options
    )
    found: list[list[Array]] = []
    for count in (2, 1):
        with anymetal.threads(count):
            made = kernel(
                inputs=[to_mlx(v) for v in inputs.values()],
                output_shapes=[tuple(shape) for shape, _ in outputs.values()],
                output_dtypes=[MLX_TYPES[dtype] for _, dtype in outputs.values()],
                grid=grid,
                threadgroup=threadgroup,
                template=template,
                init_value=init_value,
            )
        found.append([to_numpy(a) for a in made])
    for two, one in zip(*found, strict=True):
        assert two.tobytes() == one.tobytes(), "two threads gave other bits than one"
    return found[0]


def run1(
    source: str,
    inputs: Mapping[str, Any],
    shape: Sequence[int],
    dtype: str,
    *,
    grid: Size3 | None = None,
    threadgroup: Size3 = (64, 1, 1),
    **options: Any,
) -> Array:
    """`run` with the one output `out`; by default a thread for each of its elements."""
    grid = grid or (int(np.prod(shape)), 1, 1)
    return run(source, inputs, {"out": (shape, dtype)}, grid=grid, threadgroup=threadgroup, **options)[0]


def words(rng: np.random.Generator, n: int, below: int = 2**32) -> npt.NDArray[np.uint32]:
    """`n` random unsigned numbers."""
    return rng.integers(0, below, n).astype(np.uint32)
