"""The transposing copies' launches."""

from __future__ import annotations

import mlx.core as mx

from kernels import arguments, source

# Edge of a tile and of a threadgroup: a thread an element, and in every dtype a row of it is whole sectors.
TILE = 16


def _launch(name: str, x: mx.array, **constants: int) -> mx.array:
    """Runs ``transpose/<name>.metal``, x along a row of X; ``constants`` become template parameters."""
    m, n = arguments.matrix(x)
    if x.size == 0:
        return mx.zeros((n, m), dtype=x.dtype)
    kernel = source.load(f"transpose/{name}.metal", ("X",), ("Y",))
    (y,) = kernel(
        inputs=[x],
        template=[("T", x.dtype), *constants.items()],
        grid=(-(-n // TILE) * TILE, -(-m // TILE) * TILE, 1),
        threadgroup=(TILE, TILE, 1),
        output_shapes=[(n, m)],
        output_dtypes=[x.dtype],
    )
    return y


def apart(x: mx.array) -> mx.array:
    """``Y = Xᵀ``, read side by side and stored apart. Arguments, result and errors as ``tiled``."""
    return _launch("apart", x)


def tiled(x: mx.array) -> mx.array:
    """``Y = Xᵀ`` by tiles in threadgroup memory, read and stored side by side.

    Args:
        x: [M, N], float32, float16 or bfloat16.

    Returns:
        [N, M] in that dtype, bit for bit.

    Raises:
        TypeError: x is not an ``mx.array``.
        ValueError: its rank or dtype does not fit.
    """
    return _launch("tiled", x, TILE=TILE)
