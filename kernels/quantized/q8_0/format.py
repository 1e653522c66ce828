"""Q8_0: blocks of 32 weights in 34 bytes, as GGUF stores them. 8.5 bits a weight.

A block is a half ``d`` and 32 signed bytes, one a weight in order. A byte q stands for d · q.

Source: ggml's ``block_q8_0`` (https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h) and
``quantize_row_q8_0_ref`` (https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c).
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.quantized import weights
from kernels.tolerance import Float64

BLOCK = 32
"""Weights of a block."""
BYTES = 34
"""Bytes of a block."""


@dataclass(frozen=True)
class Q8_0:  # the format's own name
    """Weights [N, K] in Q8_0.

    blocks: uint8 [N, K / 32, 34], row-major: the bytes as a GGUF file has them.
    """

    blocks: mx.array

    def __post_init__(self) -> None:
        blocks = self.blocks
        if not isinstance(blocks, mx.array):
            raise TypeError(f"blocks is a {type(blocks).__name__}; it must be an mx.array of uint8.")
        if blocks.dtype != mx.uint8 or blocks.ndim != 3 or blocks.shape[2] != BYTES:
            raise ValueError(
                f"blocks has dtype {blocks.dtype} and shape {tuple(blocks.shape)}; "
                f"Q8_0 needs uint8 of shape [N, K / {BLOCK}, {BYTES}]."
            )

    @property
    def format(self) -> str:
        return "Q8_0"

    @property
    def shape(self) -> tuple[int, int]:
        return self.blocks.shape[0], self.blocks.shape[1] * BLOCK

    @property
    def nbytes(self) -> int:
        return int(self.blocks.nbytes)

    def dequantize(self) -> NDArray[np.float32]:
        """d · q, exact: a half has 11 bits, q has 8."""
        d, q = unpack(np.array(self.blocks))
        with np.errstate(invalid="ignore"):  # a file may hold an infinite d
            return (q.astype(np.float32) * d[..., None]).reshape(self.shape)

    def magnitudes(self) -> Float64:
        """|d · q|: there is no second term."""
        return np.abs(self.dequantize().astype(np.float64))


def unpack(blocks: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """The scales, [N, K / 32], and the codes −128 … 127, [N, K / 32, 32]."""
    d = np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0].astype(np.float32)
    return d, np.ascontiguousarray(blocks[..., 2:]).view(np.int8)


def quantize(w: object) -> Q8_0:
    """A block's largest magnitude becomes 127, with its sign; the others the nearest code, halves away from
    zero.

    Args:
        w: [N, K], an array of floats, of NumPy or MLX. K is a multiple of 32.

    Raises:
        TypeError: w is no array of floats.
        ValueError: its rank or K does not fit.
    """
    values = weights.numbers(w, BLOCK, "Q8_0")
    blocks = values.reshape(values.shape[0], values.shape[1] // BLOCK, BLOCK)
    d = np.abs(blocks).max(axis=-1, keepdims=True) / np.float32(127)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inverse = np.where(d == 0, np.float32(0), np.float32(1) / d)
        q = _away_from_zero(blocks * inverse).astype(np.int8).view(np.uint8)
        scale = d.astype("<f2").view(np.uint8)
    return Q8_0(mx.array(np.concatenate([scale, q], axis=-1)))


def _away_from_zero(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """C's ``roundf``. NumPy's ``round`` takes halves to the even neighbour, and x + 0.5 may round up to the
    next whole number by itself."""
    size = np.abs(x)
    below = np.floor(size)
    whole: NDArray[np.float32] = np.copysign(below + (size - below >= np.float32(0.5)), x)
    return whole
