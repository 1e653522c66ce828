"""The reductions' launches: how many threads share a row."""

from __future__ import annotations

import mlx.core as mx

from kernels import arguments, source

# SIMD-groups a threadgroup.
SIMDGROUPS = 8
THREADS = 32 * SIMDGROUPS


def _launch(
    name: str, x: mx.array, grid: tuple[int, int, int], shape: tuple[int, ...], **constants: int
) -> mx.array:
    """Runs ``reduction/<name>.metal`` over ``grid``; ``constants`` become template parameters."""
    if x.size == 0:
        return mx.zeros(shape, dtype=x.dtype)
    kernel = source.load(f"reduction/{name}.metal", ("X",), ("Y",))
    (y,) = kernel(
        inputs=[x],
        template=[("T", x.dtype), *constants.items()],
        grid=grid,
        threadgroup=(THREADS, 1, 1),
        output_shapes=[shape],
        output_dtypes=[x.dtype],
    )
    return y


def lanes(x: mx.array) -> mx.array:
    """The sum of each row, found by a SIMD-group with five shuffles and stored by each of its lanes.

    Args:
        x: [M, K], float32, float16 or bfloat16.

    Returns:
        [M, 32] in that dtype, accumulated in float32: all 32 columns are the same.

    Raises:
        TypeError: x is not an ``mx.array``.
        ValueError: its rank or dtype does not fit.
    """
    m, _ = arguments.matrix(x)
    return _launch("lanes", x, (32 * m, 1, 1), (m, 32), SIMDGROUPS=SIMDGROUPS)


def threadgroup(x: mx.array) -> mx.array:
    """The sum of each row by a threadgroup of 256 threads: ``simd_sum``, one barrier, ``simd_sum``.

    Args:
        x: [M, K], float32, float16 or bfloat16.

    Returns:
        [M] in that dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``.
        ValueError: its rank or dtype does not fit.
    """
    m, _ = arguments.matrix(x)
    return _launch("threadgroup", x, (THREADS, m, 1), (m,), SIMDGROUPS=SIMDGROUPS)


def tree(x: mx.array) -> mx.array:
    """The sum of each row by a tree with a barrier a level. As ``threadgroup`` otherwise."""
    m, _ = arguments.matrix(x)
    return _launch("tree", x, (THREADS, m, 1), (m,), THREADS=THREADS)
